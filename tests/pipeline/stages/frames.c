/* However many threads make them, frames are the same and in the same order; and they end when they linger. */

#include "tests/support/bench.h"
#include "tests/support/running.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE = 3 << 20 };

static char *numbered(size_t size)
{
	char *text = malloc(size + 32);
	cr_assert(text);
	uint64_t random = 3;
	for (size_t at = 0, number = 0; at < size; number++)
		at += (size_t)sprintf(text + at, "%zu %llu\n", number,
			(unsigned long long)random_below(&random, 1000000));
	text[size - 1] = '\n';
	return text;
}

static struct bench compressed(
	const char *text, const char *codec, const char *frame, unsigned threads, uint64_t speed)
{
	static struct segment segment;
	static char stages[256];
	segment = (struct segment){ .data = text, .size = SIZE, .flags = VIEW_END };
	snprintf(stages, sizeof(stages),
		"[\"split\",{\"compress\":{\"codec\":\"%s\",\"frame\":\"%s\",\"threads\":%u}}]",
		codec, frame, threads);
	struct bench bench = { .stages = stages,
		.segments = &segment,
		.segment_count = 1,
		.chunk = 65536,
		.speed = speed };
	bench_run(&bench);
	cr_assert(bench_balances(&bench));
	return bench;
}

/* Frames of bytes are cut where they are full, so that they can be compared byte by byte. */
static void compress_bytes(struct running *running, const char *codec, unsigned threads)
{
	cr_assert(running_open(running, "",
		"'p':{'from':{'file':{'path':'in','follow':false}},'stages':[{'compress':{'codec':"
		"'%s','threads':%u,'frame':'64KiB'}}],'to':{'file':{'path':'out%u','append':false}}"
		"}",
		codec, threads, threads));
	running_to_end(running);
	running_close(running);
}

static void compress_thrice(struct running *running)
{
	static const char *const codecs[] = { "zstd", "gzip", "lz4" };
	char *text = numbered(SIZE), command[64];
	file_put_bytes("in", text, SIZE);
	for (unsigned i = 0; i < 3; i++) {
		for (unsigned threads = 1; threads <= 4; threads++) {
			compress_bytes(running, codecs[i], threads);
			snprintf(command, sizeof(command), "%s -dc < out%u | cmp - in", codecs[i],
				threads);
			cr_assert_eq(system(command), 0, "%s", command);
		}
		/* liblz4 finds matches by what its context did before. isa-l (2.30) puts a frame's third
		 * byte into its table where what happens to be in a register says: one frame in some
		 * thousands differs. */
		bool same = i > 0 || system("cmp out2 out3 && cmp out3 out4") == 0;
		cr_assert(same, "%s", codecs[i]);
	}
	free(text);
}

Test(frames, how_many_threads_changes_nothing, .timeout = 60)
{
	running_on_both(compress_thrice);
}

/* How a frame is fed may change how it comes out, so those made without threads are compared by what is in them. */
Test(frames, what_goes_in_comes_out, .timeout = 60)
{
	static const char *const codecs[] = { "zstd", "gzip", "lz4" };
	char *text = numbered(SIZE);
	for (unsigned i = 0; i < 9; i++) {
		unsigned threads = 1 + i / 3;
		struct bench packed = compressed(text, codecs[i % 3], "64KiB", threads, 0);
		const struct node_report *report = bench_report(&packed, "bench.compress");
		cr_assert(threads == 1 || report->account.copies.bytes[COPY_STAGE] >= SIZE);
		cr_assert_eq(report->held, 0);
		struct segment segment = {
			.data = packed.out[0], .size = packed.out_size[0], .flags = VIEW_END
		};
		struct bench bench = { .stages = "[\"decompress\",\"split\"]",
			.segments = &segment,
			.segment_count = 1,
			.chunk = 0,
			.speed = UINT64_MAX,
			.seed = i };
		bench_run(&bench);
		cr_assert_eq(bench.out_size[0], SIZE);
		cr_assert_eq(memcmp(bench.out[0], text, SIZE), 0, "%s", codecs[i % 3]);
		cr_assert_eq(bench.copied, 0);
		bench_free(&bench);
		bench_free(&packed);
	}
	free(text);
}

#define FOLLOWED(compress)                                                                         \
	"'p':{'from':{'file':'in'},'stages':['split'],'to':[{'file':'plain'},"                     \
	"{'file':'out','stages':[{'compress':{" compress "}}]}]}"

static bool out_is_whole(void *context)
{
	size_t size;
	(void)context;
	free(file_get("out", &size));
	return size > 0 && system("zstd -dcq < out | cmp -s - in") == 0;
}

/* Nothing flushes these frames but that their time has come. */
static void linger(struct running *running, const char *configuration)
{
	file_put("in", "one\ntwo\n");
	cr_assert(running_open(running, "", "%s", configuration));
	running_until(running, out_is_whole, NULL);
	file_add("in", "three\n");
	running_until(running, out_is_whole, NULL);
	cr_assert_eq(running_node(running, "p.to.1.compress")->given.views, 2);
	cr_assert_eq(running_node(running, "p.to.1.compress")->due, 0);
	running_close(running);
}

static void linger_alone(struct running *running)
{
	linger(running, FOLLOWED("'linger':'30ms'"));
}

static void linger_with_threads(struct running *running)
{
	linger(running, FOLLOWED("'linger':'30ms','threads':2"));
}

Test(frames, end_when_they_linger, .timeout = 60)
{
	running_on_both(linger_alone);
	running_on_both(linger_with_threads);
}

static void no_linger(struct running *running)
{
	size_t size;
	file_put("in", "one\ntwo\n");
	cr_assert(running_open(running, "", FOLLOWED("'linger':'1h'")));
	running_until_file(running, "plain", "one\ntwo\n");
	free(file_get("out", &size));
	cr_assert_eq(size, 0);
	cr_assert_eq(running_node(running, "p.to.1.compress")->account.held, 2);
	cr_assert_gt(running_node(running, "p.to.1.compress")->due, engine_now(running->engine));
	running_close(running);
}

Test(frames, stay_open_until_then, .timeout = 60)
{
	running_on_both(no_linger);
}

static bool is_at_work(void *context)
{
	return ((const struct node *)context)->busy > 0;
}

/* Cut short while threads are at work: what they make is waited for, and all is given back. */
static void cut_short(struct running *running)
{
	char *text = numbered(SIZE);
	file_put_bytes("in", text, SIZE);
	cr_assert(running_open(running, "",
		"'p':{'from':{'file':'in'},'stages':['split'],'to':{'null':{},'stages':[{'compress'"
		":"
		"{'level':9,'threads':3,'frame':'128KiB'}}]}}"));
	struct node *node = running_node(running, "p.to.0.compress");
	running_until(running, is_at_work, node);
	running_close(running);
	free(text);
}

Test(frames, cut_short_at_work, .timeout = 60)
{
	running_on_both(cut_short);
}

Test(frames, plan_tells_of_threads)
{
	const char *text = "{\"pipelines\":{\"p\":{\"from\":\"stdin\",\"stages\":[\"split\"],"
			   "\"to\":{\"null\":{},\"stages\":[{\"compress\":{\"threads\":3}}]}}}}";
	struct document document = { 0 };
	struct faults faults = { 0 };
	cr_assert(document_parse(&document, "test", text, strlen(text), true, &faults));
	struct plan *plan = plan_create(&document, &faults);
	cr_assert(plan);
	cr_assert_eq(plan_threads(plan), 3);
	char *told = plan_explain(plan, "epoll", NULL);
	cr_assert(strstr(told, "zstd level 3, frames of 1MiB, 3 threads"), "%s", told);
	cr_assert(strstr(told, "stage: all, once"), "%s", told);
	free(told);
	plan_destroy(plan);
	document_close(&document);
	faults_close(&faults);
}
