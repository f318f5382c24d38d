/* Noticing: what the kernel tells of followed files, and what is found by walking, becomes the files' state, and puts
 * those that ask for something into the line. Reading them, and ending their streams, is file_follow's. */
#pragma once

#include "pipeline/sources/file_follow.h"

/* What a file set calls for each path. `owner` is a struct file_follow. */
void file_notice_look(void *owner, const char *path, bool matches);

/* What fstat or stat says of a file now. One that is shorter than what was read of it was truncated. */
void file_notice_status(
	struct file_follow *follow, struct followed *file, const struct stat *status);

/* Walks through the directories; what is not met any more is gone. */
void file_notice_walk(struct file_follow *follow);

/* Looks at the files that are gone: they may still be written to. */
void file_notice_linger(struct file_follow *follow);

/* Tells the engine when the next walk or look is due. */
void file_notice_set_due(struct file_follow *follow);
