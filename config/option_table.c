/* Facts about tables, which reading, samples and documentation share. */
#include "config/option_table.h"

#include <string.h>

const struct option *option_primary(const struct option *table)
{
	for (; table->name != NULL; table++)
		if (table->primary)
			return table;
	return NULL;
}

const struct option *option_switch(const struct option *table)
{
	for (; table->name != NULL; table++)
		if (table->type == OPTION_BOOL && strcmp(table->name, "enabled") == 0)
			return table;
	return NULL;
}

bool option_requires(const struct option *table)
{
	for (; table != NULL && table->name != NULL; table++)
		if (table->required)
			return true;
	return false;
}

const char *option_standard(const struct option *option)
{
	if (option->required)
		return NULL;
	if (option->standard != NULL)
		return option->standard;
	if (option->type == OPTION_CHOICE)
		return option->choices[0];
	return option->type == OPTION_BOOL ? "false" : NULL;
}
