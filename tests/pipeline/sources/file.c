/* The file source: what it finds, how it reads, and what it makes of files that change. */

#include "tests/support/running.h"

#include <criterion/criterion.h>
#include <criterion/logging.h>
#include <dirent.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FOLLOW_ALL                                                                                 \
	"'p':{'from':{'file':{'path':'in/*.log'}},'stages':['split'],'to':{'file':'out'}}"

static void finish(struct running *running)
{
	engine_drain(running->engine, 0);
	running_to_end(running);
	running_close(running);
}

static const char *first_fault(const struct running *running)
{
	cr_assert_gt(running->faults.count, 0);
	cr_assert_null(running->faults.items[0].file);
	return running->faults.items[0].message;
}

static void assert_file(const char *path, const char *expected)
{
	char *content = file_get(path, NULL);

	cr_assert_str_eq(content, expected);
	free(content);
}

/* Reading once. */

static void passes_unchanged(struct running *running)
{
	static const char *const buffers[] = { "16B", "100B", "4KiB", "64KiB" };
	static char all[300000];
	size_t size = 0, got;

	srand(7);
	cr_assert_eq(mkdir("in", 0755), 0);
	for (int file = 0; file < 6; file++) {
		char name[32];
		size_t begin = size,
		       length = file == 2 ? 0 : (size_t)rand() % 30000 + (file == 4 ? 100000u : 0);
		while (size < begin + length)
			all[size++] = (char)rand();
		snprintf(name, sizeof(name), "in/%d", file);
		file_put_bytes(name, all + begin, length);
	}
	for (size_t i = 0; i < sizeof(buffers) / sizeof(*buffers); i++) {
		char service[64];
		snprintf(service, sizeof(service), "'buffer':'%s'", buffers[i]);
		cr_assert(running_open(running, service,
			"'p':{'from':{'file':{'path':'in/"
			"*','follow':false}},'to':{'file':{'path':'out',"
			"'append':false}}}"));
		const struct node *source = running_node(running, "p.from.0");
		cr_assert_eq(source->expected, size);
		running_to_end(running);
		cr_assert_eq(source->account.received, size);
		running_close(running);
		char *content = file_get("out", &got);
		cr_assert_eq(got, size);
		cr_assert_eq(memcmp(content, all, size), 0);
		free(content);
	}
}

Test(source_file, passes_unchanged)
{
	running_on_both(passes_unchanged);
}

static void make_tree(void)
{
	static const char *const folders[] = { "in", "in/a", "in/a/deep", "in/b", "in/.hidden" };
	static const char *const files[] = { "in/2.log", "in/1.log", "in/1.txt", "in/.dot.log",
		"in/a/x.log", "in/a/deep/y.log", "in/b/z.log", "in/b/z.log.gz",
		"in/.hidden/h.log" };

	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++)
		cr_assert_eq(mkdir(folders[i], 0755), 0);
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		file_put(files[i], "%s\n", files[i]);
}

struct found {
	const char *options, *expected;
};

static void finds_in_name_order(struct running *running)
{
	static const struct found all[] = {
		{ "'path':'in/*.log'", "in/1.log\nin/2.log\n" },
		{ "'path':['in/2.log','in/1.txt']", "in/1.txt\nin/2.log\n" },
		{ "'path':['in/2.log','in/*.log','./in/2.log']", "in/1.log\nin/2.log\n" },
		{ "'path':'in/?.{txt,log}'", "in/1.log\nin/1.txt\nin/2.log\n" },
		{ "'path':'in/[!1].log'", "in/2.log\n" },
		{ "'path':'in/*/*.log'", "in/a/x.log\nin/b/z.log\n" },
		{ "'path':'in/**/*.log'",
			"in/1.log\nin/2.log\nin/a/deep/y.log\nin/a/x.log\nin/b/z.log\n" },
		{ "'path':'in/**/*.log','exclude':'**/a/**'", "in/1.log\nin/2.log\nin/b/z.log\n" },
		{ "'path':'in/b/*','exclude':['*.gz','nothing']", "in/b/z.log\n" },
		{ "'path':'in/.*.log'", "in/.dot.log\n" },
	};

	make_tree();
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		cr_assert(running_open(running, "",
			"'p':{'from':{'file':{%s,'follow':false}},'to':{'file':{'path':'out','"
			"append':false}}}",
			all[i].options));
		running_to_end(running);
		running_close(running);
		assert_file("out", all[i].expected);
	}
}

Test(source_file, finds_in_name_order)
{
	running_on_both(finds_in_name_order);
}

static void ends_each_file(struct running *running)
{
	file_put("1", "one\ntwo");
	file_put("2", "three");
	file_put("3", "four\n");
	cr_assert(running_open(running, "",
		"'p':{'from':{'file':{'path':'[123]','follow':false}},'stages':['split'],'to':{'"
		"file':'out'}}"));
	running_to_end(running);
	running_close(running);
	assert_file("out", "one\ntwo\nthree\nfour\n");
}

Test(source_file, ends_each_file)
{
	running_on_both(ends_each_file);
}

static void names_what_is_missing(struct running *running)
{
	static const struct found all[] = {
		{ "'path':'none.log'", "p.from.0: no such file: none.log" },
		{ "'path':['there','none.log']", "p.from.0: no such file: none.log" },
		{ "'path':'none/x'", "p.from.0: no such file: none/x" },
		{ "'path':'*.none'", "p.from.0: no such file: nothing matches *.none" },
		{ "'path':'folder'", "p.from.0: not a file: folder is a directory" },
		{ "'path':'fifo'", "p.from.0: not a file: fifo is a FIFO" },
	};

	file_put("there", "x\n");
	cr_assert_eq(mkdir("folder", 0755), 0);
	cr_assert_eq(mkfifo("fifo", 0644), 0);
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		cr_assert_not(running_open(running, "",
			"'p':{'from':{'file':{%s,'follow':false}},'to':'null'}", all[i].options));
		cr_assert_str_eq(first_fault(running), all[i].expected);
		cr_assert_not_null(running->faults.items[0].remedy);
		running_close(running);
	}
}

Test(source_file, names_what_is_missing)
{
	running_on_both(names_what_is_missing);
}

static void skips_what_is_no_file(struct running *running)
{
	cr_assert_eq(mkdir("in", 0755), 0);
	cr_assert_eq(mkdir("in/0", 0755), 0);
	cr_assert_eq(mkfifo("in/1", 0644), 0);
	file_put("in/2", "two\n");
	cr_assert_eq(symlink("2", "in/3"), 0);
	cr_assert(running_open(running, "",
		"'p':{'from':{'file':{'path':'in/*','follow':false}},'to':{'file':'out'}}"));
	running_to_end(running);
	cr_assert(strstr(running->log, "warning skipped in/"));
	running_close(running);
	assert_file("out", "two\n");
}

Test(source_file, skips_what_is_no_file)
{
	running_on_both(skips_what_is_no_file);
}

/* Each is named once, and counted; one that can be read is reason enough to start. */
static void counts_what_it_may_not_read(struct running *running)
{
	struct node_report report;

	file_put("1.log", "one\n");
	file_put("2.log", "two\n");
	file_put("3.log", "three\n");
	cr_assert_eq(chmod("2.log", 0600) | chmod("3.log", 0600), 0);
	cr_assert_eq(chmod(".", 0777), 0);
	cr_assert_eq(seteuid(65534), 0);
	cr_assert(running_open(running, "",
		"'p':{'from':{'file':{'path':'*.log','follow':false}},'to':{'file':'out'}}"));
	running_to_end(running);
	cr_assert(strstr(running->log, "warning skipped 2.log: Permission denied"));
	cr_assert(strstr(running->log, "warning skipped 3.log: Permission denied"));
	cr_assert(strstr(running->log, "error 2 files could not be read"));
	engine_report(running_node(running, "p.from.0"), &report);
	cr_assert_eq(report.account.unread, 2);
	running_close(running);
	assert_file("out", "one\n");
	cr_assert_not(running_open(running, "",
		"'p':{'from':{'file':{'path':'[23].log','follow':false}},'to':'null'}"));
	cr_assert_str_eq(
		first_fault(running), "p.from.0: nothing that matches [23].log can be read");
	running_close(running);
	cr_assert_eq(seteuid(0), 0);
}

Test(source_file, counts_what_it_may_not_read)
{
	if (geteuid() != 0)
		cr_skip_test("only root can become nobody");
	running_on_both(counts_what_it_may_not_read);
}

enum { TOO_MANY = 150 };

static void names_no_more_than_a_hundred(struct running *running)
{
	char path[32];
	unsigned named = 0;

	file_put("in", "in\n");
	for (unsigned i = 0; i < TOO_MANY; i++) {
		snprintf(path, sizeof(path), "in%u", i);
		cr_assert_eq(mkdir(path, 0755), 0);
	}
	cr_assert(running_open(running, "",
		"'p':{'from':{'file':{'path':'in*','follow':false}},'to':{'file':'out'}}"));
	running_to_end(running);
	for (const char *at = running->log; (at = strstr(at, "skipped in")); at++)
		named++;
	cr_assert_eq(named, 100);
	cr_assert(strstr(running->log, "skipped 150 files, of which the first 100 were named"));
	running_close(running);
}

Test(source_file, names_no_more_than_a_hundred)
{
	running_on_both(names_no_more_than_a_hundred);
}

static void goes_on_where_one_vanished(struct running *running)
{
	file_put("1", "one\n");
	file_put("2", "two\n");
	file_put("3", "three\n");
	cr_assert(running_open(running, "",
		"'p':{'from':{'file':{'path':'[123]','follow':false}},'to':{'file':'out'}}"));
	cr_assert_eq(unlink("2"), 0);
	running_to_end(running);
	cr_assert(strstr(running->log, "skipped 2: No such file"));
	running_close(running);
	assert_file("out", "one\nthree\n");
}

Test(source_file, goes_on_where_one_vanished)
{
	running_on_both(goes_on_where_one_vanished);
}

static void stops_where_it_stands(struct running *running)
{
	static char line[1001];

	memset(line, 'x', 1000);
	line[999] = '\n';
	for (int i = 0; i < 3000; i++)
		file_add("in", "%s", line);
	cr_assert(running_open(running, "'memory':'1MiB','buffer':'4KiB'",
		"'p':{'from':{'file':{'path':'in','follow':false}},'stages':['split'],'to':{'file':"
		"'out'}}"));
	engine_turn(running->engine, 1000);
	engine_turn(running->engine, 1000);
	engine_drain(running->engine, 0);
	running_to_end(running);
	running_close(running);
	size_t size;
	char *content = file_get("out", &size);
	cr_assert_lt(size, 3000000);
	cr_assert_eq(size % 1000, 0, "half a record is not emitted");
	free(content);
}

Test(source_file, stops_where_it_stands)
{
	running_on_both(stops_where_it_stands);
}

static void goes_on_behind_a_bad_file(struct running *running)
{
	file_put("x", "good\n");
	cr_assert(running_open(running, "",
		"'p':{'from':{'file':{'path':['/proc/self/"
		"mem','x'],'follow':false}},'to':{'file':'out'}}"));
	running_to_end(running);
	cr_assert(strstr(running->log,
		"error /proc/self/mem: cannot read on at byte 0: Input/output error"));
	const struct node *source = running_node(running, "p.from.0");
	cr_assert_eq(source->account.errors[ERROR_READ], 1);
	cr_assert_eq(source->account.errors[ERROR_OPEN], 0);
	running_close(running);
	assert_file("out", "good\n");
}

Test(source_file, goes_on_behind_a_bad_file)
{
	running_on_both(goes_on_behind_a_bad_file);
}

static void reads_more_than_the_size_says(struct running *running)
{
	char *version = file_get("/proc/version", NULL);

	cr_assert_str_eq(version, "", "it says that it is empty");
	free(version);
	cr_assert(running_open(running, "",
		"'p':{'from':{'file':{'path':'/proc/"
		"version','follow':false}},'to':{'file':'out'}}"));
	running_to_end(running);
	running_close(running);
	version = file_get("out", NULL);
	cr_assert_eq(strncmp(version, "Linux version", 13), 0);
	free(version);
}

Test(source_file, reads_more_than_the_size_says)
{
	running_on_both(reads_more_than_the_size_says);
}

/* Whatever is in flight or not put yet is given back. */
static void closes_at_any_time(struct running *running)
{
	static char block[1000001];

	memset(block, 'x', 1000000);
	for (size_t i = 99; i < 1000000; i += 100)
		block[i] = '\n';
	file_put("in", "%s", block);
	cr_assert_eq(mkfifo("stuck", 0644), 0);
	for (int follow = 0; follow < 2; follow++) {
		for (int turns = 0; turns < 12; turns++) {
			cr_assert(running_open(running, "'memory':'1MiB','buffer':'4KiB'",
				"'p':{'from':{'file':{'path':'in','follow':%s}},'stages':['split'],"
				"'to':{'file':'stuck'}}",
				follow ? "true" : "false"));
			for (int i = 0; i < turns; i++)
				engine_turn(running->engine, 10);
			running_close(running);
		}
	}
}

Test(source_file, closes_at_any_time)
{
	running_on_both(closes_at_any_time);
}

/* Following. */

static void follows_what_grows(struct running *running)
{
	cr_assert_eq(mkdir("in", 0755), 0);
	file_put("in/a.log", "1\n");
	cr_assert(running_open(running, "", FOLLOW_ALL));
	running_until_file(running, "out", "1\n");
	file_add("in/a.log", "2\n");
	running_until_file(running, "out", "1\n2\n");
	file_put("in/b.log", "3\n");
	running_until_file(running, "out", "1\n2\n3\n");
	file_put("in/c.txt", "not ours\n");
	file_add("in/a.log", "4\n");
	running_until_file(running, "out", "1\n2\n3\n4\n");
	finish(running);
}

Test(source_file, follows_what_grows)
{
	running_on_both(follows_what_grows);
}

/* What is awaited may be a slip of the pen. */
static void says_what_is_awaited(struct running *running)
{
	file_put("here", "x\n");
	cr_assert(running_open(running, "",
		"'p':{'from':{'file':['*.none','here','a','b']},'stages':['split'],'to':'null'}"));
	cr_assert(strstr(running->log, "info nothing matches *.none yet, nor 2 more"));
	running_close(running);
	running->log_size = 0;
	running->log[0] = '\0';
	cr_assert(running_open(
		running, "", "'p':{'from':{'file':'her?'},'stages':['split'],'to':'null'}"));
	cr_assert_null(strstr(running->log, "nothing matches"));
	running_close(running);
}

Test(source_file, says_what_is_awaited)
{
	running_on_both(says_what_is_awaited);
}

Test(source_file, refuses_a_start_that_is_not_used)
{
	struct running running = { .backend = LOOP_EPOLL };

	cr_assert_not(running_open(&running, "",
		"'p':{'from':{'file':{'path':'in','follow':false,'start_at':'end'}},'to':'null'}"));
	cr_assert_str_eq(running.faults.items[0].message,
		"\"start_at\" is not used, because \"follow\" is false");
	running_close(&running);
}

static void completes_a_record_once(struct running *running)
{
	cr_assert_eq(mkdir("in", 0755), 0);
	file_put("in/a.log", "1\nhal");
	cr_assert(running_open(running, "", FOLLOW_ALL));
	running_until_file(running, "out", "1\n");
	file_add("in/a.log", "f");
	running_settle(running);
	assert_file("out", "1\n");
	file_add("in/a.log", "\n");
	running_until_file(running, "out", "1\nhalf\n");
	file_add("in/a.log", "unfinished");
	running_settle(running);
	finish(running);
	assert_file("out", "1\nhalf\n");
}

Test(source_file, completes_a_record_once)
{
	running_on_both(completes_a_record_once);
}

static void starts_at_the_end(struct running *running)
{
	cr_assert_eq(mkdir("in", 0755), 0);
	file_put("in/a.log", "old\n");
	cr_assert(running_open(running, "",
		"'p':{'from':{'file':{'path':'in/"
		"*.log','start_at':'end'}},'stages':['split'],'to':{'file':'out'}}"));
	file_add("in/a.log", "new\n");
	running_until_file(running, "out", "new\n");
	file_put("in/b.log", "later\n");
	running_until_file(running, "out", "new\nlater\n");
	finish(running);
}

Test(source_file, starts_at_the_end)
{
	running_on_both(starts_at_the_end);
}

static void reads_a_truncated_file_anew(struct running *running)
{
	file_put("a.log", "one\ntwo\nhalf");
	cr_assert(running_open(running, "",
		"'p':{'from':{'file':'a.log'},'stages':['split'],'to':{'file':'out'}}"));
	running_until_file(running, "out", "one\ntwo\n");
	file_put("a.log", "3\n");
	running_until_log(running, "info a.log was truncated");
	running_until_file(running, "out", "one\ntwo\nhalf\n3\n");
	finish(running);
}

Test(source_file, reads_a_truncated_file_anew)
{
	running_on_both(reads_a_truncated_file_anew);
}

static bool is_closed(void *context)
{
	char link[64], target[256];

	(void)context;
	for (int fd = 3; fd < 64; fd++) {
		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		ssize_t size = readlink(link, target, sizeof(target) - 1);
		target[size < 0 ? 0 : size] = '\0';
		if (strstr(target, "a.log"))
			return false;
	}
	return true;
}

static void ends_a_deleted_file(struct running *running)
{
	cr_assert_eq(mkdir("in", 0755), 0);
	file_put("in/a.log", "1\nlast");
	cr_assert(running_open(running, "", FOLLOW_ALL));
	running_until_file(running, "out", "1\n");
	cr_assert_not(is_closed(NULL));
	cr_assert_eq(unlink("in/a.log"), 0);
	running_until_file(running, "out", "1\nlast");
	cr_assert(is_closed(NULL));
	file_put("in/a.log", "2\n");
	running_until_file(running, "out", "1\nlast\n2\n");
	finish(running);
}

Test(source_file, ends_a_deleted_file)
{
	running_on_both(ends_a_deleted_file);
}

static void reads_a_renamed_file_to_its_end(struct running *running)
{
	cr_assert_eq(mkdir("in", 0755), 0);
	file_put("in/a.log", "1\n");
	cr_assert(running_open(running, "", FOLLOW_ALL));
	running_until_file(running, "out", "1\n");
	cr_assert_eq(rename("in/a.log", "in/a.log.1"), 0);
	file_put("in/a.log", "2\n");
	running_until_file(running, "out", "1\n2\n");
	file_add("in/a.log.1", "late\n");
	running_until_file(running, "out", "1\n2\nlate\n");
	if (running->backend == LOOP_EPOLL) { /* takes its time: some seconds without a change */
		file_add("in/a.log.1", "and more");
		running_until_file(running, "out", "1\n2\nlate\nand more");
	}
	finish(running);
}

Test(source_file, reads_a_renamed_file_to_its_end)
{
	running_on_both(reads_a_renamed_file_to_its_end);
}

static void keeps_a_file_under_a_new_name(struct running *running)
{
	cr_assert_eq(mkdir("in", 0755), 0);
	file_put("in/a.log", "1\nha");
	cr_assert(running_open(running, "", FOLLOW_ALL));
	running_until_file(running, "out", "1\n");
	cr_assert_eq(rename("in/a.log", "in/b.log"), 0);
	running_settle(running);
	file_add("in/b.log", "lf\n");
	running_until_file(running, "out", "1\nhalf\n");
	finish(running);
}

Test(source_file, keeps_a_file_under_a_new_name)
{
	running_on_both(keeps_a_file_under_a_new_name);
}

/* One plain path is one stream: the new file waits until the old one is read. */
static void follows_a_path_through_rotation(struct running *running)
{
	file_put("a.log", "1\n");
	cr_assert(running_open(running, "",
		"'p':{'from':{'file':'a.log'},'stages':['split'],'to':{'file':'out'}}"));
	running_until_file(running, "out", "1\n");
	cr_assert_eq(rename("a.log", "a.log.1"), 0);
	file_add("a.log.1", "2\n");
	file_put("a.log", "3\n");
	running_until_file(running, "out", "1\n2\n3\n");
	finish(running);
}

Test(source_file, follows_a_path_through_rotation)
{
	running_on_both(follows_a_path_through_rotation);
}

static void waits_for_folders(struct running *running)
{
	cr_assert(running_open(running, "",
		"'p':{'from':{'file':['in/*/x.log','late/"
		"y.log']},'stages':['split'],'to':{'file':'out'}}"));
	cr_assert(strstr(running->log, "warning in: no such directory yet"));
	running_settle(running);
	cr_assert_eq(mkdir("in", 0755), 0);
	cr_assert_eq(mkdir("in/a", 0755), 0);
	file_put("in/a/x.log", "1\n");
	running_until_file(running, "out", "1\n");
	cr_assert_eq(mkdir("late", 0755), 0);
	file_put("late/y.log", "2\n");
	running_until_file(running, "out", "1\n2\n");
	cr_assert_eq(mkdir("in/b", 0755), 0);
	file_put("in/b/x.log", "3\n");
	running_until_file(running, "out", "1\n2\n3\n");
	file_add("in/b/x.log", "4\n");
	running_until_file(running, "out", "1\n2\n3\n4\n");
	finish(running);
}

Test(source_file, waits_for_folders)
{
	running_on_both(waits_for_folders);
}

static void notices_a_folder_made_anew(struct running *running)
{
	cr_assert_eq(mkdir("in", 0755), 0);
	file_put("in/a.log", "1\n");
	cr_assert(running_open(running, "", FOLLOW_ALL));
	running_until_file(running, "out", "1\n");
	cr_assert_eq(unlink("in/a.log"), 0);
	cr_assert_eq(rmdir("in"), 0);
	cr_assert_eq(mkdir("in", 0755), 0);
	file_put("in/a.log", "2\n");
	running_until_file(running, "out", "1\n2\n");
	file_add("in/a.log", "3\n");
	running_until_file(running, "out", "1\n2\n3\n");
	finish(running);
}

Test(source_file, notices_a_folder_made_anew)
{
	running_on_both(notices_a_folder_made_anew);
}

/* From here on inotify_init1(2) fails in this thread. */
static bool refuse_watches(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_inotify_init1, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EMFILE),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = sizeof(filter) / sizeof(*filter), .filter = filter };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static void looks_again_where_nothing_is_told(struct running *running)
{
	cr_assert_eq(mkdir("in", 0755), 0);
	file_put("in/a.log", "1\n");
	cr_assert(running_open(running, "", FOLLOW_ALL));
	cr_assert(strstr(
		running->log, "warning in: changes cannot be watched; looking again every second"));
	running_until_file(running, "out", "1\n");
	file_add("in/a.log", "2\n");
	running_until_file(running, "out", "1\n2\n");
	file_put("in/b.log", "3\n");
	running_until_file(running, "out", "1\n2\n3\n");
	finish(running);
}

Test(source_file, looks_again_where_nothing_is_told)
{
	if (!refuse_watches()) {
		cr_log_warn("watching cannot be forbidden here: %s", strerror(errno));
		cr_skip_test("no seccomp");
	}
	running_on_both(looks_again_where_nothing_is_told);
}

static void follow_skips_what_is_no_file(struct running *running)
{
	cr_assert_eq(mkdir("in", 0755), 0);
	cr_assert_eq(mkfifo("in/a.log", 0644), 0);
	cr_assert_eq(mkdir("in/b.log", 0755), 0);
	file_put("in/c.log", "1\n");
	cr_assert(running_open(running, "", FOLLOW_ALL));
	running_until_file(running, "out", "1\n");
	cr_assert(strstr(running->log, "warning skipped in/"));
	finish(running);
}

Test(source_file, follow_skips_what_is_no_file)
{
	running_on_both(follow_skips_what_is_no_file);
}

static void waits_for_permission(struct running *running)
{
	cr_assert_eq(mkdir("in", 0755), 0);
	file_put("in/a.log", "1\n");
	cr_assert_eq(chmod("in/a.log", 0), 0);
	cr_assert_eq(chmod(".", 0777), 0);
	cr_assert_eq(seteuid(65534), 0);
	cr_assert(running_open(running, "", FOLLOW_ALL));
	running_until_log(running, "warning cannot read in/a.log: Permission denied");
	cr_assert_geq(running_node(running, "p.from.0")->account.errors[ERROR_OPEN], 1);
	cr_assert_eq(seteuid(0), 0);
	cr_assert_eq(chmod("in/a.log", 0644), 0);
	cr_assert_eq(seteuid(65534), 0);
	running_until_file(running, "out", "1\n");
	finish(running);
	cr_assert_eq(seteuid(0), 0);
}

Test(source_file, waits_for_permission)
{
	if (geteuid() != 0)
		cr_skip_test("only root can become nobody");
	running_on_both(waits_for_permission);
}

static bool size_reached(void *context)
{
	struct stat status;
	const off_t *size = context;

	return stat("out", &status) == 0 && status.st_size >= *size;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Each line is there exactly once. */
static void assert_lines(unsigned files, unsigned rounds)
{
	size_t size, count = 0, wanted = (size_t)files * rounds;
	char *content = file_get("out", &size), expected[32];
	char **lines = calloc(wanted, sizeof(*lines));

	cr_assert(lines);
	for (char *line = strtok(content, "\n"); line && count < wanted; line = strtok(NULL, "\n"))
		lines[count++] = line;
	cr_assert_eq(count, wanted);
	qsort(lines, count, sizeof(*lines), by_text);
	for (unsigned i = 0; i < wanted; i++) {
		snprintf(expected, sizeof(expected), "%05u round %u", i / rounds, i % rounds);
		cr_assert_str_eq(lines[i], expected);
	}
	free(lines);
	free(content);
}

static unsigned open_descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	unsigned count = 0;

	cr_assert(folder);
	while (readdir(folder))
		count++;
	closedir(folder);
	return count;
}

/* More files than are kept open. */
static void follows_many(struct running *running)
{
	enum { FILES = 1100, ROUNDS = 2 };
	off_t size = 0;

	cr_assert_eq(mkdir("in", 0755), 0);
	cr_assert(running_open(running, "", FOLLOW_ALL));
	for (unsigned round = 0; round < ROUNDS; round++) {
		for (unsigned i = 0; i < FILES; i++) {
			char name[64];
			snprintf(name, sizeof(name), "in/%05u.log", i);
			file_add(name, "%05u round %u\n", i, round);
		}
		size += FILES * 14;
		running_until(running, size_reached, &size);
	}
	cr_assert_leq(open_descriptors(), 1050);
	cr_assert_geq(open_descriptors(), 1000);
	finish(running);
	assert_lines(FILES, ROUNDS);
}

Test(source_file, follows_many)
{
	struct rlimit limit;

	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = limit.rlim_max < 2000 ? limit.rlim_max : 2000;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	if (limit.rlim_cur < 1200)
		cr_skip_test("too few descriptors");
	running_on_both(follows_many);
}

static void serves_each_in_turn(struct running *running)
{
	static char line[1001];

	memset(line, 'x', 999);
	line[999] = '\n';
	cr_assert_eq(mkdir("in", 0755), 0);
	for (int i = 0; i < 4000; i++)
		file_add("in/big.log", "%s", line);
	file_put("in/small.log", "small\n");
	cr_assert(running_open(running, "", FOLLOW_ALL));
	off_t size = 4000006;
	running_until(running, size_reached, &size);
	char *content = file_get("out", NULL);
	const char *small = strstr(content, "small\n");
	cr_assert(small);
	cr_assert_lt(
		small - content, 2000000, "the small file does not wait for the big one's end");
	free(content);
	finish(running);
}

Test(source_file, serves_each_in_turn)
{
	running_on_both(serves_each_in_turn);
}
