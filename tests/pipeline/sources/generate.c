/* The generate source: lines of an exact size, the same for the same seed, at the rate that was asked for. */

#include "pipeline/registry.h"
#include "tests/support/node_bench.h"
#include "tests/support/running.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static void open_source(struct node_bench *bench, enum loop_wish wish, const char *json)
{
	node_bench_make(bench, wish, &source_generate.type, NODE_SOURCE, json);
	node_bench_open(bench);
}

static void close_bench(struct node_bench *bench, struct taken *taken)
{
	taken_close(taken);
	node_bench_close(bench);
}

static void take_all(struct node_bench *bench, struct taken *taken)
{
	NODE_BENCH_UNTIL(bench, (taken_take(taken, bench), bench->node.ended));
	taken_take(taken, bench);
	cr_assert(taken->streams[0].ended);
	cr_assert_eq(taken->ends, 1);
	cr_assert_eq(bench->node.account.received, taken->bytes);
}

static void assert_lines(const struct taken *taken, size_t count, size_t size)
{
	const char *data = taken->streams[0].data;

	cr_assert_eq(taken->bytes, count * size);
	for (size_t i = 0; i < count; i++) {
		const char *end = memchr(data + i * size, '\n', size);
		cr_assert_eq(end, data + (i + 1) * size - 1, "line %zu of %zu bytes", i, size);
	}
}

/* What is written here must never change: who compares with an earlier run relies on it. */
Test(generate, makes_the_same_bytes_everywhere)
{
	struct node_bench bench = { 0 };
	struct taken taken = { 0 };

	open_source(&bench, LOOP_EPOLL, "{\"lines\":3,\"bytes\":\"60B\"}");
	take_all(&bench, &taken);
	cr_assert_str_eq(taken.streams[0].data,
		"1700000000.000 INFO status=200 user=bob timeout depth=4711 \n"
		"1700000000.001 INFO connection POST queue retrying for time\n"
		"1700000000.002 DEBUG status=503 10.0.0.17 hit worker retryi\n");
	cr_assert_eq(bench.node.expected, 180);
	close_bench(&bench, &taken);
}

Test(generate, seeds_differ)
{
	char first[121] = "";

	for (int seed = 1; seed <= 2; seed++) {
		struct node_bench bench = { 0 };
		struct taken taken = { 0 };
		open_source(&bench, LOOP_EPOLL,
			seed == 1 ? "{\"lines\":1,\"bytes\":\"120B\",\"seed\":1}"
				  : "{\"lines\":1,\"bytes\":\"120B\",\"seed\":2}");
		take_all(&bench, &taken);
		cr_assert_str_neq(taken.streams[0].data, first);
		snprintf(first, sizeof(first), "%s", taken.streams[0].data);
		close_bench(&bench, &taken);
	}
}

static void in_every_buffer_size(enum loop_wish wish)
{
	static const uint32_t sizes[] = { 65536, 16, 17, 189, 190, 191, 1000 };
	static char first[190 * 500 + 1];

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct node_bench bench = {
			.buffer_size = sizes[i], .room = 3, .quota = i % 2 ? 77 : 70000
		};
		struct taken taken = { 0 };
		open_source(&bench, wish, "500");
		take_all(&bench, &taken);
		assert_lines(&taken, 500, 190);
		if (i == 0)
			snprintf(first, sizeof(first), "%s", taken.streams[0].data);
		cr_assert_str_eq(taken.streams[0].data, first);
		close_bench(&bench, &taken);
	}
}

Test(generate, makes_the_same_in_every_buffer_size)
{
	node_bench_on_both(in_every_buffer_size);
}

Test(generate, makes_lines_of_every_size)
{
	for (size_t size = 1; size < 40; size++) {
		struct node_bench bench = { .buffer_size = 16 };
		struct taken taken = { 0 };
		char json[64];
		snprintf(json, sizeof(json), "{\"lines\":20,\"bytes\":\"%zuB\"}", size);
		open_source(&bench, LOOP_EPOLL, json);
		take_all(&bench, &taken);
		assert_lines(&taken, 20, size);
		close_bench(&bench, &taken);
	}
}

static void waits_for_room(enum loop_wish wish)
{
	struct node_bench bench = { .buffers = 32, .buffer_size = 100, .room = 2 };
	struct taken taken = { 0 };

	open_source(&bench, wish, "{\"lines\":100}");
	for (int i = 0; i < 5; i++)
		node_bench_turn(&bench, 0);
	cr_assert_eq(bench.batch.count, 2);
	cr_assert_not(bench.node.ended);
	cr_assert_eq(bench.node.due, 0);
	take_all(&bench, &taken);
	assert_lines(&taken, 100, 190);
	close_bench(&bench, &taken);
}

Test(generate, waits_for_room)
{
	node_bench_on_both(waits_for_room);
}

static uint64_t lines_in(const struct taken *taken)
{
	return taken->bytes / 10;
}

/* Against the loop's own clock: exactly what is due, however late the turn. */
static void keeps_the_rate(enum loop_wish wish)
{
	static const struct {
		const char *json;
		uint64_t rate;
	} rates[] = { { "{\"lines\":40,\"bytes\":\"10B\",\"rate\":\"300/s\"}", 300 },
		{ "{\"lines\":40000,\"bytes\":\"10B\",\"rate\":\"1000000/s\"}", 1000000 } };

	for (size_t i = 0; i < 2; i++) {
		struct node_bench bench = { 0 };
		struct taken taken = { 0 };
		open_source(&bench, wish, rates[i].json);
		uint64_t start = loop_now(bench.loop);
		while (!bench.node.ended) {
			uint64_t due = 1 + (loop_now(bench.loop) - start) * rates[i].rate / 1000;
			uint64_t all = i == 0 ? 40 : 40000;
			source_generate.read(&bench.node, &bench.batch);
			taken_take(&taken, &bench);
			cr_assert_eq(lines_in(&taken), due < all ? due : all);
			cr_assert(bench.node.ended || bench.node.due > loop_now(bench.loop));
			loop_turn(bench.loop,
				bench.node.ended ? 0
						 : (int)(bench.node.due - loop_now(bench.loop)));
		}
		assert_lines(&taken, i == 0 ? 40 : 40000, 10);
		close_bench(&bench, &taken);
	}
}

Test(generate, keeps_the_rate)
{
	node_bench_on_both(keeps_the_rate);
}

static void drains_at_a_border(enum loop_wish wish)
{
	struct node_bench bench = { .quota = 50 };
	struct taken taken = { 0 };

	open_source(&bench, wish, NULL);
	NODE_BENCH_UNTIL(&bench, (taken_take(&taken, &bench), taken.bytes >= 1000));
	cr_assert_neq(taken.bytes % 190, 0, "in mid-line");
	source_generate.drain(&bench.node, 0);
	size_t lines = taken.bytes / 190 + 1;
	take_all(&bench, &taken);
	assert_lines(&taken, lines, 190);
	close_bench(&bench, &taken);
}

Test(generate, drains_at_a_border)
{
	node_bench_on_both(drains_at_a_border);
}

/* One that waits for its next line ends at once. */
static void drains_while_it_waits(enum loop_wish wish)
{
	struct node_bench bench = { 0 };
	struct taken taken = { 0 };

	open_source(&bench, wish, "{\"rate\":\"1/s\"}");
	source_generate.read(&bench.node, &bench.batch);
	cr_assert_gt(bench.node.due, loop_now(bench.loop));
	source_generate.drain(&bench.node, 0);
	source_generate.read(&bench.node, &bench.batch);
	cr_assert(bench.node.ended);
	taken_take(&taken, &bench);
	assert_lines(&taken, 1, 190);
	close_bench(&bench, &taken);
}

Test(generate, drains_while_it_waits)
{
	node_bench_on_both(drains_while_it_waits);
}

Test(generate, refuses_a_rate_that_is_none)
{
	static const char *const rates[] = { "1000", "0/s", "-1/s", "1.5/s", "1000/m", "/s",
		"1000/s ", "1000000001/s", "99999999999999999999/s" };

	for (size_t i = 0; i < sizeof(rates) / sizeof(*rates); i++) {
		struct running running = { .backend = LOOP_EPOLL };
		cr_assert_not(
			running_open(&running, "",
				"'p':{'from':{'generate':{'rate':'%s'}},'to':'null'}", rates[i]),
			"%s", rates[i]);
		cr_assert_eq(running.faults.count, 1);
		cr_assert_str_eq(running.faults.items[0].message,
			"the rate is a number from 1 to 1000000000 and \"/s\"");
		running_close(&running);
	}
}
