/* A bench for one source or sink: see the header. */

#include "tests/support/node_bench.h"

#include <criterion/logging.h>
#include <stdlib.h>
#include <string.h>

enum { BUFFERS = 32, BUFFER_SIZE = 65536, ROOM = 64, QUOTA = 1 << 20, HALT_TURNS = 1000 };

static void *zeroed(size_t size)
{
	void *memory = calloc(1, size > 0 ? size : 1);

	cr_assert_not_null(memory);
	return memory;
}

static void set_defaults(struct node_bench *bench)
{
	if (!bench->buffers)
		bench->buffers = BUFFERS;
	if (!bench->buffer_size)
		bench->buffer_size = BUFFER_SIZE;
	if (!bench->room)
		bench->room = ROOM;
	if (!bench->quota)
		bench->quota = QUOTA;
}

static void read_options(struct node_bench *bench, const char *json)
{
	const struct node_type *type = bench->node.type;
	bool good = document_parse(&bench->document, "bench", json ? json : "{}",
		strlen(json ? json : "{}"), true, &bench->faults);

	good = good && options_read(type->options, bench->document.root, type->name,
			       bench->node.state, &bench->faults);
	bench->node.value = bench->document.root;
	cr_assert(good, "%s", bench->faults.count > 0 ? bench->faults.items[0].message : json);
}

static void plan(struct node_bench *bench)
{
	struct node *node = &bench->node;
	struct shape in = {
		.kind = bench->kind, .framing = bench->framing, .streams = 1, .max_record = 1 << 20
	};
	struct shape out = { 0 };
	bool is_source = node->role == NODE_SOURCE;

	cr_assert(node->type->plan(
		node, is_source ? NULL : &in, is_source ? &out : NULL, &bench->faults));
	node->stream_count = out.streams;
	node->first_stream = 100;
}

void node_bench_make(struct node_bench *bench, enum loop_wish wish, const struct node_type *type,
	enum node_role role, const char *json)
{
	const char *why;

	set_defaults(bench);
	bench->loop = loop_create(wish, &why);
	cr_assert_not_null(bench->loop, "%s", why);
	bench->pool = pool_create(bench->buffers, bench->buffer_size);
	cr_assert_not_null(bench->pool);
	cr_assert(batch_open(&bench->batch, bench->kind, bench->room));
	bench->pipeline = (struct pipeline){ .name = "bench",
		.pool = bench->pool,
		.buffer_size = bench->buffer_size,
		.max_record = 1 << 20 };
	bench->node = (struct node){
		.type = type,
		.role = role,
		.name = "bench.node",
		.pipeline = &bench->pipeline,
		.state = zeroed(type->state_size),
		.in = role == NODE_SOURCE ? NULL : &bench->batch,
		.out = role == NODE_SOURCE ? &bench->batch : NULL,
		.framing = bench->framing,
		.pool = bench->pool,
		.loop = bench->loop,
		.quota = bench->quota,
	};
	read_options(bench, json);
	plan(bench);
}

void node_bench_open(struct node_bench *bench)
{
	bool is_open = bench->node.type->open(&bench->node, &bench->faults);

	cr_assert(is_open, "%s", bench->faults.count > 0 ? bench->faults.items[0].message : "");
}

static void step(struct node_bench *bench)
{
	struct node *node = &bench->node;

	if (node->role == NODE_SOURCE) {
		const struct source_ops *ops = source_ops(node);

		node->quota = bench->quota;
		if (!node->ended)
			ops->read(node, node->out);
	} else {
		const struct sink_ops *ops = sink_ops(node);

		ops->write(node, node->in);
	}
}

static int until_due(const struct node_bench *bench, int limit_ms)
{
	uint64_t now = loop_now(bench->loop), due = bench->node.due;

	if (!due || due >= now + (uint64_t)limit_ms)
		return limit_ms;
	return due <= now ? 0 : (int)(due - now);
}

void node_bench_turn(struct node_bench *bench, int limit_ms)
{
	const struct batch *batch = &bench->batch;
	uint64_t before = batch->put.bytes + batch->taken.bytes;

	step(bench);
	bool has_moved = batch->put.bytes + batch->taken.bytes != before;
	loop_turn(bench->loop, has_moved ? 0 : until_due(bench, limit_ms));
}

void node_bench_close(struct node_bench *bench)
{
	struct node *node = &bench->node;

	if (node->type->halt)
		node->type->halt(node);
	for (int i = 0; i < HALT_TURNS && node->busy > 0; i++)
		loop_turn(bench->loop, NODE_BENCH_WAIT_MS);
	cr_assert_eq(node->busy, 0);
	node->type->close(node);
	batch_close(&bench->batch);
	cr_assert_eq(pool_free(bench->pool), pool_count(bench->pool));
	pool_destroy(bench->pool);
	loop_destroy(bench->loop);
	free(node->state);
	faults_close(&bench->faults);
	document_close(&bench->document);
}

void node_bench_put(struct node_bench *bench, const char *data, size_t size, uint32_t tag)
{
	struct buffer *buffer = pool_take(bench->pool);

	cr_assert_not_null(buffer);
	cr_assert_leq(size, buffer_room(buffer));
	memcpy(buffer_end(buffer), data, size);
	struct view view = view_publish(buffer, (uint32_t)size);
	buffer_release(&buffer);
	view.tag = tag;
	cr_assert(batch_put(&bench->batch, &view));
}

void node_bench_on_both(void (*body)(enum loop_wish wish))
{
	const char *why;
	struct loop *loop = loop_create(LOOP_URING, &why);

	if (loop) {
		loop_destroy(loop);
		body(LOOP_URING);
	} else {
		cr_log_warn("uring is left out: %s", why);
	}
	body(LOOP_EPOLL);
}

static void take_view(struct taken *taken, uint32_t first_stream, const struct view *view)
{
	uint32_t number = view_stream(view) - first_stream;

	cr_assert_lt(number, TAKEN_STREAMS);
	struct taken_stream *stream = &taken->streams[number];
	stream->data = realloc(stream->data, stream->size + view->size + 1);
	cr_assert_not_null(stream->data);
	if (view->size > 0)
		memcpy(stream->data + stream->size, view->data, view->size);
	stream->size += view->size;
	stream->data[stream->size] = '\0';
	stream->ended |= (view->tag & VIEW_END) != 0;
	stream->broken |= (view->tag & VIEW_BROKEN) != 0;
	taken->ends += (view->tag & (VIEW_END | VIEW_BROKEN)) != 0;
	taken->bytes += view->size;
	taken->views++;
}

void taken_take(struct taken *taken, struct node_bench *bench)
{
	while (batch_ready(&bench->batch) > 0) {
		struct view view = batch_take(&bench->batch);

		take_view(taken, bench->node.first_stream, &view);
		view_drop(&view);
	}
}

void taken_close(struct taken *taken)
{
	for (uint32_t i = 0; i < TAKEN_STREAMS; i++)
		free(taken->streams[i].data);
	*taken = (struct taken){ 0 };
}
