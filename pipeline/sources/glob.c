/* Matching paths against patterns, and the braces. */

#include "pipeline/sources/glob.h"

#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char wildcards[] = "*?[{\\";

bool glob_is_pattern(const char *text)
{
	return strpbrk(text, wildcards) != NULL;
}

/* The next component that means something, with its size; 0 at the end. */
static size_t component(const char **text)
{
	for (;;) {
		*text += strspn(*text, "/");
		size_t size = strcspn(*text, "/");
		if (size != 1 || **text != '.')
			return size;
		*text += size;
	}
}

static bool is_any_directories(const char *pattern, size_t size)
{
	return size == 2 && pattern[0] == '*' && pattern[1] == '*';
}

static bool names_match(
	const char *pattern, size_t pattern_size, const char *name, size_t name_size, bool hidden)
{
	char wanted[NAME_MAX + 1], given[NAME_MAX + 1];

	if (pattern_size > NAME_MAX || name_size > NAME_MAX)
		return false;
	snprintf(wanted, sizeof(wanted), "%.*s", (int)pattern_size, pattern);
	snprintf(given, sizeof(given), "%.*s", (int)name_size, name);
	return fnmatch(wanted, given, hidden ? 0 : FNM_PERIOD) == 0;
}

/* What is left of the pattern where the path has ended. */
static unsigned at_path_end(const char *pattern, bool any_directories)
{
	size_t size = component(&pattern);

	if (size == 0)
		return any_directories ? GLOB_MATCHES | GLOB_LEADS : GLOB_MATCHES;
	while (is_any_directories(pattern, size)) {
		pattern += size;
		size = component(&pattern);
	}
	return size == 0 ? GLOB_MATCHES | GLOB_LEADS : GLOB_LEADS;
}

/* The last `**` tries to take one more directory whenever what stands behind it does not match: trying earlier ones again
 * could find nothing that it does not. */
unsigned glob_match(const char *pattern, const char *path, bool hidden)
{
	const char *retry_pattern = NULL, *retry_path = NULL;

	if ((pattern[0] == '/') != (path[0] == '/') && strncmp(pattern, "**", 2) != 0)
		return 0;
	for (;;) {
		size_t wanted = component(&pattern), given = component(&path);

		if (given == 0)
			return at_path_end(pattern, retry_pattern != NULL);
		if (is_any_directories(pattern, wanted)) {
			pattern += wanted;
			retry_pattern = pattern;
			retry_path = path;
			continue;
		}
		if (wanted > 0 && names_match(pattern, wanted, path, given, hidden)) {
			pattern += wanted;
			path += given;
			continue;
		}
		if (!retry_pattern || (!hidden && *retry_path == '.'))
			return 0;
		retry_path += strcspn(retry_path, "/");
		component(&retry_path);
		pattern = retry_pattern;
		path = retry_path;
	}
}

size_t glob_fixed_directory(const char *pattern)
{
	size_t fixed = strcspn(pattern, wildcards);

	while (fixed > 0 && pattern[fixed - 1] != '/')
		fixed--;
	while (fixed > 1 && pattern[fixed - 1] == '/')
		fixed--;
	return fixed;
}

/* Where the brace that opens at `open` closes, and how many commas of its own it has. NULL: nowhere. */
static const char *brace_end(const char *open, size_t *commas)
{
	size_t depth = 0;

	*commas = 0;
	for (const char *at = open; *at; at++) {
		if (*at == '\\' && at[1])
			at++;
		else if (*at == '{')
			depth++;
		else if (*at == ',' && depth == 1)
			++*commas;
		else if (*at == '}' && --depth == 0)
			return at;
	}
	return NULL;
}

static const char *first_brace(const char *pattern, const char **end, size_t *commas)
{
	for (const char *at = pattern; *at; at++) {
		if (*at == '\\' && at[1]) {
			at++;
			continue;
		}
		if (*at == '{' && (*end = brace_end(at, commas)) && *commas > 0)
			return at;
	}
	return NULL;
}

/* The size of the alternative at `at`, which a comma of the same level or the brace's end follows. */
static size_t alternative_size(const char *at, const char *end)
{
	size_t depth = 0;
	const char *from = at;

	for (; at < end && (*at != ',' || depth > 0); at++) {
		if (*at == '\\')
			at++;
		else if (*at == '{')
			depth++;
		else if (*at == '}')
			depth--;
	}
	return (size_t)((at < end ? at : end) - from);
}

static void free_list(char **list)
{
	for (size_t i = 0; list[i]; i++)
		free(list[i]);
	free(list);
}

char **glob_expand(const char *pattern)
{
	size_t commas;
	const char *end, *open = first_brace(pattern, &end, &commas);

	errno = 0;
	if (!open)
		return NULL;
	char **list = calloc(commas + 2, sizeof(*list));
	const char *at = open + 1;
	for (size_t i = 0; list && i <= commas; i++) {
		size_t size = alternative_size(at, end);
		if (asprintf(&list[i], "%.*s%.*s%s", (int)(open - pattern), pattern, (int)size, at,
			    end + 1) < 0) {
			list[i] = NULL;
			free_list(list);
			list = NULL;
		}
		at += size + 1;
	}
	if (!list)
		errno = ENOMEM;
	return list;
}
