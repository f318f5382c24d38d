/* Shapes: every node, in data order, says what it gives for what it gets.
 *
 * What no node can know alone is refused here: streams that would be mixed, sources that do not agree, records that are
 * split twice, stages behind a codec, dropping where there are no records. Behind a node that could not be asked nothing
 * is known: the nodes there are asked with an input that suits them, so that their own faults are found too.
 */

#include "config/units.h"
#include "pipeline/draft.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "pipeline/explain.h"
#include "pipeline/holds.h"

static const char newline_text[] = "\n";
static const struct framing newline = {
	.delimiter = newline_text, .delimiter_size = 1, .newline = true
};

static const char split_first[] = "put {\"split\": \"newline\"} before it";
static const char records_first[] = "put {\"split\": \"newline\"} into the pipeline's \"stages\"";
static const char compress_later[] = "put \"compress\" into the \"stages\" of each branch";

bool shapes_is_split(const struct node *node)
{
	return node->role == NODE_STAGE && strcmp(node->type->name, "split") == 0;
}

/* Stages that work on streams, each by itself. */
static bool takes_bytes(const struct node *node)
{
	return shapes_is_split(node) ||
	       (node->role == NODE_STAGE && strcmp(node->type->name, "decompress") == 0);
}

/* --- what is carried ---------------------------------------------------------------------------------------------- */

static struct carried *carried_on(struct draft *draft, struct batch *batch)
{
	return &draft->carried[edge_of(batch) - draft->pipeline->edges];
}

static struct shape suitable(const struct draft *draft, const struct node *node)
{
	if (takes_bytes(node))
		return (struct shape){ .kind = FLOW_BYTES, .streams = 1 };
	return (struct shape){ .kind = FLOW_RECORDS,
		.framing = &newline,
		.max_record = draft->pipeline->max_record,
		.most_views = 32 };
}

/* --- sources that meet -------------------------------------------------------------------------------------------- */

/* Adds what a node gives to what others gave to the same edge. */
static bool meet(
	const struct node *node, struct shape *all, const struct shape *more, struct faults *faults)
{
	const char *first = edge_of(node->out)->producer->name;
	const struct value *place = node->value;
	if (more->kind == FLOW_FRAMES)
		return fault_at(faults, place, "put it into the pipeline's \"stages\"",
			"sources merge as records, but \"%s\" gives frames", node->name);
	if (all->kind != more->kind)
		return fault_at(faults, place,
			"give each source that brings bytes its own "
			"\"stages\": [{\"split\": \"newline\"}]",
			"sources merge as records, but \"%s\" gives %s and \"%s\" %s", first,
			explain_flow(all->kind), node->name, explain_flow(more->kind));
	if (!framing_same(all->framing, more->framing))
		return fault_at(faults, place, "let both split in the same way",
			"\"%s\" and \"%s\" merge, but their records end differently", first,
			node->name);
	all->streams += more->streams;
	all->connections += more->connections;
	if (all->max_record < more->max_record)
		all->max_record = more->max_record;
	if (all->most_views < more->most_views)
		all->most_views = more->most_views;
	return true;
}

static bool put(struct draft *draft, const struct node *node, const struct shape *shape, bool known,
	struct faults *faults)
{
	if (!node->out)
		return true; /* "to" is missing or wrong, and that was said */
	struct carried *carried = carried_on(draft, node->out);
	if (!carried->put) {
		*carried = (struct carried){ .shape = *shape, .put = true, .known = known };
		return true;
	}
	carried->known &= known;
	return !carried->known || meet(node, &carried->shape, shape, faults);
}

/* --- what does not fit -------------------------------------------------------------------------------------------- */

static bool check_stage(const struct node *node, const struct shape *in, struct faults *faults)
{
	if (in->kind == FLOW_FRAMES)
		return fault_at(faults, node->value, "put it before what compresses",
			"\"%s\" stands behind \"%s\", whose frames only sinks can take",
			node->type->name, edge_of(node->in)->producer->name);
	if (in->kind == FLOW_RECORDS && shapes_is_split(node))
		return fault_at(faults, node->value, "leave one of the two splits out",
			"\"%s\" gives records already", edge_of(node->in)->producer->name);
	return true;
}

/* Streams may lie side by side on an edge, but only few can tell them apart. */
static bool check_streams(const struct node *node, const struct shape *in, struct faults *faults)
{
	if (in->kind != FLOW_BYTES || in->streams < 2 || takes_bytes(node))
		return true;
	return fault_at(faults, node->value, split_first,
		"the bytes of up to %u streams would be mixed in \"%s\"", in->streams,
		node->type->name);
}

/* Frames lie in the codec's few blocks: a branch that kept them would stop the codec, and so all others. */
static bool check_branches(const struct node *node, const struct shape *in, struct faults *faults)
{
	const struct tee *tee = node->state;
	bool good = true;
	for (size_t i = 0; i < tee->count; i++)
		if (tee->branches[i].drop && in->kind != FLOW_RECORDS)
			good = fault_at(faults, value_member(tee->branches[i].value, "when_full"),
				in->kind == FLOW_BYTES ? records_first : compress_later,
				"only whole records can be dropped, but \"%s\" gets %s",
				tee->branches[i].name, explain_flow(in->kind));
	return good;
}

bool plan_records_to_records(
	struct node *node, const struct shape *in, struct shape *out, struct faults *faults)
{
	*out = *in;
	if (in->kind == FLOW_RECORDS)
		return true;
	return fault_at(faults, node->value,
		in->kind == FLOW_BYTES ? split_first : "put it before what compresses",
		"\"%s\" needs records, but gets %s", node->type->name, explain_flow(in->kind));
}

/* --- the walk ----------------------------------------------------------------------------------------------------- */

/* The pieces that a record of this size may be in. */
static uint32_t pieces_of(const struct draft *draft, uint64_t max_record)
{
	uint64_t size = draft->pipeline->buffer_size, pieces = (max_record + size - 1) / size + 2;
	if (pieces < 32)
		return 32;
	return pieces < VIEW_STREAM / 4 ? (uint32_t)pieces : VIEW_STREAM / 4;
}

/* What waits in front of a sink may be packed (batch_pack_thin()); frames lie in blocks of their codec's. */
static void tell_of_packing(struct node *node, const struct shape *in)
{
	char size[32];
	if (node->role == NODE_SINK && in && in->kind != FLOW_FRAMES)
		snprintf(node->copies_why, sizeof(node->copies_why),
			"0, or thin: views under %s, once, when the pool is empty",
			size_format(node_buffer_size(node) / 16, size));
}

static bool ask(struct node *node, const struct shape *in, struct shape *out, struct faults *faults)
{
	node->charge = 0;
	node->threads = 0;
	node->how[0] = node->copies_why[0] = '\0';
	tell_of_packing(node, in);
	return !node->type->plan || node->type->plan(node, in, out, faults);
}

static bool walk_source(struct draft *draft, struct node *node, struct faults *faults)
{
	const struct source_ops *ops = source_ops(node);
	struct shape out = { .kind = FLOW_BYTES, .streams = node->stream_count };
	bool known = node->state != NULL, good = true;
	if (known && ops->concurrent)
		out.streams = ops->concurrent(node);
	if (known)
		good = known = ask(node, NULL, &out, faults);
	if (known && ops->sockets)
		out.connections = out.streams;
	return put(draft, node, &out, known, faults) && good;
}

static bool walk_stage(
	struct draft *draft, struct node *node, const struct carried *in, struct faults *faults)
{
	struct shape from = in->known ? in->shape : suitable(draft, node), out = from;
	bool good = !in->known || check_stage(node, &from, faults);
	bool known = good && node->state;
	if (known)
		good = known = ask(node, &from, &out, faults) &&
			       (!in->known || check_streams(node, &from, faults));
	if (out.kind == FLOW_RECORDS && out.max_record == 0)
		out.max_record = draft->pipeline->max_record;
	if (out.kind == FLOW_RECORDS && out.most_views == 0)
		out.most_views = pieces_of(draft, out.max_record);
	return put(draft, node, &out, known, faults) && good;
}

static bool walk_tee(
	struct draft *draft, struct node *node, const struct carried *in, struct faults *faults)
{
	const struct tee *tee = node->state;
	ask(node, NULL, NULL, faults);
	snprintf(node->how, sizeof(node->how), "%zu %s", tee->count,
		tee->count == 1 ? "branch" : "branches");
	for (size_t i = 0; i < tee->count; i++)
		if (tee->branches[i].in)
			*carried_on(draft, tee->branches[i].in) = *in;
	return !in->known || check_branches(node, &in->shape, faults);
}

/* Legal, and hardly meant. */
static void warn_of_datagrams(
	const struct node *node, const struct shape *in, struct faults *faults)
{
	if (in->kind == FLOW_BYTES && in->max_record > 0)
		warning_at(faults, node->value,
			"put {\"split\": \"newline\"} into the pipeline's \"stages\"",
			"\"%s\" gets datagrams one behind the other: nothing shows where one ends",
			node->type->name);
}

static bool walk_sink(
	struct draft *draft, struct node *node, const struct carried *in, struct faults *faults)
{
	struct shape from = in->known ? in->shape : suitable(draft, node);
	if (!node->state)
		return true;
	if (in->known)
		warn_of_datagrams(node, &from, faults);
	return ask(node, &from, NULL, faults) && (!in->known || check_streams(node, &from, faults));
}

static bool walk_node(struct draft *draft, struct node *node, struct faults *faults)
{
	if (node->role == NODE_SOURCE)
		return walk_source(draft, node, faults);
	struct carried in = *carried_on(draft, node->in);
	node->framing = in.shape.kind == FLOW_RECORDS ? in.shape.framing : NULL;
	if (node->role == NODE_STAGE)
		return walk_stage(draft, node, &in, faults);
	if (node->role == NODE_TEE)
		return walk_tee(draft, node, &in, faults);
	return walk_sink(draft, node, &in, faults);
}

static void label_edges(struct draft *draft)
{
	struct pipeline *pipeline = draft->pipeline;
	for (size_t i = 0; i < pipeline->edge_count; i++)
		pipeline->edges[i].kind = draft->carried[i].shape.kind;
}

bool shapes_walk(struct draft *draft, struct faults *faults)
{
	struct pipeline *pipeline = draft->pipeline;
	bool good = true;
	for (size_t i = 0; i < pipeline->edge_count; i++)
		draft->carried[i] = (struct carried){ 0 };
	for (size_t i = 0; i < pipeline->node_count; i++)
		good = walk_node(draft, pipeline->nodes[i], faults) && good;
	label_edges(draft);
	return good;
}

void shapes_check_left_out(struct draft *draft, struct faults *faults)
{
	for (size_t i = 0; i < draft->left_out_count; i++) {
		struct node *node = draft->left_out[i];
		struct shape in = suitable(draft, node), out = in;
		if (!node->state)
			continue;
		ask(node, node->role == NODE_SOURCE ? NULL : &in,
			node->role == NODE_SINK ? NULL : &out, faults);
		plan_close_node(node);
	}
}
