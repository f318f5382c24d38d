/* What explain says will be copied, and why, is what is counted: over what stages and sinks there are. Every run of the
 * bench and of running is checked so when it closes (copies_told.h); here are the combinations, and each reason. */

#include "pipeline/plan.h"

#include "tests/support/bench.h"
#include "tests/support/copies_told.h"
#include "tests/support/running.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

/* The check itself */

static struct node node_that_copied(const char *told, struct batch *in)
{
	struct node node = { .in = in };
	snprintf(node.copies_why, sizeof(node.copies_why), "%s", told);
	node.account.copies.bytes[COPY_STAGE] = 100;
	return node;
}

Test(copies, a_lie_is_seen)
{
	struct batch in = { .put.bytes = 100 };
	struct node node = node_that_copied("", &in);
	cr_expect_not(copies_are_told(&node));
	node = node_that_copied("0, or thin: views under 4KiB, once", &in);
	cr_expect_not(copies_are_told(&node));
	node = node_that_copied("stage: all, once", &in);
	cr_expect(copies_are_told(&node));
	in.put.bytes = 99;
	cr_expect_not(copies_are_told(&node));
}

/* Stages and sinks */

enum { LINES = 900 };

static void write_lines(void)
{
	unlink("in");
	file_put("in", "%s", "");
	for (int i = 0; i < LINES; i++)
		file_add("in", "2026-11-22 %s \"quoted, %d\",%*d\n", i % 7 ? "INFO" : "ERROR", i,
			20 + i % 40, i);
}

static void run(struct running *running, const char *stages, const char *to)
{
	cr_assert(running_open(running, "'workers':1",
			  "'p':{'from':{'file':{'path':'in','follow':false}},'stages':[%s],'to':[%"
			  "s]}",
			  stages, to),
		"%s to %s", stages, to);
	running_to_end(running);
	const struct pipeline *pipeline = running->plan->pipelines[0];
	for (size_t i = 0; i < pipeline->node_count; i++)
		if (pipeline->nodes[i]->role == NODE_SINK)
			cr_assert_gt(
				pipeline->nodes[i]->in->taken.bytes, 0, "%s to %s", stages, to);
	running_close(running);
}

static const char *const sinks[] = {
	"'null'",
	"{'file':'out'}",
	"{'file':'one'},{'file':'two'}",
	"{'file':'one'},{'file':'two','when_full':'drop'}",
};

static void into_each_sink(struct running *running, const char *stages, bool records)
{
	for (size_t i = 0; i < LENGTH(sinks); i++)
		if (records || !strstr(sinks[i], "drop"))
			run(running, stages, sinks[i]);
}

static const char *const line_stages[] = {
	"'split'",
	"{'split':{'on':'newline','crlf':true}}",
	"{'split':{'on':'newline','max_record':'40B'}}",
	"{'split':{'on':'delimiter','delimiter':'INFO'}}",
	"{'split':{'on':'fixed','size':'10B'}}",
	"{'split':'csv'}",
	"{'split':{'on':'start','preset':'indent'}}",
	"'split',{'filter':'ERROR'}",
	"'split',{'filter':{'not':'ERROR'}}",
	"'split',{'filter':{'regex':'ERR.*9$'}}",
	"'split',{'join':'nul'}",
	"'split',{'join':'none'}",
};

static void over_lines(struct running *running)
{
	write_lines();
	into_each_sink(running, "", false);
	for (size_t i = 0; i < LENGTH(line_stages); i++)
		into_each_sink(running, line_stages[i], true);
}

Test(copies, over_stages_and_sinks, .timeout = 60)
{
	running_on_both(over_lines);
}

/* A listener at the path that nobody accepts from: what is sent waits in the kernel, and is given up after a while. */
static int listen_at(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	cr_assert_eq(listen(fd, 8), 0);
	return fd;
}

static void into_sockets(struct running *running)
{
	int listener = listen_at("peer");
	write_lines();
	run(running, "'split',{'filter':{'not':'ERROR'}}",
		"{'unix':{'connect':'peer'}},{'unix':{'connect':'peer'},'when_full':'drop'},'"
		"null'");
	close(listener);
}

Test(copies, into_sockets, .timeout = 60)
{
	running_on_both(into_sockets);
}

/* What a join has made is split again. */
static void over_framings(struct running *running)
{
	static const char *const framings[] = { "length", "varint", "octets", "netstring", "nul" };
	for (size_t i = 0; i < LENGTH(framings); i++) {
		char stages[64];
		write_lines();
		snprintf(stages, sizeof(stages), "'split',{'join':'%s'}", framings[i]);
		unlink("out");
		run(running, stages, "{'file':'out'}");
		cr_assert_eq(rename("out", "in"), 0);
		snprintf(stages, sizeof(stages), "{'split':'%s'}", framings[i]);
		into_each_sink(running, stages, true);
	}
}

Test(copies, over_framings, .timeout = 60)
{
	running_on_both(over_framings);
}

static void over_codecs(struct running *running)
{
	static const char *const codecs[] = { "zstd", "gzip", "lz4" };
	for (size_t i = 0; i < 2 * LENGTH(codecs); i++) {
		char stages[128];
		write_lines();
		snprintf(stages, sizeof(stages), "'split',{'compress':{'codec':'%s','threads':%d}}",
			codecs[i / 2], 1 + (int)i % 2);
		into_each_sink(running, stages, false);
		unlink("out");
		run(running, stages, "{'file':'out'}");
		cr_assert_eq(rename("out", "in"), 0);
		snprintf(stages, sizeof(stages), "{'decompress':'%s'}", codecs[i / 2]);
		into_each_sink(running, stages, false);
		snprintf(stages, sizeof(stages), "{'decompress':'%s'},'split'", codecs[i / 2]);
		into_each_sink(running, stages, true);
	}
}

Test(copies, over_codecs, .timeout = 60)
{
	running_on_both(over_codecs);
}

/* Each reason occurs, where it is told. */

static uint64_t copied(struct bench *bench, const char *name, enum copy_reason reason)
{
	bench_run(bench);
	uint64_t bytes = bench_report(bench, name)->account.copies.bytes[reason];
	bench_free(bench);
	return bytes;
}

Test(copies, aside_where_many_streams_trickle)
{
	enum { RECORD = 150, STREAMS = 64 };
	static char text[RECORD];
	struct segment segments[2 * STREAMS];
	memset(text, 'x', RECORD);
	text[RECORD - 1] = '\n';
	for (uint32_t i = 0; i < STREAMS; i++) {
		segments[i] = (struct segment){ .stream = i, .data = text, .size = RECORD - 1 };
		segments[i + STREAMS] = (struct segment){
			.stream = i, .data = text + RECORD - 1, .size = 1, .flags = VIEW_END
		};
	}
	struct bench bench = { .stages =
				       "[{\"split\":{\"on\":\"newline\",\"max_record\":\"200B\"}}]",
		.buffer = "256B",
		.memory = "180KiB",
		.segments = segments,
		.segment_count = 2 * STREAMS,
		.chunk = RECORD,
		.speed = UINT64_MAX };
	cr_assert_gt(copied(&bench, "bench.split", COPY_ASIDE), 0);
}

static char *lines_of(size_t count, size_t *size)
{
	char *text = NULL;
	FILE *file = open_memstream(&text, size);
	for (size_t i = 0; i < count; i++)
		fprintf(file, "line %6zu %s\n", i, i % 10 ? "is nothing" : "is kept");
	fclose(file);
	return text;
}

Test(copies, thin_where_few_survive_and_the_sink_is_slow, .timeout = 60)
{
	size_t size;
	char *text = lines_of(40000, &size);
	struct segment segment = { .data = text, .size = size, .flags = VIEW_END };
	struct bench bench = { .stages = "[\"split\",{\"filter\":\"77 is\"}]",
		.buffer = "4KiB",
		.memory = "310KiB",
		.segments = &segment,
		.segment_count = 1,
		.seed = 3,
		.speed = 7 };
	cr_assert_gt(copied(&bench, "bench.to.0", COPY_THIN), 0);
	free(text);
}

Test(copies, stage_where_the_codec_wants_it_in_one_piece)
{
	size_t size;
	char *text = lines_of(500, &size);
	struct segment segment = { .data = text, .size = size, .flags = VIEW_END };
	struct bench bench = { .stages = "[\"split\",{\"compress\":\"gzip\"}]",
		.buffer = "1KiB",
		.segments = &segment,
		.segment_count = 1,
		.chunk = 500,
		.speed = UINT64_MAX };
	cr_assert_gt(copied(&bench, "bench.compress", COPY_STAGE), 0);
	free(text);
}

/* One stream: however its records are cut, they are not packed. */
Test(copies, none_where_a_record_comes_in_many_pieces)
{
	enum { RECORD = 16 << 10 };
	char *text = malloc(RECORD + 1);
	memset(text, 'x', RECORD);
	text[RECORD] = '\n';
	struct segment segment = { .data = text, .size = RECORD + 1, .flags = VIEW_END };
	struct bench bench = {
		.stages = "[{\"split\":{\"on\":\"newline\",\"max_record\":\"16KiB\"}}]",
		.buffer = "1KiB",
		.segments = &segment,
		.segment_count = 1,
		.chunk = 100,
		.speed = UINT64_MAX
	};
	cr_assert_eq(copied(&bench, "bench.split", COPY_ASIDE), 0);
	free(text);
}
