/* A warning and no fault: memory that is never touched is never taken. */

#include "pipeline/headroom.h"

#include "config/arena.h"
#include "config/units.h"

enum {
	MIB_SHIFT = 20,
	BESIDE_MIB = 24 /* the process and its libraries; 1 MiB a worker comes to it */
};

static uint64_t whole_mib(uint64_t bytes)
{
	return bytes >> MIB_SHIFT << MIB_SHIFT;
}

/* Where it is set, or where it could be. */
static const struct value *place_of(const struct value *root)
{
	const struct value *service = value_member(root, "service");
	const struct value *memory = value_member(service, "memory");
	return memory ? memory : service ? service : root;
}

void headroom_check(
	const struct plan *plan, uint64_t most, const char *whose, struct faults *faults)
{
	const struct document *document = plan->document;
	uint64_t beside = (BESIDE_MIB + (uint64_t)plan->workers) << MIB_SHIFT;
	uint64_t left = most > beside ? whole_mib(most - beside) : 0;
	char planned[32], has[32], taken[32], fits[32];
	if (plan->service.memory <= left)
		return;
	size_format(plan->service.memory, planned);
	size_format(whole_mib(most), has);
	size_format(beside, taken);
	const char *remedy = left > 0 ? arena_format(document->arena, "write at most \"%s\"",
						size_format(left, fits))
				      : "let it have more";
	warning_at(faults, place_of(document->root), remedy,
		"%s of memory do not fit into the %s that %s has: the process takes %s beside them",
		planned, has, whose, taken);
}
