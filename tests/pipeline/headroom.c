/* Headroom: what is planned beside what there is. */
#include "pipeline/headroom.h"

#include <criterion/criterion.h>
#include <string.h>

static void compare(const char *text, uint64_t most, const char *message, const char *remedy,
	const char *pointer)
{
	struct document document;
	struct faults faults = { 0 };

	cr_assert(document_parse(&document, "test.json", text, strlen(text), true, &faults));
	struct plan *plan = plan_create(&document, &faults);
	cr_assert(plan);
	cr_assert_eq(faults.count, 0);
	headroom_check(plan, most, "this machine", &faults);
	cr_assert_eq(faults.count, message != NULL, "%s", text);
	cr_expect_eq(faults.errors, 0, "it is a warning");
	if (message) {
		cr_expect_str_eq(faults.items[0].message, message);
		cr_expect_str_eq(faults.items[0].remedy, remedy);
		cr_expect_str_eq(faults.items[0].pointer, pointer);
	}
	plan_destroy(plan);
	faults_close(&faults);
	document_close(&document);
}

#define PIPELINES "\"pipelines\":{\"p\":{\"from\":\"stdin\",\"to\":\"stdout\"}}"

static const char usual[] = "{" PIPELINES "}";
static const char set[] = "{\"service\":{\"memory\":\"32MiB\"}," PIPELINES "}";

/* The promise: memory + 24 MiB + 1 MiB a worker. */
Test(headroom, what_fits_is_fine)
{
	compare(set, 57 << 20, NULL, NULL, NULL);
	compare(usual, 89 << 20, NULL, NULL, NULL);
	compare(usual, UINT64_MAX, NULL, NULL, NULL);
}

Test(headroom, what_does_not_is_told_with_what_would)
{
	compare(set, (57 << 20) - 1,
		"32MiB of memory do not fit into the 56MiB that this machine has: the process "
		"takes "
		"25MiB beside them",
		"write at most \"31MiB\"", "/service/memory");
	compare(usual, 88 << 20,
		"64MiB of memory do not fit into the 88MiB that this machine has: the process "
		"takes "
		"25MiB beside them",
		"write at most \"63MiB\"", "");
	compare(set, 20 << 20,
		"32MiB of memory do not fit into the 20MiB that this machine has: the process "
		"takes "
		"25MiB beside them",
		"let it have more", "/service/memory");
}
