/* The record cursor: whatever the views, the records are the same. */

#include "pipeline/flow/record.h"
#include "tests/support/chance.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_RECORD = 400, INPUT = 1500, MOST_VIEWS = 2048 };

TestSuite(record, .init = chance_begin);

/* An input and where its records end; the last one may be bare. */
struct input {
	char data[INPUT + MOST_RECORD];
	size_t size;
	size_t ends[INPUT + MOST_RECORD];
	uint32_t count;
	bool bare;
};

static size_t record_end(const struct input *input, size_t start, const char *delimiter)
{
	size_t width = strlen(delimiter);
	for (size_t at = start; at + width <= input->size; at++)
		if (memcmp(input->data + at, delimiter, width) == 0)
			return at + width;
	return 0;
}

/* Few letters, so that delimiters, and parts of them, are frequent. */
static void make_input(struct input *input, const char *delimiter)
{
	static const char letters[] = "ab\r\nxyz";
	*input = (struct input){ .bare = chance(2) };
	size_t width = strlen(delimiter), since = 0;
	uint32_t kinds = 2 + chance(6);
	while (input->size < INPUT) {
		bool end = ++since > MOST_RECORD / 2 || chance(20) == 0;
		for (size_t i = 0; end && i < width; i++)
			input->data[input->size++] = delimiter[i];
		if (end)
			since = 0;
		input->data[input->size++] = letters[chance(kinds)];
	}
	size_t start = 0;
	for (size_t end; (end = record_end(input, start, delimiter)) > 0; start = end)
		input->ends[input->count++] = end;
	input->size = start;
	if (!input->bare)
		return;
	input->data[input->size++] = '-';
	input->ends[input->count++] = input->size;
}

/* Puts the input as runs and as records in pieces: cut where it happens, each piece in a buffer of its own. */
struct putter {
	struct batch *batch;
	struct pool *pool;
	struct view pieces[MOST_VIEWS];
	uint32_t count;
};

static void add_piece(struct putter *putter, const char *data, size_t size, uint32_t tag)
{
	struct buffer *buffer = pool_take(putter->pool);
	cr_assert_not_null(buffer);
	memcpy(buffer->data, data, size);
	struct view view = view_publish(buffer, (uint32_t)size);
	view.tag = tag;
	putter->pieces[putter->count++] = view;
	buffer_release(&buffer);
	if (tag == 0)
		return;
	bool put = batch_put_all(putter->batch, putter->pieces, putter->count);
	cr_assert(put);
	putter->count = 0;
}

static void put_input(struct putter *putter, const struct input *input, uint32_t longest)
{
	uint32_t next = 0;
	for (size_t at = 0, part; at < input->size; at += part) {
		part = 1 + chance(longest);
		part = part < input->size - at ? part : input->size - at;
		size_t end = at;
		uint32_t records = 0;
		for (; next < input->count && input->ends[next] <= at + part; records++)
			end = input->ends[next++];
		uint32_t bare = input->bare && next == input->count ? VIEW_BARE : 0;
		if (records > 0)
			add_piece(putter, input->data + at, end - at, records | bare);
		if (end < at + part)
			add_piece(putter, input->data + end, at + part - end, 0);
	}
	cr_assert_eq(putter->count, 0);
}

static size_t content_size(
	const char *record, size_t size, const char *delimiter, bool crlf, bool bare)
{
	if (bare)
		return size;
	size -= strlen(delimiter);
	return crlf && size > 0 && record[size - 1] == '\r' ? size - 1 : size;
}

/* The views of one record: its bytes, tag 0 but for the last one. */
static void check_views(
	struct view *views, uint32_t count, const char *expected, size_t size, bool bare)
{
	size_t at = 0;
	for (uint32_t i = 0; i < count; i++) {
		cr_assert_leq(at + views[i].size, size);
		cr_assert(memcmp(views[i].data, expected + at, views[i].size) == 0);
		cr_assert_eq(views[i].tag, i + 1 < count ? 0 : 1 | (bare ? VIEW_BARE : 0));
		at += views[i].size;
		view_drop(&views[i]);
	}
	cr_assert_eq(at, size);
}

static void check_records(
	struct batch *batch, const struct input *input, struct framing *framing, bool crlf)
{
	struct scratch scratch;
	cr_assert(scratch_open(&scratch, MOST_RECORD + framing->delimiter_size));
	static struct view views[MOST_VIEWS];
	size_t at = 0, gathered = 0;
	for (uint32_t i = 0; i < input->count; at = input->ends[i++]) {
		struct record record;
		const char *expected = input->data + at;
		size_t size = input->ends[i] - at;
		bool bare = input->bare && i + 1 == input->count, whole = batch_group(batch) == 1;
		cr_assert(record_first(batch, framing, &scratch, &record), "seed %#llx",
			(unsigned long long)chance_seed());
		cr_assert_eq(record.whole, size, "record %u, seed %#llx", i,
			(unsigned long long)chance_seed());
		cr_assert_eq(record.bare, bare);
		cr_assert_eq(
			record.size, content_size(expected, size, framing->delimiter, crlf, bare));
		cr_assert(memcmp(record.data, expected, record.size) == 0);
		if (whole) {
			cr_assert_eq(record.data, batch_peek(batch, 0)->data);
			cr_assert_eq(scratch.peeked, gathered);
		}
		gathered = scratch.peeked;
		check_views(
			views, record_take(batch, size, views, MOST_VIEWS), expected, size, bare);
	}
	struct record none;
	cr_assert_not(record_first(batch, framing, &scratch, &none));
	scratch_close(&scratch);
}

static void check_split(const char *delimiter, bool crlf, uint32_t longest)
{
	static struct input input;
	static struct putter putter;
	struct batch batch;
	struct framing framing = framing_delimited(delimiter, (uint32_t)strlen(delimiter), crlf);
	make_input(&input, delimiter);
	cr_assert(batch_open(&batch, FLOW_RECORDS, 2 * MOST_VIEWS));
	putter = (struct putter){ .batch = &batch, .pool = pool_create(2 * MOST_VIEWS, longest) };
	put_input(&putter, &input, longest);
	check_records(&batch, &input, &framing, crlf);
	cr_assert(batch_empty(&batch));
	cr_assert_eq(batch.taken.bytes, input.size);
	cr_assert_eq(batch.taken.records, input.count);
	batch_close(&batch);
	cr_assert_eq(pool_free(putter.pool), pool_count(putter.pool));
	pool_destroy(putter.pool);
}

Test(record, is_the_same_however_the_views_are_cut)
{
	static const char *const delimiters[] = { "\n", "\r\n", "aa", "ab", "aba", "abab", "aab",
		"\n\n" };
	static const uint32_t longest[] = { 1, 2, 3, 7, 50, 300, 2000 };
	for (size_t d = 0; d < sizeof(delimiters) / sizeof(*delimiters); d++)
		for (size_t l = 0; l < sizeof(longest) / sizeof(*longest); l++)
			check_split(delimiters[d], false, longest[l]);
}

Test(record, a_cr_before_lf_is_no_content)
{
	for (uint32_t longest = 1; longest < 200; longest += 13)
		check_split("\n", true, longest);
}

/* Neither walking nor taking copies: the views are slices of what came in. */
Test(record, is_taken_as_slices)
{
	struct batch batch;
	struct view run = view_of_static("one\ntwo\nthree\n", 14), views[2];
	const char *data = run.data;
	run.tag = 3;
	cr_assert(batch_open(&batch, FLOW_RECORDS, 4));
	cr_assert(batch_put(&batch, &run));
	cr_assert_eq(record_take(&batch, 4, views, 2), 1);
	cr_assert_eq(views[0].data, data);
	cr_assert_eq(views[0].tag, 1);
	cr_assert_eq(batch_peek(&batch, 0)->data, data + 4);
	cr_assert_eq(view_records(batch_peek(&batch, 0)), 2);
	cr_assert_eq(batch.taken.records, 1);
	batch_close(&batch);
}
