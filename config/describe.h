/* What there is to configure, told from the option tables: the JSON Schema, `list`, the README's reference
 * and the manual page. */
#pragma once

#include "config/option.h"

struct described {
	const char *name, *doc;
	const struct option *options; /* NULL: none */
	const char *example; /* one node in JSON, on one line; NULL: made from the options */
};

struct catalogue {
	const struct described *sources, *stages, *sinks; /* each ends with a NULL name */
	const struct option *service, *pipeline, *branch; /* options beside the lists of nodes */
	const struct option
		*configuration;    /* beside "service", "pipelines" and "tests"; may be NULL */
	const struct option *test; /* beside "in" and "out"; NULL: there are none */
};

#define DESCRIBE_TEST_IN                                                                           \
	"What the first source gives, a string as it is received; or an object with such a list "  \
	"for each source that gives something."
#define DESCRIBE_TEST_OUT                                                                          \
	"What each sink that is named here has to get; how it is parted into strings matters "     \
	"only for sinks that send datagrams."

/* The JSON Schema (draft 2020-12) of a configuration, indented with two spaces. Allocated. */
char *describe_schema(const struct catalogue *catalogue);

enum { DESCRIBED_MOST = 64 };

/* What describe_list() knows: kinds, each once, and what there is to set beside them; a NULL behind them. */
void describe_names(const struct catalogue *catalogue, const char *names[DESCRIBED_MOST]);

/* All kinds and settings, a line each, or with `kind` its options, defaults and an example. NULL if there is none of
 * this name. Allocated. */
char *describe_list(const struct catalogue *catalogue, const char *kind);

/* The reference of all kinds in Markdown, as the README holds it. Allocated. */
char *describe_reference(const struct catalogue *catalogue);

/* The manual page viewduct.json(5). Allocated. */
char *describe_manual(const struct catalogue *catalogue);
