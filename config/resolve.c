/* A string is resolved from its left to its right: `$$`, `${NAME}`, `${NAME:-default}`, `${NAME:?message}`. What a
 * variable holds is not looked into again. */
#include "config/resolve.h"

#include "config/arena.h"
#include "config/memory.h"
#include "config/quote.h"
#include "config/secret.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One ${…}, as slices of the string. */
struct variable {
	const char *name;
	int name_size;
	char form;        /* '-', '?', or 0 for none */
	const char *word; /* behind the operator */
	int word_size;
	const char *end; /* behind the } */
};

static size_t name_size(const char *text)
{
	size_t size = 0;
	while (isalnum((unsigned char)text[size]) || text[size] == '_')
		size++;
	return isdigit((unsigned char)text[0]) ? 0 : size;
}

static void fault_form(struct faults *faults, const struct value *value, const char *start)
{
	size_t size = value->size - (size_t)(start - value->text);
	fault_at(faults, value,
		"write ${NAME}, ${NAME:-default} or ${NAME:?message}; a dollar sign is $$",
		"%s is not a variable", quote_text(value->document, start, size));
}

/* Takes the ${…} at `start` apart. */
static bool variable_parse(struct variable *variable, const struct value *value, const char *start,
	struct faults *faults)
{
	*variable = (struct variable){ .name = start + 2 };
	size_t size = name_size(variable->name);
	const char *behind = variable->name + size, *close = strchr(behind, '}');
	if (size == 0 || close == NULL)
		return fault_form(faults, value, start), false;
	variable->name_size = (int)size;
	variable->end = close + 1;
	if (behind == close)
		return true;
	if (behind[0] != ':' || (behind[1] != '-' && behind[1] != '?'))
		return fault_form(faults, value, start), false;
	variable->form = behind[1];
	variable->word = behind + 2;
	variable->word_size = (int)(close - variable->word);
	const char *nested = strstr(variable->word, "${");
	if (nested == NULL || nested > close)
		return true;
	return fault_at(faults, value, "write the default without a variable",
		"a variable inside of ${%.*s}", variable->name_size, variable->name);
}

static bool fault_unset(
	struct faults *faults, const struct value *value, const struct variable *variable)
{
	int size = variable->name_size;
	const char *name = variable->name;
	struct arena *arena = value->document->arena;
	/* Who wrote ${NAME:?…} does not want a default. */
	const char *remedy = variable->form == '?'
				     ? arena_format(arena, "set %.*s", size, name)
				     : arena_format(arena, "set %.*s, or write ${%.*s:-default}",
					       size, name, size, name);
	if (variable->form == '?' && variable->word_size > 0)
		return fault_at(faults, value, remedy, "%.*s: %.*s", size, name,
			variable->word_size, variable->word);
	return fault_at(faults, value, remedy, "the variable %.*s is not set", size, name);
}

/* Appends what the variable stands for. As in a shell, with an operator an empty one counts as not set. */
static bool variable_print(FILE *out, const struct variable *variable, const struct value *value,
	struct faults *faults)
{
	char *name =
		arena_copy(value->document->arena, variable->name, (size_t)variable->name_size);
	const char *content = getenv(name);
	if (content != NULL && content[0] == '\0' && variable->form != 0)
		content = NULL;
	if (content != NULL)
		return fputs(content, out) >= 0;
	if (variable->form != '-')
		return fault_unset(faults, value, variable);
	fprintf(out, "%.*s", variable->word_size, variable->word);
	return true;
}

static bool string_print(FILE *out, struct value *value, struct faults *faults)
{
	bool good = true;
	for (const char *at = value->text; *at != '\0';) {
		bool variable_starts = at[0] == '$' && at[1] == '{';
		if (!variable_starts) {
			fputc(*at, out);
			at += at[0] == '$' && at[1] == '$' ? 2 : 1;
			continue;
		}
		struct variable variable;
		if (!variable_parse(&variable, value, at, faults))
			return false;
		value->stands_in = at == value->text && *variable.end == '\0';
		if (!value->document->resolve)
			value->unknown = true;
		else
			good = variable_print(out, &variable, value, faults) && good;
		at = variable.end;
	}
	return good;
}

static bool resolve_string(struct value *value, struct faults *faults)
{
	char *text;
	size_t size;
	FILE *out = memory_text_open(&text, &size);
	bool good = string_print(out, value, faults);
	memory_text_close(out);
	if (!good)
		value->unknown = true;
	if (!value->unknown) {
		value->text = arena_copy(value->document->arena, text, size);
		value->size = size;
	}
	free(text);
	return good;
}

/* The depth of a document is bounded, and so is this recursion. */
bool resolve(struct value *value, struct faults *faults)
{
	if (value->kind == VALUE_STRING && strchr(value->text, '$') != NULL)
		return resolve_string(value, faults);
	bool good = true;
	for (struct value *at = value->first; at != NULL; at = at->next)
		good = resolve(at, faults) && good;
	if (secret_stands(value))
		good = secret_read(value, faults) && good;
	return good;
}
