/* filter: the bytes that grep would give, whatever the sizes of chunks, buffers and the sink; and what it does with
 * views. */

#include "pipeline/flow/record.h"
#include "pipeline/io/loop.h"
#include "pipeline/plan.h"
#include "pipeline/registry.h"
#include "pipeline/search/condition.h"

#include "tests/support/bench.h"
#include "tests/support/chance.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct text {
	char *data;
	size_t size;
};

static void add(struct text *text, const char *data, size_t size)
{
	text->data = realloc(text->data, text->size + size + 1);
	cr_assert(text->data);
	memcpy(text->data + text->size, data, size);
	text->size += size;
	text->data[text->size] = '\0';
}

static struct text read_stream(FILE *stream)
{
	struct text text = { 0 };
	char piece[65536];
	size_t size;
	add(&text, "", 0);
	while ((size = fread(piece, 1, sizeof(piece), stream)) > 0)
		add(&text, piece, size);
	return text;
}

static struct text read_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	cr_assert(file, "%s", path);
	struct text text = read_stream(file);
	fclose(file);
	return text;
}

/* Beside grep */

static const struct {
	const char *grep, *filter;
} pairs[] = {
	{ "-F -e error", "\"error\"" },
	{ "-F -v -e error", "{\"not\":\"error\"}" },
	{ "-F -e 0", "\"0\"" },
	{ "-F -v -e 0", "{\"not\":\"0\"}" },
	{ "-F -e nowhere_at_all", "\"nowhere_at_all\"" },
	{ "-F -v -e nowhere_at_all", "{\"not\":\"nowhere_at_all\"}" },
	{ "-F -i -e ERROR", "{\"contains\":\"ERROR\",\"ignore_case\":true}" },
	{ "-F -i -v -e From", "{\"not\":{\"contains\":\"From\",\"ignore_case\":true}}" },
	{ "-F -e root -e failure -e 10.2 -e '[error]'",
		"{\"contains\":[\"root\",\"failure\",\"10.2\",\"[error]\"]}" },
	{ "-F -v -e root -e INFO -e notice",
		"{\"not\":{\"contains\":[\"root\",\"INFO\",\"notice\"]}}" },
	{ "-F -i -e ROOT -e e", "{\"contains\":[\"ROOT\",\"e\"],\"ignore_case\":true}" },
	{ "-P -e 'user\\w* \\S+'", "{\"regex\":\"user\\\\w* \\\\S+\"}" },
	{ "-P -e 'for (?!root)\\w+'", "{\"regex\":\"for (?!root)\\\\w+\"}" },
	{ "-P -e '^\\[?[JSD]'", "{\"regex\":\"^\\\\[?[JSD]\"}" },
	{ "-P -e '\\d+\\s*$'", "{\"regex\":\"\\\\d+\\\\s*$\"}" },
	{ "-P -e '\\d$'", "{\"regex\":\"\\\\d$\"}" },
	{ "-P -v -e '[^x]{90}'", "{\"not\":{\"regex\":\"[^x]{90}\"}}" },
	{ "-P -e '(\\d)\\1\\1'", "{\"regex\":\"(\\\\d)\\\\1\\\\1\"}" },
	{ "-P -i -e 'WARN|FAIL(ED|URE)|denied'",
		"{\"regex\":\"WARN|FAIL(ED|URE)|denied\",\"ignore_case\":true}" },
	{ "-P -v -e 'blk_-?\\d+|sshd\\[\\d+\\]'",
		"{\"not\":{\"regex\":[\"blk_-?\\\\d+\",\"sshd\\\\[\\\\d+\\\\]\"]}}" },
	{ "-P -e 'from.*port|port.*from'",
		"{\"all\":[{\"contains\":\"from\"},{\"contains\":\"port\"},"
		"{\"regex\":\"from.*port|port.*from\"}]}" },
	{ "-P -e '^(?=.*from)(?!.*port)'", "{\"contains\":\"from\",\"not\":\"port\"}" },
	{ "-P -v -e 'from|port'", "{\"all\":[{\"not\":\"from\"},{\"not\":\"port\"}]}" },
	{ "-P -e '^(Dec|Jun|\\[)|\\d\\s*$'", "{\"any\":[{\"starts_with\":[\"Dec\",\"Jun\",\"[\"]},{"
					     "\"regex\":\"\\\\d\\\\s*$\"}]}" },
	{ "-P -e '(\\r|6)$'", "{\"ends_with\":[\"\\r\",\"6\"]}" },
};

static struct text grep(const char *options, const char *path)
{
	char command[1024];
	snprintf(command, sizeof(command), "LC_ALL=C grep -a %s -- '%s'", options, path);
	FILE *pipe = popen(command, "r");
	cr_assert(pipe);
	struct text text = read_stream(pipe);
	int status = pclose(pipe);
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) < 2, "%s", command);
	return text;
}

static struct text filtered(const char *condition, const struct text *input)
{
	static const char *const buffers[] = { "16B", "64B", "1KiB", "64KiB", "256KiB" };
	static const uint64_t speeds[] = { 0, 97, 5000, UINT64_MAX };
	char stages[16000];
	snprintf(stages, sizeof(stages), "[\"split\",{\"filter\":%s}]", condition);
	uint32_t large = 2 + chance(3);
	struct segment segment = { .data = input->data, .size = input->size, .flags = VIEW_END };
	struct bench bench = { .stages = stages,
		.segments = &segment,
		.segment_count = 1,
		.buffer = buffers[input->size > 100000 ? large : chance(5)],
		.chunk = chance(3) ? (size_t)16 << chance(15) : 0,
		.speed = input->size > 100000 ? speeds[2 + chance(2)] : speeds[chance(4)],
		.seed = (unsigned)chance_seed() };
	bench_run(&bench);
	cr_expect(bench_balances(&bench), "seed %llu: %s", (unsigned long long)chance_seed(),
		condition);
	cr_expect_eq(bench.copied, 0, "%s", condition);
	struct text text = { 0 };
	add(&text, bench.out[0] ? bench.out[0] : "", bench.out_size[0]);
	bench_free(&bench);
	return text;
}

/* grep ends the last line, filter leaves it as it came. */
static void end_last_line(struct text *text)
{
	if (text->size > 0 && text->data[text->size - 1] != '\n')
		add(text, "\n", 1);
}

static void compare(
	const char *options, const char *condition, const char *path, const struct text *input)
{
	struct text expected = grep(options, path);
	struct text got = filtered(condition, input);
	end_last_line(&got);
	cr_assert(got.size == expected.size && memcmp(got.data, expected.data, got.size) == 0,
		"seed %llu: %s of %s: %zu bytes, grep %s: %zu bytes",
		(unsigned long long)chance_seed(), condition, path, got.size, options,
		expected.size);
	free(got.data);
	free(expected.data);
}

/* Words of the input, one a line, some of them cut. */
static void write_words(const char *path, const struct text *input, uint32_t count)
{
	FILE *file = fopen(path, "wb");
	cr_assert(file);
	for (uint32_t i = 0; i < count; i++) {
		size_t at = chance((uint32_t)input->size), size = 0;
		while (at + size < input->size && size < 4 + chance(12) &&
			input->data[at + size] > ' ' && input->data[at + size] < 0x7f)
			size++;
		if (size > 0)
			fprintf(file, "%.*s\n", (int)size, input->data + at);
	}
	fprintf(file, "nowhere_at_all\n");
	fclose(file);
}

static void compare_words(const char *path, const struct text *input, uint32_t count, bool fold)
{
	char words[] = "/tmp/viewduct-words-XXXXXX", options[64], condition[128];
	int descriptor = mkstemp(words);
	cr_assert_geq(descriptor, 0);
	close(descriptor);
	write_words(words, input, count);
	snprintf(options, sizeof(options), "-F %s -f %s", fold ? "-i" : "", words);
	snprintf(condition, sizeof(condition),
		"{\"contains\":{\"$lines\":\"%s\"},\"ignore_case\":%s}", words,
		fold ? "true" : "false");
	compare(options, condition, path, input);
	unlink(words);
}

static void compare_all(const char *path)
{
	struct text input = read_file(path);
	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++)
		compare(pairs[i].grep, pairs[i].filter, path, &input);
	for (uint32_t count = 2; count < 500; count *= 4)
		compare_words(path, &input, count, chance(2));
	free(input.data);
}

/* A log with what real ones lack: empty lines, CRs, bytes that are no text, lines larger than a buffer, no last end. */
static void write_log(const char *path, uint32_t lines)
{
	static const char *const words[] = { "error", "from", "port", "user root", "FAILED", "root",
		"Dec", "[error]", "10.2", "denied", "sshd[12]", "blk_-7", "\r", "\xff\xe9", "111",
		"x", "  ", "6", "INFO", "for ", "warn" };
	FILE *file = fopen(path, "wb");
	cr_assert(file);
	for (uint32_t i = 0; i < lines; i++) {
		uint32_t count = chance(40) ? chance(9) : chance(400);
		for (uint32_t j = 0; j < count; j++) {
			fputs(words[chance(sizeof(words) / sizeof(*words))], file);
			if (chance(60) == 0)
				fputc(0, file);
			if (chance(2))
				fputc(' ', file);
		}
		if (i + 1 < lines)
			fputs(chance(4) ? "\n" : "\r\n", file);
	}
	fclose(file);
}

Test(filter, gives_what_grep_gives, .timeout = 120)
{
	char path[] = "/tmp/viewduct-log-XXXXXX";
	int descriptor = mkstemp(path);
	cr_assert_geq(descriptor, 0);
	close(descriptor);
	chance_begin();
	write_log(path, 300);
	compare_all(path);
	write_log(path, 3000);
	compare_all(path);
	unlink(path);
}

Test(filter, gives_what_grep_gives_of_real_logs, .timeout = 120)
{
	const char *folder = getenv("VIEWDUCT_LOGS");
	DIR *directory = folder ? opendir(folder) : NULL;
	if (!directory) {
		puts("filter: no real logs, VIEWDUCT_LOGS names no folder: skipped");
		fflush(stdout);
		cr_skip();
	}
	chance_begin();
	unsigned files = 0;
	for (struct dirent *entry; (entry = readdir(directory));) {
		char path[1024];
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		if (entry->d_name[0] == '.')
			continue;
		compare_all(path);
		files++;
	}
	closedir(directory);
	cr_expect_gt(files, 0, "%s is empty", folder);
}

/* By hand: one filter between two batches, without an engine */

struct hand {
	struct document document;
	struct faults faults;
	struct framing framing;
	struct node node;
	struct pipeline pipeline;
	struct pool *pool;
	struct batch in, out;
};

enum { HAND_BUFFERS = 64, HAND_BUFFER = 64, HAND_ROOM = 16 };

static bool hand_plan(struct hand *hand, enum flow_kind kind)
{
	struct shape in = { .kind = kind,
		.framing = kind == FLOW_RECORDS ? &hand->framing : NULL,
		.max_record = 256,
		.most_views = 8 };
	struct shape out = { 0 };
	bool planned = stage_filter.type.plan(&hand->node, &in, &out, &hand->faults);
	cr_assert(!planned || (out.kind == FLOW_RECORDS && out.max_record == 256));
	return planned;
}

/* `out_room` views fit behind it. */
static void hand_open(struct hand *hand, const char *condition, uint32_t out_room)
{
	*hand = (struct hand){ .framing = framing_delimited("\n", 1, false) };
	const struct stage_ops *ops = &stage_filter;
	cr_assert(document_parse(
		&hand->document, "hand.json", condition, strlen(condition), true, &hand->faults));
	hand->node = (struct node){ .type = &ops->type,
		.role = NODE_STAGE,
		.name = "hand.filter",
		.value = hand->document.root,
		.pipeline = &hand->pipeline,
		.framing = &hand->framing };
	hand->node.state = calloc(1, ops->type.state_size);
	cr_assert(options_read(
		ops->type.options, hand->document.root, "filter", hand->node.state, &hand->faults));
	hand->pool = pool_create(HAND_BUFFERS, HAND_BUFFER);
	cr_assert(hand->pool);
	cr_assert(batch_open(&hand->in, FLOW_RECORDS, HAND_ROOM));
	cr_assert(batch_open(&hand->out, FLOW_RECORDS, out_room));
}

static void hand_start(struct hand *hand, const char *condition, uint32_t out_room)
{
	hand_open(hand, condition, out_room);
	cr_assert(hand_plan(hand, FLOW_RECORDS));
	cr_assert(stage_filter.type.open(&hand->node, &hand->faults));
}

static void hand_close(struct hand *hand)
{
	stage_filter.type.close(&hand->node);
	batch_close(&hand->in);
	batch_close(&hand->out);
	cr_expect_eq(pool_free(hand->pool), HAND_BUFFERS);
	pool_destroy(hand->pool);
	free(hand->node.state);
	document_close(&hand->document);
	faults_close(&hand->faults);
}

static void hand_process(struct hand *hand)
{
	stage_filter.process(&hand->node, &hand->in, &hand->out);
}

/* Publishes text in `buffer`, or in one of its own. */
static struct view view_of(struct hand *hand, struct buffer *buffer, const char *text, uint32_t tag)
{
	struct buffer *own = buffer ? NULL : pool_take(hand->pool);
	struct buffer *to = buffer ? buffer : own;
	cr_assert(to && strlen(text) <= buffer_room(to));
	memcpy(buffer_end(to), text, strlen(text));
	struct view view = view_publish(to, (uint32_t)strlen(text));
	view.tag = tag;
	buffer_release(&own);
	return view;
}

static void put(struct hand *hand, const char *text, uint32_t tag)
{
	struct view view = view_of(hand, NULL, text, tag);
	cr_assert(batch_put(&hand->in, &view));
}

/* The first view that came out is these bytes, with this tag. */
static void expect_out(struct hand *hand, const char *text, uint32_t tag)
{
	cr_assert_gt(hand->out.count, 0, "nothing came out for %s", text);
	struct view view = batch_take(&hand->out);
	cr_expect(view.size == strlen(text) && memcmp(view.data, text, view.size) == 0,
		"%.*s instead of %s", (int)view.size, view.data, text);
	cr_expect_eq(view.tag, tag, "tag %x instead of %x of %s", view.tag, tag, text);
	view_drop(&view);
}

static void expect_no_more(struct hand *hand, uint64_t filtered)
{
	cr_expect_eq(hand->out.count, 0);
	cr_expect_eq(hand->node.account.filtered, filtered);
	cr_expect_eq(hand->in.taken.records, hand->out.put.records + filtered);
}

Test(filter, moves_a_run_that_survives_wholly)
{
	struct hand hand;
	hand_start(&hand, "\"a\"", 4);
	struct view view = view_of(&hand, NULL, "a\nab\na", 3 | VIEW_BARE);
	const char *data = view.data;
	struct buffer *buffer = view.buffer;
	cr_assert(batch_put(&hand.in, &view));
	hand_process(&hand);
	cr_expect_eq(batch_peek(&hand.out, 0)->data, data);
	cr_expect_eq(buffer->holders, 1);
	expect_out(&hand, "a\nab\na", 3 | VIEW_BARE);
	expect_no_more(&hand, 0);
	hand_close(&hand);
}

Test(filter, cuts_a_run_into_stretches)
{
	struct hand hand;
	hand_start(&hand, "\"a\"", 4);
	put(&hand, "x\na\nab\nx\n\nba\ny\na", 8 | VIEW_BARE);
	put(&hand, "x\ny", 2 | VIEW_BARE);
	hand_process(&hand);
	expect_out(&hand, "a\nab\n", 2);
	expect_out(&hand, "ba\n", 1);
	expect_out(&hand, "a", 1 | VIEW_BARE);
	expect_no_more(&hand, 6);
	hand_close(&hand);
}

Test(filter, passes_what_lies_between_where_the_condition_is_turned_round)
{
	struct hand hand;
	hand_start(&hand, "{\"not\":\"a\"}", 4);
	put(&hand, "x\ny\na\nab\nx\n\nba\ny", 8 | VIEW_BARE);
	put(&hand, "a\na", 2 | VIEW_BARE);
	put(&hand, "x\ny", 2 | VIEW_BARE);
	hand_process(&hand);
	expect_out(&hand, "x\ny\n", 2);
	expect_out(&hand, "x\n\n", 2);
	expect_out(&hand, "y", 1 | VIEW_BARE);
	expect_out(&hand, "x\ny", 2 | VIEW_BARE);
	expect_no_more(&hand, 5);
	hand_close(&hand);
}

/* What is found is put as room comes; the input is let go of up to there. */
static void check_stops(const char *condition, const char *text, uint32_t records,
	const char *const *stretches, const uint32_t *left)
{
	struct hand hand;
	hand_start(&hand, condition, 1);
	put(&hand, text, records);
	for (unsigned i = 0; i < 3; i++) {
		for (int again = 0; again < 3; again++)
			hand_process(&hand);
		cr_expect_eq(hand.in.count, left[i] > 0);
		if (left[i] > 0)
			cr_expect_eq(batch_peek(&hand.in, 0)->size, left[i]);
		expect_out(&hand, stretches[i], 1);
	}
	hand_process(&hand);
	expect_no_more(&hand, records - 3);
	hand_close(&hand);
}

Test(filter, stops_where_there_is_no_room_and_goes_on)
{
	check_stops("\"a\"", "x\nay\nx\nx\naz\nx\na\nx\n", 8,
		(const char *const[]){ "ay\n", "az\n", "a\n" }, (const uint32_t[]){ 9, 4, 0 });
	check_stops("{\"not\":\"x\"}", "x\nay\nx\nx\naz\nx\na\nx\n", 8,
		(const char *const[]){ "ay\n", "az\n", "a\n" }, (const uint32_t[]){ 9, 4, 0 });
}

/* A neighbour that joins the head while it waits is seen. */
static void check_growing_head(const char *condition)
{
	struct hand hand;
	hand_start(&hand, condition, 1);
	struct buffer *buffer = pool_take(hand.pool);
	cr_assert(buffer);
	struct view view = view_of(&hand, buffer, "a1\nx\na2\n", 3);
	cr_assert(batch_put(&hand.in, &view));
	hand_process(&hand);
	view = view_of(&hand, buffer, "a3\nx\na4", 3 | VIEW_BARE);
	cr_assert(batch_put(&hand.in, &view));
	cr_assert_eq(hand.in.count, 1);
	expect_out(&hand, "a1\n", 1);
	hand_process(&hand);
	expect_out(&hand, "a2\n", 1);
	hand_process(&hand);
	expect_out(&hand, "a3\n", 1);
	hand_process(&hand);
	expect_out(&hand, "a4", 1 | VIEW_BARE);
	expect_no_more(&hand, 2);
	buffer_release(&buffer);
	hand_close(&hand);
}

Test(filter, sees_what_joins_its_input_while_it_waits)
{
	check_growing_head("\"a\"");
	check_growing_head("{\"not\":\"x\"}");
}

static void put_record(struct hand *hand, const char *const *pieces, uint32_t count, uint32_t tag)
{
	struct view views[8];
	for (uint32_t i = 0; i < count; i++)
		views[i] = view_of(hand, NULL, pieces[i], i + 1 < count ? 0 : tag);
	cr_assert(batch_put_all(&hand->in, views, count));
}

Test(filter, judges_a_record_in_several_views_once)
{
	struct hand hand;
	hand_start(&hand, "\"hit\"", 3);
	put(&hand, "hit1\n", 1);
	put_record(&hand, (const char *const[]){ "a h", "i", "t\nx\nhit2\n" }, 3, 3);
	put_record(&hand, (const char *const[]){ "a h", "i", "\nhit3" }, 3, 2 | VIEW_BARE);
	hand_process(&hand);
	hand_process(&hand);
	cr_expect_eq(hand.node.account.peeked, 6);
	cr_expect_eq(hand.in.count, 6);
	expect_out(&hand, "hit1\n", 1);
	hand_process(&hand);
	expect_out(&hand, "a h", 0);
	hand_process(&hand);
	expect_out(&hand, "i", 0);
	expect_out(&hand, "t\n", 1);
	expect_out(&hand, "hit2\n", 1);
	hand_process(&hand);
	cr_expect_eq(hand.node.account.peeked, 11);
	expect_out(&hand, "hit3", 1 | VIEW_BARE);
	expect_no_more(&hand, 2);
	hand_close(&hand);
}

Test(filter, does_not_look_beyond_a_mark)
{
	struct hand hand;
	hand_start(&hand, "\"a\"", 4);
	put(&hand, "a\n", 1);
	batch_set_mark(&hand.in);
	put(&hand, "a\nx\n", 2);
	hand_process(&hand);
	expect_out(&hand, "a\n", 1);
	expect_no_more(&hand, 0);
	cr_expect(batch_mark_reached(&hand.in));
	batch_clear_mark(&hand.in);
	hand_process(&hand);
	expect_out(&hand, "a\n", 1);
	expect_no_more(&hand, 1);
	hand_close(&hand);
}

Test(filter, plans_again_and_compiles_once)
{
	struct hand hand;
	hand_open(&hand, "{\"regex\":\"a\\\\d\",\"contains\":\"literal\"}", 4);
	cr_assert(hand_plan(&hand, FLOW_RECORDS));
	uint64_t charge = hand.node.charge;
	struct condition *condition = hand.node.state;
	condition->regex.items[0].data = "(";
	condition->regex.items[0].size = 1;
	hand.node.charge = 0;
	cr_expect(hand_plan(&hand, FLOW_RECORDS), "it was compiled again");
	cr_expect_eq(hand.node.charge, charge);
	cr_expect_geq(charge, 256);
	cr_expect_str_eq(hand.node.how, "literal over the run, PCRE2 judges");
	hand.framing = framing_delimited("a\0b", 3, false);
	cr_expect_not(hand_plan(&hand, FLOW_RECORDS), "it was not compiled for another framing");
	hand_close(&hand);
}

Test(filter, refuses_bytes)
{
	struct hand hand;
	hand_open(&hand, "\"a\"", 4);
	cr_expect_not(hand_plan(&hand, FLOW_BYTES));
	cr_expect_str_eq(hand.faults.items[0].message, "`filter` needs records");
	hand_close(&hand);
}

Test(filter, counts_a_record_that_a_pattern_gives_up_on_as_not_matching)
{
	struct hand hand;
	const char *why;
	hand_start(&hand, "{\"regex\":\"^(a+)+$\"}", 4);
	hand.node.loop = loop_create(LOOP_EPOLL, &why);
	cr_assert(hand.node.loop, "%s", why);
	put(&hand, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\naaa\n", 2);
	hand_process(&hand);
	expect_out(&hand, "aaa\n", 1);
	expect_no_more(&hand, 1);
	loop_destroy(hand.node.loop);
	hand.node.loop = NULL;
	hand_close(&hand);
}
