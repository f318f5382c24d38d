/* Searching a run finds the very records that judging each record alone does.
 *
 *     byte 0   the framing          byte 1   the test, and whether it is negated, joined, ignores case
 *     byte 2   the needle's size    then the needle, and the run
 */

#include "pipeline/search/condition.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD = 3, MOST_NEEDLE = 24, MOST_RUN = 4096 };

static const struct {
	const char *delimiter;
	uint32_t size;
	bool crlf;
} framings[] = { { "\n", 1, false }, { "\n", 1, true }, { "", 1, false }, { "ab", 2, false },
	{ "aa", 2, false }, { "\r\n", 2, false }, { "aba", 3, false } };

struct input {
	struct framing framing;
	uint8_t test;
	struct bytes needle;
	const char *run;
	size_t size;
};

static struct input read_input(const uint8_t *data, size_t size)
{
	size_t way = data[0] % (sizeof(framings) / sizeof(*framings));
	size_t needle = (size_t)data[2] % MOST_NEEDLE + 1;
	const char *text = (const char *)data + HEAD;

	size -= HEAD;
	needle = needle < size ? needle : size;
	return (struct input){
		.framing = framing_delimited(
			framings[way].delimiter, framings[way].size, framings[way].crlf),
		.test = data[1],
		.needle = { .data = text, .size = needle },
		.run = text + needle,
		.size = size - needle < MOST_RUN ? size - needle : MOST_RUN,
	};
}

static struct condition simple_condition(struct input *input)
{
	struct bytes_list list = { .items = &input->needle, .count = 1 };
	struct condition condition = { .ignore_case = input->test & 0x80 };

	switch (input->test & 7) {
	case 0:
		condition.starts_with = list;
		break;
	case 1:
		condition.ends_with = list;
		break;
	case 2:
		condition.equals = list;
		break;
	case 3:
	case 4:
		condition.regex = list;
		break;
	default:
		condition.contains = list;
	}
	return condition;
}

static void fail(const struct search *search, const char *what, size_t at)
{
	fprintf(stderr, "%s at %zu (%s)\n", what, at, search_method(search));
	abort();
}

static size_t record_size(const struct input *input, size_t at)
{
	size_t size = framing_first(&input->framing, input->run + at, input->size - at);

	return size ? size : input->size - at;
}

static bool ends_bare(const struct input *input)
{
	return framing_last(&input->framing, input->run, input->size) < input->size;
}

static bool is_found(struct search *search, const struct input *input, size_t at, size_t size)
{
	bool bare = at + size == input->size && ends_bare(input);
	struct content content = framing_content(&input->framing, input->run + at, size, bare);

	return search_judge(search, input->run + at + content.offset, content.size) !=
	       search_inverted(search);
}

/* Every record that is judged to be one must be the next that is found. */
static void compare(struct search *search, const struct input *input)
{
	bool bare = ends_bare(input);
	size_t start, end, from = 0;

	for (size_t at = 0, size; at < input->size; at += size) {
		size = record_size(input, at);
		if (!is_found(search, input, at, size))
			continue;
		if (!search_next(search, input->run, input->size, bare, from, &start, &end))
			fail(search, "not found", at);
		if (start != at || end != at + size)
			fail(search, "another is found", start);
		from = end;
	}
	if (search_next(search, input->run, input->size, bare, from, &start, &end))
		fail(search, "one too many is found", start);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size <= HEAD)
		return 0;
	struct input input = read_input(data, size);
	struct faults faults = { 0 };
	struct condition inner = simple_condition(&input), condition = inner;
	if (input.test & 0x40)
		condition = (struct condition){ .not = &inner };
	if (input.test & 0x20)
		condition.any = (struct subtrees){ .items = &inner, .count = 1 };
	struct search *search = search_create(&condition, &input.framing, NULL, &faults);
	if (search && input.size > 0)
		compare(search, &input);
	if (!search && faults.errors == 0)
		abort();
	search_destroy(search);
	faults_close(&faults);
	return 0;
}
