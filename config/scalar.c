/* Numbers are read from how they are written, never through a double: they are exact up to 2^64-1. */
#include "config/scalar.h"

#include "config/arena.h"
#include "config/nearest.h"
#include "config/quote.h"
#include "config/sample.h"
#include "config/units.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REMEDY(value, ...) arena_format((value)->document->arena, __VA_ARGS__)

bool fault_kind(struct faults *faults, const struct option *option, const struct value *value,
	const char *due)
{
	char *sample = sample_of(option);
	const char *remedy = value->kind == VALUE_NULL && !option->required
				     ? REMEDY(value, "leave it out, or write %s", sample)
				     : REMEDY(value, "write %s", sample);
	free(sample);
	return fault_at(faults, value, remedy, "%s is due for \"%s\", not %s", due, option->name,
		value_kind_name(value->kind));
}

/* What people write for true and false; only the first of each is taken, and only from a variable. */
static const char *const true_words[] = { "true", "yes", "on", "1", NULL };
static const char *const false_words[] = { "false", "no", "off", "0", NULL };

static bool is_one_of(const char *const *words, const struct value *value)
{
	bool textual = value->kind == VALUE_STRING || value->kind == VALUE_NUMBER;
	for (; textual && *words != NULL; words++)
		if (strcasecmp(*words, value->text) == 0)
			return true;
	return false;
}

static bool fault_bool(
	struct faults *faults, const struct option *option, const struct value *value)
{
	if (value->stands_in)
		return fault_at(faults, value, "set it to true or false",
			"true or false is due for \"%s\", not %s", option->name,
			quote_value(value));
	bool means_true = is_one_of(true_words, value), means_false = is_one_of(false_words, value);
	if (value->secret || !(means_true || means_false))
		return fault_kind(faults, option, value, "true or false");
	return fault_at(faults, value, means_true ? "write true" : "write false",
		"true or false is due for \"%s\", not %s", option->name,
		value_kind_name(value->kind));
}

static bool bool_read(
	const struct option *option, const struct value *value, bool *field, struct faults *faults)
{
	bool variable = value->stands_in;
	if (value->kind == VALUE_BOOL)
		*field = value->truth;
	else if (variable && strcmp(value->text, true_words[0]) == 0)
		*field = true;
	else if (variable && strcmp(value->text, false_words[0]) == 0)
		*field = false;
	else
		return fault_bool(faults, option, value);
	return true;
}

enum whole { WHOLE, NOT_WHOLE, NEGATIVE, TOO_LARGE };

/* Digits, and a sign before them, and nothing else. */
static enum whole whole_parse(const char *text, uint64_t *number)
{
	bool negative = text[0] == '-';
	const char *digits = text + negative;
	*number = 0;
	if (digits[0] == '\0' || strspn(digits, "0123456789") != strlen(digits))
		return NOT_WHOLE;
	bool large = false;
	for (; *digits != '\0'; digits++) {
		large = large || __builtin_mul_overflow(*number, 10u, number);
		large = large || __builtin_add_overflow(*number, (unsigned)(*digits - '0'), number);
	}
	if (negative && (large || *number > 0))
		return NEGATIVE;
	return large ? TOO_LARGE : WHOLE;
}

/* A bound of the table, which is right by construction. */
static uint64_t bound(const struct option *option, const char *text, uint64_t otherwise)
{
	uint64_t number;
	if (text == NULL)
		return otherwise;
	bool good = option->type == OPTION_COUNT  ? whole_parse(text, &number) == WHOLE
		    : option->type == OPTION_SIZE ? size_parse(text, &number)
						  : time_parse(text, &number);
	assert(good);
	return number;
}

static bool fault_bound(struct faults *faults, const struct option *option,
	const struct value *value, const char *relation, const char *limit)
{
	char *sample = sample_json(option, limit);
	const char *remedy = REMEDY(value, "write %s", sample);
	free(sample);
	return fault_at(faults, value, remedy, "\"%s\" must be %s %s, not %s", option->name,
		relation, limit, value->secret ? quote_value(value) : value->text);
}

static bool fault_least(
	struct faults *faults, const struct option *option, const struct value *value)
{
	return fault_bound(
		faults, option, value, "at least", option->least == NULL ? "0" : option->least);
}

static bool fault_most(
	struct faults *faults, const struct option *option, const struct value *value)
{
	return fault_bound(faults, option, value, "at most",
		option->most == NULL ? "18446744073709551615" : option->most);
}

static bool within_bounds(const struct option *option, const struct value *value, uint64_t number,
	struct faults *faults)
{
	if (number < bound(option, option->least, 0))
		return fault_least(faults, option, value);
	if (number > bound(option, option->most, UINT64_MAX))
		return fault_most(faults, option, value);
	return true;
}

/* 1e3 and 2.0 are meant well. */
static bool fault_not_whole(
	struct faults *faults, const struct option *option, const struct value *value)
{
	const char *remedy = value->kind == VALUE_STRING ? "set it to a whole number"
							 : "write it without fraction or exponent";
	double number = value->number;
	bool exact = value->kind == VALUE_NUMBER && number >= 0 && number < 1e15;
	if (exact && (double)(uint64_t)number == number)
		remedy = REMEDY(value, "write %" PRIu64, (uint64_t)number);
	return fault_at(faults, value, remedy, "a whole number is due for \"%s\", not %s",
		option->name, quote_value(value));
}

static bool count_read(const struct option *option, const struct value *value, uint64_t *field,
	struct faults *faults)
{
	bool textual = value->kind == VALUE_STRING;
	uint64_t number;
	if (value->kind != VALUE_NUMBER && !textual)
		return fault_kind(faults, option, value, "a whole number");
	enum whole whole = whole_parse(value->text, &number);
	if (textual && !value->stands_in)
		return whole == WHOLE && !value->secret
			       ? fault_at(faults, value, REMEDY(value, "write %" PRIu64, number),
					 "a whole number is due for \"%s\", not a string",
					 option->name)
			       : fault_kind(faults, option, value, "a whole number");
	if (whole == NOT_WHOLE)
		return fault_not_whole(faults, option, value);
	if (whole == NEGATIVE)
		return fault_least(faults, option, value);
	if (whole == TOO_LARGE)
		return fault_most(faults, option, value);
	if (!within_bounds(option, value, number, faults))
		return false;
	*field = number;
	return true;
}

/* What people write for units. */
static const struct {
	enum option_type type;
	const char *theirs, *ours;
} spellings[] = {
	{ OPTION_SIZE, "b", "B" },
	{ OPTION_SIZE, "byte", "B" },
	{ OPTION_SIZE, "bytes", "B" },
	{ OPTION_SIZE, "k", "KiB" },
	{ OPTION_SIZE, "ki", "KiB" },
	{ OPTION_SIZE, "kib", "KiB" },
	{ OPTION_SIZE, "m", "MiB" },
	{ OPTION_SIZE, "mi", "MiB" },
	{ OPTION_SIZE, "mib", "MiB" },
	{ OPTION_SIZE, "g", "GiB" },
	{ OPTION_SIZE, "gi", "GiB" },
	{ OPTION_SIZE, "gib", "GiB" },
	{ OPTION_SIZE, "kb", "KB" },
	{ OPTION_SIZE, "mb", "MB" },
	{ OPTION_SIZE, "gb", "GB" },
	{ OPTION_TIME, "ms", "ms" },
	{ OPTION_TIME, "msec", "ms" },
	{ OPTION_TIME, "millis", "ms" },
	{ OPTION_TIME, "milliseconds", "ms" },
	{ OPTION_TIME, "s", "s" },
	{ OPTION_TIME, "sec", "s" },
	{ OPTION_TIME, "secs", "s" },
	{ OPTION_TIME, "second", "s" },
	{ OPTION_TIME, "seconds", "s" },
	{ OPTION_TIME, "m", "m" },
	{ OPTION_TIME, "min", "m" },
	{ OPTION_TIME, "mins", "m" },
	{ OPTION_TIME, "minute", "m" },
	{ OPTION_TIME, "minutes", "m" },
	{ OPTION_TIME, "h", "h" },
	{ OPTION_TIME, "hour", "h" },
	{ OPTION_TIME, "hours", "h" },
	{ OPTION_TIME, "d", "d" },
	{ OPTION_TIME, "day", "d" },
	{ OPTION_TIME, "days", "d" },
};

static bool quantity_parse(const struct option *option, const char *text, uint64_t *number)
{
	return option->type == OPTION_SIZE ? size_parse(text, number) : time_parse(text, number);
}

/* The text with its unit as it should be written; NULL if that helps nothing. */
static const char *respelled(const struct option *option, const struct value *value)
{
	size_t digits = strspn(value->text, "0123456789.");
	const char *unit = value->text + digits + strspn(value->text + digits, " ");
	uint64_t number;
	for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
		if (spellings[i].type != option->type || strcasecmp(spellings[i].theirs, unit) != 0)
			continue;
		const char *text =
			REMEDY(value, "%.*s%s", (int)digits, value->text, spellings[i].ours);
		return quantity_parse(option, text, &number) ? text : NULL;
	}
	return NULL;
}

/* A number without unit: bytes or milliseconds, in what they would be written in. A small time may be seconds. */
static const char *with_natural_unit(const struct option *option, const struct value *value)
{
	uint64_t number;
	char text[32];
	if (whole_parse(value->text, &number) != WHOLE)
		return NULL;
	if (option->type == OPTION_SIZE)
		return REMEDY(value, "write \"%s\"", size_format(number, text));
	if (number > 0 && number < 1000)
		return REMEDY(value, "write \"%" PRIu64 "s\" or \"%" PRIu64 "ms\"", number, number);
	return REMEDY(value, "write \"%s\"", time_format(number, text));
}

static const char *sample_remedy(const struct option *option, const struct value *value)
{
	char *sample = sample_of(option);
	const char *remedy = REMEDY(value, "write it as in %s", sample);
	free(sample);
	return remedy;
}

static bool fault_quantity(
	struct faults *faults, const struct option *option, const struct value *value)
{
	const char *units = option->type == OPTION_SIZE ? "B KB MB GB KiB MiB GiB" : "ms s m h d";
	const char *natural = value->secret ? NULL : with_natural_unit(option, value);
	if (natural != NULL)
		return fault_at(faults, value, natural, "\"%s\" has no unit: one of %s is due",
			option->name, units);
	if (value->text[0] == '-' && !value->secret)
		return fault_least(faults, option, value);
	const char *spelled = value->secret ? NULL : respelled(option, value);
	const char *remedy = spelled != NULL ? REMEDY(value, "write \"%s\"", spelled)
					     : sample_remedy(option, value);
	return fault_at(faults, value, remedy,
		"%s is no %s for \"%s\": a number and one of %s is due", quote_value(value),
		option->type == OPTION_SIZE ? "size" : "time", option->name, units);
}

static bool quantity_read(const struct option *option, const struct value *value, uint64_t *field,
	struct faults *faults)
{
	uint64_t number;
	if (value->kind == VALUE_NUMBER)
		return fault_quantity(faults, option, value);
	if (value->kind != VALUE_STRING)
		return fault_kind(
			faults, option, value, option->type == OPTION_SIZE ? "a size" : "a time");
	if (!quantity_parse(option, value->text, &number))
		return fault_quantity(faults, option, value);
	if (!within_bounds(option, value, number, faults))
		return false;
	*field = number;
	return true;
}

static bool choice_read(const struct option *option, const struct value *value, unsigned *field,
	struct faults *faults)
{
	if (value->kind != VALUE_STRING)
		return fault_kind(faults, option, value, "a string");
	for (unsigned i = 0; option->choices[i] != NULL; i++) {
		if (strcmp(option->choices[i], value->text) != 0)
			continue;
		*field = i;
		return true;
	}
	const char *near = value->secret ? NULL : nearest(value->text, option->choices);
	const char *all = quote_choices(value->document, option->choices);
	return fault_at(faults, value,
		near != NULL ? REMEDY(value, "write \"%s\"", near) : REMEDY(value, "write %s", all),
		"%s is no choice for \"%s\": it may be %s", quote_value(value), option->name, all);
}

bool scalar_read(
	const struct option *option, const struct value *value, void *field, struct faults *faults)
{
	switch (option->type) {
	case OPTION_BOOL:
		return bool_read(option, value, field, faults);
	case OPTION_COUNT:
		return count_read(option, value, field, faults);
	case OPTION_SIZE:
	case OPTION_TIME:
		return quantity_read(option, value, field, faults);
	case OPTION_CHOICE:
		return choice_read(option, value, field, faults);
	default:
		assert(false);
		return false;
	}
}
