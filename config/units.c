/* Sizes and times, exact: a number of any length is multiplied by its unit in 128 bits and must come out whole. */
#include "config/units.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct unit {
	const char *name;
	uint64_t factor;
};

/* From the smallest; where two ways to write a value are equally short, the later one is taken. */
static const struct unit sizes[] = {
	{ "B", 1 },
	{ "KB", 1000 },
	{ "MB", 1000000 },
	{ "GB", 1000000000 },
	{ "KiB", 1u << 10 },
	{ "MiB", 1u << 20 },
	{ "GiB", 1u << 30 },
	{ NULL, 0 },
};

static const struct unit times[] = {
	{ "ms", 1 },
	{ "s", 1000 },
	{ "m", 60 * 1000 },
	{ "h", 60 * 60 * 1000 },
	{ "d", 24 * 60 * 60 * 1000 },
	{ NULL, 0 },
};

/* A decimal number: `digits` divided by `divisor`, a power of ten. The bounds keep digits times the largest unit within
 * 128 bits, and let every fraction through that can be whole: 2^30 has 30 factors of two. */
struct decimal {
	unsigned __int128 digits, divisor;
};

static bool digit_append(struct decimal *number, char digit)
{
	const unsigned __int128 most = (unsigned __int128)1 << 96;
	if (number->digits > most / 10)
		return false;
	number->digits = number->digits * 10 + (unsigned)(digit - '0');
	return true;
}

static const char *fraction_parse(const char *text, struct decimal *number)
{
	size_t size = strspn(text, "0123456789");
	if (size == 0)
		return NULL;
	size_t significant = size;
	while (significant > 0 && text[significant - 1] == '0')
		significant--;
	if (significant > 30)
		return NULL;
	for (size_t i = 0; i < significant; i++) {
		if (!digit_append(number, text[i]))
			return NULL;
		number->divisor *= 10;
	}
	return text + size;
}

/* Returns where the number ends; NULL if there is none. */
static const char *decimal_parse(const char *text, struct decimal *number)
{
	*number = (struct decimal){ .divisor = 1 };
	size_t whole = strspn(text, "0123456789");
	if (whole == 0)
		return NULL;
	for (size_t i = 0; i < whole; i++)
		if (!digit_append(number, text[i]))
			return NULL;
	if (text[whole] != '.')
		return text + whole;
	return fraction_parse(text + whole + 1, number);
}

static bool parse(const struct unit *units, const char *text, uint64_t *value)
{
	struct decimal number;
	const char *name = decimal_parse(text, &number);
	if (name == NULL)
		return false;
	while (units->name != NULL && strcmp(units->name, name) != 0)
		units++;
	if (units->name == NULL)
		return false;
	unsigned __int128 product = number.digits * units->factor;
	if (product % number.divisor != 0 || product / number.divisor > UINT64_MAX)
		return false;
	*value = (uint64_t)(product / number.divisor);
	return true;
}

bool size_parse(const char *text, uint64_t *bytes)
{
	return parse(sizes, text, bytes);
}

bool time_parse(const char *text, uint64_t *ms)
{
	return parse(times, text, ms);
}

static char *format(const struct unit *units, uint64_t value, char text[32])
{
	size_t shortest = SIZE_MAX;
	for (; units->name != NULL; units++) {
		if (value % units->factor != 0 || (value == 0 && shortest != SIZE_MAX))
			continue;
		char attempt[32];
		int size = snprintf(attempt, sizeof(attempt), "%" PRIu64 "%s",
			value / units->factor, units->name);
		if ((size_t)size > shortest)
			continue;
		shortest = (size_t)size;
		memcpy(text, attempt, shortest + 1);
	}
	return text;
}

char *size_format(uint64_t bytes, char text[32])
{
	return format(sizes, bytes, text);
}

char *time_format(uint64_t ms, char text[32])
{
	return format(ms == 0 ? times + 1 : times, ms, text);
}

/* Rounding carries: 999.6 is shown as 1.00 of the next unit. */
char *bytes_for_people(double bytes, char text[32])
{
	static const char *const names[] = { "B", "KB", "MB", "GB", "TB", "PB", "EB" };
	size_t unit = 0;
	while (bytes >= 999.5 && unit + 1 < sizeof(names) / sizeof(names[0])) {
		bytes /= 1000;
		unit++;
	}
	int decimals = unit == 0 || bytes >= 99.95 ? 0 : bytes >= 9.995 ? 1 : 2;
	snprintf(text, 32, "%.*f %s", decimals, bytes, names[unit]);
	return text;
}

char *digits_for_people(const char *digits, char text[32])
{
	size_t used = 0;
	for (size_t left = strlen(digits); left > 0; left--) {
		assert(used < 30);
		text[used++] = *digits++;
		if (left > 1 && left % 3 == 1)
			text[used++] = ',';
	}
	text[used] = '\0';
	return text;
}
