/* The tcp source, with real sockets on the loopback. */

#include "pipeline/sources/tcp.h"

#include "pipeline/registry.h"
#include "tests/support/node_bench.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static void open_listening(struct node_bench *bench, enum loop_wish wish, const char *json)
{
	node_bench_make(
		bench, wish, &source_tcp.type, NODE_SOURCE, json ? json : "\"127.0.0.1:0\"");
	node_bench_open(bench);
	cr_assert(bench->node.up);
}

static int connect_client(const struct node_bench *bench)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(tcp_source_port(&bench->node)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	cr_assert_geq(fd, 0);
	cr_assert_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void say(int fd, const char *text)
{
	cr_assert_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

static void reset(int fd)
{
	struct linger linger = { .l_onoff = 1, .l_linger = 0 };

	cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
	close(fd);
}

#define UNTIL_TAKEN(bench, taken, condition)                                                       \
	NODE_BENCH_UNTIL(bench, (taken_take(taken, bench), (condition)))

static void byte_by_byte(enum loop_wish wish)
{
	static const char text[] = "one\ntwo\nthree";
	struct node_bench bench = { 0 };
	struct taken taken = { 0 };

	open_listening(&bench, wish, NULL);
	int client = connect_client(&bench);
	for (size_t i = 0; text[i]; i++) {
		cr_assert_eq(send(client, &text[i], 1, 0), 1);
		UNTIL_TAKEN(&bench, &taken, taken.bytes == i + 1);
	}
	cr_assert_eq(bench.node.connections, 1);
	shutdown(client, SHUT_WR);
	UNTIL_TAKEN(&bench, &taken, taken.ends == 1);
	cr_assert_str_eq(taken.streams[0].data, text);
	cr_assert(taken.streams[0].ended);
	cr_assert_not(taken.streams[0].broken);
	cr_assert_eq(bench.node.account.received, sizeof(text) - 1);
	NODE_BENCH_UNTIL(&bench, bench.node.connections == 0);
	cr_assert_leq(pool_count(bench.pool) - pool_free(bench.pool), 1);
	close(client);
	taken_close(&taken);
	node_bench_close(&bench);
}

Test(tcp_source, brings_single_bytes_and_the_last_record_of_a_half_closed_stream)
{
	node_bench_on_both(byte_by_byte);
}

static void half_close(enum loop_wish wish)
{
	struct node_bench bench = { 0 };
	struct taken taken = { 0 };
	char byte;

	open_listening(&bench, wish, NULL);
	int client = connect_client(&bench);
	say(client, "last");
	shutdown(client, SHUT_WR);
	UNTIL_TAKEN(&bench, &taken, taken.ends == 1);
	cr_assert_str_eq(taken.streams[0].data, "last");
	cr_assert_eq(recv(client, &byte, 1, 0), 0, "the source closes its side, too");
	close(client);
	taken_close(&taken);
	node_bench_close(&bench);
}

Test(tcp_source, closes_when_the_client_has_finished)
{
	node_bench_on_both(half_close);
}

static void reset_in_record(enum loop_wish wish)
{
	struct node_bench bench = { 0 };
	struct taken taken = { 0 };

	open_listening(&bench, wish, NULL);
	int client = connect_client(&bench);
	say(client, "whole\nhal");
	UNTIL_TAKEN(&bench, &taken, taken.bytes == 9);
	reset(client);
	UNTIL_TAKEN(&bench, &taken, taken.ends == 1);
	cr_assert(taken.streams[0].broken);
	cr_assert_not(taken.streams[0].ended);
	cr_assert_eq(bench.node.connections, 0);
	taken_close(&taken);
	node_bench_close(&bench);
}

Test(tcp_source, says_that_a_reset_stream_is_broken)
{
	node_bench_on_both(reset_in_record);
}

/* Sends as much as is left of the pattern, if that is more than the kernel takes at once. */
static size_t say_pattern(int fd, size_t from, size_t size)
{
	char data[4096];

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (char)((from + i) * 31 >> 3);
	size_t most = size - from < sizeof(data) ? size - from : sizeof(data);
	ssize_t sent = send(fd, data, most, MSG_NOSIGNAL | MSG_DONTWAIT);
	return sent > 0 ? (size_t)sent : 0;
}

static void is_pattern(const struct taken_stream *stream, size_t size)
{
	cr_assert_eq(stream->size, size);
	for (size_t i = 0; i < size; i++)
		cr_assert_eq(stream->data[i], (char)(i * 31 >> 3), "byte %zu", i);
}

static void much(enum loop_wish wish)
{
	enum { SIZE = 300000 };
	static const struct node_bench shapes[] = {
		{ .buffer_size = 1024, .buffers = 64, .room = 64 },
		{ .buffer_size = 1024, .buffers = 64, .room = 64, .quota = 2500 },
		{ .buffer_size = 1024, .buffers = 4, .room = 64 },
		{ .buffer_size = 1024, .buffers = 64, .room = 3 },
		{ .buffer_size = 64, .buffers = 1000, .room = 1 },
		{ .buffer_size = 100000, .buffers = 5, .room = 8 },
	};

	for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
		struct node_bench bench = shapes[i];
		struct taken taken = { 0 };
		size_t sent = 0;
		uint64_t most = 0, before;

		open_listening(&bench, wish, NULL);
		int client = connect_client(&bench);
		for (int turns = 0; taken.bytes < SIZE; turns++) {
			cr_assert_lt(turns, 100000);
			for (size_t part = 1; part > 0 && sent < SIZE; sent += part)
				part = say_pattern(client, sent, SIZE);
			before = taken.bytes;
			node_bench_turn(&bench, NODE_BENCH_WAIT_MS);
			taken_take(&taken, &bench);
			if (taken.bytes - before > most)
				most = taken.bytes - before;
		}
		is_pattern(&taken.streams[0], SIZE);
		if (i == 0)
			cr_assert_gt(most, 1024, "several buffers at once");
		if (i == 1)
			cr_assert_leq(most, 2500, "never more than the quota");
		cr_assert_leq(pool_count(bench.pool) - pool_free(bench.pool), 1,
			"only the current buffer is held");
		close(client);
		taken_close(&taken);
		node_bench_close(&bench);
	}
}

Test(tcp_source, brings_much_in_several_buffers_at_once)
{
	node_bench_on_both(much);
}

static int connect_saying_much(struct node_bench *bench, size_t size)
{
	int client = connect_client(bench);
	size_t sent = 0;

	for (size_t part = 1; part > 0 && sent < size; sent += part)
		part = say_pattern(client, sent, size);
	cr_assert_eq(sent, size, "the kernel keeps as much");
	return client;
}

/* Of two that bring much, each may bring a whole round, by turns. */
static void takes_turns(enum loop_wish wish)
{
	enum { SIZE = 24000, QUOTA = 4096 }; /* what a window takes at once */
	struct node_bench bench = {
		.buffer_size = 1024, .buffers = 64, .room = 64, .quota = QUOTA
	};
	struct taken taken = { 0 };
	const struct taken_stream *streams = taken.streams;
	size_t longest[2] = { 0 };
	int full = 0;

	open_listening(&bench, wish, NULL);
	int clients[] = { connect_saying_much(&bench, SIZE), connect_saying_much(&bench, SIZE) };
	for (int turns = 0; taken.bytes < 2 * SIZE; turns++) {
		cr_assert_lt(turns, NODE_BENCH_MOST_TURNS);
		size_t before[] = { streams[0].size, streams[1].size };

		node_bench_turn(&bench, NODE_BENCH_WAIT_MS);
		taken_take(&taken, &bench);
		for (int i = 0; i < 2; i++) {
			size_t brought = streams[i].size - before[i];
			size_t other = streams[!i].size - before[!i];

			longest[i] = other > 0 ? 0 : longest[i] + brought;
			full += brought == QUOTA;
			if (before[!i] > 0 && streams[!i].size < SIZE)
				cr_assert_leq(longest[i], QUOTA, "the other one waits");
		}
	}
	cr_assert_gt(full, 2, "one may bring all");
	for (int i = 0; i < 2; i++) {
		is_pattern(&streams[i], SIZE);
		close(clients[i]);
	}
	UNTIL_TAKEN(&bench, &taken, taken.ends == 2);
	taken_close(&taken);
	node_bench_close(&bench);
}

Test(tcp_source, gives_a_round_by_turns_to_those_that_bring_much)
{
	node_bench_on_both(takes_turns);
}

/* Two that bring much do not keep a third one waiting, and it does not keep them from all that they have. */
static void lets_little_pass(enum loop_wish wish)
{
	/* It waits for its poll, and for a round that begins with another. */
	enum { SIZE = 24000, QUOTA = 1024, PATIENCE = 2 };
	struct node_bench bench = {
		.buffer_size = 1024, .buffers = 64, .room = 64, .quota = QUOTA
	};
	struct taken taken = { 0 };
	const struct taken_stream *little = &taken.streams[2];
	size_t said = 0;
	int waited = 0;

	open_listening(&bench, wish, NULL);
	int clients[] = { connect_saying_much(&bench, SIZE), connect_saying_much(&bench, SIZE),
		connect_client(&bench) };
	UNTIL_TAKEN(&bench, &taken, taken.streams[0].size > 0 && taken.streams[1].size > 0);
	for (int turns = 0; taken.bytes < 2 * SIZE + said; turns++) {
		cr_assert_lt(turns, NODE_BENCH_MOST_TURNS);
		if (said == little->size) {
			say(clients[2], "x");
			said++;
			waited = 0;
		}
		node_bench_turn(&bench, NODE_BENCH_WAIT_MS);
		taken_take(&taken, &bench);
		cr_assert(little->size == said || ++waited <= PATIENCE);
	}
	cr_assert_gt(said, 5, "it came again and again");
	for (int i = 0; i < 2; i++)
		is_pattern(&taken.streams[i], SIZE);
	for (int i = 0; i < 3; i++)
		close(clients[i]);
	UNTIL_TAKEN(&bench, &taken, taken.ends == 3);
	taken_close(&taken);
	node_bench_close(&bench);
}

Test(tcp_source, lets_who_brings_little_pass_those_that_bring_much)
{
	node_bench_on_both(lets_little_pass);
}

static void shares_a_buffer(enum loop_wish wish)
{
	struct node_bench bench = { 0 };
	struct taken taken = { 0 };
	int clients[32];

	open_listening(&bench, wish, NULL);
	for (int i = 0; i < 32; i++) {
		clients[i] = connect_client(&bench);
		say(clients[i], "x");
	}
	NODE_BENCH_UNTIL(&bench, bench.batch.put.bytes == 32);
	cr_assert_eq(pool_count(bench.pool) - pool_free(bench.pool), 1);
	UNTIL_TAKEN(&bench, &taken, taken.bytes == 32);
	for (int i = 0; i < 32; i++) {
		cr_assert_str_eq(taken.streams[i].data, "x");
		close(clients[i]);
	}
	UNTIL_TAKEN(&bench, &taken, taken.ends == 32);
	taken_close(&taken);
	node_bench_close(&bench);
}

Test(tcp_source, lets_many_connections_share_one_buffer)
{
	node_bench_on_both(shares_a_buffer);
}

static void stops_at_limit(enum loop_wish wish)
{
	struct node_bench bench = { 0 };
	struct taken taken = { 0 };

	open_listening(&bench, wish, "{\"listen\": \"127.0.0.1:0\", \"max_connections\": 2}");
	cr_assert_eq(source_tcp.streams(&bench.node), 2);
	int first = connect_client(&bench), second = connect_client(&bench);
	int third = connect_client(&bench);
	say(first, "a");
	say(second, "b");
	say(third, "c");
	UNTIL_TAKEN(&bench, &taken, taken.bytes == 2);
	for (int i = 0; i < 4; i++)
		node_bench_turn(&bench, 1);
	taken_take(&taken, &bench);
	cr_assert_eq(taken.bytes, 2, "the third waits in the listen queue");
	cr_assert_eq(bench.node.connections, 2);
	close(first);
	UNTIL_TAKEN(&bench, &taken, taken.bytes == 3);
	cr_assert_eq(taken.ends, 1);
	cr_assert_str_eq(taken.streams[0].data, "ac", "the slot is used again, behind its end");
	cr_assert(taken.streams[0].ended);
	close(second);
	close(third);
	UNTIL_TAKEN(&bench, &taken, taken.ends == 3);
	taken_close(&taken);
	node_bench_close(&bench);
}

Test(tcp_source, pauses_at_max_connections_and_resumes)
{
	node_bench_on_both(stops_at_limit);
}

static void keeps_to_room(enum loop_wish wish)
{
	struct node_bench bench = { .room = 1, .buffers = 8, .buffer_size = 64, .quota = 48 };
	struct taken taken = { 0 };
	char text[1001];

	memset(text, 'y', 1000);
	text[1000] = '\0';
	open_listening(&bench, wish, NULL);
	int client = connect_client(&bench);
	say(client, text);
	close(client);
	NODE_BENCH_UNTIL(&bench, bench.batch.count == 1);
	for (int i = 0; i < 4; i++)
		node_bench_turn(&bench, 1);
	cr_assert_leq(bench.batch.put.bytes, 64, "a full batch holds the source");
	while (taken.ends == 0) {
		uint64_t before = bench.batch.put.bytes;

		node_bench_turn(&bench, NODE_BENCH_WAIT_MS);
		cr_assert_leq(bench.batch.put.bytes - before, 48);
		taken_take(&taken, &bench);
	}
	cr_assert_str_eq(taken.streams[0].data, text);
	taken_close(&taken);
	node_bench_close(&bench);
}

Test(tcp_source, brings_no_more_than_its_quota_and_waits_for_room)
{
	node_bench_on_both(keeps_to_room);
}

static void waits_for_buffers(enum loop_wish wish)
{
	struct node_bench bench = { .buffers = 2, .buffer_size = 16 };
	struct taken taken = { 0 };

	open_listening(&bench, wish, NULL);
	int client = connect_client(&bench);
	say(client, "0123456789abcdefghijklmnopqrstuvwxyz0123456789ABCDEF");
	close(client);
	NODE_BENCH_UNTIL(&bench, bench.batch.put.bytes == 32);
	for (int i = 0; i < 4; i++)
		node_bench_turn(&bench, 1);
	cr_assert_eq(bench.batch.put.bytes, 32, "the pool is empty");
	UNTIL_TAKEN(&bench, &taken, taken.ends == 1);
	cr_assert_str_eq(
		taken.streams[0].data, "0123456789abcdefghijklmnopqrstuvwxyz0123456789ABCDEF");
	taken_close(&taken);
	node_bench_close(&bench);
}

Test(tcp_source, waits_for_a_buffer)
{
	node_bench_on_both(waits_for_buffers);
}

static void every_address(enum loop_wish wish)
{
	struct node_bench bench = { 0 };
	struct taken taken = { 0 };

	open_listening(&bench, wish, "\":0\"");
	int client = connect_client(&bench);
	say(client, "over IPv4");
	UNTIL_TAKEN(&bench, &taken, taken.bytes == 9);
	close(client);
	taken_close(&taken);
	node_bench_close(&bench);
}

Test(tcp_source, takes_ipv4_where_it_listens_to_every_address)
{
	node_bench_on_both(every_address);
}

static void by_name(enum loop_wish wish)
{
	struct node_bench bench = { 0 };

	open_listening(&bench, wish, "\"localhost:0\"");
	cr_assert_gt(tcp_source_port(&bench.node), 0);
	node_bench_close(&bench);
}

Test(tcp_source, looks_a_name_up)
{
	node_bench_on_both(by_name);
}

static void busy_port(enum loop_wish wish)
{
	struct node_bench first = { 0 }, second = { 0 };
	char json[64], expected[128];

	open_listening(&first, wish, NULL);
	snprintf(json, sizeof(json), "\"127.0.0.1:%u\"", tcp_source_port(&first.node));
	node_bench_make(&second, wish, &source_tcp.type, NODE_SOURCE, json);
	cr_assert_not(source_tcp.type.open(&second.node, &second.faults));
	cr_assert_eq(second.faults.errors, 1);
	snprintf(expected, sizeof(expected),
		"bench.node: cannot listen on 127.0.0.1:%u: Address already in use",
		tcp_source_port(&first.node));
	cr_assert_str_eq(second.faults.items[0].message, expected);
	cr_assert_null(second.faults.items[0].file);
	node_bench_close(&second);
	node_bench_close(&first);
}

Test(tcp_source, faults_a_busy_port_without_a_place)
{
	node_bench_on_both(busy_port);
}

static void never_opened(enum loop_wish wish)
{
	struct node_bench bench = { 0 };

	node_bench_make(&bench, wish, &source_tcp.type, NODE_SOURCE, "\"127.0.0.1:0\"");
	node_bench_close(&bench);
}

Test(tcp_source, closes_though_it_was_never_opened)
{
	node_bench_on_both(never_opened);
}

/* Opens files until the process may open no more, but for `spare`. */
static int use_up_descriptors(int spare)
{
	struct rlimit limit;

	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	int lowest = open("/dev/null", O_RDONLY | O_CLOEXEC);
	cr_assert_geq(lowest, 0);
	close(lowest);
	limit.rlim_cur = (rlim_t)(lowest + spare);
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	return lowest;
}

static void allow_descriptors(void)
{
	struct rlimit limit;

	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = limit.rlim_max;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static void without_descriptors(enum loop_wish wish)
{
	struct node_bench bench = { 0 };
	struct taken taken = { 0 };

	allow_descriptors();
	open_listening(&bench, wish, NULL);
	use_up_descriptors(1);
	int client = connect_client(&bench);
	say(client, "late");
	NODE_BENCH_UNTIL(&bench, bench.node.due > 0);
	uint64_t due = bench.node.due;
	cr_assert_leq(due, loop_now(bench.loop) + 100);
	cr_assert_geq(bench.node.account.errors[ERROR_ACCEPT], 1);
	if (loop_now(bench.loop) < due) {
		node_bench_turn(&bench, 0);
		cr_assert_eq(bench.node.due, due, "it does not try before");
	}
	NODE_BENCH_UNTIL(&bench, bench.node.due > due);
	cr_assert_eq(bench.node.connections, 0);
	allow_descriptors();
	UNTIL_TAKEN(&bench, &taken, taken.bytes == 4);
	cr_assert_eq(bench.node.connections, 1);
	cr_assert_eq(bench.node.due, 0);
	close(client);
	UNTIL_TAKEN(&bench, &taken, taken.ends == 1);
	taken_close(&taken);
	node_bench_close(&bench);
}

Test(tcp_source, pauses_without_descriptors_and_recovers)
{
	node_bench_on_both(without_descriptors);
}

static void lowers_connections(enum loop_wish wish)
{
	struct node_bench bench = { 0 };
	struct rlimit limit;

	allow_descriptors();
	node_bench_make(&bench, wish, &source_tcp.type, NODE_SOURCE, "\"127.0.0.1:0\"");
	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = 65;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	node_bench_open(&bench);
	allow_descriptors();
	int first = connect_client(&bench), second = connect_client(&bench);
	NODE_BENCH_UNTIL(&bench, bench.node.connections == 1);
	for (int i = 0; i < 4; i++)
		node_bench_turn(&bench, 1);
	cr_assert_eq(bench.node.connections, 1, "64 of 65 descriptors are reserved");
	close(first);
	close(second);
	node_bench_close(&bench);
}

Test(tcp_source, lowers_max_connections_to_the_descriptors)
{
	node_bench_on_both(lowers_connections);
}

/* Draining. */

static void drain_soon(struct node_bench *bench, uint64_t within_ms)
{
	source_tcp.drain(&bench->node, loop_now(bench->loop) + within_ms);
}

static void drains(enum loop_wish wish)
{
	struct node_bench bench = { 0 };
	struct taken taken = { 0 };
	char byte;

	open_listening(&bench, wish, NULL);
	int idle = connect_client(&bench);
	say(idle, "a\n");
	UNTIL_TAKEN(&bench, &taken, taken.bytes == 2);
	int waiting = connect_client(&bench);
	say(waiting, "b\n");
	drain_soon(&bench, 60000);
	UNTIL_TAKEN(&bench, &taken, bench.node.ended);
	taken_take(&taken, &bench);
	cr_assert_eq(taken.ends, 2);
	cr_assert_str_eq(taken.streams[0].data, "a\n");
	cr_assert_str_eq(taken.streams[1].data, "b\n", "what waited was accepted");
	cr_assert(taken.streams[0].ended && taken.streams[1].ended);
	cr_assert_eq(recv(idle, &byte, 1, 0), 0, "half-closed");
	cr_assert_eq(recv(waiting, &byte, 1, 0), 0);
	cr_assert_eq(bench.node.due, 0);
	close(idle);
	close(waiting);
	taken_close(&taken);
	node_bench_close(&bench);
}

Test(tcp_source, drains_what_waits_and_ends_what_is_silent)
{
	node_bench_on_both(drains);
}

static void reads_on_while_draining(enum loop_wish wish)
{
	struct node_bench bench = { 0 };
	struct taken taken = { 0 };

	open_listening(&bench, wish, NULL);
	int client = connect_client(&bench);
	NODE_BENCH_UNTIL(&bench, bench.node.connections == 1);
	drain_soon(&bench, 60000);
	for (size_t i = 1; i <= 8; i++) {
		say(client, "more\n");
		UNTIL_TAKEN(&bench, &taken, taken.bytes == 5 * i);
	}
	cr_assert_not(bench.node.ended);
	close(client);
	UNTIL_TAKEN(&bench, &taken, bench.node.ended);
	taken_take(&taken, &bench);
	cr_assert_eq(taken.ends, 1);
	taken_close(&taken);
	node_bench_close(&bench);
}

Test(tcp_source, reads_to_the_end_while_draining)
{
	node_bench_on_both(reads_on_while_draining);
}

static void drains_until_deadline(enum loop_wish wish)
{
	struct node_bench bench = { .room = 1 };
	struct taken taken = { 0 };

	open_listening(&bench, wish, NULL);
	int clients[3];
	for (int i = 0; i < 3; i++) {
		clients[i] = connect_client(&bench);
		say(clients[i], "x");
	}
	NODE_BENCH_UNTIL(&bench, bench.node.connections == 3 && bench.batch.count == 1);
	drain_soon(&bench, 0);
	for (int i = 0; i < 4; i++)
		node_bench_turn(&bench, 1);
	cr_assert_not(bench.node.ended, "the ends have no room");
	UNTIL_TAKEN(&bench, &taken, bench.node.ended);
	taken_take(&taken, &bench);
	cr_assert_eq(taken.ends, 3);
	for (int i = 0; i < 3; i++)
		close(clients[i]);
	taken_close(&taken);
	node_bench_close(&bench);
}

Test(tcp_source, puts_every_end_when_the_deadline_passes)
{
	node_bench_on_both(drains_until_deadline);
}

static void drains_queue_behind_limit(enum loop_wish wish)
{
	struct node_bench bench = { 0 };
	struct taken taken = { 0 };

	open_listening(&bench, wish, "{\"listen\": \"127.0.0.1:0\", \"max_connections\": 1}");
	int first = connect_client(&bench), second = connect_client(&bench);
	say(first, "1");
	say(second, "2");
	UNTIL_TAKEN(&bench, &taken, taken.bytes == 1);
	drain_soon(&bench, 60000);
	UNTIL_TAKEN(&bench, &taken, bench.node.ended);
	taken_take(&taken, &bench);
	cr_assert_str_eq(taken.streams[0].data, "12");
	cr_assert_eq(taken.ends, 2);
	close(first);
	close(second);
	taken_close(&taken);
	node_bench_close(&bench);
}

Test(tcp_source, drains_the_queue_behind_max_connections)
{
	node_bench_on_both(drains_queue_behind_limit);
}

static void halts(enum loop_wish wish)
{
	struct node_bench bench = { 0 };

	open_listening(&bench, wish, NULL);
	int idle = connect_client(&bench), talking = connect_client(&bench);
	say(talking, "unread");
	NODE_BENCH_UNTIL(&bench, bench.node.connections == 2);
	node_bench_close(&bench);
	cr_assert_eq(bench.node.connections, 0);
	close(idle);
	close(talking);
}

Test(tcp_source, halts_with_connections_open)
{
	node_bench_on_both(halts);
}

Test(tcp_source, costs_little_a_connection)
{
	struct node_bench bench = { 0 };

	node_bench_make(&bench, LOOP_EPOLL, &source_tcp.type, NODE_SOURCE,
		"{\"listen\": \"127.0.0.1:0\", \"max_connections\": 10000}");
	cr_assert_leq(bench.node.charge, 10000 * 512);
	node_bench_close(&bench);
}

static void idle(enum loop_wish wish)
{
	struct node_bench bench = { 0 };
	struct taken taken = { 0 };

	open_listening(&bench, wish, "{\"listen\": \"127.0.0.1:0\", \"idle_timeout\": \"60ms\"}");
	int quiet = connect_client(&bench), busy = connect_client(&bench);
	say(quiet, "half");
	while (taken.ends == 0) {
		say(busy, "x");
		node_bench_turn(&bench, 1);
		taken_take(&taken, &bench);
	}
	cr_assert_str_eq(taken.streams[0].data, "half");
	cr_assert(taken.streams[0].ended);
	cr_assert_not(taken.streams[1].ended);
	cr_assert_eq(bench.node.connections, 1);
	UNTIL_TAKEN(&bench, &taken, taken.ends == 2);
	cr_assert_eq(bench.node.due, 0, "nobody is left to wait for");
	close(quiet);
	close(busy);
	taken_close(&taken);
	node_bench_close(&bench);
}

Test(tcp_source, closes_what_is_silent_for_the_idle_timeout)
{
	node_bench_on_both(idle);
}

/* What waits in the kernel because there is no room here is no silence. */
static void held_up(enum loop_wish wish)
{
	struct node_bench bench = { .room = 1, .buffers = 2, .buffer_size = 16 };
	struct taken taken = { 0 };
	static const char text[] = "0123456789abcdefghijklmnopqrstuvwxyz";

	open_listening(&bench, wish, "{\"listen\": \"127.0.0.1:0\", \"idle_timeout\": \"20ms\"}");
	int client = connect_client(&bench);
	say(client, text);
	NODE_BENCH_UNTIL(&bench, bench.batch.count == 1);
	uint64_t later = loop_now(bench.loop) + 100;
	NODE_BENCH_UNTIL(&bench, loop_now(bench.loop) >= later);
	cr_assert_eq(bench.node.connections, 1);
	UNTIL_TAKEN(&bench, &taken, taken.ends == 1);
	cr_assert_str_eq(taken.streams[0].data, text);
	close(client);
	taken_close(&taken);
	node_bench_close(&bench);
}

Test(tcp_source, does_not_call_silent_what_it_does_not_read)
{
	node_bench_on_both(held_up);
}

static void allows(enum loop_wish wish)
{
	struct node_bench bench = { 0 };
	struct taken taken = { 0 };
	char byte;

	open_listening(&bench, wish, "{\"listen\": \":0\", \"allow\": [\"10.0.0.0/8\", \"::1\"]}");
	int client = connect_client(&bench);
	NODE_BENCH_UNTIL(&bench, bench.node.account.refused == 1);
	cr_assert_leq(recv(client, &byte, 1, 0), 0, "it is closed");
	cr_assert_eq(bench.node.connections, 0);
	close(client);
	node_bench_close(&bench);
	bench = (struct node_bench){ 0 };
	open_listening(&bench, wish, "{\"listen\": \":0\", \"allow\": \"127.0.0.1\"}");
	client = connect_client(&bench);
	say(client, "mapped");
	UNTIL_TAKEN(&bench, &taken, taken.bytes == 6);
	close(client);
	taken_close(&taken);
	node_bench_close(&bench);
}

Test(tcp_source, closes_at_once_who_is_not_allowed)
{
	node_bench_on_both(allows);
}
