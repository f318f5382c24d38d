/* filter: keeps the records that satisfy a condition.
 *
 * A run is searched as a whole and cut into stretches of consecutive survivors, each put out as one view; a run that
 * survives wholly is moved on as it is. What lies between is never looked at for borders, unless the output is full:
 * then the head of the input is advanced to where it stopped, and what was found and not yet put is remembered.
 */

#include "pipeline/flow/record.h"
#include "pipeline/node.h"
#include "pipeline/search/condition.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Consecutive survivors of the head of the input, in bytes from its start. */
struct stretch {
	uint32_t start, end; /* equal: none */
	uint32_t records;
};

/* How far the work on the head of the input is. */
struct progress {
	uint32_t from;               /* it is searched to here, or to the end of the hit */
	uint32_t hit_start, hit_end; /* a record that was found and not used yet; equal: none */
	uint32_t passed;             /* records of it that were put out */
	struct stretch waiting;      /* for room */
};

struct filter {
	struct condition condition; /* first: the options are its own */
	struct search *search;
	struct framing framing; /* that it is compiled for */
	struct scratch scratch;
	size_t scratch_size;
	struct view *views; /* of one record */
	uint32_t most_views;
	struct progress progress;
	struct record record; /* in several views, */
	bool judged, keep;    /* and the verdict while it waits for room */
	uint64_t errors;      /* that were logged or held back */
	struct log_gate gate;
};

/* Runs */

/* The next record that the search finds in the head, from progress->from on. */
static bool find(struct filter *filter, const struct view *head)
{
	struct progress *progress = &filter->progress;
	size_t start, end;
	if (!search_next(filter->search, head->data, head->size, head->tag & VIEW_BARE,
		    progress->from, &start, &end)) {
		progress->from = head->size;
		progress->hit_start = progress->hit_end = 0;
		return false;
	}
	progress->hit_start = (uint32_t)start;
	progress->hit_end = progress->from = (uint32_t)end;
	return true;
}

static bool hit_waits(const struct progress *progress)
{
	return progress->hit_end > progress->hit_start;
}

/* What is found is kept: joins found records that touch. */
static struct stretch next_found(struct filter *filter, const struct view *head)
{
	struct progress *progress = &filter->progress;
	struct stretch stretch = { 0 };
	if (!hit_waits(progress) && !find(filter, head))
		return stretch;
	stretch.start = progress->hit_start;
	do {
		stretch.end = progress->hit_end;
		stretch.records++;
	} while (find(filter, head) && progress->hit_start == stretch.end);
	return stretch;
}

/* What is found is dropped: the stretch is what lies before it. */
static struct stretch next_between(struct filter *filter, const struct view *head)
{
	struct progress *progress = &filter->progress;
	struct stretch stretch = { .start = progress->from, .end = progress->from };
	while (stretch.start < head->size && stretch.end == stretch.start) {
		stretch.start = progress->from;
		stretch.end = find(filter, head) ? progress->hit_start : head->size;
	}
	progress->hit_start = progress->hit_end = 0;
	if (stretch.start == 0 && stretch.end == head->size) {
		stretch.records = view_records(head);
		return stretch;
	}
	stretch.records = framing_count(
		&filter->framing, head->data + stretch.start, stretch.end - stretch.start);
	if (stretch.end == head->size && stretch.end > stretch.start && (head->tag & VIEW_BARE))
		stretch.records++;
	return stretch;
}

static bool is_empty(const struct stretch *stretch)
{
	return stretch->start == stretch->end;
}

/* The first view has been dealt with. */
static void finish(struct node *node, struct view *head)
{
	struct filter *filter = node->state;
	node->account.filtered += view_records(head) - filter->progress.passed;
	filter->progress = (struct progress){ 0 };
}

static void drop_rest(struct node *node, struct batch *in)
{
	struct view head = batch_take(in);
	finish(node, &head);
	view_drop(&head);
}

static void move_whole(struct node *node, struct batch *in, struct batch *out)
{
	struct filter *filter = node->state;
	struct view head = batch_take(in);
	assert(filter->progress.waiting.records == view_records(&head));
	filter->progress.passed = view_records(&head);
	finish(node, &head);
	bool put = batch_put(out, &head);
	assert(put);
}

/* Stops before the stretch that found no room. */
static void stop(struct node *node, struct batch *in)
{
	struct filter *filter = node->state;
	struct progress *progress = &filter->progress;
	uint32_t bytes = progress->waiting.start;
	if (bytes == 0)
		return;
	uint32_t records = framing_count(&filter->framing, batch_peek(in, 0)->data, bytes);
	batch_advance(in, bytes, records);
	node->account.filtered += records - progress->passed;
	progress->passed = 0;
	progress->waiting.start -= bytes;
	progress->waiting.end -= bytes;
	progress->from -= bytes;
	if (hit_waits(progress)) {
		progress->hit_start -= bytes;
		progress->hit_end -= bytes;
	}
}

static void put_stretch(struct filter *filter, const struct view *head, struct batch *out)
{
	struct stretch *waiting = &filter->progress.waiting;
	struct view slice;
	bool done = view_slice(head, waiting->start, waiting->end - waiting->start, &slice);
	assert(done);
	slice.tag = waiting->records | (waiting->end == head->size ? head->tag & VIEW_BARE : 0);
	filter->progress.passed += waiting->records;
	done = batch_put(out, &slice);
	assert(done);
	*waiting = (struct stretch){ 0 };
}

/* Works on the first view, a run. True when it is done with; false: there is no room. */
static bool pass_run(struct node *node, struct batch *in, struct batch *out)
{
	struct filter *filter = node->state;
	struct progress *progress = &filter->progress;
	for (;;) {
		const struct view *head = batch_peek(in, 0);
		if (is_empty(&progress->waiting))
			progress->waiting = search_inverted(filter->search)
						    ? next_between(filter, head)
						    : next_found(filter, head);
		if (is_empty(&progress->waiting)) {
			drop_rest(node, in);
			return true;
		}
		if (batch_room(out) == 0) {
			stop(node, in);
			return false;
		}
		if (progress->waiting.start == 0 && progress->waiting.end == head->size) {
			move_whole(node, in, out);
			return true;
		}
		put_stretch(filter, head, out);
	}
}

/* Records in several views */

static void judge(struct node *node, struct batch *in)
{
	struct filter *filter = node->state;
	bool found = record_first(in, &filter->framing, &filter->scratch, &filter->record);
	assert(found);
	filter->keep = search_judge(filter->search, filter->record.data, filter->record.size);
	filter->judged = true;
	node->account.peeked = filter->scratch.peeked;
}

/* Works on the first record, which lies in the first `group` views. */
static bool pass_record(struct node *node, struct batch *in, struct batch *out, uint32_t group)
{
	struct filter *filter = node->state;
	if (!filter->judged)
		judge(node, in);
	if (filter->keep && batch_room(out) < group)
		return false;
	uint32_t count = record_take(in, filter->record.whole, filter->views, filter->most_views);
	filter->judged = false;
	if (filter->keep) {
		bool put = batch_put_all(out, filter->views, count);
		assert(put);
		return true;
	}
	for (uint32_t i = 0; i < count; i++)
		view_drop(&filter->views[i]);
	node->account.filtered++;
	return true;
}

static void log_errors(struct node *node)
{
	struct filter *filter = node->state;
	uint64_t errors = search_errors(filter->search), missed;
	if (errors == filter->errors || !log_gate_open(&filter->gate, node_now(node), &missed))
		return;
	node_log(node, LOG_LEVEL_WARNING,
		"a pattern took too many steps and was given up, %" PRIu64
		" times: those records count as not matching",
		errors - filter->errors);
	filter->errors = errors;
}

static void filter_process(struct node *node, struct batch *in, struct batch *out)
{
	uint32_t group;
	bool room = true;
	while (room && (group = batch_group(in)) > 0)
		room = group > 1 ? pass_record(node, in, out, group) : pass_run(node, in, out);
	log_errors(node);
}

/* Life */

static bool compile(struct node *node, const struct framing *framing, struct faults *faults)
{
	struct filter *filter = node->state;
	if (filter->search && framing_same(&filter->framing, framing))
		return true;
	search_destroy(filter->search);
	filter->framing = *framing;
	filter->search = search_create(&filter->condition, &filter->framing, node->value, faults);
	return filter->search != NULL;
}

static bool filter_plan(
	struct node *node, const struct shape *in, struct shape *out, struct faults *faults)
{
	struct filter *filter = node->state;
	if (in->kind != FLOW_RECORDS)
		return fault_at(faults, node->value, "put {\"split\": \"newline\"} before it",
			"`filter` needs records");
	if (in->framing->kind == FRAMING_NONE)
		return fault_at(faults, node->value, "put it before the join",
			"`filter` needs records, but \"join\" with \"none\" left no borders");
	if (!compile(node, in->framing, faults))
		return false;
	filter->scratch_size = in->max_record + in->framing->delimiter_size;
	filter->most_views = in->most_views;
	node->charge += search_cost(filter->search) + filter->scratch_size +
			filter->most_views * sizeof(*filter->views);
	snprintf(node->how, sizeof(node->how), "%s", search_method(filter->search));
	*out = *in;
	return true;
}

static bool filter_open(struct node *node, struct faults *faults)
{
	struct filter *filter = node->state;
	filter->views = calloc(filter->most_views, sizeof(*filter->views));
	if (filter->views && scratch_open(&filter->scratch, filter->scratch_size))
		return true;
	return node_fault(node, faults, NULL, "there is no memory for a record of %zu bytes",
		filter->scratch_size);
}

static void filter_close(struct node *node)
{
	struct filter *filter = node->state;
	scratch_close(&filter->scratch);
	free(filter->views);
	filter->views = NULL;
	search_destroy(filter->search);
	filter->search = NULL;
}

const struct stage_ops stage_filter = {
	.type = {
		.name = "filter",
		.doc = "Keeps the records that satisfy a condition.",
		.options = condition_options,
		.state_size = sizeof(struct filter),
		.example = "{ \"filter\": { \"any\": [ { \"contains\": \"ERROR\" }, { \"regex\": \"status=5\\\\d\\\\d\" } ] } }",
		.plan = filter_plan,
		.open = filter_open,
		.close = filter_close,
	},
	.process = filter_process,
};
