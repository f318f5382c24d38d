/* Places, identities and lists of followed files. */

#include "pipeline/sources/file_table.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { USUAL_PATH = 64 };

static uint64_t mix(uint64_t hash, uint64_t value)
{
	return (hash ^ value) * 0x9e3779b97f4a7c15u;
}

static uint64_t hash_of_path(const char *path)
{
	uint64_t hash = 14695981039346656037u;

	for (; *path; path++)
		hash = (hash ^ (unsigned char)*path) * 1099511628211u;
	return hash;
}

static struct followed **bucket(const struct file_table *table, dev_t device, ino_t inode)
{
	uint64_t hash = mix(mix(0, device), inode);

	return &table->by_identity[(hash >> 32) & (table->most - 1)];
}

bool file_table_open(struct file_table *table, uint32_t most)
{
	assert(most > 0 && (most & (most - 1)) == 0);
	*table = (struct file_table){ .most = most };
	table->files = calloc(most, sizeof(*table->files));
	table->by_identity = calloc(most, sizeof(struct followed *));
	return table->files && table->by_identity;
}

void file_table_close(struct file_table *table)
{
	for (uint32_t i = 0; i < table->used; i++)
		if (table->files[i].path)
			file_table_remove(table, &table->files[i]);
	free(table->files);
	free(table->by_identity);
	*table = (struct file_table){ 0 };
}

size_t file_table_cost(uint32_t most)
{
	return most * (sizeof(struct followed) + sizeof(struct followed *) + USUAL_PATH);
}

struct followed *file_table_find(const struct file_table *table, const struct stat *status)
{
	struct followed *file = *bucket(table, status->st_dev, status->st_ino);

	while (file && (file->device != status->st_dev || file->inode != status->st_ino))
		file = file->next_of_hash;
	return file;
}

struct followed *file_table_find_path(const struct file_table *table, const char *path)
{
	uint64_t hash = hash_of_path(path);

	for (uint32_t i = 0; i < table->used; i++) {
		struct followed *file = &table->files[i];
		if (file->path && file->path_hash == hash && !file->gone &&
			strcmp(file->path, path) == 0)
			return file;
	}
	return NULL;
}

static char *own_text(const char *text)
{
	char *own;

	return asprintf(&own, "%s", text) < 0 ? NULL : own;
}

static struct followed *free_place(struct file_table *table)
{
	if (table->count == table->most)
		return NULL;
	if (table->used < table->most)
		return &table->files[table->used++];
	uint32_t place = 0;
	while (table->files[place].path)
		place++;
	return &table->files[place];
}

struct followed *file_table_add(
	struct file_table *table, const char *path, const struct stat *status)
{
	char *own = own_text(path);
	struct followed *file = own ? free_place(table) : NULL;

	if (!file) {
		free(own);
		return NULL;
	}
	struct followed **first = bucket(table, status->st_dev, status->st_ino);
	*file = (struct followed){ .path = own,
		.path_hash = hash_of_path(own),
		.device = status->st_dev,
		.inode = status->st_ino,
		.fd = -1,
		.next_of_hash = *first };
	*first = file;
	table->count++;
	return file;
}

void file_table_rest(struct file_table *table, struct followed *file)
{
	if (!file->waiting)
		return;
	struct followed *previous = file->previous_waiting, *next = file->next_waiting;

	*(previous ? &previous->next_waiting : &table->first_waiting) = next;
	*(next ? &next->previous_waiting : &table->last_waiting) = previous;
	file->previous_waiting = file->next_waiting = NULL;
	file->waiting = false;
}

static void leave_identity(struct file_table *table, struct followed *file)
{
	struct followed **at = bucket(table, file->device, file->inode);

	while (*at != file)
		at = &(*at)->next_of_hash;
	*at = file->next_of_hash;
}

void file_table_remove(struct file_table *table, struct followed *file)
{
	assert(!file->reading);
	file_table_rest(table, file);
	file_table_shut(table, file);
	leave_identity(table, file);
	free(file->path);
	*file = (struct followed){ .fd = -1 };
	table->count--;
}

void file_table_rename(struct followed *file, const char *path)
{
	char *own = own_text(path);

	if (!own)
		return;
	free(file->path);
	file->path = own;
	file->path_hash = hash_of_path(own);
}

void file_table_wait(struct file_table *table, struct followed *file)
{
	if (file->waiting)
		return;
	file->waiting = true;
	file->previous_waiting = table->last_waiting;
	*(table->last_waiting ? &table->last_waiting->next_waiting : &table->first_waiting) = file;
	table->last_waiting = file;
}

static void enter_open(struct file_table *table, struct followed *file)
{
	file->previous_open = table->last_open;
	file->next_open = NULL;
	*(table->last_open ? &table->last_open->next_open : &table->first_open) = file;
	table->last_open = file;
}

static void leave_open(struct file_table *table, struct followed *file)
{
	struct followed *previous = file->previous_open, *next = file->next_open;

	*(previous ? &previous->next_open : &table->first_open) = next;
	*(next ? &next->previous_open : &table->last_open) = previous;
}

void file_table_opened(struct file_table *table, struct followed *file, int fd)
{
	assert(file->fd < 0);
	file->fd = fd;
	table->open_count++;
	enter_open(table, file);
}

void file_table_touch(struct file_table *table, struct followed *file)
{
	leave_open(table, file);
	enter_open(table, file);
}

void file_table_shut(struct file_table *table, struct followed *file)
{
	if (file->fd < 0)
		return;
	leave_open(table, file);
	table->open_count--;
	close(file->fd);
	file->fd = -1;
}
