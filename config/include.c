/* Files are included in the order of the globs, and by name where a glob matches several. */
#include "config/include.h"

#include "config/arena.h"
#include "config/path.h"
#include "config/quote.h"

#include <glob.h>
#include <string.h>

struct inclusion {
	struct strings include;
};

const struct option include_options[] = {
	OPTION(STRINGS, struct inclusion, include, .is_path = true, .example = "conf.d/*.json",
		.doc = "Files with further pipelines: a path or glob, or a list of them. Relative "
		       "ones start at this file's directory. Each file is an object with "
		       "\"pipelines\", and nothing else."),
	OPTIONS_END
};

/* --- taking over -------------------------------------------------------------------------------------------------- */

/* Where the pipelines are put; made if the configuration has none of its own. NULL if it is not an object. */
static struct value *own_pipelines(struct document *document)
{
	struct value *found = value_member(document->root, "pipelines");
	if (found != NULL)
		return found->kind == VALUE_OBJECT ? found : NULL;
	const struct value *include = value_member(document->root, "include");
	found = document_allocate(document, sizeof(*found));
	*found = *include;
	found->kind = VALUE_OBJECT;
	found->key = "pipelines";
	found->first = NULL;
	found->next = document->root->first;
	document->root->first = found;
	return found;
}

static void append(struct value *object, struct value *member)
{
	struct value **link = &object->first;
	while (*link != NULL)
		link = &(*link)->next;
	*link = member;
	member->next = NULL;
}

static void take_pipelines(struct value *into, struct value *from, struct faults *faults)
{
	struct value *next;
	for (struct value *member = from->first; member != NULL; member = next) {
		const struct value *same = value_member(into, member->key);
		next = member->next;
		if (same == NULL)
			append(into, member);
		else
			fault_at_key(faults, member, "give one of them another name",
				"there are two pipelines with the name \"%s\": the other one is at "
				"%s",
				member->key, document_place_of_key(same));
	}
	from->first = NULL;
}

static void check_member(const struct value *member, struct faults *faults)
{
	static const char *const known[] = { "$schema", "pipelines", NULL };
	const char *whole = member->document->whole->name;
	if (strcmp(member->key, "include") == 0)
		fault_at_key(faults, member,
			arena_format(member->document->arena, "name the file in %s", whole),
			"an included file cannot include others");
	else if (strcmp(member->key, "service") == 0 || strcmp(member->key, "tests") == 0)
		fault_at_key(faults, member,
			arena_format(member->document->arena, "write it into %s", whole),
			"an included file has pipelines only, and no \"%s\"", member->key);
	else if (strcmp(member->key, known[0]) != 0 && strcmp(member->key, known[1]) != 0)
		fault_unknown_key(faults, member, "an included file", known);
}

static bool take_part(struct document *whole, const struct document *part, struct faults *faults)
{
	static const char remedy[] = "write { \"pipelines\": { … } }";
	struct value *into = own_pipelines(whole);
	const struct value *root = part->root;
	if (root == NULL)
		return false;
	if (root->kind != VALUE_OBJECT)
		return fault_at(faults, root, remedy, "an included file is an object, not %s",
			value_kind_name(root->kind));
	size_t errors = faults->errors;
	for (const struct value *member = root->first; member != NULL; member = member->next)
		check_member(member, faults);
	struct value *pipelines = value_member(root, "pipelines");
	if (pipelines == NULL)
		return fault_at(faults, root, remedy, "there is no pipeline in it");
	if (pipelines->kind != VALUE_OBJECT)
		return fault_at(faults, pipelines, remedy,
			"an object is due for \"pipelines\", not %s",
			value_kind_name(pipelines->kind));
	if (into != NULL)
		take_pipelines(into, pipelines, faults);
	return faults->errors == errors;
}

/* --- finding ------------------------------------------------------------------------------------------------------ */

static bool same_file(const char *one, const char *other)
{
	char left[PATH_MAX], right[PATH_MAX];
	return path_normal(one, left) && path_normal(other, right) && strcmp(left, right) == 0;
}

static bool is_included(const struct document *whole, const char *path)
{
	for (const struct document *part = whole->included; part != NULL; part = part->next)
		if (same_file(part->name, path))
			return true;
	return false;
}

static bool include_file(
	struct document *whole, const char *path, const struct value *place, struct faults *faults)
{
	if (same_file(whole->name, path))
		return fault_at(faults, place, "put the others into a folder of their own",
			"%s includes itself", quote_value(place));
	if (is_included(whole, path))
		return true;
	size_t errors = faults->errors;
	const struct document *part = document_include(whole, path, place, faults);
	return take_part(whole, part, faults) && faults->errors == errors;
}

/* A path without these means one file, which is to be there. */
static bool is_glob(const char *path)
{
	return strpbrk(path, "*?[{") != NULL;
}

static bool include_pattern(
	struct document *whole, const struct value *pattern, struct faults *faults)
{
	glob_t found = { 0 };
	bool good = true;
	const char *path = document_path(whole, pattern->text);
	int answer = glob(path, GLOB_BRACE, NULL, &found);
	if (answer == GLOB_NOMATCH && !is_glob(pattern->text))
		good = fault_at(faults, pattern, "name a file that is there, or leave it out",
			"there is no file %s", quote_text(whole, path, strlen(path)));
	else if (answer == GLOB_NOMATCH)
		warning_at(faults, pattern,
			arena_format(whole->arena,
				"put a file there, or leave it out: looked for was %s",
				quote_text(whole, path, strlen(path))),
			"%s includes no file", quote_value(pattern));
	else if (answer != 0)
		good = fault_at(faults, pattern, NULL, "cannot look for %s", quote_value(pattern));
	for (size_t i = 0; answer == 0 && i < found.gl_pathc; i++)
		good = include_file(whole, found.gl_pathv[i], pattern, faults) && good;
	globfree(&found);
	return good;
}

/* --- the option --------------------------------------------------------------------------------------------------- */

/* False if there is nothing to include; `include` is NULL if that is no fault. */
static bool read_option(
	struct document *document, const struct value **include, struct faults *faults)
{
	struct value *root = document->root;
	struct inclusion inclusion;
	*include = value_member(root, "include");
	if (*include == NULL)
		return false;
	const char **others = document_allocate(document, value_count(root) * sizeof(*others));
	size_t count = 0;
	for (const struct value *member = root->first; member != NULL; member = member->next)
		if (member != *include)
			others[count++] = member->key;
	return options_read_beside(
		include_options, others, root, "the configuration", &inclusion, faults);
}

bool include_files(struct document *document, struct faults *faults)
{
	const struct value *include;
	if (!read_option(document, &include, faults))
		return include == NULL;
	bool good = true, is_list = include->kind == VALUE_LIST;
	for (const struct value *item = is_list ? include->first : include; item != NULL;
		item = is_list ? item->next : NULL)
		if (!item->unknown)
			good = include_pattern(document, item, faults) && good;
	own_pipelines(document);
	return good;
}

bool include_again(struct document *document, const struct document *was, struct faults *faults)
{
	bool good = true;
	for (const struct document *part = was->included; part != NULL; part = part->next)
		good = take_part(document,
			       document_include_text(
				       document, part->name, part->text, part->size, faults),
			       faults) &&
		       good;
	return good;
}
