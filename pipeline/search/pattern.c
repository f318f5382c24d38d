/* Compiling and matching with PCRE2. */

#define PCRE2_CODE_UNIT_WIDTH 8

#include "pipeline/search/pattern.h"

#include <assert.h>
#include <pcre2.h>
#include <stdlib.h>

#define STACK_FIRST (32u * 1024)
#define STACK_MOST (256u * 1024)
#define HEAP_MOST (256u * 1024)
#define STEPS_MOST 1000000u
#define DEPTH_MOST 100000u

/* The interpreter grows its memory by taking a larger piece before it gives the smaller one back: two halves that take
 * turns are all it ever needs. */
struct halves {
	char *data[2];
	bool taken[2];
	bool lent; /* from now on nothing is allocated */
};

struct matcher {
	struct halves halves;
	pcre2_general_context *memory;
	pcre2_match_context *limits;
	pcre2_match_data *match;
	pcre2_jit_stack *stack;
	uint64_t errors;
};

static bool machine_code_refused;

void pattern_refuse_machine_code_for_tests(void)
{
	machine_code_refused = true;
}

static void *take_half(size_t size, void *context)
{
	struct halves *halves = context;
	if (!halves->lent)
		return malloc(size);
	for (int i = 0; i < 2; i++) {
		if (halves->data[i] && !halves->taken[i] && size <= HEAP_MOST) {
			halves->taken[i] = true;
			return halves->data[i];
		}
	}
	return NULL;
}

static void give_half(void *block, void *context)
{
	struct halves *halves = context;
	for (int i = 0; i < 2; i++) {
		if (block && block == halves->data[i]) {
			halves->taken[i] = false;
			return;
		}
	}
	free(block);
}

void matcher_destroy(struct matcher *matcher)
{
	if (!matcher)
		return;
	pcre2_match_data_free(matcher->match);
	pcre2_match_context_free(matcher->limits);
	pcre2_jit_stack_free(matcher->stack);
	pcre2_general_context_free(matcher->memory);
	free(matcher->halves.data[0]);
	free(matcher->halves.data[1]);
	free(matcher);
}

static bool halves_open(struct halves *halves)
{
	halves->data[0] = malloc(HEAP_MOST);
	halves->data[1] = malloc(HEAP_MOST);
	return halves->data[0] && halves->data[1];
}

static bool matcher_open(struct matcher *matcher, bool interprets)
{
	if (interprets && !halves_open(&matcher->halves))
		return false;
	matcher->memory = pcre2_general_context_create(take_half, give_half, &matcher->halves);
	if (!matcher->memory)
		return false;
	matcher->limits = pcre2_match_context_create(matcher->memory);
	matcher->match = pcre2_match_data_create(1, matcher->memory);
	return matcher->limits && matcher->match;
}

struct matcher *matcher_create(bool interprets)
{
	struct matcher *matcher = calloc(1, sizeof(*matcher));
	if (!matcher)
		return NULL;
	if (!matcher_open(matcher, interprets)) {
		matcher_destroy(matcher);
		return NULL;
	}
	matcher->stack = pcre2_jit_stack_create(STACK_FIRST, STACK_MOST, NULL);
	pcre2_set_match_limit(matcher->limits, STEPS_MOST);
	pcre2_set_depth_limit(matcher->limits, DEPTH_MOST);
	pcre2_set_heap_limit(matcher->limits, HEAP_MOST / 1024);
	pcre2_jit_stack_assign(matcher->limits, NULL, matcher->stack);
	matcher->halves.lent = true;
	return matcher;
}

size_t matcher_cost(const struct matcher *matcher)
{
	return sizeof(*matcher) + (matcher->halves.data[0] ? 2 * HEAP_MOST : 0) +
	       (matcher->stack ? STACK_MOST : 0);
}

uint64_t matcher_errors(const struct matcher *matcher)
{
	return matcher->errors;
}

static bool fault(struct faults *faults, const struct bytes *bytes, const char *which, int error,
	size_t offset)
{
	PCRE2_UCHAR text[160];
	if (pcre2_get_error_message(error, text, sizeof(text)) < 0)
		text[0] = 0;
	return fault_at(faults, bytes->value, NULL,
		"%sdoes not compile: %s, at byte %zu of the pattern", which, (const char *)text,
		offset);
}

/* Lines end at LF only, whatever PCRE2 was built for. */
static pcre2_code *compile(const struct bytes *bytes, bool fold, int *error, size_t *offset)
{
	pcre2_compile_context *context = pcre2_compile_context_create(NULL);
	if (!context) {
		*error = PCRE2_ERROR_NOMEMORY;
		return NULL;
	}
	pcre2_set_newline(context, PCRE2_NEWLINE_LF);
	uint32_t options = PCRE2_NEVER_UTF | (fold ? PCRE2_CASELESS : 0);
	pcre2_code *code = pcre2_compile(
		(PCRE2_SPTR)bytes->data, bytes->size, options, error, offset, context);
	pcre2_compile_context_free(context);
	return code;
}

static size_t info_size(const struct pattern *pattern, uint32_t what)
{
	size_t value = 0;
	int known = pcre2_pattern_info(pattern->code, what, &value);
	assert(known == 0);
	return value;
}

bool pattern_open(struct pattern *pattern, const struct bytes *bytes, bool fold, const char *which,
	struct faults *faults)
{
	int error = 0;
	size_t offset = 0;
	*pattern = (struct pattern){ .code = compile(bytes, fold, &error, &offset) };
	if (!pattern->code)
		return fault(faults, bytes, which, error, offset);
	pattern->machine_code =
		!machine_code_refused && pcre2_jit_compile(pattern->code, PCRE2_JIT_COMPLETE) == 0;
	pattern->required = required_by(bytes->data, bytes->size, fold);
	return true;
}

void pattern_close(struct pattern *pattern)
{
	pcre2_code_free(pattern->code);
	required_close(&pattern->required);
	*pattern = (struct pattern){ 0 };
}

size_t pattern_cost(const struct pattern *pattern)
{
	return info_size(pattern, PCRE2_INFO_SIZE) + info_size(pattern, PCRE2_INFO_JITSIZE) +
	       required_cost(&pattern->required);
}

bool pattern_matches(
	const struct pattern *pattern, struct matcher *matcher, const char *content, size_t size)
{
	int result = pattern->machine_code ? pcre2_jit_match(pattern->code, (PCRE2_SPTR)content,
						     size, 0, 0, matcher->match, matcher->limits)
					   : pcre2_match(pattern->code, (PCRE2_SPTR)content, size,
						     0, 0, matcher->match, matcher->limits);
	if (result < 0 && result != PCRE2_ERROR_NOMATCH)
		matcher->errors++;
	return result >= 0;
}
