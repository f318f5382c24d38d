/* Moving: the file changes with the time in its path, at a record's border. */

#include "pipeline/node.h"
#include "tests/support/running.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NEW_YEAR = 1704067200 /* 2024-01-01 00:00:00 UTC */ };

static void follow(struct running *running, const char *to)
{
	cr_assert(running_open(
		running, "", "'p':{'from':{'file':'in'},'stages':['split'],'to':{'file':%s}}", to));
}

static void end(struct running *running)
{
	engine_drain(running->engine, 0);
	running_to_end(running);
	running_close(running);
	node_set_time_for_tests(0);
}

static bool is_idle(void *context)
{
	const struct node *sink = context;

	return batch_empty(sink->in) && sink->busy == 0;
}

/* What comes before the write is done may join the run that was written, and goes where that went. */
static void until_written(struct running *running, const char *path, const char *content)
{
	running_until_file(running, path, content);
	running_until(running, is_idle, running_node(running, "p.to.0"));
}

static void begins_another_file(struct running *running)
{
	node_set_time_for_tests(NEW_YEAR - 1);
	file_put("in", "1\n");
	follow(running, "'logs/%Y/%m-%d.log'");
	until_written(running, "logs/2023/12-31.log", "1\n");
	node_set_time_for_tests(NEW_YEAR);
	running_settle(running);
	cr_assert_eq(access("logs/2024", F_OK), -1, "nothing is written, nothing is made");
	file_add("in", "2\n");
	until_written(running, "logs/2024/01-01.log", "2\n");
	node_set_time_for_tests(NEW_YEAR + 100);
	file_add("in", "3\n");
	until_written(running, "logs/2024/01-01.log", "2\n3\n");
	node_set_time_for_tests(NEW_YEAR - 1);
	file_add("in", "4\n");
	until_written(running, "logs/2023/12-31.log", "1\n4\n");
	end(running);
}

Test(file_move, begins_another_file_when_the_time_moves)
{
	running_everywhere(begins_another_file);
}

static void completes_what_is_there(struct running *running)
{
	node_set_time_for_tests(NEW_YEAR - 1);
	file_put("in", "1\n");
	file_put("2024", "half");
	follow(running, "{'path':'%Y','sync':'batch'}");
	until_written(running, "2023", "1\n");
	node_set_time_for_tests(NEW_YEAR);
	file_add("in", "2\n");
	until_written(running, "2024", "half\n2\n");
	end(running);
}

Test(file_move, completes_what_is_there)
{
	running_everywhere(completes_what_is_there);
}

static bool has_some(void *context)
{
	struct stat status;

	return stat(context, &status) == 0 && status.st_size > 0;
}

/* Under load, in the midst of records of many pieces. */
static void moves_at_a_border(struct running *running)
{
	static const char *const buffers[] = { "16B", "1KiB" };
	static char text[4 << 20];
	size_t size = 0, first, second;

	for (unsigned i = 0; i < 20000; i++)
		size += (size_t)snprintf(text + size, sizeof(text) - size, "%06u %.*s\n", i,
			(int)(i * 7919 % 100),
			"--------------------------------------------------"
			"--------------------------------------------------");
	file_put_bytes("in", text, size);
	for (size_t i = 0; i < 2; i++) {
		char service[64];
		snprintf(service, sizeof(service), "'buffer':'%s','memory':'4MiB'", buffers[i]);
		node_set_time_for_tests(NEW_YEAR - 1);
		cr_assert(running_open(running, service,
			"'p':{'from':{'file':{'path':'in','follow':false}},'stages':['split'],"
			"'to':{'file':'%%Y'}}"));
		running_until(running, has_some, "2023");
		node_set_time_for_tests(NEW_YEAR);
		running_to_end(running);
		running_close(running);
		char *before = file_get("2023", &first), *after = file_get("2024", &second);
		cr_assert(first > 0 && second > 0);
		cr_assert_eq(before[first - 1], '\n');
		cr_assert_eq(first + second, size);
		cr_assert_eq(memcmp(text, before, first), 0);
		cr_assert_eq(memcmp(text + first, after, second), 0);
		cr_assert_eq(unlink("2023") | unlink("2024"), 0);
		free(before);
		free(after);
	}
	node_set_time_for_tests(0);
}

Test(file_move, moves_at_a_border)
{
	running_everywhere(moves_at_a_border);
}

static unsigned count(const char *text, const char *part)
{
	unsigned found = 0;

	for (const char *at = strstr(text, part); at; at = strstr(at + 1, part))
		found++;
	return found;
}

/* Where the new one can't be opened the old one serves; that is said once, and tried again. */
static void stays_where_it_must(struct running *running)
{
	node_set_time_for_tests(NEW_YEAR - 1);
	file_put("in", "1\n");
	follow(running, "'%Y'");
	until_written(running, "2023", "1\n");
	cr_assert_eq(mkdir("2024", 0755), 0);
	node_set_time_for_tests(NEW_YEAR);
	file_add("in", "2\n");
	running_until_log(running, "error cannot create 2024: Is a directory; writing on");
	until_written(running, "2023", "1\n2\n");
	cr_assert_eq(running_node(running, "p.to.0")->account.errors[ERROR_OPEN], 1);
	uint64_t tried = engine_now(running->engine);
	cr_assert_eq(rmdir("2024"), 0);
	for (unsigned i = 0; access("2024", F_OK) < 0; i++) {
		cr_assert_leq(engine_now(running->engine), tried + 20000);
		file_add("in", "%u\n", i);
		engine_turn(running->engine, 10);
	}
	cr_assert_eq(count(running->log, "cannot create 2024"), 1, "said once: %s", running->log);
	end(running);
}

Test(file_move, stays_where_it_must)
{
	running_everywhere(stays_where_it_must);
}

static void reopens_the_path_in_use(struct running *running)
{
	node_set_time_for_tests(NEW_YEAR);
	file_put("in", "1\n");
	follow(running, "'%Y'");
	until_written(running, "2024", "1\n");
	cr_assert_eq(rename("2024", "moved"), 0);
	engine_reopen(running->engine);
	file_add("in", "2\n");
	until_written(running, "2024", "2\n");
	end(running);
}

Test(file_move, reopens_the_path_in_use)
{
	running_everywhere(reopens_the_path_in_use);
}

static void refuse(const char *to, const char *message)
{
	struct running running = { .backend = LOOP_EPOLL };

	cr_assert_not(running_open(&running, "", "'p':{'from':'stdin','to':{'file':%s}}", to));
	cr_assert_eq(running.faults.count, 1);
	cr_assert_str_eq(running.faults.items[0].message, message);
	running_close(&running);
}

Test(file_move, refuses_what_is_no_path_and_no_mode)
{
	static const char *const modes[] = { "", "8", "640x", "0800", "06400", "40", "1777",
		"-640" };

	refuse("'%Y%D'", "\"%D\" is no time that a path can have");
	refuse("'100%'", "\"%\" is no time that a path can have");
	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
		char to[64];
		snprintf(to, sizeof(to), "{'path':'out','mode':'%s'}", modes[i]);
		refuse(to, "the mode is a number from 000 to 0777");
	}
}

Test(file_move, refuses_two_sinks_of_one_path)
{
	struct running running = { .backend = LOOP_EPOLL };

	cr_assert_not(running_open(&running, "",
		"'p':{'from':'stdin','to':[{'file':'a/%%Y'},{'file':'b/%%Y'},{'file':'a//%%Y'}]}"));
	cr_assert_eq(running.faults.count, 1);
	cr_assert_str_eq(running.faults.items[0].message, "\"p.to.0\" writes to this file already");
	running_close(&running);
}

static void has_the_mode_asked_for(struct running *running)
{
	static const struct {
		const char *text;
		mode_t mode;
	} modes[] = { { "0600", 0600 }, { "666", 0666 }, { "0000", 0 }, { "0777", 0777 } };
	mode_t mask = umask(0027);
	struct stat status;

	file_put("in", "1\n");
	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
		cr_assert(running_open(running, "",
			"'p':{'from':{'file':{'path':'in','follow':false}},"
			"'to':{'file':{'path':'out','mode':'%s'}}}",
			modes[i].text));
		running_to_end(running);
		running_close(running);
		cr_assert_eq(stat("out", &status), 0);
		cr_assert_eq(status.st_mode & 07777, modes[i].mode);
		cr_assert_eq(unlink("out"), 0);
	}
	umask(mask);
}

Test(file_move, makes_files_with_the_mode_asked_for)
{
	running_everywhere(has_the_mode_asked_for);
}
