/* The table of connections. */

#include "pipeline/sources/connections.h"

#include "tests/pipeline/io/both.h"

static void ignore(void *owner)
{
	(void)owner;
}

static void count_gone(void *owner)
{
	++*(int *)owner;
}

static bool is_closed(int fd)
{
	return fcntl(fd, F_GETFD) < 0 && errno == EBADF;
}

static void uses_slots_again(struct loop *loop)
{
	int gone = 0, first[2], second[2], third[2];
	struct connections connections = {
		.inbox = { .loop = loop, .wake = ignore }, .gone = count_gone, .owner = &gone
	};

	socket_pair(first);
	socket_pair(second);
	socket_pair(third);
	cr_assert(connections_open(&connections, 2));
	struct connection *one = connection_begin(&connections, first[0]);
	struct connection *two = connection_begin(&connections, second[0]);
	cr_assert_eq(connection_slot(one), 0);
	cr_assert_eq(connection_slot(two), 1);
	cr_assert(connections_full(&connections));
	connection_leave(one);
	cr_assert_eq(connections.open, 1);
	cr_assert(connections_full(&connections), "its poll has not come back yet");
	turn_until(loop, &gone, 1);
	cr_assert_not(connections_full(&connections));
	cr_assert(is_closed(first[0]));
	cr_assert_eq(connection_slot(connection_begin(&connections, third[0])), 0);
	connection_leave(one);
	connection_leave(two);
	turn_until(loop, &gone, 3);
	cr_assert_eq(connections.taken, 0);
	connections_close(&connections);
	close(first[1]);
	close(second[1]);
	close(third[1]);
}

Test(connections, uses_a_slot_again_when_nothing_is_in_flight)
{
	on_both(uses_slots_again);
}

Test(connections, a_zeroed_table_can_be_closed)
{
	struct connections connections = { 0 };

	connections_close(&connections);
	cr_assert_null(connections.slots);
}
