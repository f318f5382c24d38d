/* Windows, hits, and the databases of vectorscan. */

#include "pipeline/search/scanner.h"

#include <assert.h>
#include <hs/hs.h>
#include <stdlib.h>
#include <string.h>

#define WINDOW 65536u /* bytes */
#define WORD 64u      /* bits */
#define FREE_HITS 64u
#define BYTES_A_HIT                                                                                \
	16u     /* with more hits than one in so many bytes, judging each record is as cheap */
#define REST 7u /* windows that are not scanned behind a dense one */

struct scanner {
	hs_database_t *database;
	hs_scratch_t *scratch;
	const char *start, *end; /* the window */
	bool every;              /* each of its records is a candidate */
	uint32_t rest;           /* windows to come that are not scanned */
	uint32_t hits, most_hits;
	uint64_t bits[WINDOW / WORD]; /* the bytes of the window that end a match */
};

static bool refused;

void scanner_refuse_for_tests(void)
{
	refused = true;
}

bool scanner_available(void)
{
	return !refused && hs_valid_platform() == HS_SUCCESS;
}

void scanner_destroy(struct scanner *scanner)
{
	if (!scanner)
		return;
	hs_free_scratch(scanner->scratch);
	hs_free_database(scanner->database);
	free(scanner);
}

static struct scanner *create(hs_database_t *database)
{
	struct scanner *scanner = calloc(1, sizeof(*scanner));
	if (!scanner) {
		hs_free_database(database);
		return NULL;
	}
	scanner->database = database;
	if (hs_alloc_scratch(database, &scanner->scratch) == HS_SUCCESS)
		return scanner;
	scanner_destroy(scanner);
	return NULL;
}

/* What is compiled, as vectorscan wants it: columns. */
struct columns {
	const char **texts;
	size_t *sizes;
	unsigned *flags, *ids;
};

static void columns_close(struct columns *columns)
{
	free(columns->texts);
	free(columns->sizes);
	free(columns->flags);
	free(columns->ids);
}

static bool columns_open(struct columns *columns, size_t count)
{
	*columns = (struct columns){ .texts = calloc(count, sizeof(char *)),
		.sizes = calloc(count, sizeof(size_t)),
		.flags = calloc(count, sizeof(unsigned)),
		.ids = calloc(count, sizeof(unsigned)) };
	if (columns->texts && columns->sizes && columns->flags && columns->ids)
		return true;
	columns_close(columns);
	return false;
}

static struct scanner *compiled(
	hs_error_t result, hs_database_t *database, hs_compile_error_t *error)
{
	if (result == HS_SUCCESS)
		return create(database);
	hs_free_compile_error(error);
	return NULL;
}

struct scanner *scanner_of_literals(const struct literal *literals, size_t count)
{
	struct columns columns;
	if (!scanner_available() || !columns_open(&columns, count))
		return NULL;
	for (size_t i = 0; i < count; i++) {
		columns.texts[i] = literals[i].data;
		columns.sizes[i] = literals[i].size;
		columns.flags[i] = literals[i].fold ? HS_FLAG_CASELESS : 0;
	}
	hs_database_t *database = NULL;
	hs_compile_error_t *error = NULL;
	hs_error_t result = hs_compile_lit_multi(columns.texts, columns.flags, columns.ids,
		columns.sizes, (unsigned)count, HS_MODE_BLOCK, NULL, &database, &error);
	columns_close(&columns);
	return compiled(result, database, error);
}

/* Without DOTALL: a dot stays within its line, as it does where PCRE2 sees only the line. */
struct scanner *scanner_of_expressions(const struct expression *expressions, size_t count)
{
	struct columns columns;
	if (!scanner_available() || !columns_open(&columns, count))
		return NULL;
	for (size_t i = 0; i < count; i++) {
		columns.texts[i] = expressions[i].text;
		columns.flags[i] = HS_FLAG_PREFILTER | HS_FLAG_MULTILINE |
				   (expressions[i].fold ? HS_FLAG_CASELESS : 0);
	}
	hs_database_t *database = NULL;
	hs_compile_error_t *error = NULL;
	hs_error_t result = hs_compile_multi(columns.texts, columns.flags, columns.ids,
		(unsigned)count, HS_MODE_BLOCK, NULL, &database, &error);
	columns_close(&columns);
	return compiled(result, database, error);
}

size_t scanner_cost(const struct scanner *scanner)
{
	size_t database = 0, scratch = 0;
	hs_error_t known = hs_database_size(scanner->database, &database);
	assert(known == HS_SUCCESS);
	known = hs_scratch_size(scanner->scratch, &scratch);
	assert(known == HS_SUCCESS);
	return sizeof(*scanner) + database + scratch;
}

static int stop(
	unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *context)
{
	(void)id, (void)from, (void)to, (void)flags, (void)context;
	return 1;
}

/* True if the scan was stopped by its callback. */
static bool scan(struct scanner *scanner, const char *data, size_t size, match_event_handler on_hit)
{
	assert(size <= UINT32_MAX);
	hs_error_t result = hs_scan(
		scanner->database, data, (unsigned)size, 0, scanner->scratch, on_hit, scanner);
	assert(result == HS_SUCCESS || result == HS_SCAN_TERMINATED);
	return result == HS_SCAN_TERMINATED;
}

bool scanner_hits(struct scanner *scanner, const char *data, size_t size)
{
	return scan(scanner, data, size, stop);
}

void scanner_begin(struct scanner *scanner)
{
	scanner->start = scanner->end = NULL;
}

static int note(
	unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *context)
{
	(void)id, (void)from, (void)flags;
	struct scanner *scanner = context;
	assert(to > 0 && to <= WINDOW);
	scanner->bits[(to - 1) / WORD] |= 1ull << ((to - 1) % WORD);
	return ++scanner->hits > scanner->most_hits;
}

/* The records from `at` that a window holds, or a part of one that is larger. */
static size_t window_size(
	const struct framing *framing, const char *at, const char *end, bool *part)
{
	*part = false;
	if ((size_t)(end - at) <= WINDOW)
		return (size_t)(end - at);
	size_t whole = framing_last(framing, at, WINDOW);
	*part = whole == 0;
	return whole > 0 ? whole : WINDOW;
}

static void next_window(
	struct scanner *scanner, const struct framing *framing, const char *at, const char *end)
{
	bool part;
	size_t size = window_size(framing, at, end, &part);
	scanner->start = at;
	scanner->end = at + size;
	scanner->every = part || scanner->rest > 0;
	if (scanner->rest > 0)
		scanner->rest--;
	if (scanner->every)
		return;
	memset(scanner->bits, 0, (size / WORD + (size % WORD > 0)) * sizeof(*scanner->bits));
	scanner->hits = 0;
	scanner->most_hits = FREE_HITS + (uint32_t)size / BYTES_A_HIT;
	scanner->every = scan(scanner, at, size, note);
	if (scanner->every)
		scanner->rest = REST;
}

/* The first hit from `at` on in the window. */
static const char *next_hit(const struct scanner *scanner, const char *at)
{
	size_t from = (size_t)(at - scanner->start), size = (size_t)(scanner->end - scanner->start);
	size_t word = from / WORD;
	uint64_t bits = scanner->bits[word] & (~0ull << from % WORD);
	while (bits == 0) {
		if (++word * WORD >= size)
			return NULL;
		bits = scanner->bits[word];
	}
	return scanner->start + word * WORD + (unsigned)__builtin_ctzll(bits);
}

const char *scanner_next(
	struct scanner *scanner, const struct framing *framing, const char *at, const char *end)
{
	while (at < end) {
		if (at < scanner->start || at >= scanner->end)
			next_window(scanner, framing, at, end);
		if (scanner->every)
			return at;
		const char *hit = next_hit(scanner, at);
		if (hit)
			return hit;
		at = scanner->end;
	}
	return NULL;
}
