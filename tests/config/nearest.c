/* What was meant. */
#include "config/nearest.h"

#include <criterion/criterion.h>

static const char *const stages[] = { "split", "filter", "compress", NULL };
static const char *const sinks[] = { "file", "tcp", "stdout", "null", NULL };
static const char *const options[] = { "listen", "max_connections", "path", "max_record", NULL };

struct meant {
	const char *name;
	const char *const *known;
	const char *near;
};

Test(nearest, names)
{
	static const struct meant all[] = {
		{ "filter", stages, "filter" },
		{ "fliter", stages, "filter" },
		{ "Filter", stages, "filter" },
		{ "filters", stages, "filter" },
		{ "spilt", stages, "split" },
		{ "compres", stages, "compress" },
		{ "grep", stages, "filter" },
		{ "GREP", stages, "filter" },
		{ "match", stages, "filter" },
		{ "gzip", stages, NULL },
		{ "xyz", stages, NULL },
		{ "", stages, NULL },
		{ "tail", sinks, "file" },
		{ "blackhole", sinks, "null" },
		{ "console", sinks, "stdout" },
		{ "nul", sinks, "null" },
		{ "tcpp", sinks, "tcp" },
		{ "udp", sinks, NULL },
		{ "t", sinks, NULL },
		{ "max-record", options, "max_record" },
		{ "maxRecord", options, "max_record" },
		{ "max_conections", options, "max_connections" },
		{ "maxconn", options, "max_connections" },
		{ "address", options, "listen" },
		{ "include", options, "path" },
		{ "files", options, "path" },
	};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		const char *near = nearest(all[i].name, all[i].known);
		cr_expect_str_eq(near == NULL ? "none" : near,
			all[i].near == NULL ? "none" : all[i].near, "%s: %s", all[i].name,
			near == NULL ? "none" : near);
	}
}

Test(nearest, any_length)
{
	static const char long_name[] = "a_name_that_is_longer_than_any_name_that_anybody_would_"
					"ever_give_to_an_option_here";
	static const char *const known[] = { long_name, "path", NULL };
	cr_expect_null(
		nearest("x_name_that_is_longer_than_any_name_that_anybody_would_ever_give_to_"
			"an_option_here",
			known));
	cr_expect_str_eq(nearest("pathh", known), "path");
}
