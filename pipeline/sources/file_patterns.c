/* Patterns and exclusions, and how a path compares. */

#include "pipeline/sources/file_patterns.h"

#include "pipeline/sources/glob.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *file_patterns_last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* A plain path becomes what walking and events make of it. */
static char *own_pattern(const char *path)
{
	char *text;
	while (path[0] == '.' && path[1] == '/')
		path += 1 + strspn(path + 1, "/");
	size_t size = glob_is_pattern(path) ? 0 : glob_fixed_directory(path);
	const char *slash = size > 0 && path[size - 1] != '/' ? "/" : "";
	const char *rest = glob_is_pattern(path) ? path : file_patterns_last_part(path);

	return asprintf(&text, "%.*s%s%s", (int)size, path, slash, rest) < 0 ? NULL : text;
}

static bool add(struct file_patterns *patterns, const char *path)
{
	char *own = patterns->count < FILE_PATTERNS_MOST ? own_pattern(path) : NULL;

	if (own)
		patterns->items[patterns->count++] = own;
	return own != NULL;
}

/* The alternatives take the place of the one that they come from: the first there, the others at the end. */
static bool replace(struct file_patterns *patterns, size_t index, char **alternatives)
{
	bool good = true;

	free(patterns->items[index]);
	patterns->items[index] = own_pattern(alternatives[0]);
	if (!patterns->items[index])
		patterns->items[index] = patterns->items[--patterns->count];
	for (size_t i = 0; alternatives[i]; i++) {
		good = (i == 0 || add(patterns, alternatives[i])) && good;
		free(alternatives[i]);
	}
	free(alternatives);
	return good;
}

/* The list grows while it is walked, until no pattern has braces. */
static bool expand(struct file_patterns *patterns)
{
	char **alternatives;

	for (size_t i = 0; i < patterns->count; i++)
		while (i < patterns->count && (alternatives = glob_expand(patterns->items[i])))
			if (!replace(patterns, i, alternatives))
				return false;
	return true;
}

bool file_patterns_open(
	struct file_patterns *patterns, const struct strings *paths, const struct strings *exclude)
{
	bool good = true;

	*patterns = (struct file_patterns){ .exclude = exclude };
	patterns->items = calloc(FILE_PATTERNS_MOST, sizeof(*patterns->items));
	for (size_t i = 0; patterns->items && good && i < paths->count; i++)
		good = add(patterns, paths->items[i]);
	return patterns->items && good && expand(patterns);
}

void file_patterns_close(struct file_patterns *patterns)
{
	for (size_t i = 0; i < patterns->count; i++)
		free(patterns->items[i]);
	free(patterns->items);
	*patterns = (struct file_patterns){ 0 };
}

size_t file_patterns_cost(void)
{
	return FILE_PATTERNS_MOST * sizeof(char *);
}

/* A pattern without a slash means the name in any directory. */
static bool is_excluded(const struct file_patterns *patterns, const char *path)
{
	for (size_t i = 0; i < patterns->exclude->count; i++) {
		const char *pattern = patterns->exclude->items[i];
		const char *what = strchr(pattern, '/') ? path : file_patterns_last_part(path);
		if (glob_match(pattern, what, true) & GLOB_MATCHES)
			return true;
	}
	return false;
}

unsigned file_patterns_match_one(const char *pattern, const char *path)
{
	if (glob_is_pattern(pattern))
		return glob_match(pattern, path, false);
	return strcmp(pattern, path) == 0 ? GLOB_MATCHES : 0;
}

unsigned file_patterns_match(const struct file_patterns *patterns, const char *path)
{
	unsigned result = 0;

	for (size_t i = 0; i < patterns->count; i++)
		result |= file_patterns_match_one(patterns->items[i], path);
	if (result & GLOB_MATCHES && is_excluded(patterns, path))
		result &= ~(unsigned)GLOB_MATCHES;
	return result;
}

bool file_patterns_any_depth(const struct file_patterns *patterns)
{
	for (size_t i = 0; i < patterns->count; i++)
		if (strstr(patterns->items[i], "**"))
			return true;
	return false;
}
