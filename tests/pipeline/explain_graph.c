/* The plan as a graph. */
#include "pipeline/plan.h"

#include "tests/pipeline/kinds.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static const char example[] =
	"{ 'pipelines': { 'errors': { 'from': [ { 'tcp': ':514' }, { 'file': 'a.log' } ],"
	"   'stages': [ { 'split': { 'on': 'delimiter', 'delimiter': '\\\"\\n' } } ],"
	"   'to': [ { 'file': 'b.zst', 'stages': [ 'compress' ] },"
	"           { 'tcp': 'a:1', 'when_full': 'drop', 'name': 'relay' } ] },"
	" 'plain': { 'from': 'stdin', 'to': 'null' } } }";

static void expect(enum graph graph, const char *due)
{
	struct planned planned;
	kinds_plan_well(&planned, example);
	char *text = plan_explain_graph(planned.plan, graph);
	cr_expect_str_eq(text, due, "%s", text);
	free(text);
	kinds_close(&planned);
}

Test(explain_graph, for_graphviz, .init = kinds_add)
{
	expect(GRAPH_DOT, "digraph viewduct {\n"
			  "  rankdir=LR;\n"
			  "  subgraph cluster_0 {\n"
			  "    label=\"errors\";\n"
			  "    n0_0 [shape=cds, label=\"errors.from.0\\ntcp\"];\n"
			  "    n0_1 [shape=cds, label=\"errors.from.1\\nfile\"];\n"
			  "    n0_2 [shape=box, label=\"errors.split\\nsplit\\nlast delimiter of "
			  "the run\\ncopies aside: 1024 of 1025 streams\"];\n"
			  "    n0_3 [shape=point, label=\"tee\"];\n"
			  "    n0_4 [shape=box, label=\"errors.to.0.compress\\ncompress\\ncopies "
			  "stage ≤ 1MiB\"];\n"
			  "    n0_5 [shape=box3d, label=\"errors.to.0\\nfile\"];\n"
			  "    n0_6 [shape=box3d, label=\"errors.to.relay\\ntcp\\ncopies 0, or "
			  "thin: views under 4KiB, once, when the pool is empty\"];\n"
			  "    n0_0 -> n0_2 [label=\"bytes\"];\n"
			  "    n0_1 -> n0_2 [label=\"bytes\"];\n"
			  "    n0_2 -> n0_3 [label=\"records (\\\"\\\\x22\\\\n\\\")\"];\n"
			  "    n0_3 -> n0_4 [label=\"records (\\\"\\\\x22\\\\n\\\")\"];\n"
			  "    n0_4 -> n0_5 [label=\"frames\"];\n"
			  "    n0_3 -> n0_6 [style=dashed, label=\"records (\\\"\\\\x22\\\\n\\\"), "
			  "may drop\"];\n"
			  "  }\n"
			  "  subgraph cluster_1 {\n"
			  "    label=\"plain\";\n"
			  "    n1_0 [shape=cds, label=\"plain.from.0\\nstdin\"];\n"
			  "    n1_1 [shape=box3d, label=\"plain.to.0\\nnull\\ncopies 0, or thin: "
			  "views under 4KiB, once, when the pool is empty\"];\n"
			  "    n1_0 -> n1_1 [label=\"bytes\"];\n"
			  "  }\n"
			  "}\n");
}

Test(explain_graph, for_mermaid, .init = kinds_add)
{
	expect(GRAPH_MERMAID,
		"flowchart LR\n"
		"  subgraph p0[\"errors\"]\n"
		"    n0_0([\"errors.from.0<br/>tcp\"])\n"
		"    n0_1([\"errors.from.1<br/>file\"])\n"
		"    n0_2[\"errors.split<br/>split<br/>last delimiter of the run<br/>copies aside: "
		"1024 of 1025 streams\"]\n"
		"    n0_3((\"tee\"))\n"
		"    n0_4[\"errors.to.0.compress<br/>compress<br/>copies stage ≤ 1MiB\"]\n"
		"    n0_5[[\"errors.to.0<br/>file\"]]\n"
		"    n0_6[[\"errors.to.relay<br/>tcp<br/>copies 0, or thin: views under 4KiB, "
		"once, when the pool is empty\"]]\n"
		"    n0_0 -->|\"bytes\"| n0_2\n"
		"    n0_1 -->|\"bytes\"| n0_2\n"
		"    n0_2 -->|\"records (#34;#92;x22#92;n#34;)\"| n0_3\n"
		"    n0_3 -->|\"records (#34;#92;x22#92;n#34;)\"| n0_4\n"
		"    n0_4 -->|\"frames\"| n0_5\n"
		"    n0_3 -.->|\"records (#34;#92;x22#92;n#34;), may drop\"| n0_6\n"
		"  end\n"
		"  subgraph p1[\"plain\"]\n"
		"    n1_0([\"plain.from.0<br/>stdin\"])\n"
		"    n1_1[[\"plain.to.0<br/>null<br/>copies 0, or thin: views under 4KiB, once, "
		"when the pool is empty\"]]\n"
		"    n1_0 -->|\"bytes\"| n1_1\n"
		"  end\n");
}
