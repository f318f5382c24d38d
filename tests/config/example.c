/* The tables that the tests of config/ read and describe. */
#include "tests/config/example.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const char *const ons[] = { "newline", "delimiter", "nul", "octets", NULL };

const struct option example_retry_options[] = {
	OPTION(TIME, struct example_retry, first, .standard = "100ms", .doc = "The first pause."),
	OPTION(TIME, struct example_retry, most, .standard = "30s", .least = "1s",
		.doc = "The longest pause."),
	OPTIONS_END
};

const struct option example_options[] = { OPTION(BYTES_LIST, struct example, contains,
						  .primary = true, .example = "ERROR",
						  .doc = "What must be in it."),
	OPTION(BOOL, struct example, flag, .standard = "true", .doc = "A | switch."),
	OPTION(BOOL, struct example, careful),
	OPTION(COUNT, struct example, count, .standard = "3", .least = "1", .most = "19",
		.doc = "A count."),
	OPTION(COUNT, struct example, any_count),
	OPTION(SIZE, struct example, size, .standard = "64KiB", .least = "16B", .most = "1MiB",
		.doc = "A size."),
	OPTION(TIME, struct example, wait, .standard = "5s", .most = "1h", .doc = "A time."),
	OPTION(CHOICE, struct example, on, .choices = ons, .doc = "How a record ends."),
	OPTION(STRING, struct example, path, .is_path = true, .standard = "out.log"),
	OPTION(STRING, struct example, label),
	OPTION(BYTES, struct example, delimiter, .needed_when = "`on` is `delimiter`"),
	OPTION(BYTES, struct example, mark, .standard = "--"),
	OPTION(STRINGS, struct example, exclude, .is_path = true, .standard = "*.gz"),
	OPTION(ADDRESS, struct example, listen, .wildcard = true, .passable = true),
	OPTION(ADDRESS, struct example, connect),
	OPTION_GROUP(struct example, retry, example_retry_options, .doc = "When to try again."),
	OPTION(SUBTREE, struct example, not, .table = example_options,
		.table_size = sizeof(struct example), .doc = "What must not hold."),
	OPTION(SUBTREES, struct example, any, .table = example_options,
		.table_size = sizeof(struct example), .doc = "One of these must hold."),
	OPTIONS_END };

const struct option example_tcp_options[] = {
	OPTION(ADDRESS, struct example_tcp, listen, .required = true, .primary = true,
		.wildcard = true, .example = "\"127.0.0.1:5140\"", .doc = "Where to listen."),
	OPTION(COUNT, struct example_tcp, max_connections, .standard = "1024", .least = "1",
		.doc = "The most connections at a time."),
	OPTIONS_END
};

struct example_service {
	uint64_t memory;
};

static const struct option service_options[] = { OPTION(SIZE, struct example_service, memory,
							 .standard = "64MiB", .doc = "All of it."),
	OPTIONS_END };

struct example_branch {
	unsigned when_full;
};

static const char *const when_fulls[] = { "block", "drop", NULL };

static const struct option branch_options[] = {
	OPTION(CHOICE, struct example_branch, when_full, .choices = when_fulls,
		.doc = "What happens when it cannot take more."),
	OPTIONS_END
};

static const struct described sources[] = {
	{ .name = "tcp", .doc = "Takes connections.", .options = example_tcp_options },
	{ .name = "stdin", .doc = "Reads standard input." },
	{ .name = NULL },
};

static const struct described stages[] = {
	{ .name = "filter",
		.doc = "Keeps what matches.",
		.options = example_options,
		.example = "{\"filter\": \"ERROR\"}" },
	{ .name = NULL },
};

static const struct described sinks[] = {
	{ .name = "null", .doc = "Lets go of everything." },
	{ .name = "tcp", .doc = "Connects.", .options = example_tcp_options },
	{ .name = NULL },
};

const struct catalogue example_catalogue = { .sources = sources,
	.stages = stages,
	.sinks = sinks,
	.service = service_options,
	.pipeline = service_options,
	.branch = branch_options };

char *example_json(const char *text)
{
	char *json = strdup(text);
	if (json == NULL)
		abort();
	for (char *at = json; *at != '\0'; at++)
		*at = *at == '\'' ? '"' : *at == '`' ? '\'' : *at;
	return json;
}

bool example_parse(struct document *document, const char *text, bool resolve, struct faults *faults)
{
	char *json = example_json(text);
	bool good = document_parse(document, EXAMPLE_NAME, json, strlen(json), resolve, faults);
	free(json);
	return good;
}

static void expect_text(const char *is, const char *due, const struct example_wrong *wrong)
{
	char *text = example_json(due);
	cr_expect_str_eq(is == NULL ? "none" : is, text, "%s: \"%s\" instead of \"%s\"",
		wrong->json, is == NULL ? "none" : is, text);
	free(text);
}

void example_expect(const struct faults *faults, const struct example_wrong *wrong)
{
	cr_assert_eq(faults->count, 1, "%s: %zu faults", wrong->json, faults->count);
	const struct fault *fault = &faults->items[0];
	cr_expect_eq(faults->errors, 1, "%s", wrong->json);
	cr_expect_str_eq(fault->file, EXAMPLE_NAME);
	cr_expect_eq(fault->line, wrong->line, "%s: line %u", wrong->json, fault->line);
	cr_expect_eq(fault->column, wrong->column, "%s: column %u", wrong->json, fault->column);
	expect_text(fault->pointer, wrong->pointer, wrong);
	expect_text(fault->message, wrong->message, wrong);
	expect_text(fault->remedy, wrong->remedy, wrong);
}

void example_expect_all(const struct example_wrong *all, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct faults faults = { 0 };
		struct document document;
		cr_expect_not(
			example_parse(&document, all[i].json, true, &faults), "%s", all[i].json);
		example_expect(&faults, &all[i]);
		faults_close(&faults);
		document_close(&document);
	}
}
