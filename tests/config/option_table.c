/* Facts about tables. */
#include "config/option_table.h"

#include "tests/config/example.h"

#include <criterion/criterion.h>
#include <string.h>

static const struct option none[] = { OPTIONS_END };

static const struct option *named(const struct option *table, const char *name)
{
	while (table->name != NULL && strcmp(table->name, name) != 0)
		table++;
	return table;
}

Test(option_table, primary)
{
	cr_expect_str_eq(option_primary(example_options)->name, "contains");
	cr_expect_null(option_primary(example_retry_options));
	cr_expect_null(option_primary(none));
}

Test(option_table, switched_off_by_false)
{
	const struct option enabled = { .name = "enabled", .type = OPTION_BOOL };
	const struct option counted = { .name = "enabled", .type = OPTION_COUNT };
	const struct option with[] = { { .name = "flag", .type = OPTION_BOOL }, counted, enabled,
		OPTIONS_END };

	cr_expect_eq(option_switch(with), &with[2]);
	cr_expect_null(option_switch(example_options));
}

Test(option_table, requires)
{
	cr_expect(option_requires(example_tcp_options));
	cr_expect_not(option_requires(example_options));
	cr_expect_not(option_requires(none));
	cr_expect_not(option_requires(NULL));
}

Test(option_table, standard)
{
	static const struct {
		const char *name, *standard;
	} all[] = {
		{ "flag", "true" },
		{ "careful", "false" },
		{ "count", "3" },
		{ "any_count", NULL },
		{ "on", "newline" },
		{ "exclude", "*.gz" },
		{ "label", NULL },
		{ "retry", NULL },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		const char *standard = option_standard(named(example_options, all[i].name));
		if (all[i].standard == NULL)
			cr_expect_null(standard, "%s: %s", all[i].name, standard);
		else
			cr_expect_str_eq(standard, all[i].standard, "%s", all[i].name);
	}
	cr_expect_null(option_standard(named(example_tcp_options, "listen")), "it is required");
}
