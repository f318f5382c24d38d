/* The stdout sink: pipes, files, terminals, and readers that go. */

#include "pipeline/registry.h"
#include "tests/support/node_bench.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static struct framing lines;

/* Makes `fd` standard output. */
static void be_output(int fd)
{
	cr_assert_geq(fd, 0);
	cr_assert_eq(dup2(fd, STDOUT_FILENO), STDOUT_FILENO);
	close(fd);
}

static int pipe_output(int flags)
{
	int ends[2];

	cr_assert_eq(pipe2(ends, O_CLOEXEC | flags), 0);
	be_output(ends[1]);
	cr_assert_eq(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
	return ends[0];
}

static int temporary_file(void)
{
	char path[] = "/tmp/viewduct-stdout-XXXXXX";
	int fd = mkostemp(path, O_CLOEXEC);

	cr_assert_geq(fd, 0);
	unlink(path);
	return fd;
}

static void make_sink(struct node_bench *bench, enum loop_wish wish)
{
	signal(SIGPIPE, SIG_IGN);
	lines = framing_delimited("\n", 1, false);
	bench->kind = FLOW_RECORDS;
	bench->framing = &lines;
	node_bench_make(bench, wish, &sink_stdout.type, NODE_SINK, NULL);
}

static void open_sink(struct node_bench *bench, enum loop_wish wish)
{
	make_sink(bench, wish);
	node_bench_open(bench);
	cr_assert(bench->node.up);
}

static void end_and_close(struct node_bench *bench)
{
	NODE_BENCH_UNTIL(bench, sink_stdout.end(&bench->node));
	node_bench_close(bench);
}

enum { VIEW = 65536, VIEWS = 8 };

static char *put_much(struct node_bench *bench)
{
	char *text = malloc((size_t)VIEWS * VIEW);

	cr_assert_not_null(text);
	for (size_t i = 0; i < (size_t)VIEWS * VIEW; i++)
		text[i] = i % 64 == 63 ? '\n' : (char)('a' + (i * 5 + i / 777) % 26);
	for (size_t i = 0; i < VIEWS; i++)
		node_bench_put(bench, text + i * VIEW, VIEW, VIEW / 64);
	return text;
}

/* Reads all that `reader` has, checking it against `text` from `at`. */
static size_t check_read(int reader, const char *text, size_t at)
{
	static char got[1 << 20];
	ssize_t size = read(reader, got, sizeof(got));

	if (size <= 0)
		return at;
	cr_assert_arr_eq(got, text + at, (size_t)size);
	return at + (size_t)size;
}

static void fills_pipe(enum loop_wish wish, int flags)
{
	struct node_bench bench = { 0 };
	int reader = pipe_output(flags);
	size_t at = 0;

	open_sink(&bench, wish);
	char *text = put_much(&bench);
	for (int i = 0; i < 8; i++)
		node_bench_turn(&bench, 1);
	cr_assert_gt(bench.node.account.sent, 0);
	cr_assert_lt(bench.node.account.sent, (uint64_t)VIEWS * VIEW, "the pipe is full");
	NODE_BENCH_UNTIL(&bench, (at = check_read(reader, text, at)) == (size_t)VIEWS * VIEW);
	NODE_BENCH_UNTIL(&bench, batch_empty(&bench.batch));
	cr_assert_eq(bench.node.account.sent, (uint64_t)VIEWS * VIEW);
	cr_assert_eq(bench.node.safe, bench.batch.put.views);
	end_and_close(&bench);
	close(reader);
	free(text);
}

static void to_pipe(enum loop_wish wish)
{
	fills_pipe(wish, 0);
}

static void to_nonblocking_pipe(enum loop_wish wish)
{
	fills_pipe(wish, O_NONBLOCK);
}

Test(stdout_sink, writes_to_a_pipe_as_it_is_read)
{
	node_bench_on_both(to_pipe);
}

Test(stdout_sink, waits_for_a_pipe_that_another_made_non_blocking)
{
	node_bench_on_both(to_nonblocking_pipe);
}

static void to_file(enum loop_wish wish)
{
	struct node_bench bench = { 0 };
	int file = temporary_file(), kept = fcntl(file, F_DUPFD_CLOEXEC, 10);

	be_output(file);
	open_sink(&bench, wish);
	char *text = put_much(&bench);
	NODE_BENCH_UNTIL(&bench, batch_empty(&bench.batch));
	cr_assert_eq(lseek(kept, 0, SEEK_CUR), (off_t)VIEWS * VIEW);
	cr_assert_eq(lseek(kept, 0, SEEK_SET), 0);
	cr_assert_eq(check_read(kept, text, 0), (size_t)VIEWS * VIEW);
	end_and_close(&bench);
	close(kept);
	free(text);
}

Test(stdout_sink, writes_to_a_file)
{
	node_bench_on_both(to_file);
}

static void to_terminal(enum loop_wish wish)
{
	struct node_bench bench = { 0 };
	struct termios raw;
	int screen, terminal;
	size_t at = 0;

	cr_assert_eq(openpty(&screen, &terminal, NULL, NULL, NULL), 0);
	cr_assert_eq(tcgetattr(terminal, &raw), 0);
	cfmakeraw(&raw);
	cr_assert_eq(tcsetattr(terminal, TCSANOW, &raw), 0);
	cr_assert_eq(fcntl(screen, F_SETFL, O_NONBLOCK), 0);
	be_output(terminal);
	open_sink(&bench, wish);
	node_bench_put(&bench, "shown\n", 6, 1);
	NODE_BENCH_UNTIL(&bench, (at = check_read(screen, "shown\n", at)) == 6);
	NODE_BENCH_UNTIL(&bench, batch_empty(&bench.batch));
	end_and_close(&bench);
	close(screen);
}

Test(stdout_sink, writes_to_a_terminal)
{
	node_bench_on_both(to_terminal);
}

static void reader_leaves(enum loop_wish wish)
{
	struct node_bench bench = { 0 };
	int reader = pipe_output(0);

	open_sink(&bench, wish);
	char *text = put_much(&bench);
	for (int i = 0; i < 8; i++)
		node_bench_turn(&bench, 1);
	close(reader);
	NODE_BENCH_UNTIL(&bench, batch_empty(&bench.batch));
	cr_assert_not(bench.node.up);
	cr_assert_gt(bench.node.account.dropped[DROP_SHUTDOWN], 0);
	cr_assert_leq(bench.node.account.dropped[DROP_SHUTDOWN], VIEWS * VIEW / 64);
	node_bench_put(&bench, "more\n", 5, 1);
	NODE_BENCH_UNTIL(&bench, batch_empty(&bench.batch));
	cr_assert_eq(bench.node.safe, bench.batch.put.views);
	end_and_close(&bench);
	free(text);
}

Test(stdout_sink, drops_what_comes_after_its_reader_has_gone)
{
	node_bench_on_both(reader_leaves);
}

static void idle_reader_leaves(enum loop_wish wish)
{
	struct node_bench bench = { 0 };
	int reader = pipe_output(0);

	open_sink(&bench, wish);
	node_bench_turn(&bench, 0);
	cr_assert(bench.node.up);
	close(reader);
	NODE_BENCH_UNTIL(&bench, !bench.node.up);
	end_and_close(&bench);
}

Test(stdout_sink, notices_a_reader_that_goes_while_nothing_is_written)
{
	node_bench_on_both(idle_reader_leaves);
}

static void to_full_disk(enum loop_wish wish)
{
	struct node_bench bench = { 0 };
	int kept;

	be_output(open("/dev/full", O_WRONLY | O_CLOEXEC));
	open_sink(&bench, wish);
	node_bench_put(&bench, "kept\n", 5, 1);
	NODE_BENCH_UNTIL(&bench, !bench.node.up);
	cr_assert_eq(bench.batch.count, 1);
	cr_assert_gt(bench.node.due, loop_now(bench.loop));
	cr_assert_eq(bench.node.account.errors[ERROR_WRITE], 1);
	kept = temporary_file();
	be_output(fcntl(kept, F_DUPFD_CLOEXEC, 10));
	NODE_BENCH_UNTIL(&bench, batch_empty(&bench.batch));
	cr_assert(bench.node.up);
	cr_assert_eq(bench.node.due, 0);
	cr_assert_eq(lseek(kept, 0, SEEK_SET), 0);
	cr_assert_eq(check_read(kept, "kept\n", 0), 5);
	end_and_close(&bench);
	close(kept);
}

Test(stdout_sink, tries_again_while_the_disk_is_full)
{
	node_bench_on_both(to_full_disk);
}

static void to_nothing(enum loop_wish wish)
{
	struct node_bench bench = { 0 };

	be_output(open("/dev/null", O_RDONLY | O_CLOEXEC));
	make_sink(&bench, wish);
	cr_assert_not(sink_stdout.type.open(&bench.node, &bench.faults));
	cr_assert_eq(bench.faults.errors, 1);
	node_bench_close(&bench);
}

Test(stdout_sink, faults_an_output_that_is_not_open_for_writing)
{
	node_bench_on_both(to_nothing);
}

static void halts(enum loop_wish wish)
{
	struct node_bench bench = { 0 };
	int reader = pipe_output(0);

	open_sink(&bench, wish);
	char *text = put_much(&bench);
	for (int i = 0; i < 8; i++)
		node_bench_turn(&bench, 1);
	cr_assert_gt(bench.node.busy, 0);
	node_bench_close(&bench);
	close(reader);
	free(text);
}

Test(stdout_sink, halts_though_its_reader_has_stopped)
{
	node_bench_on_both(halts);
}
