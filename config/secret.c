/* $file starts at the configuration's directory, $credential in the directory that the service manager made. */
#include "config/secret.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/arena.h"
#include "config/quote.h"
#include "config/whole_file.h"

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

static const char *path_of(const struct value *source, struct faults *faults)
{
	if (source->kind != VALUE_STRING || source->size == 0) {
		fault_at(faults, source, NULL, "a string is due for \"%s\", not %s", source->key,
			source->kind == VALUE_STRING ? "an empty one"
						     : value_kind_name(source->kind));
		return NULL;
	}
	if (strcmp(source->key, "$file") == 0)
		return document_path(source->document, source->text);
	return credential_path(source, faults);
}

static bool read_source(struct value *value, const struct value *source, struct faults *faults)
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

bool secret_read(struct value *value, struct faults *faults)
{
	const struct value *source = source_of(value);
	bool alone = value->first->next == NULL, good = alone;
	if (!alone)
		fault_at_key(faults, value->first == source ? value->first->next : value->first,
			"leave it out", "\"%s\" stands alone in its object", source->key);
	value->kind = VALUE_STRING;
	value->text = "secret";
	value->size = strlen(value->text);
	value->secret = true;
	value->unknown = !alone || source->unknown || !value->document->resolve;
	if (!value->unknown)
		good = read_source(value, source, faults);
	value->unknown = value->unknown || !good;
	value->first = NULL;
	return good;
}
