/* Showing: what a node has put since the last look, record by record, and what of it is given to a tap. */
#include "pipeline/tapped.h"

#include "pipeline/flow/scan.h"

#include <string.h>

enum {
	BURST_MS = 100,      /* of the rate that may come at once */
	MOST_DELIMITER = 256 /* bytes */
};

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

static bool contains(const struct tap *tap, const char *data, size_t size)
{
	return !tap->text || memmem(data, size, tap->text, tap->text_size);
}

static bool may_give(const struct tap *tap)
{
	return tap->rate == 0 || tap->allowance >= 1;
}

static void add_to_sample(struct look *look, const char *data, size_t size)
{
	tap_ring_add(&look->tap->ring, data, size, &look->node->account.copies);
}

static void publish(struct tap *tap, struct content content)
{
	tap_ring_publish(&tap->ring, content);
	tap->allowance -= 1;
	tap->given = true;
}

/* One in several pieces. Nothing is given that does not contain what is looked for. */
static void end_sample(struct tap *tap, const struct framing *framing, bool bare)
{
	const struct tap_head *head = tap->ring.begun;

	if (!head)
		return;
	const char *data = tap_ring_data(&tap->ring);
	const struct content content =
		framing_content(framing, data, head->size, bare || head->whole > head->size);
	if (contains(tap, data + content.offset, content.size))
		publish(tap, content);
	tap->ring.begun = NULL;
}

static void give(struct look *look, const char *data, size_t size, bool bare)
{
	struct content content = { .size = size };

	if (look->framing)
		content = framing_content(look->framing, data, size, bare);
	if (!contains(look->tap, data + content.offset, content.size))
		return;
	tap_ring_begin(&look->tap->ring, size);
	if (!look->tap->ring.begun)
		return;
	add_to_sample(look, data, size);
	publish(look->tap, content);
}

/* Whole records, one behind the other. Where only some are wanted the run is searched as a whole. */
static void look_at_run(struct look *look, const char *data, size_t size)
{
	struct tap *tap = look->tap;

	while (size > 0 && may_give(tap)) {
		if (tap->text) {
			const char *hit = memmem(data, size, tap->text, tap->text_size);
			if (!hit)
				return;
			const size_t start =
				framing_start(look->framing, data, (size_t)(hit - data));
			data += start;
			size -= start;
		}
		const size_t first = framing_first(look->framing, data, size);
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
			tap_ring_begin(&look->tap->ring, TAP_MOST);
	}
	add_to_sample(look, data, size);
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
		add_to_sample(look, data, rest);
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
		look_at_run(look, data, size);
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
	place->tap->ring.begun = NULL;
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
