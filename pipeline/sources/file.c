/* file: reads files, each once, or for as long as they grow. */

#include "config/path.h"
#include "pipeline/node.h"
#include "pipeline/sources/file_follow.h"
#include "pipeline/sources/file_once.h"
#include "pipeline/sources/file_set.h"
#include "pipeline/sources/glob.h"

#include <stdio.h>
#include <string.h>

struct file_source {
	struct strings path, exclude;
	bool follow;
	unsigned start_at;
	struct file_once once;
	struct file_follow following;
};

static const char *const starts[] = { "start", "end", NULL };

static const struct option options[] = {
	OPTION(STRINGS, struct file_source, path, .required = true, .primary = true,
		.is_path = true,
		.doc = "The files to read: a path or glob (`*`, `?`, `[a-z]`, `**` for any "
		       "directories, `{a,b}`), "
		       "or a list of them.",
		.example = "\"/var/log/app/*.log\""),
	OPTION(STRINGS, struct file_source, exclude, .is_path = true,
		.doc = "Globs of files to leave out; one without a slash means the name in any "
		       "directory.",
		.example = "\"*.gz\""),
	OPTION(BOOL, struct file_source, follow, .standard = "true",
		.doc = "Wait for what is missing and for more, for ever; otherwise each file is "
		       "read once, in name "
		       "order, and the source ends."),
	OPTION(CHOICE, struct file_source, start_at, .choices = starts,
		.doc = "Where to begin in files that are there when following begins; later ones "
		       "are always read "
		       "from their start."),
	OPTIONS_END
};

/* One plain path has one file at a time. */
static bool is_one_file(const struct file_source *source)
{
	return source->path.count == 1 && !glob_is_pattern(source->path.items[0]);
}

static uint32_t file_streams(const struct node *node)
{
	const struct file_source *source = node->state;

	return source->follow && !is_one_file(source) ? FILE_FOLLOW_MOST : 1;
}

static bool check_paths(const struct node *node, const char *name, const struct strings *paths,
	struct faults *faults)
{
	bool good = true;

	for (size_t i = 0; i < paths->count; i++)
		if (!paths->items[i][0])
			good = fault_at(faults, option_value(options, node->value, name),
				"write a path such as \"/var/log/syslog\"", "%s is empty", name);
	return good;
}

static bool check_start(const struct node *node, struct faults *faults)
{
	const struct file_source *source = node->state;
	const struct value *value = value_member(node->value, "start_at");

	if (!value || source->follow)
		return true;
	return fault_at(faults, value, "leave it out, or write \"follow\": true",
		"\"start_at\" is not used, because \"follow\" is false");
}

static bool file_plan(
	struct node *node, const struct shape *in, struct shape *out, struct faults *faults)
{
	struct file_source *source = node->state;
	uint32_t streams = file_streams(node);

	(void)in;
	*out = (struct shape){ .kind = FLOW_BYTES, .streams = streams };
	node->charge = file_set_cost() + file_reader_cost();
	if (source->follow)
		node->charge += file_follow_cost(streams);
	snprintf(node->how, sizeof(node->how), "%s",
		source->follow ? "follows, by the kernel's notice of changes"
			       : "once, in name order");
	bool paths = check_paths(node, "path", &source->path, faults);
	bool exclude = check_paths(node, "exclude", &source->exclude, faults);
	return check_start(node, faults) && exclude && paths;
}

static bool file_open(struct node *node, struct faults *faults)
{
	struct file_source *source = node->state;

	if (source->follow)
		return file_follow_open(&source->following, node, &source->path, &source->exclude,
			file_streams(node), source->start_at == 1, faults);
	return file_once_open(&source->once, node, &source->path, &source->exclude, faults);
}

static void file_close(struct node *node)
{
	struct file_source *source = node->state;

	file_follow_close(&source->following);
	file_once_close(&source->once);
}

static void file_halt(struct node *node)
{
	struct file_source *source = node->state;

	file_follow_halt(&source->following);
	io_cancel(&source->once.reader.operation);
}

static void file_read(struct node *node, struct batch *out)
{
	struct file_source *source = node->state;

	if (source->follow)
		file_follow_read(&source->following, out);
	else
		file_once_read(&source->once, out);
}

static void file_drain(struct node *node, uint64_t deadline)
{
	struct file_source *source = node->state;

	(void)deadline;
	if (source->follow)
		file_follow_drain(&source->following);
	else
		file_once_drain(&source->once);
}

static bool file_rest(struct node *node, struct batch *out)
{
	struct file_source *source = node->state;

	return source->follow ? file_follow_rest(&source->following, out)
			      : file_once_rest(&source->once, out);
}

/* Excluded as the path is met: from the root, or from the working directory. */
static bool excludes(const struct file_source *source, bool from_root, const char *path)
{
	const char *name = file_patterns_last_part(path);
	char normal[PATH_MAX];

	for (size_t i = 0; i < source->exclude.count; i++) {
		const char *pattern = source->exclude.items[i];
		if (!strchr(pattern, '/')) {
			if (glob_match(pattern, name, true) & GLOB_MATCHES)
				return true;
			continue;
		}
		if ((pattern[0] == '/') == from_root && path_normal(pattern, normal) &&
			glob_match(normal, path, true) & GLOB_MATCHES)
			return true;
	}
	return false;
}

/* One of the source's paths, against all that are asked for. */
static bool reads_by(
	const struct file_source *source, const char *item, const char *const *paths, size_t count)
{
	static const struct strings nothing;
	char normal[PATH_MAX];
	const char *texts[] = { normal };
	struct strings one = { .items = texts, .count = 1 };
	struct file_patterns patterns;
	bool read = false;

	if (!path_normal(item, normal))
		return false;
	bool opened = file_patterns_open(&patterns, &one, &nothing);
	for (size_t i = 0; opened && !read && i < count; i++)
		read = file_patterns_match(&patterns, paths[i]) & GLOB_MATCHES &&
		       !excludes(source, item[0] == '/', paths[i]);
	file_patterns_close(&patterns);
	return read;
}

static bool file_reads(const struct node *node, const char *const *paths, size_t count)
{
	const struct file_source *source = node->state;
	bool read = false;

	for (size_t i = 0; !read && i < source->path.count; i++)
		read = reads_by(source, source->path.items[i], paths, count);
	return read;
}

const struct source_ops source_file = {
	.type = {
		.name = "file",
		.doc = "Reads files: once, or following them as they grow.",
		.options = options,
		.state_size = sizeof(struct file_source),
		.example = "{\"file\": {\"path\": \"/var/log/app/*.log\", \"exclude\": \"*.gz\"}}",
		.plan = file_plan,
		.open = file_open,
		.close = file_close,
		.halt = file_halt,
	},
	.patient = true,
	.read = file_read,
	.drain = file_drain,
	.rest = file_rest,
	.streams = file_streams,
	.reads = file_reads,
};
