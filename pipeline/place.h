/* Places: the lists that nodes stand in, and what an item of one may be. */
#pragma once

#include "pipeline/catalogue.h"
#include "pipeline/node.h"

/* A list of nodes: "from", "stages" or "to". */
struct place;
extern const struct place place_from, place_stages, place_to;

/* What an item comes to. */
struct item {
	const struct node_type *type; /* NULL: a branch without a sink, or it is not known */
	const struct value *value;    /* of the kind key; the item itself where there is none */
	struct node_keys keys;
};

/* Finds the one kind of an item and reads its common keys. False with faults; `item` can be used nevertheless. */
bool place_read(const struct place *place, const struct value *value, struct item *item,
	struct faults *faults);

/* True if the value is a node of this kind, right or wrong. */
bool place_has_kind(const struct value *value, const char *kind);

/* [a-z][a-z0-9_-]* */
bool place_is_name(const char *name);

/* True if a value of the wrong kind needs no fault, because what is wrong with it was told. (A variable stands for a word
 * or a number, never for a list or an object, even where it is not resolved.) */
bool place_is_excused(const struct value *value, const struct faults *faults);

/* Says that there is no TLS yet. Always false. */
bool place_fault_tls(const struct value *tls, struct faults *faults);
