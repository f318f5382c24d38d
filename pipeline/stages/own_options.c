/* Refusing what would not be used. */

#include "pipeline/stages/own_options.h"

#include <stdio.h>

const struct value *own_options_given(const struct node *node, const char *name)
{
	return value_member(node->value, name);
}

bool own_options_check(const struct own_option *table, const struct node *node, const char *chooser,
	const char *const *names, unsigned chosen, struct faults *faults)
{
	bool fine = true;
	for (; table->name; table++) {
		const struct value *value = own_options_given(node, table->name);
		char remedy[96];
		if (!value || table->choice == chosen)
			continue;
		snprintf(remedy, sizeof(remedy), "write \"%s\": \"%s\", or leave it out", chooser,
			names[table->choice]);
		fine = fault_at(faults, value, remedy,
			"\"%s\" is not used, because \"%s\" is \"%s\"", table->name, chooser,
			names[chosen]);
	}
	return fine;
}
