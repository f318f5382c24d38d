/* The stdin source: pipes, files, terminals and what else standard input may be. */

#include "pipeline/registry.h"
#include "tests/support/node_bench.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* Makes `fd` standard input. */
static void be_input(int fd)
{
	cr_assert_eq(dup2(fd, STDIN_FILENO), STDIN_FILENO);
	close(fd);
}

static int pipe_input(void)
{
	int ends[2];

	cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
	be_input(ends[0]);
	return ends[1];
}

static void file_input(const char *text, size_t size)
{
	char path[] = "/tmp/viewduct-stdin-XXXXXX";
	int fd = mkostemp(path, O_CLOEXEC);

	cr_assert_geq(fd, 0);
	unlink(path);
	cr_assert_eq(write(fd, text, size), (ssize_t)size);
	cr_assert_eq(lseek(fd, 0, SEEK_SET), 0);
	be_input(fd);
}

static void open_source(struct node_bench *bench, enum loop_wish wish)
{
	node_bench_make(bench, wish, &source_stdin.type, NODE_SOURCE, NULL);
	node_bench_open(bench);
}

#define UNTIL_TAKEN(bench, taken, condition)                                                       \
	NODE_BENCH_UNTIL(bench, (taken_take(taken, bench), (condition)))

static void close_bench(struct node_bench *bench, struct taken *taken)
{
	taken_close(taken);
	node_bench_close(bench);
}

static void from_pipe(enum loop_wish wish)
{
	struct node_bench bench = { 0 };
	struct taken taken = { 0 };
	int writer = pipe_input();

	open_source(&bench, wish);
	for (size_t i = 0; i < 5; i++) {
		cr_assert_eq(write(writer, &"abcde"[i], 1), 1);
		UNTIL_TAKEN(&bench, &taken, taken.bytes == i + 1);
	}
	cr_assert_eq(fcntl(STDIN_FILENO, F_GETFL) & O_NONBLOCK, 0);
	cr_assert_not(bench.node.ended);
	close(writer);
	UNTIL_TAKEN(&bench, &taken, bench.node.ended);
	taken_take(&taken, &bench);
	cr_assert_str_eq(taken.streams[0].data, "abcde");
	cr_assert(taken.streams[0].ended);
	cr_assert_eq(bench.node.busy, 0);
	close_bench(&bench, &taken);
}

Test(stdin_source, reads_a_pipe_to_its_end)
{
	node_bench_on_both(from_pipe);
}

static char *numbers(size_t size)
{
	char *text = malloc(size + 16);

	cr_assert_not_null(text);
	for (size_t at = 0, i = 0; at < size; i++)
		at += (size_t)sprintf(text + at, "%zu\n", i);
	text[size] = '\0';
	return text;
}

static void from_file(enum loop_wish wish)
{
	static const uint32_t sizes[] = { 16, 1000, 65536 };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		size_t size = i == 2 ? 1000000 : 20000;
		struct node_bench bench = { .buffer_size = sizes[i], .room = 3, .quota = 70000 };
		struct taken taken = { 0 };
		char *text = numbers(size);

		file_input(text, size);
		open_source(&bench, wish);
		while (!bench.node.ended) {
			uint64_t before = bench.batch.put.bytes;

			node_bench_turn(&bench, NODE_BENCH_WAIT_MS);
			cr_assert_leq(bench.batch.put.bytes - before, 70000);
			taken_take(&taken, &bench);
		}
		taken_take(&taken, &bench);
		cr_assert_eq(taken.bytes, size);
		cr_assert_str_eq(taken.streams[0].data, text);
		cr_assert(taken.streams[0].ended);
		cr_assert_eq(taken.ends, 1);
		cr_assert_eq(bench.node.account.received, size);
		free(text);
		close_bench(&bench, &taken);
	}
}

Test(stdin_source, reads_a_file_ahead_in_every_buffer_size)
{
	node_bench_on_both(from_file);
}

static void from_the_middle(enum loop_wish wish)
{
	struct node_bench bench = { 0 };
	struct taken taken = { 0 };

	file_input("first\nsecond\n", 13);
	cr_assert_eq(lseek(STDIN_FILENO, 6, SEEK_SET), 6);
	open_source(&bench, wish);
	cr_assert_eq(bench.node.expected, 7);
	UNTIL_TAKEN(&bench, &taken, bench.node.ended);
	taken_take(&taken, &bench);
	cr_assert_str_eq(taken.streams[0].data, "second\n");
	cr_assert_eq(lseek(STDIN_FILENO, 0, SEEK_CUR), 13);
	close_bench(&bench, &taken);
}

Test(stdin_source, reads_a_file_from_where_it_stands)
{
	node_bench_on_both(from_the_middle);
}

static void waits_for_buffers(enum loop_wish wish)
{
	struct node_bench bench = { .buffers = 1, .buffer_size = 16 };
	struct taken taken = { 0 };
	struct buffer *last;

	file_input("0123456789abcdefghij", 20);
	open_source(&bench, wish);
	last = pool_take(bench.pool);
	for (int i = 0; i < 4; i++)
		node_bench_turn(&bench, 1);
	cr_assert_eq(bench.batch.put.bytes, 0);
	buffer_release(&last);
	UNTIL_TAKEN(&bench, &taken, bench.node.ended);
	taken_take(&taken, &bench);
	cr_assert_str_eq(taken.streams[0].data, "0123456789abcdefghij");
	close_bench(&bench, &taken);
}

Test(stdin_source, waits_for_a_buffer)
{
	node_bench_on_both(waits_for_buffers);
}

static void from_device(enum loop_wish wish)
{
	struct node_bench bench = { 0 };
	struct taken taken = { 0 };

	be_input(open("/dev/null", O_RDONLY | O_CLOEXEC));
	open_source(&bench, wish);
	UNTIL_TAKEN(&bench, &taken, bench.node.ended);
	taken_take(&taken, &bench);
	cr_assert_eq(taken.bytes, 0);
	cr_assert_eq(taken.ends, 1);
	close_bench(&bench, &taken);
}

Test(stdin_source, ends_at_once_on_dev_null)
{
	node_bench_on_both(from_device);
}

static void from_terminal(enum loop_wish wish)
{
	struct node_bench bench = { 0 };
	struct taken taken = { 0 };
	int typist, terminal;

	cr_assert_eq(openpty(&typist, &terminal, NULL, NULL, NULL), 0);
	be_input(terminal);
	open_source(&bench, wish);
	cr_assert_eq(write(typist, "typed\n", 6), 6);
	UNTIL_TAKEN(&bench, &taken, taken.bytes == 6);
	cr_assert_str_eq(taken.streams[0].data, "typed\n");
	cr_assert_eq(write(typist, "\x04", 1), 1);
	UNTIL_TAKEN(&bench, &taken, bench.node.ended);
	taken_take(&taken, &bench);
	cr_assert(taken.streams[0].ended);
	close(typist);
	close_bench(&bench, &taken);
}

Test(stdin_source, reads_a_terminal_to_its_end_of_file)
{
	node_bench_on_both(from_terminal);
}

static void from_nothing(enum loop_wish wish)
{
	struct node_bench bench = { 0 };
	int kept = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 10);

	node_bench_make(&bench, wish, &source_stdin.type, NODE_SOURCE, NULL);
	close(STDIN_FILENO);
	cr_assert_not(source_stdin.type.open(&bench.node, &bench.faults));
	be_input(open("/dev/null", O_WRONLY | O_CLOEXEC));
	cr_assert_not(source_stdin.type.open(&bench.node, &bench.faults));
	be_input(kept);
	cr_assert_eq(bench.faults.errors, 2);
	for (size_t i = 0; i < 2; i++)
		cr_expect(strstr(
			bench.faults.items[i].message, "standard input is not open for reading"));
	node_bench_close(&bench);
}

Test(stdin_source, faults_an_input_that_is_not_open_for_reading)
{
	node_bench_on_both(from_nothing);
}

static void unreadable(enum loop_wish wish)
{
	struct node_bench bench = { 0 };
	struct taken taken = { 0 };

	be_input(open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	open_source(&bench, wish);
	UNTIL_TAKEN(&bench, &taken, bench.node.ended);
	taken_take(&taken, &bench);
	cr_assert(taken.streams[0].broken);
	close_bench(&bench, &taken);
}

Test(stdin_source, breaks_off_where_reading_fails)
{
	node_bench_on_both(unreadable);
}

static void drains_pipe(enum loop_wish wish)
{
	struct node_bench bench = { 0 };
	struct taken taken = { 0 };
	int writer = pipe_input();

	open_source(&bench, wish);
	cr_assert_eq(write(writer, "whole\nhal", 9), 9);
	UNTIL_TAKEN(&bench, &taken, taken.bytes == 9);
	source_stdin.drain(&bench.node, loop_now(bench.loop));
	UNTIL_TAKEN(&bench, &taken, bench.node.ended);
	taken_take(&taken, &bench);
	cr_assert_eq(taken.ends, 0, "what is unfinished is not emitted");
	close(writer);
	close_bench(&bench, &taken);
}

Test(stdin_source, stops_where_it_is_when_drained)
{
	node_bench_on_both(drains_pipe);
}

static void drains_file(enum loop_wish wish)
{
	struct node_bench bench = { .buffers = 8, .buffer_size = 16, .room = 1 };
	struct taken taken = { 0 };
	char *text = numbers(1000);

	file_input(text, 1000);
	open_source(&bench, wish);
	UNTIL_TAKEN(&bench, &taken, taken.bytes >= 64);
	source_stdin.drain(&bench.node, loop_now(bench.loop));
	UNTIL_TAKEN(&bench, &taken, bench.node.ended);
	taken_take(&taken, &bench);
	cr_assert_eq(taken.ends, 0);
	cr_assert_lt(taken.bytes, 1000);
	cr_assert_eq(taken.bytes, (size_t)lseek(STDIN_FILENO, 0, SEEK_CUR),
		"what was read in advance is not lost");
	cr_assert_arr_eq(taken.streams[0].data, text, taken.bytes);
	free(text);
	close_bench(&bench, &taken);
}

Test(stdin_source, brings_what_was_being_read_when_drained)
{
	node_bench_on_both(drains_file);
}

static void halts(enum loop_wish wish)
{
	struct node_bench pipe = { 0 }, file = { 0 };
	int writer = pipe_input();

	open_source(&pipe, wish);
	node_bench_turn(&pipe, 0);
	cr_assert_gt(pipe.node.busy, 0);
	node_bench_close(&pipe);
	close(writer);
	file_input("text\n", 5);
	open_source(&file, wish);
	source_stdin.read(&file.node, &file.batch);
	cr_assert_eq(file.node.busy, 1);
	node_bench_close(&file);
}

Test(stdin_source, halts_while_it_waits)
{
	node_bench_on_both(halts);
}
