/* Reading the "tests" of a configuration. */

#include "pipeline/trials.h"

#include <string.h>

#include "config/arena.h"
#include "config/bytes.h"
#include "config/nearest.h"
#include "config/quote.h"
#include "pipeline/place.h"

struct trial_keys {
	const char *name, *pipeline;
};

const struct option trial_options[] = { OPTION(STRING, struct trial_keys, name, .required = true,
						.example = "errors only",
						.doc = "What it is called where it fails."),
	OPTION(STRING, struct trial_keys, pipeline, .required = true, .example = "errors",
		.doc = "The pipeline that is tried."),
	OPTIONS_END };

static const char list_remedy[] = "write a list of strings, such as [\"one\\n\", \"two\\n\"]";

/* --- names -------------------------------------------------------------------------------------------------------- */

static const struct pipeline *find_pipeline(const struct plan *plan, const char *name)
{
	for (size_t i = 0; i < plan->count; i++)
		if (strcmp(plan->pipelines[i]->name, name) == 0)
			return plan->pipelines[i];
	return NULL;
}

static void fault_pipeline(
	const struct plan *plan, const struct value *place, const char *name, struct faults *faults)
{
	const struct document *document = plan->document;
	const char **known = document_allocate(document, (plan->count + 1) * sizeof(*known));
	for (size_t i = 0; i < plan->count; i++)
		known[i] = plan->pipelines[i]->name;
	const char *near = nearest(name, known);
	const char *remedy = near ? arena_format(document->arena, "write \"%s\"", near)
				  : "name a pipeline of this configuration";
	fault_at(faults, place, remedy, "there is no pipeline %s", quote_value(place));
}

/* The full name or what follows the pipeline's. */
static bool is_called(const struct node *node, const char *name)
{
	return strcmp(node->name, name) == 0 ||
	       strcmp(node->name + strlen(node->pipeline->name) + 1, name) == 0;
}

static const char *const *names_of(
	const struct plan *plan, const struct pipeline *pipeline, enum node_role role)
{
	const char **names =
		document_allocate(plan->document, (pipeline->node_count + 1) * sizeof(*names));
	size_t count = 0;
	for (size_t i = 0; i < pipeline->node_count; i++)
		if (pipeline->nodes[i]->role == role)
			names[count++] = pipeline->nodes[i]->name;
	return names;
}

/* NULL with a fault if there is none. */
static const struct node *find_node(const struct plan *plan, const struct pipeline *pipeline,
	enum node_role role, const struct value *member, struct faults *faults)
{
	for (size_t i = 0; i < pipeline->node_count; i++)
		if (pipeline->nodes[i]->role == role && is_called(pipeline->nodes[i], member->key))
			return pipeline->nodes[i];
	const struct document *document = plan->document;
	const char *const *names = names_of(plan, pipeline, role);
	const char *near = nearest(member->key, names), *remedy = NULL;
	if (near)
		remedy = arena_format(document->arena, "write \"%s\"", near);
	else if (names[0])
		remedy = arena_format(
			document->arena, "known here: %s", quote_choices(document, names));
	fault_at_key(faults, member, remedy, "the pipeline \"%s\" has no %s %s", pipeline->name,
		role == NODE_SOURCE ? "source" : "sink",
		quote_text(document, member->key, strlen(member->key)));
	return NULL;
}

/* --- what goes in and comes out ----------------------------------------------------------------------------------- */

/* What differs is shown, and a secret never is. */
static bool read_item(
	const struct value *value, const char *key, struct bytes *bytes, struct faults *faults)
{
	const struct option option = { .name = key, .type = OPTION_BYTES };
	if (value->secret)
		return fault_at(faults, value, "write the bytes out", "a test cannot hold secrets");
	return bytes_option_read(&option, value, bytes, faults);
}

static void read_items(
	const struct value *list, const char *key, struct trial_flow *flow, struct faults *faults)
{
	if (list->kind != VALUE_LIST) {
		fault_at(faults, list, list_remedy, "a list is due for \"%s\", not %s", key,
			value_kind_name(list->kind));
		return;
	}
	flow->items =
		document_allocate(list->document, (value_count(list) + 1) * sizeof(struct bytes));
	for (const struct value *item = list->first; item; item = item->next)
		if (read_item(item, key, &flow->items[flow->count], faults))
			flow->count++;
}

/* An object with lists by the names of nodes. */
static size_t read_flows(const struct plan *plan, const struct trial *trial,
	const struct value *value, enum node_role role, struct trial_flow *flows,
	struct faults *faults)
{
	size_t count = 0;
	for (const struct value *member = value->first; member; member = member->next) {
		const struct node *node = find_node(plan, trial->pipeline, role, member, faults);
		struct trial_flow *flow = &flows[count];
		*flow = (struct trial_flow){ 0 }; /* a node that is not there may have used it */
		read_items(member, member->key, flow, faults);
		if (!node)
			continue;
		for (size_t i = 0; i < count; i++)
			if (strcmp(flows[i].node, node->name) == 0)
				fault_at_key(faults, member, "leave one of them out",
					"\"%s\" is named twice", node->name);
		flow->node = node->name;
		count++;
	}
	return count;
}

static struct trial_flow *make_flows(const struct value *value)
{
	return document_allocate(
		value->document, (value_count(value) + 1) * sizeof(struct trial_flow));
}

static void read_in(const struct plan *plan, struct trial *trial, struct faults *faults)
{
	const struct value *in = value_member(trial->value, "in");
	if (!in) {
		fault_at(faults, trial->value, "add \"in\": [\"a line\\n\"]",
			"a test has to have \"in\"");
		return;
	}
	trial->in = make_flows(in);
	if (in->kind == VALUE_OBJECT) {
		trial->in_count = read_flows(plan, trial, in, NODE_SOURCE, trial->in, faults);
		return;
	}
	const char *const *sources = names_of(plan, trial->pipeline, NODE_SOURCE);
	trial->in[0].node = sources[0];
	trial->in_count = sources[0] ? 1 : 0;
	read_items(in, "in", &trial->in[0], faults);
}

static void read_out(const struct plan *plan, struct trial *trial, struct faults *faults)
{
	const struct value *out = value_member(trial->value, "out");
	const char *remedy = arena_format(plan->document->arena,
		"add \"out\": { \"%s.to.0\": [\"a line\\n\"] }", trial->pipeline->name);
	if (!out || (out->kind == VALUE_OBJECT && !out->first)) {
		fault_at(faults, out ? out : trial->value, remedy,
			"a test says in \"out\" what comes out of a sink, or more");
		return;
	}
	if (out->kind != VALUE_OBJECT) {
		fault_at(faults, out, remedy, "an object is due for \"out\", not %s",
			value_kind_name(out->kind));
		return;
	}
	trial->out = make_flows(out);
	trial->out_count = read_flows(plan, trial, out, NODE_SINK, trial->out, faults);
}

/* --- the list ----------------------------------------------------------------------------------------------------- */

static void check_name(const struct plan *plan, const struct trial *trial, struct faults *faults)
{
	for (size_t i = 0; i < plan->trial_count; i++)
		if (strcmp(plan->trials[i].name, trial->name) == 0) {
			fault_at(faults, value_member(trial->value, "name"),
				"give one of them another name",
				"there are two tests with the name %s",
				quote_value(value_member(trial->value, "name")));
			return;
		}
}

static void read_trial(struct plan *plan, const struct value *value, struct faults *faults)
{
	static const char *const beside[] = { "in", "out", NULL };
	struct trial_keys keys = { 0 };
	struct trial *trial = &plan->trials[plan->trial_count];
	if (value->kind != VALUE_OBJECT) {
		fault_at(faults, value,
			"write {\"name\": …, \"pipeline\": …, \"in\": …, \"out\": …}",
			"a test is an object, not %s", value_kind_name(value->kind));
		return;
	}
	if (!options_read_beside(trial_options, beside, value, "a test", &keys, faults))
		return;
	*trial = (struct trial){
		.name = keys.name, .value = value, .pipeline = find_pipeline(plan, keys.pipeline)
	};
	check_name(plan, trial, faults);
	const struct value *place = value_member(value, "pipeline");
	if (!trial->pipeline) {
		if (!place->unknown)
			fault_pipeline(plan, place, keys.pipeline, faults);
		return;
	}
	read_in(plan, trial, faults);
	read_out(plan, trial, faults);
	plan->trial_count++;
}

void trials_read(struct plan *plan, struct faults *faults)
{
	const struct value *list = value_member(plan->document->root, "tests");
	if (!list || place_is_excused(list, faults))
		return;
	if (list->kind != VALUE_LIST) {
		fault_at(faults, list, "write [ … ]", "a list is due for \"tests\", not %s",
			value_kind_name(list->kind));
		return;
	}
	plan->trials =
		document_allocate(plan->document, (value_count(list) + 1) * sizeof(struct trial));
	for (const struct value *item = list->first; item; item = item->next)
		read_trial(plan, item, faults);
}
