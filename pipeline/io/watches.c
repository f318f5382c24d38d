/* Watches: see the header. Poll events and epoll events have the same numbers. */

#include "pipeline/io/watches.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>

enum { FIRST_COUNT = 64 };

void watches_close(struct watches *watches)
{
	free(watches->table);
	watches->table = NULL;
	watches->count = 0;
}

static bool make_room(struct watches *watches, uint32_t fd)
{
	uint32_t count = watches->count ? watches->count : FIRST_COUNT;
	struct watch *table;

	if (fd < watches->count)
		return true;
	while (count <= fd)
		count *= 2;
	table = realloc(watches->table, count * sizeof(*table));
	if (!table)
		return false;
	for (uint32_t i = watches->count; i < count; i++)
		table[i] = (struct watch){ 0 };
	watches->table = table;
	watches->count = count;
	return true;
}

static uint32_t wanted_events(const struct watch *watch)
{
	return (watch->input ? watch->input->events : 0) |
	       (watch->output ? watch->output->events : 0);
}

static int arm(struct watches *watches, int fd)
{
	struct watch *watch = &watches->table[fd];
	struct epoll_event event = {
		.events = EPOLLONESHOT | wanted_events(watch),
		.data.fd = fd,
	};
	int step = watch->known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
	int answer = epoll_ctl(watches->epoll, step, fd, &event);

	if (answer < 0 && (errno == ENOENT || errno == EEXIST)) {
		step = step == EPOLL_CTL_MOD ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
		answer = epoll_ctl(watches->epoll, step, fd, &event);
	}
	watch->known = answer == 0;
	return answer < 0 ? -errno : 0;
}

/* Out of the set, and not only given no events: a hang-up is always reported, and if a copy
 * keeps the file alive, it would be taken for one of what has the number next. */
static void disarm(struct watches *watches, int fd)
{
	epoll_ctl(watches->epoll, EPOLL_CTL_DEL, fd, NULL);
	watches->table[fd].known = false;
}

static void take_place(struct watch *watch, struct io_operation *operation)
{
	if (operation->events & POLLOUT) {
		assert(!watch->output);
		watch->output = operation;
	}
	if (operation->events != POLLOUT) {
		assert(!watch->input);
		watch->input = operation;
	}
}

static void leave_place(struct watch *watch, const struct io_operation *operation)
{
	if (watch->input == operation)
		watch->input = NULL;
	if (watch->output == operation)
		watch->output = NULL;
}

int watches_add(struct watches *watches, struct io_operation *operation)
{
	int answer;

	if (operation->fd < 0)
		return -EBADF;
	if (!make_room(watches, (uint32_t)operation->fd))
		return -ENOMEM;
	take_place(&watches->table[operation->fd], operation);
	answer = arm(watches, operation->fd);
	if (answer < 0)
		leave_place(&watches->table[operation->fd], operation);
	return answer;
}

/* Where the other one still waits, an event for this one may come yet; it answers nobody, and
 * the descriptor is armed again. */
void watches_remove(struct watches *watches, struct io_operation *operation)
{
	struct watch *watch = &watches->table[operation->fd];

	leave_place(watch, operation);
	if (!watch->input && !watch->output)
		disarm(watches, operation->fd);
}

static bool answers(uint32_t events, const struct io_operation *operation)
{
	return operation && events & (operation->events | POLLERR | POLLHUP);
}

void watches_take(struct watches *watches, int fd, uint32_t events, struct io_operation *ready[2])
{
	struct watch *watch = &watches->table[fd];
	bool nobody;

	ready[0] = answers(events, watch->input) ? watch->input : NULL;
	ready[1] =
		answers(events, watch->output) && watch->output != ready[0] ? watch->output : NULL;
	for (int i = 0; i < 2; i++)
		leave_place(watch, ready[i]);
	nobody = !watch->input && !watch->output;
	if (nobody || arm(watches, fd) == 0)
		return;
	if (watch->input)
		ready[0] = watch->input;
	if (watch->output != watch->input)
		ready[1] = watch->output;
	*watch = (struct watch){ 0 };
}
