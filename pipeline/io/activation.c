/* Activation: see the header. */

#include "pipeline/io/activation.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST_PASSED = 4096, NAME_SIZE = 256 };

struct passed {
	char name[NAME_SIZE];
	int fd;           /* −1: closed */
	atomic_bool used; /* shards of several workers may set it */
};

static struct {
	struct passed *items;
	size_t count;
} activation;

/* --- taking over -------------------------------------------------------------------------------------------------- */

/* 0 where the variable is not there, or no number. */
static unsigned long number_in(const char *variable)
{
	const char *text = getenv(variable);
	char *end;

	if (!text || *text < '0' || *text > '9')
		return 0;
	unsigned long number = strtoul(text, &end, 10);
	return *end ? 0 : number;
}

/* A socket that others have, too, is made non-blocking for all of them; who accepts from it expects that. */
static bool prepare(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 &&
	       fcntl(fd, F_SETFD, FD_CLOEXEC) == 0;
}

static void take_one(int fd, const char *name, int size)
{
	struct passed *passed = &activation.items[activation.count];

	if (!prepare(fd))
		return;
	snprintf(passed->name, sizeof(passed->name), "%.*s", size > 0 ? size : 7,
		size > 0 ? name : "unknown");
	passed->fd = fd;
	activation.count++;
}

static void take(int first, size_t count)
{
	const char *names = getenv("LISTEN_FDNAMES");

	if (!names)
		names = "";
	activation.items = calloc(count, sizeof(*activation.items));
	if (!activation.items)
		return;
	for (size_t i = 0; i < count; i++) {
		size_t size = strcspn(names, ":");

		take_one(first + (int)i, names, (int)size);
		names += size + (names[size] == ':');
	}
}

void activation_take(int first)
{
	unsigned long count = number_in("LISTEN_FDS");

	if (number_in("LISTEN_PID") == (unsigned long)getpid() && count > 0 && count <= MOST_PASSED)
		take(first, count);
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
}

/* --- what they are ------------------------------------------------------------------------------------------------ */

enum kind {
	TCP_LISTENER,
	TCP_CONNECTION,
	UDP,
	UNIX_LISTENER,
	UNIX_CONNECTION,
	UNIX_DATAGRAMS,
	OTHER_KIND
};

static const char *const kind_names[] = {
	"a listening TCP socket",
	"a TCP connection",
	"a UDP socket",
	"a listening unix socket",
	"a connection of a unix socket",
	"a unix socket for datagrams",
	"something else",
};

/* −1 where it cannot be asked. */
static int ask(int fd, int name)
{
	int value = 0;
	socklen_t size = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, name, &value, &size) < 0 ? -1 : value;
}

static enum kind kind_of(int fd)
{
	int domain = ask(fd, SO_DOMAIN), type = ask(fd, SO_TYPE);
	bool listens = ask(fd, SO_ACCEPTCONN) > 0, local = domain == AF_UNIX;

	if (!local && domain != AF_INET && domain != AF_INET6)
		return OTHER_KIND;
	if (type == SOCK_DGRAM)
		return local ? UNIX_DATAGRAMS : UDP;
	if (type != SOCK_STREAM)
		return OTHER_KIND;
	if (local)
		return listens ? UNIX_LISTENER : UNIX_CONNECTION;
	return listens ? TCP_LISTENER : TCP_CONNECTION;
}

static enum kind kind_wanted(const struct listener *listener, bool local)
{
	if (listener->type == SOCK_DGRAM)
		return local ? UNIX_DATAGRAMS : UDP;
	return local ? UNIX_LISTENER : TCP_LISTENER;
}

/* --- listening ---------------------------------------------------------------------------------------------------- */

/* "a", "b", each name once. */
static void list_names(char *text, size_t room)
{
	size_t size = 0;

	*text = '\0';
	for (size_t i = 0; i < activation.count; i++) {
		bool told = false;

		for (size_t k = 0; k < i; k++)
			told |= strcmp(activation.items[k].name, activation.items[i].name) == 0;
		if (told || size >= room)
			continue;
		size += (size_t)snprintf(text + size, room - size, "%s\"%s\"", size ? ", " : "",
			activation.items[i].name);
	}
}

static bool fault_missing(const char *name, struct activation_fault *fault)
{
	char names[512];

	list_names(names, sizeof(names));
	snprintf(fault->text, sizeof(fault->text), "no socket of that name was passed");
	if (activation.count > 0)
		snprintf(fault->remedy, sizeof(fault->remedy),
			"passed were %s: name one of these, or set FileDescriptorName=%s in the "
			".socket unit",
			names, name);
	else
		snprintf(fault->remedy, sizeof(fault->remedy),
			"have a .socket unit with FileDescriptorName=%s, and start that before the "
			"service",
			name);
	return false;
}

static bool fault_kind(
	enum kind is, enum kind wanted, const char *name, struct activation_fault *fault)
{
	bool is_connection = is == TCP_CONNECTION || is == UNIX_CONNECTION;

	snprintf(fault->text, sizeof(fault->text),
		"%s was passed under that name, and %s is needed", kind_names[is],
		kind_names[wanted]);
	if (is_connection)
		snprintf(fault->remedy, sizeof(fault->remedy), "set Accept=no in the .socket unit");
	else
		snprintf(fault->remedy, sizeof(fault->remedy),
			"have a .socket unit for each kind of socket, with a FileDescriptorName= "
			"of its own, and only one with %s",
			name);
	return false;
}

static bool fault_system(const char *what, struct activation_fault *fault)
{
	snprintf(fault->text, sizeof(fault->text), "%s", what);
	fault->remedy[0] = '\0';
	return false;
}

static bool adopt(struct listener *listener, struct passed *passed, struct activation_fault *fault)
{
	if (listener->count == LISTENER_MOST_SOCKETS)
		return fault_system("more than 8 sockets of that name were passed", fault);
	int fd = fcntl(passed->fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return fault_system(strerror(errno), fault);
	listener_adopt(listener, fd);
	passed->used = true;
	return true;
}

static bool adopt_each(struct listener *listener, const char *name, enum kind wanted,
	struct activation_fault *fault)
{
	for (size_t i = 0; i < activation.count; i++) {
		struct passed *passed = &activation.items[i];

		if (passed->fd < 0 || strcmp(passed->name, name) != 0)
			continue;
		enum kind is = kind_of(passed->fd);
		if (is != wanted)
			return fault_kind(is, wanted, name, fault);
		if (!adopt(listener, passed, fault))
			return false;
	}
	return listener->count > 0 || fault_missing(name, fault);
}

bool activation_listen(
	struct listener *listener, const char *name, bool local, struct activation_fault *fault)
{
	if (adopt_each(listener, name, kind_wanted(listener, local), fault))
		return true;
	listener_stop(listener);
	return false;
}

/* --- the rest ----------------------------------------------------------------------------------------------------- */

const char *activation_close_unused(void)
{
	for (size_t i = 0; i < activation.count; i++) {
		struct passed *passed = &activation.items[i];

		if (passed->used || passed->fd < 0)
			continue;
		close(passed->fd);
		passed->fd = -1;
		return passed->name;
	}
	return NULL;
}

void activation_close(void)
{
	for (size_t i = 0; i < activation.count; i++)
		if (activation.items[i].fd >= 0)
			close(activation.items[i].fd);
	free(activation.items);
	activation.items = NULL;
	activation.count = 0;
}
