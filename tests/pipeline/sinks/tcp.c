/* The tcp sink, with real peers on the loopback. */

#include "pipeline/io/unix_socket.h"
#include "pipeline/registry.h"
#include "tests/support/node_bench.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct framing lines;

/* A listener of the test's, on `port` (0: any); its port. */
static int listen_on(uint16_t *port, int receive_buffer)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_port = htons(*port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;

	cr_assert_geq(fd, 0);
	cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
	if (receive_buffer > 0)
		cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer,
				     sizeof(receive_buffer)),
			0);
	cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	cr_assert_eq(listen(fd, 8), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	*port = ntohs(address.sin_port);
	return fd;
}

static void open_sink(
	struct node_bench *bench, enum loop_wish wish, const char *host, uint16_t port)
{
	char json[128];

	lines = framing_delimited("\n", 1, false);
	if (!bench->kind)
		bench->kind = FLOW_RECORDS;
	if (bench->kind == FLOW_RECORDS)
		bench->framing = &lines;
	snprintf(json, sizeof(json),
		"{\"connect\": \"%s:%u\", \"retry\": {\"first\": \"5ms\", \"most\": \"20ms\"}}",
		host, port);
	node_bench_make(bench, wish, &sink_tcp.type, NODE_SINK, json);
	node_bench_open(bench);
}

static int try_accept(int listener, int *peer)
{
	if (*peer < 0)
		*peer = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	return *peer;
}

/* What a peer has received. */
struct heard {
	char *data;
	size_t size;
	bool ended, reset;
};

static void hear(int peer, struct heard *heard, size_t most)
{
	heard->data = realloc(heard->data, heard->size + most + 1);
	cr_assert_not_null(heard->data);
	ssize_t size = recv(peer, heard->data + heard->size, most, MSG_DONTWAIT);
	heard->ended |= size == 0;
	heard->reset |= size < 0 && errno == ECONNRESET;
	heard->size += size > 0 ? (size_t)size : 0;
	heard->data[heard->size] = '\0';
}

static void reset(int fd)
{
	struct linger linger = { .l_onoff = 1, .l_linger = 0 };

	cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
	close(fd);
}

static bool has_ended(struct node_bench *bench)
{
	return sink_tcp.end(&bench->node);
}

static int connected(struct node_bench *bench, int listener)
{
	int peer = -1;

	NODE_BENCH_UNTIL(bench, bench->node.up && try_accept(listener, &peer) >= 0);
	cr_assert_eq(bench->node.connections, 1);
	return peer;
}

static void sends_all(enum loop_wish wish)
{
	struct node_bench bench = { 0 };
	struct heard heard = { 0 };
	uint16_t port = 0;
	int listener = listen_on(&port, 0);

	open_sink(&bench, wish, "127.0.0.1", port);
	int peer = connected(&bench, listener);
	node_bench_put(&bench, "a\nb\n", 4, 2);
	node_bench_put(&bench, "c\n", 2, 1);
	NODE_BENCH_UNTIL(&bench, (hear(peer, &heard, 64), heard.size == 6));
	cr_assert_str_eq(heard.data, "a\nb\nc\n");
	NODE_BENCH_UNTIL(&bench, batch_empty(&bench.batch));
	cr_assert_eq(bench.node.safe, 2);
	cr_assert_eq(bench.node.account.sent, 6);
	cr_assert_not(has_ended(&bench));
	NODE_BENCH_UNTIL(&bench, (hear(peer, &heard, 64), heard.ended));
	cr_assert_not(has_ended(&bench), "the peer has not closed");
	close(peer);
	NODE_BENCH_UNTIL(&bench, has_ended(&bench));
	cr_assert_eq(bench.node.due, 0);
	cr_assert_not(bench.node.up);
	close(listener);
	free(heard.data);
	node_bench_close(&bench);
}

Test(tcp_sink, sends_and_closes_when_the_peer_does)
{
	node_bench_on_both(sends_all);
}

static void down_then_up(enum loop_wish wish)
{
	struct node_bench bench = { 0 };
	struct heard heard = { 0 };
	uint16_t port = 0;
	int listener = listen_on(&port, 0), peer = -1;

	close(listener);
	open_sink(&bench, wish, "127.0.0.1", port);
	node_bench_put(&bench, "kept\n", 5, 1);
	uint64_t first_due;
	NODE_BENCH_UNTIL(&bench, bench.node.busy == 0 && bench.node.due > 0);
	first_due = bench.node.due;
	NODE_BENCH_UNTIL(&bench, bench.node.busy == 0 && bench.node.due > first_due);
	cr_assert_not(bench.node.up);
	cr_assert_eq(bench.batch.count, 1, "nothing is taken");
	listener = listen_on(&port, 0);
	NODE_BENCH_UNTIL(&bench, try_accept(listener, &peer) >= 0);
	NODE_BENCH_UNTIL(&bench, (hear(peer, &heard, 64), heard.size == 5));
	cr_assert(bench.node.up);
	cr_assert_eq(bench.node.due, 0);
	close(peer);
	close(listener);
	free(heard.data);
	node_bench_close(&bench);
}

Test(tcp_sink, waits_for_a_peer_that_is_not_there_yet)
{
	node_bench_on_both(down_then_up);
}

enum { RECORD_VIEWS = 16, RECORDS = 6, VIEW = 65536, RECORD = RECORD_VIEWS * VIEW };

/* Records of 1 MiB in 16 views; the text that they are. */
static char *put_long_records(struct node_bench *bench)
{
	char *text = malloc((size_t)RECORDS * RECORD);

	cr_assert_not_null(text);
	for (size_t i = 0; i < (size_t)RECORDS * RECORD; i++)
		text[i] = i % RECORD == RECORD - 1 ? '\n' : (char)('a' + (i * 7 + i / 1000) % 26);
	for (size_t i = 0; i < RECORDS * RECORD_VIEWS; i++)
		node_bench_put(bench, text + i * VIEW, VIEW, i % RECORD_VIEWS == RECORD_VIEWS - 1);
	return text;
}

/* Nothing moves any more: the kernel is full. */
static void until_stuck(struct node_bench *bench)
{
	uint64_t sent;

	do {
		sent = bench->node.account.sent;
		for (int i = 0; i < 8; i++)
			node_bench_turn(bench, 1);
	} while (bench->node.account.sent != sent || sent == 0);
}

static void starts_at_border(enum loop_wish wish)
{
	struct node_bench bench = { .buffers = RECORDS * RECORD_VIEWS, .room = 128 };
	struct heard first = { 0 }, second = { 0 };
	uint16_t port = 0;
	int listener = listen_on(&port, 4096), peer, quick = 1 << 20;

	open_sink(&bench, wish, "127.0.0.1", port);
	char *text = put_long_records(&bench);
	peer = connected(&bench, listener);
	NODE_BENCH_UNTIL(&bench, (hear(peer, &first, 1000), first.size > 5000));
	until_stuck(&bench);
	cr_assert_lt(bench.node.account.sent, (uint64_t)RECORDS * RECORD, "the peer is slow");
	cr_assert_eq(setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &quick, sizeof(quick)), 0);
	reset(peer);
	peer = -1;
	NODE_BENCH_UNTIL(&bench, !bench.node.up);
	cr_assert_eq(bench.node.account.errors[ERROR_WRITE], 1);
	cr_assert_eq(bench.node.account.errors[ERROR_CONNECT], 0);
	size_t border = bench.node.account.sent / RECORD * RECORD;
	size_t left = (size_t)RECORDS * RECORD - border;
	NODE_BENCH_UNTIL(&bench, try_accept(listener, &peer) >= 0);
	NODE_BENCH_UNTIL(&bench, (hear(peer, &second, 1 << 20), second.size >= left));
	cr_assert_eq(second.size, left);
	cr_assert_arr_eq(first.data, text, first.size);
	cr_assert_arr_eq(second.data, text + border, left);
	NODE_BENCH_UNTIL(&bench, batch_empty(&bench.batch));
	close(peer);
	close(listener);
	free(first.data);
	free(second.data);
	free(text);
	node_bench_close(&bench);
}

Test(tcp_sink, starts_again_at_a_records_border_after_a_reset)
{
	node_bench_on_both(starts_at_border);
}

static void slow_reader(enum loop_wish wish)
{
	struct node_bench bench = { .buffers = RECORDS * RECORD_VIEWS, .room = 128 };
	struct heard heard = { 0 };
	uint16_t port = 0;
	int listener = listen_on(&port, 2048), quick = 1 << 20;

	open_sink(&bench, wish, "127.0.0.1", port);
	char *text = put_long_records(&bench);
	int peer = connected(&bench, listener);
	until_stuck(&bench);
	NODE_BENCH_UNTIL(&bench, (hear(peer, &heard, 100), heard.size >= 5000));
	cr_assert_eq(setsockopt(peer, SOL_SOCKET, SO_RCVBUF, &quick, sizeof(quick)), 0);
	while (heard.size < (size_t)RECORDS * RECORD) {
		size_t before = heard.size;

		hear(peer, &heard, 1 << 20);
		cr_assert_not(heard.ended || heard.reset);
		node_bench_turn(&bench, heard.size > before ? 0 : NODE_BENCH_WAIT_MS);
	}
	cr_assert_arr_eq(heard.data, text, (size_t)RECORDS * RECORD);
	NODE_BENCH_UNTIL(&bench, batch_empty(&bench.batch));
	cr_assert_eq(bench.node.account.sent, (uint64_t)RECORDS * RECORD);
	close(peer);
	close(listener);
	free(heard.data);
	free(text);
	node_bench_close(&bench);
}

Test(tcp_sink, gives_a_slow_reader_every_byte_once)
{
	node_bench_on_both(slow_reader);
}

static void talkative_peer(enum loop_wish wish)
{
	static const char chatter[100000];
	struct node_bench bench = { 0 };
	struct heard heard = { 0 };
	uint16_t port = 0;
	int listener = listen_on(&port, 0);

	open_sink(&bench, wish, "127.0.0.1", port);
	int peer = connected(&bench, listener);
	for (int i = 0; i < 50; i++) {
		cr_assert_neq(send(peer, chatter, sizeof(chatter), MSG_NOSIGNAL), 0);
		node_bench_turn(&bench, 1);
	}
	cr_assert(bench.node.up);
	node_bench_put(&bench, "still here\n", 11, 1);
	NODE_BENCH_UNTIL(&bench, (hear(peer, &heard, 64), heard.size == 11));
	close(peer);
	NODE_BENCH_UNTIL(&bench, !bench.node.up);
	close(listener);
	free(heard.data);
	node_bench_close(&bench);
}

Test(tcp_sink, discards_what_the_peer_says_and_notices_when_it_closes)
{
	node_bench_on_both(talkative_peer);
}

static void reconnects(enum loop_wish wish)
{
	struct node_bench bench = { 0 };
	uint16_t port = 0;
	int listener = listen_on(&port, 0);

	open_sink(&bench, wish, "127.0.0.1", port);
	for (int i = 0; i < 5; i++) {
		int peer = connected(&bench, listener);

		reset(peer);
		NODE_BENCH_UNTIL(&bench, !bench.node.up);
	}
	close(listener);
	node_bench_close(&bench);
}

Test(tcp_sink, connects_again_and_again)
{
	node_bench_on_both(reconnects);
}

static void by_name(enum loop_wish wish)
{
	struct node_bench bench = { 0 };
	uint16_t port = 0;
	int listener = listen_on(&port, 0);

	open_sink(&bench, wish, "localhost", port);
	int peer = connected(&bench, listener);
	close(peer);
	close(listener);
	node_bench_close(&bench);
}

Test(tcp_sink, looks_a_name_up_and_tries_each_address)
{
	node_bench_on_both(by_name);
}

static void unknown_name(enum loop_wish wish)
{
	struct node_bench bench = { 0 };

	open_sink(&bench, wish, "no-such-host.invalid", 5140);
	NODE_BENCH_UNTIL(&bench, bench.node.busy == 0);
	cr_assert_not(bench.node.up);
	cr_assert_gt(bench.node.due, 0, "it will look again");
	cr_assert(has_ended(&bench));
	node_bench_close(&bench);
}

Test(tcp_sink, goes_on_trying_an_unknown_name)
{
	node_bench_on_both(unknown_name);
}

static void bare_records(enum loop_wish wish)
{
	struct node_bench bench = { 0 };
	struct heard heard = { 0 };
	uint16_t port = 0;
	int listener = listen_on(&port, 0);

	open_sink(&bench, wish, "127.0.0.1", port);
	int peer = connected(&bench, listener);
	node_bench_put(&bench, "bare", 4, 1 | VIEW_BARE);
	NODE_BENCH_UNTIL(&bench, (hear(peer, &heard, 64), heard.size == 4));
	NODE_BENCH_UNTIL(&bench, batch_empty(&bench.batch));
	node_bench_put(&bench, "whole\n", 6, 1);
	NODE_BENCH_UNTIL(&bench, (hear(peer, &heard, 64), heard.size == 11));
	cr_assert_str_eq(heard.data, "bare\nwhole\n");
	close(peer);
	close(listener);
	free(heard.data);
	node_bench_close(&bench);
}

Test(tcp_sink, puts_the_delimiter_of_a_bare_record_before_the_next)
{
	node_bench_on_both(bare_records);
}

static void bare_before_reset(enum loop_wish wish)
{
	struct node_bench bench = { 0 };
	struct heard heard = { 0 };
	uint16_t port = 0;
	int listener = listen_on(&port, 0);

	open_sink(&bench, wish, "127.0.0.1", port);
	int peer = connected(&bench, listener);
	node_bench_put(&bench, "bare", 4, 1 | VIEW_BARE);
	NODE_BENCH_UNTIL(&bench, batch_empty(&bench.batch));
	reset(peer);
	NODE_BENCH_UNTIL(&bench, !bench.node.up);
	node_bench_put(&bench, "whole\n", 6, 1);
	peer = connected(&bench, listener);
	NODE_BENCH_UNTIL(&bench, (hear(peer, &heard, 64), heard.size >= 6));
	cr_assert_str_eq(heard.data, "whole\n");
	close(peer);
	close(listener);
	free(heard.data);
	node_bench_close(&bench);
}

Test(tcp_sink, owes_no_delimiter_to_a_new_connection)
{
	node_bench_on_both(bare_before_reset);
}

static void byte_streams(enum loop_wish wish)
{
	struct node_bench bench = { .kind = FLOW_BYTES };
	struct heard heard = { 0 };
	struct view end = { .tag = 3 | VIEW_END };
	uint16_t port = 0;
	int listener = listen_on(&port, 0);

	lines = framing_delimited("\n", 1, false);
	char json[64];
	snprintf(json, sizeof(json), "\"127.0.0.1:%u\"", port);
	node_bench_make(&bench, wish, &sink_tcp.type, NODE_SINK, json);
	node_bench_open(&bench);
	int peer = connected(&bench, listener);
	node_bench_put(&bench, "bytes", 5, 3);
	cr_assert(batch_put(&bench.batch, &end));
	NODE_BENCH_UNTIL(&bench, batch_empty(&bench.batch));
	end = (struct view){ .tag = 3 | VIEW_END };
	cr_assert(batch_put(&bench.batch, &end));
	NODE_BENCH_UNTIL(&bench, batch_empty(&bench.batch));
	NODE_BENCH_UNTIL(&bench, (hear(peer, &heard, 64), heard.size == 5));
	cr_assert_eq(bench.node.safe, bench.batch.put.views);
	close(peer);
	close(listener);
	free(heard.data);
	node_bench_close(&bench);
}

Test(tcp_sink, sends_bytes_and_takes_the_end_of_a_stream)
{
	node_bench_on_both(byte_streams);
}

static void ends_while_down(enum loop_wish wish)
{
	struct node_bench bench = { 0 };
	uint16_t port = 0;

	close(listen_on(&port, 0));
	open_sink(&bench, wish, "127.0.0.1", port);
	NODE_BENCH_UNTIL(&bench, has_ended(&bench));
	cr_assert_eq(bench.node.due, 0);
	node_bench_close(&bench);
}

Test(tcp_sink, ends_while_down_if_nothing_is_left)
{
	node_bench_on_both(ends_while_down);
}

Test(tcp_sink, does_not_wait_for_ever_for_the_peer_to_close)
{
	struct node_bench bench = { 0 };
	uint16_t port = 0;
	int listener = listen_on(&port, 0);

	open_sink(&bench, LOOP_EPOLL, "127.0.0.1", port);
	int peer = connected(&bench, listener);
	cr_assert_not(has_ended(&bench));
	cr_assert_gt(bench.node.due, 0);
	NODE_BENCH_UNTIL(&bench, has_ended(&bench));
	close(peer);
	close(listener);
	node_bench_close(&bench);
}

static void halts(enum loop_wish wish)
{
	struct node_bench sending = { .buffers = RECORDS * RECORD_VIEWS, .room = 128 };
	struct node_bench waiting = { 0 }, closed = { 0 };
	uint16_t port = 0, nobody = 0;
	int listener = listen_on(&port, 2048);

	close(listen_on(&nobody, 0));
	open_sink(&sending, wish, "127.0.0.1", port);
	char *text = put_long_records(&sending);
	int peer = connected(&sending, listener);
	until_stuck(&sending);
	cr_assert_gt(sending.node.busy, 0);
	node_bench_close(&sending);
	open_sink(&waiting, wish, "127.0.0.1", nobody);
	node_bench_close(&waiting);
	closed.kind = FLOW_RECORDS;
	node_bench_make(&closed, wish, &sink_tcp.type, NODE_SINK, "\"127.0.0.1:9\"");
	node_bench_close(&closed);
	close(peer);
	close(listener);
	free(text);
}

Test(tcp_sink, halts_whatever_it_is_at)
{
	node_bench_on_both(halts);
}

static void open_to(struct node_bench *bench, enum loop_wish wish, const struct node_type *type,
	const char *json)
{
	lines = framing_delimited("\n", 1, false);
	bench->kind = FLOW_RECORDS;
	bench->framing = &lines;
	node_bench_make(bench, wish, type, NODE_SINK, json);
	node_bench_open(bench);
}

static void next_of_list(enum loop_wish wish)
{
	struct node_bench bench = { 0 };
	struct heard heard = { 0 };
	uint16_t dead_port = 0, port = 0;
	int dead = listen_on(&dead_port, 0), listener = listen_on(&port, 0), other;
	char json[160];

	close(dead);
	snprintf(json, sizeof(json),
		"{\"connect\": [\"127.0.0.1:%u\", \"127.0.0.1:%u\"], "
		"\"retry\": {\"first\": \"1ms\", \"most\": \"2ms\"}}",
		dead_port, port);
	open_to(&bench, wish, &sink_tcp.type, json);
	int peer = connected(&bench, listener);
	node_bench_put(&bench, "a\n", 2, 1);
	NODE_BENCH_UNTIL(&bench, (hear(peer, &heard, 64), heard.size == 2));
	other = listen_on(&dead_port, 0);
	close(peer);
	peer = connected(&bench, other);
	close(peer);
	close(other);
	close(listener);
	free(heard.data);
	node_bench_close(&bench);
}

Test(tcp_sink, tries_the_next_of_its_list_on_failure)
{
	node_bench_on_both(next_of_list);
}

/* The peer reads nothing for the timeout, though there is something to read. */
static void hung_peer(enum loop_wish wish)
{
	struct node_bench bench = { .buffers = RECORDS * RECORD_VIEWS, .room = 128 };
	struct heard second = { 0 };
	uint16_t hung_port = 0, port = 0;
	int hung = listen_on(&hung_port, 4096), listener = listen_on(&port, 0), peer = -1;
	char json[160];

	snprintf(json, sizeof(json),
		"{\"connect\": [\"127.0.0.1:%u\", \"127.0.0.1:%u\"], \"timeout\": \"100ms\", "
		"\"retry\": {\"first\": \"1ms\", \"most\": \"2ms\"}}",
		hung_port, port);
	open_to(&bench, wish, &sink_tcp.type, json);
	char *text = put_long_records(&bench);
	int first = connected(&bench, hung);
	NODE_BENCH_UNTIL(&bench, try_accept(listener, &peer) >= 0);
	size_t border = bench.node.account.sent / RECORD * RECORD;
	size_t left = (size_t)RECORDS * RECORD - border;
	NODE_BENCH_UNTIL(&bench, (hear(peer, &second, 1 << 20), second.size >= left));
	cr_assert_eq(second.size, left);
	cr_assert_arr_eq(second.data, text + border, left);
	NODE_BENCH_UNTIL(&bench, batch_empty(&bench.batch));
	cr_assert_eq(bench.node.due, 0, "nothing to write is no write without progress");
	close(first);
	close(peer);
	close(hung);
	close(listener);
	free(second.data);
	free(text);
	node_bench_close(&bench);
}

Test(tcp_sink, leaves_a_peer_that_hangs_at_a_records_border)
{
	node_bench_on_both(hung_peer);
}

static void over_unix(enum loop_wish wish)
{
	char folder[] = "/tmp/viewduct-sink-XXXXXX", path[64], json[160];
	struct node_bench bench = { 0 };
	struct heard heard = { 0 };
	struct unix_socket made;

	cr_assert_not_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/socket", folder);
	snprintf(json, sizeof(json),
		"{\"connect\": \"%s\", \"retry\": {\"first\": \"5ms\", \"most\": \"10ms\"}}", path);
	open_to(&bench, wish, &sink_unix.type, json);
	node_bench_put(&bench, "a\nb\n", 4, 2);
	NODE_BENCH_UNTIL(&bench, bench.node.due > 0);
	cr_assert_eq(bench.batch.count, 1, "nobody listens yet");
	cr_assert_null(unix_socket_open(&made, path, SOCK_STREAM, 0600));
	int peer = connected(&bench, made.fd);
	NODE_BENCH_UNTIL(&bench, (hear(peer, &heard, 64), heard.size == 4));
	cr_assert_str_eq(heard.data, "a\nb\n");
	close(peer);
	close(made.fd);
	unix_socket_remove(&made, path);
	cr_assert_eq(rmdir(folder), 0);
	free(heard.data);
	node_bench_close(&bench);
}

Test(unix_sink, sends_over_a_connection_and_waits_for_its_peer)
{
	node_bench_on_both(over_unix);
}
