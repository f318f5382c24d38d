/* The planner: reads every pipeline, asks every node, divides the memory. Faults are gathered all along. */

#include "pipeline/plan.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "pipeline/draft.h"
#include "pipeline/headroom.h"
#include "pipeline/machine.h"
#include "pipeline/place.h"
#include "pipeline/shards.h"
#include "pipeline/trials.h"

/* --- reading ------------------------------------------------------------------------------------------------------ */

static bool is_loopback(const struct address *address)
{
	struct in_addr four;
	struct in6_addr six;
	if (inet_pton(AF_INET, address->host, &four) == 1)
		return ntohl(four.s_addr) >> 24 == IN_LOOPBACKNET;
	if (inet_pton(AF_INET6, address->host, &six) == 1)
		return IN6_IS_ADDR_LOOPBACK(&six);
	return strcasecmp(address->host, "localhost") == 0;
}

/* Whoever can connect can read how the daemon does: that other machines can is to be said. */
static void check_admin(
	const struct admin_options *admin, const struct value *root, struct faults *faults)
{
	const struct value *value = value_member(value_member(root, "service"), "admin");
	if (!admin->listen.text || admin->allow_remote || value->unknown ||
		is_loopback(&admin->listen))
		return;
	const struct value *listen = value_member(value, "listen");
	fault_at(faults, listen ? listen : value,
		"add \"allow_remote\": true beside it, or listen at 127.0.0.1",
		"\"%s\" can be reached from other machines", admin->listen.text);
}

static void read_service(struct plan *plan, const struct value *root, struct faults *faults)
{
	const struct value *value = value_member(root, "service");
	if (options_read(service_options, value, "the service", &plan->service, faults)) {
		check_admin(&plan->service.admin, root, faults);
		return;
	}
	/* The rest is looked at with what is usual. */
	struct faults none = { 0 };
	options_read(service_options, NULL, "the service", &plan->service, &none);
	faults_close(&none);
}

static void check_root(const struct value *root, struct faults *faults)
{
	static const char *const known[] = { "$schema", "service", "include", "pipelines", "tests",
		NULL };
	for (const struct value *member = root->first; member; member = member->next) {
		size_t i = 0;
		while (known[i] && strcmp(member->key, known[i]) != 0)
			i++;
		if (!known[i])
			fault_unknown_key(faults, member, "the configuration", known);
	}
}

/* The pipelines' object; NULL with a fault if there is nothing to plan. */
static const struct value *find_pipelines(const struct value *root, struct faults *faults)
{
	static const char remedy[] =
		"write \"pipelines\": { \"main\": { \"from\": \"stdin\", \"to\": \"stdout\" } }";
	const struct value *value = value_member(root, "pipelines");
	if (!value)
		fault_at(faults, root, remedy, "there is no pipeline");
	else if (value->kind != VALUE_OBJECT && !place_is_excused(value, faults))
		fault_at(faults, value, remedy, "an object is due for \"pipelines\", not %s",
			value_kind_name(value->kind));
	else if (value->kind == VALUE_OBJECT && !value->first)
		fault_at(faults, value, remedy, "there is no pipeline");
	return value && value->kind == VALUE_OBJECT ? value : NULL;
}

static bool is_wanted(const struct plan *plan, const struct value *pipeline)
{
	return !plan->only || strcmp(plan->only, pipeline->key) == 0;
}

static size_t count_shards(const struct plan *plan, const struct value *pipelines)
{
	size_t count = 0;
	for (const struct value *at = pipelines->first; at; at = at->next)
		if (is_wanted(plan, at))
			count += shards_asked_for(at);
	return count;
}

static struct budget budget_of(const struct plan *plan, const char *name)
{
	for (size_t i = 0; i < plan->budget_count; i++)
		if (strcmp(plan->budgets[i].pipeline, name) == 0)
			return plan->budgets[i];
	return (struct budget){ 0 };
}

/* The shards of one pipeline are read alike, one behind the other; what is wrong is told once. */
static void read_shards(
	struct plan *plan, struct draft *drafts, const struct value *value, struct faults *faults)
{
	uint32_t shards = shards_asked_for(value);
	for (uint32_t shard = 0; shard < shards; shard++) {
		struct faults again = { 0 };
		struct pipeline *pipeline = plan->pipelines[plan->count];
		struct draft *draft = &drafts[plan->count++];
		const struct budget budget = budget_of(plan, value->key);
		*draft = (struct draft){
			.pipeline = pipeline, .document = plan->document, .budget = budget
		};
		*pipeline = (struct pipeline){ .shard = shard,
			.shards = shards,
			.buffer_size = (uint32_t)plan->service.buffer,
			.max_record = 1 << 20 };
		read_pipeline(draft, value, shard == 0 ? faults : &again);
		if (shard == 0)
			shards_check(pipeline, faults);
		shards_name_paths(pipeline);
		draft->own_memory = pipeline->memory > 0;
		pipeline->allowance = pipeline->memory ? 0 : budget.allowance;
		pipeline->memory = pipeline->memory ? pipeline->memory / shards : budget.memory;
		faults_close(&again);
	}
}

static struct draft *read_pipelines(
	struct plan *plan, const struct value *pipelines, struct faults *faults)
{
	size_t count = count_shards(plan, pipelines);
	struct draft *drafts = document_allocate(plan->document, (count + 1) * sizeof(*drafts));
	plan->pipelines = document_allocate(plan->document, (count + 1) * sizeof(*plan->pipelines));
	struct pipeline *made = document_allocate(plan->document, (count + 1) * sizeof(*made));
	for (size_t i = 0; i < count; i++)
		plan->pipelines[i] = &made[i];
	plan->own = made;
	plan->own_count = count;
	for (const struct value *at = pipelines->first; at; at = at->next)
		if (is_wanted(plan, at))
			read_shards(plan, drafts, at, faults);
	return drafts;
}

/* --- planning ----------------------------------------------------------------------------------------------------- */

static void cast_nodes(struct plan *plan)
{
	for (size_t i = 0; plan->cast && i < plan->count; i++)
		for (size_t k = 0; k < plan->pipelines[i]->node_count; k++)
			plan->cast(plan->cast_context, plan->pipelines[i]->nodes[k]);
}

static void allow_memory(struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++) {
		struct pipeline *pipeline = plan->pipelines[i];
		if (pipeline->allowance > 0)
			continue;
		pipeline->allowance =
			pipeline->memory ? pipeline->memory : plan->service.memory / plan->count;
	}
}

/* Memory is divided only where all is well: otherwise what the nodes need is not known. */
static void plan_pipelines(struct plan *plan, struct draft *drafts, struct faults *faults)
{
	struct faults trial = { 0 };
	bool good = faults->errors == 0;
	allow_memory(plan);
	for (size_t i = 0; i < plan->count; i++)
		good = shapes_walk(&drafts[i], &trial) && good;
	faults_close(&trial);
	if (good)
		memory_divide(plan, drafts, faults);
	for (size_t i = 0; i < plan->count; i++) {
		struct faults again = { 0 };
		struct faults *told = drafts[i].pipeline->shard == 0 ? faults : &again;
		shapes_walk(&drafts[i], told);
		shapes_check_left_out(&drafts[i], told);
		faults_close(&again);
	}
}

/* What the pipelines are to each other, and the trials: a rehearsal's plan, with one of them, was checked before. */
static void check_together(struct plan *plan, struct faults *faults)
{
	trials_read(plan, faults);
	conflicts_find(plan, faults);
	cycles_find(plan, faults);
}

static void check_headroom(const struct plan *plan, struct faults *faults)
{
	const char *whose;
	uint64_t most = machine_memory(&whose);
	headroom_check(plan, most, whose, faults);
}

/* Makes what `wish` says, in `document`. */
static struct plan *create(
	const struct document *document, const struct plan *wish, struct faults *faults)
{
	const struct value *root = document->root;
	if (!root)
		return NULL;
	if (root->kind != VALUE_OBJECT) {
		fault_at(faults, root, "write { \"pipelines\": … }",
			"a configuration is an object, not %s", value_kind_name(root->kind));
		return NULL;
	}
	struct plan *plan = document_allocate(document, sizeof(*plan));
	*plan = *wish;
	plan->document = document;
	check_root(root, faults);
	read_service(plan, root, faults);
	const struct value *pipelines = find_pipelines(root, faults);
	if (pipelines) {
		struct draft *drafts = read_pipelines(plan, pipelines, faults);
		if (!plan->only)
			check_together(plan, faults);
		cast_nodes(plan);
		plan_pipelines(plan, drafts, faults);
	}
	if (faults->errors == 0 && plan->count > 0) {
		shards_assign(plan);
		if (!plan->only)
			check_headroom(plan, faults);
		return plan;
	}
	plan_destroy(plan);
	return NULL;
}

struct plan *plan_create(const struct document *document, struct faults *faults)
{
	return create(document, &(struct plan){ 0 }, faults);
}

struct plan *plan_create_within(const struct document *document, const struct budget *budgets,
	size_t count, uint64_t spare, struct faults *faults)
{
	const struct plan wish = {
		.budgets = budgets, .budget_count = count, .within = true, .spare = spare
	};
	return create(document, &wish, faults);
}

struct plan *plan_create_cast(const struct document *document, const struct budget *budget,
	plan_cast *cast, void *context, struct faults *faults)
{
	const struct plan wish = { .budgets = budget,
		.budget_count = 1,
		.only = budget->pipeline,
		.cast = cast,
		.cast_context = context };
	return create(document, &wish, faults);
}

struct edge *edge_of(const struct batch *batch)
{
	return (struct edge *)((uintptr_t)batch - offsetof(struct edge, batch));
}

bool node_feeds(const struct node *node, const struct edge *edge)
{
	if (node->role != NODE_TEE)
		return node->out == &edge->batch;
	const struct tee *tee = node->state;
	for (size_t i = 0; i < tee->count; i++)
		if (tee->branches[i].in == &edge->batch)
			return true;
	return false;
}

size_t plan_number(const struct plan *plan, const struct pipeline *pipeline)
{
	size_t number = 0;
	while (plan->pipelines[number] != pipeline)
		number++;
	return number;
}

uint32_t plan_threads(const struct plan *plan)
{
	uint32_t threads = 0;
	for (size_t i = 0; i < plan->count; i++)
		for (size_t k = 0; k < plan->pipelines[i]->node_count; k++)
			threads += plan->pipelines[i]->nodes[k]->threads;
	return threads;
}

void plan_close_node(struct node *node)
{
	if (node->role == NODE_TEE || !node->state)
		return;
	if (node->type->close)
		node->type->close(node);
	memset(node->state, 0, node->type->state_size);
}

void plan_destroy(struct plan *plan)
{
	if (!plan)
		return;
	for (size_t i = 0; i < plan->own_count; i++)
		for (size_t k = 0; k < plan->own[i].node_count; k++)
			plan_close_node(plan->own[i].nodes[k]);
}
