/* What nodes are accounted for: what their batches counted, and what they said themselves. */

#include "pipeline/run.h"

#include <assert.h>
#include <string.h>

static uint64_t dropped_by(const struct account *account)
{
	uint64_t sum = 0;
	for (unsigned reason = 0; reason < DROP_REASONS; reason++)
		sum += account->dropped[reason];
	return sum;
}

/* What a tee dropped in front of the branch that begins with this node. */
static uint64_t dropped_before(const struct node *node)
{
	for (size_t i = 0; i < node->pipeline->node_count; i++) {
		const struct node *other = node->pipeline->nodes[i];
		const struct tee *tee = other->state;
		for (size_t k = 0; other->role == NODE_TEE && k < tee->count; k++)
			if (tee->branches[k].in == node->in)
				return tee->branches[k].dropped;
	}
	return 0;
}

uint64_t node_queued(const struct node *node)
{
	return node->in ? node->in->put.records - node->in->taken.records + leaving_records(node)
			: 0;
}

/* A source of connections or datagrams whose sockets are not there. */
static bool is_deaf(const struct node *node)
{
	return node->role == NODE_SOURCE && source_ops(node)->sockets && !node->up;
}

static void add_account(struct account *sum, const struct account *account)
{
	sum->filtered += account->filtered;
	for (unsigned reason = 0; reason < DROP_REASONS; reason++)
		sum->dropped[reason] += account->dropped[reason];
	sum->found += account->found;
	sum->held += account->held;
	sum->truncated += account->truncated;
	sum->peeked += account->peeked;
	sum->received += account->received;
	sum->sent += account->sent;
	sum->unread += account->unread;
	sum->refused += account->refused;
	sum->empty += account->empty;
	sum->kernel_dropped += account->kernel_dropped;
	sum->reconnects += account->reconnects;
	sum->blocked += account->blocked;
	for (unsigned reason = 0; reason < ERROR_REASONS; reason++)
		sum->errors[reason] += account->errors[reason];
	for (unsigned reason = 0; reason < COPY_REASONS; reason++)
		sum->copies.bytes[reason] += account->copies.bytes[reason];
}

static void add_counts(struct node_report *sum, const struct node_report *other)
{
	sum->records_in += other->records_in;
	sum->records_out += other->records_out;
	sum->bytes_in += other->bytes_in;
	sum->bytes_out += other->bytes_out;
	add_account(&sum->account, &other->account);
}

void report_node(const struct node *node, struct node_report *report)
{
	assert(node->in || node->role == NODE_SOURCE);
	uint64_t before = node->in ? dropped_before(node) : 0;
	*report = (struct node_report){ .account = node->account,
		.connections = node->connections,
		.up = node->up,
		.deaf = is_deaf(node),
		.down = node->down_since ? node_now(node) - node->down_since : 0 };
	report->account.dropped[DROP_WHEN_FULL] += before;
	if (node->blocked_since)
		report->account.blocked += node_now(node) - node->blocked_since;
	report->held = node_queued(node) + node->account.held;
	if (!node->in) {
		report->bytes_in = node->account.received;
		if (node->expected > node->account.received)
			report->unread = node->expected - node->account.received;
	} else {
		report->records_in = node->in->put.records + before + node->account.found +
				     leaving_records(node);
		report->bytes_in = node->in->put.bytes + leaving_bytes(node);
		report->pins = node->in->pins;
	}
	report->records_out = node->given.records;
	report->bytes_out = node->given.bytes;
	if (node->role == NODE_TEE) {
		/* What it took, it gave: once to every branch, where what a branch could not take is counted. */
		report->records_out = node->in->taken.records - dropped_by(&node->account);
		report->bytes_out = node->in->taken.bytes;
	}
	if (node->role == NODE_SINK) {
		/* What it holds was written, and is not synced yet. */
		report->records_out =
			node->in->taken.records - dropped_by(&node->account) - node->account.held;
		report->bytes_out = node->account.sent;
	}
	add_counts(report, &node->past);
}

static struct node *find_alike(const struct pipeline *pipeline, const struct node *node)
{
	for (size_t i = 0; i < pipeline->node_count; i++)
		if (pipeline->nodes[i]->role == node->role &&
			strcmp(pipeline->nodes[i]->name, node->name) == 0)
			return pipeline->nodes[i];
	return NULL;
}

/* A source that went on took what it had counted along: the one in its place has counted nothing. */
void report_inherit(const struct pipeline *old, struct pipeline *next)
{
	for (size_t i = 0; i < old->node_count; i++) {
		struct node *heir = find_alike(next, old->nodes[i]);
		if (!heir || heir->open)
			continue;
		report_node(old->nodes[i], &heir->past);
		heir->past.held = heir->past.account.held = 0;
	}
}

/* The same node of the next shards: pipelines of one configuration are read alike. */
static const struct node *in_shard(const struct node *node, uint32_t shard)
{
	const struct pipeline *pipeline = node->pipeline;
	size_t index = 0;
	while (pipeline->nodes[index] != node)
		index++;
	return pipeline[shard].nodes[index];
}

void report_add(struct node_report *sum, const struct node_report *shard)
{
	add_counts(sum, shard);
	sum->held += shard->held;
	sum->connections += shard->connections;
	sum->unread += shard->unread;
	sum->pins += shard->pins;
	sum->up &= shard->up;
	sum->deaf |= shard->deaf;
	sum->down = shard->down > sum->down ? shard->down : sum->down;
}

void engine_report(const struct node *node, struct node_report *report)
{
	report_node(node, report);
	for (uint32_t shard = 1; node->pipeline->shard == 0 && shard < node->pipeline->shards;
		shard++) {
		struct node_report other;
		report_node(in_shard(node, shard), &other);
		report_add(report, &other);
	}
}

static bool lost_bad_data(const struct account *account)
{
	const uint64_t *dropped = account->dropped;
	return dropped[DROP_DAMAGED] || dropped[DROP_FRAMING] || dropped[DROP_INCOMPLETE] ||
	       dropped[DROP_PARSE];
}

bool node_lost_bad_data(const struct node *node)
{
	return lost_bad_data(&node->account) || lost_bad_data(&node->past.account);
}

bool node_left_unread(const struct node *node)
{
	return node->account.unread > 0 || node->past.account.unread > 0;
}

uint64_t node_undelivered(const struct node *node)
{
	if (node->optional)
		return 0;
	return node_queued(node) + node->account.held + node->account.dropped[DROP_SHUTDOWN];
}

uint64_t pipeline_undelivered(const struct pipeline *pipeline)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < pipeline->node_count; i++)
		sum += node_undelivered(pipeline->nodes[i]);
	return sum;
}

uint64_t pipeline_undelivered_bytes(const struct pipeline *pipeline)
{
	uint64_t sum = pipeline->left;
	for (size_t i = 0; i < pipeline->edge_count; i++) {
		const struct batch *batch = &pipeline->edges[i].batch;
		if (pipeline->edges[i].kind == FLOW_BYTES)
			sum += batch->put.bytes - batch->taken.bytes;
	}
	return sum;
}
