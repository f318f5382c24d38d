/* Records that begin at lines: against a model, and on traces that Java and Python wrote. */

#include "tests/support/bench.h"
#include "tests/support/chance.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum rule { RULE_TRUNCATE, RULE_DROP, RULE_SPLIT };

struct text {
	char *data;
	size_t size;
};

static uint64_t state;

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

struct model {
	size_t limit;
	enum rule rule;
	bool omits; /* what lacks its last LF */
	const char *needle;
	struct text out; /* contents behind lengths of four bytes */
	unsigned too_long, incomplete, truncated;
};

static void emit(struct model *model, const char *data, size_t size)
{
	char length[4] = { (char)(size >> 24), (char)(size >> 16), (char)(size >> 8), (char)size };
	if (model->needle && !memmem(data, size, model->needle, strlen(model->needle)))
		return;
	add(&model->out, length, 4);
	add(&model->out, data, size);
}

static void judge(struct model *model, const char *data, size_t size)
{
	bool whole = data[size - 1] == '\n';
	size -= whole;
	if (size > model->limit && model->rule == RULE_DROP) {
		model->too_long++;
		return;
	}
	if (size > model->limit && model->rule == RULE_TRUNCATE) {
		model->truncated++;
		emit(model, data, model->limit);
		return;
	}
	for (; size > model->limit; data += model->limit, size -= model->limit)
		emit(model, data, model->limit);
	if (!whole && model->omits)
		model->incomplete++;
	else
		emit(model, data, size);
}

/* `begins` says of a line, and its number from 1, whether a record begins there. */
static void consult(struct model *model, const struct text *text,
	bool (*begins)(const char *line, size_t size, size_t number))
{
	size_t start = 0, line = 0, number = 1;
	add(&model->out, "", 0);
	while (line < text->size) {
		const char *end = memchr(text->data + line, '\n', text->size - line);
		size_t next = end ? (size_t)(end - text->data) + 1 : text->size;
		if (line > start &&
			begins(text->data + line, next - line - (end != NULL), number)) {
			judge(model, text->data + start, line - start);
			start = line;
		}
		line = next;
		number++;
	}
	if (text->size > start)
		judge(model, text->data + start, text->size - start);
}

static const char *const buffers[] = { "16B", "17B", "31B", "64B", "1KiB", "64KiB" };

static void compare(struct bench *bench, const struct model *model)
{
	bench_run(bench);
	const struct node_report *split = bench_report(bench, "bench.split");
	cr_assert_eq(bench->out_size[0], model->out.size, "seed %llu, %s, buffer %s: %zu, not %zu",
		(unsigned long long)chance_seed(), bench->stages, bench->buffer, bench->out_size[0],
		model->out.size);
	cr_assert(model->out.size == 0 ||
			  memcmp(bench->out[0], model->out.data, model->out.size) == 0,
		"seed %llu, %s", (unsigned long long)chance_seed(), bench->stages);
	cr_assert_eq(split->account.dropped[DROP_TOO_LONG], model->too_long, "%s", bench->stages);
	cr_assert_eq(
		split->account.dropped[DROP_INCOMPLETE], model->incomplete, "%s", bench->stages);
	cr_assert_eq(split->account.truncated, model->truncated, "%s", bench->stages);
	cr_assert(bench_balances(bench), "%s", bench->stages);
	cr_assert_eq(bench->copied, 0, "%s", bench->stages);
	bench_free(bench);
}

static bool begins_with_a_or_b(const char *line, size_t size, size_t number)
{
	(void)number;
	return size > 0 && (line[0] == 'a' || line[0] == 'b');
}

static struct text random_text(size_t size)
{
	static const char alphabet[] = "aabx \n\n\r";
	struct text text = { 0 };
	add(&text, "", 0);
	for (size_t i = 0; i < size; i++)
		add(&text, &alphabet[any(sizeof(alphabet) - 1)], 1);
	return text;
}

static void try_random(void)
{
	static const char *const rules[] = { "truncate", "drop", "split" };
	static const char *const lasts[] = { "keep", "complete", "drop" };
	size_t last = any(3);
	struct text text = random_text(any(400));
	struct model model = { .limit = 1 + any(40),
		.rule = (enum rule)any(3),
		.omits = last == 2,
		.needle = any(3) ? NULL : "b" };
	char stages[512];
	snprintf(stages, sizeof(stages),
		"[{\"split\":{\"on\":\"start\",\"start\":\"^[ab]\",\"max_record\":\"%zuB\","
		"\"too_long\":\"%s\",\"unterminated\":\"%s\"}}%s,{\"join\":\"length\"}]",
		model.limit, rules[model.rule], lasts[last],
		model.needle ? ",{\"filter\":\"b\"}" : "");
	consult(&model, &text, begins_with_a_or_b);
	struct segment segment = { .data = text.data, .size = text.size, .flags = VIEW_END };
	struct bench bench = { .stages = stages,
		.memory = "4MiB",
		.buffer = buffers[any(6)],
		.segments = &segment,
		.segment_count = 1,
		.chunk = any(3) ? 0 : 1,
		.speed = any(2) ? UINT64_MAX : 0,
		.seed = (unsigned)random_next(&state) };
	compare(&bench, &model);
	free(text.data);
	free(model.out.data);
}

Test(split_start, equals_the_model, .timeout = 300)
{
	chance_begin();
	state = chance_seed();
	for (int i = 0; i < 1500; i++)
		try_random();
}

static const char *const trace_stages =
	"[{\"split\":{\"on\":\"start\",\"preset\":\"%s\"}},{\"join\":\"length\"}]";

static struct text read_file(const char *path)
{
	struct text text = { 0 };
	char piece[4096];
	size_t size;
	FILE *file = fopen(path, "rb");
	cr_assert(file, "%s", path);
	while ((size = fread(piece, 1, sizeof(piece), file)) > 0)
		add(&text, piece, size);
	fclose(file);
	return text;
}

/* The lines of the file that records begin at. */
static const size_t *begins;

static bool is_listed(const char *line, size_t size, size_t number)
{
	(void)line;
	(void)size;
	for (const size_t *at = begins; *at; at++)
		if (*at == number)
			return true;
	return false;
}

static void check_traces(const char *preset, const struct text *text, const size_t *lines)
{
	char stages[256];
	snprintf(stages, sizeof(stages), trace_stages, preset);
	begins = lines;
	for (size_t i = 0; i < 6; i++) {
		for (size_t chunk = 1; chunk < 100; chunk += 7) {
			struct model model = { .limit = SIZE_MAX };
			consult(&model, text, is_listed);
			struct segment segment = {
				.data = text->data, .size = text->size, .flags = VIEW_END
			};
			struct bench bench = { .stages = stages,
				.memory = "16MiB",
				.buffer = buffers[i],
				.segments = &segment,
				.segment_count = 1,
				.chunk = chunk,
				.speed = UINT64_MAX };
			compare(&bench, &model);
			free(model.out.data);
		}
	}
}

Test(split_start, keeps_traces_of_java_together, .timeout = 100)
{
	static const size_t lines[] = { 1, 2, 20, 36, 45, 46, 0 };
	struct text text = read_file("tests/pipeline/stages/data/java.txt");
	check_traces("java", &text, lines);
	free(text.data);
}

Test(split_start, keeps_traces_of_python_together, .timeout = 100)
{
	static const size_t lines[] = { 1, 2, 20, 21, 34, 39, 43, 0 };
	struct text text = read_file("tests/pipeline/stages/data/python.txt");
	check_traces("python", &text, lines);
	free(text.data);
}

Test(split_start, keeps_what_is_indented_with_what_is_above)
{
	char data[] = " odd\nfirst\n\n\tlast\nsecond\nthird\n  more\n";
	struct text text = { .data = data, .size = strlen(data) };
	static const size_t begins_at[] = { 2, 5, 6, 0 };

	check_traces("indent", &text, begins_at);
}

/* A line of 1 MiB is judged by its beginning, and passed over; what follows is whole. */
Test(split_start, a_line_without_end_is_passed_over, .timeout = 100)
{
	enum { FLOOD = 8 << 20 };
	struct text flood = { .data = malloc(FLOOD), .size = FLOOD };
	cr_assert(flood.data);
	memset(flood.data, 'a', FLOOD);
	struct segment segments[] = {
		{ .data = "a first\n more\n", .size = 14 },
		{ .data = flood.data, .size = FLOOD },
		{ .data = "\nx\nb next\n more", .size = 15, .flags = VIEW_END },
	};
	struct bench bench = {
		.stages = "[{\"split\":{\"on\":\"start\",\"start\":\"^[ab]\",\"too_long\":\"drop\","
			  "\"max_record\":\"1MiB\"}}]",
		.memory = "16MiB",
		.buffer = "4KiB",
		.segments = segments,
		.segment_count = 3,
		.chunk = SIZE_MAX,
		.speed = UINT64_MAX,
	};
	bench_run(&bench);
	cr_expect_str_eq(bench.out[0], "a first\n more\nb next\n more");
	cr_expect_eq(bench_report(&bench, "bench.split")->account.dropped[DROP_TOO_LONG], 1);
	cr_expect(bench_balances(&bench));
	bench_free(&bench);
	free(flood.data);
}
