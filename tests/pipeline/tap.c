/* Taps: what a looker gets of what a node has put, in one view or many, and what it costs nobody. */
#include "pipeline/tap.h"

#include "tests/support/running.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* All samples in the tap: whole bytes, each in brackets, content by content. */
struct seen {
	char whole[65536], content[65536];
	size_t whole_size, content_size;
	unsigned count, cut;
};

static size_t append(char *to, size_t at, size_t room, const char *data, size_t size)
{
	cr_assert_lt(at + size + 3, room);
	to[at++] = '[';
	for (size_t i = 0; i < size; i++)
		to[at++] = data[i];
	to[at++] = ']';
	to[at] = '\0';
	return at;
}

static void take_all(struct tap *tap, struct seen *seen)
{
	struct sample sample;

	while (tap_next(tap, &sample)) {
		seen->whole_size = append(seen->whole, seen->whole_size, sizeof(seen->whole),
			sample.data, sample.size);
		seen->content_size = append(seen->content, seen->content_size,
			sizeof(seen->content), sample.data + sample.content, sample.content_size);
		seen->count++;
		seen->cut += sample.whole > sample.size;
	}
}

static const struct tap_options all = { 0 };

/* Runs a configuration to its end with a tap at a node, and gives what was seen. */
__attribute__((format(printf, 5, 6))) static struct seen *run_tapped(struct running *running,
	const struct tap_options *options, const char *node, const char *service,
	const char *pipelines, ...)
{
	struct seen *seen = calloc(1, sizeof(*seen));
	struct tap *tap = tap_create(options);
	char text[4096];
	va_list list;

	va_start(list, pipelines);
	vsnprintf(text, sizeof(text), pipelines, list);
	va_end(list);
	cr_assert(running_open(running, service, "%s", text), "%s",
		running->faults.count ? running->faults.items[0].message : "");
	tap_attach(tap, running->engine, node);
	running_to_end(running);
	take_all(tap, seen);
	tap_detach(tap);
	tap_destroy(tap);
	return seen;
}

static const char lines[] = "'main': { 'from': { 'file': { 'path': 'in', 'follow': false } }, "
			    "'stages': [ 'split', { 'filter': 'o' } ], 'to': [ { 'file': 'out' }, "
			    "{ 'stages': [ { 'join': 'nul' } ], 'to': { 'file': 'nul' } } ] }";

static void see_each_place(struct running *running)
{
	static const struct {
		const char *node, *whole;
	} places[] = {
		{ "main.from.0", "[one\ntwo\nthree\nfour]" },
		{ "main.split", "[one\n][two\n][three\n][four]" },
		{ "main.filter", "[one\n][two\n][four]" },
		{ "main.to", "[one\n][two\n][four]" },
		{ "main.to.0", "[one\n][two\n][four]" },
	};

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		file_put("in", "one\ntwo\nthree\nfour");
		struct seen *seen = run_tapped(running, &all, places[i].node, "", "%s", lines);
		cr_assert_str_eq(
			seen->whole, places[i].whole, "%s: %s", places[i].node, seen->whole);
		if (strcmp(places[i].node, "main.filter") == 0) {
			cr_assert_str_eq(seen->content, "[one][two][four]");
			cr_assert_eq(running_node(running, "main.filter")
					     ->account.copies.bytes[COPY_TAP],
				strlen("one\ntwo\nfour"));
		}
		running_close(running);
		free(seen);
	}
}

Test(tap, shows_what_leaves_a_node_and_enters_a_sink)
{
	running_on_both(see_each_place);
}

/* Buffers so small that each record lies in many views, and neighbours are joined behind it. */
static void see_pieces(struct running *running)
{
	static const struct {
		const char *split, *whole;
	} framings[] = {
		{ "'split'", "[a first line\n][b\n][c\n][another, which is longer than that\n]"
			     "[d\n][e\n]" },
		{ "{ 'split': { 'on': 'delimiter', 'delimiter': 'ne\\nb' } }",
			"[a first line\nb][\nc\nanother, which is longer than that\nd\ne\n]" },
		{ "{ 'split': { 'on': 'csv' } }",
			"[a first line\n][b\n][c\n][another, which is longer than that\n]"
			"[d\n][e\n]" },
	};

	for (size_t i = 0; i < sizeof(framings) / sizeof(*framings); i++)
		for (unsigned buffer = 16; buffer < 40; buffer++) {
			char service[80];
			file_put("in",
				"a first line\nb\nc\nanother, which is longer than that\nd\ne\n");
			snprintf(service, sizeof(service), "'buffer': '%uB'", buffer);
			struct seen *seen = run_tapped(running, &all, "main.split", service,
				"'main': { 'from': { 'file': { 'path': 'in', 'follow': false } }, "
				"'memory': '1MiB', 'stages': [ %s ], 'to': { 'file': 'out' } }",
				framings[i].split);
			cr_assert_str_eq(seen->whole, framings[i].whole, "%s, buffer %u: %s",
				framings[i].split, buffer, seen->whole);
			running_close(running);
			free(seen);
		}
}

Test(tap, gathers_a_record_in_several_views)
{
	running_on_both(see_pieces);
}

static void see_prefixed(struct running *running)
{
	file_put_bytes("in", "\0\0\0\3one\0\0\0\0\0\0\0\5three", 20);
	struct seen *seen = run_tapped(running, &all, "main.to.0", "",
		"'main': { 'from': { 'file': { 'path': 'in', 'follow': false } }, 'stages': [ { "
		"'split': 'length' } ], 'to': { 'file': 'out' } }");
	cr_assert_str_eq(seen->content, "[one][][three]");
	cr_assert_eq(seen->count, 3);
	running_close(running);
	free(seen);
}

Test(tap, tells_the_content_from_its_prefix)
{
	running_on_both(see_prefixed);
}

static void see_some(struct running *running)
{
	const struct tap_options some = { .text = "wo\nt", .text_size = 2 };

	file_put("in", "one\ntwo\nthree\nwoe\nx\n");
	struct seen *seen = run_tapped(running, &some, "main.split", "", "%s", lines);
	cr_assert_str_eq(seen->content, "[two][woe]");
	running_close(running);
	free(seen);
}

Test(tap, shows_only_what_contains_a_text)
{
	running_on_both(see_some);
}

static void fill(const char *path, unsigned count, unsigned size)
{
	char *line = malloc(size + 2);

	for (unsigned i = 0; i < size; i++)
		line[i] = (char)('a' + i % 26);
	line[size] = '\n';
	line[size + 1] = '\0';
	file_put(path, "%s", "");
	for (unsigned i = 0; i < count; i++)
		file_add(path, "%s", line);
	free(line);
}

static void see_one_at_a_time(struct running *running)
{
	const struct tap_options slow = { .rate = 1 };

	fill("in", 1000, 100);
	struct seen *seen = run_tapped(running, &slow, "main.split", "", "%s", lines);
	cr_assert_eq(seen->count, 1);
	running_close(running);
	free(seen);
}

Test(tap, gives_no_more_than_its_rate)
{
	running_on_both(see_one_at_a_time);
}

/* Nobody looks until all is over: the ring is full, the data is not held up, and the tap says how many it lost. */
static void see_too_late(struct running *running)
{
	enum { COUNT = 2000, SIZE = 1000 };
	struct tap *tap = tap_create(&all);
	struct tap_facts facts;
	struct sample sample;
	unsigned count = 0;
	size_t size;

	fill("in", COUNT, SIZE);
	cr_assert(running_open(running, "", "%s", lines));
	tap_attach(tap, running->engine, "main.split");
	running_to_end(running);
	while (tap_next(tap, &sample)) {
		cr_assert_eq(sample.size, SIZE + 1);
		cr_assert_eq(sample.data[25], 'z');
		count++;
	}
	tap_look(tap, &facts);
	cr_assert_eq(facts.passed, COUNT);
	cr_assert_eq(facts.missed, COUNT - count);
	cr_assert_gt(facts.missed, 0);
	cr_assert_gt(count, TAP_RING / (SIZE + 100));
	tap_detach(tap);
	tap_destroy(tap);
	free(file_get("out", &size));
	cr_assert_eq(size, (size_t)COUNT * (SIZE + 1));
	running_close(running);
}

Test(tap, loses_samples_where_nobody_looks_and_says_how_many)
{
	running_on_both(see_too_late);
}

/* A looker that keeps up sees everything, round and round the ring. */
static void see_everything(struct running *running)
{
	enum { COUNT = 3000, SIZE = 777 };
	struct tap *tap = tap_create(&all);
	struct tap_facts facts;
	struct sample sample;
	unsigned count = 0;

	fill("in", COUNT, SIZE);
	cr_assert(running_open(running, "'buffer': '1KiB'", "%s", lines));
	tap_attach(tap, running->engine, "main.split");
	while (!engine_finished(running->engine)) {
		engine_turn(running->engine, 100);
		for (; tap_next(tap, &sample); count++)
			cr_assert(sample.size == SIZE + 1 && sample.data[SIZE] == '\n');
	}
	tap_look(tap, &facts);
	cr_assert_eq(count + facts.missed, COUNT);
	cr_assert_gt(count, TAP_RING / SIZE);
	tap_detach(tap);
	tap_destroy(tap);
	running_close(running);
}

Test(tap, goes_round_its_ring)
{
	running_on_both(see_everything);
}

static void see_a_long_one(struct running *running)
{
	fill("in", 3, 3 * TAP_MOST);
	struct seen *seen =
		run_tapped(running, &all, "main.split", "'buffer': '4KiB'", "%s", lines);
	cr_assert_eq(seen->count, 3);
	cr_assert_eq(seen->cut, 3);
	cr_assert_eq(seen->content_size, 3 * (TAP_MOST + 2));
	running_close(running);
	free(seen);
}

Test(tap, cuts_a_long_sample_and_says_so)
{
	running_on_both(see_a_long_one);
}

static unsigned woken;

static void count_wake(void *context)
{
	(void)context;
	woken++;
}

/* It is woken once, and not again before it has looked and found nothing. */
static void wake_once(struct running *running)
{
	const struct tap_options options = { .wake = count_wake };
	struct tap *tap = tap_create(&options);
	struct sample sample;

	woken = 0;
	cr_assert_not(tap_next(tap, &sample));
	fill("in", 500, 100);
	cr_assert(running_open(running, "'buffer': '256B'", "%s", lines));
	tap_attach(tap, running->engine, "main.split");
	tap_attach(tap, running->engine, "main.split");
	running_to_end(running);
	cr_assert_eq(woken, 1);
	running_close(running);
	struct tap_facts facts;
	tap_look(tap, &facts);
	cr_assert_eq(facts.attached, 1);
	cr_assert_eq(facts.places, 0, "the pipeline's end detaches");
	tap_destroy(tap);
}

Test(tap, wakes_whoever_waits_once)
{
	running_on_both(wake_once);
}
