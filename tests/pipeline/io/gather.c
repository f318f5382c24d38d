/* Gathering: fixed cases. The model's are in gather_model.c. */

#include "pipeline/io/gather.h"

#include "pipeline/flow/framing.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

TestSuite(gather, .timeout = 60);

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

static void expect(
	struct gather *gather, struct batch *batch, const struct framing *framing, const char *text)
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

/* A truncated record, where head and delimiter together look like an earlier end: what the tag
 * says holds. */
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

/* A file that goes on still lacks the delimiter; on a new connection the caller says that none is owed. */
Test(gather, a_delimiter_stays_owed_over_a_restart)
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
	expect(&gather, &batch, &crlf, "\r\nb\r\n");
	cr_assert_eq(gather_written(&gather, &batch, 3), 0);
	cr_assert_eq(gather_restart(&gather, &batch, &crlf), 0);
	expect(&gather, &batch, &crlf, "b\r\n");
	batch_close(&batch);
	gather_close(&gather);
}

/* What the kernel reads must not be moved, nor taken. */
Test(gather, lends_the_views_of_its_pieces)
{
	struct gather gather;
	struct batch batch;

	gather_open(&gather);
	batch_open(&batch, FLOW_RECORDS, 8);
	put_pieces(&batch, "a", "b\n", 1);
	put(&batch, "c\n", 1);
	cr_assert_eq(gather_fill(&gather, &batch, &newline, 3), 3);
	cr_assert_eq(batch.lent, 2);
	gather_written(&gather, &batch, 1);
	cr_assert_eq(batch.lent, 0);
	cr_assert_eq(gather_fill(&gather, &batch, &newline, 100), 4);
	cr_assert_eq(batch.lent, 3);
	gather_restart(&gather, &batch, &newline);
	cr_assert_eq(batch.lent, 0);
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
	cr_assert_eq(batch_ready(&batch), 4, "what lies first and is empty is taken at once");
	cr_assert_eq(gather_written(&gather, &batch, 5), 0);
	cr_assert_eq(batch_ready(&batch), 2);
	expect(&gather, &batch, &newline, "f");
	cr_assert_eq(gather_restart(&gather, &batch, &newline), 0);
	expect(&gather, &batch, &newline, "d\nf");
	cr_assert_eq(gather_written(&gather, &batch, 3), 0);
	cr_assert(batch_empty(&batch));
	put(&batch, "", 5 | VIEW_END);
	expect(&gather, &batch, &newline, "");
	cr_assert(batch_empty(&batch), "nothing else will come to take it");
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
