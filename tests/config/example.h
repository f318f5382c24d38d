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

/* JSON with single quotes instead of double ones, and ` instead of single ones. To be freed. */
char *example_json(const char *text);
