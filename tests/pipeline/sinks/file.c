/* The file sink: what it opens, what it writes when the world is well, and what it does when it is not. */

#include "pipeline/sinks/trouble.h"
#include "tests/support/running.h"

#include <criterion/criterion.h>
#include <criterion/logging.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define COPY_TO(to)                                                                                \
	"'p':{'from':{'file':{'path':'in','follow':false}},'stages':['split'],'to':{'file':" to "}}"

static void assert_file(const char *path, const char *expected)
{
	char *content = file_get(path, NULL);

	cr_assert_str_eq(content, expected);
	free(content);
}

static void copy(struct running *running, const char *to)
{
	cr_assert(running_open(running, "",
		"'p':{'from':{'file':{'path':'in','follow':false}},'stages':['split'],'to':{'file':"
		"%s}}",
		to));
	running_to_end(running);
	running_close(running);
}

static unsigned mode_of(const char *path)
{
	struct stat status;

	cr_assert_eq(stat(path, &status), 0);
	return status.st_mode & 07777;
}

/* Numbered records of different sizes. */
static size_t put_records(const char *path, unsigned count)
{
	static char text[4 << 20];
	size_t size = 0;

	for (unsigned i = 0; i < count; i++)
		size += (size_t)snprintf(text + size, sizeof(text) - size, "%06u %.*s\n", i,
			(int)(i * 7919 % 200),
			"--------------------------------------------------"
			"--------------------------------------------------"
			"--------------------------------------------------"
			"--------------------------------------------------");
	file_put_bytes(path, text, size);
	return size;
}

static void assert_same(const char *path, const char *other)
{
	size_t size, other_size;
	char *content = file_get(path, &size), *wanted = file_get(other, &other_size);

	cr_assert_eq(size, other_size);
	cr_assert_eq(memcmp(content, wanted, size), 0);
	free(content);
	free(wanted);
}

/* Opening. */

static void completes_what_is_there(struct running *running)
{
	static const char *const before[][2] = {
		{ "", "1\n2\n" },
		{ "old\n", "old\n1\n2\n" },
		{ "half", "half\n1\n2\n" },
	};

	file_put("in", "1\n2\n");
	for (size_t i = 0; i < 3; i++) {
		file_put("out", "%s", before[i][0]);
		copy(running, "'out'");
		assert_file("out", before[i][1]);
	}
	file_put("in", "%s", "");
	file_put("out", "half");
	copy(running, "'out'");
	assert_file("out", "half");
}

Test(sink_file, completes_what_is_there)
{
	running_everywhere(completes_what_is_there);
}

static void completes_with_the_delimiter_in_use(struct running *running)
{
	static const char *const before[][2] = {
		{ "a;", "a;;;1;;2" },
		{ "a;;", "a;;1;;2" },
		{ "a", "a;;1;;2" },
	};

	file_put("in", "1;;2");
	for (size_t i = 0; i < 3; i++) {
		file_put("out", "%s", before[i][0]);
		cr_assert(running_open(running, "",
			"'p':{'from':{'file':{'path':'in','follow':false}},"
			"'stages':[{'split':{'on':'delimiter','delimiter':';;'}}],'to':{'file':'"
			"out'}}"));
		running_to_end(running);
		running_close(running);
		assert_file("out", before[i][1]);
	}
}

Test(sink_file, completes_with_the_delimiter_in_use)
{
	running_everywhere(completes_with_the_delimiter_in_use);
}

static void empties_where_told(struct running *running)
{
	file_put("in", "new\n");
	file_put("out", "much that was there before");
	copy(running, "{'path':'out','append':false}");
	assert_file("out", "new\n");
}

Test(sink_file, empties_where_told)
{
	running_everywhere(empties_where_told);
}

static void empties_what_nothing_comes_for(struct running *running)
{
	file_put("in", "%s", "");
	file_put("out", "old\n");
	copy(running, "{'path':'out','append':false}");
	assert_file("out", "");
}

Test(sink_file, empties_what_nothing_comes_for)
{
	running_everywhere(empties_what_nothing_comes_for);
}

/* A start that fails has lost nothing. */
static void empties_when_all_have_started(struct running *running)
{
	file_put("out", "old\n");
	file_put("plain", "x");
	cr_assert_not(running_open(running, "",
		"'p':{'from':'stdin','to':[{'file':{'path':'out','append':false}},"
		"{'file':'plain/out'}]}"));
	running_close(running);
	assert_file("out", "old\n");
}

Test(sink_file, empties_when_all_have_started)
{
	running_everywhere(empties_when_all_have_started);
}

/* The old one is left as it would have been. */
static void empties_before_it_moves(struct running *running)
{
	file_put("in", "%s", "");
	file_put("out", "old\n");
	cr_assert(running_open(running, "",
		"'p':{'from':{'file':'in'},'to':{'file':{'path':'out','append':false}}}"));
	cr_assert_eq(rename("out", "out.1"), 0);
	file_put("out", "another's\n");
	engine_reopen(running->engine);
	assert_file("out.1", "");
	file_add("in", "new\n");
	running_until_file(running, "out", "another's\nnew\n");
	engine_drain(running->engine, 0);
	running_to_end(running);
	running_close(running);
	cr_assert_eq(unlink("out.1"), 0);
}

Test(sink_file, empties_before_it_moves)
{
	running_everywhere(empties_before_it_moves);
}

/* A directory that may be made writable again, and one whose mode tells who may. */
static void says_what_helps(struct running *running)
{
	cr_assert_eq(mkdir("closed", 0755), 0);
	cr_assert_eq(seteuid(65534), 0);
	for (unsigned service = 0; service < 2; service++) {
		cr_assert_eq(
			service ? setenv("INVOCATION_ID", "1", 1) : unsetenv("INVOCATION_ID"), 0);
		cr_assert_not(running_open(
			running, "", "'p':{'from':'stdin','to':{'file':'closed/out'}}"));
		const char *remedy = running->faults.items[0].remedy;
		cr_assert_not_null(remedy);
		cr_assert_eq(strstr(remedy, "ReadWritePaths=") != NULL, service == 1);
		running_close(running);
	}
	cr_assert_eq(seteuid(0), 0);
}

Test(sink_file, says_what_helps)
{
	if (geteuid() != 0)
		cr_skip_test("only root can become nobody");
	running_on_both(says_what_helps);
}

static void makes_files_and_folders(struct running *running)
{
	mode_t before = umask(0027);

	file_put("in", "1\n");
	umask(0077);
	copy(running, "'a/b/out'");
	cr_assert_eq(mode_of("a/b/out"), 0640, "exact, whatever the mask");
	umask(0);
	copy(running, "'c/d/out'");
	cr_assert_eq(mode_of("c/d"), 0750);
	file_put("there", "%s", "");
	cr_assert_eq(chmod("there", 0600), 0);
	copy(running, "'there'");
	cr_assert_eq(mode_of("there"), 0600, "a file that was there keeps its mode");
	umask(before);
	assert_file("a/b/out", "1\n");
}

Test(sink_file, makes_files_and_folders)
{
	running_everywhere(makes_files_and_folders);
}

static void refuse(struct running *running, const char *to, const char *message)
{
	cr_assert_not(running_open(running, "",
		"'p':{'from':{'file':{'path':'in','follow':false}},'to':{'file':%s}}", to));
	cr_assert_eq(running->faults.count, 1);
	cr_assert_null(running->faults.items[0].file);
	cr_assert_str_eq(running->faults.items[0].message, message);
	running_close(running);
}

static void says_what_cannot_be_created(struct running *running)
{
	file_put("in", "1\n");
	file_put("plain", "x");
	cr_assert_eq(mkdir("folder", 0755), 0);
	refuse(running, "'plain/out'", "p.to.0: cannot create plain/out: Not a directory");
	refuse(running, "'folder'", "p.to.0: cannot create folder: Is a directory");
	refuse(running, "'new/'", "p.to.0: cannot create new/: Is a directory");
	cr_assert_eq(seteuid(65534), 0);
	refuse(running, "'folder/out'", "p.to.0: cannot create folder/out: Permission denied");
	refuse(running, "'folder/a/out'", "p.to.0: cannot create folder/a/out: Permission denied");
	cr_assert_eq(seteuid(0), 0);
}

Test(sink_file, says_what_cannot_be_created)
{
	if (geteuid() != 0)
		cr_skip_test("only root can become nobody");
	running_on_both(says_what_cannot_be_created);
}

static void respects_a_lock(struct running *running)
{
	file_put("in", "1\n");
	file_put("out", "theirs\n");
	int fd = open("out", O_RDONLY | O_CLOEXEC);
	cr_assert_eq(flock(fd, LOCK_EX), 0);
	refuse(running, "'out'", "p.to.0: cannot write out: another process has locked it");
	refuse(running, "{'path':'out','append':false}",
		"p.to.0: cannot write out: another process has locked it");
	assert_file("out", "theirs\n");
	cr_assert_not(running_open(running, "", COPY_TO("'out'")));
	cr_assert(strstr(running->faults.items[0].remedy, "lslocks"));
	running_close(running);
	cr_assert_eq(flock(fd, LOCK_UN), 0);
	cr_assert(running_open(running, "", COPY_TO("'out'")));
	cr_assert_eq(flock(fd, LOCK_EX | LOCK_NB), -1);
	running_to_end(running);
	running_close(running);
	cr_assert_eq(flock(fd, LOCK_EX | LOCK_NB), 0);
	close(fd);
}

Test(sink_file, respects_a_lock)
{
	running_everywhere(respects_a_lock);
}

/* Writing. */

static void writes_records_of_many_pieces(struct running *running)
{
	static const char *const buffers[] = { "16B", "100B", "64KiB" };
	size_t size = put_records("in", 3000);

	for (size_t i = 0; i < 3; i++) {
		char service[64];
		snprintf(service, sizeof(service), "'buffer':'%s'", buffers[i]);
		cr_assert(running_open(running, service, COPY_TO("{'path':'out','append':false}")));
		running_to_end(running);
		const struct node *sink = running_node(running, "p.to.0");
		cr_assert_eq(sink->account.sent, size);
		cr_assert_eq(sink->safe, sink->in->taken.views);
		running_close(running);
		assert_same("out", "in");
	}
}

Test(sink_file, writes_records_of_many_pieces)
{
	running_everywhere(writes_records_of_many_pieces);
}

static void writes_to_a_fifo(struct running *running)
{
	char got[8] = "";

	file_put("in", "1\n2\n");
	cr_assert_eq(mkfifo("out", 0600), 0);
	int fd = open("out", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	copy(running, "'out'");
	cr_assert_eq(read(fd, got, sizeof(got)), 4);
	cr_assert_str_eq(got, "1\n2\n");
	close(fd);
	cr_assert_eq(mode_of("out"), 0600);
}

Test(sink_file, writes_to_a_fifo)
{
	running_everywhere(writes_to_a_fifo);
}

struct fifo {
	int fd;
	size_t size;
};

static bool drained(void *context)
{
	struct fifo *fifo = context;
	char part[4096];
	ssize_t got = read(fifo->fd, part, sizeof(part));

	if (got > 0)
		fifo->size += (size_t)got;
	return fifo->size >= 300000;
}

/* Without a reader nothing is lost, and nothing waits but what has to. */
static void waits_for_the_fifo_reader(struct running *running)
{
	struct fifo fifo = { 0 };
	char *block = calloc(1, 300001);

	cr_assert(block);
	memset(block, 'x', 300000);
	block[299999] = '\n';
	file_put("in", "%s", block);
	free(block);
	cr_assert_eq(mkfifo("out", 0600), 0);
	cr_assert(running_open(running, "", COPY_TO("'out'")));
	running_settle(running);
	cr_assert_not(engine_finished(running->engine));
	fifo.fd = open("out", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	running_until(running, drained, &fifo);
	running_to_end(running);
	running_close(running);
	cr_assert_eq(fifo.size, 300000);
	close(fifo.fd);
}

Test(sink_file, waits_for_the_fifo_reader)
{
	running_everywhere(waits_for_the_fifo_reader);
}

/* Failing. */

static void assert_whole_records(const char *path)
{
	size_t size;
	char *content = file_get(path, &size);

	cr_assert(size == 0 || content[size - 1] == '\n', "half a record is left");
	free(content);
}

static void limit_file_size(rlim_t size)
{
	struct rlimit limit;

	cr_assert_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = size;
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

struct retries {
	const struct node *node;
	uint64_t due;
	unsigned seen, wanted;
};

static bool has_retried(void *context)
{
	struct retries *retries = context;

	if (retries->node->due && retries->node->due != retries->due) {
		retries->due = retries->node->due;
		retries->seen++;
	}
	return retries->seen > retries->wanted;
}

static void waits_until_it_can_write(struct running *running)
{
	signal(SIGXFSZ, SIG_IGN);
	size_t size = put_records("in", 6000);
	cr_assert_gt(size, 500000);
	cr_assert(running_open(running, "'memory':'2MiB','buffer':'1KiB'", COPY_TO("'out'")));
	limit_file_size(200123);
	running_until_log(
		running, "error cannot write out: File too large; trying again every second");
	cr_assert_not(running_node(running, "p.to.0")->up);
	assert_whole_records("out");
	struct retries retries = { .node = running_node(running, "p.to.0"), .wanted = 1 };
	running_until(running, has_retried, &retries);
	cr_assert_eq(strchr(running->log, '\n'), running->log + strlen(running->log) - 1,
		"a change of state is one line: %s", running->log);
	limit_file_size(RLIM_INFINITY);
	running_until_log(running, "info writes out again");
	running_to_end(running);
	running_close(running);
	assert_same("out", "in");
}

Test(sink_file, waits_until_it_can_write)
{
	running_everywhere(waits_until_it_can_write);
}

/* A record in many pieces, half of them written: all of it is cut off again, and written again. */
static void cuts_records_of_many_pieces(struct running *running)
{
	signal(SIGXFSZ, SIG_IGN);
	put_records("in", 1000);
	for (rlim_t limit = 40000; limit < 40100; limit += 67) {
		cr_assert(running_open(running, "'memory':'1MiB','buffer':'16B'",
			COPY_TO("{'path':'out','append':false}")));
		limit_file_size(limit);
		running_until_log(running, "error cannot write out: File too large");
		assert_whole_records("out");
		limit_file_size(RLIM_INFINITY);
		running_to_end(running);
		running_close(running);
		assert_same("out", "in");
	}
}

Test(sink_file, cuts_records_of_many_pieces)
{
	running_everywhere(cuts_records_of_many_pieces);
}

static void waits_for_room_on_disk(struct running *running)
{
	put_records("in", 6000);
	cr_assert_eq(mkdir("disk", 0755), 0);
	cr_assert_eq(mount("none", "disk", "tmpfs", 0, "size=1m"), 0);
	char *filler = calloc(1, 700000);
	cr_assert(filler);
	file_put_bytes("disk/filler", filler, 700000);
	free(filler);
	cr_assert(running_open(running, "", COPY_TO("'disk/out'")));
	running_until_log(running, "error cannot write disk/out: No space left on device");
	assert_whole_records("disk/out");
	cr_assert_eq(unlink("disk/filler"), 0);
	running_until_log(running, "info writes disk/out again");
	running_to_end(running);
	running_close(running);
	assert_same("disk/out", "in");
	cr_assert_eq(umount("disk"), 0);
}

Test(sink_file, waits_for_room_on_disk)
{
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) {
		cr_log_warn("no small disk to fill: %s", strerror(errno));
		cr_skip_test("mounting is refused");
	}
	running_everywhere(waits_for_room_on_disk);
}

/* A frame is written whole or not at all. */
static void cuts_frames(struct running *running)
{
	signal(SIGXFSZ, SIG_IGN);
	put_records("in", 6000);
	cr_assert(running_open(running, "",
		"'p':{'from':{'file':{'path':'in','follow':false}},'stages':['split',"
		"{'compress':{'codec':'lz4','frame':'64KiB'}}],'to':{'file':{'path':'out','append':"
		"false}}}"));
	limit_file_size(20001);
	running_until_log(running, "error cannot write out: File too large");
	limit_file_size(RLIM_INFINITY);
	running_to_end(running);
	running_close(running);
	cr_assert_eq(system("lz4 -dcq out > unpacked"), 0);
	assert_same("unpacked", "in");
}

Test(sink_file, cuts_frames)
{
	running_everywhere(cuts_frames);
}

static void closes_while_it_fails(struct running *running)
{
	file_put("in", "1\n2\n");
	cr_assert(running_open(running, "", COPY_TO("'/dev/full'")));
	running_until_log(running, "error cannot write /dev/full: No space left on device");
	struct node *sink = running_node(running, "p.to.0");
	cr_assert_eq(pipeline_undelivered(running->plan->pipelines[0]), 2);
	cr_assert(engine_close(running->engine));
	cr_assert_eq(sink->account.dropped[DROP_SHUTDOWN], 2);
	running_close(running);
}

Test(sink_file, closes_while_it_fails)
{
	running_everywhere(closes_while_it_fails);
}

/* Opening anew. */

static bool has_some(void *context)
{
	struct stat status;

	return stat(context, &status) == 0 && status.st_size > 0;
}

static void opens_anew_at_a_border(struct running *running)
{
	static const char *const buffers[] = { "16B", "1KiB", "64KiB" };
	size_t size = put_records("in", 20000), first, second;

	for (size_t i = 0; i < 3; i++) {
		char service[64];
		snprintf(service, sizeof(service), "'buffer':'%s','memory':'4MiB'", buffers[i]);
		cr_assert(running_open(running, service, COPY_TO("'out'")));
		running_until(running, has_some, "out");
		cr_assert_eq(rename("out", "out.1"), 0);
		engine_reopen(running->engine);
		running_until(running, has_some, "out");
		running_to_end(running);
		running_close(running);
		assert_whole_records("out.1");
		char *before = file_get("out.1", &first), *after = file_get("out", &second);
		char *wanted = file_get("in", NULL);
		cr_assert_eq(first + second, size);
		cr_assert_eq(memcmp(wanted, before, first), 0);
		cr_assert_eq(memcmp(wanted + first, after, second), 0);
		cr_assert_eq(unlink("out"), 0);
		free(before);
		free(after);
		free(wanted);
	}
}

Test(sink_file, opens_anew_at_a_border)
{
	running_everywhere(opens_anew_at_a_border);
}

struct pipe_reader {
	const struct running *running;
	int fd;
	size_t size;
	char data[4 << 20];
};

static bool reads_to_the_end(void *context)
{
	struct pipe_reader *reader = context;
	ssize_t got;

	while ((got = read(reader->fd, reader->data + reader->size, 1000)) > 0)
		reader->size += (size_t)got;
	return engine_finished(reader->running->engine);
}

/* A pipe takes a part of what is written: then the rest of the record goes there too. */
static void opens_anew_in_mid_record(struct running *running)
{
	static struct pipe_reader reader;
	size_t size = put_records("in", 6000), rest;

	cr_assert_eq(mkfifo("out", 0600), 0);
	cr_assert(running_open(running, "'memory':'2MiB','buffer':'1KiB'", COPY_TO("'out'")));
	reader = (struct pipe_reader){ .running = running };
	reader.fd = open("out", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	cr_assert_geq(reader.fd, 0);
	running_settle(running);
	cr_assert_eq(rename("out", "out.1"), 0);
	engine_reopen(running->engine);
	running_settle(running);
	running_until(running, reads_to_the_end, &reader);
	close(reader.fd);
	running_close(running);
	char *after = file_get("out", &rest), *wanted = file_get("in", NULL);
	cr_assert_geq(reader.size, 30000, "the pipe was full: %zu", reader.size);
	cr_assert_eq(reader.data[reader.size - 1], '\n');
	cr_assert_eq(reader.size + rest, size);
	cr_assert_eq(memcmp(wanted, reader.data, reader.size), 0);
	cr_assert_eq(memcmp(wanted + reader.size, after, rest), 0);
	free(after);
	free(wanted);
}

Test(sink_file, opens_anew_in_mid_record)
{
	running_everywhere(opens_anew_in_mid_record);
}

static void opens_anew_while_idle(struct running *running)
{
	file_put("in", "1\n");
	cr_assert(running_open(running, "",
		"'p':{'from':{'file':'in'},'stages':['split'],'to':{'file':{'path':'out','append':"
		"false}}}"));
	running_until_file(running, "out", "1\n");
	engine_reopen(running->engine);
	running_settle(running);
	assert_file("out", "1\n");
	cr_assert_eq(rename("out", "out.1"), 0);
	file_put("out", "half");
	engine_reopen(running->engine);
	file_add("in", "2\n");
	running_until_file(running, "out", "half\n2\n");
	assert_file("out.1", "1\n");
	cr_assert_eq(rename("out", "out.2"), 0);
	cr_assert_eq(mkdir("out", 0755), 0);
	engine_reopen(running->engine);
	running_until_log(running, "error cannot create out: Is a directory; writing on");
	file_add("in", "3\n");
	running_until_file(running, "out.2", "half\n2\n3\n");
	engine_drain(running->engine, 0);
	running_to_end(running);
	running_close(running);
}

Test(sink_file, opens_anew_while_idle)
{
	running_everywhere(opens_anew_while_idle);
}

static bool holds_three(void *context)
{
	const struct running *running = context;

	return running_node(running, "p.compress")->account.held == 3;
}

static void assert_unpacked(const char *path, const char *content)
{
	char command[64];

	snprintf(command, sizeof(command), "zstd -dcq %s > unpacked", path);
	cr_assert_eq(system(command), 0);
	assert_file("unpacked", content);
}

/* What came before belongs to the file that is left: the open frame ends first, on every branch. */
static void ends_the_frame_before_it_opens_anew(struct running *running)
{
	for (unsigned threads = 1; threads <= 2; threads++) {
		file_put("in", "1\n2\n3\n");
		cr_assert(running_open(running, "",
			"'p':{'from':{'file':'in'},'stages':['split',"
			"{'compress':{'codec':'zstd','linger':'1d','threads':%u}}],"
			"'to':[{'file':'a'},{'file':'b'},'null']}",
			threads));
		running_until(running, holds_three, running);
		cr_assert_eq(rename("a", "a.1") | rename("b", "b.1"), 0);
		engine_reopen(running->engine);
		running_until(running, has_some, "a.1");
		running_until(running, has_some, "b.1");
		running_settle(running);
		file_add("in", "4\n");
		engine_reopen(running->engine);
		running_settle(running);
		engine_drain(running->engine, 0);
		running_to_end(running);
		running_close(running);
		assert_unpacked("a.1", "1\n2\n3\n");
		assert_unpacked("b.1", "1\n2\n3\n");
		assert_unpacked("a", "4\n");
		assert_unpacked("b", "4\n");
		cr_assert_eq(unlink("a") | unlink("b"), 0);
	}
}

Test(sink_file, ends_the_frame_before_it_opens_anew)
{
	running_everywhere(ends_the_frame_before_it_opens_anew);
}

/* Under load each file holds whole frames, and together all records in order. */
static void parts_frames_nowhere(struct running *running)
{
	put_records("in", 20000);
	for (unsigned threads = 1; threads <= 2; threads++) {
		cr_assert(running_open(running, "",
			"'p':{'from':{'file':{'path':'in','follow':false}},'stages':['split',"
			"{'compress':{'codec':'zstd','level':1,'frame':'4KiB','threads':%u}}],"
			"'to':{'file':{'path':'out','append':false}}}",
			threads));
		running_until(running, has_some, "out");
		cr_assert_eq(rename("out", "out.1"), 0);
		engine_reopen(running->engine);
		running_until(running, has_some, "out");
		running_to_end(running);
		running_close(running);
		cr_assert_eq(system("zstd -dcq < out.1 > unpacked"), 0);
		assert_whole_records("unpacked");
		cr_assert_eq(system("zstd -dcq < out >> unpacked"), 0);
		assert_same("unpacked", "in");
		cr_assert_eq(unlink("out"), 0);
	}
}

Test(sink_file, parts_frames_nowhere)
{
	running_everywhere(parts_frames_nowhere);
}

/* The interval is one that a test can wait for. */
static void reminds_of_trouble(struct running *running)
{
	trouble_set_interval_for_tests(1);
	put_records("in", 20000);
	cr_assert(running_open(running, "'buffer':'1KiB','memory':'4MiB'",
		"'p':{'from':{'file':{'path':'in','follow':false}},'stages':['split'],"
		"'to':[{'file':'/dev/full'},'null']}"));
	running_until_log(running, "error cannot write /dev/full: No space left on device; trying");
	running_until_log(running, "s now, 2 times; it holds up p.from.0, p.to.1");
	cr_assert(engine_close(running->engine));
	running_close(running);
	trouble_set_interval_for_tests(0);
}

Test(sink_file, reminds_of_trouble)
{
	running_everywhere(reminds_of_trouble);
}
