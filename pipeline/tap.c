/* Taps: looking at what a node has put, and the ring of samples. */

#include "pipeline/tap.h"

#include "pipeline/flow/scan.h"
#include "pipeline/run.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
	BURST_MS = 100, /* of the rate that may come at once */
	ALIGNED = 8,
	MOST_DELIMITER = 256 /* bytes */
};

/* In front of each sample in the ring, which lies in one piece. */
struct head {
	uint32_t size; /* of the sample; SKIP: nothing more up to the ring's end */
	uint32_t content, content_size;
	uint32_t unused;
	uint64_t whole;
};

#define SKIP UINT32_MAX

struct tap {
	char *text;
	size_t text_size;
	uint64_t rate;
	void (*wake)(void *context);
	void *context;

	/* The worker's. */
	struct tapped *places;
	const struct engine *engine;
	uint64_t changes;    /* of the engine's pipelines, when it was attached last */
	double allowance;    /* samples that may be given now */
	uint64_t allowed_at; /* ms */
	struct head *begun;  /* where the next sample is being made; NULL: nowhere */
	uint64_t begun_at;   /* its place, in bytes put */
	bool given;          /* something, in this look */

	/* Of both. */
	_Atomic uint64_t put, taken; /* bytes of the ring, since the start */
	_Atomic uint64_t passed, missed, attached;
	_Atomic uint32_t place_count;
	atomic_bool waits; /* the looker has found nothing */

	/* The looker's. */
	size_t held; /* bytes of the ring that the last sample takes */

	_Alignas(ALIGNED) char ring[TAP_RING];
};

/* A place where a tap is attached. */
struct tapped {
	struct tap *tap;
	struct run *run;
	struct node *node;
	struct edge *edge; /* where what it looks at lies */
	struct flow_count seen;
	struct tapped *of_run, *of_tap; /* the next ones */
};

/* --- the ring, the worker's end ------------------------------------------------------------------------------------ */

static size_t aligned(size_t size)
{
	return (size + ALIGNED - 1) & ~(size_t)(ALIGNED - 1);
}

/* Finds room for a sample of at most `size` bytes; none leaves `begun` NULL, and counts. */
static void begin_sample(struct tap *tap, size_t size)
{
	const size_t need = aligned(sizeof(struct head) + (size < TAP_MOST ? size : TAP_MOST));
	const uint64_t put = atomic_load_explicit(&tap->put, memory_order_relaxed);
	const uint64_t taken = atomic_load_explicit(&tap->taken, memory_order_acquire);
	const size_t at = put % TAP_RING, to_end = TAP_RING - at;
	const size_t skip = to_end < need ? to_end : 0;

	tap->begun = NULL;
	if (put - taken + skip + need > TAP_RING) {
		atomic_fetch_add_explicit(&tap->missed, 1, memory_order_relaxed);
		return;
	}
	if (skip > 0)
		*(uint32_t *)(void *)(tap->ring + at) = SKIP;
	tap->begun_at = put + skip;
	tap->begun = (void *)(tap->ring + (put + skip) % TAP_RING);
	*tap->begun = (struct head){ 0 };
}

static void add_to_sample(struct tap *tap, struct node *node, const char *data, size_t size)
{
	struct head *head = tap->begun;

	if (!head)
		return;
	const size_t room = TAP_MOST - head->size, part = size < room ? size : room;
	payload_copy((char *)(head + 1) + head->size, data, part, COPY_TAP, &node->account.copies);
	head->size += (uint32_t)part;
	head->whole += size;
}

static bool contains(const struct tap *tap, const char *data, size_t size)
{
	return !tap->text || memmem(data, size, tap->text, tap->text_size);
}

/* What was cut off is not there to be shown. */
static void publish_sample(struct tap *tap, struct content content)
{
	struct head *head = tap->begun;
	const size_t there = head->size > content.offset ? head->size - content.offset : 0;

	head->content = (uint32_t)(there > 0 ? content.offset : head->size);
	head->content_size = (uint32_t)(content.size < there ? content.size : there);
	tap->begun = NULL;
	tap->allowance -= 1;
	tap->given = true;
	atomic_store(&tap->put, tap->begun_at + aligned(sizeof(*head) + head->size));
}

/* One in several pieces. Nothing is given that does not contain what is looked for. */
static void end_sample(struct tap *tap, const struct framing *framing, bool bare)
{
	const struct head *head = tap->begun;

	if (!head)
		return;
	const char *data = (const char *)(head + 1);
	const struct content content =
		framing_content(framing, data, head->size, bare || head->whole > head->size);
	if (contains(tap, data + content.offset, content.size))
		publish_sample(tap, content);
	tap->begun = NULL;
}

/* --- looking ------------------------------------------------------------------------------------------------------- */

/* What a look goes along. */
struct look {
	struct tap *tap;
	struct node *node;
	const struct batch *batch;
	uint32_t index;                /* of the view in it */
	const struct framing *framing; /* NULL: bytes or frames, a sample is a view */
	bool inside;                   /* a record was begun in the views before */
	struct scan scan;              /* over it, but for delimiters */
};

static bool may_give(const struct tap *tap)
{
	return tap->rate == 0 || tap->allowance >= 1;
}

static void give(struct look *look, const char *data, size_t size, bool bare)
{
	struct content content = { .size = size };

	if (look->framing)
		content = framing_content(look->framing, data, size, bare);
	if (!contains(look->tap, data + content.offset, content.size))
		return;
	begin_sample(look->tap, size);
	if (!look->tap->begun)
		return;
	add_to_sample(look->tap, look->node, data, size);
	publish_sample(look->tap, content);
}

/* Whole records, one behind the other. Where only some are wanted the run is searched as a whole. */
static void look_at_run(struct look *look, const char *data, size_t size, bool alone)
{
	struct tap *tap = look->tap;

	while (size > 0 && may_give(tap)) {
		if (tap->text && !alone) {
			const char *hit = memmem(data, size, tap->text, tap->text_size);
			if (!hit)
				return;
			const size_t start =
				framing_start(look->framing, data, (size_t)(hit - data));
			data += start;
			size -= start;
		}
		const size_t first = alone ? size : framing_first(look->framing, data, size);
		const size_t whole = first > 0 ? first : size;
		give(look, data, whole, first == 0);
		data += whole;
		size -= whole;
	}
}

/* A view in which no record ends: the first, or the next, of one in several. */
static void look_at_piece(struct look *look, const char *data, size_t size)
{
	size_t used;

	if (!look->inside) {
		look->inside = true;
		look->scan = (struct scan){ 0 };
		if (may_give(look->tap))
			begin_sample(look->tap, TAP_MOST);
	}
	add_to_sample(look->tap, look->node, data, size);
	if (look->framing->kind != FRAMING_DELIMITED)
		(void)scan_record(look->framing, &look->scan, SCAN_NO_LIMIT, data, size, &used);
}

static const struct view *view_at(const struct batch *batch, uint32_t index)
{
	return &batch->views[(batch->head + index) & (batch->capacity - 1)];
}

/* Puts the last bytes of the record's pieces before this view in front of `end`, at most `most`; how many. */
static size_t bytes_before(struct look *look, char *end, size_t most)
{
	size_t size = 0;

	for (uint32_t i = look->index; i-- > 0 && size < most;) {
		const struct view *view = view_at(look->batch, i);
		if (view_records(view) > 0)
			break;
		const size_t part = view->size < most - size ? view->size : most - size;
		size += part;
		payload_copy(end - size, view->data + view->size - part, part, COPY_TAP,
			&look->node->account.copies);
	}
	return size;
}

/* Up to the first delimiter, which may lie across the views' border. */
static size_t rest_delimited(struct look *look, const char *data, size_t size)
{
	const struct framing *framing = look->framing;
	const size_t overlap = framing->delimiter_size - 1;
	const size_t after = size < overlap ? size : overlap;
	char across[2 * MOST_DELIMITER], *middle = across + overlap;
	const size_t before = bytes_before(look, middle, overlap);

	payload_copy(middle, data, after, COPY_TAP, &look->node->account.copies);
	const size_t first = framing_first(framing, middle - before, before + after);
	if (first > before)
		return first - before;
	const size_t inside = framing_first(framing, data, size);
	return inside > 0 ? inside : size;
}

/* How much of the view belongs to the record that was begun before it. */
static size_t rest_of_record(struct look *look, const char *data, size_t size)
{
	size_t used = 0;

	if (look->framing->kind == FRAMING_DELIMITED)
		return rest_delimited(look, data, size);
	if (scan_record(look->framing, &look->scan, SCAN_NO_LIMIT, data, size, &used) != SCAN_ENDS)
		return size;
	return used;
}

static void look_at_records(struct look *look, const struct view *view, uint32_t offset)
{
	const char *data = view->data + offset;
	size_t size = view->size - offset;
	const uint32_t records = view_records(view);

	if (records == 0) {
		look_at_piece(look, data, size);
		return;
	}
	if (look->inside) {
		const size_t rest = records == 1 ? size : rest_of_record(look, data, size);
		add_to_sample(look->tap, look->node, data, rest);
		end_sample(look->tap, look->framing, rest == size && (view->tag & VIEW_BARE));
		look->inside = false;
		data += rest;
		size -= rest;
	}
	if (size == 0)
		return;
	const bool alone = records == 1 && offset == 0;
	if (alone && may_give(look->tap))
		give(look, data, size, view->tag & VIEW_BARE);
	else if (!alone)
		look_at_run(look, data, size, false);
}

/* Where the last `bytes` bytes of a batch begin: they were put since it was looked at. */
static uint32_t find_fresh(const struct batch *batch, uint64_t bytes, uint32_t *offset)
{
	uint32_t index = batch->count;

	*offset = 0;
	while (index > 0 && bytes > 0) {
		const struct view *view = view_at(batch, --index);
		if (view->size >= bytes) {
			*offset = view->size - (uint32_t)bytes;
			break;
		}
		bytes -= view->size;
	}
	return index;
}

static void refill(struct tap *tap, uint64_t now)
{
	const double burst = (double)tap->rate * BURST_MS / 1e3, most = burst > 1 ? burst : 1;

	tap->allowance += (double)(now - tap->allowed_at) * (double)tap->rate / 1e3;
	if (tap->allowance > most)
		tap->allowance = most;
	tap->allowed_at = now;
}

static void look_at(struct tapped *place, uint64_t bytes)
{
	const struct batch *batch = &place->edge->batch;
	struct look look = { .tap = place->tap, .node = place->node, .batch = batch };
	uint32_t offset;

	if (batch->kind == FLOW_RECORDS)
		look.framing = place->edge->consumer->framing;
	for (uint32_t i = find_fresh(batch, bytes, &offset); i < batch->count; i++, offset = 0) {
		const struct view *view = view_at(batch, i);
		look.index = i;
		if (look.framing)
			look_at_records(&look, view, offset);
		else if (view->size > offset && may_give(look.tap))
			give(&look, view->data + offset, view->size - offset, true);
	}
	place->tap->begun = NULL;
}

/* Sinks and tees are tapped where it enters, so all that feed them count. */
static bool is_of_interest(const struct tapped *place, const struct node *node)
{
	return place->node->out ? node == place->node : node_feeds(node, place->edge);
}

static void look_after(struct tapped *place, const struct node *node, uint64_t now)
{
	const struct batch *batch = &place->edge->batch;
	struct tap *tap = place->tap;
	const struct flow_count *put = &batch->put;
	const uint64_t fresh = put->bytes - place->seen.bytes;
	const uint64_t there = put->bytes - batch->taken.bytes;

	if (fresh > 0 && is_of_interest(place, node)) {
		atomic_fetch_add_explicit(&tap->passed,
			batch->kind == FLOW_BYTES ? put->views - place->seen.views
						  : put->records - place->seen.records,
			memory_order_relaxed);
		tap->given = false;
		refill(tap, now);
		if (may_give(tap))
			look_at(place, fresh < there ? fresh : there);
		if (tap->given && atomic_exchange(&tap->waits, false))
			tap->wake(tap->context);
	}
	place->seen = *put;
}

void run_show_taps(struct run *run, const struct node *node)
{
	for (struct tapped *place = run->taps; place; place = place->of_run)
		look_after(place, node, engine_now(run->engine));
}

/* --- attaching ----------------------------------------------------------------------------------------------------- */

static bool is_attached(const struct tap *tap, const struct run *run)
{
	for (const struct tapped *place = tap->places; place; place = place->of_tap)
		if (place->run == run)
			return true;
	return false;
}

static void attach(struct tap *tap, struct run *run, struct node *node)
{
	struct tapped *place = calloc(1, sizeof(*place));

	if (!place)
		return;
	struct edge *edge = edge_of(node->out ? node->out : node->in);
	*place = (struct tapped){ .tap = tap,
		.run = run,
		.node = node,
		.edge = edge,
		.seen = edge->batch.put,
		.of_run = run->taps,
		.of_tap = tap->places };
	run->taps = place;
	tap->places = place;
	atomic_fetch_add(&tap->place_count, 1);
	atomic_fetch_add(&tap->attached, 1);
}

void tap_attach(struct tap *tap, struct engine *engine, const char *name)
{
	if (tap->engine == engine && tap->changes == engine->changes)
		return;
	tap->engine = engine;
	tap->changes = engine->changes;
	for (size_t i = 0; i < engine->count && engine->opened; i++) {
		struct run *run = engine->runs[i];
		for (size_t k = 0; k < run->pipeline->node_count; k++) {
			struct node *node = run->pipeline->nodes[k];
			if (strcmp(node->name, name) == 0 && !is_attached(tap, run))
				attach(tap, run, node);
		}
	}
}

static void detach(struct tapped *place, struct tapped **of_run, struct tapped **of_tap)
{
	while (*of_run != place)
		of_run = &(*of_run)->of_run;
	*of_run = place->of_run;
	while (*of_tap != place)
		of_tap = &(*of_tap)->of_tap;
	*of_tap = place->of_tap;
	atomic_fetch_sub(&place->tap->place_count, 1);
	free(place);
}

void tap_detach(struct tap *tap)
{
	while (tap->places)
		detach(tap->places, &tap->places->run->taps, &tap->places);
}

void run_detach_taps(struct run *run)
{
	while (run->taps)
		detach(run->taps, &run->taps, &run->taps->tap->places);
}

/* --- the looker's end ---------------------------------------------------------------------------------------------- */

static void do_nothing(void *context)
{
	(void)context;
}

struct tap *tap_create(const struct tap_options *options)
{
	struct tap *tap = calloc(1, sizeof(*tap));

	if (!tap)
		return NULL;
	tap->rate = options->rate;
	tap->wake = options->wake ? options->wake : do_nothing;
	tap->context = options->context;
	if (!options->text || options->text_size == 0)
		return tap;
	tap->text = malloc(options->text_size);
	if (!tap->text) {
		free(tap);
		return NULL;
	}
	bytes_store(tap->text, options->text, options->text_size);
	tap->text_size = options->text_size;
	return tap;
}

void tap_destroy(struct tap *tap)
{
	if (!tap)
		return;
	assert(atomic_load(&tap->place_count) == 0);
	free(tap->text);
	free(tap);
}

/* Gives back what the last sample took. */
static void let_go(struct tap *tap)
{
	const uint64_t taken = atomic_load_explicit(&tap->taken, memory_order_relaxed);

	atomic_store_explicit(&tap->taken, taken + tap->held, memory_order_release);
	tap->held = 0;
}

static bool is_empty(struct tap *tap)
{
	return atomic_load(&tap->put) == atomic_load_explicit(&tap->taken, memory_order_relaxed);
}

/* The sample at the ring's end of the looker; there is one. */
static const struct head *next_head(struct tap *tap)
{
	const uint64_t taken = atomic_load_explicit(&tap->taken, memory_order_relaxed);
	const size_t at = taken % TAP_RING;

	if (*(const uint32_t *)(const void *)(tap->ring + at) != SKIP)
		return (const void *)(tap->ring + at);
	atomic_store_explicit(&tap->taken, taken + TAP_RING - at, memory_order_release);
	return (const void *)tap->ring;
}

bool tap_next(struct tap *tap, struct sample *sample)
{
	let_go(tap);
	if (is_empty(tap)) {
		atomic_store(&tap->waits, true);
		if (is_empty(tap)) /* what comes from now on wakes */
			return false;
	}
	const struct head *head = next_head(tap);
	tap->held = aligned(sizeof(*head) + head->size);
	*sample = (struct sample){ .data = (const char *)(head + 1),
		.size = head->size,
		.content = head->content,
		.content_size = head->content_size,
		.whole = head->whole };
	return true;
}

void tap_look(const struct tap *tap, struct tap_facts *facts)
{
	*facts = (struct tap_facts){ .places = atomic_load(&tap->place_count),
		.attached = atomic_load(&tap->attached),
		.passed = atomic_load(&tap->passed),
		.missed = atomic_load(&tap->missed) };
}
