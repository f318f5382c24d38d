/* Tokens: a pattern of PCRE2 cut into what stands for itself.
 *
 * Only what bytes a match has one behind the other is of interest; what is not understood is said to be so.
 */
#pragma once

#include "pipeline/search/byte_class.h"

#include <stddef.h>

enum token_kind {
	TOKEN_UNKNOWN, /* it is not understood: give up */
	TOKEN_CLASS,   /* one byte of a class, or one that stands for itself */
	TOKEN_ATOM,    /* something else that matches bytes, or none */
	TOKEN_ANCHOR,  /* something that matches no bytes, but not everywhere */
	TOKEN_OPTION,  /* options are set */
	TOKEN_GROUP,   /* a group begins */
	TOKEN_LOOK     /* look-around begins */
};

struct token {
	enum token_kind kind;
	struct byte_class class;
};

/* How often what was read must be there. */
struct repeat {
	size_t least;
	bool varies;     /* it may be there more often */
	bool possessive; /* once taken, nothing of it is given back */
};

struct tokens {
	const char *start, *at, *end;
	bool fold; /* letters are the same in either case, from here on, or were somewhere before */
	bool dots_all; /* a dot stands for LF too, likewise */
	bool altered; /* options were set for a part of the pattern: what is read may be too much */
};

/* The next byte; -1 at the end. */
int tokens_peek(const struct tokens *tokens);

/* Passes over a text, if it is next. */
bool tokens_skip(struct tokens *tokens, const char *text);

/* The next token; there must be a byte. */
struct token tokens_next(struct tokens *tokens);

/* Behind a token: the quantifier, if there is one. */
struct repeat tokens_repeat(struct tokens *tokens);
