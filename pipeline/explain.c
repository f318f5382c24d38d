/* explain: the plan as a person reads it. Nothing is run, and nothing is told that the engine does not run from.
 *
 * The columns of a pipeline are as wide as their widest cell; what is copied, and who is held up, follows them.
 */

#include "pipeline/explain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/units.h"
#include "pipeline/holds.h"

enum { COLUMNS = 4 };

/* --- words -------------------------------------------------------------------------------------------------------- */

static void print_delimiter(FILE *out, const struct framing *framing)
{
	fputc('"', out);
	for (uint32_t i = 0; i < framing->delimiter_size; i++) {
		unsigned char byte = (unsigned char)framing->delimiter[i];
		if (byte == '\n')
			fputs("\\n", out);
		else if (byte < ' ' || byte > '~' || byte == '"' || byte == '\\')
			fprintf(out, "\\x%02x", byte);
		else
			fputc(byte, out);
	}
	fputc('"', out);
}

static void print_kind(FILE *out, const struct framing *framing)
{
	static const char *const names[] = { [FRAMING_DELIMITED] = "delimiter",
		[FRAMING_LENGTH] = "length",
		[FRAMING_VARINT] = "varint",
		[FRAMING_OCTETS] = "octets",
		[FRAMING_NETSTRING] = "netstring",
		[FRAMING_FIXED] = "fixed",
		[FRAMING_CSV] = "csv",
		[FRAMING_START] = "start",
		[FRAMING_NONE] = "none" };
	fputs(names[framing->kind], out);
	if (framing->kind == FRAMING_LENGTH)
		fprintf(out, ", %u bytes, %s-endian%s", framing->size,
			framing->little ? "little" : "big",
			framing->includes_header ? ", counts itself" : "");
	if (framing->kind == FRAMING_FIXED)
		fprintf(out, ", %u bytes", framing->size);
}

void explain_framing(FILE *out, const struct framing *framing)
{
	if (framing->kind != FRAMING_DELIMITED)
		print_kind(out, framing);
	else if (framing->newline)
		fputs(framing->crlf ? "newline, crlf" : "newline", out);
	else if (framing->delimiter_size == 1 && framing->delimiter[0] == '\0')
		fputs("nul", out);
	else
		print_delimiter(out, framing);
}

const char *explain_flow(enum flow_kind kind)
{
	static const char *const names[] = { "bytes", "records", "frames" };
	return names[kind];
}

void explain_carried(FILE *out, const struct edge *edge)
{
	fputs(explain_flow(edge->kind), out);
	if (!edge->consumer->framing)
		return;
	fputs(" (", out);
	explain_framing(out, edge->consumer->framing);
	fputc(')', out);
}

const struct edge *explain_edge(const struct node *node)
{
	if (node->role == NODE_SINK || node->role == NODE_TEE)
		return edge_of(node->in);
	return edge_of(node->out);
}

static void print_held_up(FILE *out, const struct node *sink)
{
	const struct pipeline *pipeline = sink->pipeline;
	const char *before = "can hold up ";
	for (size_t i = 0; i < pipeline->node_count; i++) {
		if (!holds_up(sink, pipeline->nodes[i]))
			continue;
		fprintf(out, "%s%s", before, pipeline->nodes[i]->name);
		before = ", ";
	}
	if (strcmp(before, ", ") != 0)
		fputs("holds up nobody", out);
}

static void print_when_full(FILE *out, const struct node *node)
{
	if (node->role != NODE_SINK)
		return;
	bool drop = holds_on_drop(node);
	fputs(drop ? "  drop: " : "  block: ", out);
	print_held_up(out, node);
	if (drop)
		fputs(", may lose its newest records", out);
}

/* --- the table ---------------------------------------------------------------------------------------------------- */

static void print_cell(FILE *out, const struct node *node, int column)
{
	switch (column) {
	case 0:
		fprintf(out, "%*s%s", (int)(2 * holds_depth(node)), "", node->name);
		break;
	case 1:
		fputs(node->type->name, out);
		break;
	case 2:
		explain_carried(out, explain_edge(node));
		break;
	default:
		fputs(node->how[0] ? node->how : "–", out);
		break;
	}
}

static char *cell_text(const struct node *node, int column)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	if (!out)
		return NULL;
	print_cell(out, node, column);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

/* Characters, not bytes: what continues one in UTF-8 is not counted. */
static int width_of(const char *text)
{
	int width = 0;
	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

static void measure(const struct pipeline *pipeline, int widths[COLUMNS])
{
	for (size_t i = 0; i < pipeline->node_count; i++)
		for (int column = 0; column < COLUMNS; column++) {
			char *text = cell_text(pipeline->nodes[i], column);
			int width = text ? width_of(text) : 0;
			if (width > widths[column])
				widths[column] = width;
			free(text);
		}
}

static void print_node(FILE *out, const struct node *node, const int widths[COLUMNS])
{
	fputs("  ", out);
	for (int column = 0; column < COLUMNS; column++) {
		char *text = cell_text(node, column);
		int width = text ? width_of(text) : 0;
		fprintf(out, "%s%*s", text ? text : "", widths[column] - width + 2, "");
		free(text);
	}
	fprintf(out, "copies %s", node->copies_why[0] ? node->copies_why : "0");
	print_when_full(out, node);
	fputc('\n', out);
}

static void print_pipeline(FILE *out, const struct pipeline *pipeline)
{
	int widths[COLUMNS] = { 0 };
	measure(pipeline, widths);
	fprintf(out, "\n%s\n", pipeline->name);
	for (size_t i = 0; i < pipeline->node_count; i++)
		print_node(out, pipeline->nodes[i], widths);
}

/* --- what comes first --------------------------------------------------------------------------------------------- */

uint64_t explain_reserve(const struct plan *plan)
{
	uint64_t memory = plan->service.memory;
	for (size_t i = 0; i < plan->count; i++) {
		const struct pipeline *pipeline = plan->pipelines[i];
		uint64_t taken = pipeline->memory ? pipeline->memory : pipeline->charges;
		memory -= taken < memory ? taken : memory;
	}
	return (memory + 7) / 8;
}

bool explain_has_records(const struct pipeline *pipeline)
{
	for (size_t i = 0; i < pipeline->edge_count; i++)
		if (pipeline->edges[i].kind == FLOW_RECORDS)
			return true;
	return false;
}

/* Sizes that came about are rounded; those that were written stand as written. */
static const char *rounded(uint64_t bytes, char text[32])
{
	if (bytes < 1024)
		snprintf(text, 32, "%llu B", (unsigned long long)bytes);
	else if (bytes < 1024 * 1024)
		snprintf(text, 32, "%.1f KiB", (double)bytes / 1024);
	else
		snprintf(text, 32, "%.1f MiB", (double)bytes / (1024 * 1024));
	return text;
}

static void print_memory_of(FILE *out, const struct pipeline *pipeline)
{
	char pool[32], size[32], charges[32], text[32];
	rounded((uint64_t)pipeline->buffers * pool_buffer_cost(pipeline->buffer_size), pool);
	fprintf(out, "  %s: ", pipeline->name);
	if (pipeline->shards > 1)
		fprintf(out, "%u shards, each ", pipeline->shards);
	fprintf(out, "pool %s = %u buffers × %s, charges %s", pool, pipeline->buffers,
		size_format(pipeline->buffer_size, size), rounded(pipeline->charges, charges));
	if (explain_has_records(pipeline))
		fprintf(out, ", max_record %s unless set", size_format(pipeline->max_record, text));
	if (pipeline->memory)
		fprintf(out, ", from its own %s", size_format(pipeline->memory, text));
	fputc('\n', out);
}

static void print_head(FILE *out, const struct plan *plan, const char *backend, const char *why)
{
	char memory[32], reserve[32];
	fprintf(out, "backend  %s%s%s%s\n", backend, why ? " (" : "", why ? why : "",
		why ? ")" : "");
	fprintf(out, "workers  %u\n", plan->workers);
	fprintf(out, "memory   %s, of which %s is kept for a reload\n",
		size_format(plan->service.memory, memory), rounded(explain_reserve(plan), reserve));
	for (size_t i = 0; i < plan->count; i++)
		if (plan->pipelines[i]->shard == 0)
			print_memory_of(out, plan->pipelines[i]);
}

char *plan_explain(const struct plan *plan, const char *backend, const char *why)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	if (!out)
		return NULL;
	print_head(out, plan, backend, why);
	for (size_t i = 0; i < plan->count; i++)
		if (plan->pipelines[i]->shard == 0)
			print_pipeline(out, plan->pipelines[i]);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}
