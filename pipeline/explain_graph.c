/* explain --graph: the plan as a graph, in the language of Graphviz (https://graphviz.org/doc/info/lang.html) or as a
 * flowchart of Mermaid (https://mermaid.js.org/syntax/flowchart.html).
 *
 *     a box      a node: its name, its kind and how it does its work
 *     an arrow   an edge with what it carries; dashed where its branch drops what it cannot take
 */

#include "pipeline/explain.h"

#include <stdlib.h>
#include <string.h>

#include "pipeline/holds.h"

struct drawing {
	FILE *out;
	enum graph graph;
	size_t pipeline; /* its number: part of its nodes' names in the graph */
};

/* --- texts -------------------------------------------------------------------------------------------------------- */

/* Inside of quotes: what would end them, or has a meaning there, is written in another way. */
static void print_safe(const struct drawing *drawing, const char *text)
{
	for (; *text; text++) {
		const bool control = (unsigned char)*text < ' ';
		if (drawing->graph == GRAPH_MERMAID && strchr("\"#<>&;`\\", *text))
			fprintf(drawing->out, "#%d;", *text);
		else if (drawing->graph == GRAPH_DOT && strchr("\"\\", *text))
			fprintf(drawing->out, "\\%c", *text);
		else
			fputc(control ? ' ' : *text, drawing->out);
	}
}

static void print_break(const struct drawing *drawing)
{
	fputs(drawing->graph == GRAPH_DOT ? "\\n" : "<br/>", drawing->out);
}

static void print_carried(const struct drawing *drawing, const struct edge *edge)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	if (!out)
		return;
	explain_carried(out, edge);
	if (fclose(out) == 0)
		print_safe(drawing, text);
	free(text);
}

static void print_node_text(const struct drawing *drawing, const struct node *node)
{
	print_safe(drawing, node->name);
	print_break(drawing);
	print_safe(drawing, node->type->name);
	if (node->how[0]) {
		print_break(drawing);
		print_safe(drawing, node->how);
	}
	if (node->copies_why[0]) {
		print_break(drawing);
		fputs("copies ", drawing->out);
		print_safe(drawing, node->copies_why);
	}
}

/* --- nodes and edges ---------------------------------------------------------------------------------------------- */

static size_t number_of(const struct node *node)
{
	size_t number = 0;
	while (node->pipeline->nodes[number] != node)
		number++;
	return number;
}

static void print_id(const struct drawing *drawing, const struct node *node)
{
	fprintf(drawing->out, "n%zu_%zu", drawing->pipeline, number_of(node));
}

static void print_node(const struct drawing *drawing, const struct node *node)
{
	static const char *const shapes[] = { "cds", "box", "point", "box3d" };
	static const char *const opened[] = { "([\"", "[\"", "((\"", "[[\"" };
	static const char *const closed[] = { "\"])", "\"]", "\"))", "\"]]" };
	fputs("    ", drawing->out);
	print_id(drawing, node);
	if (drawing->graph == GRAPH_DOT)
		fprintf(drawing->out, " [shape=%s, label=\"", shapes[node->role]);
	else
		fputs(opened[node->role], drawing->out);
	if (node->role == NODE_TEE)
		print_safe(drawing, node->type->name);
	else
		print_node_text(drawing, node);
	fputs(drawing->graph == GRAPH_DOT ? "\"];" : closed[node->role], drawing->out);
	fputc('\n', drawing->out);
}

static void print_edge(
	const struct drawing *drawing, const struct node *from, const struct edge *edge)
{
	const struct branch *branch = holds_branch(edge);
	bool drops = branch && branch->drop, is_dot = drawing->graph == GRAPH_DOT;
	fputs("    ", drawing->out);
	print_id(drawing, from);
	if (is_dot) {
		fputs(" -> ", drawing->out);
		print_id(drawing, edge->consumer);
		fputs(drops ? " [style=dashed, label=\"" : " [label=\"", drawing->out);
	} else {
		fputs(drops ? " -.->|\"" : " -->|\"", drawing->out);
	}
	print_carried(drawing, edge);
	fputs(drops ? ", may drop\"" : "\"", drawing->out);
	fputs(is_dot ? "];" : "| ", drawing->out);
	if (!is_dot)
		print_id(drawing, edge->consumer);
	fputc('\n', drawing->out);
}

static void print_edges(const struct drawing *drawing, const struct pipeline *pipeline)
{
	for (size_t i = 0; i < pipeline->edge_count; i++)
		for (size_t k = 0; k < pipeline->node_count; k++)
			if (node_feeds(pipeline->nodes[k], &pipeline->edges[i]))
				print_edge(drawing, pipeline->nodes[k], &pipeline->edges[i]);
}

/* --- pipelines ---------------------------------------------------------------------------------------------------- */

static void print_pipeline(const struct drawing *drawing, const struct pipeline *pipeline)
{
	bool is_dot = drawing->graph == GRAPH_DOT;
	fprintf(drawing->out,
		is_dot ? "  subgraph cluster_%zu {\n    label=\"" : "  subgraph p%zu[\"",
		drawing->pipeline);
	print_safe(drawing, pipeline->name);
	if (pipeline->shards > 1)
		fprintf(drawing->out, " × %u", pipeline->shards);
	fputs(is_dot ? "\";\n" : "\"]\n", drawing->out);
	for (size_t i = 0; i < pipeline->node_count; i++)
		print_node(drawing, pipeline->nodes[i]);
	print_edges(drawing, pipeline);
	fputs(is_dot ? "  }\n" : "  end\n", drawing->out);
}

static void print_plan(struct drawing *drawing, const struct plan *plan)
{
	bool is_dot = drawing->graph == GRAPH_DOT;
	fputs(is_dot ? "digraph viewduct {\n  rankdir=LR;\n" : "flowchart LR\n", drawing->out);
	for (size_t i = 0; i < plan->count; i++) {
		drawing->pipeline = i;
		if (plan->pipelines[i]->shard == 0)
			print_pipeline(drawing, plan->pipelines[i]);
	}
	fputs(is_dot ? "}\n" : "", drawing->out);
}

char *plan_explain_graph(const struct plan *plan, enum graph graph)
{
	char *text = NULL;
	size_t size;
	struct drawing drawing = { .out = open_memstream(&text, &size), .graph = graph };
	if (!drawing.out)
		return NULL;
	print_plan(&drawing, plan);
	if (fclose(drawing.out) == 0)
		return text;
	free(text);
	return NULL;
}
