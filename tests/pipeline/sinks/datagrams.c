/* The sinks that send datagrams: udp, and unix with type datagram, with real receivers. */

#include "pipeline/io/unix_socket.h"
#include "pipeline/registry.h"
#include "tests/support/node_bench.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST = 1 << 18 };

static char folder[] = "/tmp/viewduct-datagrams-XXXXXX";
static char path[64];
static struct framing lines;

static void make_folder(void)
{
	cr_assert_not_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/socket", folder);
}

static void remove_folder(void)
{
	unlink(path);
	cr_assert_eq(rmdir(folder), 0);
}

TestSuite(datagram_sinks, .init = make_folder, .fini = remove_folder);

static int receive_udp(uint16_t *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_port = htons(*port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	cr_assert_geq(fd, 0);
	cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	*port = ntohs(address.sin_port);
	return fd;
}

static int receive_unix(void)
{
	struct unix_socket made;

	cr_assert_null(unix_socket_open(&made, path, SOCK_DGRAM, 0600));
	return made.fd;
}

/* Prepares a bench whose records end with a CR and an LF, or an LF. */
static void open_sink(struct node_bench *bench, enum loop_wish wish, const struct node_type *type,
	const char *json)
{
	lines = framing_delimited("\n", 1, true);
	if (!bench->kind)
		bench->kind = FLOW_RECORDS;
	bench->framing = bench->kind == FLOW_RECORDS ? &lines : NULL;
	node_bench_make(bench, wish, type, NODE_SINK, json);
	node_bench_open(bench);
}

static void open_udp(struct node_bench *bench, enum loop_wish wish, uint16_t port)
{
	char json[128];

	snprintf(json, sizeof(json),
		"{\"connect\": \"127.0.0.1:%u\", \"retry\": {\"first\": \"5ms\", \"most\": "
		"\"10ms\"}}",
		port);
	open_sink(bench, wish, &sink_udp.type, json);
}

static void open_unix(struct node_bench *bench, enum loop_wish wish, const char *more)
{
	char json[256];

	snprintf(json, sizeof(json),
		"{\"connect\": \"%s\", \"type\": \"datagram\", "
		"\"retry\": {\"first\": \"5ms\", \"most\": \"10ms\"}%s}",
		path, more);
	open_sink(bench, wish, &sink_unix.type, json);
}

/* The next datagram; −1 if there is none. */
static ssize_t hear(int fd, char *data)
{
	ssize_t size = recv(fd, data, MOST, 0);

	data[size > 0 ? size : 0] = '\0';
	return size;
}

static void expect_next(struct node_bench *bench, int fd, const char *text)
{
	static char data[MOST + 1];
	ssize_t size = -1;

	for (int turns = NODE_BENCH_MOST_TURNS; size < 0 && turns > 0; turns--) {
		node_bench_turn(bench, NODE_BENCH_WAIT_MS);
		size = hear(fd, data);
	}
	cr_assert_eq(size, (ssize_t)strlen(text), "\"%s\" instead of \"%s\"", data, text);
	cr_assert_str_eq(data, text);
}

static void each_record(enum loop_wish wish)
{
	struct node_bench bench = { 0 };
	uint16_t port = 0;
	int receiver = receive_udp(&port);

	open_udp(&bench, wish, port);
	node_bench_put(&bench, "one\ntwo\r\n\n", 10, 3);
	node_bench_put(&bench, "bare", 4, 1 | VIEW_BARE);
	node_bench_put(&bench, "last\n", 5, 1);
	expect_next(&bench, receiver, "one");
	expect_next(&bench, receiver, "two");
	expect_next(&bench, receiver, "");
	expect_next(&bench, receiver, "bare");
	expect_next(&bench, receiver, "last");
	cr_assert(batch_empty(&bench.batch));
	cr_assert_eq(bench.node.safe, 3);
	cr_assert_eq(bench.node.account.sent, 14);
	NODE_BENCH_UNTIL(&bench, sink_udp.end(&bench.node));
	close(receiver);
	node_bench_close(&bench);
}

Test(datagram_sinks, send_each_record_without_its_delimiter)
{
	node_bench_on_both(each_record);
}

static void put_pieces(
	struct node_bench *bench, const char *const *texts, const uint32_t *tags, uint32_t count)
{
	struct view views[8];

	for (uint32_t i = 0; i < count; i++) {
		views[i] = view_of_static(texts[i], (uint32_t)strlen(texts[i]));
		views[i].tag = tags[i];
	}
	cr_assert(batch_put_all(&bench->batch, views, count));
}

static void several_views(enum loop_wish wish)
{
	static const char *const texts[] = { "be", "gin", "ning\r", "\nsecond\nthird\n" };
	static const uint32_t tags[] = { 0, 0, 0, 3 };
	struct node_bench bench = { 0 };
	uint16_t port = 0;
	int receiver = receive_udp(&port);

	open_udp(&bench, wish, port);
	node_bench_put(&bench, "before\n", 7, 1);
	put_pieces(&bench, texts, tags, 4);
	expect_next(&bench, receiver, "before");
	expect_next(&bench, receiver, "beginning");
	expect_next(&bench, receiver, "second");
	expect_next(&bench, receiver, "third");
	cr_assert(batch_empty(&bench.batch));
	cr_assert_eq(bench.batch.taken.records, 4);
	cr_assert_eq(copies_sum(&bench.node.account.copies), 0);
	close(receiver);
	node_bench_close(&bench);
}

Test(datagram_sinks, send_a_record_of_several_views_as_one)
{
	node_bench_on_both(several_views);
}

static void too_big(enum loop_wish wish)
{
	struct node_bench bench = { .buffer_size = 70000 };
	char *text = malloc(70000);
	uint16_t port = 0;
	int receiver = receive_udp(&port);

	cr_assert_not_null(text);
	memset(text, 'x', 70000);
	open_udp(&bench, wish, port);
	text[65507] = '\n';
	node_bench_put(&bench, text, 65508, 1);
	text[65507] = 'x';
	text[65508] = '\n';
	node_bench_put(&bench, text, 65509, 1);
	node_bench_put(&bench, "after\n", 6, 1);
	text[65507] = '\0';
	expect_next(&bench, receiver, text);
	expect_next(&bench, receiver, "after");
	cr_assert_eq(bench.node.account.dropped[DROP_TOO_BIG_FOR_DATAGRAM], 1);
	cr_assert_eq(bench.batch.taken.records, 3);
	close(receiver);
	free(text);
	node_bench_close(&bench);
}

Test(datagram_sinks, drop_what_is_too_big)
{
	node_bench_on_both(too_big);
}

static void frames(enum loop_wish wish)
{
	static const char *const texts[] = { "a frame ", "in two" };
	static const uint32_t tags[] = { 0, 5 };
	struct node_bench bench = { .kind = FLOW_FRAMES };
	uint16_t port = 0;
	int receiver = receive_udp(&port);

	open_udp(&bench, wish, port);
	put_pieces(&bench, texts, tags, 2);
	expect_next(&bench, receiver, "a frame in two");
	cr_assert_eq(bench.batch.taken.records, 5);
	close(receiver);
	node_bench_close(&bench);
}

Test(datagram_sinks, send_a_frame_as_one)
{
	node_bench_on_both(frames);
}

static void refuses_bytes(enum loop_wish wish)
{
	struct node_bench bench = { 0 };
	struct shape in = { .kind = FLOW_BYTES, .streams = 1 };
	uint16_t port = 9;

	open_udp(&bench, wish, port);
	cr_assert_not(sink_udp.type.plan(&bench.node, &in, NULL, &bench.faults));
	cr_assert_not_null(strstr(bench.faults.items[0].message, "record a datagram"));
	node_bench_close(&bench);
}

Test(datagram_sinks, refuse_bytes)
{
	node_bench_on_both(refuses_bytes);
}

static void refused(enum loop_wish wish)
{
	struct node_bench bench = { 0 };
	uint16_t port = 0;
	int receiver = receive_udp(&port);

	close(receiver);
	open_udp(&bench, wish, port);
	node_bench_put(&bench, "lost\n", 5, 1);
	NODE_BENCH_UNTIL(&bench, batch_empty(&bench.batch));
	node_bench_put(&bench, "kept\n", 5, 1);
	NODE_BENCH_UNTIL(&bench, !bench.node.up && bench.node.due > 0);
	cr_assert_eq(bench.batch.count, 1, "what was refused stays");
	receiver = receive_udp(&port);
	expect_next(&bench, receiver, "kept");
	cr_assert(bench.node.up);
	close(receiver);
	node_bench_close(&bench);
}

Test(datagram_sinks, send_again_what_was_refused)
{
	node_bench_on_both(refused);
}

/* More than the receiver's queue holds. */
static void waits(enum loop_wish wish)
{
	struct node_bench bench = { .room = 64, .buffers = 64 };
	int receiver = receive_unix();
	char text[32];

	open_unix(&bench, wish, "");
	for (int i = 0; i < 60; i++) {
		snprintf(text, sizeof(text), "number %d\n", i);
		node_bench_put(&bench, text, strlen(text), 1);
	}
	NODE_BENCH_UNTIL(&bench, bench.node.busy == 1);
	cr_assert_not(batch_empty(&bench.batch), "the queue is full");
	for (int i = 0; i < 60; i++) {
		snprintf(text, sizeof(text), "number %d", i);
		expect_next(&bench, receiver, text);
	}
	NODE_BENCH_UNTIL(&bench, batch_empty(&bench.batch) && bench.node.busy == 0);
	cr_assert_eq(bench.node.due, 0);
	close(receiver);
	node_bench_close(&bench);
}

Test(datagram_sinks, wait_for_a_unix_receiver)
{
	node_bench_on_both(waits);
}

static void gone_while_waiting(enum loop_wish wish)
{
	struct node_bench bench = { .room = 64, .buffers = 64 };
	int receiver = receive_unix();

	open_unix(&bench, wish, "");
	for (int i = 0; i < 60; i++)
		node_bench_put(&bench, "x\n", 2, 1);
	NODE_BENCH_UNTIL(&bench, bench.node.busy == 1 && !batch_empty(&bench.batch));
	uint32_t left = bench.batch.count;
	close(receiver);
	NODE_BENCH_UNTIL(&bench, !bench.node.up && bench.node.due > 0);
	cr_assert_eq(bench.batch.count, left);
	receiver = receive_unix();
	expect_next(&bench, receiver, "x");
	close(receiver);
	node_bench_close(&bench);
}

Test(datagram_sinks, find_a_unix_receiver_again_that_went_while_it_was_waited_for)
{
	node_bench_on_both(gone_while_waiting);
}

static void hung(enum loop_wish wish)
{
	struct node_bench bench = { .room = 64, .buffers = 64 };
	int receiver = receive_unix();

	open_unix(&bench, wish, ", \"timeout\": \"20ms\"");
	for (int i = 0; i < 60; i++)
		node_bench_put(&bench, "x\n", 2, 1);
	NODE_BENCH_UNTIL(&bench, bench.node.busy == 1 && !batch_empty(&bench.batch));
	NODE_BENCH_UNTIL(&bench, !bench.node.up);
	for (int i = 0; i < 60; i++)
		expect_next(&bench, receiver, "x");
	close(receiver);
	node_bench_close(&bench);
}

Test(datagram_sinks, leave_a_receiver_that_hangs_and_lose_nothing)
{
	node_bench_on_both(hung);
}

static void down(enum loop_wish wish)
{
	struct node_bench bench = { 0 };

	open_unix(&bench, wish, "");
	node_bench_put(&bench, "kept\n", 5, 1);
	NODE_BENCH_UNTIL(&bench, bench.node.due > 0);
	cr_assert_eq(bench.batch.count, 1);
	int receiver = receive_unix();
	expect_next(&bench, receiver, "kept");
	close(receiver);
	cr_assert_eq(unlink(path), 0);
	node_bench_close(&bench);
}

Test(datagram_sinks, wait_for_a_receiver_that_is_not_there_yet)
{
	node_bench_on_both(down);
}

static void halts(enum loop_wish wish)
{
	struct node_bench bench = { 0 };

	open_unix(&bench, wish, "");
	node_bench_put(&bench, "never sent\n", 11, 1);
	node_bench_turn(&bench, 1);
	node_bench_close(&bench);
	bench = (struct node_bench){ 0 };
	lines = framing_delimited("\n", 1, true);
	bench.kind = FLOW_RECORDS;
	bench.framing = &lines;
	node_bench_make(&bench, wish, &sink_udp.type, NODE_SINK, "\"127.0.0.1:9\"");
	node_bench_close(&bench);
}

Test(datagram_sinks, close_at_any_time)
{
	node_bench_on_both(halts);
}
