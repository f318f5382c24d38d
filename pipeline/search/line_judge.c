/* Lines by a pattern, and by what traces look like. */

#include "pipeline/search/line_judge.h"

#include "pipeline/search/pattern.h"

#include <stdlib.h>
#include <string.h>

struct line_judge {
	bool by_pattern;
	struct pattern pattern;
	struct matcher *matcher;
	enum line_preset preset;
};

static bool has_prefix(const char *line, size_t size, const char *prefix)
{
	size_t length = strlen(prefix);
	return size >= length && memcmp(line, prefix, length) == 0;
}

static bool has_any_prefix(const char *line, size_t size, const char *const *prefixes)
{
	for (; *prefixes; prefixes++)
		if (has_prefix(line, size, *prefixes))
			return true;
	return false;
}

static bool is_blank(const char *line, size_t size)
{
	return size == 0 || (size == 1 && line[0] == '\r');
}

static bool is_indented(const char *line, size_t size)
{
	return size > 0 && (line[0] == ' ' || line[0] == '\t');
}

static bool is_name_byte(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
	       (byte >= '0' && byte <= '9') || byte == '_' || byte == '$' || byte == '.';
}

/* "java.io.IOException: gone", "ValueError": a name, with at least `dots` dots, and a colon or nothing behind it. */
static bool names_exception(const char *line, size_t size, unsigned dots)
{
	size_t at = 0;
	unsigned found = 0;
	if (size == 0 || (line[0] >= '0' && line[0] <= '9') || line[0] == '.')
		return false;
	for (; at < size && is_name_byte(line[at]); at++)
		found += line[at] == '.';
	bool ends = at == size || line[at] == ':' || line[at] == '\r';
	return at > 0 && found >= dots && ends &&
	       (at == size || line[at] != ':' || at + 1 == size || line[at + 1] == ' ' ||
		       line[at + 1] == '\r');
}

/* A log line is followed by the exception that it is about; behind a trace an exception is another record. */
static bool java_begins(enum line_class *last, const char *line, size_t size)
{
	static const char *const links[] = {
		"Caused by: ", "Suppressed: ", "nested exception is:", "... ", NULL
	};
	enum line_class before = *last;
	if (is_blank(line, size))
		return before == LINE_NONE;
	if (is_indented(line, size) || has_any_prefix(line, size, links)) {
		*last = LINE_INDENTED;
		return before == LINE_NONE;
	}
	if (names_exception(line, size, 1)) {
		*last = LINE_EXCEPTION;
		return before != LINE_PLAIN;
	}
	*last = LINE_PLAIN;
	return true;
}

/* A trace ends with the exception's name, without indentation. The next may be linked to it. */
static bool python_begins(enum line_class *last, const char *line, size_t size)
{
	static const char *const links[] = { "During handling of the above exception",
		"The above exception was the direct cause", NULL };
	enum line_class before = *last;
	if (is_blank(line, size))
		return before == LINE_NONE;
	if (is_indented(line, size)) {
		*last = LINE_INDENTED;
		return before == LINE_NONE;
	}
	if (has_any_prefix(line, size, links)) {
		*last = LINE_LINK;
		return before == LINE_NONE;
	}
	if (has_prefix(line, size, "Traceback (most recent call last):")) {
		*last = LINE_LINK;
		return before != LINE_PLAIN && before != LINE_LINK;
	}
	bool names = before == LINE_INDENTED && names_exception(line, size, 0);
	*last = names ? LINE_EXCEPTION : LINE_PLAIN;
	return !names;
}

static bool indent_begins(enum line_class *last, const char *line, size_t size)
{
	bool goes_on = is_blank(line, size) || is_indented(line, size);
	bool begins = !goes_on || *last == LINE_NONE;
	*last = LINE_PLAIN;
	return begins;
}

bool line_judge_begins(
	struct line_judge *judge, enum line_class *last, const char *line, size_t size)
{
	if (judge->by_pattern)
		return pattern_matches(&judge->pattern, judge->matcher, line, size);
	switch (judge->preset) {
	case LINES_JAVA:
		return java_begins(last, line, size);
	case LINES_PYTHON:
		return python_begins(last, line, size);
	case LINES_INDENT:
		break;
	}
	return indent_begins(last, line, size);
}

void line_judge_destroy(struct line_judge *judge)
{
	if (!judge)
		return;
	if (judge->by_pattern)
		pattern_close(&judge->pattern);
	matcher_destroy(judge->matcher);
	free(judge);
}

static struct line_judge *create(struct faults *faults)
{
	struct line_judge *judge = calloc(1, sizeof(*judge));
	if (!judge)
		fault_at(faults, NULL, NULL, "there is no memory to judge lines");
	return judge;
}

struct line_judge *line_judge_by_preset(enum line_preset preset, struct faults *faults)
{
	struct line_judge *judge = create(faults);
	if (judge)
		judge->preset = preset;
	return judge;
}

struct line_judge *line_judge_by_pattern(const struct bytes *pattern, struct faults *faults)
{
	struct line_judge *judge = create(faults);
	if (!judge)
		return NULL;
	judge->by_pattern = pattern_open(&judge->pattern, pattern, false, "", faults);
	if (judge->by_pattern)
		judge->matcher = matcher_create(!judge->pattern.machine_code);
	if (judge->matcher)
		return judge;
	if (judge->by_pattern)
		fault_at(faults, NULL, NULL, "there is no memory to judge lines");
	line_judge_destroy(judge);
	return NULL;
}

size_t line_judge_cost(const struct line_judge *judge)
{
	size_t cost = sizeof(*judge);
	if (judge->by_pattern)
		cost += pattern_cost(&judge->pattern) + matcher_cost(judge->matcher);
	return cost;
}
