/* Conditions: searching a run finds the very records that judging each record alone does. */

#define PCRE2_CODE_UNIT_WIDTH 8

#include "pipeline/search/condition.h"

#include "pipeline/search/lanes.h"
#include "pipeline/search/pattern.h"
#include "tests/support/chance.h"

#include <criterion/criterion.h>
#include <malloc.h>
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_RUN = 600, MOST_RECORDS = MOST_RUN + 1, MOST_PATTERN = 64 };

/* Chance */

/* Conditions by hand */

static struct bytes_list list_of(const char *text)
{
	struct bytes *bytes = calloc(1, sizeof(*bytes));
	*bytes = (struct bytes){ .data = strdup(text), .size = strlen(text) };
	return (struct bytes_list){ bytes, 1 };
}

static void free_list(struct bytes_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free((char *)list->items[i].data);
	free(list->items);
}

static void condition_close(struct condition *condition);

static void free_conditions(struct subtrees *list)
{
	struct condition *conditions = list->items;
	for (size_t i = 0; i < list->count; i++)
		condition_close(&conditions[i]);
	free(conditions);
}

static void condition_close(struct condition *condition)
{
	free_list(&condition->contains);
	free_list(&condition->starts_with);
	free_list(&condition->ends_with);
	free_list(&condition->equals);
	free_list(&condition->regex);
	free_conditions(&condition->any);
	free_conditions(&condition->all);
	if (condition->not )
		condition_close(condition->not );
	free(condition->not );
}

/* The oracle: each record alone, in the plainest way. */

static unsigned char lower(char byte)
{
	return (unsigned char)(byte >= 'A' && byte <= 'Z' ? byte + 32 : byte);
}

static bool same(const char *a, const char *b, size_t size, bool fold)
{
	for (size_t i = 0; i < size; i++)
		if (fold ? lower(a[i]) != lower(b[i]) : a[i] != b[i])
			return false;
	return true;
}

static bool plain_match(const struct bytes *pattern, bool fold, const char *data, size_t size)
{
	int error;
	size_t offset;
	pcre2_compile_context *context = pcre2_compile_context_create(NULL);
	pcre2_set_newline(context, PCRE2_NEWLINE_LF);
	pcre2_code *code = pcre2_compile((PCRE2_SPTR)pattern->data, pattern->size,
		fold ? PCRE2_CASELESS : 0, &error, &offset, context);
	pcre2_compile_context_free(context);
	cr_assert(code);
	pcre2_match_data *match = pcre2_match_data_create_from_pattern(code, NULL);
	int result = pcre2_match(code, (PCRE2_SPTR)data, size, 0, PCRE2_NO_JIT, match, NULL);
	pcre2_match_data_free(match);
	pcre2_code_free(code);
	return result >= 0;
}

enum test { CONTAINS, STARTS, ENDS, EQUALS, REGEX };

static bool plain_test(
	enum test test, const struct bytes *item, bool fold, const char *data, size_t size)
{
	if (test == REGEX)
		return plain_match(item, fold, data, size);
	if (item->size > size)
		return false;
	if (test == EQUALS)
		return item->size == size && same(item->data, data, size, fold);
	if (test == STARTS)
		return same(item->data, data, item->size, fold);
	if (test == ENDS)
		return same(item->data, data + size - item->size, item->size, fold);
	for (size_t at = 0; at + item->size <= size; at++)
		if (same(item->data, data + at, item->size, fold))
			return true;
	return false;
}

static bool plain_any(
	enum test test, const struct bytes_list *list, bool fold, const char *data, size_t size)
{
	bool holds = list->count == 0;
	for (size_t i = 0; i < list->count; i++)
		holds |= plain_test(test, &list->items[i], fold, data, size);
	return holds;
}

static bool plain_judge(const struct condition *condition, const char *data, size_t size)
{
	bool fold = condition->ignore_case;
	bool holds = plain_any(CONTAINS, &condition->contains, fold, data, size);
	holds &= plain_any(STARTS, &condition->starts_with, fold, data, size);
	holds &= plain_any(ENDS, &condition->ends_with, fold, data, size);
	holds &= plain_any(EQUALS, &condition->equals, fold, data, size);
	holds &= plain_any(REGEX, &condition->regex, fold, data, size);
	const struct condition *any_of = condition->any.items, *all_of = condition->all.items;
	bool one = condition->any.count == 0;
	for (size_t i = 0; i < condition->any.count; i++)
		one |= plain_judge(&any_of[i], data, size);
	for (size_t i = 0; i < condition->all.count; i++)
		holds &= plain_judge(&all_of[i], data, size);
	if (condition->not )
		holds &= !plain_judge(condition->not, data, size);
	return holds && one;
}

struct piece {
	size_t start, end, content;
};

/* Splits as a reader would: the first delimiter ends the record. */
static size_t plain_split(
	const struct framing *framing, const char *run, size_t size, struct piece *pieces)
{
	size_t count = 0, start = 0, delimiter = framing->delimiter_size;
	for (size_t at = 0; at + delimiter <= size;) {
		if (!same(run + at, framing->delimiter, delimiter, false)) {
			at++;
			continue;
		}
		size_t content = at - start;
		if (framing->crlf && content > 0 && run[at - 1] == '\r')
			content--;
		at += delimiter;
		pieces[count++] = (struct piece){ start, at, content };
		start = at;
	}
	if (start < size)
		pieces[count++] = (struct piece){ start, size, size - start };
	return count;
}

/* Both ways, compared */

static void tell(const struct condition *condition, unsigned depth)
{
	const struct bytes_list *lists[] = { &condition->contains, &condition->starts_with,
		&condition->ends_with, &condition->equals, &condition->regex };
	for (int i = 0; i < 5; i++)
		for (size_t j = 0; j < lists[i]->count; j++)
			cr_log_error("%*stest %d%s: %s", (int)depth * 2, "", i,
				condition->ignore_case ? " i" : "", lists[i]->items[j].data);
	const struct condition *any_of = condition->any.items, *all_of = condition->all.items;
	for (size_t i = 0; i < condition->any.count; i++)
		tell(&any_of[i], depth + 1);
	for (size_t i = 0; i < condition->all.count; i++)
		tell(&all_of[i], depth + 8);
	if (condition->not )
		tell(condition->not, depth + 16);
}

static void check_run(struct search *search, const struct condition *condition,
	const struct framing *framing, const char *run, size_t size)
{
	struct piece pieces[MOST_RECORDS];
	size_t count = plain_split(framing, run, size, pieces);
	bool bare = count > 0 &&
		    (pieces[count - 1].end - pieces[count - 1].start == pieces[count - 1].content);
	size_t chopped = 0, from = 0, start, end;
	for (size_t i = 0; i < count; i++) {
		const char *record = run + pieces[i].start;
		bool holds = plain_judge(condition, record, pieces[i].content);
		bool judged = search_judge(search, record, pieces[i].content);
		if (judged != holds)
			tell(condition, 0);
		cr_assert(judged == holds, "seed %llu: %.*s is judged %d by %s",
			(unsigned long long)chance_seed(), (int)pieces[i].content, record, judged,
			search_method(search));
		if (holds == search_inverted(search))
			continue;
		bool found = search_next(
			search, run + chopped, size - chopped, bare, from - chopped, &start, &end);
		if (!found || start + chopped != pieces[i].start || end + chopped != pieces[i].end)
			tell(condition, 0);
		cr_assert(found, "seed %llu: record %zu of %zu (%.*s) is not found by %s",
			(unsigned long long)chance_seed(), i, count, (int)pieces[i].content, record,
			search_method(search));
		cr_assert(start + chopped == pieces[i].start && end + chopped == pieces[i].end,
			"seed %llu: found %zu-%zu, not %zu-%zu, by %s",
			(unsigned long long)chance_seed(), start + chopped, end + chopped,
			pieces[i].start, pieces[i].end, search_method(search));
		from = pieces[i].end;
		chopped = chance(2) ? chopped : from;
	}
	bool more = search_next(
		search, run + chopped, size - chopped, bare, from - chopped, &start, &end);
	cr_assert(!more, "seed %llu: found one too many at %zu by %s",
		(unsigned long long)chance_seed(), start, search_method(search));
}

static struct framing framings[6];

static void make_framings(void)
{
	framings[0] = framing_delimited("\n", 1, false);
	framings[1] = framing_delimited("\n", 1, true);
	framings[2] = framing_delimited("\0", 1, false);
	framings[3] = framing_delimited("b,", 2, false);
	framings[4] = framing_delimited("aa", 2, false);
	framings[5] = framing_delimited("aba", 3, false);
}

/* A run of few different bytes, the delimiter's among them. */
static size_t random_run(const struct framing *framing, char *run)
{
	static const char bytes[] = "aabbAfo x_\r\n\0,\xe9";
	size_t size = chance(chance(4) ? 60 : MOST_RUN), at = 0;
	uint32_t rarity = 2 + chance(12);
	while (at + framing->delimiter_size < size) {
		if (chance(rarity))
			run[at++] = bytes[chance(sizeof(bytes) - 1)];
		else
			for (uint32_t i = 0; i < framing->delimiter_size; i++)
				run[at++] = framing->delimiter[i];
	}
	return at;
}

/* Random conditions */

static void random_literal(char *text)
{
	static const char bytes[] = "aabbAfo x,\r\n\xe9";
	uint32_t size = 1 + chance(chance(3) ? 2 : 4);
	for (uint32_t i = 0; i < size; i++)
		*text++ = bytes[chance(sizeof(bytes) - 1)];
	*text = 0;
}

static const char *const tokens[] = { "a", "b", "fo", "A", "x", ".", "[ab]", "[^b]", "[^a\\n]",
	"\\s", "\\S", "\\w", "\\W", "\\d", "\\b", "\\B", "a+", "b*", "f?", "o{2}", "a{1,2}", "x*+",
	"o++", "b*?", "[^b]*+", "(?:a|b)", "(a|fo)", "(?>a*)", "(?>a|ab)", "(?i:fo)", "(?s:.)",
	"(?=b)", "(?!b)", "(?<=a)", "(?<!a)", "(?!\\n)", "(?<!\\n)", "^", "$", "\\A", "\\z", "\\Z",
	"|", "a|b", "\\r", "\\n", "\\x61", "[[:alpha:]]", "[[:space:]]", "\xe9", "\\xe9", " ", ",",
	"{", "(?<n>o)", "\\,", "[\\s]", "[^\\S]", "\\R", "\\h", "\\N", "(a)\\1", "\\K", "(?s).",
	"(?i)b", "[a-f]", "(?:)", "[A-F]", "[^a-f]", "\\D", "\\H", "\\v", "\\V", ".*", ".+", "a{2}",
	"[ab]{2,}", "[[:upper:]]", "[^[:lower:]]", "[\\w,]", "(?:a|b|fo)", "(fo){2}", "o+?",
	"(?i)[^b]", "(?-i)", "(?:fo|x)+" };

static bool compiles(const char *pattern)
{
	int error;
	size_t offset;
	pcre2_code *code =
		pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, 0, &error, &offset, NULL);
	pcre2_code_free(code);
	return code != NULL;
}

static void random_pattern(char *pattern)
{
	do {
		pattern[0] = 0;
		uint32_t count = 1 + chance(5);
		for (uint32_t i = 0; i < count; i++)
			strcat(pattern, tokens[chance(sizeof(tokens) / sizeof(*tokens))]);
	} while (!compiles(pattern));
}

static struct bytes_list random_list(bool patterns)
{
	size_t count = chance(3) ? 1 : 1 + chance(patterns ? 3 : 6);
	struct bytes *items = calloc(count, sizeof(*items));
	for (size_t i = 0; i < count; i++) {
		char text[MOST_PATTERN];
		if (patterns)
			random_pattern(text);
		else
			random_literal(text);
		items[i] = (struct bytes){ .data = strdup(text), .size = strlen(text) };
	}
	return (struct bytes_list){ items, count };
}

static void random_condition(struct condition *condition, unsigned depth);

static struct subtrees random_conditions(unsigned depth)
{
	size_t count = 1 + chance(3);
	struct condition *conditions = calloc(count, sizeof(*conditions));
	for (size_t i = 0; i < count; i++)
		random_condition(&conditions[i], depth);
	return (struct subtrees){ conditions, count };
}

static void random_test(struct condition *condition, unsigned depth)
{
	struct bytes_list *leaves[] = { &condition->contains, &condition->starts_with,
		&condition->ends_with, &condition->equals, &condition->regex, &condition->regex };
	uint32_t kind = chance(depth > 0 ? 10 : 6);
	if (kind < 6 && leaves[kind]->count == 0)
		*leaves[kind] = random_list(kind >= 4);
	else if ((kind == 6 || kind == 7) && condition->any.count == 0)
		condition->any = random_conditions(depth - 1);
	else if (kind == 8 && condition->all.count == 0)
		condition->all = random_conditions(depth - 1);
	else if (kind == 9 && !condition->not )
		random_condition(condition->not = calloc(1, sizeof(*condition)), depth - 1);
}

static void random_condition(struct condition *condition, unsigned depth)
{
	*condition = (struct condition){ .ignore_case = chance(4) == 0 };
	uint32_t tests = chance(4) ? 1 : 2;
	for (uint32_t i = 0; i < tests; i++)
		random_test(condition, depth);
}

static void seen_method(const char *method, const char *part, bool *seen)
{
	*seen |= strstr(method, part) != NULL;
}

enum { WAYS = 6 };

static void check_random_condition(unsigned depth, bool seen[WAYS])
{
	struct condition condition;
	random_condition(&condition, depth);
	const struct framing *framing = &framings[chance(2) ? 0 : chance(6)];
	struct faults faults = { 0 };
	struct search *search = search_create(&condition, framing, NULL, &faults);
	cr_assert(search, "%s", faults.items[0].message);
	seen_method(search_method(search), "literal over the run", &seen[0]);
	seen_method(search_method(search), "literals over the run", &seen[1]);
	seen_method(search_method(search), "PCRE2", &seen[2]);
	seen_method(search_method(search), "record by record", &seen[3]);
	seen_method(search_method(search), "byte classes over the run", &seen[4]);
	seen_method(search_method(search), "strings of byte classes over the run", &seen[5]);
	for (int i = 0; i < 6; i++) {
		char run[MOST_RUN];
		size_t size = random_run(framing, run);
		check_run(search, &condition, framing, run, size);
	}
	cr_assert_eq(search_errors(search), 0);
	search_destroy(search);
	condition_close(&condition);
	faults_close(&faults);
}

static void check_random_conditions(unsigned count)
{
	bool seen[WAYS] = { false };
	chance_begin();
	make_framings();
	for (unsigned i = 0; i < count; i++)
		check_random_condition(i % 3, seen);
	for (int i = 0; i < WAYS; i++)
		cr_expect(seen[i], "seed %llu: way %d", (unsigned long long)chance_seed(), i);
}

Test(condition, finds_what_judging_each_record_finds)
{
	check_random_conditions(4000);
}

Test(condition, finds_the_same_by_registers_of_16_bytes)
{
	lanes_limit_for_tests(LANES_TABLE);
	check_random_conditions(1500);
}

Test(condition, finds_the_same_by_words)
{
	lanes_limit_for_tests(LANES_WORD);
	check_random_conditions(1500);
}

Test(condition, is_the_same_without_machine_code)
{
	pattern_refuse_machine_code_for_tests();
	check_random_conditions(1000);
}

/* Patterns and records that are known to lead astray */

static const char *const kept[] = { "foo\\z", "foo\\Z", "\\Afoo", "foo$", "^foo$", "foo[^b]*+$",
	"foo(?>[^b]*)(?:$)", "foo(?!\\n)", "(?<!\\n)foo", "(?s)a(?!.*b)", "a\\s", "\\sa", "a\\s*b",
	"a[^x]", "[^x]a", "[^x]{3}", "foo\\b", "\\bfoo", "\\Bo", "o\\B", "(?>a|ab)b",
	"(?>a(?!b)|ab)c", "a++b|ab", "(?i)FOO", "(?i:F)oo", "foo|", "(?=foo)", "\\Gfoo", "f\\Koo",
	"(?m)^a$", "foo\\r?$", "\\r", "a(?=\\s)", "(?<=\\s)a", "{\"a\"", "a{,2}", "\\QA.b\\E",
	"(*ANYCRLF)a.b", "(a)\\1", "(?|a|b)", "(?#a)b", "(?x) a b", "a(?i)b|c", "[\\d-]",
	"[[:^alpha:]]", "\\N+b", "\\v", "[a\\b]" };

static const char *const texts[] = { "foo\nfoob\nbfoo\nfoo\r\n\nxfoo\n", "foo", "\nfoo", "foo\n",
	"foo\r\n", "a\nb\nab\n ab\na b\n", "aab\nc\nabc\nac\n", "xaaay", "aaaaa", "xaaayaab", "aa",
	"foo\r", "\r\nfoo\r\r\n", "FOO\nFoo\nfOo", "a\rb\na\nb", "{\"a\":1}\n{a}\n", "A.b\nAxb\n",
	"cC\naB\nab\nC", "\n\n\n", "aaa\nbb", "fo\no\n", "a\x0b\nb\x0c\n", "\xff\xfe\n\xe9",
	"a\n\na" };

static void check_kept(const char *pattern, bool fold, bool inverted)
{
	struct condition inner = { .regex = list_of(pattern), .ignore_case = fold };
	struct condition outer = { .not = &inner };
	const struct condition *condition = inverted ? &outer : &inner;
	for (size_t i = 0; i < 6; i++) {
		struct faults faults = { 0 };
		struct search *search = search_create(condition, &framings[i], NULL, &faults);
		cr_assert(search, "%s: %s", pattern, faults.items[0].message);
		for (size_t j = 0; j < sizeof(texts) / sizeof(*texts); j++)
			check_run(search, condition, &framings[i], texts[j], strlen(texts[j]));
		search_destroy(search);
	}
	free_list(&inner.regex);
}

Test(condition, borders_and_anchors_lead_nobody_astray)
{
	chance_begin();
	make_framings();
	for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++)
		for (int way = 0; way < 4; way++)
			check_kept(kept[i], way & 1, way & 2);
}

/* From a configuration */

static struct search *search_of(const char *json, struct document *document, struct faults *faults)
{
	struct framing framing = framing_delimited("\n", 1, false);
	static struct condition condition;
	condition = (struct condition){ 0 };
	cr_assert(document_parse(document, "test.json", json, strlen(json), true, faults), "%s",
		json);
	cr_assert(options_read(condition_options, document->root, "filter", &condition, faults),
		"%s", json);
	return search_create(&condition, &framing, document->root, faults);
}

static const struct {
	const char *json, *method;
	bool inverted;
} methods[] = {
	{ "\"a\"", "literal over the run", false },
	{ "{\"not\":\"a\"}", "literal over the run", true },
	{ "{\"not\":{\"not\":\"a\"}}", "literal over the run", false },
	{ "{\"contains\":[\"a\",\"b\"]}", "2 literals over the run", false },
	{ "{\"any\":[\"a\",{\"contains\":[\"b\",\"c\"]}]}", "3 literals over the run", false },
	{ "{\"all\":[{\"not\":\"a\"},{\"not\":\"b\"}]}", "2 literals over the run", true },
	{ "{\"any\":[{\"not\":\"aa\"},{\"not\":\"b\"}]}",
		"literal over the run, each hit is judged", true },
	{ "{\"contains\":\"a\",\"ignore_case\":true}", "literal over the run", false },
	{ "{\"starts_with\":\"a\"}", "literal over the run, each hit is judged", false },
	{ "{\"contains\":\"aaaa\",\"regex\":\"bb\\\\d\"}", "literal over the run, PCRE2 judges",
		false },
	{ "{\"contains\":\"e\",\"regex\":\"bb\\\\d$\"}", "byte classes over the run, PCRE2 judges",
		false },
	{ "{\"regex\":[\"bb$\",\"cc$\"]}", "2 literals over the run, PCRE2 judges", false },
	{ "{\"regex\":\"(?i)bb|cc+\"}", "2 literals over the run", false },
	{ "{\"regex\":\"\\\\d\\\\d\"}", "byte classes over the run", false },
	{ "{\"regex\":[\"bb\\\\d\",\"cc\"]}", "2 strings of byte classes over the run", false },
	{ "{\"any\":[\"a\",{\"regex\":\"\\\\d\"}]}", "2 strings of byte classes over the run",
		false },
	{ "{\"regex\":\"^\\\\S\"}", "record by record, PCRE2 JIT", false },
	{ "{\"regex\":\"x(?#y)\"}", "record by record, PCRE2 JIT", false },
	{ "{\"any\":[\"a\",{\"not\":\"b\"}]}", "record by record", false },
	{ "{\"contains\":\"a\",\"not\":\"b\"}", "literal over the run, each hit is judged", false },
};

Test(condition, says_how_it_searches)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++) {
		struct document document = { 0 };
		struct faults faults = { 0 };
		struct search *search = search_of(methods[i].json, &document, &faults);
		cr_assert(search, "%s", methods[i].json);
		cr_expect_str_eq(search_method(search), methods[i].method, "%s: %s",
			methods[i].json, search_method(search));
		cr_expect_eq(search_inverted(search), methods[i].inverted, "%s", methods[i].json);
		cr_expect_gt(search_cost(search), 0);
		search_destroy(search);
		document_close(&document);
		faults_close(&faults);
	}
}

Test(condition, says_where_there_is_no_machine_code)
{
	struct document document = { 0 };
	struct faults faults = { 0 };
	pattern_refuse_machine_code_for_tests();
	struct search *search = search_of("{\"regex\":\"^\\\\w\"}", &document, &faults);
	cr_expect_str_eq(search_method(search), "record by record, PCRE2 without JIT");
	search_destroy(search);
	document_close(&document);
	search = search_of("{\"regex\":\"ab$\"}", &document, &faults);
	cr_expect_str_eq(search_method(search), "literal over the run, PCRE2 without JIT judges");
	search_destroy(search);
	document_close(&document);
	faults_close(&faults);
}

static const struct {
	const char *json, *pointer, *message;
} wrong[] = {
	{ "{\"regex\":\"a(\"}", "/regex",
		"the pattern does not compile: missing closing parenthesis, at byte 2 of the "
		"pattern" },
	{ "{\"regex\":[\"a\",\"[b\"]}", "/regex/1",
		"pattern 2 of 2 does not compile: missing terminating ] for character class, at "
		"byte 2 "
		"of the pattern" },
	{ "{}", "", "a condition without a test" },
	{ "{\"ignore_case\":true}", "", "a condition without a test" },
	{ "{\"not\":{}}", "/not", "a condition without a test" },
	{ "{\"any\":[\"a\",{\"all\":[\"b\",{}]}]}", "/any/1/all/1", "a condition without a test" },
};

Test(condition, refuses_what_cannot_be_meant)
{
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct document document = { 0 };
		struct faults faults = { 0 };
		cr_assert_null(search_of(wrong[i].json, &document, &faults), "%s", wrong[i].json);
		cr_assert_eq(faults.count, 1, "%s", wrong[i].json);
		cr_expect_str_eq(faults.items[0].message, wrong[i].message);
		cr_expect_str_eq(faults.items[0].pointer, wrong[i].pointer, "%s: %s", wrong[i].json,
			faults.items[0].pointer);
		document_close(&document);
		faults_close(&faults);
	}
}

Test(condition, allocates_nothing_while_data_flow)
{
	static const char run[] = "error 12\nno\nWarn x\nerror\n\nfatal 7\n";
	struct document document = { 0 };
	struct faults faults = { 0 };
	struct search *search =
		search_of("{\"any\":[{\"contains\":[\"warn\",\"fatal\"],\"ignore_case\":true},"
			  "{\"regex\":\"error (\\\\d)+\"}]}",
			&document, &faults);
	cr_assert(search);
	struct mallinfo2 before = mallinfo2();
	size_t start, end = 0, found = 0;
	for (int i = 0; i < 100; i++, end = 0)
		while (search_next(search, run, sizeof(run) - 1, false, end, &start, &end))
			found++;
	struct mallinfo2 after = mallinfo2();
	cr_expect_eq(found, 300);
	cr_expect_eq(before.uordblks, after.uordblks);
	cr_expect_eq(before.hblkhd, after.hblkhd);
	search_destroy(search);
	document_close(&document);
	faults_close(&faults);
}
