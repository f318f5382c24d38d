/* What the machine lets us use: cgroups in a folder of the test's own. */
#include "pipeline/machine.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void put(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	cr_assert(file);
	fputs(text, file);
	fclose(file);
}

static void make_cgroups(void)
{
	static char folder[] = "/tmp/viewduct-cgroups-XXXXXX";

	cr_assert(mkdtemp(folder));
	cr_assert_eq(chdir(folder), 0);
	cr_assert_eq(mkdir("a", 0700), 0);
	cr_assert_eq(mkdir("a/b", 0700), 0);
}

static void remove_cgroups(void)
{
	char folder[1000];

	cr_assert(getcwd(folder, sizeof(folder)));
	unlink("a/cpu.max");
	unlink("a/b/cpu.max");
	unlink("memory.max");
	unlink("a/memory.max");
	unlink("a/b/memory.max");
	cr_expect_eq(rmdir("a/b"), 0);
	cr_expect_eq(rmdir("a"), 0);
	cr_expect_eq(chdir("/"), 0);
	cr_expect_eq(rmdir(folder), 0);
}

Test(machine, a_cgroup_has_what_those_above_leave_it, .init = make_cgroups, .fini = remove_cgroups)
{
	cr_expect_eq(machine_cgroup_memory(".", "/a/b"), UINT64_MAX, "none is set");
	put("a/b/memory.max", "max\n");
	cr_expect_eq(machine_cgroup_memory(".", "/a/b"), UINT64_MAX, "none is");
	put("a/memory.max", "1048576\n");
	cr_expect_eq(machine_cgroup_memory(".", "/a/b"), 1048576, "the one above");
	put("a/b/memory.max", "4096\n");
	cr_expect_eq(machine_cgroup_memory(".", "/a/b"), 4096, "its own");
	put("memory.max", "100\n");
	cr_expect_eq(machine_cgroup_memory(".", "/a/b"), 100, "the root's");
	cr_expect_eq(machine_cgroup_memory(".", ""), 100);
	cr_expect_eq(machine_cgroup_memory(".", "/"), 100);
}

Test(machine, processors_above_count_too, .init = make_cgroups, .fini = remove_cgroups)
{
	put("a/b/cpu.max", "max 100000\n");
	cr_expect_eq(machine_cgroup_cores(".", "/a/b"), UINT64_MAX, "none is set");
	put("a/cpu.max", "150000 100000\n");
	cr_expect_eq(machine_cgroup_cores(".", "/a/b"), 2, "the one above, rounded up");
	put("a/b/cpu.max", "20000 100000\n");
	cr_expect_eq(machine_cgroup_cores(".", "/a/b"), 1, "its own");
}

Test(machine, has_something)
{
	const char *whose = NULL;

	cr_expect_geq(machine_cores(), 1);
	cr_expect_geq(machine_memory(&whose), 1 << 20);
	cr_expect_not_null(whose);
}
