#include "pipeline/sinks/remedy.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

Test(remedy, names_the_drop_in_of_a_service_only)
{
	static const int errors[] = { EROFS, EACCES, EPERM };

	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
		cr_assert_eq(unsetenv("INVOCATION_ID"), 0);
		cr_assert_not_null(remedy_for_path(errors[i]));
		cr_assert_null(strstr(remedy_for_path(errors[i]), "ReadWritePaths="));
		cr_assert_eq(setenv("INVOCATION_ID", "0123", 1), 0);
		cr_assert_not_null(strstr(remedy_for_path(errors[i]), "ReadWritePaths="));
	}
	cr_assert_not_null(strstr(remedy_for_peer(EPERM, false), "IPAddressAllow="));
	cr_assert_eq(unsetenv("INVOCATION_ID"), 0);
	cr_assert_null(strstr(remedy_for_peer(EPERM, false), "IPAddressAllow="));
}

Test(remedy, is_silent_where_it_knows_none)
{
	cr_assert_null(remedy_for_path(ENOSPC));
	cr_assert_null(remedy_for_path(0));
	cr_assert_null(remedy_for_peer(ECONNREFUSED, false));
	cr_assert_null(remedy_for_peer(ENOENT, true));
	cr_assert_not_null(remedy_for_peer(EACCES, true));
}
