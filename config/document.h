/* A configuration file as a tree of values that know their places.
 *
 * JSON (RFC 8259) is parsed by cJSON; what it does not tell is added here: places, duplicate keys (a fault), numbers
 * as written, `\u0000` (a fault), nesting deeper than 64 (a fault), text behind the end (a fault). Keys that begin
 * with `//` are comments and do not appear in the tree.
 */
#pragma once

#include "config/fault.h"

enum value_kind { VALUE_NULL, VALUE_BOOL, VALUE_NUMBER, VALUE_STRING, VALUE_LIST, VALUE_OBJECT };

struct document;

/* A value is unknown where a variable or secret in it is not to be resolved, and where a fault has been added for what it
 * holds. It is accepted in any place; a string's text is then as it is written. */
struct value {
	enum value_kind kind;
	bool truth;           /* VALUE_BOOL */
	double number;        /* VALUE_NUMBER */
	const char *text;     /* VALUE_STRING: decoded, NUL behind it; VALUE_NUMBER: as written */
	size_t size;          /* bytes of text */
	const char *key;      /* the name in the object that it is a member of; NULL elsewhere */
	size_t index;         /* the place in the list that it is an item of */
	struct value *parent; /* NULL for the root */
	struct value *first;  /* the first member or item */
	struct value *next;   /* the next in the parent */
	const struct document *document;
	size_t offset, end;         /* of the value in the text */
	size_t key_offset, key_end; /* of its key, with its quotes */
	bool unknown;               /* what it holds cannot be told; see above */
	bool stands_in; /* the string was nothing but one ${…}: it may be read as any type */
	uint64_t
		lines; /* a hash of what the file held that the string names, if its lines were read */
	bool secret; /* from a file or credential: never to be shown */
};

struct document {
	const char *name; /* as faults show it; "-" is shown as <stdin> */
	char *text;       /* the whole file */
	size_t size;
	struct value *root;
	struct arena *arena; /* everything that the configuration allocates: freed with it */
	bool resolve;        /* variables and secrets are resolved; false for `check --no-env` */
	const struct document
		*whole; /* the one that includes this one, whose arena it shares; NULL: none */
	struct document *included; /* the first that it includes */
	struct document *next;     /* the next that is included by the same */
};

/* Reads a file ("-": standard input). False with faults where it cannot be read or is not JSON, and also where a key is
 * there twice, a string is not one, a variable is not set or a secret cannot be read: then `root` is not NULL, and
 * reading on finds the faults of the rest. The document must be closed in either case. */
bool document_read(
	struct document *document, const char *path, bool resolve, struct faults *faults);

/* The same from memory (copied). */
bool document_parse(struct document *document, const char *name, const char *text, size_t size,
	bool resolve, struct faults *faults);
void document_close(struct document *document);

/* Reads a further file as a part of `whole`, and lives as long: as document_read(). That it cannot be read is told at
 * `place`. */
struct document *document_include(
	struct document *whole, const char *path, const struct value *place, struct faults *faults);

/* The same from memory (copied). */
struct document *document_include_text(struct document *whole, const char *name, const char *text,
	size_t size, struct faults *faults);

/* True if the value stands in the document's file, or in one that it includes. */
bool document_holds(const struct document *document, const struct value *value);

/* "FILE:LINE:COLUMN" of the value's key. In the arena. */
const char *document_place_of_key(const struct value *value);

/* The member of an object; NULL if it has none of that name, or `object` is NULL or no object. */
struct value *value_member(const struct value *object, const char *key);

/* True if both say the same: values after variables and secrets are resolved, members in any order. NULL is like NULL
 * only. What a file named by "$lines" holds is part of it, as far as it was read (`lines`). */
bool value_equal(const struct value *a, const struct value *b);

/* How many members or items. */
size_t value_count(const struct value *value);

/* An object without members in the place of `value`: what the bare name of a kind stands for. */
const struct value *value_as_object(const struct value *value);

/* "a string", "an object", … */
const char *value_kind_name(enum value_kind kind);

/* Memory that lives as long as the document; zeroed; never NULL (without memory the process ends: configuration is
 * read before any data flows). */
void *document_allocate(const struct document *document, size_t size);

/* True if relative paths mean the same in both. */
bool document_same_folder(const struct document *a, const struct document *b);

/* A path of the configuration as one to open: relative ones start at the configuration's directory. In the arena. */
const char *document_path(const struct document *document, const char *path);
