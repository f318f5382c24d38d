/* Judging lines: where a record of several lines begins.
 *
 * By a pattern, each line for itself; or by what logs with stack traces look like, where a line's place matters: whether
 * it follows a line of a trace. What a stream's last line was is the caller's to keep.
 *
 *     java                                            python
 *     2026-01-31 ERROR could not                      ERROR:root:could not
 *     java.lang.IllegalStateException: no             Traceback (most recent call last):
 *     	at app.Main.run(Main.java:7)                     File "main.py", line 7, in <module>
 *     Caused by: java.io.IOException: gone            ValueError: no
 */
#pragma once

#include "config/option.h"

struct line_judge;

enum line_preset { LINES_JAVA, LINES_PYTHON, LINES_INDENT };

/* What a line is. A zeroed one is no line. */
enum line_class {
	LINE_NONE,
	LINE_PLAIN,     /* begins a record */
	LINE_INDENTED,  /* within a trace */
	LINE_EXCEPTION, /* names one */
	LINE_LINK       /* leads from one trace to the next */
};

/* By a pattern; NULL with a fault at it. */
struct line_judge *line_judge_by_pattern(const struct bytes *pattern, struct faults *faults);

/* By a preset; NULL with a fault without memory. */
struct line_judge *line_judge_by_preset(enum line_preset preset, struct faults *faults);

/* NULL is allowed. */
void line_judge_destroy(struct line_judge *judge);

size_t line_judge_cost(const struct line_judge *judge);

/* True if a record begins at the line. `last` is what the line before was; it becomes what this one is. */
bool line_judge_begins(
	struct line_judge *judge, enum line_class *last, const char *line, size_t size);
