/* Writes of the file sink that others carry out: what is closed, opened anew, cut short or fails while they do. */

#include "pipeline/run.h"
#include "pipeline/sinks/file_sink.h"
#include "tests/support/running.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

enum { RECORDS = 40000, MANY_RECORDS = 120000 /* several writes, however much goes at once */ };

static uint64_t count_lines(const char *text, size_t size)
{
	uint64_t lines = 0;

	for (size_t i = 0; i < size; i++)
		lines += text[i] == '\n';
	return lines;
}

static size_t put_records(const char *path, unsigned count)
{
	static char text[16 << 20];
	size_t size = 0;

	for (unsigned i = 0; i < count; i++)
		size += (size_t)snprintf(text + size, sizeof(text) - size, "%06u %.*s\n", i,
			(int)(i * 7919 % 60),
			"------------------------------------------------------------");
	file_put_bytes(path, text, size);
	return size;
}

static void assert_same(const char *path, const char *other)
{
	size_t size, other_size;
	char *content = file_get(path, &size), *wanted = file_get(other, &other_size);

	cr_assert_eq(size, other_size, "%s: %zu of %zu bytes", path, size, other_size);
	cr_assert_eq(memcmp(content, wanted, size), 0);
	free(content);
	free(wanted);
}

/* The files one behind the other are the third. */
static void assert_parts(const char *first, const char *second, const char *whole)
{
	size_t size, more, all;
	char *before = file_get(first, &size), *after = file_get(second, &more);
	char *wanted = file_get(whole, &all);

	cr_assert(size == 0 || before[size - 1] == '\n', "half a record is left");
	cr_assert_eq(size + more, all);
	cr_assert_eq(memcmp(wanted, before, size), 0);
	cr_assert_eq(memcmp(wanted + size, after, more), 0);
	free(before);
	free(after);
	free(wanted);
}

static void open_copy(struct running *running, const char *options)
{
	cr_assert(running_open(running, "'buffer':'4KiB','memory':'4MiB'",
		"'p':{'from':{'file':{'path':'in','follow':false}},'stages':['split'],"
		"'to':[{'file':{'path':'out',%s}},'null']}",
		options));
}

/* Libuv's threads, all of them kept busy until they are let go: then what they are given stays in flight. */
struct threads {
	uv_work_t works[4];
	sem_t begun, go_on;
	unsigned busy;
};

static void keep_busy(uv_work_t *work)
{
	struct threads *threads = work->data;

	sem_post(&threads->begun);
	sem_wait(&threads->go_on);
}

static void let_go(uv_work_t *work, int status)
{
	struct threads *threads = work->data;

	(void)status;
	threads->busy--;
}

static void block_threads(struct threads *threads, struct loop *loop)
{
	cr_assert_eq(sem_init(&threads->begun, 0, 0) | sem_init(&threads->go_on, 0, 0), 0);
	for (size_t i = 0; i < 4; i++) {
		threads->works[i].data = threads;
		cr_assert_eq(
			uv_queue_work(loop_uv(loop), &threads->works[i], keep_busy, let_go), 0);
	}
	for (threads->busy = 0; threads->busy < 4; threads->busy++)
		cr_assert_eq(sem_wait(&threads->begun), 0);
}

static void free_threads(struct threads *threads, struct loop *loop)
{
	for (size_t i = 0; i < 4; i++)
		sem_post(&threads->go_on);
	while (threads->busy > 0)
		loop_turn(loop, 1000);
}

static bool is_at_it(void *context)
{
	const struct node *sink = context;

	return sink->busy > 0;
}

static bool is_at_it_or_done(void *context)
{
	const struct node *sink = context;

	return sink->busy > 0 || sink->finished;
}

/* With epoll the write waits for a thread; with the ring it may be done by the time that anybody looks. */
static void until_in_flight(struct running *running, struct threads *threads, struct node *sink)
{
	if (running->backend == LOOP_EPOLL) {
		block_threads(threads, running->loop);
		running_until(running, is_at_it, sink);
	} else {
		running_until(running, is_at_it_or_done, sink);
	}
}

static void go_on(struct running *running, struct threads *threads)
{
	if (running->backend == LOOP_EPOLL)
		free_threads(threads, running->loop);
}

/* What was sent is what the file holds; the rest is told as dropped. */
static void closes_while_it_writes(struct running *running)
{
	struct threads threads;
	size_t size, all = put_records("in", RECORDS);

	open_copy(running, "'append':false");
	struct node *sink = running_node(running, "p.to.0");
	cr_assert_not(node_is_alone(sink));
	until_in_flight(running, &threads, sink);
	run_cancel(running->plan->pipelines[0]->run);
	go_on(running, &threads);
	cr_assert(engine_close(running->engine));
	cr_assert_eq(sink->busy, 0);
	char *content = file_get("out", &size), *wanted = file_get("in", NULL);
	cr_assert_eq(size, sink->account.sent);
	cr_assert_leq(size, all);
	cr_assert_eq(memcmp(content, wanted, size), 0);
	cr_assert_eq(sink->in->put.records, sink->in->taken.records);
	cr_assert_eq(sink->in->put.records,
		count_lines(content, size) + sink->account.dropped[DROP_SHUTDOWN]);
	free(content);
	free(wanted);
	running_close(running);
}

Test(file_handed, closes_while_it_writes)
{
	running_on_both(closes_while_it_writes);
}

/* The write that is under way goes to the file that is left. */
static void opens_anew_while_it_writes(struct running *running)
{
	struct threads threads;

	put_records("in", RECORDS);
	open_copy(running, "'append':false");
	struct node *sink = running_node(running, "p.to.0");
	until_in_flight(running, &threads, sink);
	cr_assert_eq(rename("out", "out.1"), 0);
	engine_reopen(running->engine);
	go_on(running, &threads);
	running_to_end(running);
	running_close(running);
	assert_parts("out.1", "out", "in");
	unlink("out");
}

Test(file_handed, opens_anew_while_it_writes)
{
	running_on_both(opens_anew_while_it_writes);
}

/* What the kernel is made to say of the next writes that are large enough: the file is cut to fit. */
struct saying {
	void (*done)(struct io_operation *operation, int result);
	int results[4]; /* an error, or how much less was written; 0: nothing more */
	unsigned said;
};

static struct saying saying;

static int say_other(const struct file_sink *sink, int result, int other)
{
	int less = other < 0 ? result : other;

	cr_assert(file_target_cut(&sink->target, (uint64_t)less));
	saying.said++;
	return other < 0 ? other : result - less;
}

static void say(struct io_operation *operation, int result)
{
	const struct node *node = operation->owner;
	int other = saying.said < 4 ? saying.results[saying.said] : 0;

	if (other != 0 && result > 0 && other < result)
		result = say_other(node->state, result, other);
	saying.done(operation, result);
}

static struct node *open_saying(struct running *running, const char *options)
{
	open_copy(running, options);
	struct node *node = running_node(running, "p.to.0");
	struct file_sink *sink = node->state;
	saying.done = sink->write.done;
	saying.said = 0;
	sink->write.done = say;
	return node;
}

/* Records are cut anywhere, and go on where they were cut. */
static void goes_on_behind_short_writes(struct running *running)
{
	static const char *const syncs[] = { "none", "interval", "batch" };

	put_records("in", MANY_RECORDS);
	for (size_t i = 0; i < 3; i++) {
		char options[64];
		snprintf(options, sizeof(options), "'append':false,'sync':'%s'", syncs[i]);
		memcpy(saying.results, (int[]){ 1, 4095, 777, 3 }, sizeof(saying.results));
		struct node *node = open_saying(running, options);
		running_to_end(running);
		cr_assert_eq(saying.said, 4);
		cr_assert_eq(node->account.errors[ERROR_WRITE], 0);
		cr_assert_eq(node->safe, node->in->taken.views);
		running_close(running);
		assert_same("out", "in");
	}
}

Test(file_handed, goes_on_behind_short_writes)
{
	running_everywhere(goes_on_behind_short_writes);
}

/* Half a record, and then the disk fails: the half is cut off, and all of it written when the disk is well. */
static void bears_a_bad_disk(struct running *running)
{
	put_records("in", MANY_RECORDS);
	memcpy(saying.results, (int[]){ 5, -EIO, 0, 0 }, sizeof(saying.results));
	struct node *node = open_saying(running, "'append':false");
	running_until_log(
		running, "error cannot write out: Input/output error; trying again every second\n");
	cr_assert_eq(node->account.errors[ERROR_WRITE], 1);
	cr_assert_not(node->up);
	size_t size;
	char *content = file_get("out", &size);
	cr_assert(size > 0 && content[size - 1] == '\n');
	free(content);
	running_to_end(running);
	cr_assert(strstr(running->log, "info writes out again"));
	running_close(running);
	assert_same("out", "in");
}

Test(file_handed, bears_a_bad_disk)
{
	running_everywhere(bears_a_bad_disk);
}

/* What would block, or was interrupted, is asked for again, and nobody is told. */
static void asks_again(struct running *running)
{
	put_records("in", MANY_RECORDS);
	memcpy(saying.results, (int[]){ -EAGAIN, -EINTR, 9, -EAGAIN }, sizeof(saying.results));
	struct node *node = open_saying(running, "'append':false");
	running_to_end(running);
	cr_assert_eq(saying.said, 4);
	cr_assert_eq(node->account.errors[ERROR_WRITE], 0);
	cr_assert_str_eq(running->log, "");
	running_close(running);
	assert_same("out", "in");
}

Test(file_handed, asks_again_for_what_would_block)
{
	running_everywhere(asks_again);
}

static void limit_file_size(rlim_t size)
{
	struct rlimit limit;

	cr_assert_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = size;
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* The delimiter that is owed to what was there fits by half: it is taken off again. */
static void takes_half_a_delimiter_off(struct running *running)
{
	struct stat status;

	signal(SIGXFSZ, SIG_IGN);
	file_put("in", "1;;;;2");
	file_put("out", "half");
	cr_assert(running_open(running, "",
		"'p':{'from':{'file':{'path':'in','follow':false}},"
		"'stages':[{'split':{'on':'delimiter','delimiter':';;;;'}}],'to':{'file':'out'}}"));
	limit_file_size(6);
	running_until_log(running, "error cannot write out: File too large");
	cr_assert_eq(stat("out", &status), 0);
	cr_assert_eq(status.st_size, 4);
	cr_assert_eq(running_node(running, "p.to.0")->account.errors[ERROR_WRITE], 1);
	limit_file_size(RLIM_INFINITY);
	running_to_end(running);
	running_close(running);
	char *content = file_get("out", NULL);
	cr_assert_str_eq(content, "half;;;;1;;;;2");
	free(content);
}

Test(file_handed, takes_half_a_delimiter_off)
{
	running_everywhere(takes_half_a_delimiter_off);
}

/* Several sinks, and each loses its room at another place. */
static void branches_fail_together(struct running *running)
{
	signal(SIGXFSZ, SIG_IGN);
	put_records("in", MANY_RECORDS);
	cr_assert(running_open(running, "'buffer':'4KiB','memory':'4MiB'",
		"'p':{'from':{'file':{'path':'in','follow':false}},'stages':['split'],'to':["
		"{'file':'a'},{'file':{'path':'b','sync':'batch'}},"
		"{'stages':[{'filter':'1'}],'to':{'file':'c'}},"
		"{'stages':[{'filter':{'not':'1'}}],'to':{'file':{'path':'d','sync':'interval'}}}]"
		"}"));
	limit_file_size(100003);
	for (unsigned i = 0; i < 4; i++) {
		char text[64];
		snprintf(text, sizeof(text), "error cannot write %c: File too large", 'a' + (int)i);
		running_until_log(running, text);
	}
	limit_file_size(RLIM_INFINITY);
	running_to_end(running);
	running_close(running);
	assert_same("a", "in");
	assert_same("b", "in");
	cr_assert_eq(system("grep 1 in | cmp - c && grep -v 1 in | cmp - d"), 0);
}

Test(file_handed, branches_fail_together_and_lose_nothing)
{
	running_everywhere(branches_fail_together);
}

/* A file that may not become shorter, as its path. */
static int sealed(char path[32], const char *content)
{
	int fd = memfd_create("sealed", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, content, strlen(content)), (ssize_t)strlen(content));
	cr_assert_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	snprintf(path, 32, "/proc/self/fd/%d", fd);
	return fd;
}

static void cannot_empty(struct running *running)
{
	char path[32];
	int fd = sealed(path, "old\n");

	file_put("in", "1\n");
	cr_assert(running_open(running, "",
		"'p':{'from':{'file':{'path':'in','follow':false}},'stages':['split'],"
		"'to':{'file':{'path':'%s','append':false}}}",
		path));
	running_until_log(running, ": Operation not permitted; trying again every second");
	cr_assert(strstr(running->log, "error cannot empty /proc/self/fd/"), "%s", running->log);
	struct node *node = running_node(running, "p.to.0");
	cr_assert_eq(node->account.errors[ERROR_WRITE], 1);
	cr_assert_eq(node->in->taken.records, 0, "nothing is written behind what was to go");
	cr_assert(engine_close(running->engine));
	running_close(running);
	close(fd);
}

Test(file_handed, cannot_empty_what_may_not_shrink)
{
	running_everywhere(cannot_empty);
}

static void sync_fails(struct io_operation *operation, int result)
{
	(void)result;
	file_sync_done(operation, -EIO);
}

/* What could not be synced can't be taken off either: it is not written twice. */
static void cannot_rewind(struct running *running)
{
	char path[32], end[16] = "";
	int fd = sealed(path, "old\n");

	file_put("in", "1\n");
	cr_assert(running_open(running, "",
		"'p':{'from':{'file':{'path':'in','follow':false}},'stages':['split'],"
		"'to':{'file':{'path':'%s','sync':'batch'}}}",
		path));
	struct node *node = running_node(running, "p.to.0");
	struct file_sink *sink = node->state;
	sink->sync_operation.done = sync_fails;
	running_until_log(running, "error cannot sync /proc/self/fd/");
	while (node->account.errors[ERROR_WRITE] < 2)
		engine_turn(running->engine, 1000);
	cr_assert_eq(node->account.errors[ERROR_SYNC], 1);
	cr_assert_eq(node->in->taken.records, 0);
	cr_assert_eq(pread(fd, end, sizeof(end), 0), 6);
	cr_assert_str_eq(end, "old\n1\n");
	cr_assert(engine_close(running->engine));
	cr_assert_eq(node->account.dropped[DROP_SHUTDOWN], 1);
	running_close(running);
	close(fd);
}

Test(file_handed, cannot_rewind_what_may_not_shrink)
{
	running_everywhere(cannot_rewind);
}

/* It ends while a sync waits for a thread. */
static void closes_while_it_syncs(struct running *running)
{
	struct threads threads;

	file_put("in", "1\n2\n");
	open_copy(running, "'append':false,'sync':'batch'");
	struct node *node = running_node(running, "p.to.0");
	struct file_sink *sink = node->state;
	sink->sync_operation.done = sync_fails;
	running_until_log(running, "error cannot sync out");
	cr_assert_eq(node->account.errors[ERROR_SYNC], 1);
	sink->sync_operation.done = file_sync_done;
	block_threads(&threads, running->loop);
	running_until(running, is_at_it, node);
	run_cancel(running->plan->pipelines[0]->run);
	free_threads(&threads, running->loop);
	cr_assert(engine_close(running->engine));
	cr_assert_eq(node->in->taken.records, 2);
	const uint64_t dropped = node->account.dropped[DROP_SHUTDOWN];
	cr_assert_eq(node->account.sent, dropped == 0 ? 4 : 0, "written and synced, or dropped");
	cr_assert(dropped == 0 || dropped == 2);
	running_close(running);
}

Test(file_handed, closes_while_it_syncs)
{
	running_on_both(closes_while_it_syncs);
}
