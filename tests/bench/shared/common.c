/* What the bench's programs share. */

#include "tests/bench/shared/common.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

noreturn void fail(const char *what)
{
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, strerror(errno));
	exit(1);
}

long must(long result, const char *what)
{
	if (result < 0)
		fail(what);
	return result;
}

uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

void sleep_until(uint64_t time)
{
	const struct timespec wake = { (time_t)(time / 1000000000u), (long)(time % 1000000000u) };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &wake, NULL);
}

void say_time(const char *name, uint64_t time)
{
	printf("%s %" PRIu64 "\n", name, time);
	fflush(stdout);
}

uint64_t number(const char *text)
{
	char *end;

	errno = EINVAL;
	const uint64_t value = strtoull(text, &end, 10);
	if (end == text || *end)
		fail(text);
	return value;
}

struct bytes map_file(const char *path)
{
	const int file = (int)must(open(path, O_RDONLY | O_CLOEXEC), path);
	struct stat status;

	must(fstat(file, &status), path);
	struct bytes bytes = { "", (size_t)status.st_size };
	if (bytes.size > 0) {
		void *data = mmap(NULL, bytes.size, PROT_READ, MAP_SHARED | MAP_POPULATE, file, 0);
		if (data == MAP_FAILED)
			fail(path);
		bytes.data = data;
	}
	close(file);
	return bytes;
}

static struct sockaddr_in loopback(uint64_t port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr = { htonl(INADDR_LOOPBACK) },
	};
}

int bound_to(uint64_t port, int type)
{
	const int one = 1;
	const struct sockaddr_in address = loopback(port);
	const int bound = (int)must(socket(AF_INET, type | SOCK_CLOEXEC, 0), "socket");

	must(setsockopt(bound, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)), "SO_REUSEADDR");
	must(bind(bound, (const struct sockaddr *)&address, sizeof(address)), "bind");
	return bound;
}

int listen_at(uint64_t port)
{
	const int listener = bound_to(port, SOCK_STREAM);

	must(listen(listener, SOMAXCONN), "listen");
	return listener;
}

int connect_to(uint64_t port, int type)
{
	const int one = 1;
	const struct sockaddr_in address = loopback(port);
	const int connected = (int)must(socket(AF_INET, type | SOCK_CLOEXEC, 0), "socket");

	if (type == SOCK_STREAM)
		must(setsockopt(connected, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)), "nodelay");
	must(connect(connected, (const struct sockaddr *)&address, sizeof(address)), "connect");
	return connected;
}

int accept_one(int listener)
{
	return (int)must(accept4(listener, NULL, NULL, SOCK_CLOEXEC), "accept");
}

void write_all(int descriptor, const char *data, size_t size)
{
	while (size > 0) {
		const size_t written = (size_t)must(write(descriptor, data, size), "write");
		data += written;
		size -= written;
	}
}
