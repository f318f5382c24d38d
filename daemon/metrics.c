/* Metrics. */
#include "daemon/metrics.h"

#include "daemon/process.h"
#include "daemon/version.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What goes along while the families are written. */
struct page {
	FILE *out;
	const struct snapshot *snapshot;
	const char *family;
};

/* Names of pipelines and nodes are [a-z0-9_.-], so labels need no escaping. */

static void begin(struct page *page, const char *family, const char *type, const char *help)
{
	page->family = family;
	fprintf(page->out, "# HELP %s %s\n# TYPE %s %s\n", family, help, family, type);
}

static void single(struct page *page, uint64_t value)
{
	fprintf(page->out, "%s %" PRIu64 "\n", page->family, value);
}

/* `extra`: more labels, with a comma in front, or "". */
static void node_line(struct page *page, const struct node *node, const char *extra, uint64_t value)
{
	fprintf(page->out, "%s{pipeline=\"%s\",node=\"%s\"%s} %" PRIu64 "\n", page->family,
		node->pipeline->name, node->name, extra, value);
}

typedef void each_node(
	struct page *page, const struct node *node, const struct node_report *report);

static void walk(struct page *page, each_node *write)
{
	const struct plan *plan = page->snapshot->plan;
	struct node_report report;

	for (size_t i = 0; i < plan->count; i++) {
		const struct pipeline *pipeline = plan->pipelines[i];
		for (size_t k = 0; pipeline->shard == 0 && k < pipeline->node_count; k++) {
			snapshot_node(page->snapshot, pipeline, k, &report);
			write(page, pipeline->nodes[k], &report);
		}
	}
}

static void node_records(
	struct page *page, const struct node *node, const struct node_report *report)
{
	node_line(page, node, ",direction=\"in\"", report->records_in);
	node_line(page, node, ",direction=\"out\"", report->records_out);
}

static void node_bytes(struct page *page, const struct node *node, const struct node_report *report)
{
	node_line(page, node, ",direction=\"in\"", report->bytes_in);
	node_line(page, node, ",direction=\"out\"", report->bytes_out);
}

static void node_filtered(
	struct page *page, const struct node *node, const struct node_report *report)
{
	node_line(page, node, "", report->account.filtered);
}

static void node_held(struct page *page, const struct node *node, const struct node_report *report)
{
	node_line(page, node, "", report->held);
}

static void with_reason(
	struct page *page, const struct node *node, const char *reason, uint64_t value)
{
	char label[64];

	snprintf(label, sizeof(label), ",reason=\"%s\"", reason);
	node_line(page, node, label, value);
}

static void node_dropped(
	struct page *page, const struct node *node, const struct node_report *report)
{
	for (unsigned i = 0; i < DROP_REASONS; i++)
		with_reason(page, node, drop_reason_name((enum drop_reason)i),
			report->account.dropped[i]);
}

static void node_copied(
	struct page *page, const struct node *node, const struct node_report *report)
{
	for (unsigned i = 0; i < COPY_REASONS; i++)
		with_reason(page, node, copy_reason_name((enum copy_reason)i),
			report->account.copies.bytes[i]);
}

static void node_errors(
	struct page *page, const struct node *node, const struct node_report *report)
{
	for (unsigned i = 0; i < ERROR_REASONS; i++)
		with_reason(page, node, error_reason_name((enum error_reason)i),
			report->account.errors[i]);
}

static void node_peeked(
	struct page *page, const struct node *node, const struct node_report *report)
{
	node_line(page, node, "", report->account.peeked);
}

static void node_connections(
	struct page *page, const struct node *node, const struct node_report *report)
{
	if (node->role == NODE_SOURCE)
		node_line(page, node, "", report->connections);
}

static void node_up(struct page *page, const struct node *node, const struct node_report *report)
{
	if (node->role == NODE_SINK)
		node_line(page, node, "", report->up);
}

static void node_reconnects(
	struct page *page, const struct node *node, const struct node_report *report)
{
	if (node->role == NODE_SINK)
		node_line(page, node, "", report->account.reconnects);
}

static void node_blocked(
	struct page *page, const struct node *node, const struct node_report *report)
{
	fprintf(page->out, "%s{pipeline=\"%s\",node=\"%s\"} %.3f\n", page->family,
		node->pipeline->name, node->name, (double)report->account.blocked / 1e3);
}

/* The families that have a series for each node, or each of a role. */
static const struct family {
	const char *name, *type, *help;
	each_node *write;
} families[] = {
	{ "viewduct_records_total", "counter", "Records that entered and left a node.",
		node_records },
	{ "viewduct_bytes_total", "counter", "Bytes that entered and left a node.", node_bytes },
	{ "viewduct_filtered_records_total", "counter", "Records that a filter did not keep.",
		node_filtered },
	{ "viewduct_dropped_records_total", "counter", "Records that were lost, and why.",
		node_dropped },
	{ "viewduct_held_records", "gauge", "Records that wait in front of a node or in it.",
		node_held },
	{ "viewduct_copied_bytes_total", "counter", "Payload bytes that were copied, and why.",
		node_copied },
	{ "viewduct_peeked_bytes_total", "counter", "Bytes gathered only to be looked at.",
		node_peeked },
	{ "viewduct_errors_total", "counter",
		"What failed outside and is tried again, and at what.", node_errors },
	{ "viewduct_blocked_seconds_total", "counter",
		"How long those before a node had to wait for it.", node_blocked },
	{ "viewduct_connections", "gauge", "Open connections of a source.", node_connections },
	{ "viewduct_sink_up", "gauge", "1 if a sink can write.", node_up },
	{ "viewduct_reconnects_total", "counter",
		"Connections that a sink made after one was lost or could not be made.",
		node_reconnects },
};

static void write_nodes(struct page *page)
{
	for (size_t i = 0; i < sizeof(families) / sizeof(*families); i++) {
		begin(page, families[i].name, families[i].type, families[i].help);
		walk(page, families[i].write);
	}
}

static uint64_t in_flight(const struct snapshot *snapshot, const struct pipeline *pipeline)
{
	struct node_report report;
	uint64_t sum = 0;

	for (size_t k = 0; k < pipeline->node_count; k++) {
		snapshot_node(snapshot, pipeline, k, &report);
		sum += report.held;
	}
	return sum;
}

static void write_pipelines(struct page *page)
{
	const struct snapshot *snapshot = page->snapshot;
	const struct plan *plan = snapshot->plan;

	begin(page, "viewduct_in_flight_records", "gauge",
		"Records that were read and are not written yet.");
	for (size_t i = 0; i < plan->count; i++)
		if (plan->pipelines[i]->shard == 0)
			fprintf(page->out, "%s{pipeline=\"%s\"} %" PRIu64 "\n", page->family,
				plan->pipelines[i]->name, in_flight(snapshot, plan->pipelines[i]));
	begin(page, "viewduct_pool_buffers", "gauge", "Buffers of a shard's pool.");
	for (size_t i = 0; i < plan->count; i++) {
		const struct pipeline *pipeline = plan->pipelines[i];
		const struct pool_report *pool = &snapshot->pools[i];
		fprintf(page->out,
			"%s{pipeline=\"%s\",shard=\"%u\",state=\"free\"} %u\n"
			"%s{pipeline=\"%s\",shard=\"%u\",state=\"used\"} %u\n",
			page->family, pipeline->name, pipeline->shard, pool->free, page->family,
			pipeline->name, pipeline->shard, pool->count - pool->free);
	}
}

struct sums {
	uint64_t truncated, kernel_dropped, accept_errors, unread;
};

static struct sums sum_up(const struct snapshot *snapshot)
{
	struct sums sums = { 0 };

	for (size_t i = 0; i < snapshot->node_count; i++) {
		const struct node_report *report = &snapshot->nodes[i];
		sums.truncated += report->account.truncated;
		sums.kernel_dropped += report->account.kernel_dropped;
		sums.accept_errors += report->account.errors[ERROR_ACCEPT];
		sums.unread += report->unread;
	}
	return sums;
}

static void write_sums(struct page *page)
{
	const struct sums sums = sum_up(page->snapshot);

	begin(page, "viewduct_truncated_records_total", "counter",
		"Records that were cut to max_record.");
	single(page, sums.truncated);
	begin(page, "viewduct_kernel_dropped_datagrams_total", "counter",
		"Datagrams that the kernel dropped because its queue was full.");
	single(page, sums.kernel_dropped);
	begin(page, "viewduct_accept_errors_total", "counter",
		"Connections that could not be accepted.");
	single(page, sums.accept_errors);
	begin(page, "viewduct_unread_bytes", "gauge",
		"Bytes of files that there are to read, as far as that is known.");
	single(page, sums.unread);
}

static void write_turns(struct page *page)
{
	const struct snapshot *snapshot = page->snapshot;
	struct turn_times all = { 0 };
	uint64_t count = 0;

	for (uint32_t i = 0; i < snapshot->plan->workers; i++) {
		const struct turn_times *turns = &snapshot->workers[i].turns;
		for (unsigned k = 0; k <= TURN_LIMITS; k++)
			all.counts[k] += turns->counts[k];
		all.ns += turns->ns;
	}
	begin(page, "viewduct_loop_seconds", "histogram",
		"How long a turn of the event loop took, waiting not included.");
	for (unsigned k = 0; k < TURN_LIMITS; k++) {
		count += all.counts[k];
		fprintf(page->out, "%s_bucket{le=\"%g\"} %" PRIu64 "\n", page->family,
			engine_turn_limits[k], count);
	}
	count += all.counts[TURN_LIMITS];
	fprintf(page->out,
		"%s_bucket{le=\"+Inf\"} %" PRIu64 "\n%s_sum %.6f\n%s_count %" PRIu64 "\n",
		page->family, count, page->family, (double)all.ns / 1e9, page->family, count);
}

static void write_about(struct page *page, const struct metrics_about *about)
{
	begin(page, "viewduct_config_generation", "gauge",
		"1 at start, one more with each reload of the configuration.");
	single(page, about->generation);
	begin(page, "viewduct_config_reload_failures_total", "counter",
		"Reloads that were refused.");
	single(page, about->reload_failures);
	begin(page, "viewduct_io_backend", "gauge", "1 for the backend in use.");
	fprintf(page->out, "%s{backend=\"uring\"} %d\n%s{backend=\"epoll\"} %d\n", page->family,
		strcmp(about->backend, "uring") == 0, page->family,
		strcmp(about->backend, "epoll") == 0);
	begin(page, "viewduct_build_info", "gauge", "1, with the version.");
	fprintf(page->out, "%s{version=\"%s\"} 1\n", page->family, version_number);
}

static void write_process(struct page *page)
{
	struct process process;

	process_look(&process);
	begin(page, "process_cpu_seconds_total", "counter", "User and system CPU time spent.");
	fprintf(page->out, "%s %.6f\n", page->family, process.cpu_seconds);
	begin(page, "process_start_time_seconds", "gauge", "Start, in seconds since 1970.");
	fprintf(page->out, "%s %.3f\n", page->family, process.start_time);
	begin(page, "process_resident_memory_bytes", "gauge", "Resident memory.");
	single(page, process.resident);
	begin(page, "process_virtual_memory_bytes", "gauge", "Virtual memory.");
	single(page, process.virtual_memory);
	begin(page, "process_open_fds", "gauge", "Open file descriptors.");
	single(page, process.open_files);
	begin(page, "process_max_fds", "gauge", "The most file descriptors that may be open.");
	single(page, process.most_files);
}

char *metrics_text(const struct snapshot *snapshot, const struct metrics_about *about)
{
	char *text = NULL;
	size_t size = 0;
	struct page page = { .snapshot = snapshot, .out = open_memstream(&text, &size) };

	if (!page.out)
		return NULL;
	write_nodes(&page);
	write_pipelines(&page);
	write_sums(&page);
	write_turns(&page);
	write_about(&page, about);
	write_process(&page);
	if (fclose(page.out) == 0)
		return text;
	free(text);
	return NULL;
}
