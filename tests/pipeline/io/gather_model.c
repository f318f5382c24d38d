/* Gathering, against plain concatenation: random records, views, partial writes and restarts. */

#include "pipeline/io/gather.h"

#include "pipeline/flow/prefix.h"
#include "tests/support/chance.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(gather_model, .timeout = 60);

/* The model: records in the order they were put, and what a connection must carry from one of
 * them on. */

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

/* A prefix, bytes, and a netstring's comma. */
static void make_counted(struct model *model)
{
	char *bytes = model->bytes[model->put];
	uint32_t content = 1 + chance(MOST_BYTES - 8);
	uint32_t size = prefix_write(&model->framing, content, bytes);

	for (uint32_t i = 0; i < content; i++)
		bytes[size++] = "1 ,:\n"[chance(5)];
	if (model->framing.kind == FRAMING_NETSTRING)
		bytes[size++] = ',';
	model->sizes[model->put] = size;
	model->bare[model->put] = false;
}

static bool is_counted(const struct framing *framing)
{
	return framing->kind == FRAMING_NETSTRING ||
	       (framing->kind == FRAMING_OCTETS && chance(2) == 0);
}

/* Bytes in which the delimiter first ends at their end, or nowhere in a bare record. */
static void make_record(struct model *model)
{
	static const char alphabet[] = "ab\r\nx";
	const struct framing *framing = &model->framing;
	char *bytes = model->bytes[model->put];
	bool bare = chance(6) == 0;
	uint32_t size;

	if (is_counted(framing)) {
		make_counted(model);
		return;
	}
	do {
		size = chance(chance(4) ? 8 : MOST_BYTES - 8) + bare;
		for (uint32_t i = 0; i < size; i++)
			bytes[i] = alphabet[chance(sizeof(alphabet) - 1)];
		for (uint32_t i = 0; i < framing->delimiter_size && !bare; i++)
			bytes[size++] = framing->delimiter[i];
	} while (framing_first(framing, bytes, size) != (bare ? 0 : size));
	model->sizes[model->put] = size;
	model->bare[model->put] = bare;
}

/* A new buffer where the last is full, and sometimes where it is not. Bytes are left out so that
 * views do not adjoin. */
static void prepare_buffer(struct model *model)
{
	struct view gap;

	if (model->buffer && (buffer_room(model->buffer) == 0 || chance(20) == 0))
		buffer_release(&model->buffer);
	if (!model->buffer)
		model->buffer = pool_take(model->pool);
	cr_assert_not_null(model->buffer);
	if (buffer_room(model->buffer) > 1 && chance(5) == 0) {
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
		uint32_t length = chance(3) ? size - at : 1 + chance(size - at);

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
		if (!model->batch.marked && chance(30) == 0)
			batch_set_mark(&model->batch);
	}
}

/* The byte at `at` of a connection that began with record `first`, and the records complete
 * before it. */
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
	uint64_t bytes = gather_fill(gather, &model->batch, &model->framing, 1 + chance(200));
	uint64_t part = bytes && chance(2) ? 1 + chance((uint32_t)bytes) : bytes, left = part;

	for (uint32_t i = 0; i < gather->count && left > 0; i++) {
		const unsigned char *data = gather->pieces[i].iov_base;

		for (size_t k = 0; k < gather->pieces[i].iov_len && left > 0; k++, left--) {
			uint32_t complete;

			cr_assert_eq(data[k], byte_expected(model, model->sent++, &complete));
		}
	}
	cr_assert_eq(left, 0);
	put_some(model, chance(3));
	model->gone += (uint32_t)gather_written(gather, &model->batch, part);
	cr_assert_leq(model->gone, model->first + complete_records(model));
}

/* Exactly the complete records are gone, and the next connection begins behind them. */
static void reconnect(struct model *model)
{
	model->gone += (uint32_t)gather_restart(&model->gather, &model->batch, &model->framing);
	cr_assert_eq(model->gone, model->first + complete_records(model));
	model->gather.owes_delimiter = false;
	model->first = model->gone;
	model->sent = 0;
}

static void step(struct model *model)
{
	put_some(model, chance(6));
	transfer(model);
	if (batch_mark_reached(&model->batch))
		batch_clear_mark(&model->batch);
	if (model->restarts && chance(4) == 0)
		reconnect(model);
}

static void run_model(struct framing framing, bool restarts)
{
	static struct model model;
	uint64_t bytes = 0;

	model = (struct model){
		.framing = framing,
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

static const char *const delimiters[] = { "\n", "\r\n", "aa", "abab", "ab\rab", "xx\n" };

enum { DELIMITERS = sizeof(delimiters) / sizeof(delimiters[0]), FRAMINGS = DELIMITERS + 2 };

static struct framing framing_of(size_t i)
{
	if (i < DELIMITERS)
		return framing_delimited(delimiters[i], (uint32_t)strlen(delimiters[i]), false);
	return framing_of_kind(i == DELIMITERS ? FRAMING_OCTETS : FRAMING_NETSTRING, false);
}

Test(gather_model, equals_concatenation)
{
	chance_begin();
	for (int round = 0; round < 10; round++) {
		for (size_t i = 0; i < FRAMINGS; i++)
			run_model(framing_of(i), false);
	}
}

Test(gather_model, begins_again_at_a_border)
{
	chance_begin();
	for (int round = 0; round < 10; round++) {
		for (size_t i = 0; i < FRAMINGS; i++)
			run_model(framing_of(i), true);
	}
}
