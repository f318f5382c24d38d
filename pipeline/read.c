/* Reading: a pipeline's value becomes nodes with names, and edges between them.
 *
 * Rows grow at their end: each node that is read takes from the nodes that the row ends in so far. Where sources meet
 * these are several; behind a tee it is the tee with one of its branches. Recursion goes as deep as the document.
 */

#include "pipeline/draft.h"

#include <string.h>

#include "config/arena.h"
#include "config/quote.h"
#include "pipeline/catalogue.h"
#include "pipeline/place.h"

/* The nodes that the next node of a row takes from. */
struct row_end {
	struct node **nodes;
	size_t count;
	struct branch *branch; /* of a tee */
};

/* What goes along down the lists. */
struct reader {
	struct draft *draft;
	struct faults *faults;
	const struct document *document;
	bool disabled; /* what is read now is left out */
	bool optional; /* it is on a drop branch */
};

/* What stands in for a kind that is not known, so that the row behind it is still read. */
static const struct node_type unknown_type = { .name = "?" };
static struct node *const no_nodes[1];

static struct row_end ends_in(struct node **node)
{
	return (struct row_end){ .nodes = node, .count = 1 };
}

static void connect(struct reader *reader, struct row_end end, struct node *node)
{
	struct pipeline *pipeline = reader->draft->pipeline;
	struct edge *edge = &pipeline->edges[pipeline->edge_count++];
	*edge = (struct edge){ .producer = end.count ? end.nodes[0] : NULL,
		.producers = (uint32_t)end.count,
		.consumer = node };
	node->in = &edge->batch;
	for (size_t i = 0; i < end.count; i++)
		if (end.nodes[i]->role != NODE_TEE)
			end.nodes[i]->out = &edge->batch;
	if (end.branch)
		end.branch->in = &edge->batch;
}

/* Adds a node to the row, or to what is left out. `end` is where the row ends then. */
static void append(struct reader *reader, struct row_end *end, struct node *node)
{
	struct draft *draft = reader->draft;
	struct pipeline *pipeline = draft->pipeline;
	if (reader->disabled) {
		draft->left_out[draft->left_out_count++] = node;
		return;
	}
	struct node **slot = &pipeline->nodes[pipeline->node_count++];
	*slot = node;
	if (node->role != NODE_SOURCE)
		connect(reader, *end, node);
	*end = ends_in(slot);
}

static bool name_taken(const struct draft *draft, const char *name)
{
	const struct pipeline *pipeline = draft->pipeline;
	for (size_t i = 0; i < pipeline->node_count; i++)
		if (strcmp(pipeline->nodes[i]->name, name) == 0)
			return true;
	for (size_t i = 0; i < draft->left_out_count; i++)
		if (strcmp(draft->left_out[i]->name, name) == 0)
			return true;
	return false;
}

/* The name that an item gives itself; `by_place` if it has none, or a wrong one. */
static const char *own_name(
	struct reader *reader, const struct value *item, const char *name, const char *by_place)
{
	if (!name)
		return by_place;
	if (place_is_name(name))
		return name;
	fault_at(reader->faults, value_member(item, "name"),
		"write it with a-z, 0-9, _ and -, a letter first", "%s is not a name",
		quote_text(reader->document, name, strlen(name)));
	return by_place;
}

static void check_unique(struct reader *reader, const struct value *item, const struct node *node)
{
	if (node->type == &unknown_type || !name_taken(reader->draft, node->name))
		return;
	const struct value *name = value_member(item, "name");
	fault_at(reader->faults, name ? name : item, "give one of them another \"name\"",
		"there are two nodes with the name \"%s\"", node->name);
}

static struct node *make_node(struct reader *reader, enum node_role role,
	const struct node_type *type, const struct value *value, const char *name)
{
	struct node *node = document_allocate(reader->document, sizeof(*node));
	*node = (struct node){ .type = type ? type : &unknown_type,
		.role = role,
		.name = name,
		.value = value,
		.pipeline = reader->draft->pipeline,
		.optional = reader->optional };
	return node;
}

/* A node whose options are wrong gets no state. */
static void read_options(struct reader *reader, struct node *node, const struct value *value)
{
	static const char *const apart[] = { "tls", NULL };
	const struct node_type *type = node->type;
	if (type == &unknown_type)
		return;
	const struct value *tls = value_member(value, "tls");
	bool good = !tls || place_fault_tls(tls, reader->faults);
	void *state = document_allocate(reader->document, type->state_size + 1);
	if (options_read_beside(
		    type->options, tls ? apart : NULL, value, type->name, state, reader->faults) &&
		good)
		node->state = state;
}

/* --- stages ------------------------------------------------------------------------------------------------------- */

/* Which one of the unnamed stages of its kind in its list this is, from 1. */
static size_t ordinal(const struct value *list, const struct value *item, const char *kind)
{
	size_t ordinal = 1;
	for (const struct value *at = list->first; at && at != item; at = at->next)
		if (place_has_kind(at, kind) && !value_member(at, "name"))
			ordinal++;
	return ordinal;
}

static const char *stage_name(struct reader *reader, const struct value *list,
	const struct value *item, const char *kind, const char *prefix)
{
	size_t count = ordinal(list, item, kind);
	if (count == 1)
		return arena_format(reader->document->arena, "%s.%s", prefix, kind);
	return arena_format(reader->document->arena, "%s.%s.%zu", prefix, kind, count);
}

static void read_stage(struct reader *reader, const struct value *list, const struct value *item,
	const char *prefix, struct row_end *end)
{
	struct item found;
	place_read(&place_stages, item, &found, reader->faults);
	const char *kind = found.type ? found.type->name : "?";
	const char *name = stage_name(reader, list, item, kind, prefix);
	if (found.keys.name && own_name(reader, item, found.keys.name, NULL))
		name = arena_format(reader->document->arena, "%s.%s", prefix, found.keys.name);
	struct reader inner = *reader;
	inner.disabled |= !found.keys.enabled;
	struct node *node = make_node(&inner, NODE_STAGE, found.type, found.value, name);
	read_options(&inner, node, found.value);
	check_unique(&inner, item, node);
	append(&inner, end, node);
}

/* `list` is the value of "stages", or NULL. */
static void read_stages(
	struct reader *reader, const struct value *list, const char *prefix, struct row_end *end)
{
	if (!list || place_is_excused(list, reader->faults))
		return;
	if (list->kind != VALUE_LIST) {
		fault_at(reader->faults, list, "write [ … ]",
			"a list is due for \"stages\", not %s", value_kind_name(list->kind));
		return;
	}
	for (const struct value *item = list->first; item; item = item->next)
		read_stage(reader, list, item, prefix, end);
}

/* --- sources ------------------------------------------------------------------------------------------------------ */

static void number_streams(struct reader *reader, struct node *node)
{
	struct pipeline *pipeline = reader->draft->pipeline;
	const struct source_ops *ops = source_ops(node);
	uint32_t count = node->state && ops->streams ? ops->streams(node) : 1;
	if (count > VIEW_STREAM - pipeline->streams) {
		fault_at(reader->faults, node->value, NULL,
			"the sources of \"%s\" have more than %u streams", pipeline->name,
			VIEW_STREAM);
		count = 0;
	}
	node->first_stream = pipeline->streams;
	node->stream_count = count;
	pipeline->streams += count;
}

/* "errors.from.0", or by the name that the item gives itself. */
static const char *item_name(struct reader *reader, const struct value *item, const char *name,
	const char *prefix, size_t index)
{
	const char *by_place = arena_format(reader->document->arena, "%zu", index);
	return arena_format(
		reader->document->arena, "%s.%s", prefix, own_name(reader, item, name, by_place));
}

/* Reads a source and its stages. False if it is disabled: then the row does not come from here. */
static bool read_source(struct reader *reader, const struct value *item, const char *prefix,
	size_t index, struct node **last)
{
	struct item found;
	place_read(&place_from, item, &found, reader->faults);
	const char *name = item_name(reader, item, found.keys.name, prefix, index);
	struct reader inner = *reader;
	inner.disabled |= !found.keys.enabled;
	struct node *node = make_node(&inner, NODE_SOURCE, found.type, found.value, name);
	read_options(&inner, node, found.value);
	check_unique(&inner, item, node);
	if (!inner.disabled)
		number_streams(&inner, node);
	struct row_end end = { 0 };
	append(&inner, &end, node);
	read_stages(&inner, value_member(item, "stages"), name, &end);
	if (end.count)
		*last = end.nodes[0];
	return end.count > 0;
}

/* A list, or one node in its place. */
static const struct value *first_item(const struct value *value)
{
	return value->kind == VALUE_LIST ? value->first : value;
}

static const struct value *next_item(const struct value *list, const struct value *item)
{
	return list->kind == VALUE_LIST ? item->next : NULL;
}

static struct row_end read_from(struct reader *reader, const struct value *from)
{
	const char *prefix =
		arena_format(reader->document->arena, "%s.from", reader->draft->pipeline->name);
	size_t items = from->kind == VALUE_LIST ? value_count(from) : 1, index = 0;
	struct row_end end = { .nodes = document_allocate(
				       reader->document, (items + 1) * sizeof(struct node *)) };
	for (const struct value *item = first_item(from); item; item = next_item(from, item))
		if (read_source(reader, item, prefix, index++, &end.nodes[end.count]))
			end.count++;
	if (index == 0)
		fault_at(reader->faults, from, "name at least one source", "\"from\" is empty");
	else if (end.count == 0)
		fault_at(reader->faults, from, "enable at least one of them",
			"every source of \"%s\" is disabled", reader->draft->pipeline->name);
	return end;
}

/* --- branches ----------------------------------------------------------------------------------------------------- */

static void read_to(
	struct reader *reader, const struct value *to, const char *prefix, struct row_end end);

static void read_branch(struct reader *reader, const struct value *item, struct item *found,
	const char *name, struct row_end end)
{
	read_stages(reader, value_member(item, "stages"), name, &end);
	const struct value *to = value_member(item, "to");
	if (to && !found->type) {
		read_to(reader, to, arena_format(reader->document->arena, "%s.to", name), end);
		return;
	}
	struct node *node = make_node(reader, NODE_SINK, found->type, found->value, name);
	read_options(reader, node, found->value);
	append(reader, &end, node);
}

/* The items of a `to`, and how many of them are not left out. */
struct branches {
	struct item *items;
	size_t enabled, drops;
};

static struct branches find_branches(struct reader *reader, const struct value *to)
{
	size_t count = to->kind == VALUE_LIST ? value_count(to) : 1;
	struct branches branches = { .items = document_allocate(
					     reader->document, (count + 1) * sizeof(struct item)) };
	struct item *found = branches.items;
	for (const struct value *item = first_item(to); item; item = next_item(to, item)) {
		place_read(&place_to, item, found, reader->faults);
		branches.enabled += found->keys.enabled;
		branches.drops += found->keys.enabled && found->keys.when_full == WHEN_FULL_DROP;
		found++;
	}
	return branches;
}

static const struct node_type tee_type = {
	.name = "tee",
	.doc = "Gives every branch every record.",
	.state_size = sizeof(struct tee),
};

static struct tee *append_tee(struct reader *reader, const struct value *to, const char *prefix,
	size_t count, struct row_end *end)
{
	struct node *node = make_node(reader, NODE_TEE, &tee_type, to, prefix);
	struct tee *tee = document_allocate(reader->document, sizeof(*tee));
	tee->branches = document_allocate(reader->document, count * sizeof(struct branch));
	node->state = tee;
	check_unique(reader, to, node);
	append(reader, end, node);
	return tee;
}

/* Branches have names too, so those of a list are compared with each other. */
static void check_siblings(struct reader *reader, const struct branches *branches, size_t index,
	const struct value *item)
{
	const char *name = branches->items[index].keys.name;
	for (size_t i = 0; name && i < index; i++) {
		const char *other = branches->items[i].keys.name;
		if (!other || strcmp(other, name) != 0)
			continue;
		fault_at(reader->faults, value_member(item, "name"),
			"give one of them another \"name\"",
			"there are two branches with the name \"%s\"", name);
		return;
	}
}

static void read_items(struct reader *reader, const struct value *to, struct branches branches,
	const char *prefix, struct tee *tee, struct row_end end)
{
	size_t index = 0;
	for (const struct value *item = first_item(to); item; item = next_item(to, item)) {
		struct item *found = &branches.items[index];
		bool drop = found->keys.when_full == WHEN_FULL_DROP;
		check_siblings(reader, &branches, index, item);
		const char *name = item_name(reader, item, found->keys.name, prefix, index++);
		struct reader inner = *reader;
		inner.disabled |= !found->keys.enabled;
		inner.optional |= drop;
		struct row_end branch_end = end;
		if (tee && !inner.disabled) {
			branch_end.branch = &tee->branches[tee->count++];
			*branch_end.branch =
				(struct branch){ .name = name, .drop = drop, .value = item };
		}
		read_branch(&inner, item, found, name, branch_end);
	}
}

static void read_to(
	struct reader *reader, const struct value *to, const char *prefix, struct row_end end)
{
	if (to->kind == VALUE_LIST && !to->first) {
		fault_at(reader->faults, to, "name at least one sink", "\"to\" is empty");
		return;
	}
	struct branches branches = find_branches(reader, to);
	if (branches.enabled == 0 && !reader->disabled)
		fault_at(reader->faults, to, "enable at least one of them",
			"every branch of \"%s\" is disabled", prefix);
	struct tee *tee = NULL;
	if (!reader->disabled && (branches.enabled > 1 || branches.drops > 0))
		tee = append_tee(reader, to, prefix, branches.enabled, &end);
	read_items(reader, to, branches, prefix, tee, end);
}

/* --- the pipeline ------------------------------------------------------------------------------------------------- */

/* Every node and every edge comes from a value of its own. */
static size_t count_values(const struct value *value)
{
	size_t count = 1;
	for (const struct value *inner = value->first; inner; inner = inner->next)
		count += count_values(inner);
	return count;
}

static void prepare(struct draft *draft, const struct value *value)
{
	const struct document *document = draft->document;
	struct pipeline *pipeline = draft->pipeline;
	size_t most = count_values(value);
	pipeline->name = value->key;
	pipeline->value = value;
	pipeline->nodes = document_allocate(document, most * sizeof(*pipeline->nodes));
	pipeline->edges = document_allocate(document, most * sizeof(*pipeline->edges));
	draft->carried = document_allocate(document, most * sizeof(*draft->carried));
	draft->left_out = document_allocate(document, most * sizeof(*draft->left_out));
}

static const struct value *needed(
	struct reader *reader, const struct value *pipeline, const char *key, const char *remedy)
{
	const struct value *value = value_member(pipeline, key);
	if (!value)
		fault_at_key(reader->faults, pipeline, remedy, "the pipeline \"%s\" has no \"%s\"",
			pipeline->key, key);
	return value;
}

static void read_lists(struct reader *reader, const struct value *value)
{
	const struct value *from =
		needed(reader, value, "from", "add \"from\": [ … ] with its sources");
	const struct value *to = needed(reader, value, "to", "add \"to\": [ … ] with its sinks");
	struct row_end end = { .nodes = (struct node **)no_nodes };
	if (from)
		end = read_from(reader, from);
	read_stages(reader, value_member(value, "stages"), value->key, &end);
	if (to)
		read_to(reader, to, arena_format(reader->document->arena, "%s.to", value->key),
			end);
}

void read_pipeline(struct draft *draft, const struct value *value, struct faults *faults)
{
	static const char *const lists[] = { "from", "stages", "to", NULL };
	prepare(draft, value);
	struct reader reader = { .draft = draft, .faults = faults, .document = draft->document };
	if (!place_is_name(value->key))
		fault_at_key(faults, value, "write it with a-z, 0-9, _ and -, a letter first",
			"%s is not a name",
			quote_text(draft->document, value->key, strlen(value->key)));
	if (value->kind != VALUE_OBJECT) {
		if (!place_is_excused(value, faults))
			fault_at(faults, value, "write { \"from\": …, \"to\": … }",
				"an object is due for a pipeline, not %s",
				value_kind_name(value->kind));
		return;
	}
	struct pipeline_keys keys = { 0 };
	options_read_beside(pipeline_options, lists, value, "a pipeline", &keys, faults);
	draft->pipeline->memory = keys.memory;
	read_lists(&reader, value);
}
