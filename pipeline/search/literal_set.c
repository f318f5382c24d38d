/* Choosing how a set is looked for. */

#include "pipeline/search/literal_set.h"

#include "pipeline/search/literal_slices.h"
#include "pipeline/search/literal_table.h"

#include <stdlib.h>

/* One of them. */
struct literal_set {
	struct literal_slices *slices;
	struct literal_table *table;
};

struct literal_set *literal_set_create(const struct literal *literals, size_t count)
{
	struct literal_set *set = calloc(1, sizeof(*set));
	if (!set)
		return NULL;
	set->slices = literal_slices_create(literals, count);
	if (set->slices && literal_slices_pay(set->slices))
		return set;
	literal_slices_destroy(set->slices);
	*set = (struct literal_set){ .table = literal_table_create(literals, count) };
	if (set->table)
		return set;
	free(set);
	return NULL;
}

void literal_set_destroy(struct literal_set *set)
{
	if (!set)
		return;
	literal_slices_destroy(set->slices);
	literal_table_destroy(set->table);
	free(set);
}

size_t literal_set_cost(const struct literal_set *set)
{
	return sizeof(*set) +
	       (set->slices ? literal_slices_cost(set->slices) : literal_table_cost(set->table));
}

const char *literal_set_find(
	const struct literal_set *set, const char *data, size_t size, size_t *length)
{
	return set->slices ? literal_slices_find(set->slices, data, size, length)
			   : literal_table_find(set->table, data, size, length);
}
