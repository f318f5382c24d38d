/* What the reference and the manual page tell, in which order and under which titles. Each shows it in its own form. */
#pragma once

#include "config/describe.h"

#include <stdio.h>

struct describe_form {
	void (*title)(FILE *out, const char *title);            /* keys are in backticks */
	void (*options)(FILE *out, const struct option *table); /* at least one */
	void (*kind)(FILE *out, const struct described *kind);
	void (*test)(FILE *out, const struct option *table); /* with a title of its own */
};

void describe_sections(
	FILE *out, const struct catalogue *catalogue, const struct describe_form *form);
