/* Differences, by the longest common subsequence (Hunt, McIlroy: An Algorithm for Differential File Comparison, 1976, by
 * its plain table): what both begin and end with is left out of it. */
#include "daemon/differences.h"

#include "config/memory.h"
#include "config/utf8.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
	AROUND = 2, /* lines that are shown before and behind a difference */
	TABLE_MOST =
		4 * 1024 * 1024 /* entries; rows that need more are shown one behind the other */
};

struct lines lines_of(const char *data, size_t size)
{
	struct lines lines = { 0 };
	size_t count = 1;

	for (size_t i = 0; i < size; i++)
		count += data[i] == '\n';
	lines.items = memory_needed(calloc(count, sizeof(*lines.items)));
	for (size_t at = 0; at < size;) {
		const char *newline = memchr(data + at, '\n', size - at);
		const size_t end = newline ? (size_t)(newline - data) + 1 : size;
		lines.items[lines.count++] = (struct line){ data + at, end - at };
		at = end;
	}
	return lines;
}

static bool same(const struct line *one, const struct line *other)
{
	return one->size == other->size && memcmp(one->data, other->data, one->size) == 0;
}

bool lines_equal(const struct lines *one, const struct lines *other)
{
	bool equal = one->count == other->count;

	for (size_t i = 0; equal && i < one->count; i++)
		equal = same(&one->items[i], &other->items[i]);
	return equal;
}

/* --- printing ----------------------------------------------------------------------------------------------------- */

/* As in JSON, but for bytes that are no text: \xff. */
static size_t print_character(FILE *out, const char *text, size_t size)
{
	static const char shorts[] = "\nn\tt\rr\"\"\\\\";
	char shown[VISIBLE_ROOM];
	size_t cells;

	for (const char *pair = shorts; *pair; pair += 2)
		if (*pair == *text) {
			fprintf(out, "\\%c", pair[1]);
			return 1;
		}
	const size_t used = utf8_visible(text, size, shown, &cells);
	fputs(shown, out);
	return used;
}

static void print_line(FILE *out, char sign, const struct line *line)
{
	fprintf(out, "    %c \"", sign);
	for (size_t at = 0; at < line->size;)
		at += print_character(out, line->data + at, line->size - at);
	fputs("\"\n", out);
}

/* --- comparing ---------------------------------------------------------------------------------------------------- */

struct step {
	char sign;
	const struct line *line;
};

struct script {
	struct step *steps;
	size_t count;
};

static void add(struct script *script, char sign, const struct line *line)
{
	script->steps[script->count++] = (struct step){ sign, line };
}

/* What is between the first and the last difference. */
struct middle {
	const struct line *due, *found;
	size_t due_count, found_count;
};

/* lengths[i][k]: of the longest that due from i on and found from k on have in common. */
static uint32_t *common_lengths(const struct middle *middle)
{
	const size_t width = middle->found_count + 1;
	uint32_t *lengths =
		memory_needed(calloc((middle->due_count + 1) * width, sizeof(*lengths)));

	for (size_t i = middle->due_count; i-- > 0;)
		for (size_t k = middle->found_count; k-- > 0;) {
			const uint32_t without_due = lengths[(i + 1) * width + k],
				       without_found = lengths[i * width + k + 1];
			if (same(&middle->due[i], &middle->found[k]))
				lengths[i * width + k] = lengths[(i + 1) * width + k + 1] + 1;
			else
				lengths[i * width + k] =
					without_due > without_found ? without_due : without_found;
		}
	return lengths;
}

static void compare(struct script *script, const struct middle *middle)
{
	const size_t width = middle->found_count + 1;
	uint32_t *lengths = common_lengths(middle);
	size_t i = 0, k = 0;

	while (i < middle->due_count || k < middle->found_count) {
		const bool both = i < middle->due_count && k < middle->found_count;
		if (both && same(&middle->due[i], &middle->found[k])) {
			add(script, ' ', &middle->due[i++]);
			k++;
		} else if (k == middle->found_count ||
			   (both && lengths[(i + 1) * width + k] >= lengths[i * width + k + 1])) {
			add(script, '-', &middle->due[i++]);
		} else {
			add(script, '+', &middle->found[k++]);
		}
	}
	free(lengths);
}

static void replace_all(struct script *script, const struct middle *middle)
{
	for (size_t i = 0; i < middle->due_count; i++)
		add(script, '-', &middle->due[i]);
	for (size_t k = 0; k < middle->found_count; k++)
		add(script, '+', &middle->found[k]);
}

static struct script make_script(const struct lines *due, const struct lines *found)
{
	const size_t shorter = due->count < found->count ? due->count : found->count;
	struct script script = { 0 };
	size_t before = 0, behind = 0;

	script.steps = memory_needed(calloc(due->count + found->count + 1, sizeof(*script.steps)));
	while (before < shorter && same(&due->items[before], &found->items[before]))
		add(&script, ' ', &due->items[before++]);
	while (behind < shorter - before && same(&due->items[due->count - behind - 1],
						    &found->items[found->count - behind - 1]))
		behind++;
	const struct middle middle = { due->items + before, found->items + before,
		due->count - before - behind, found->count - before - behind };
	if ((middle.due_count + 1) * (middle.found_count + 1) <= TABLE_MOST)
		compare(&script, &middle);
	else
		replace_all(&script, &middle);
	for (size_t i = due->count - behind; i < due->count; i++)
		add(&script, ' ', &due->items[i]);
	return script;
}

static bool is_near(const struct script *script, size_t at)
{
	const size_t from = at > AROUND ? at - AROUND : 0;

	for (size_t i = from; i <= at + AROUND && i < script->count; i++)
		if (script->steps[i].sign != ' ')
			return true;
	return false;
}

void differences_print(FILE *out, const struct lines *due, const struct lines *found)
{
	struct script script = make_script(due, found);
	bool left_out = false;

	for (size_t i = 0; i < script.count; i++) {
		const bool near = is_near(&script, i);
		if (near)
			print_line(out, script.steps[i].sign, script.steps[i].line);
		else if (!left_out)
			fputs("      …\n", out);
		left_out = !near;
	}
	free(script.steps);
}
