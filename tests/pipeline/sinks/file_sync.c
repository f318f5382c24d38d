/* Syncing: what counts as written, and what a sync that fails does. */

#include "pipeline/sinks/file_sink.h"
#include "tests/support/running.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static unsigned failures, synced; /* syncs that are still to fail, and that were well */

/* In the place of file_sync_done(): says of a sync that it failed. */
static void done(struct io_operation *operation, int result)
{
	cr_assert(result == 0 || result == -ECANCELED, "%s", strerror(-result));
	if (result == 0 && failures > 0) {
		failures--;
		result = -EIO;
	}
	synced += result == 0;
	file_sync_done(operation, result);
}

static struct node *open_pipeline(
	struct running *running, const char *service, bool follow, const char *options)
{
	synced = 0;
	cr_assert(running_open(running, service,
		"'p':{'from':{'file':{'path':'in','follow':%s}},'stages':['split'],"
		"'to':{'file':{'path':'out',%s}}}",
		follow ? "true" : "false", options));
	struct node *node = running_node(running, "p.to.0");
	struct file_sink *sink = node->state;
	sink->sync_operation.done = done;
	return node;
}

static void put_records(const char *path, unsigned count)
{
	static char text[1 << 20];
	size_t size = 0;

	for (unsigned i = 0; i < count; i++)
		size += (size_t)snprintf(text + size, sizeof(text) - size, "%05u %.*s\n", i,
			(int)(i * 7919 % 60),
			"------------------------------------------------------------");
	file_put_bytes(path, text, size);
}

static void assert_same(const char *path, const char *other)
{
	char *content = file_get(path, NULL), *wanted = file_get(other, NULL);

	cr_assert_str_eq(content, wanted);
	free(content);
	free(wanted);
}

static bool is_taken(void *context)
{
	const struct node *node = context;

	return node->in->taken.records > 0;
}

static void syncs_each_write(struct running *running)
{
	static const char *const services[] = { "'buffer':'16B','memory':'2MiB'", "" };

	put_records("in", 3000);
	for (size_t i = 0; i < 2; i++) {
		struct node *node =
			open_pipeline(running, services[i], false, "'append':false,'sync':'batch'");
		while (!engine_finished(running->engine)) {
			engine_turn(running->engine, 1000);
			cr_assert_eq(node->safe, node->in->taken.views);
			cr_assert_leq(
				node->in->taken.records > 0, synced, "nothing leaves unsynced");
		}
		cr_assert_eq(node->account.held, 0);
		running_close(running);
		assert_same("out", "in");
	}
}

Test(file_sync, follows_each_write)
{
	running_everywhere(syncs_each_write);
}

static void writes_again(struct running *running)
{
	put_records("in", 3000);
	struct node *node = open_pipeline(
		running, "'buffer':'16B','memory':'2MiB'", false, "'append':false,'sync':'batch'");
	failures = 1;
	running_until_log(
		running, "error cannot sync out: Input/output error; trying again every second\n");
	cr_assert_not(node->up);
	cr_assert_eq(node->account.errors[ERROR_SYNC], 1);
	cr_assert_eq(node->safe, 0);
	cr_assert_eq(node->in->taken.views, 0, "they are still held");
	running_until_log(running, "info writes out again");
	running_to_end(running);
	cr_assert_eq(node->safe, node->in->taken.views);
	cr_assert_eq(node->in->taken.records, 3000);
	running_close(running);
	assert_same("out", "in");
}

Test(file_sync, that_fails_makes_it_write_again)
{
	running_everywhere(writes_again);
}

/* What was there before, and was safe, is not cut off. */
static void keeps_what_was_safe(struct running *running)
{
	file_put("in", "1\n2\n");
	file_put("out", "old\n");
	struct node *node = open_pipeline(running, "", true, "'sync':'batch'");
	running_until_file(running, "out", "old\n1\n2\n");
	running_until(running, is_taken, node);
	failures = 1;
	file_add("in", "3\n");
	running_until_log(running, "error cannot sync out");
	running_until_log(running, "info writes out again");
	engine_drain(running->engine, 0);
	running_to_end(running);
	running_close(running);
	char *content = file_get("out", NULL);
	cr_assert_str_eq(content, "old\n1\n2\n3\n");
	free(content);
}

Test(file_sync, that_fails_keeps_what_was_safe)
{
	running_everywhere(keeps_what_was_safe);
}

/* The disk is given up: what was not safe goes to the next file. */
static void goes_on_elsewhere(struct running *running)
{
	put_records("in", 3000);
	open_pipeline(
		running, "'buffer':'16B','memory':'2MiB'", false, "'append':false,'sync':'batch'");
	failures = 1;
	running_until_log(running, "error cannot sync out");
	cr_assert_eq(rename("out", "out.1"), 0);
	engine_reopen(running->engine);
	running_to_end(running);
	running_close(running);
	size_t size;
	char *left = file_get("out.1", &size);
	cr_assert_eq(size, 0);
	free(left);
	assert_same("out", "in");
}

Test(file_sync, that_fails_can_be_left_behind)
{
	running_everywhere(goes_on_elsewhere);
}

static void waits_for_the_interval(struct running *running)
{
	put_records("in", 100);
	struct node *node = open_pipeline(running, "", true, "'sync':'interval','sync_every':'1h'");
	running_until(running, is_taken, node);
	running_settle(running);
	cr_assert_eq(node->in->taken.records, 100);
	cr_assert_eq(node->safe, 0);
	cr_assert_eq(node->account.held, 100);
	cr_assert_eq(pipeline_undelivered(running->plan->pipelines[0]), 100);
	cr_assert_eq(synced, 0);
	engine_drain(running->engine, 0);
	running_to_end(running);
	cr_assert_eq(synced, 1, "the end does not wait");
	cr_assert_eq(node->safe, node->in->taken.views);
	cr_assert_eq(node->account.held, 0);
	running_close(running);
	assert_same("out", "in");
}

Test(file_sync, waits_for_the_interval)
{
	running_everywhere(waits_for_the_interval);
}

static bool is_safe(void *context)
{
	const struct node *node = context;

	return node->in->taken.views > 0 && node->safe == node->in->taken.views;
}

static void comes_when_it_is_due(struct running *running)
{
	file_put("in", "1\n");
	struct node *node =
		open_pipeline(running, "", true, "'sync':'interval','sync_every':'20ms'");
	running_until(running, is_safe, node);
	cr_assert_eq(synced, 1);
	running_settle(running);
	cr_assert_eq(node->due, 0, "nothing to sync, nothing to wake up for");
	cr_assert_eq(synced, 1);
	engine_drain(running->engine, 0);
	running_to_end(running);
	running_close(running);
}

Test(file_sync, comes_when_it_is_due)
{
	running_everywhere(comes_when_it_is_due);
}

/* Nobody has the bytes any more: nothing behind them is ever called safe. */
static void stops_for_good(struct running *running)
{
	file_put("in", "1\n2\n");
	struct node *node =
		open_pipeline(running, "", true, "'sync':'interval','sync_every':'10ms'");
	failures = 1;
	running_until_log(running, "error cannot sync out: Input/output error; what was written");
	file_add("in", "3\n");
	engine_reopen(running->engine);
	engine_drain(running->engine, 0);
	running_settle(running);
	cr_assert_not(node->up);
	cr_assert_not(engine_finished(running->engine));
	cr_assert_eq(node->safe, 0);
	cr_assert_eq(node->due, 0);
	cr_assert_geq(pipeline_undelivered(running->plan->pipelines[0]), 2);
	cr_assert_eq(strchr(running->log, '\n'), running->log + strlen(running->log) - 1,
		"it is said once: %s", running->log);
	cr_assert(engine_close(running->engine));
	cr_assert_geq(node->account.dropped[DROP_SHUTDOWN], 2);
	struct node_report report;
	engine_report(node, &report);
	cr_assert_eq(report.records_out, 0);
	running_close(running);
}

Test(file_sync, that_fails_in_an_interval_stops_for_good)
{
	running_everywhere(stops_for_good);
}

/* The old file is safe before the new one begins. */
static void syncs_before_it_moves(struct running *running)
{
	file_put("in", "1\n");
	struct node *node = open_pipeline(running, "", true, "'sync':'interval','sync_every':'1h'");
	running_until_file(running, "out", "1\n");
	running_until(running, is_taken, node);
	cr_assert_eq(rename("out", "out.1"), 0);
	cr_assert_eq(synced, 0);
	engine_reopen(running->engine);
	file_add("in", "2\n");
	running_until_file(running, "out", "2\n");
	cr_assert_eq(synced, 1);
	engine_drain(running->engine, 0);
	running_to_end(running);
	running_close(running);
	cr_assert_eq(synced, 2);
}

Test(file_sync, comes_before_another_file)
{
	running_everywhere(syncs_before_it_moves);
}

static void leaves_what_cannot_be_synced(struct running *running)
{
	file_put("in", "1\n");
	for (int i = 0; i < 2; i++) {
		synced = 0;
		cr_assert(running_open(running, "",
			"'p':{'from':{'file':{'path':'in','follow':false}},'stages':['split'],"
			"'to':{'file':{'path':'/dev/null','sync':'%s'}}}",
			i ? "batch" : "interval"));
		running_to_end(running);
		cr_assert_eq(synced, 0);
		running_close(running);
	}
}

Test(file_sync, leaves_devices_alone)
{
	running_everywhere(leaves_what_cannot_be_synced);
}

Test(file_sync, makes_folders_durable)
{
	struct running running = { .backend = LOOP_EPOLL };
	char folder[] = "/tmp/viewduct-sync-XXXXXX";

	cr_assert(mkdtemp(folder));
	cr_assert_eq(chdir(folder), 0);
	file_put("in", "1\n");
	cr_assert(running_open(&running, "",
		"'p':{'from':{'file':{'path':'in','follow':false}},'stages':['split'],"
		"'to':{'file':{'path':'a/b/out','sync':'batch'}}}"));
	running_to_end(&running);
	running_close(&running);
	assert_same("a/b/out", "in");
	cr_assert_eq(unlink("a/b/out") | rmdir("a/b") | rmdir("a") | unlink("in"), 0);
	cr_assert_eq(chdir("/"), 0);
	cr_assert_eq(rmdir(folder), 0);
}

Test(file_sync, refuses_an_interval_that_is_not_used)
{
	struct running running = { .backend = LOOP_EPOLL };

	cr_assert_not(running_open(&running, "",
		"'p':{'from':'stdin','to':{'file':{'path':'out','sync_every':'5s'}}}"));
	cr_assert_eq(running.faults.count, 1);
	cr_assert_str_eq(running.faults.items[0].message,
		"\"sync_every\" is not used, because \"sync\" is \"none\"");
	running_close(&running);
}
