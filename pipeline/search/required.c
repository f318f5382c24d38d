/* Reads a pattern, as PCRE2 does, for the strings that no match can do without. */

#include "pipeline/search/required.h"

#include "pipeline/search/rarity.h"
#include "pipeline/search/token.h"

#include <stdlib.h>

enum {
	MOST_DEPTH = 32,
	MOST_SEQUENCES = 256,
	MOST_COPIES = 16 /* of one class that is repeated */
};

struct span {
	size_t start, size; /* in the reader's classes */
};

/* The spans are a stack: a branch leaves its best ones there, and alternatives leave those of all their branches. */
struct reader {
	struct tokens tokens;
	struct byte_class *classes;
	size_t used, room;
	struct span *spans;
	size_t count;
	unsigned depth;
	double shares[256];
};

/* A branch that is being read. The classes from `run` on follow each other in every match. */
struct branch {
	size_t first; /* of its spans */
	size_t run;
	bool begun;  /* something of it was read */
	bool enough; /* so far: a match is nothing but one of its spans, or the run */
	bool closed; /* nothing may follow, or it is not enough */
};

/* The smaller, the better. One is found faster than many, and plain bytes faster than classes. */
static double share_of(const struct reader *reader, size_t first, size_t count)
{
	const double each = 0.000001;
	double share = 0;
	for (size_t i = first; i < first + count; i++) {
		const struct span *span = &reader->spans[i];
		double one = 1;
		for (size_t j = 0; j < span->size; j++)
			one *= byte_class_share(&reader->classes[span->start + j], reader->shares);
		share += one + each;
	}
	return share;
}

/* Of two groups of spans on the stack, from `first` and from `second`, the better one stays. */
static void keep_better(struct reader *reader, size_t first, size_t second)
{
	size_t count = reader->count - second;
	if (count == 0 || second == first)
		return;
	if (share_of(reader, second, count) >= share_of(reader, first, second - first)) {
		reader->count = second;
		return;
	}
	for (size_t i = 0; i < count; i++)
		reader->spans[first + i] = reader->spans[second + i];
	reader->count = first + count;
}

/* What comes next does not follow the run in every match. */
static void end_run(struct reader *reader, struct branch *branch)
{
	size_t second = reader->count, size = reader->used - branch->run;
	if (size > 0)
		reader->spans[reader->count++] = (struct span){ branch->run, size };
	keep_better(reader, branch->first, second);
	branch->run = reader->used;
}

/* Something is next in the branch. */
static void begin(struct branch *branch)
{
	branch->enough = branch->enough && !branch->closed;
	branch->begun = true;
}

static bool append(struct reader *reader, const struct byte_class *class, size_t copies)
{
	if (copies > reader->room - reader->used)
		return false;
	while (copies-- > 0)
		reader->classes[reader->used++] = *class;
	return true;
}

/* At a branch's start and at its end it is enough that what varies is there as often as it must be. */
static bool take_class(struct reader *reader, struct branch *branch, const struct byte_class *class)
{
	bool leads = !branch->begun;
	struct repeat repeat = tokens_repeat(&reader->tokens);
	size_t copies = repeat.least < MOST_COPIES ? repeat.least : MOST_COPIES;
	begin(branch);
	if (copies < repeat.least || (leads && repeat.possessive))
		branch->enough = false;
	if (!append(reader, class, copies))
		return false;
	if ((!repeat.varies && copies == repeat.least) || (leads && branch->enough))
		return true;
	bool enough = branch->enough;
	size_t start = branch->run, size = reader->used - branch->run;
	end_run(reader, branch);
	if (!enough)
		return append(reader, class, copies);
	/* Enough, if nothing follows: then the run is all there is. */
	branch->closed = true;
	reader->count = branch->first;
	if (size > 0)
		reader->spans[reader->count++] = (struct span){ start, size };
	return append(reader, class, copies);
}

static bool read_alternatives(struct reader *reader, bool *enough);

/* A group's inside, with its closing parenthesis. */
static bool read_inside(struct reader *reader, bool *enough)
{
	if (reader->depth == MOST_DEPTH)
		return false;
	reader->depth++;
	bool understood = read_alternatives(reader, enough) && tokens_skip(&reader->tokens, ")");
	reader->depth--;
	return understood;
}

/* A group that is all of its branch is enough, if it is. */
static bool take_group(struct reader *reader, struct branch *branch)
{
	bool alone = !branch->begun, enough;
	begin(branch);
	end_run(reader, branch);
	size_t second = reader->count;
	if (!read_inside(reader, &enough))
		return false;
	size_t least = tokens_repeat(&reader->tokens).least;
	if (least == 0)
		reader->count = second;
	branch->enough = branch->enough && alone && enough && least == 1;
	branch->closed = true;
	keep_better(reader, branch->first, second);
	branch->run = reader->used;
	return true;
}

/* What it looks at is not part of the match: the run goes on as if it were not there. */
static bool pass_look_around(struct reader *reader, struct branch *branch)
{
	size_t used = reader->used, count = reader->count;
	bool enough;
	branch->enough = false;
	if (!read_inside(reader, &enough))
		return false;
	reader->used = used;
	reader->count = count;
	tokens_repeat(&reader->tokens);
	return true;
}

static bool take_token(struct reader *reader, struct branch *branch)
{
	struct token token = tokens_next(&reader->tokens);
	switch (token.kind) {
	case TOKEN_CLASS:
		return take_class(reader, branch, &token.class);
	case TOKEN_ATOM:
		branch->enough = false;
		end_run(reader, branch);
		tokens_repeat(&reader->tokens);
		return true;
	case TOKEN_ANCHOR:
		branch->enough = false;
		tokens_repeat(&reader->tokens);
		return true;
	case TOKEN_OPTION:
		return true;
	case TOKEN_GROUP:
		return take_group(reader, branch);
	case TOKEN_LOOK:
		return pass_look_around(reader, branch);
	case TOKEN_UNKNOWN:
		return false;
	}
	return false;
}

static bool read_branch(struct reader *reader, bool *enough)
{
	struct branch branch = { .first = reader->count, .run = reader->used, .enough = true };
	for (;;) {
		int next = tokens_peek(&reader->tokens);
		if (next < 0 || next == '|' || next == ')')
			break;
		if (!take_token(reader, &branch))
			return false;
	}
	*enough = branch.enough;
	if (!branch.enough || !branch.closed)
		end_run(reader, &branch);
	return true;
}

/* Each branch must require something, or together they require nothing. */
static bool read_alternatives(struct reader *reader, bool *enough)
{
	size_t first = reader->count;
	bool all = true;
	*enough = true;
	do {
		size_t before = reader->count;
		bool one;
		if (!read_branch(reader, &one))
			return false;
		all = all && reader->count > before;
		*enough = *enough && one;
	} while (tokens_skip(&reader->tokens, "|"));
	if (!all)
		reader->count = first;
	*enough = *enough && all;
	return true;
}

/* Plain bytes */

enum plainness { PLAIN_NOT, PLAIN_EITHER, PLAIN_AS_IT_IS, PLAIN_FOLDED };

static enum plainness plainness_of(const struct byte_class *class)
{
	struct byte_class folded = { 0 };
	unsigned char byte = byte_class_lowest(class);
	unsigned count = byte_class_count(class);
	byte_class_add(&folded, byte);
	byte_class_fold(&folded);
	bool letter = byte_class_count(&folded) == 2;
	if (count == 1)
		return letter ? PLAIN_AS_IT_IS : PLAIN_EITHER;
	bool both = letter && count == 2 && byte_class_has(class, (char)(byte ^ 0x20));
	return both ? PLAIN_FOLDED : PLAIN_NOT;
}

/* How many classes from `at` on are plain bytes, all folded or none; `fold` is set if they are. */
static size_t plain_size(const struct sequence *sequence, size_t at, bool *fold)
{
	enum plainness all = PLAIN_EITHER;
	size_t size = 0;
	for (; at + size < sequence->size; size++) {
		enum plainness one = plainness_of(&sequence->classes[at + size]);
		if (one == PLAIN_NOT || (one != all && one != PLAIN_EITHER && all != PLAIN_EITHER))
			break;
		all = one == PLAIN_EITHER ? all : one;
	}
	*fold = all == PLAIN_FOLDED;
	return size;
}

static double plain_share(
	const struct reader *reader, const struct sequence *sequence, size_t at, size_t size)
{
	double share = 1;
	for (size_t i = at; i < at + size; i++)
		share *= byte_class_share(&sequence->classes[i], reader->shares);
	return share;
}

/* Finds the rarest plain bytes and writes them down. */
static void find_literal(const struct reader *reader, struct sequence *sequence, char *bytes)
{
	double least = 2;
	for (size_t at = 0, size; at<sequence->size; at += size> 0 ? size : 1) {
		bool fold;
		size = plain_size(sequence, at, &fold);
		double share = plain_share(reader, sequence, at, size);
		if (size == 0 || share >= least)
			continue;
		least = share;
		sequence->literal = (struct literal){ bytes, size, fold };
		sequence->literal_at = at;
	}
	for (size_t i = 0; i < sequence->literal.size; i++) {
		unsigned char byte =
			byte_class_lowest(&sequence->classes[sequence->literal_at + i]);
		bool capital = byte >= 'A' && byte <= 'Z';
		bytes[i] = (char)(sequence->literal.fold && capital ? byte | 0x20 : byte);
	}
	sequence->plain = sequence->literal.size == sequence->size;
}

/* Life */

static bool gather(struct reader *reader, struct required *required)
{
	required->sequences = calloc(reader->count, sizeof(*required->sequences));
	required->bytes = calloc(reader->used + 1, 1);
	if (!required->sequences || !required->bytes)
		return false;
	for (size_t i = 0; i < reader->count; i++) {
		const struct span *span = &reader->spans[i];
		struct sequence *sequence = &required->sequences[i];
		*sequence = (struct sequence){ .classes = reader->classes + span->start,
			.size = span->size };
		sequence->share = plain_share(reader, sequence, 0, span->size);
		required->share += sequence->share;
		find_literal(reader, sequence, required->bytes + span->start);
	}
	required->count = reader->count;
	return true;
}

static bool reader_open(struct reader *reader, const char *pattern, size_t size, bool fold)
{
	*reader = (struct reader){
		.tokens = { .start = pattern, .at = pattern, .end = pattern + size, .fold = fold },
		.room = 8 * size + 4 * MOST_COPIES
	};
	rarity_shares(reader->shares);
	reader->classes = calloc(reader->room, sizeof(*reader->classes));
	reader->spans = calloc(size + 2, sizeof(*reader->spans));
	return reader->classes && reader->spans;
}

struct required required_by(const char *pattern, size_t size, bool fold)
{
	struct required required = { 0 };
	struct reader reader;
	bool understood = reader_open(&reader, pattern, size, fold) &&
			  read_alternatives(&reader, &required.enough) &&
			  reader.tokens.at == reader.tokens.end;
	required.classes = reader.classes;
	required.enough = required.enough && !reader.tokens.altered;
	if (!understood || reader.count == 0 || reader.count > MOST_SEQUENCES ||
		!gather(&reader, &required))
		required_close(&required);
	free(reader.spans);
	return required;
}

void required_close(struct required *required)
{
	free(required->sequences);
	free(required->classes);
	free(required->bytes);
	*required = (struct required){ 0 };
}

size_t required_cost(const struct required *required)
{
	size_t cost = required->count * sizeof(*required->sequences);
	for (size_t i = 0; i < required->count; i++)
		cost += required->sequences[i].size * (sizeof(struct byte_class) + 1);
	return cost;
}
