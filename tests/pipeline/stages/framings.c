/* split on every framing, join to every framing: the same records however they are cut, and what is not a record. */

#include "tests/support/bench.h"

#include "pipeline/flow/prefix.h"
#include "tests/support/chance.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct text {
	char *data;
	size_t size;
};

static uint64_t state;

static void set_seed(void)
{
	chance_begin();
	state = chance_seed();
}

static size_t any(size_t below)
{
	return random_below(&state, below);
}

static void add(struct text *text, const char *data, size_t size)
{
	text->data = realloc(text->data, text->size + size + 1);
	cr_assert(text->data);
	memcpy(text->data + text->size, data, size);
	text->size += size;
	text->data[text->size] = '\0';
}

enum { FIXED = 6 };

static const struct kind {
	const char *split; /* the options of split */
	const char *join;  /* those of join; NULL: there is none */
	struct framing framing;
	const char *alphabet; /* what contents are made of */
} kinds[] = {
	{ "\"on\":\"newline\"", "\"with\":\"newline\"",
		{ .delimiter = "\n", .delimiter_size = 1, .newline = true }, "ab1 " },
	{ "\"on\":\"nul\"", "\"with\":\"nul\"", { .delimiter = "", .delimiter_size = 1 }, "ab1\n" },
	{ "\"on\":\"delimiter\",\"delimiter\":\"::\"",
		"\"with\":\"delimiter\",\"delimiter\":\"::\"",
		{ .delimiter = "::", .delimiter_size = 2 }, "ab\n0" },
	{ "\"on\":\"length\"", "\"with\":\"length\"", { .kind = FRAMING_LENGTH, .size = 4 },
		"ab\n0" },
	{ "\"on\":\"length\",\"bytes\":2,\"order\":\"little\",\"includes_header\":true",
		"\"with\":\"length\",\"bytes\":2,\"order\":\"little\",\"includes_header\":true",
		{ .kind = FRAMING_LENGTH, .size = 2, .little = true, .includes_header = true },
		"ab\n0" },
	{ "\"on\":\"length\",\"bytes\":8,\"order\":\"big\"", "\"with\":\"length\",\"bytes\":8",
		{ .kind = FRAMING_LENGTH, .size = 8 }, "ab\n0" },
	{ "\"on\":\"varint\"", "\"with\":\"varint\"", { .kind = FRAMING_VARINT }, "ab\n0" },
	{ "\"on\":\"netstring\"", "\"with\":\"netstring\"", { .kind = FRAMING_NETSTRING },
		"ab,:\n0" },
	{ "\"on\":\"octets\"", "\"with\":\"octets\"",
		{ .kind = FRAMING_OCTETS, .delimiter = "\n", .delimiter_size = 1 }, "ab <\n0" },
	{ "\"on\":\"fixed\",\"size\":\"6B\"", NULL, { .kind = FRAMING_FIXED, .size = FIXED },
		"ab\n0" },
	{ "\"on\":\"csv\"", NULL, { .kind = FRAMING_CSV, .delimiter = "\n", .delimiter_size = 1 },
		"ab,\"\n" },
	{ "\"on\":\"delimiter\",\"delimiter\":\"aa\"",
		"\"with\":\"delimiter\",\"delimiter\":\"aa\"",
		{ .delimiter = "aa", .delimiter_size = 2, .self_overlapping = true }, "b1\n " },
	{ "\"on\":\"start\",\"start\":\"^#\",\"flush_after\":\"1h\"", NULL,
		{ .kind = FRAMING_START, .delimiter = "\n", .delimiter_size = 1 }, "ab\n0" },
};

enum { KINDS = sizeof(kinds) / sizeof(*kinds) };

/* The last letter of the alphabet may end a csv line: it is put within quotes only. Where lines begin records, the first
 * does. */
static void make_content(const struct kind *kind, struct text *content, size_t most)
{
	size_t size = kind->framing.kind == FRAMING_FIXED ? FIXED : any(most + 1);
	if (kind->framing.kind == FRAMING_START)
		add(content, "#", 1);
	if (kind->framing.kind == FRAMING_START && size > 0)
		size--;
	size_t letters = strlen(kind->alphabet);
	bool quoted = false;
	for (size_t i = 0; i < size; i++) {
		char byte = kind->alphabet[any(letters)];
		if (kind->framing.kind == FRAMING_CSV && byte == '\n' && !quoted)
			byte = 'a';
		quoted ^= byte == '"';
		add(content, &byte, 1);
	}
	if (kind->framing.kind == FRAMING_CSV && quoted)
		add(content, "\"", 1);
	add(content, "", 0);
}

static bool is_line(const struct kind *kind, const struct text *content)
{
	bool plain = content->size == 0 ||
		     (content->data[0] > '9' && !memchr(content->data, '\n', content->size));
	return kind->framing.kind == FRAMING_OCTETS && plain;
}

static void add_framed(struct text *to, const struct kind *kind, const struct text *content)
{
	char prefix[PREFIX_MOST];
	bool line = is_line(kind, content);
	if (prefix_needed(&kind->framing) && !line)
		add(to, prefix, prefix_write(&kind->framing, content->size, prefix));
	add(to, content->data, content->size);
	if (kind->framing.kind == FRAMING_NETSTRING)
		add(to, ",", 1);
	if (line || !prefix_needed(&kind->framing))
		add(to, kind->framing.delimiter ? kind->framing.delimiter : "",
			kind->framing.delimiter_size);
}

/* How a length of four bytes tells the contents: what is compared. */
static const struct kind *const plain = &kinds[3];

struct sample {
	struct text in, expected;
	unsigned records, kept, dropped;
};

static bool passes(const struct text *content, const char *needle)
{
	return !needle || memmem(content->data, content->size, needle, strlen(needle));
}

static struct sample make_sample(
	const struct kind *kind, size_t records, size_t most, size_t limit, const char *needle)
{
	struct sample sample = { 0 };
	add(&sample.in, "", 0);
	add(&sample.expected, "", 0);
	for (size_t i = 0; i < records; i++) {
		struct text content = { 0 };
		make_content(kind, &content, most);
		add_framed(&sample.in, kind, &content);
		bool is_long = content.size > limit;
		sample.records++;
		sample.dropped += is_long;
		if (!is_long && passes(&content, needle)) {
			add_framed(&sample.expected, plain, &content);
			sample.kept++;
		}
		free(content.data);
	}
	return sample;
}

static void free_sample(struct sample *sample)
{
	free(sample->in.data);
	free(sample->expected.data);
}

static const char *const buffers[] = { "16B", "17B", "19B", "31B", "64B", "100B", "1KiB", "64KiB" };

static void check(struct bench *bench, const struct sample *sample, const char *stages)
{
	bench_run(bench);
	const struct node_report *split = bench_report(bench, "bench.split");
	cr_assert_eq(bench->out_size[0], sample->expected.size, "seed %llu, %s: %zu bytes, not %zu",
		(unsigned long long)chance_seed(), stages, bench->out_size[0],
		sample->expected.size);
	cr_assert(sample->expected.size == 0 ||
			  memcmp(bench->out[0], sample->expected.data, bench->out_size[0]) == 0,
		"seed %llu, %s", (unsigned long long)chance_seed(), stages);
	cr_assert_eq(split->account.found, sample->records, "%s: found %llu", stages,
		(unsigned long long)split->account.found);
	cr_assert_eq(split->account.dropped[DROP_TOO_LONG], sample->dropped, "%s", stages);
	cr_assert(bench_balances(bench), "%s", stages);
	cr_assert_eq(bench->copied, 0, "%s", stages);
	bench_free(bench);
}

/* What is kept of a sample: all, what has a letter, or what has not, in whatever framing it is asked. */
static void write_stages(char *to, size_t size, const struct kind *kind, size_t limit,
	const char *filter, const char *between)
{
	char most[80] = "";
	if (limit < SIZE_MAX)
		snprintf(most, sizeof(most), ",\"max_record\":\"%zuB\",\"too_long\":\"drop\"",
			limit);
	snprintf(to, size, "[{\"split\":{%s%s}}%s%s,{\"join\":{%s}}]", kind->split, most, between,
		filter, plain->join);
}

/* `chunk` 0: random pieces. */
static void try_sample(
	const struct sample *sample, const char *stages, const char *buffer, size_t chunk)
{
	struct segment segment = {
		.data = sample->in.data, .size = sample->in.size, .flags = VIEW_END
	};
	struct bench bench = { .stages = stages,
		.service_memory = "128MiB",
		.memory = strtoull(buffer, NULL, 10) > 65536 ? "64MiB" : "4MiB",
		.buffer = buffer,
		.segments = &segment,
		.segment_count = 1,
		.chunk = chunk,
		.speed = UINT64_MAX,
		.seed = (unsigned)random_next(&state) };
	check(&bench, sample, stages);
}

static void try_random(const struct kind *kind, size_t chunk)
{
	bool limited = kind->framing.kind != FRAMING_FIXED && any(2);
	size_t limit = limited ? 1 + any(40) : SIZE_MAX;
	const char *needle = any(2) ? "b" : NULL;
	struct sample sample = make_sample(kind, any(30), 44, limit, needle);
	char stages[512], between[128] = "";
	const struct kind *other = &kinds[any(KINDS)];
	if (other->join && other->framing.kind != FRAMING_DELIMITED && any(2))
		snprintf(between, sizeof(between), ",{\"join\":{%s}}", other->join);
	write_stages(
		stages, sizeof(stages), kind, limit, needle ? ",{\"filter\":\"b\"}" : "", between);
	struct segment segment = {
		.data = sample.in.data, .size = sample.in.size, .flags = VIEW_END
	};
	struct bench bench = { .stages = stages,
		.memory = "4MiB",
		.buffer = buffers[any(8)],
		.segments = &segment,
		.segment_count = 1,
		.chunk = chunk,
		.speed = any(2) ? UINT64_MAX : 0,
		.seed = (unsigned)random_next(&state) };
	check(&bench, &sample, stages);
	free_sample(&sample);
}

Test(framings, the_same_records_however_they_are_cut, .timeout = 300)
{
	set_seed();
	for (size_t kind = 0; kind < KINDS; kind++) {
		for (int i = 0; i < 1000; i++)
			try_random(&kinds[kind], 0);
		for (int i = 0; i < 20; i++)
			try_random(&kinds[kind], 1);
		for (int i = 0; i < 20; i++)
			try_random(&kinds[kind], SIZE_MAX);
	}
}

Test(framings, every_single_cut, .timeout = 300)
{
	set_seed();
	for (size_t kind = 0; kind < KINDS; kind++) {
		struct sample sample = make_sample(&kinds[kind], 8, 12, SIZE_MAX, NULL);
		char stages[512];
		write_stages(stages, sizeof(stages), &kinds[kind], SIZE_MAX, "", "");
		for (size_t cut = 0; cut <= sample.in.size; cut++) {
			struct segment segments[] = {
				{ .data = sample.in.data, .size = cut },
				{ .data = sample.in.data + cut,
					.size = sample.in.size - cut,
					.flags = VIEW_END },
			};
			struct bench bench = { .stages = stages,
				.memory = "1MiB",
				.buffer = "1KiB",
				.segments = segments,
				.segment_count = 2,
				.chunk = SIZE_MAX,
				.speed = UINT64_MAX };
			check(&bench, &sample, stages);
		}
		free_sample(&sample);
	}
}

/* A content of one letter over and over; where lines begin records, its first byte does. */
static struct text content_of(const struct kind *kind, size_t size)
{
	struct text content = { .data = malloc(size + 1), .size = size };
	cr_assert(content.data);
	memset(content.data, 'z', size);
	content.data[size] = '\0';
	if (kind->framing.kind == FRAMING_START && size > 0)
		content.data[0] = '#';
	return content;
}

static void add_sized(struct sample *sample, const struct kind *kind, size_t size, size_t limit)
{
	struct text content = content_of(kind, size);
	add_framed(&sample->in, kind, &content);
	sample->records++;
	if (size <= limit)
		add_framed(&sample->expected, plain, &content);
	else
		sample->dropped++;
	free(content.data);
}

static bool has_one_size(const struct kind *kind)
{
	return kind->framing.kind == FRAMING_FIXED;
}

/* Records of the limit − 1, the limit, one more and ten times that; the last is whole. */
Test(framings, records_about_the_limit, .timeout = 100)
{
	static const size_t sizes[] = { 99, 100, 101, 1000, 3 };
	for (size_t kind = 0; kind < KINDS; kind++) {
		if (has_one_size(&kinds[kind]))
			continue;
		struct sample sample = { 0 };
		for (size_t i = 0; i < 5; i++)
			add_sized(&sample, &kinds[kind], sizes[i], 100);
		char stages[512];
		write_stages(stages, sizeof(stages), &kinds[kind], 100, "", "");
		for (size_t i = 0; i < 8; i++)
			try_sample(&sample, stages, buffers[i], 0);
		free_sample(&sample);
	}
}

/* One record of `size` bytes, as it leaves where longer ones are cut, or made several. */
static void add_shortened(
	struct text *to, const struct kind *kind, size_t size, size_t limit, bool several)
{
	struct text content = content_of(kind, size);
	struct text piece = content;
	size_t left = several || size < limit ? size : limit;
	do {
		piece.size = left < limit ? left : limit;
		add_framed(to, plain, &piece);
		piece.data += piece.size;
		left -= piece.size;
	} while (left > 0);
	free(content.data);
}

static void check_shortened(const struct kind *kind, bool several, const char *buffer)
{
	static const size_t sizes[] = { 99, 100, 101, 1000, 3 };
	struct text in = { 0 }, expected = { 0 };
	char stages[512];
	for (size_t i = 0; i < 5; i++) {
		struct text content = content_of(kind, sizes[i]);
		add_framed(&in, kind, &content);
		add_shortened(&expected, kind, sizes[i], 100, several);
		free(content.data);
	}
	snprintf(stages, sizeof(stages),
		"[{\"split\":{%s,\"max_record\":\"100B\",\"too_long\":\"%s\"}},{\"join\":{%s}}]",
		kind->split, several ? "split" : "truncate", plain->join);
	struct segment segment = { .data = in.data, .size = in.size, .flags = VIEW_END };
	struct bench bench = { .stages = stages,
		.memory = "4MiB",
		.buffer = buffer,
		.segments = &segment,
		.segment_count = 1 };
	bench_run(&bench);
	const struct node_report *split = bench_report(&bench, "bench.split");
	cr_expect_eq(bench.out_size[0], expected.size, "%s: %zu", stages, bench.out_size[0]);
	cr_expect_eq(memcmp(bench.out[0], expected.data, expected.size), 0, "%s", stages);
	cr_expect_eq(split->records_out, several ? 15 : 5, "%s", stages);
	cr_expect_eq(split->account.truncated, several ? 0 : 2, "%s", stages);
	cr_expect(bench_balances(&bench), "%s", stages);
	bench_free(&bench);
	free(in.data);
	free(expected.data);
}

Test(framings, records_about_the_limit_are_cut_or_made_several, .timeout = 100)
{
	for (size_t kind = 0; kind < KINDS; kind++)
		for (size_t i = 0; i < 8; i++)
			if (kinds[kind].framing.kind == FRAMING_DELIMITED ||
				kinds[kind].framing.kind == FRAMING_START) {
				check_shortened(&kinds[kind], false, buffers[i]);
				check_shortened(&kinds[kind], true, buffers[i]);
			}
}

/* Each size from 16 bytes to 128, and a spread up to the largest. */
static size_t next_buffer(size_t size)
{
	static const size_t spread[] = { 160, 255, 256, 257, 500, 1000, 4095, 4096, 4097, 10000,
		65535, 65536, 100000, 1048575, 1048576 };
	if (size < 128)
		return size + 1;
	for (size_t i = 0; i < sizeof(spread) / sizeof(*spread); i++)
		if (spread[i] > size)
			return spread[i];
	return 0;
}

static void try_buffer(const struct sample *sample, const char *stages, size_t size)
{
	static const size_t chunks[] = { 0, 1, SIZE_MAX };
	char buffer[32];
	snprintf(buffer, sizeof(buffer), "%zuB", size);
	for (size_t i = 0; i < 3; i++)
		try_sample(sample, stages, buffer, chunks[i]);
}

Test(framings, every_buffer_size, .timeout = 300)
{
	set_seed();
	for (size_t kind = 0; kind < KINDS; kind++) {
		struct sample sample = make_sample(&kinds[kind], 12, 70, SIZE_MAX, NULL);
		char stages[512];
		write_stages(stages, sizeof(stages), &kinds[kind], SIZE_MAX, "", "");
		for (size_t size = 16; size > 0; size = next_buffer(size))
			try_buffer(&sample, stages, size);
		free_sample(&sample);
	}
}

/* What ends a record, and what is before it, at every offset of a buffer's border: the first record's size moves it. */
static void try_border(const struct kind *kind, size_t from, size_t to, const char *buffer)
{
	char stages[512];
	write_stages(stages, sizeof(stages), kind, SIZE_MAX, "", "");
	for (size_t size = from; size <= to; size++) {
		struct sample sample = { 0 };
		add_sized(&sample, kind, size, SIZE_MAX);
		add_sized(&sample, kind, 5, SIZE_MAX);
		add_sized(&sample, kind, 70, SIZE_MAX);
		try_sample(&sample, stages, buffer, SIZE_MAX);
		free_sample(&sample);
	}
}

Test(framings, a_border_at_every_offset_of_a_records_end, .timeout = 300)
{
	for (size_t kind = 0; kind < KINDS; kind++) {
		if (has_one_size(&kinds[kind]))
			continue; /* the buffers' sizes put its borders everywhere */
		try_border(&kinds[kind], 1, 130, "64B");
		/* Two bytes tell no more than this. */
		size_t border = kinds[kind].framing.size == 2 ? 32768 : 65536;
		try_border(
			&kinds[kind], border - 24, border + 4, border == 32768 ? "32KiB" : "64KiB");
	}
}

/* A line, and a prefix that tells, of 64 MiB: hardly a buffer is held, and the record behind is whole. */
static void check_flood(const char *split, const char *head, const char *tail)
{
	enum { FLOOD = 64 << 20 };
	struct text flood = { .data = malloc(FLOOD), .size = FLOOD };
	cr_assert(flood.data);
	memset(flood.data, 'a', FLOOD);
	struct segment segments[] = {
		{ .data = head, .size = strlen(head) },
		{ .data = flood.data, .size = FLOOD },
		{ .data = tail, .size = strlen(tail), .flags = VIEW_END },
	};
	char stages[256];
	snprintf(stages, sizeof(stages), "[{\"split\":{\"on\":\"%s\"}}]", split);
	struct bench bench = { .stages = stages,
		.memory = "8MiB",
		.buffer = "64KiB",
		.segments = segments,
		.segment_count = 3,
		.chunk = SIZE_MAX,
		.speed = UINT64_MAX };
	bench_run(&bench);
	const struct node_report *report = bench_report(&bench, "bench.split");
	cr_expect_eq(report->account.dropped[DROP_TOO_LONG], 1, "%s", split);
	cr_expect_eq(report->records_out, 1, "%s", split);
	cr_expect(bench_balances(&bench), "%s", split);
	bench_free(&bench);
	free(flood.data);
}

Test(framings, a_flood_is_passed_over, .timeout = 100)
{
	check_flood("octets", "67108864 ", "4 next");
	check_flood("octets", "<", "\n<next\n");
	check_flood("netstring", "67108864:", ",4:next,");
	check_flood("csv", "\"", "\"\nnext\n");
	check_flood("csv", "", "\nnext\n");
}

/* Two streams: what is wrong with one is counted, its rest passed over, and the other's records are whole. */
static void check_malformed(
	const char *split, const char *good, size_t good_size, const char *bad, size_t bad_size)
{
	struct text first = { 0 };
	add(&first, good, good_size);
	add(&first, bad, bad_size);
	add(&first, good, good_size);
	for (size_t chunk = 0; chunk < 4; chunk++) {
		struct segment segments[] = {
			{ .stream = 1, .data = good, .size = good_size - 1 },
			{ .stream = 0, .data = first.data, .size = first.size, .flags = VIEW_END },
			{ .stream = 1, .data = good + good_size - 1, .size = 1, .flags = VIEW_END },
			{ .stream = 0, .data = good, .size = good_size, .flags = VIEW_END },
		};
		char stages[256];
		snprintf(stages, sizeof(stages), "[{\"split\":{%s}}]", split);
		struct bench bench = { .stages = stages,
			.memory = "4MiB",
			.buffer = "64B",
			.segments = segments,
			.segment_count = 4,
			.chunk = chunk,
			.speed = UINT64_MAX };
		bench_run(&bench);
		const struct node_report *report = bench_report(&bench, "bench.split");
		cr_expect_eq(report->account.dropped[DROP_FRAMING], 1, "%s %s", split, bad);
		cr_expect_eq(report->records_out, 3, "%s %s: %llu", split, bad,
			(unsigned long long)report->records_out);
		cr_expect_eq(bench.out_size[0], 3 * good_size, "%s %s", split, bad);
		cr_expect(bench_balances(&bench), "%s %s", split, bad);
		bench_free(&bench);
	}
	free(first.data);
}

#define MALFORMED(split, good, bad)                                                                \
	check_malformed(split, good, sizeof(good) - 1, bad, sizeof(bad) - 1)

Test(framings, what_is_malformed_ends_its_stream_only, .timeout = 100)
{
	MALFORMED("\"on\":\"octets\"", "3 abc", "0 abc");
	MALFORMED("\"on\":\"octets\"", "3 abc", "012 abc");
	MALFORMED("\"on\":\"octets\"", "3 abc", "-1 abc");
	MALFORMED("\"on\":\"octets\"", "3 abc", "3abc");
	MALFORMED("\"on\":\"octets\"", "3 abc", "2147483648 abc");
	MALFORMED("\"on\":\"octets\"", "3 abc", "18446744073709551616 abc");
	MALFORMED("\"on\":\"netstring\"", "3:abc,", "3:abcd");
	MALFORMED("\"on\":\"netstring\"", "3:abc,", "x");
	MALFORMED("\"on\":\"netstring\",\"max_record\":\"3B\"", "3:abc,", "5:abcdex");
	MALFORMED("\"on\":\"varint\"", "\3abc", "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01");
	MALFORMED("\"on\":\"length\"", "\0\0\0\3abc", "\xff\xff\xff\xff");
	MALFORMED("\"on\":\"length\",\"includes_header\":true", "\0\0\0\7abc", "\0\0\0\3");
}

static void check_incomplete(
	const char *split, const char *text, uint32_t flags, enum drop_reason reason, size_t out)
{
	struct segment segment = { .data = text, .size = strlen(text), .flags = flags };
	char stages[256];
	snprintf(stages, sizeof(stages), "[{\"split\":{%s}}]", split);
	struct bench bench = { .stages = stages,
		.memory = "1MiB",
		.buffer = "16B",
		.segments = &segment,
		.segment_count = 1,
		.sockets = true };
	bench_run(&bench);
	const struct node_report *report = bench_report(&bench, "bench.split");
	cr_expect_eq(report->account.dropped[reason], 1, "%s: %s", split, text);
	cr_expect_eq(bench.out_size[0], out, "%s: %s", split, text);
	cr_expect(bench_balances(&bench));
	bench_free(&bench);
}

Test(framings, what_is_incomplete_is_dropped)
{
	check_incomplete("\"on\":\"octets\"", "3 abc5 abc", VIEW_END, DROP_INCOMPLETE, 5);
	check_incomplete("\"on\":\"octets\"", "3 abc5", VIEW_END, DROP_INCOMPLETE, 5);
	check_incomplete("\"on\":\"octets\"", "3 abc<5", VIEW_BROKEN, DROP_CUT, 5);
	check_incomplete("\"on\":\"octets\",\"unterminated\":\"drop\"", "3 abc<5", VIEW_END,
		DROP_INCOMPLETE, 5);
	check_incomplete("\"on\":\"netstring\"", "3:abc,3:abc", VIEW_END, DROP_INCOMPLETE, 6);
	check_incomplete("\"on\":\"fixed\",\"size\":\"20B\"", "abcdefghijklmnopqrst12345", VIEW_END,
		DROP_INCOMPLETE, 20);
	check_incomplete("\"on\":\"csv\"", "a,b\nc,\"d", VIEW_END, DROP_INCOMPLETE, 4);
	check_incomplete("\"on\":\"csv\"", "a,b\nc,d", VIEW_BROKEN, DROP_CUT, 4);
}

/* split ∘ join ∘ split: from any framing to any other and back. */
static void check_round_trip(const struct kind *from, const struct kind *to)
{
	struct kind safe = *from;
	safe.alphabet = "xy";
	struct sample sample = make_sample(&safe, 20, 50, SIZE_MAX, NULL);
	char there[512];
	snprintf(there, sizeof(there), "[{\"split\":{%s}},{\"join\":{%s}}]", from->split, to->join);
	struct segment segment = {
		.data = sample.in.data, .size = sample.in.size, .flags = VIEW_END
	};
	struct bench bench = { .stages = there,
		.memory = "4MiB",
		.buffer = buffers[any(8)],
		.segments = &segment,
		.segment_count = 1,
		.seed = (unsigned)random_next(&state) };
	bench_run(&bench);
	cr_assert_eq(bench_report(&bench, "bench.join")->records_out, sample.records, "%s", there);
	char back[512];
	write_stages(back, sizeof(back), to, SIZE_MAX, "", "");
	struct segment again = {
		.data = bench.out[0], .size = bench.out_size[0], .flags = VIEW_END
	};
	struct bench second = { .stages = back,
		.memory = "4MiB",
		.buffer = buffers[any(8)],
		.segments = &again,
		.segment_count = 1,
		.seed = (unsigned)random_next(&state) };
	check(&second, &sample, back);
	bench_free(&bench);
	free_sample(&sample);
}

Test(framings, from_any_to_any_and_back, .timeout = 100)
{
	set_seed();
	for (size_t from = 0; from < KINDS; from++)
		for (size_t to = 0; to < KINDS; to++)
			if (kinds[to].join)
				check_round_trip(&kinds[from], &kinds[to]);
}

static void check_stages(const char *stages, const char *text, const char *expected)
{
	struct segment segment = { .data = text, .size = strlen(text), .flags = VIEW_END };
	for (size_t chunk = 0; chunk < 20; chunk++) {
		struct bench bench = { .stages = stages,
			.memory = "1MiB",
			.buffer = "16B",
			.segments = &segment,
			.segment_count = 1,
			.chunk = chunk };
		bench_run(&bench);
		cr_assert_str_eq(bench.out[0] ? bench.out[0] : "", expected, "%s", stages);
		cr_assert(bench_balances(&bench), "%s", stages);
		bench_free(&bench);
	}
}

Test(framings, join_of_what_is_odd)
{
	check_stages("[\"split\",{\"join\":\"none\"}]", "ab\n\ncd\ne", "abcde");
	check_stages("[{\"split\":\"csv\"},{\"filter\":{\"not\":\"b\"}},{\"join\":\"nul\"}]",
		"\"a\nb\"\n", "");
	check_stages("[\"split\",{\"join\":\"octets\"}]", "ab\n\ncd", "2 ab\n2 cd");
	check_stages("[{\"split\":{\"on\":\"newline\",\"crlf\":true}},{\"join\":\"newline\"}]",
		"ab\r\nc\n\r\nd", "ab\nc\n\nd");
	check_stages("[{\"split\":\"octets\"},{\"join\":\"newline\"},{\"filter\":\"b\"}]",
		"5 x\nb\na3 abc2 aa<b", "x\nb\na\nabc\n<b");
	check_stages(
		"[{\"split\":{\"on\":\"newline\",\"too_long\":\"split\",\"max_record\":\"2B\"}},"
		"{\"join\":\"none\"}]",
		"abcde\nf\n", "abcdef");
	check_stages(
		"[{\"split\":{\"on\":\"newline\",\"too_long\":\"split\",\"max_record\":\"2B\"}},"
		"{\"join\":\"newline\"}]",
		"abcde\nf", "ab\ncd\ne\nf");
}

Test(framings, what_a_length_cannot_tell_is_dropped)
{
	char line[301];
	memset(line, 'a', 299);
	line[299] = '\n';
	line[300] = '\0';
	struct segment segments[] = { { .data = line, .size = 300 },
		{ .data = "b\n", .size = 2, .flags = VIEW_END } };
	struct bench bench = {
		.stages = "[\"split\",{\"join\":{\"with\":\"length\",\"bytes\":1}}]",
		.memory = "1MiB",
		.buffer = "16B",
		.segments = segments,
		.segment_count = 2,
	};
	bench_run(&bench);
	cr_expect_str_eq(bench.out[0], "\1b");
	cr_expect_eq(bench_report(&bench, "bench.join")->account.dropped[DROP_TOO_LONG], 1);
	cr_expect(bench_balances(&bench));
	bench_free(&bench);
}

/* Many streams that trickle into a small pool: some lose records, and all is counted. */
/* `whole`: the size of each record in octets, if it is always the same. */
static void check_pressure(const char *split, const char *record, size_t whole)
{
	enum { STREAMS = 60, SEGMENTS = 3000 };
	static struct segment segments[SEGMENTS + STREAMS];
	size_t size = strlen(record), at[STREAMS] = { 0 };
	for (size_t i = 0; i < SEGMENTS; i++) {
		uint32_t stream = (uint32_t)any(STREAMS);
		size_t part = 1 + any(size - at[stream]);
		segments[i] = (struct segment){
			.stream = stream, .data = record + at[stream], .size = part
		};
		at[stream] = (at[stream] + part) % size;
	}
	for (uint32_t i = 0; i < STREAMS; i++)
		segments[SEGMENTS + i] = (struct segment){
			.stream = i, .data = record, .flags = any(4) ? VIEW_END : VIEW_BROKEN
		};
	char stages[256];
	snprintf(stages, sizeof(stages),
		"[{\"split\":{%s,\"max_record\":\"4KiB\"}},{\"filter\":\"b\"},"
		"{\"join\":\"octets\"}]",
		split);
	struct bench bench = { .stages = stages,
		.memory = "700KiB",
		.buffer = "1KiB",
		.segments = segments,
		.segment_count = SEGMENTS + STREAMS,
		.chunk = SIZE_MAX,
		.speed = 0,
		.seed = (unsigned)random_next(&state) };
	bench_run(&bench);
	cr_assert(
		bench_balances(&bench), "seed %llu, %s", (unsigned long long)chance_seed(), split);
	const struct node_report *report = bench_report(&bench, "bench.split");
	cr_assert_eq(report->account.dropped[DROP_FRAMING], 0, "%s", split);
	if (whole)
		cr_assert_eq(bench.out_size[0], report->records_out * whole, "%s", split);
	if (whole)
		cr_assert_gt(report->account.dropped[DROP_MEMORY], 0, "%s", split);
	bench_free(&bench);
}

Test(framings, many_streams_in_a_small_pool, .timeout = 200)
{
	char record[3000], line[1500];
	set_seed();
	memset(record, 'b', sizeof(record));
	for (size_t i = 80; i < sizeof(record); i += 80)
		record[i] = '\n';
	snprintf(line, sizeof(line), "%d ", 2994);
	for (size_t i = 0; i < strlen(line); i++)
		record[i] = line[i];
	record[sizeof(record) - 1] = '\0';
	check_pressure("\"on\":\"octets\"", record, 2999);
	record[4] = ':';
	record[sizeof(record) - 2] = ',';
	record[0] = '2';
	record[3] = '3';
	check_pressure("\"on\":\"netstring\"", record, 2998);
	check_pressure("\"on\":\"start\",\"start\":\"^2\"", record, 0);
	check_pressure("\"on\":\"start\",\"preset\":\"indent\"", record, 0);
	record[1] = '"';
	check_pressure("\"on\":\"csv\"", record, 0);
}
