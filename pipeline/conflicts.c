/* Conflicts: one address or name that two sources listen to, one file that two sinks write. */

#include "pipeline/draft.h"

#include <limits.h>
#include <string.h>

#include "config/address.h"
#include "config/path.h"
#include "pipeline/shards.h"

/* An option of a node that nobody else may have. */
struct claim {
	const struct node *node;
	const struct option *option;
};

static const void *field_of(const struct claim *claim)
{
	return (const char *)claim->node->state + claim->option->offset;
}

/* --- addresses ---------------------------------------------------------------------------------------------------- */

static bool is_everywhere(const char *host)
{
	return *host == '\0' || strcmp(host, "::") == 0;
}

/* 0.0.0.0 stands for every IPv4 address. */
static bool hosts_overlap(const char *a, const char *b)
{
	if (is_everywhere(a) || is_everywhere(b) || strcmp(a, b) == 0)
		return true;
	if (strcmp(a, "0.0.0.0") == 0)
		return strchr(b, ':') == NULL;
	return strcmp(b, "0.0.0.0") == 0 && strchr(a, ':') == NULL;
}

/* Port 0 is another one each time. */
static bool same_address(const struct claim *a, const struct claim *b)
{
	const struct address *left = field_of(a), *right = field_of(b);
	if (!left->text || !right->text || a->node->type != b->node->type ||
		a->node->value == b->node->value)
		return false; /* the shards of one source listen together */
	return left->port != 0 && left->port == right->port &&
	       hosts_overlap(left->host, right->host);
}

/* --- passed sockets ----------------------------------------------------------------------------------------------- */

static const char *passed_to(const struct claim *claim)
{
	if (claim->option->type == OPTION_ADDRESS)
		return ((const struct address *)field_of(claim))->passed;
	const char *path = *(const char *const *)field_of(claim);
	const struct value *value =
		option_value(claim->node->type->options, claim->node->value, claim->option->name);
	return !path || (value && value->unknown) ? NULL : passed_name(path);
}

/* Shards of one source share them. */
static bool same_passed(const struct claim *a, const struct claim *b)
{
	const char *left = passed_to(a), *right = passed_to(b);
	return left && right && a->node->value != b->node->value && strcmp(left, right) == 0;
}

/* --- paths -------------------------------------------------------------------------------------------------------- */

/* Devices take any number of writers. */
static bool same_path(const struct claim *a, const struct claim *b)
{
	const char *const *left = field_of(a), *const *right = field_of(b);
	if (!*left || !*right || a->node->value == b->node->value)
		return false; /* shards that share a file are refused elsewhere */
	if (a->node->role == NODE_SOURCE && (passed_to(a) || passed_to(b)))
		return false;
	char path[PATH_MAX], other[PATH_MAX];
	return path_normal(*left, path) && path_normal(*right, other) &&
	       strncmp(path, "/dev/", 5) != 0 && strcmp(path, other) == 0;
}

/* --- all of them -------------------------------------------------------------------------------------------------- */

struct claims {
	struct claim *items;
	size_t count;
};

/* Sources claim addresses and sockets' paths, sinks claim paths. */
static const struct option *claim_of(const struct node *node, enum node_role role, unsigned types)
{
	if (role == NODE_SINK)
		return shards_path_option(node);
	if (node->role != role || !node->state || !node->type->options)
		return NULL;
	for (const struct option *option = node->type->options; option->name; option++)
		if (types & 1u << option->type && strcmp(option->name, "listen") == 0)
			return option;
	return NULL;
}

static struct claims find_claims(const struct plan *plan, enum node_role role, unsigned types)
{
	size_t room = 1;
	for (size_t i = 0; i < plan->count; i++)
		room += plan->pipelines[i]->node_count;
	struct claims claims = { .items = document_allocate(
					 plan->document, room * sizeof(struct claim)) };
	for (size_t i = 0; i < plan->count; i++)
		for (size_t k = 0; k < plan->pipelines[i]->node_count; k++) {
			const struct node *node = plan->pipelines[i]->nodes[k];
			const struct option *option = claim_of(node, role, types);
			if (option)
				claims.items[claims.count++] = (struct claim){ node, option };
		}
	return claims;
}

static void compare(const struct plan *plan, enum node_role role, unsigned types,
	bool (*same)(const struct claim *, const struct claim *), const char *remedy,
	const char *message, struct faults *faults)
{
	struct claims claims = find_claims(plan, role, types);
	for (size_t i = 1; i < claims.count; i++)
		for (size_t k = 0; k < i; k++) {
			const struct claim *claim = &claims.items[i];
			if (!same(&claims.items[k], claim))
				continue;
			fault_at(faults,
				option_value(claim->node->type->options, claim->node->value,
					claim->option->name),
				remedy, "\"%s\" %s", claims.items[k].node->name, message);
			break;
		}
}

/* Standard input and output are there once. */
static void find_second(
	const struct plan *plan, const char *kind, const char *remedy, struct faults *faults)
{
	const struct node *first = NULL;
	for (size_t i = 0; i < plan->count; i++)
		for (size_t k = 0; k < plan->pipelines[i]->node_count; k++) {
			const struct node *node = plan->pipelines[i]->nodes[k];
			if (strcmp(node->type->name, kind) != 0 || plan->pipelines[i]->shard > 0)
				continue;
			if (first)
				fault_at(faults, node->value, remedy, "\"%s\" is \"%s\" already",
					first->name, kind);
			else
				first = node;
		}
}

void conflicts_find(const struct plan *plan, struct faults *faults)
{
	const unsigned addresses = 1u << OPTION_ADDRESS, paths = 1u << OPTION_STRING;

	compare(plan, NODE_SOURCE, addresses, same_address,
		"give it another port, or have one source for both",
		"listens to this address already", faults);
	compare(plan, NODE_SOURCE, addresses | paths, same_passed,
		"give it the name of another .socket unit, or have one source for both",
		"listens on the sockets of this name already", faults);
	compare(plan, NODE_SOURCE, paths, same_path,
		"give it another path, or have one source for both", "listens at this path already",
		faults);
	compare(plan, NODE_SINK, paths, same_path,
		"give it another path, or have one sink for both", "writes to this file already",
		faults);
	find_second(plan, "stdin", "have one source for both", faults);
	find_second(plan, "stdout", "have one sink for both, or write to files", faults);
}
