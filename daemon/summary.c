/* The summary of a run. */
#include "daemon/summary.h"

#include "config/units.h"
#include "pipeline/engine.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct row {
	const char *name, *kind;
	char records[32], bytes[32];
	char what[240];
};

/* "1,234,567". */
static char *grouped(uint64_t number, char text[32])
{
	char digits[32];

	snprintf(digits, sizeof(digits), "%" PRIu64, number);
	return digits_for_people(digits, text);
}

__attribute__((format(printf, 2, 3))) static void tell(struct row *row, const char *format, ...)
{
	const size_t used = strlen(row->what);
	const char *comma = used ? ", " : "";
	char piece[120];
	va_list list;

	va_start(list, format);
	vsnprintf(piece, sizeof(piece), format, list);
	va_end(list);
	snprintf(row->what + used, sizeof(row->what) - used, "%s%s", comma, piece);
}

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100 * (double)part / (double)whole : 0;
}

/* What a node did, in the words of its role. */
static void tell_work(struct row *row, const struct node *node, const struct node_report *report)
{
	char count[32];
	const uint64_t filtered = report->account.filtered;

	if (node->role == NODE_SOURCE)
		tell(row, "read");
	else if (node->role == NODE_SINK)
		tell(row, "written");
	else if (node->role == NODE_TEE)
		tell(row, "to each branch");
	else if (!node->out)
		return;
	else if (node->in->kind == FLOW_BYTES && node->out->kind == FLOW_RECORDS)
		tell(row, "found");
	else if (node->out->kind == FLOW_FRAMES && report->bytes_out > 0)
		tell(row, "%.2f : 1", (double)report->bytes_in / (double)report->bytes_out);
	else if (node->in->kind == FLOW_RECORDS && report->records_in > 0)
		tell(row, "%.3g %% kept", percent(report->records_out, report->records_in));
	if (filtered > 0)
		tell(row, "%s filtered", grouped(filtered, count));
}

static void tell_losses(struct row *row, const struct node_report *report)
{
	char count[32];

	for (unsigned reason = 0; reason < DROP_REASONS; reason++)
		if (report->account.dropped[reason] > 0)
			tell(row, "%s dropped (%s)",
				grouped(report->account.dropped[reason], count),
				drop_reason_name((enum drop_reason)reason));
	if (report->account.unread > 0)
		tell(row, "%s not read", grouped(report->account.unread, count));
	if (report->account.refused > 0)
		tell(row, "%s refused", grouped(report->account.refused, count));
	if (report->account.kernel_dropped > 0)
		tell(row, "%s dropped by the kernel",
			grouped(report->account.kernel_dropped, count));
	if (report->account.truncated > 0)
		tell(row, "%s truncated", grouped(report->account.truncated, count));
	if (report->held > 0)
		tell(row, "%s held", grouped(report->held, count));
}

/* A tee is shown only where the other rows would not add up without it. */
static bool has_losses(const struct node *node)
{
	struct node_report report;

	engine_report(node, &report);
	for (unsigned reason = 0; reason < DROP_REASONS; reason++)
		if (report.account.dropped[reason] > 0)
			return true;
	return false;
}

static struct row make_row(const struct pipeline *pipeline, const struct node *node)
{
	struct row row = { .kind = node->type->name };
	struct node_report report;
	const size_t prefix = strlen(pipeline->name) + 1;

	engine_report(node, &report);
	row.name = strlen(node->name) > prefix ? node->name + prefix : node->name;
	if (!node->out || node->out->kind != FLOW_BYTES)
		grouped(report.records_out, row.records);
	bytes_for_people((double)report.bytes_out, row.bytes);
	tell_work(&row, node, &report);
	tell_losses(&row, &report);
	return row;
}

static size_t longer(size_t width, const char *text)
{
	const size_t size = strlen(text);
	return size > width ? size : width;
}

static void print_rows(FILE *out, const struct row *rows, size_t count)
{
	size_t name = 0, kind = 0, records = strlen("records"), bytes = strlen("bytes");

	for (size_t i = 0; i < count; i++) {
		name = longer(name, rows[i].name);
		kind = longer(kind, rows[i].kind);
		records = longer(records, rows[i].records);
		bytes = longer(bytes, rows[i].bytes);
	}
	fprintf(out, "  %-*s  %-*s  %*s  %*s\n", (int)name, "", (int)kind, "", (int)records,
		"records", (int)bytes, "bytes");
	for (size_t i = 0; i < count; i++)
		fprintf(out, "  %-*s  %-*s  %*s  %*s  %s\n", (int)name, rows[i].name, (int)kind,
			rows[i].kind, (int)records, rows[i].records, (int)bytes, rows[i].bytes,
			rows[i].what);
}

struct totals {
	uint64_t bytes, records; /* in */
	struct copies copies;
};

static struct totals sum_up(const struct pipeline *pipeline)
{
	struct totals totals = { 0 };

	for (size_t i = 0; i < pipeline->node_count; i++) {
		struct node_report report;
		engine_report(pipeline->nodes[i], &report);
		for (unsigned reason = 0; reason < COPY_REASONS; reason++)
			totals.copies.bytes[reason] += report.account.copies.bytes[reason];
		totals.bytes += report.account.received;
		totals.records += report.account.found;
	}
	return totals;
}

static void print_copies(FILE *out, const struct copies *copies)
{
	char text[32];
	const char *between = " (";

	fprintf(out, "%s copied", bytes_for_people((double)copies_sum(copies), text));
	if (copies_sum(copies) == 0)
		return;
	for (unsigned reason = 0; reason < COPY_REASONS; reason++)
		if (copies->bytes[reason] > 0) {
			fprintf(out, "%s%s %s", between, copy_reason_name((enum copy_reason)reason),
				bytes_for_people((double)copies->bytes[reason], text));
			between = ", ";
		}
	fprintf(out, ")");
}

/* Of the shard that needed most. */
static void print_buffers(FILE *out, const struct pipeline *pipeline)
{
	char size[32];
	uint32_t most = 0;

	for (uint32_t shard = 0; shard < pipeline->shards; shard++) {
		if (!pipeline[shard].pool)
			return;
		if (pool_most_used(pipeline[shard].pool) > most)
			most = pool_most_used(pipeline[shard].pool);
	}
	fprintf(out, "at most %u of %u buffers of %s used%s; ", most, pool_count(pipeline->pool),
		size_format(pool_buffer_size(pipeline->pool), size),
		pipeline->shards > 1 ? " by a shard" : "");
}

static void print_footer(
	FILE *out, const struct pipeline *pipeline, const char *backend, uint64_t ns)
{
	const struct totals totals = sum_up(pipeline);
	const double seconds = (double)(ns ? ns : 1) / 1e9;
	char text[32];

	fprintf(out, "\n  %s/s", bytes_for_people((double)totals.bytes / seconds, text));
	if (totals.records > 0)
		fprintf(out, ", %s records/s",
			grouped((uint64_t)((double)totals.records / seconds), text));
	fprintf(out, "; ");
	print_buffers(out, pipeline);
	print_copies(out, &totals.copies);
	fprintf(out, "; io %s\n", backend);
}

static bool print_pipeline(
	FILE *out, const struct pipeline *pipeline, const char *backend, uint64_t ns)
{
	struct row *rows = calloc(pipeline->node_count, sizeof(*rows));
	size_t count = 0;

	if (!rows)
		return false;
	for (size_t i = 0; i < pipeline->node_count; i++)
		if (pipeline->nodes[i]->role != NODE_TEE || has_losses(pipeline->nodes[i]))
			rows[count++] = make_row(pipeline, pipeline->nodes[i]);
	fprintf(out, "\n%s: ended after %.3f s\n\n", pipeline->name, (double)ns / 1e9);
	print_rows(out, rows, count);
	print_footer(out, pipeline, backend, ns);
	free(rows);
	return true;
}

char *summary_text(const struct plan *plan, const char *backend, uint64_t ns)
{
	char *text = NULL;
	size_t size = 0;
	bool fine = true;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	for (size_t i = 0; i < plan->count && fine; i++)
		if (plan->pipelines[i]->shard == 0)
			fine = print_pipeline(out, plan->pipelines[i], backend, ns);
	if (fclose(out) == 0 && fine)
		return text;
	free(text);
	return NULL;
}

/* What only few have. */
static void print_rare(FILE *out, const char *name, uint64_t count)
{
	if (count > 0)
		fprintf(out, ",\"%s\":%" PRIu64, name, count);
}

static void print_node_json(FILE *out, const struct node *node)
{
	struct node_report report;

	engine_report(node, &report);
	fprintf(out,
		"\"%s\":{\"records_in\":%" PRIu64 ",\"records_out\":%" PRIu64
		",\"bytes_in\":%" PRIu64 ",\"bytes_out\":%" PRIu64 ",\"filtered\":%" PRIu64
		",\"dropped\":{",
		node->name, report.records_in, report.records_out, report.bytes_in,
		report.bytes_out, report.account.filtered);
	for (unsigned reason = 0; reason < DROP_REASONS; reason++)
		fprintf(out, "%s\"%s\":%" PRIu64, reason ? "," : "",
			drop_reason_name((enum drop_reason)reason), report.account.dropped[reason]);
	fprintf(out, "},\"copied\":{");
	for (unsigned reason = 0; reason < COPY_REASONS; reason++)
		fprintf(out, "%s\"%s\":%" PRIu64, reason ? "," : "",
			copy_reason_name((enum copy_reason)reason),
			report.account.copies.bytes[reason]);
	fprintf(out, "},\"held\":%" PRIu64, report.held);
	print_rare(out, "truncated", report.account.truncated);
	print_rare(out, "kernel_dropped", report.account.kernel_dropped);
	print_rare(out, "refused", report.account.refused);
	print_rare(out, "empty", report.account.empty);
	fprintf(out, "}");
}

char *summary_json(const struct plan *plan)
{
	char *text = NULL;
	size_t size = 0;
	const char *comma = "";
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	fprintf(out, "{\"event\":\"summary\",\"nodes\":{");
	for (size_t i = 0; i < plan->count; i++)
		for (size_t k = 0;
			plan->pipelines[i]->shard == 0 && k < plan->pipelines[i]->node_count; k++) {
			fprintf(out, "%s", comma);
			print_node_json(out, plan->pipelines[i]->nodes[k]);
			comma = ",";
		}
	fprintf(out, "}}\n");
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}
