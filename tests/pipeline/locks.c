/* Nothing that a branch, a frame or a reader keeps may stop what does not wait for it: locks that were found, and losses. */

#include "pipeline/registry.h"
#include "tests/support/bench.h"
#include "tests/support/running.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FILES = 30, FILE_SIZE = 62 * 1024 };

static char *numbered(unsigned lines, size_t *size)
{
	char *text = NULL;
	FILE *file = open_memstream(&text, size);
	cr_assert(file);
	for (unsigned i = 0; i < lines; i++)
		fprintf(file, "line %u %.*s\n", i, (int)(i * 7 % 60),
			"............................................................");
	fclose(file);
	return text;
}

/* The mark of an epoch lies in a drop branch for ever, and the next epoch comes. */
Test(locks, an_epoch_that_a_drop_branch_still_has_does_not_meet_the_next, .timeout = 30)
{
	size_t size;
	char *text = numbered(60000, &size);
	struct segment segment = { .data = text, .size = size, .flags = VIEW_END };
	struct bench bench = { .stages = "[\"split\"]",
		.to = "[\"bench\",{\"bench\":{},\"when_full\":\"drop\","
		      "\"stages\":[{\"compress\":{\"codec\":\"lz4\",\"frame\":\"4KiB\"}}]}]",
		.buffer = "64B",
		.memory = "2MiB",
		.segments = &segment,
		.segment_count = 1,
		.seed = 1,
		.stuck = "bench.to.1",
		.speed = 100,
		.epoch_ms = 1 };
	bench_run(&bench);
	cr_assert_gt(bench.commits, 2, "%u commits", bench.commits);
	cr_assert_eq(bench.out_size[0], size);
	cr_assert(bench_balances(&bench));
	bench_free(&bench);
	free(text);
}

static int listen_somewhere(uint16_t *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert(fd >= 0);
	cr_assert_eq(bind(fd, (struct sockaddr *)&address, size), 0);
	cr_assert_eq(listen(fd, 8), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	*port = ntohs(address.sin_port);
	return fd;
}

/* All is committed, and a sink takes its time to finish: no epoch is due any more. */
Test(locks, after_the_last_epoch_none_is_due, .timeout = 30)
{
	uint16_t port;
	char to[64];
	int listener = listen_somewhere(&port);
	struct segment segment = { .data = "one\n", .size = 4, .flags = VIEW_END };
	snprintf(to, sizeof(to), "{\"tcp\":\"127.0.0.1:%u\"}", port);
	struct bench bench = { .stages = "[\"split\"]",
		.to = to,
		.segments = &segment,
		.segment_count = 1,
		.epoch_ms = 1 };
	bench_run(&bench);
	cr_assert_eq(bench.committed[0], 4);
	bench_free(&bench);
	close(listener);
}

static bool has_frames(void *context)
{
	const struct node *node = context;
	return node->in->put.views > 0;
}

static void close_with_frames(struct running *running)
{
	file_put("in", "%0*d\n%0*d\n%0*d\n", 3000, 1, 3000, 2, 3000, 3);
	cr_assert(running_open(running, "",
		"'p':{'from':{'file':{'path':'in','follow':false}},'stages':['split',"
		"{'compress':{'codec':'lz4','frame':'4KiB'}}],'to':{'tcp':'127.0.0.1:1'}}"));
	running_until(running, has_frames, running_node(running, "p.to.0"));
	running_close(running);
}

Test(locks, frames_that_nobody_took_do_not_outlive_their_codec, .timeout = 30)
{
	running_on_both(close_with_frames);
}

static void refuse_dropped_frames(struct running *running)
{
	cr_assert_not(running_open(running, "",
		"'p':{'from':'stdin','stages':['split',{'compress':'zstd'}],"
		"'to':[{'file':'out'},{'file':'other','when_full':'drop'}]}"));
	running_close(running);
}

Test(locks, frames_are_not_dropped_for_they_hold_the_codecs_blocks)
{
	running_on_both(refuse_dropped_frames);
}

enum { LARGE = 4, SMALL = 60, ROUNDS = 4 };

static const char half_line[2][48] = { "the beginning of a line and of its middle: ",
	"the end of a line as long as its beginning\n" };

/* First the large streams, whose only line does not end, then the small ones, whose lines come in halves: all the first
 * ones before the second ones. */
static struct segment *in_halves(const char *large, size_t size, size_t *count)
{
	struct segment *segments = calloc(LARGE + 2 * SMALL * ROUNDS, sizeof(*segments));
	cr_assert(segments);
	*count = 0;
	for (unsigned i = 0; i < LARGE; i++)
		segments[(*count)++] = (struct segment){ .stream = i, .data = large, .size = size };
	for (unsigned half = 0; half < 2 * ROUNDS; half++)
		for (unsigned i = 0; i < SMALL; i++)
			segments[(*count)++] = (struct segment){ .stream = LARGE + i,
				.data = half_line[half % 2],
				.size = strlen(half_line[half % 2]) };
	return segments;
}

static uint64_t run_halves(const char *large, size_t size)
{
	size_t count;
	struct segment *segments = in_halves(large, size, &count);
	struct bench bench = { .stages =
				       "[{\"split\":{\"on\":\"newline\",\"max_record\":\"4KiB\"}}]",
		.to = "[\"bench\",{\"bench\":{},\"when_full\":\"drop\",\"stages\":"
		      "[{\"filter\":\"line\"},{\"filter\":\"line\"}]}]",
		.buffer = "64B",
		.memory = "376KiB",
		.segments = segments,
		.segment_count = count,
		.chunk = 64,
		.seed = 1,
		.sockets = true,
		.speed = UINT64_MAX,
		.stuck = "bench.to.1" };
	bench_run(&bench);
	uint64_t copied = bench.copied;
	cr_assert_eq(bench_report(&bench, "bench.to.0")->records_out, SMALL * ROUNDS);
	cr_assert(bench_balances(&bench));
	bench_free(&bench);
	free(segments);
	return copied;
}

/* Aside blocks in the queues of a branch that is stuck do not come back: nobody waits for all of them. Among the sizes is
 * one that leaves just too little of the quota. */
Test(locks, a_stuck_drop_branch_keeps_few_aside_blocks, .timeout = 60)
{
	char large[4096] = { 0 };
	uint64_t copied = 0;
	for (size_t size = 1024; size < sizeof(large); size += 64)
		copied += run_halves(large, size);
	cr_assert_gt(copied, 0);
}

static bool all_is_read(void *context)
{
	const struct node *source = context;
	return source->account.received == (uint64_t)FILES * FILE_SIZE;
}

static void follow_unfinished(struct running *running)
{
	char name[32];
	cr_assert_eq(system("mkdir logs"), 0);
	for (int i = 0; i < FILES; i++) {
		snprintf(name, sizeof(name), "logs/%d.log", i);
		file_put(name, "%0*d", FILE_SIZE, i);
	}
	cr_assert(running_open(running, "'buffer':'1KiB'",
		"'p':{'memory':'4700KiB','from':{'file':'logs/*.log'},'stages':[{'split':{"
		"'on':'newline','max_record':'64KiB'}}],'to':{'file':'out'}}"));
	running_until(running, all_is_read, running_node(running, "p.from.0"));
	running_close(running);
}

/* What is read ahead leaves the buffers that packing needs. */
Test(locks, files_that_are_read_ahead_leave_room_to_pack, .timeout = 60)
{
	running_on_both(follow_unfinished);
}

/* Gives a pipeline of these members ever more memory until it is enough. */
static void open_with_least(struct running *running, const char *members)
{
	for (unsigned memory = 1000; memory < 60000; memory += 100) {
		char text[32];
		snprintf(text, sizeof(text), "%uKiB", memory);
		if (running_open(
			    running, "'buffer':'16KiB'", "'p':{'memory':'%s',%s}", text, members))
			return;
		running_close(running);
	}
	cr_assert_fail("no memory is enough");
}

static void split_apart(struct running *running)
{
	static const char members[] = "'from':["
				      "{'file':{'path':'a','follow':false},'stages':[{'split':{'"
				      "on':'newline','max_record':'256KiB'}}]},"
				      "{'file':{'path':'b','follow':false},'stages':[{'split':{'"
				      "on':'newline','max_record':'256KiB'}}]},"
				      "{'file':{'path':'c','follow':false},'stages':[{'split':{'"
				      "on':'newline','max_record':'256KiB'}}]}"
				      "],'to':{'file':'out'}";
	size_t size;
	file_put("a", "%0*d\n", 250000, 1);
	file_put("b", "b\n");
	file_put("c", "c\n");
	open_with_least(running, members);
	running_to_end(running);
	running_close(running);
	free(file_get("out", &size));
	cr_assert_eq(size, 250001 + 4);
}

/* Where several splits share the quarter, the least memory that is taken has room for each one's longest record. */
Test(locks, the_least_memory_has_room_for_the_longest_record_of_each_split, .timeout = 60)
{
	running_on_both(split_apart);
}

static void drop_nothing(struct running *running)
{
	file_put("a", "%0*d\n", 250000, 1);
	open_with_least(running, "'from':{'file':{'path':'a','follow':false}},'"
				 "stages':[{'split':{"
				 "'on':'newline','max_record':'256KiB'}}],'to':['null',{'null':{},'"
				 "when_full':'drop'},"
				 "{'null':{},'when_full':'drop'},{'null':{},'when_full':'drop'}]");
	running_to_end(running);
	struct node_report report;
	engine_report(running_node(running, "p.to.3"), &report);
	cr_assert_eq(report.records_out, 1);
	running_close(running);
}

/* The same for drop branches: one that is idle drops nothing. */
Test(locks, the_least_memory_has_room_for_the_longest_record_in_each_drop_branch, .timeout = 60)
{
	running_on_both(drop_nothing);
}

/* A source that gives one line and is silent from then on. */
struct quiet {
	struct buffer *buffer;
	uint64_t position, committed;
};

static bool quiet_plan(
	struct node *node, const struct shape *in, struct shape *out, struct faults *faults)
{
	(void)node;
	(void)in;
	(void)faults;
	*out = (struct shape){ .kind = FLOW_BYTES, .streams = 1 };
	return true;
}

static void quiet_read(struct node *node, struct batch *out)
{
	struct quiet *quiet = node->state;
	if (quiet->position > 0)
		return;
	quiet->buffer = pool_take(node->pool);
	cr_assert(quiet->buffer);
	bytes_store(buffer_end(quiet->buffer), "one\n", 4);
	struct view view = view_publish(quiet->buffer, 4);
	view.tag = node->first_stream;
	cr_assert(batch_put(out, &view));
	quiet->position = 4;
}

static void quiet_note(struct node *node)
{
	const struct quiet *quiet = node->state;
	node_note(node, node->first_stream, quiet->position);
}

static void quiet_commit(struct node *node)
{
	struct quiet *quiet = node->state;
	quiet->committed = node_noted(node, node->first_stream);
}

static void quiet_close(struct node *node)
{
	struct quiet *quiet = node->state;
	buffer_release(&quiet->buffer);
}

static const struct source_ops source_quiet = {
	.type = { .name = "quiet",
		.doc = "One line.",
		.state_size = sizeof(struct quiet),
		.plan = quiet_plan,
		.close = quiet_close },
	.read = quiet_read,
	.note = quiet_note,
	.commit = quiet_commit,
};

static bool is_committed(void *context)
{
	const struct quiet *quiet = context;
	return quiet->committed == 4;
}

static void commit_when_quiet(struct running *running)
{
	cr_assert(running_open(running, "",
		"'p':{'from':'quiet','stages':['split',{'compress':'lz4'}],'to':{'file':'out'}}"));
	running_until(running, is_committed, running_node(running, "p.from.0")->state);
	running_close(running);
}

/* The epoch starts when nothing else moves: it goes its way all the same, and what compress held back is in the file. */
Test(locks, an_epoch_goes_on_where_nothing_else_moves, .timeout = 90)
{
	static const struct source_ops *const sources[] = { &source_quiet, NULL };
	static const struct stage_ops *const stages[] = { NULL };
	static const struct sink_ops *const sinks[] = { NULL };
	registry_add_for_tests(sources, stages, sinks);
	running_on_both(commit_when_quiet);
}
