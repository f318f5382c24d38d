/* Gathering, against plain concatenation. */

#include "pipeline/io/gather.h"

#include "pipeline/flow/framing.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

TestSuite(gather, .timeout = 60);

/* Fixed cases. */

static const struct framing newline = {
	.delimiter = "\n",
	.delimiter_size = 1,
	.newline = true,
};

static const struct framing crlf = { .delimiter = "\r\n", .delimiter_size = 2 };

static void put(struct batch *batch, const char *text, uint32_t tag)
{
	struct view view = view_of_static(text, (uint32_t)strlen(text));

	view.tag = tag;
	cr_assert(batch_put(batch, &view));
}

static void put_pieces(struct batch *batch, const char *first, const char *second, uint32_t tag)
{
	struct view views[2] = {
		view_of_static(first, (uint32_t)strlen(first)),
		view_of_static(second, (uint32_t)strlen(second)),
	};

	views[1].tag = tag;
	cr_assert(batch_put_all(batch, views, 2));
}

/* What the first `size` bytes of the pieces say. */
static const char *text_of(const struct gather *gather, uint64_t size)
{
	static char text[4096];
	uint64_t at = 0;

	for (uint32_t i = 0; i < gather->count && at < size; i++) {
		for (size_t k = 0; k < gather->pieces[i].iov_len && at < size; k++)
			text[at++] = ((const char *)gather->pieces[i].iov_base)[k];
	}
	text[at] = '\0';
	return text;
}

static void expect(struct gather *gather, const struct batch *batch, const struct framing *framing,
	const char *text)
{
	cr_assert_eq(gather_fill(gather, batch, framing, 4000), strlen(text));
	cr_assert_str_eq(text_of(gather, 4000), text);
}

Test(gather, an_empty_batch_gives_nothing)
{
	struct gather gather;
	struct batch batch;

	cr_assert(gather_open(&gather));
	cr_assert_eq(gather_cost(), IO_MOST_PIECES * sizeof(struct iovec));
	cr_assert(batch_open(&batch, FLOW_RECORDS, 8));
	expect(&gather, &batch, &newline, "");
	cr_assert_eq(gather_written(&gather, &batch, 0), 0);
	cr_assert_eq(gather_restart(&gather, &batch, &newline), 0);
	batch_close(&batch);
	gather_close(&gather);
	gather_close(&gather);
}

Test(gather, neighbours_become_one_piece)
{
	static const char text[] = "one\ntwo\nthree\n";
	struct gather gather;
	struct batch batch;
	struct view view;

	gather_open(&gather);
	batch_open(&batch, FLOW_RECORDS, 8);
	view = view_of_static(text, 4), view.tag = 1, batch_put(&batch, &view);
	view = view_of_static(text + 4, 4), view.tag = 1, batch_put(&batch, &view);
	put(&batch, "else\n", 1);
	cr_assert_eq(batch_ready(&batch), 3, "static views are not joined in the batch");
	expect(&gather, &batch, &newline, "one\ntwo\nelse\n");
	cr_assert_eq(gather.count, 2);
	batch_close(&batch);
	gather_close(&gather);
}

Test(gather, a_bare_record_gets_its_delimiter_when_another_follows)
{
	struct gather gather;
	struct batch batch;

	gather_open(&gather);
	batch_open(&batch, FLOW_RECORDS, 8);
	put(&batch, "a\r\nb", 2 | VIEW_BARE);
	expect(&gather, &batch, &crlf, "a\r\nb");
	cr_assert_eq(gather_written(&gather, &batch, 4), 2);
	cr_assert(batch_empty(&batch));
	cr_assert(gather.owes_delimiter);
	expect(&gather, &batch, &crlf, "");

	put(&batch, "c", 1 | VIEW_BARE);
	put(&batch, "d\r\n", 1);
	expect(&gather, &batch, &crlf, "\r\nc\r\nd\r\n");
	cr_assert_eq(gather_written(&gather, &batch, 1), 0);
	expect(&gather, &batch, &crlf, "\nc\r\nd\r\n");
	cr_assert_eq(gather_written(&gather, &batch, 1), 0);
	cr_assert(!gather.owes_delimiter);
	expect(&gather, &batch, &crlf, "c\r\nd\r\n");
	cr_assert_eq(gather_written(&gather, &batch, 2), 1);
	expect(&gather, &batch, &crlf, "\nd\r\n");
	cr_assert_eq(gather_written(&gather, &batch, 4), 1);
	cr_assert_eq(batch.taken.bytes, 8, "delimiters are no payload");
	cr_assert(!gather.owes_delimiter);
	batch_close(&batch);
	gather_close(&gather);
}

/* A sink that appends to a file which ends without a delimiter. */
Test(gather, a_delimiter_may_be_owed_from_the_start)
{
	struct gather gather;
	struct batch batch;

	gather_open(&gather);
	gather.owes_delimiter = true;
	batch_open(&batch, FLOW_RECORDS, 8);
	expect(&gather, &batch, &newline, "");
	cr_assert_eq(gather_written(&gather, &batch, 0), 0);
	put(&batch, "a\n", 1);
	expect(&gather, &batch, &newline, "\na\n");
	cr_assert_eq(gather_written(&gather, &batch, 3), 1);
	batch_close(&batch);
	gather_close(&gather);
}

Test(gather, without_framing_nothing_is_put_between)
{
	struct gather gather;
	struct batch batch;

	gather_open(&gather);
	batch_open(&batch, FLOW_RECORDS, 8);
	put(&batch, "a", 1 | VIEW_BARE);
	put(&batch, "b", 1 | VIEW_BARE);
	expect(&gather, &batch, NULL, "ab");
	cr_assert_eq(gather_written(&gather, &batch, 1), 1);
	expect(&gather, &batch, NULL, "b");
	cr_assert_eq(gather_written(&gather, &batch, 1), 1);
	batch_close(&batch);
	gather_close(&gather);
}

Test(gather, takes_at_most_so_much_but_one_view)
{
	struct gather gather;
	struct batch batch;

	gather_open(&gather);
	batch_open(&batch, FLOW_RECORDS, 8);
	put(&batch, "12345\n", 1);
	put(&batch, "12\n", 1);
	put(&batch, "1\n", 1);
	cr_assert_eq(gather_fill(&gather, &batch, &newline, 1), 6);
	cr_assert_eq(gather_fill(&gather, &batch, &newline, 9), 9);
	cr_assert_eq(gather_fill(&gather, &batch, &newline, 10), 9);
	cr_assert_eq(gather_fill(&gather, &batch, &newline, 11), 11);
	batch_close(&batch);
	gather_close(&gather);
}

/* Every view needs two pieces: never more than the kernel takes. */
Test(gather, takes_at_most_so_many_pieces)
{
	struct gather gather;
	struct batch batch;
	uint64_t bytes, records = 0, left = 4000;

	gather_open(&gather);
	batch_open(&batch, FLOW_RECORDS, 2000);
	for (int i = 0; i < 2000; i++)
		put(&batch, "x", 1 | VIEW_BARE);
	while ((bytes = gather_fill(&gather, &batch, &newline, 1 << 20)) > 0) {
		cr_assert_leq(gather.count, IO_MOST_PIECES);
		cr_assert_geq(gather.count, bytes < IO_MOST_PIECES - 2 ? 1 : IO_MOST_PIECES - 2);
		records += gather_written(&gather, &batch, bytes);
		left -= bytes;
	}
	cr_assert_eq(records, 2000);
	cr_assert_eq(left, 1, "no delimiter behind the last");
	batch_close(&batch);
	gather_close(&gather);
}

Test(gather, a_record_in_pieces_leaves_whole)
{
	struct gather gather;
	struct batch batch;

	gather_open(&gather);
	batch_open(&batch, FLOW_RECORDS, 8);
	put_pieces(&batch, "abc", "def\nghi\n", 2);
	expect(&gather, &batch, &newline, "abcdef\nghi\n");
	cr_assert_eq(gather_written(&gather, &batch, 4), 0);
	cr_assert_eq(batch_ready(&batch), 2);
	expect(&gather, &batch, &newline, "ef\nghi\n");
	cr_assert_eq(gather_written(&gather, &batch, 7), 2);
	cr_assert(batch_empty(&batch));
	batch_close(&batch);
	gather_close(&gather);
}

/* A restart after `written` bytes of a record in two pieces and another behind it. */
static void restart(
	const char *first, const char *second, uint64_t written, uint64_t records, const char *rest)
{
	struct gather gather;
	struct batch batch;

	gather_open(&gather);
	batch_open(&batch, FLOW_RECORDS, 8);
	put_pieces(&batch, first, second, 2);
	gather_fill(&gather, &batch, &crlf, 4000);
	cr_assert_eq(gather_written(&gather, &batch, written), 0);
	cr_assert_eq(gather_restart(&gather, &batch, &crlf), records, "%s|%s: %d", first, second,
		(int)written);
	expect(&gather, &batch, &crlf, rest);
	cr_assert_eq(gather_written(&gather, &batch, strlen(rest)), 2 - records);
	cr_assert_eq(batch.taken.bytes, batch.put.bytes);
	cr_assert_eq(batch.taken.records, 2);
	batch_close(&batch);
	gather_close(&gather);
}

Test(gather, restarts_at_a_border_across_views)
{
	for (uint64_t written = 0; written < 9; written++) {
		uint64_t records = written >= 5;
		const char *rest = records ? "de\r\n" : "abc\r\nde\r\n";

		restart("abc", "\r\nde\r\n", written, records, rest);
		restart("abc\r", "\nde\r\n", written, records, rest);
		restart("a", "bc\r\nde\r\n", written, records, rest);
	}
}

/* A delimiter that overlaps itself: only the walk from the record's start finds the border. */
Test(gather, restarts_where_delimiters_overlap)
{
	const struct framing framing = framing_delimited("aa", 2, false);
	struct gather gather;
	struct batch batch;

	gather_open(&gather);
	batch_open(&batch, FLOW_RECORDS, 8);
	put_pieces(&batch, "xa", "aayaa", 2); /* xaa, ayaa */
	gather_fill(&gather, &batch, &framing, 4000);
	gather_written(&gather, &batch, 5);
	cr_assert_eq(gather_restart(&gather, &batch, &framing), 1);
	expect(&gather, &batch, &framing, "ayaa");
	batch_close(&batch);
	gather_close(&gather);
}

/* A truncated record, where head and delimiter together look like an earlier end: what the tag says holds. */
Test(gather, restarts_at_no_border_that_the_tag_denies)
{
	const struct framing framing = framing_delimited("aa", 2, false);
	struct gather gather;
	struct batch batch;

	gather_open(&gather);
	batch_open(&batch, FLOW_RECORDS, 8);
	put_pieces(&batch, "xa", "aa", 1);
	gather_fill(&gather, &batch, &framing, 4000);
	gather_written(&gather, &batch, 3);
	cr_assert_eq(gather_restart(&gather, &batch, &framing), 0);
	expect(&gather, &batch, &framing, "xaaa");
	cr_assert_eq(gather_written(&gather, &batch, 4), 1);
	batch_close(&batch);
	gather_close(&gather);
}

Test(gather, a_restart_owes_nothing)
{
	struct gather gather;
	struct batch batch;

	gather_open(&gather);
	batch_open(&batch, FLOW_RECORDS, 8);
	put(&batch, "a", 1 | VIEW_BARE);
	put(&batch, "b\r\n", 1);
	gather_fill(&gather, &batch, &crlf, 4000);
	cr_assert_eq(gather_written(&gather, &batch, 2), 1);
	cr_assert_eq(gather_restart(&gather, &batch, &crlf), 0);
	expect(&gather, &batch, &crlf, "b\r\n");
	batch_close(&batch);
	gather_close(&gather);
}

Test(gather, a_restart_without_framing_is_at_the_run)
{
	struct gather gather;
	struct batch batch;

	gather_open(&gather);
	batch_open(&batch, FLOW_RECORDS, 8);
	put(&batch, "a\r\nb\r\n", 2);
	gather_fill(&gather, &batch, &crlf, 4000);
	gather_written(&gather, &batch, 4);
	cr_assert_eq(gather_restart(&gather, &batch, NULL), 0);
	expect(&gather, &batch, &crlf, "a\r\nb\r\n");
	batch_close(&batch);
	gather_close(&gather);
}

Test(gather, a_view_that_grows_stays_until_it_is_written)
{
	struct pool *pool = pool_create(1, 4096);
	struct buffer *buffer = pool_take(pool);
	struct gather gather;
	struct batch batch;
	struct view view;

	gather_open(&gather);
	batch_open(&batch, FLOW_RECORDS, 8);
	snprintf(buffer->data, 9, "abc\ndef\n");
	view = view_publish(buffer, 4), view.tag = 1, batch_put(&batch, &view);
	expect(&gather, &batch, &newline, "abc\n");
	view = view_publish(buffer, 4), view.tag = 1, batch_put(&batch, &view);
	cr_assert_eq(batch_ready(&batch), 1);
	cr_assert_eq(gather_written(&gather, &batch, 4), 0);
	expect(&gather, &batch, &newline, "def\n");
	cr_assert_eq(gather_restart(&gather, &batch, &newline), 1);
	expect(&gather, &batch, &newline, "def\n");
	cr_assert_eq(gather_written(&gather, &batch, 4), 1);
	buffer_release(&buffer);
	batch_close(&batch);
	gather_close(&gather);
	pool_destroy(pool);
}

Test(gather, a_mark_ends_what_is_ready)
{
	struct gather gather;
	struct batch batch;

	gather_open(&gather);
	batch_open(&batch, FLOW_RECORDS, 8);
	put(&batch, "a", 1 | VIEW_BARE);
	batch_set_mark(&batch);
	put(&batch, "b\n", 1);
	expect(&gather, &batch, &newline, "a");
	cr_assert_eq(gather_written(&gather, &batch, 1), 1);
	expect(&gather, &batch, &newline, "");
	cr_assert(batch_mark_reached(&batch));
	batch_clear_mark(&batch);
	expect(&gather, &batch, &newline, "\nb\n");
	cr_assert_eq(gather_written(&gather, &batch, 3), 1);
	batch_close(&batch);
	gather_close(&gather);
}

/* END and BARE are the same bit; bytes know no delimiters. */
Test(gather, bytes_stand_alone_and_empty_ends_leave)
{
	struct gather gather;
	struct batch batch;

	gather_open(&gather);
	batch_open(&batch, FLOW_BYTES, 8);
	put(&batch, "", 3 | VIEW_END);
	put(&batch, "abc", 1 | VIEW_END);
	put(&batch, "", 2 | VIEW_BROKEN);
	put(&batch, "d\nf", 4);
	put(&batch, "", 4 | VIEW_END);
	expect(&gather, &batch, &newline, "abcd\nf");
	cr_assert_eq(gather_written(&gather, &batch, 0), 0);
	cr_assert_eq(batch_ready(&batch), 4);
	cr_assert_eq(gather_written(&gather, &batch, 5), 0);
	cr_assert_eq(batch_ready(&batch), 2);
	expect(&gather, &batch, &newline, "f");
	cr_assert_eq(gather_restart(&gather, &batch, &newline), 0);
	expect(&gather, &batch, &newline, "d\nf");
	cr_assert_eq(gather_written(&gather, &batch, 3), 0);
	cr_assert(batch_empty(&batch));
	batch_close(&batch);
	gather_close(&gather);
}

Test(gather, a_frame_restarts_at_its_start)
{
	struct gather gather;
	struct batch batch;

	gather_open(&gather);
	batch_open(&batch, FLOW_FRAMES, 8);
	put_pieces(&batch, "FRAME", "ONE", 7);
	put_pieces(&batch, "FRAME", "T\nO", 5);
	expect(&gather, &batch, &newline, "FRAMEONEFRAMET\nO");
	cr_assert_eq(gather_written(&gather, &batch, 15), 7);
	cr_assert_eq(gather_restart(&gather, &batch, &newline), 0);
	expect(&gather, &batch, &newline, "FRAMET\nO");
	cr_assert_eq(gather_written(&gather, &batch, 8), 5);
	batch_close(&batch);
	gather_close(&gather);
}

/* The model: records in the order they were put, and what a connection must carry from one of them on. */

enum { MOST_RECORDS = 400, MOST_BYTES = 40, BUFFER = 48, BUFFERS = 512 };

struct model {
	struct framing framing;
	struct pool *pool;
	struct buffer *buffer; /* filled next */
	struct batch batch;
	struct gather gather;
	char bytes[MOST_RECORDS][MOST_BYTES];
	uint32_t sizes[MOST_RECORDS];
	bool bare[MOST_RECORDS];
	uint32_t put, gone; /* records; gone: as gather says */
	uint32_t first;     /* the record that the connection began with */
	uint64_t sent;      /* bytes on the connection */
	bool restarts;
};

static uint32_t below(uint32_t limit)
{
	return (uint32_t)random() % limit;
}

/* Bytes in which the delimiter first ends at their end, or nowhere in a bare record. */
static void make_record(struct model *model)
{
	static const char alphabet[] = "ab\r\nx";
	const struct framing *framing = &model->framing;
	char *bytes = model->bytes[model->put];
	bool bare = below(6) == 0;
	uint32_t size;

	do {
		size = below(below(4) ? 8 : MOST_BYTES - 8) + bare;
		for (uint32_t i = 0; i < size; i++)
			bytes[i] = alphabet[below(sizeof(alphabet) - 1)];
		for (uint32_t i = 0; i < framing->delimiter_size && !bare; i++)
			bytes[size++] = framing->delimiter[i];
	} while (framing_first(framing, bytes, size) != (bare ? 0 : size));
	model->sizes[model->put] = size;
	model->bare[model->put] = bare;
}

/* A new buffer where the last is full, and sometimes where it is not. Bytes are left out so that views do not adjoin. */
static void prepare_buffer(struct model *model)
{
	struct view gap;

	if (model->buffer && (buffer_room(model->buffer) == 0 || below(20) == 0))
		buffer_release(&model->buffer);
	if (!model->buffer)
		model->buffer = pool_take(model->pool);
	cr_assert_not_null(model->buffer);
	if (buffer_room(model->buffer) > 1 && below(5) == 0) {
		gap = view_publish(model->buffer, 1);
		view_drop(&gap);
	}
}

/* The record's bytes in as many views as buffers, or chance, want. */
static uint32_t make_views(struct model *model, struct view *views)
{
	const char *bytes = model->bytes[model->put];
	uint32_t size = model->sizes[model->put], count = 0;

	for (uint32_t at = 0; at < size;) {
		uint32_t length = below(3) ? size - at : 1 + below(size - at);

		prepare_buffer(model);
		if (length > buffer_room(model->buffer))
			length = buffer_room(model->buffer);
		for (uint32_t i = 0; i < length; i++)
			buffer_end(model->buffer)[i] = bytes[at + i];
		views[count++] = view_publish(model->buffer, length);
		at += length;
	}
	views[count - 1].tag = 1 | (model->bare[model->put] ? VIEW_BARE : 0);
	return count;
}

static void put_some(struct model *model, uint32_t count)
{
	struct view views[MOST_BYTES];

	while (count-- && model->put < MOST_RECORDS) {
		make_record(model);
		cr_assert(batch_put_all(&model->batch, views, make_views(model, views)));
		model->put++;
		if (!model->batch.marked && below(30) == 0)
			batch_set_mark(&model->batch);
	}
}

/* The byte at `at` of a connection that began with record `first`, and the records complete before it. */
static int byte_expected(const struct model *model, uint64_t at, uint32_t *complete)
{
	uint32_t record = model->first;

	for (*complete = 0; record < model->put; record++) {
		uint32_t delimiter = model->bare[record] ? model->framing.delimiter_size : 0;

		if (at < model->sizes[record])
			return (unsigned char)model->bytes[record][at];
		at -= model->sizes[record];
		++*complete;
		if (at < delimiter)
			return record + 1 < model->put ? (unsigned char)model->framing.delimiter[at]
						       : -1;
		at -= delimiter;
	}
	return -1;
}

static uint32_t complete_records(const struct model *model)
{
	uint32_t complete;

	byte_expected(model, model->sent, &complete);
	return complete;
}

/* The kernel takes a part of what is offered. More may be put meanwhile. */
static void transfer(struct model *model)
{
	struct gather *gather = &model->gather;
	uint64_t bytes = gather_fill(gather, &model->batch, &model->framing, 1 + below(200));
	uint64_t part = bytes && below(2) ? 1 + below((uint32_t)bytes) : bytes, left = part;

	for (uint32_t i = 0; i < gather->count && left > 0; i++) {
		const unsigned char *data = gather->pieces[i].iov_base;

		for (size_t k = 0; k < gather->pieces[i].iov_len && left > 0; k++, left--) {
			uint32_t complete;

			cr_assert_eq(data[k], byte_expected(model, model->sent++, &complete));
		}
	}
	cr_assert_eq(left, 0);
	put_some(model, below(3));
	model->gone += (uint32_t)gather_written(gather, &model->batch, part);
	cr_assert_leq(model->gone, model->first + complete_records(model));
}

/* Exactly the complete records are gone, and the next connection begins behind them. */
static void reconnect(struct model *model)
{
	model->gone += (uint32_t)gather_restart(&model->gather, &model->batch, &model->framing);
	cr_assert_eq(model->gone, model->first + complete_records(model));
	model->first = model->gone;
	model->sent = 0;
}

static void step(struct model *model)
{
	put_some(model, below(6));
	transfer(model);
	if (batch_mark_reached(&model->batch))
		batch_clear_mark(&model->batch);
	if (model->restarts && below(4) == 0)
		reconnect(model);
}

static void run_model(const char *delimiter, bool restarts)
{
	static struct model model;
	uint64_t bytes = 0;

	model = (struct model){
		.framing = framing_delimited(delimiter, (uint32_t)strlen(delimiter), false),
		.pool = pool_create(BUFFERS, BUFFER),
		.restarts = restarts,
	};
	cr_assert(batch_open(&model.batch, FLOW_RECORDS, 65536));
	cr_assert(gather_open(&model.gather));
	while (model.put < MOST_RECORDS || !batch_empty(&model.batch))
		step(&model);
	for (uint32_t i = 0; i < model.put; i++)
		bytes += model.sizes[i];
	cr_assert_eq(model.gone, MOST_RECORDS);
	cr_assert_eq(model.batch.taken.records, MOST_RECORDS);
	cr_assert_eq(model.batch.taken.bytes, bytes);
	if (model.buffer)
		buffer_release(&model.buffer);
	cr_assert_eq(pool_free(model.pool), BUFFERS);
	batch_close(&model.batch);
	gather_close(&model.gather);
	pool_destroy(model.pool);
}

/* VIEWDUCT_TEST_SEED repeats a run. */
static void seed(void)
{
	const char *given = getenv("VIEWDUCT_TEST_SEED");
	unsigned value = given ? (unsigned)strtoul(given, NULL, 10)
			       : (unsigned)time(NULL) ^ (unsigned)clock();

	srandom(value);
	fprintf(stderr, "gather: VIEWDUCT_TEST_SEED=%u\n", value);
}

static const char *const delimiters[] = { "\n", "\r\n", "aa", "abab", "ab\rab", "xx\n" };

Test(gather, equals_concatenation)
{
	seed();
	for (int round = 0; round < 10; round++) {
		for (size_t i = 0; i < sizeof(delimiters) / sizeof(delimiters[0]); i++)
			run_model(delimiters[i], false);
	}
}

Test(gather, begins_again_at_a_border)
{
	seed();
	for (int round = 0; round < 10; round++) {
		for (size_t i = 0; i < sizeof(delimiters) / sizeof(delimiters[0]); i++)
			run_model(delimiters[i], true);
	}
}
