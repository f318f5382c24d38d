/* Option tables as nodes have them, with every type of option in them. */
#pragma once

#include "config/describe.h"
#include "config/option.h"

struct example_retry {
	uint64_t first, most;
};

/* Every type. Nothing is required; `contains` may stand alone. */
struct example {
	struct bytes_list contains;
	bool flag, careful;
	uint64_t count, any_count, size, wait;
	unsigned on;
	const char *path, *label;
	struct bytes delimiter, mark;
	struct strings exclude;
	struct address listen, connect;
	struct example_retry retry;
	void * not ;
	struct subtrees any;
};

extern const struct option example_options[];

/* What is required. */
struct example_tcp {
	struct address listen;
	uint64_t max_connections;
};

extern const struct option example_tcp_options[];

/* No primary option. */
extern const struct option example_retry_options[];

extern const struct catalogue example_catalogue;

/* A wrong text and the one fault that it must have. JSON, message and remedy are written as example_json() takes them. */
struct example_wrong {
	const char *json;
	uint32_t line, column;
	const char *pointer, *message, *remedy;
};

/* Where documents in memory pretend to be: files that they name are there. */
#define EXAMPLE_NAME "tests/config/data/example.json"

/* Reads a document from such a text; the fault's file is EXAMPLE_NAME. */
bool example_parse(
	struct document *document, const char *text, bool resolve, struct faults *faults);

/* Each of these documents must have its one fault when it is read. */
void example_expect_all(const struct example_wrong *all, size_t count);

/* Fails the test unless there is this fault and no other. */
void example_expect(const struct faults *faults, const struct example_wrong *wrong);

/* JSON with single quotes instead of double ones, and ` instead of single ones. To be freed. */
char *example_json(const char *text);
