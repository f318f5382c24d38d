/* The udp source, with real datagrams on the loopback. */

#include "pipeline/sources/udp.h"

#include "pipeline/registry.h"
#include "pipeline/sources/datagrams.h"
#include "tests/support/node_bench.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void open_receiving(struct node_bench *bench, enum loop_wish wish, const char *json)
{
	node_bench_make(
		bench, wish, &source_udp.type, NODE_SOURCE, json ? json : "\"127.0.0.1:0\"");
	node_bench_open(bench);
	cr_assert(bench->node.up);
}

static int connect_client(const struct node_bench *bench)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(udp_source_port(&bench->node)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	cr_assert_geq(fd, 0);
	cr_assert_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void say(int fd, const char *data, size_t size)
{
	cr_assert_eq(send(fd, data, size, 0), (ssize_t)size);
}

#define UNTIL_TAKEN(bench, taken, condition)                                                       \
	NODE_BENCH_UNTIL(bench, (taken_take(taken, bench), (condition)))

static void each_is_a_stream(enum loop_wish wish)
{
	struct node_bench bench = { 0 };
	struct taken taken = { 0 };

	open_receiving(&bench, wish, NULL);
	int client = connect_client(&bench);
	say(client, "one", 3);
	say(client, "", 0);
	say(client, "two", 3);
	UNTIL_TAKEN(&bench, &taken, taken.bytes == 6);
	cr_assert_eq(taken.ends, 2);
	cr_assert_str_eq(taken.streams[0].data, "onetwo");
	NODE_BENCH_UNTIL(&bench, bench.node.account.empty == 1);
	cr_assert_eq(bench.node.account.received, 6);
	cr_assert_eq(bench.node.account.kernel_dropped, 0);
	cr_assert_leq(pool_count(bench.pool) - pool_free(bench.pool), 1);
	close(client);
	taken_close(&taken);
	node_bench_close(&bench);
}

Test(udp_source, ends_a_stream_behind_each_datagram)
{
	node_bench_on_both(each_is_a_stream);
}

enum { LARGEST = 65507 };

/* The largest datagram between small ones, over buffers of every kind of size. */
static void largest_with(enum loop_wish wish, uint32_t buffer_size)
{
	static char text[LARGEST + 1];
	struct node_bench bench = {
		.buffer_size = buffer_size,
		.buffers = 4 * (65535 / buffer_size + 1) + 8,
		.room = 1024,
	};
	struct taken taken = { 0 };

	for (size_t i = 0; i < LARGEST; i++)
		text[i] = (char)('a' + (i * 7 + i / 1000) % 26);
	open_receiving(&bench, wish, NULL);
	int client = connect_client(&bench);
	say(client, "<", 1);
	say(client, text, LARGEST);
	say(client, ">", 1);
	say(client, text, 3000);
	UNTIL_TAKEN(&bench, &taken, taken.bytes == LARGEST + 3002);
	cr_assert_eq(taken.ends, 4);
	const char *data = taken.streams[0].data;
	cr_assert_eq(data[0], '<');
	cr_assert_arr_eq(data + 1, text, LARGEST);
	cr_assert_eq(data[LARGEST + 1], '>');
	cr_assert_arr_eq(data + LARGEST + 2, text, 3000);
	close(client);
	taken_close(&taken);
	node_bench_close(&bench);
}

static void largest(enum loop_wish wish)
{
	largest_with(wish, 256);
	largest_with(wish, 1000);
	largest_with(wish, 65536);
	largest_with(wish, 1 << 20);
}

Test(udp_source, brings_the_largest_datagram_over_any_buffers)
{
	node_bench_on_both(largest);
}

static void counts_kernel_drops(enum loop_wish wish)
{
	static char text[700];
	struct node_bench bench = { 0 };
	struct taken taken = { 0 };
	enum { SENT = 1000 };

	open_receiving(
		&bench, wish, "{\"listen\": \"127.0.0.1:0\", \"receive_buffer\": \"16KiB\"}");
	int client = connect_client(&bench);
	for (int i = 0; i < SENT; i++)
		say(client, text, sizeof(text));
	UNTIL_TAKEN(&bench, &taken, taken.ends > 0 && bench.batch.count == 0);
	say(client, text, 1); /* brings the count with it */
	UNTIL_TAKEN(&bench, &taken, bench.node.account.kernel_dropped > 0);
	UNTIL_TAKEN(&bench, &taken, taken.ends + bench.node.account.kernel_dropped == SENT + 1);
	uint64_t dropped = bench.node.account.kernel_dropped;
	cr_assert_gt(dropped, 0);
	for (int i = 0; i < SENT; i++)
		say(client, text, sizeof(text));
	bench.node.type->halt(&bench.node);
	cr_assert_gt(bench.node.account.kernel_dropped, dropped, "the last ones are counted, too");
	close(client);
	taken_close(&taken);
	node_bench_close(&bench);
}

Test(udp_source, counts_exactly_what_the_kernel_dropped)
{
	node_bench_on_both(counts_kernel_drops);
}

static void waits_for_room(enum loop_wish wish)
{
	struct node_bench bench = { .buffers = 80, .buffer_size = 1000, .room = 68 };
	struct taken taken = { 0 };
	struct buffer *held[70];

	open_receiving(&bench, wish, NULL);
	for (int i = 0; i < 70; i++)
		held[i] = pool_take(bench.pool);
	int client = connect_client(&bench);
	say(client, "waits", 5);
	for (int i = 0; i < 4; i++)
		node_bench_turn(&bench, 1);
	cr_assert_eq(bench.batch.put.views, 0, "the largest datagram would find no room");
	for (int i = 0; i < 70; i++)
		buffer_release(&held[i]);
	UNTIL_TAKEN(&bench, &taken, taken.bytes == 5);
	close(client);
	taken_close(&taken);
	node_bench_close(&bench);
}

Test(udp_source, leaves_datagrams_to_the_kernel_until_there_is_room)
{
	node_bench_on_both(waits_for_room);
}

/* Datagrams come by the hundred until it pauses; none is lost by that, and in the end it waits for the next one. */
static void pauses(enum loop_wish wish)
{
	struct node_bench bench = { .room = 1024 };
	struct taken taken = { 0 };
	uint32_t sent = 0;

	open_receiving(&bench, wish, NULL);
	int client = connect_client(&bench);
	for (int i = 0; i < NODE_BENCH_MOST_TURNS && !bench.node.due; i++) {
		for (int k = 0; k < 100; k++, sent++)
			say(client, "datagram", 8);
		node_bench_turn(&bench, NODE_BENCH_WAIT_MS);
		taken_take(&taken, &bench);
	}
	cr_assert_gt(bench.node.due, 0);
	UNTIL_TAKEN(&bench, &taken, taken.ends == sent && bench.node.due == 0);
	say(client, "datagram", 8);
	UNTIL_TAKEN(&bench, &taken, taken.ends == sent + 1);
	cr_assert_eq(bench.node.account.kernel_dropped, 0);
	close(client);
	taken_close(&taken);
	node_bench_close(&bench);
}

Test(udp_source, pauses_where_datagrams_come_thick)
{
	node_bench_on_both(pauses);
}

/* What the kernel keeps would be full before a pause were over. */
static void never_pauses(enum loop_wish wish)
{
	struct node_bench bench = { .room = 1024 };
	struct taken taken = { 0 };

	open_receiving(
		&bench, wish, "{\"listen\": \"127.0.0.1:0\", \"receive_buffer\": \"16KiB\"}");
	int client = connect_client(&bench);
	for (int i = 0; i < 200; i++) {
		for (int k = 0; k < 100; k++)
			say(client, "datagram", 8);
		node_bench_turn(&bench, NODE_BENCH_WAIT_MS);
		taken_take(&taken, &bench);
		cr_assert_eq(bench.node.due, 0);
	}
	close(client);
	taken_close(&taken);
	node_bench_close(&bench);
}

Test(udp_source, never_pauses_where_the_kernel_keeps_little)
{
	node_bench_on_both(never_pauses);
}

static void allows(enum loop_wish wish)
{
	struct node_bench bench = { 0 };
	struct taken taken = { 0 };

	open_receiving(&bench, wish, "{\"listen\": \":0\", \"allow\": [\"10.0.0.0/8\", \"::1\"]}");
	int client = connect_client(&bench);
	say(client, "from IPv4", 9);
	NODE_BENCH_UNTIL(&bench, bench.node.account.refused == 1);
	cr_assert_eq(bench.batch.put.views, 0);
	close(client);
	node_bench_close(&bench);
	bench = (struct node_bench){ 0 };
	open_receiving(&bench, wish, "{\"listen\": \":0\", \"allow\": \"127.0.0.0/8\"}");
	client = connect_client(&bench);
	say(client, "from IPv4", 9);
	UNTIL_TAKEN(&bench, &taken, taken.bytes == 9);
	cr_assert_eq(bench.node.account.refused, 0);
	close(client);
	taken_close(&taken);
	node_bench_close(&bench);
}

Test(udp_source, takes_from_those_that_are_allowed)
{
	node_bench_on_both(allows);
}

static void drains(enum loop_wish wish)
{
	struct node_bench bench = { 0 };
	struct taken taken = { 0 };

	open_receiving(&bench, wish, NULL);
	int client = connect_client(&bench);
	for (int i = 0; i < 40; i++)
		say(client, "x", 1);
	source_udp.drain(&bench.node, loop_now(bench.loop) + 60000);
	UNTIL_TAKEN(&bench, &taken, bench.node.ended);
	cr_assert_eq(taken.bytes, 40);
	cr_assert_eq(bench.node.due, 0);
	NODE_BENCH_UNTIL(&bench, bench.node.busy == 0);
	close(client);
	taken_close(&taken);
	node_bench_close(&bench);
}

Test(udp_source, drains_what_waits)
{
	node_bench_on_both(drains);
}

/* The descriptor that listens on the port. */
static int find_listening(uint16_t port)
{
	for (int fd = 3; fd < 256; fd++) {
		struct sockaddr_in own;
		socklen_t size = sizeof(own);

		if (getsockname(fd, (struct sockaddr *)&own, &size) == 0 &&
			own.sin_family == AF_INET && ntohs(own.sin_port) == port)
			return fd;
	}
	cr_assert(false, "nobody listens on %u", port);
	return -1;
}

/* Nobody listens where the socket itself is made to send to: its next receive fails, once. */
static void receive_fails(enum loop_wish wish)
{
	struct node_bench bench = { 0 };
	struct taken taken = { 0 };
	struct sockaddr_in nobody = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in own;
	socklen_t size = sizeof(own);

	open_receiving(&bench, wish, NULL);
	int fd = find_listening(udp_source_port(&bench.node)), client = connect_client(&bench);
	int closed = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(bind(closed, (struct sockaddr *)&nobody, sizeof(nobody)), 0);
	cr_assert_eq(getsockname(closed, (struct sockaddr *)&nobody, &size), 0);
	close(closed);
	cr_assert_eq(connect(fd, (struct sockaddr *)&nobody, sizeof(nobody)), 0);
	cr_assert_eq(send(fd, "x", 1, 0), 1);
	NODE_BENCH_UNTIL(&bench, bench.node.account.errors[ERROR_READ] == 1);
	size = sizeof(own);
	cr_assert_eq(getsockname(client, (struct sockaddr *)&own, &size), 0);
	cr_assert_eq(connect(fd, (struct sockaddr *)&own, sizeof(own)), 0);
	say(client, "after", 5);
	UNTIL_TAKEN(&bench, &taken, taken.bytes == 5);
	cr_assert_eq(bench.node.account.errors[ERROR_READ], 1);
	close(client);
	taken_close(&taken);
	node_bench_close(&bench);
}

Test(udp_source, goes_on_when_a_receive_fails)
{
	node_bench_on_both(receive_fails);
}

static void busy_port(enum loop_wish wish)
{
	struct node_bench first = { 0 }, second = { 0 };
	char json[64];

	open_receiving(&first, wish, NULL);
	snprintf(json, sizeof(json), "\"127.0.0.1:%u\"", udp_source_port(&first.node));
	node_bench_make(&second, wish, &source_udp.type, NODE_SOURCE, json);
	cr_assert_not(source_udp.type.open(&second.node, &second.faults));
	cr_assert_eq(second.faults.errors, 1);
	node_bench_close(&second);
	node_bench_close(&first);
}

Test(udp_source, faults_a_busy_port)
{
	node_bench_on_both(busy_port);
}

static void small_buffers(enum loop_wish wish)
{
	struct node_bench bench = { 0 };
	struct shape out = { 0 };

	node_bench_make(&bench, wish, &source_udp.type, NODE_SOURCE, "\"127.0.0.1:0\"");
	bench.pipeline.buffer_size = DATAGRAM_LEAST_BUFFER - 1;
	cr_assert_not(source_udp.type.plan(&bench.node, NULL, &out, &bench.faults));
	bench.pipeline.buffer_size = DATAGRAM_LEAST_BUFFER;
	cr_assert(source_udp.type.plan(&bench.node, NULL, &out, &bench.faults));
	cr_assert_eq(out.max_record, DATAGRAM_MOST);
	cr_assert_eq(out.streams, 1);
	node_bench_close(&bench);
}

Test(udp_source, needs_buffers_of_256_bytes)
{
	node_bench_on_both(small_buffers);
}
