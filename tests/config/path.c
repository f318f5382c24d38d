#include "config/path.h"

#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

Test(path, has_one_form)
{
	static const char *const all[][2] = {
		{ "/", "" },
		{ "/a", "/a" },
		{ "//a///b/", "/a/b" },
		{ "/./a/././b/.", "/a/b" },
		{ "/a/../b", "/b" },
		{ "/../../a", "/a" },
		{ "/a/.../..b/.c", "/a/.../..b/.c" },
		{ "/a/**/*.log", "/a/**/*.log" },
	};
	char normal[PATH_MAX];

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		cr_assert(path_normal(all[i][0], normal));
		cr_assert_str_eq(normal, all[i][1], "%s", all[i][0]);
	}
}

Test(path, begins_at_the_working_directory)
{
	char normal[PATH_MAX];

	cr_assert_eq(chdir("/usr/lib"), 0);
	cr_assert(path_normal("x/../y", normal));
	char here[PATH_MAX];
	cr_assert_not_null(getcwd(here, sizeof(here)));
	cr_assert_eq(strncmp(normal, here, strlen(here)), 0);
	cr_assert_str_eq(normal + strlen(here), "/y");
}

Test(path, is_no_longer_than_a_path_can_be)
{
	char path[2 * PATH_MAX], normal[PATH_MAX];

	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	cr_assert_not(path_normal(path, normal));
	path[PATH_MAX - 1] = '\0';
	cr_assert(path_normal(path, normal));
	cr_assert_str_eq(normal, path);
	path[PATH_MAX - 1] = 'x';
	path[PATH_MAX] = '\0';
	cr_assert_not(path_normal(path, normal));
}
