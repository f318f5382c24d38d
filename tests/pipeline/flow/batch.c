/* The batch against a naive queue, operation by operation. */

#include "pipeline/flow/batch.h"
#include "tests/support/chance.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

enum { BUFFERS = 12, BUFFER_SIZE = 64, MOST = 64, MOST_PIECES = 5 };

TestSuite(batch, .init = chance_begin);

/* Views in an array: no ring, no counts kept, everything worked out anew. */
struct model {
	struct view views[MOST];
	uint32_t count;
	uint64_t mark; /* views put before it; UINT64_MAX: none */
	struct flow_count put, taken;
};

struct pair {
	struct batch batch;
	struct model model;
	struct pool *pool;
	struct buffer *filling; /* what is sliced next, so that neighbours occur */
};

static bool model_marked(const struct model *model)
{
	return model->mark != UINT64_MAX;
}

static uint32_t model_ready(const struct model *model)
{
	uint64_t before = model->mark - model->taken.views;
	return model_marked(model) && before < model->count ? (uint32_t)before : model->count;
}

static uint32_t model_pins(const struct model *model)
{
	const struct buffer *pinned = NULL;
	uint32_t pins = 0;
	for (uint32_t i = 0; i < model->count; i++) {
		const struct buffer *buffer = model->views[i].buffer;
		pins += buffer && buffer != pinned;
		pinned = buffer ? buffer : pinned;
	}
	return pins;
}

/* A join must not hide where a record or stream ends, nor cross the mark. */
static bool model_joins(const struct pair *pair, const struct view *view)
{
	const struct model *model = &pair->model;
	if (model->count == 0 || model->mark == model->put.views)
		return false;
	const struct view *last = &model->views[model->count - 1];
	if (!view->buffer || last->buffer != view->buffer || last->data + last->size != view->data)
		return false;
	switch (pair->batch.kind) {
	case FLOW_BYTES:
		return !(last->tag & (VIEW_END | VIEW_BROKEN)) &&
		       view_stream(last) == view_stream(view);
	case FLOW_RECORDS:
		return !(last->tag & VIEW_BARE) &&
		       (view_records(last) == 0 || view_records(view) > 0);
	default:
		return view_records(last) == 0;
	}
}

static void model_count(struct flow_count *count, enum flow_kind kind, const struct view *view)
{
	count->bytes += view->size;
	count->records += kind == FLOW_BYTES ? 0 : view_records(view);
}

static void model_put(struct pair *pair, const struct view *view)
{
	struct model *model = &pair->model;
	model_count(&model->put, pair->batch.kind, view);
	if (model_joins(pair, view)) {
		struct view *last = &model->views[model->count - 1];
		last->size += view->size;
		last->tag = pair->batch.kind == FLOW_BYTES ? view->tag : last->tag + view->tag;
		return;
	}
	model->views[model->count++] = *view;
	model->put.views++;
}

static void model_remove_first(struct model *model)
{
	model->count--;
	for (uint32_t i = 0; i < model->count; i++)
		model->views[i] = model->views[i + 1];
}

static bool same_count(struct flow_count a, struct flow_count b)
{
	return a.views == b.views && a.records == b.records && a.bytes == b.bytes;
}

static bool same_view(const struct view *a, const struct view *b)
{
	return a->data == b->data && a->size == b->size && a->tag == b->tag &&
	       a->buffer == b->buffer;
}

static uint32_t model_room(const struct pair *pair)
{
	uint32_t limit = pair->batch.pin_limit;
	return limit && model_pins(&pair->model) >= limit
		       ? 0
		       : pair->batch.room_limit - pair->model.count;
}

static uint32_t model_group(const struct pair *pair)
{
	const struct model *model = &pair->model;
	if (pair->batch.kind == FLOW_BYTES)
		return model_ready(model) > 0;
	for (uint32_t i = 0; i < model_ready(model); i++)
		if (view_records(&model->views[i]) > 0)
			return i + 1;
	return 0;
}

#define SAME(real, expected)                                                                       \
	cr_assert_eq(real, expected, "seed %#llx", (unsigned long long)chance_seed())

static void compare(const struct pair *pair)
{
	const struct batch *batch = &pair->batch;
	const struct model *model = &pair->model;
	SAME(batch->count, model->count);
	SAME(batch_empty(batch), model->count == 0);
	SAME(batch->pins, model_pins(model));
	SAME(batch_room(batch), model_room(pair));
	SAME(batch_ready(batch), model_ready(model));
	SAME(batch_group(batch), model_group(pair));
	SAME(same_count(batch->put, model->put), true);
	SAME(same_count(batch->taken, model->taken), true);
	SAME(batch_mark_reached(batch), model_marked(model) && model->taken.views >= model->mark);
	for (uint32_t i = 0; i < model_ready(model); i++)
		SAME(same_view(batch_peek(batch, i), &model->views[i]), true);
}

static bool more_to_fill(struct pair *pair)
{
	if (pair->filling && (buffer_room(pair->filling) == 0 || chance(12) == 0))
		buffer_release(&pair->filling);
	if (!pair->filling)
		pair->filling = pool_take(pair->pool);
	return pair->filling != NULL;
}

/* The next bytes of a buffer, or now and then static ones, or none. */
static bool next_view(struct pair *pair, struct view *view)
{
	if (chance(8) == 0) {
		*view = view_of_static(", ", 2);
		return true;
	}
	if (!more_to_fill(pair))
		return false;
	uint32_t room = buffer_room(pair->filling);
	*view = view_publish(pair->filling, 1 + chance(room < 9 ? room : 9));
	return true;
}

static uint32_t last_tag(enum flow_kind kind)
{
	if (kind == FLOW_BYTES)
		return chance(3) | (chance(6) ? 0 : chance(2) ? VIEW_END : VIEW_BROKEN);
	return (1 + chance(3)) | (kind == FLOW_RECORDS && chance(5) == 0 ? VIEW_BARE : 0);
}

static void try_put(struct pair *pair)
{
	struct view views[MOST_PIECES];
	uint32_t count = 0, wanted = pair->batch.kind == FLOW_BYTES ? 1 : 1 + chance(3) * chance(3);
	while (count < wanted && next_view(pair, &views[count]))
		count++;
	if (count == 0)
		return;
	views[count - 1].tag = last_tag(pair->batch.kind);
	struct view kept[MOST_PIECES];
	for (uint32_t i = 0; i < count; i++)
		kept[i] = views[i];
	uint32_t need = count - model_joins(pair, &views[0]);
	bool fits = need == 0 || model_room(pair) >= need;
	bool put = count == 1 ? batch_put(&pair->batch, views)
			      : batch_put_all(&pair->batch, views, count);
	SAME(put, fits);
	for (uint32_t i = 0; i < count; i++) {
		if (put)
			model_put(pair, &kept[i]);
		else
			SAME(same_view(&views[i], &kept[i]), true);
		SAME(put, views[i].data == NULL);
		view_drop(&views[i]);
	}
}

static void try_take(struct pair *pair)
{
	struct model *model = &pair->model;
	if (model_ready(model) == 0)
		return;
	struct view view = batch_take(&pair->batch);
	SAME(same_view(&view, &model->views[0]), true);
	model_count(&model->taken, pair->batch.kind, &view);
	model->taken.views++;
	model_remove_first(model);
	view_drop(&view);
}

static void try_advance(struct pair *pair)
{
	struct model *model = &pair->model;
	if (model_ready(model) == 0 || model->views[0].size < 2)
		return;
	struct view *first = &model->views[0];
	uint32_t bytes = 1 + chance(first->size - 1);
	uint32_t records = pair->batch.kind == FLOW_BYTES ? 0 : chance(view_records(first) + 1);
	if (records > 0 && records == view_records(first))
		records--;
	batch_advance(&pair->batch, bytes, records);
	first->data += bytes;
	first->size -= bytes;
	first->tag -= records;
	model->taken.bytes += bytes;
	model->taken.records += records;
}

static void try_mark(struct pair *pair)
{
	struct model *model = &pair->model;
	if (!model_marked(model)) {
		batch_set_mark(&pair->batch);
		model->mark = model->put.views;
	} else if (model->taken.views >= model->mark) {
		batch_clear_mark(&pair->batch);
		model->mark = UINT64_MAX;
	}
}

static void step(struct pair *pair)
{
	switch (chance(8)) {
	case 0:
		try_mark(pair);
		break;
	case 1:
		try_advance(pair);
		break;
	case 2:
	case 3:
	case 4:
		try_take(pair);
		break;
	default:
		try_put(pair);
	}
}

static void run(enum flow_kind kind, uint32_t room, uint32_t pin_limit, int steps)
{
	struct pair local = { .model.mark = UINT64_MAX }, *pair = &local;
	bool opened = batch_open(&pair->batch, kind, room);
	cr_assert(opened);
	pair->batch.pin_limit = pin_limit;
	pair->pool = pool_create(BUFFERS, BUFFER_SIZE);
	for (int i = 0; i < steps; i++) {
		step(pair);
		compare(pair);
	}
	buffer_release(&pair->filling);
	batch_close(&pair->batch);
	SAME(pool_free(pair->pool), BUFFERS);
	pool_destroy(pair->pool);
}

static void run_kind(enum flow_kind kind)
{
	for (int round = 0; round < 30; round++) {
		run(kind, MOST_PIECES + chance(MOST - MOST_PIECES), 0, 400);
		run(kind, MOST_PIECES + chance(10), 1 + chance(4), 400);
	}
}

Test(batch, bytes_as_a_naive_queue)
{
	run_kind(FLOW_BYTES);
}

Test(batch, records_as_a_naive_queue)
{
	run_kind(FLOW_RECORDS);
}

Test(batch, frames_as_a_naive_queue)
{
	run_kind(FLOW_FRAMES);
}

Test(batch, a_record_enters_whole_or_not_at_all)
{
	struct batch batch;
	struct view first = view_of_static("run\n", 4);
	struct view pieces[] = { view_of_static("a", 1), view_of_static("b", 1),
		view_of_static("\n", 1) };
	first.tag = pieces[2].tag = 1;
	cr_assert(batch_open(&batch, FLOW_RECORDS, 3));
	cr_assert(batch_put(&batch, &first));
	cr_assert_not(batch_put_all(&batch, pieces, 3));
	cr_assert_eq(batch.count, 1);
	cr_assert_not_null(pieces[0].data);
	struct view taken = batch_take(&batch);
	view_drop(&taken);
	cr_assert(batch_put_all(&batch, pieces, 3));
	cr_assert_eq(batch_group(&batch), 3);
	cr_assert_null(pieces[0].data);
	batch_close(&batch);
}

/* What is shared is held twice, joins as anything that is put, and stays where it was. */
Test(batch, sharing_makes_further_views_of_the_same_bytes)
{
	struct pool *pool = pool_create(1, 64);
	struct buffer *buffer = pool_take(pool);
	struct view run = view_publish(buffer, 8), next = view_publish(buffer, 4);
	struct view pieces[] = { view_of_static("x", 1), next };
	const char *data = run.data;
	struct batch from, to;
	run.tag = 2;
	pieces[1].tag = 1;
	cr_assert(batch_open(&from, FLOW_RECORDS, 4));
	cr_assert(batch_open(&to, FLOW_RECORDS, 4));
	cr_assert(batch_put(&from, &run));
	batch_share(&to, &from, 1);
	cr_assert_eq(buffer->holders, 4);
	cr_assert_eq(batch_peek(&to, 0)->data, data);
	cr_assert_eq(to.put.records, 2);
	cr_assert_eq(from.taken.records, 0);

	struct view taken = batch_take(&from);
	view_drop(&taken);
	cr_assert(batch_put_all(&from, pieces, 2));
	batch_share(&to, &from, 2);
	cr_assert_eq(to.count, 3);
	cr_assert_eq(to.put.bytes, 13);
	cr_assert_eq(to.pins, 1);
	taken = batch_take(&from);
	view_drop(&taken);
	batch_share(&to, &from, 1);
	cr_assert_eq(to.count, 4);
	batch_close(&from);
	batch_close(&to);
	cr_assert_eq(buffer->holders, 1);
	buffer_release(&buffer);
	pool_destroy(pool);
}

/* A neighbour of what is shared already makes it longer. */
Test(batch, what_is_shared_is_joined)
{
	struct pool *pool = pool_create(1, 64);
	struct buffer *buffer = pool_take(pool);
	struct batch from, to;
	cr_assert(batch_open(&from, FLOW_RECORDS, 4));
	cr_assert(batch_open(&to, FLOW_RECORDS, 1));
	for (int i = 0; i < 3; i++) {
		struct view view = view_publish(buffer, 4);
		view.tag = 1;
		cr_assert(batch_put(&from, &view));
		batch_share(&to, &from, 1);
		view = batch_take(&from);
		view_drop(&view);
	}
	cr_assert_eq(to.count, 1);
	cr_assert_eq(batch_peek(&to, 0)->size, 12);
	cr_assert_eq(view_records(batch_peek(&to, 0)), 3);
	cr_assert_eq(buffer->holders, 2);
	batch_close(&from);
	batch_close(&to);
	buffer_release(&buffer);
	pool_destroy(pool);
}

Test(batch, closing_drops_what_lies_in_it)
{
	struct pool *pool = pool_create(1, 64);
	struct buffer *buffer = pool_take(pool);
	struct batch batch;
	struct view view = view_publish(buffer, 5);
	cr_assert(batch_open(&batch, FLOW_BYTES, 4));
	cr_assert(batch_put(&batch, &view));
	buffer_release(&buffer);
	cr_assert_eq(pool_free(pool), 0);
	batch_close(&batch);
	cr_assert_eq(pool_free(pool), 1);
	batch_close(&batch);
	pool_destroy(pool);
}

Test(batch, costs_its_ring)
{
	cr_assert_eq(batch_cost(64), 64 * sizeof(struct view));
	cr_assert_eq(batch_cost(65), 128 * sizeof(struct view));
}

/* One small view of a buffer of its own, as a sparse filter leaves it. */
static void put_survivor(struct batch *batch, struct pool *pool, char letter, uint32_t size)
{
	struct buffer *buffer = pool_take(pool);
	cr_assert_not_null(buffer);
	for (uint32_t i = 0; i < size; i++)
		buffer->data[i] = letter;
	struct view view = view_publish(buffer, size);
	view.tag = 1;
	bool put = batch_put(batch, &view);
	cr_assert(put);
	buffer_release(&buffer);
}

Test(batch, thin_views_are_packed_and_counted)
{
	struct pool *pool = pool_create(8, 4096);
	struct batch batch;
	struct copies copies = { 0 };
	pool_keep_spare(pool, 2);
	cr_assert(batch_open(&batch, FLOW_RECORDS, 16));
	for (char letter = 'a'; letter < 'f'; letter++)
		put_survivor(&batch, pool, letter, 10);
	put_survivor(&batch, pool, 'f', 1000);
	cr_assert_eq(pool_available(pool), 0);
	batch.lent = 1;
	const char *lent = batch_peek(&batch, 0)->data, *thick = batch_peek(&batch, 5)->data;
	cr_assert(batch_pack_thin(&batch, pool, &copies));
	cr_assert_eq(copies.bytes[COPY_THIN], 40);
	cr_assert_eq(copies_sum(&copies), 40);
	cr_assert_eq(pool_available(pool), 3);
	cr_assert_eq(batch.pins, 3);
	cr_assert_eq(batch_peek(&batch, 0)->data, lent);
	cr_assert_eq(batch_peek(&batch, 5)->data, thick);
	cr_assert_not(batch_pack_thin(&batch, pool, &copies));
	batch.lent = 0;
	for (char letter = 'a'; letter < 'g'; letter++) {
		struct view view = batch_take(&batch);
		cr_assert_eq(view.data[0], letter);
		cr_assert_eq(view.data[view.size - 1], letter);
		cr_assert_eq(view.tag, 1);
		view_drop(&view);
	}
	cr_assert_eq(pool_free(pool), 8);
	batch_close(&batch);
	pool_destroy(pool);
}
