/* Files: reading, appending, syncing, and what cannot be cancelled any more. */

#include "pipeline/io/loop.h"
#include "pipeline/io/pace.h"

#include "tests/pipeline/io/both.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

TestSuite(loop_files, .timeout = 60);

static void reads_into_several_buffers(struct loop *loop)
{
	struct probe probe = probe_make();
	char first[3], second[10];
	struct iovec pieces[2] = { piece_of(first, 3), piece_of(second, 10) };
	int file = temporary_file(0);

	cr_assert_eq(write(file, "0123456789", 10), 10);
	io_read(loop, &probe.operation, file, pieces, 2, 2);
	cr_assert_eq(probe.ends, 0, "done must not be called by the asking call");
	cr_assert_eq(end_of(loop, &probe), 8);
	cr_assert_arr_eq(first, "234", 3);
	cr_assert_arr_eq(second, "56789", 5);
	probe = probe_make();
	io_read(loop, &probe.operation, file, pieces, 2, 10);
	cr_assert_eq(end_of(loop, &probe), 0, "the end");
	close(file);
}

Test(loop_files, reads_into_several_buffers)
{
	on_both(reads_into_several_buffers);
}

static void reads_where_it_stands(struct loop *loop)
{
	char data[4];
	struct iovec piece = piece_of(data, 4);
	int file = temporary_file(0);

	cr_assert_eq(write(file, "0123456789", 10), 10);
	cr_assert_eq(lseek(file, 1, SEEK_SET), 1);
	for (int i = 0; i < 2; i++) {
		struct probe probe = probe_make();

		io_read(loop, &probe.operation, file, &piece, 1, UINT64_MAX);
		cr_assert_eq(end_of(loop, &probe), 4);
		cr_assert_arr_eq(data, i == 0 ? "1234" : "5678", 4);
	}
	cr_assert_eq(lseek(file, 0, SEEK_CUR), 9);
	close(file);
}

Test(loop_files, reads_where_it_stands)
{
	on_both(reads_where_it_stands);
}

/* What is not in the page cache needs the disk. */
static void reads_what_is_not_cached(struct loop *loop)
{
	enum { SIZE = 1 << 20 };
	char path[] = "viewduct-io-XXXXXX";
	char *data = malloc(SIZE), *bytes = malloc(SIZE);
	int file = mkostemp(path, O_CLOEXEC);
	size_t size = 0;

	cr_assert_geq(file, 0);
	unlink(path);
	for (size_t i = 0; i < SIZE; i++)
		bytes[i] = (char)(i / 4096);
	cr_assert_eq(write(file, bytes, SIZE), SIZE);
	cr_assert_eq(fsync(file), 0);
	cr_assert_eq(posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED), 0);
	while (size < SIZE) {
		struct probe probe = probe_make();
		struct iovec piece = piece_of(data + size, SIZE - size);

		io_read(loop, &probe.operation, file, &piece, 1, size);
		cr_assert_gt(end_of(loop, &probe), 0);
		size += (size_t)probe.result;
	}
	cr_assert_arr_eq(data, bytes, SIZE);
	close(file);
	free(data);
	free(bytes);
}

Test(loop_files, reads_what_is_not_cached)
{
	on_both(reads_what_is_not_cached);
}

/* Appends at the end, wherever that is, also after somebody has made the file shorter. */
static void appends(struct loop *loop)
{
	struct iovec pieces[3] = { piece_of("one\n", 4), piece_of("two ", 4),
		piece_of("three\n", 6) };
	struct probe probe = probe_make();
	char data[64] = { 0 };
	int file = temporary_file(O_APPEND);

	cr_assert_eq(write(file, "zero\n", 5), 5);
	io_write(loop, &probe.operation, file, pieces, 3);
	cr_assert_eq(probe.ends, 0, "done must not be called by the asking call");
	cr_assert_eq(end_of(loop, &probe), 14);
	cr_assert_eq(pread(file, data, sizeof(data), 0), 19);
	cr_assert_str_eq(data, "zero\none\ntwo three\n");
	cr_assert_eq(ftruncate(file, 5), 0);
	probe = probe_make();
	io_write(loop, &probe.operation, file, pieces, 1);
	cr_assert_eq(end_of(loop, &probe), 4);
	cr_assert_eq(pread(file, data, sizeof(data), 0), 9);
	close(file);
}

Test(loop_files, appends)
{
	on_both(appends);
}

static void appends_many_pieces(struct loop *loop)
{
	static struct iovec pieces[IO_MOST_PIECES];
	struct probe probe = probe_make();
	struct stat status;
	int file = temporary_file(O_APPEND);

	for (int i = 0; i < IO_MOST_PIECES; i++)
		pieces[i] = piece_of("0123456789", 10);
	for (int i = 1; i <= 20; i++) {
		io_write(loop, &probe.operation, file, pieces, IO_MOST_PIECES);
		turn_until(loop, &probe.ends, i);
		cr_assert_eq(probe.result, IO_MOST_PIECES * 10);
	}
	cr_assert_eq(fstat(file, &status), 0);
	cr_assert_eq(status.st_size, 20 * IO_MOST_PIECES * 10);
	close(file);
}

Test(loop_files, appends_many_pieces)
{
	on_both(appends_many_pieces);
}

static void syncs(struct loop *loop)
{
	struct probe probes[2] = { probe_make(), probe_make() };
	int file = temporary_file(O_APPEND), pipes[2];

	cr_assert_eq(pipe2(pipes, O_CLOEXEC), 0);
	io_sync(loop, &probes[0].operation, file);
	io_sync(loop, &probes[1].operation, pipes[1]);
	cr_assert_eq(end_of(loop, &probes[0]), 0);
	cr_assert_eq(end_of(loop, &probes[1]), -EINVAL, "there is no disk behind a pipe");
	close(file);
	close(pipes[0]);
	close(pipes[1]);
}

Test(loop_files, syncs)
{
	on_both(syncs);
}

/* More than libuv has threads, cancelled at once: each ends exactly once, with its result or
 * cancelled. */
static void cancels_file_operations(struct loop *loop)
{
	enum { COUNT = 60 };
	static struct probe probes[COUNT];
	struct iovec piece = piece_of("0123456789", 10);
	int files[COUNT], written = 0;

	for (int i = 0; i < COUNT; i++) {
		probes[i] = probe_make();
		files[i] = temporary_file(O_APPEND);
		if (i % 3 == 0)
			io_sync(loop, &probes[i].operation, files[i]);
		else
			io_write(loop, &probes[i].operation, files[i], &piece, 1);
	}
	for (int i = COUNT - 1; i >= 0; i--)
		io_cancel(&probes[i].operation);
	for (int i = 0; i < COUNT; i++)
		turn_until(loop, &probes[i].ends, 1);
	turn_briefly(loop);
	for (int i = 0; i < COUNT; i++) {
		off_t size = lseek(files[i], 0, SEEK_END);

		cr_assert_eq(probes[i].ends, 1);
		cr_assert(probes[i].result == -ECANCELED ||
			  probes[i].result == (i % 3 == 0 ? 0 : 10));
		cr_assert_eq(size, probes[i].result > 0 ? 10 : 0, "the result tells what happened");
		written += probes[i].result > 0;
		close(files[i]);
	}
	cr_assert_leq(written, COUNT);
}

Test(loop_files, cancels_file_operations)
{
	on_both(cancels_file_operations);
}

static void cancels_a_read(struct loop *loop)
{
	char data[10];
	struct iovec piece = piece_of(data, 10);
	struct probe probe = probe_make();
	int file = temporary_file(0);

	cr_assert_eq(write(file, "0123456789", 10), 10);
	io_read(loop, &probe.operation, file, &piece, 1, 0);
	io_cancel(&probe.operation);
	turn_until(loop, &probe.ends, 1);
	cr_assert(probe.result == -ECANCELED || probe.result == 10);
	turn_briefly(loop);
	cr_assert_eq(probe.ends, 1);
	close(file);
}

Test(loop_files, cancels_a_read)
{
	on_both(cancels_a_read);
}

static void errors_are_results(struct loop *loop)
{
	char data[10];
	struct iovec piece = piece_of(data, 10);
	struct probe probes[3] = { probe_make(), probe_make(), probe_make() };
	int file = open("/dev/null", O_WRONLY | O_CLOEXEC),
	    full = open("/dev/full", O_WRONLY | O_CLOEXEC);

	io_read(loop, &probes[0].operation, file, &piece, 1, 0);
	cr_assert_eq(end_of(loop, &probes[0]), -EBADF);
	io_write(loop, &probes[1].operation, full, &piece, 1);
	cr_assert_eq(end_of(loop, &probes[1]), -ENOSPC);
	close(file);
	close(full);
	io_sync(loop, &probes[2].operation, file);
	cr_assert_eq(end_of(loop, &probes[2]), -EBADF);
}

Test(loop_files, errors_are_results)
{
	on_both(errors_are_results);
}

/* What the file holds. */
static void check_content(int file, const char *expected)
{
	char data[64] = "";

	cr_assert_eq(pread(file, data, sizeof(data) - 1, 0), (ssize_t)strlen(expected));
	cr_assert_str_eq(data, expected);
}

static void writes_at_once_and_says_so_in_the_next_turn(struct loop *loop)
{
	struct probe probe = probe_make();
	struct pace pace = { 0 };
	struct iovec pieces[2] = { piece_of("one ", 4), piece_of("two", 3) };
	int file = temporary_file(O_APPEND);

	cr_assert_eq(write(file, "zero ", 5), 5);
	cr_assert_eq(lseek(file, 0, SEEK_SET), 0);
	io_write_at_once(loop, &probe.operation, &pace, file, pieces, 2);
	check_content(file, "zero one two");
	cr_assert_eq(probe.ends, 0, "done must not be called by the asking call");
	io_cancel(&probe.operation);
	loop_turn(loop, LONG_WAIT_MS);
	cr_assert_eq(probe.ends, 1);
	cr_assert_eq(probe.result, 7, "what is done cannot be cancelled");
	turn_briefly(loop);
	cr_assert_eq(probe.ends, 1);
	close(file);
}

Test(loop_files, writes_at_once_and_says_so_in_the_next_turn)
{
	on_both(writes_at_once_and_says_so_in_the_next_turn);
}

/* A file that was slow is written by others, and its `pace` is left alone. */
static void leaves_slow_files_to_other_threads(struct loop *loop)
{
	struct probe probe = probe_make();
	struct pace pace = { .quick_from = UINT64_MAX };
	struct iovec piece = piece_of("late", 4);
	int file = temporary_file(O_APPEND);

	io_write_at_once(loop, &probe.operation, &pace, file, &piece, 1);
	cr_assert_eq(end_of(loop, &probe), 4);
	cr_assert_eq(pace.quick_from, UINT64_MAX);
	check_content(file, "late");
	close(file);
}

Test(loop_files, leaves_slow_files_to_other_threads)
{
	on_both(leaves_slow_files_to_other_threads);
}

static void fails_at_once(struct loop *loop)
{
	struct probe probe = probe_make();
	struct pace pace = { 0 };
	struct iovec piece = piece_of("x", 1);
	int file = open("/dev/null", O_RDONLY | O_CLOEXEC);

	io_write_at_once(loop, &probe.operation, &pace, file, &piece, 1);
	cr_assert_eq(probe.ends, 0);
	cr_assert_eq(end_of(loop, &probe), -EBADF);
	close(file);
}

Test(loop_files, fails_at_once)
{
	on_both(fails_at_once);
}

struct slow_reader {
	int fd;
	pid_t writer;
	pthread_t thread;
};

static bool is_asleep(pid_t thread)
{
	char path[64], state = 0;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", thread);
	FILE *file = fopen(path, "re");
	cr_assert(file && fscanf(file, "%*d (%*[^)]) %c", &state) == 1);
	fclose(file);
	return state == 'S';
}

/* Makes room when the writer has slept for it for longer than a quick write takes. */
static void *read_late(void *context)
{
	static const struct timespec pause = { .tv_nsec = 20 * 1000 * 1000 };
	const struct slow_reader *reader = context;
	static char data[1 << 16];

	while (!is_asleep(reader->writer))
		sched_yield();
	nanosleep(&pause, NULL);
	cr_assert_gt(read(reader->fd, data, sizeof(data)), 0);
	return NULL;
}

/* A pipe without room, to stand for a disk that keeps its writers waiting. */
static int full_pipe(struct slow_reader *reader)
{
	static const char data[4096];
	int ends[2];

	cr_assert_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	while (write(ends[1], data, sizeof(data)) > 0)
		;
	cr_assert_eq(errno, EAGAIN);
	cr_assert_eq(fcntl(ends[1], F_SETFL, 0), 0);
	*reader = (struct slow_reader){ .fd = ends[0], .writer = gettid() };
	return ends[1];
}

/* The reader may have seen the writer asleep before it began to write: then once more. */
static void notices_a_slow_file(struct loop *loop)
{
	struct pace pace = { 0 };
	struct iovec piece = piece_of("late", 4);

	for (int tries = 100; pace.quick_from == 0; tries--) {
		struct probe probe = probe_make();
		struct slow_reader reader;
		int file = full_pipe(&reader);

		cr_assert_gt(tries, 0, "slow writes are taken for quick ones");
		cr_assert_eq(pthread_create(&reader.thread, NULL, read_late, &reader), 0);
		io_write_at_once(loop, &probe.operation, &pace, file, &piece, 1);
		cr_assert_eq(pthread_join(reader.thread, NULL), 0);
		cr_assert_eq(end_of(loop, &probe), 4);
		close(reader.fd);
		close(file);
	}
}

Test(loop_files, notices_a_slow_file)
{
	on_both(notices_a_slow_file);
}
