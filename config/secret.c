/* $file starts at the configuration's directory, $credential in the directory that the service manager made. */
#include "config/secret.h"

#include "config/arena.h"
#include "config/quote.h"
#include "config/whole_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { SECRET_MOST = 1024 * 1024 };

static const struct value *source_of(const struct value *value)
{
	const struct value *file = value_member(value, "$file");
	return file != NULL ? file : value_member(value, "$credential");
}

bool secret_stands(const struct value *value)
{
	return source_of(value) != NULL;
}

static const char *credential_path(const struct value *name, struct faults *faults)
{
	const struct document *document = name->document;
	if (strchr(name->text, '/') != NULL || strcmp(name->text, "..") == 0) {
		fault_at(faults, name, "write its name alone", "%s is no credential's name",
			quote_value(name));
		return NULL;
	}
	const char *directory = getenv("CREDENTIALS_DIRECTORY");
	if (directory == NULL) {
		fault_at(faults, name,
			arena_format(document->arena, "have systemd set it: LoadCredential=%s:PATH",
				name->text),
			"CREDENTIALS_DIRECTORY is not set: there are no credentials");
		return NULL;
	}
	return arena_format(document->arena, "%s/%s", directory, name->text);
}

static bool source_check(const struct value *source, struct faults *faults)
{
	if (source->unknown || (source->kind == VALUE_STRING && source->size > 0))
		return true;
	return fault_at(faults, source,
		strcmp(source->key, "$file") == 0 ? "write {\"$file\": \"/run/secrets/key\"}"
						  : "write {\"$credential\": \"key\"}",
		"a string is due for \"%s\", not %s", source->key,
		source->kind == VALUE_STRING ? "an empty one" : value_kind_name(source->kind));
}

static const char *path_of(const struct value *source, struct faults *faults)
{
	if (strcmp(source->key, "$file") == 0)
		return document_path(source->document, source->text);
	return credential_path(source, faults);
}

static bool source_read(struct value *value, const struct value *source, struct faults *faults)
{
	const char *path = path_of(source, faults);
	if (path == NULL)
		return false;
	char *text;
	if (!whole_file_read(value->document->arena, path, SECRET_MOST, &text, &value->size))
		return fault_at(faults, source, "name a file that can be read",
			"cannot read %s: %s", path,
			errno == EFBIG ? "more than 1MiB" : strerror(errno));
	if (value->size > 0 && text[value->size - 1] == '\n')
		text[--value->size] = '\0';
	value->text = text;
	return true;
}

static bool stands_alone(
	const struct value *value, const struct value *source, struct faults *faults)
{
	const struct value *first = value->first;
	if (first->next == NULL)
		return true;
	return fault_at_key(faults, first == source ? first->next : first, "leave it out",
		"\"%s\" stands alone in its object", source->key);
}

bool secret_read(struct value *value, struct faults *faults)
{
	const struct value *source = source_of(value);
	bool good = stands_alone(value, source, faults) && source_check(source, faults);
	value->kind = VALUE_STRING;
	value->text = "secret";
	value->size = strlen(value->text);
	value->secret = true;
	value->unknown = source->unknown || !value->document->resolve;
	if (good && !value->unknown)
		good = source_read(value, source, faults);
	value->unknown = value->unknown || !good;
	value->first = NULL;
	return good;
}
