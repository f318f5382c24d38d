/* Crowds: connections that are served until all have ended. */

#include "tests/bench/shared/crowd.h"

#include "tests/bench/shared/common.h"

#include <sys/epoll.h>
#include <unistd.h>

enum { EVENTS = 64 };

static void serve_one(int listener, crowd_serve *serve)
{
	const int connection = accept_one(listener);

	while (serve(connection))
		;
	close(connection);
}

static void watch(int poll, int descriptor)
{
	struct epoll_event event = { .events = EPOLLIN, .data = { .fd = descriptor } };

	must(epoll_ctl(poll, EPOLL_CTL_ADD, descriptor, &event), "epoll_ctl");
}

static void serve_many(int listener, uint64_t count, crowd_serve *serve)
{
	struct epoll_event events[EVENTS];
	const int poll = (int)must(epoll_create1(EPOLL_CLOEXEC), "epoll_create");

	watch(poll, listener);
	while (count > 0) {
		const long ready = must(epoll_wait(poll, events, EVENTS, -1), "epoll_wait");
		for (long i = 0; i < ready; i++) {
			const int descriptor = events[i].data.fd;
			if (descriptor == listener) {
				watch(poll, accept_one(listener));
			} else if (!serve(descriptor)) {
				close(descriptor);
				count--;
			}
		}
	}
}

void crowd_run(uint64_t port, uint64_t count, crowd_serve *serve)
{
	const int listener = listen_at(port);

	if (count == 1)
		serve_one(listener, serve);
	else
		serve_many(listener, count, serve);
}
