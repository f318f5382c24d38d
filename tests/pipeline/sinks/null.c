/* The null sink. */

#include "pipeline/registry.h"
#include "tests/support/node_bench.h"

#include <criterion/criterion.h>

static void lets_go(enum loop_wish wish)
{
	struct node_bench bench = { .kind = FLOW_RECORDS };

	node_bench_make(&bench, wish, &sink_null.type, NODE_SINK, NULL);
	node_bench_open(&bench);
	cr_assert(bench.node.up);
	node_bench_put(&bench, "a\nb\n", 4, 2);
	node_bench_put(&bench, "c\n", 2, 1);
	sink_null.write(&bench.node, &bench.batch);
	cr_assert(batch_empty(&bench.batch));
	cr_assert_eq(bench.batch.taken.records, 3);
	cr_assert_eq(bench.node.account.sent, 6);
	cr_assert_eq(bench.node.safe, bench.batch.put.views);
	node_bench_put(&bench, "before\n", 7, 1);
	batch_set_mark(&bench.batch);
	node_bench_put(&bench, "behind\n", 7, 1);
	sink_null.write(&bench.node, &bench.batch);
	cr_assert_eq(bench.batch.count, 1, "what stands behind a mark is not its to take");
	node_bench_close(&bench);
}

Test(null_sink, takes_what_is_ready_and_lets_it_go)
{
	node_bench_on_both(lets_go);
}
