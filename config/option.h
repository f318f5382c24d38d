/* Options: what a node can be told, as a table beside its struct.
 *
 *     static const struct option options[] = {
 *         OPTION(SIZE, struct split, max_record, .standard = "1MiB", .least = "1B", .most = "1GiB",
 *             .doc = "The most bytes of a record."),
 *         OPTIONS_END
 *     };
 *
 * From such a table come the parsing, the faults, the JSON Schema, `list`, and the README's reference: they cannot
 * disagree. That the field has the option's C type is checked when it is compiled. Defaults and bounds are written as
 * a user writes them.
 */
#pragma once

#include "config/document.h"

enum option_type {
	OPTION_BOOL,       /* bool */
	OPTION_COUNT,      /* uint64_t */
	OPTION_SIZE,       /* uint64_t, bytes; B KB MB GB KiB MiB GiB */
	OPTION_TIME,       /* uint64_t, milliseconds; ms s m h d */
	OPTION_CHOICE,     /* unsigned: index into .choices */
	OPTION_STRING,     /* const char *: NUL-terminated, in the document's arena */
	OPTION_BYTES,      /* struct bytes: a string or {"hex": "0d0a"} */
	OPTION_BYTES_LIST, /* struct bytes_list: bytes, a list, or {"$lines": "file"}; never empty */
	OPTION_STRINGS,    /* struct strings: a string or a list; never empty */
	OPTION_ADDRESS,    /* struct address: "host:port", "[v6]:port", ":port" if .wildcard */
	OPTION_ADDRESSES,  /* struct addresses: an address or a list; never empty */
	OPTION_OBJECT,     /* any struct: options of its own (.table), inline; `false` stands for
	                      {"enabled": false} where they have a BOOL of that name */
	OPTION_SUBTREE,    /* void *: one object of .table's options; NULL if absent */
	OPTION_SUBTREES    /* struct subtrees: a list of those; never empty */
};

struct bytes {
	const char *data;
	size_t size;
	const struct value *value; /* where it came from, for faults */
};

struct bytes_list {
	struct bytes *items;
	size_t count;
};

struct strings {
	const char **items;
	size_t count;
};

struct address {
	const char *text; /* as written; NULL if absent */
	const char *host; /* "" for every address */
	uint16_t port;
	const char *passed; /* "systemd:NAME": the NAME; then host and port say nothing. Or NULL */
};

struct addresses {
	struct address *items;
	size_t count;
};

struct subtrees {
	void *items; /* structs of .table_size bytes, one behind the other */
	size_t count;
};

struct option {
	const char *name, *doc;
	size_t offset;        /* of the field in the state */
	const char *standard; /* the default; NULL: zero. ADDRESS and BYTES_LIST have none */
	const char *least, *most;
	const char *const *choices; /* ends with NULL; the first is the default */
	const struct option *table; /* OBJECT, SUBTREE, SUBTREES; may be the table itself */
	size_t table_size;          /* of the struct that .table describes */
	enum option_type type;
	bool required;
	bool primary;            /* may stand alone: {"split": "newline"} */
	bool wildcard;           /* ADDRESS: the host may be left out */
	bool passable;           /* ADDRESS: it may be "systemd:NAME" */
	bool is_path;            /* STRING, STRINGS: a file's path, for the documentation */
	const char *needed_when; /* for the documentation: "on is delimiter"; plan() checks it */
	const char *example;     /* a value, or JSON if it begins with { [ or " */
};

#define OPTION_TYPE_BOOL bool
#define OPTION_TYPE_COUNT uint64_t
#define OPTION_TYPE_SIZE uint64_t
#define OPTION_TYPE_TIME uint64_t
#define OPTION_TYPE_CHOICE unsigned
#define OPTION_TYPE_STRING const char *
#define OPTION_TYPE_BYTES struct bytes
#define OPTION_TYPE_BYTES_LIST struct bytes_list
#define OPTION_TYPE_STRINGS struct strings
#define OPTION_TYPE_ADDRESS struct address
#define OPTION_TYPE_ADDRESSES struct addresses
#define OPTION_TYPE_SUBTREE void *
#define OPTION_TYPE_SUBTREES struct subtrees

/* 1 if the field's type is the option's, else -1. */
#define OPTION_FITS(kind, object, field)                                                           \
	_Generic(((object *)0)->field, OPTION_TYPE_##kind : 1, default : -1)

/* The offset of a field, which compiles only if the field's type is the option's. */
#define OPTION_OFFSET(kind, object, field)                                                         \
	(offsetof(object, field) + 0 * sizeof(char[OPTION_FITS(kind, object, field)]))

#define OPTION(kind, object, field, ...)                                                           \
	{                                                                                          \
		.name = #field, .type = OPTION_##kind,                                             \
		.offset = OPTION_OFFSET(kind, object, field), __VA_ARGS__                          \
	}

/* A group of options that is a struct inside the state. */
#define OPTION_GROUP(object, field, options, ...)                                                  \
	{                                                                                          \
		.name = #field, .type = OPTION_OBJECT, .offset = offsetof(object, field),          \
		.table = (options), .table_size = sizeof(((object *)0)->field), __VA_ARGS__        \
	}

#define OPTIONS_END                                                                                \
	{                                                                                          \
		.name = NULL                                                                       \
	}

/* Reads `value` (an object of options, a bare primary option, or NULL for none) into `state`: first the defaults, then
 * what is there. False if a fault was added; reading goes on, so that all are found. `what` names the owner in faults
 * ("split"). Where the value is not known (`check --no-env`), scalars keep their default, texts and bytes are as they
 * are written, and an address has port 0. Faults of what is missing in a NULL have no place: where a kind stands as a
 * bare string, value_as_object gives it one. */
bool options_read(const struct option *table, const struct value *value, const char *what,
	void *state, struct faults *faults);

/* The same for an object that has members beside those of the table (`extra`, a NULL-ended list): they are left to the
 * caller. */
bool options_read_beside(const struct option *table, const char *const *extra,
	const struct value *value, const char *what, void *state, struct faults *faults);

/* The value of an option in a node's configuration, for faults: the member, the value itself where the primary option
 * stands alone, or the value where the option is absent. */
const struct value *option_value(
	const struct option *table, const struct value *value, const char *name);

/* Reports an unknown key of an object, with the nearest of `known` (NULL-ended) or what another product's name means
 * here. */
void fault_unknown_key(struct faults *faults, const struct value *member, const char *what,
	const char *const *known);
