/* Walking directories, watching them, and the paths that come of it. */

#include "pipeline/sources/file_set.h"

#include "pipeline/io/directory_watch.h"
#include "pipeline/sources/glob.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MOST_DIRECTORIES = 4096, MOST_DEPTH = 32 };

struct file_set_directory {
	struct file_set *set;
	char *path; /* "": the working directory */
	dev_t device;
	ino_t inode;
	uint32_t depth; /* below the fixed directory that it was found from */
	bool listed; /* a pattern has wildcards here: names must be read; otherwise it is only watched */
	bool replaced; /* its own name came or went: a watch of it may be dead */
	struct directory_watch *watch;
};

/* One walk: what the one before knew is taken over piece by piece. */
struct walk {
	struct file_set *set;
	struct file_set_directory **known;
	size_t known_count, next_known;
	bool any_depth; /* a pattern has `**` */
};

/* What `directory` and `name` come to; false if that is too long for the kernel. */
static bool join(char path[PATH_MAX], const char *directory, const char *name)
{
	size_t size = strlen(directory);
	const char *slash = size > 0 && directory[size - 1] != '/' ? "/" : "";

	return snprintf(path, PATH_MAX, "%s%s%s", directory, slash, name) < PATH_MAX;
}

static const char *openable(const struct file_set_directory *directory)
{
	return directory->path[0] ? directory->path : ".";
}

static bool is_directory(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static bool knows_directory(const struct file_set *set, const char *path)
{
	for (size_t i = 0; i < set->count; i++)
		if (strcmp(set->directories[i]->path, path) == 0)
			return true;
	return false;
}

static void directory_changed(void *owner, const char *name, bool renamed)
{
	struct file_set_directory *directory = owner;
	struct file_set *set = directory->set;
	char path[PATH_MAX];

	if (renamed && strcmp(name, file_patterns_last_part(directory->path)) == 0)
		directory->replaced = set->stale = true;
	if (!join(path, directory->path, name))
		return;
	unsigned result = file_patterns_match(&set->patterns, path);
	if (renamed && result & GLOB_LEADS && (is_directory(path) || knows_directory(set, path)))
		set->stale = true;
	set->look(set->owner, path, result & GLOB_MATCHES);
}

/* Once a kind of trouble, and not again with every walk. */
static void say(struct file_set *set, bool *said, const char *path, const char *what)
{
	if (!*said)
		node_log(set->node, LOG_LEVEL_WARNING, "%s: %s", path, what);
	*said = true;
}

/* Something is not told, or not there yet. */
static void miss(struct file_set *set, bool *said, const char *path, const char *what)
{
	set->incomplete = true;
	if (!*said && set->watches)
		node_log(set->node, LOG_LEVEL_WARNING, "%s: %s; looking again every second", path,
			what);
	*said = true;
}

static void directory_destroy(struct file_set_directory *directory)
{
	if (!directory)
		return;
	directory_watch_destroy(directory->watch);
	free(directory->path);
	free(directory);
}

/* What an earlier walk knew of the path. Both walks go the same way, so the search begins where the last one ended. */
static struct file_set_directory *take_known(struct walk *walk, const char *path, bool listed)
{
	for (size_t i = 0; i < walk->known_count; i++) {
		size_t at = (walk->next_known + i) % walk->known_count;
		struct file_set_directory *directory = walk->known[at];
		if (!directory || directory->listed != listed || strcmp(directory->path, path) != 0)
			continue;
		walk->known[at] = NULL;
		walk->next_known = at + 1;
		return directory;
	}
	return NULL;
}

static struct file_set_directory *directory_create(
	struct file_set *set, const char *path, bool listed)
{
	struct file_set_directory *directory = calloc(1, sizeof(*directory));

	if (!directory)
		return NULL;
	directory->set = set;
	directory->listed = listed;
	if (asprintf(&directory->path, "%s", path) >= 0)
		return directory;
	free(directory);
	return NULL;
}

/* Watches the directory that the path names now. */
static void keep_watch(
	struct file_set *set, struct file_set_directory *directory, const struct stat *status)
{
	bool same = directory->device == status->st_dev && directory->inode == status->st_ino;

	if (!set->watches || (directory->watch && same && !directory->replaced))
		return;
	directory_watch_destroy(directory->watch);
	directory->replaced = false;
	directory->device = status->st_dev;
	directory->inode = status->st_ino;
	directory->watch = directory_watch_create(
		set->node->loop, openable(directory), directory_changed, directory);
	if (!directory->watch)
		miss(set, &set->said_unwatched, openable(directory), "changes cannot be watched");
}

static bool make_room(struct file_set *set)
{
	if (set->count < set->room)
		return true;
	size_t room = set->room ? 2 * set->room : 16;
	void *more = realloc(set->directories, room * sizeof(struct file_set_directory *));
	if (!more)
		return false;
	set->directories = more;
	set->room = room;
	return true;
}

static bool is_listed_already(const struct file_set *set, const char *path, bool listed)
{
	if (set->patterns.count < 2)
		return false;
	for (size_t i = 0; i < set->count; i++)
		if (set->directories[i]->listed == listed &&
			strcmp(set->directories[i]->path, path) == 0)
			return true;
	return false;
}

/* Adds a directory to those that this walk goes through. */
static void add(struct walk *walk, const char *path, bool listed, uint32_t depth)
{
	struct file_set *set = walk->set;
	struct stat status;

	if (is_listed_already(set, path, listed))
		return;
	if (stat(path[0] ? path : ".", &status) < 0 || !S_ISDIR(status.st_mode)) {
		if (depth == 0)
			miss(set, &set->said_missing, path, "no such directory yet");
		return;
	}
	if (depth > MOST_DEPTH || set->count >= MOST_DIRECTORIES || !make_room(set)) {
		say(set, &set->said_many, path, "not entered: too many or too deep directories");
		return;
	}
	struct file_set_directory *directory = take_known(walk, path, listed);
	if (!directory)
		directory = directory_create(set, path, listed);
	if (!directory)
		return;
	directory->depth = depth;
	set->directories[set->count++] = directory;
	keep_watch(set, directory, &status);
}

/* Links to directories are followed where the pattern's own length bounds the way. */
static bool may_enter(const struct walk *walk, const struct dirent *entry, const char *path)
{
	if (entry->d_type == DT_DIR)
		return true;
	if (entry->d_type == DT_REG)
		return false;
	struct stat status;
	int error = walk->any_depth ? lstat(path, &status) : stat(path, &status);
	return error == 0 && S_ISDIR(status.st_mode);
}

static void visit_entry(
	struct walk *walk, const struct file_set_directory *directory, const struct dirent *entry)
{
	struct file_set *set = walk->set;
	char path[PATH_MAX];

	if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
		return;
	if (!join(path, directory->path, entry->d_name))
		return;
	unsigned result = file_patterns_match(&set->patterns, path);
	if (result & GLOB_MATCHES)
		set->look(set->owner, path, true);
	if (result & GLOB_LEADS && may_enter(walk, entry, path))
		add(walk, path, true, directory->depth + 1);
}

static void visit(struct walk *walk, const struct file_set_directory *directory)
{
	struct file_set *set = walk->set;
	DIR *stream = opendir(openable(directory));

	if (!stream) {
		set->incomplete = true;
		say(set, &set->said_unread, openable(directory), strerror(errno));
		return;
	}
	for (struct dirent *entry; (entry = readdir(stream));)
		visit_entry(walk, directory, entry);
	closedir(stream);
}

static void add_start(struct walk *walk, const char *pattern)
{
	char directory[PATH_MAX];
	size_t size = glob_fixed_directory(pattern);

	if (size >= sizeof(directory))
		return;
	snprintf(directory, sizeof(directory), "%.*s", (int)size, pattern);
	add(walk, directory, glob_is_pattern(pattern), 0);
}

static void begin_walk(struct walk *walk, struct file_set *set)
{
	*walk = (struct walk){ .set = set, .known = set->directories, .known_count = set->count };
	walk->any_depth = file_patterns_any_depth(&set->patterns);
	set->directories = NULL;
	set->count = set->room = 0;
	set->stale = set->incomplete = false;
}

static void end_walk(struct walk *walk)
{
	for (size_t i = 0; i < walk->known_count; i++)
		directory_destroy(walk->known[i]);
	free(walk->known);
}

void file_set_walk(struct file_set *set)
{
	struct walk walk;

	begin_walk(&walk, set);
	for (size_t i = 0; i < set->patterns.count; i++)
		add_start(&walk, set->patterns.items[i]);
	for (size_t i = 0; i < set->patterns.count; i++)
		if (!glob_is_pattern(set->patterns.items[i]))
			set->look(set->owner, set->patterns.items[i], true);
	for (size_t i = 0; i < set->count; i++)
		if (set->directories[i]->listed)
			visit(&walk, set->directories[i]);
	end_walk(&walk);
}

bool file_set_open(struct file_set *set, const struct strings *paths, const struct strings *exclude,
	struct faults *faults)
{
	if (file_patterns_open(&set->patterns, paths, exclude))
		return true;
	return node_fault(set->node, faults, "name fewer paths in one source",
		"%s: more than %d paths, or no memory for them", paths->items[0],
		FILE_PATTERNS_MOST);
}

void file_set_close(struct file_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		directory_destroy(set->directories[i]);
	free(set->directories);
	file_patterns_close(&set->patterns);
	*set = (struct file_set){ 0 };
}

size_t file_set_cost(void)
{
	return file_patterns_cost() + MOST_DIRECTORIES * sizeof(struct file_set_directory *);
}
