/* Paths with the time in them. */

#include "pipeline/sinks/file_path.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* What gives neither a slash nor a line's end. */
static const char conversions[] = "aAbBCdeFgGhHIjklmMpPrRsSTuUVwWyYzZ%";

const char *file_path_refused(const char *template)
{
	for (const char *at = strchr(template, '%'); at; at = strchr(at + 2, '%'))
		if (!at[1] || !strchr(conversions, at[1]))
			return at;
	return NULL;
}

/* strftime() gives 0 for what does not fit, and for what is empty (%p in some places). */
static bool expand(const struct file_path *path, int64_t now, char text[PATH_MAX])
{
	time_t seconds = (time_t)now;
	struct tm parts;

	if (!path->timed)
		return snprintf(text, PATH_MAX, "%s", path->template) < PATH_MAX;
	if (!(path->local ? localtime_r(&seconds, &parts) : gmtime_r(&seconds, &parts)))
		return false;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored                                                                     \
	"-Wformat-nonliteral" /* the user's, checked by file_path_refused() */
	return strftime(text, PATH_MAX, path->template, &parts) > 0;
#pragma GCC diagnostic pop
}

bool file_path_begin(struct file_path *path, const char *template, bool local, int64_t now)
{
	path->template = template;
	path->local = local;
	path->timed = strchr(template, '%') != NULL;
	path->as_of = now;
	path->used = 0;
	path->moves = false;
	return expand(path, now, path->texts[0]);
}

bool file_path_moves(struct file_path *path, int64_t now)
{
	if (!path->timed || now == path->as_of)
		return path->moves;
	path->as_of = now;
	path->moves = expand(path, now, path->texts[!path->used]) &&
		      strcmp(path->texts[0], path->texts[1]) != 0;
	return path->moves;
}

const char *file_path_text(const struct file_path *path)
{
	return path->texts[path->used];
}

const char *file_path_next(const struct file_path *path)
{
	return path->texts[!path->used];
}

void file_path_move(struct file_path *path)
{
	path->used = !path->used;
	path->moves = false;
}
