#include "tests/pipeline/kinds.h"

#include "pipeline/registry.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct listener {
	struct address listen;
	uint64_t max_connections;
};

static const struct option listener_options[] = { OPTION(ADDRESS, struct listener, listen,
							  .passable = true, .required = true,
							  .primary = true, .wildcard = true),
	OPTION(COUNT, struct listener, max_connections, .standard = "1024"), OPTIONS_END };

static uint32_t listener_streams(const struct node *node)
{
	const struct listener *listener = node->state;
	return (uint32_t)listener->max_connections;
}

static const struct source_ops listener = {
	.type = { .name = "tcp",
		.options = listener_options,
		.state_size = sizeof(struct listener) },
	.streams = listener_streams,
	.sockets = true,
	.shards = true,
};

struct path {
	const char *path;
	bool append;
};

static const struct option path_options[] = { OPTION(STRING, struct path, path, .required = true,
						      .primary = true, .is_path = true),
	OPTION(BOOL, struct path, append, .standard = "true"), OPTIONS_END };

/* As the real one: many files, one after the other. */
static uint32_t reader_streams(const struct node *node)
{
	(void)node;
	return 64;
}

static uint32_t reader_concurrent(const struct node *node)
{
	(void)node;
	return 1;
}

static const struct source_ops reader = {
	.type = { .name = "file", .options = path_options, .state_size = sizeof(struct path) },
	.streams = reader_streams,
	.concurrent = reader_concurrent,
};

static const struct source_ops standard_input = { .type = { .name = "stdin" } };

/* As often as one likes, unlike standard input. */
static const struct source_ops any_input = { .type = { .name = "input" } };

struct splitter {
	unsigned on;
	struct bytes delimiter;
	uint64_t max_record;
	struct framing framing;
};

static const char *const on_words[] = { "newline", "delimiter", "nul", NULL };

static const struct option splitter_options[] = { OPTION(CHOICE, struct splitter, on,
							  .choices = on_words, .primary = true),
	OPTION(BYTES, struct splitter, delimiter), OPTION(SIZE, struct splitter, max_record),
	OPTIONS_END };

static bool splitter_plan(
	struct node *node, const struct shape *in, struct shape *out, struct faults *faults)
{
	struct splitter *splitter = node->state;
	cr_assert_eq(in->kind, FLOW_BYTES);
	if (splitter->on == 1 && splitter->delimiter.size == 0)
		return fault_at(faults, node->value, NULL, "needs a delimiter");
	splitter->framing = splitter->on == 1
				    ? framing_delimited(splitter->delimiter.data,
					      (uint32_t)splitter->delimiter.size, false)
				    : framing_delimited(splitter->on ? "" : "\n", 1, false);
	*out = (struct shape){ .kind = FLOW_RECORDS,
		.framing = &splitter->framing,
		.max_record =
			splitter->max_record ? splitter->max_record : node->pipeline->max_record };
	node->charge += (uint64_t)node->pipeline->streams * 64 + (uint64_t)node->pin_quota * 32;
	snprintf(node->how, sizeof(node->how), "last delimiter of the run");
	if (in->connections > 0)
		snprintf(node->copies_why, sizeof(node->copies_why), "aside: %u of %u streams",
			in->connections, in->streams);
	return true;
}

static const struct stage_ops splitter = {
	.type = { .name = "split",
		.options = splitter_options,
		.state_size = sizeof(struct splitter),
		.plan = splitter_plan },
};

struct finder {
	const char *contains;
	uint64_t charge;
	void *compiled;
};

static const struct option finder_options[] = { OPTION(STRING, struct finder, contains,
							.required = true, .primary = true),
	OPTION(SIZE, struct finder, charge), OPTIONS_END };

static bool finder_plan(
	struct node *node, const struct shape *in, struct shape *out, struct faults *faults)
{
	struct finder *finder = node->state;
	if (!plan_records_to_records(node, in, out, faults))
		return false;
	if (strcmp(finder->contains, "(") == 0)
		return fault_at(faults, option_value(finder_options, node->value, "contains"),
			"close it", "a parenthesis is open");
	if (!finder->compiled)
		finder->compiled = malloc(16);
	node->charge += finder->charge;
	snprintf(node->how, sizeof(node->how), "literal over the run");
	return true;
}

static void finder_close(struct node *node)
{
	struct finder *finder = node->state;
	free(finder->compiled);
}

static const struct stage_ops finder = {
	.type = { .name = "filter",
		.options = finder_options,
		.state_size = sizeof(struct finder),
		.plan = finder_plan,
		.close = finder_close },
};

struct packer {
	unsigned codec;
};

static const char *const codecs[] = { "zstd", "gzip", "lz4", NULL };

static const struct option packer_options[] = {
	OPTION(CHOICE, struct packer, codec, .choices = codecs, .primary = true), OPTIONS_END
};

static bool packer_plan(
	struct node *node, const struct shape *in, struct shape *out, struct faults *faults)
{
	(void)faults;
	cr_assert_neq(in->kind, FLOW_FRAMES);
	node->charge += (1 << 20) + 2 * in->max_record;
	*out = (struct shape){ .kind = FLOW_FRAMES, .max_record = 2 << 20, .most_views = 1 };
	snprintf(node->copies_why, sizeof(node->copies_why), "stage ≤ 1MiB");
	return true;
}

static const struct stage_ops packer = {
	.type = { .name = "compress",
		.options = packer_options,
		.state_size = sizeof(struct packer),
		.plan = packer_plan },
};

struct sender {
	struct address connect;
};

static const struct option sender_options[] = {
	OPTION(ADDRESS, struct sender, connect, .required = true, .primary = true), OPTIONS_END
};

static const struct sink_ops writer = {
	.type = { .name = "file", .options = path_options, .state_size = sizeof(struct path) },
};
static const struct sink_ops sender = {
	.type = { .name = "tcp", .options = sender_options, .state_size = sizeof(struct sender) },
};
static const struct sink_ops standard_output = { .type = { .name = "stdout" } };
static const struct sink_ops nowhere = { .type = { .name = "null" } };

void kinds_add(void)
{
	static const struct source_ops *const sources[] = { &standard_input, &any_input, &reader,
		&listener, NULL };
	static const struct stage_ops *const stages[] = { &packer, &finder, &splitter, NULL };
	static const struct sink_ops *const sinks[] = { &nowhere, &standard_output, &sender,
		&writer, NULL };
	registry_add_for_tests(sources, stages, sinks);
}

static void plan_text(struct planned *planned, const char *text, bool resolve)
{
	char *json = strdup(text);
	for (char *at = json; (at = strchr(at, '\'')); at++)
		*at = '"';
	*planned = (struct planned){ 0 };
	document_parse(
		&planned->document, "test.json", json, strlen(json), resolve, &planned->faults);
	planned->plan = plan_create(&planned->document, &planned->faults);
	faults_sort(&planned->faults);
	free(json);
}

void kinds_plan(struct planned *planned, const char *text)
{
	plan_text(planned, text, true);
}

void kinds_plan_unresolved(struct planned *planned, const char *text)
{
	plan_text(planned, text, false);
}

void kinds_plan_well(struct planned *planned, const char *text)
{
	kinds_plan(planned, text);
	for (size_t i = 0; i < planned->faults.count; i++)
		cr_log_error("%s", fault_text(&planned->faults.items[i]));
	cr_assert_not_null(planned->plan);
	cr_assert_eq(planned->faults.count, 0);
}

void kinds_close(struct planned *planned)
{
	plan_destroy(planned->plan);
	faults_close(&planned->faults);
	document_close(&planned->document);
}

struct node *kinds_node(const struct planned *planned, const char *name)
{
	for (size_t i = 0; i < planned->plan->count; i++) {
		const struct pipeline *pipeline = planned->plan->pipelines[i];
		for (size_t k = 0; k < pipeline->node_count; k++)
			if (strcmp(pipeline->nodes[k]->name, name) == 0)
				return pipeline->nodes[k];
	}
	cr_assert_fail("there is no node %s", name);
	return NULL;
}
