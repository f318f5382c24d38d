/* The unix source: paths, permissions, connections and datagrams. */

#include "pipeline/io/unix_socket.h"
#include "pipeline/registry.h"
#include "tests/support/node_bench.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static char folder[] = "/tmp/viewduct-unix-XXXXXX";
static char path[64];

static void make_folder(void)
{
	cr_assert_not_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/socket", folder);
}

static void remove_folder(void)
{
	unlink(path);
	cr_assert_eq(rmdir(folder), 0);
}

TestSuite(unix_source, .init = make_folder, .fini = remove_folder);

static void make(struct node_bench *bench, enum loop_wish wish, const char *more)
{
	char json[256];

	snprintf(json, sizeof(json), "{\"listen\": \"%s\"%s}", path, more);
	node_bench_make(bench, wish, &source_unix.type, NODE_SOURCE, json);
}

static void open_listening(struct node_bench *bench, enum loop_wish wish, const char *more)
{
	make(bench, wish, more);
	node_bench_open(bench);
}

static int connect_client(int type)
{
	struct sockaddr_un address = unix_socket_address(path);
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	cr_assert_geq(fd, 0);
	cr_assert_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

#define UNTIL_TAKEN(bench, taken, condition)                                                       \
	NODE_BENCH_UNTIL(bench, (taken_take(taken, bench), (condition)))

static void stream(enum loop_wish wish)
{
	struct node_bench bench = { 0 };
	struct taken taken = { 0 };

	open_listening(&bench, wish, "");
	int one = connect_client(SOCK_STREAM), other = connect_client(SOCK_STREAM);
	cr_assert_eq(send(one, "one", 3, 0), 3);
	cr_assert_eq(send(other, "other", 5, 0), 5);
	close(one);
	close(other);
	UNTIL_TAKEN(&bench, &taken, taken.ends == 2);
	cr_assert_str_eq(taken.streams[0].data, "one");
	cr_assert_str_eq(taken.streams[1].data, "other");
	taken_close(&taken);
	node_bench_close(&bench);
	cr_assert_neq(access(path, F_OK), 0, "the socket is removed");
}

Test(unix_source, brings_what_connections_bring)
{
	node_bench_on_both(stream);
}

static void datagrams(enum loop_wish wish)
{
	static char large[65535 + 1];
	struct node_bench bench = { 0 };
	struct taken taken = { 0 };

	open_listening(&bench, wish, ", \"type\": \"datagram\"");
	int client = connect_client(SOCK_DGRAM);
	cr_assert_eq(send(client, "one", 3, 0), 3);
	cr_assert_eq(send(client, "", 0, 0), 0);
	cr_assert_eq(send(client, large, 65535, 0), 65535);
	UNTIL_TAKEN(&bench, &taken, taken.bytes == 65538); /* or the next would not fit */
	cr_assert_eq(send(client, large, 65536, 0), 65536);
	NODE_BENCH_UNTIL(&bench, bench.node.account.dropped[DROP_TOO_LONG] == 1);
	cr_assert_eq(send(client, "two", 3, 0), 3);
	UNTIL_TAKEN(&bench, &taken, taken.ends == 3 && taken.bytes == 65541);
	cr_assert_eq(bench.node.account.empty, 1);
	cr_assert_eq(bench.node.account.dropped[DROP_TOO_LONG], 1);
	close(client);
	taken_close(&taken);
	node_bench_close(&bench);
	cr_assert_neq(access(path, F_OK), 0, "the socket is removed");
}

Test(unix_source, brings_datagrams_and_drops_what_is_too_long)
{
	node_bench_on_both(datagrams);
}

static mode_t mode_of_path(void)
{
	struct stat status;

	cr_assert_eq(stat(path, &status), 0);
	return status.st_mode & 07777;
}

static void modes(enum loop_wish wish)
{
	static const mode_t masks[] = { 0, 077, 0777 };

	for (int i = 0; i < 3; i++) {
		struct node_bench bench = { 0 };

		umask(masks[i]);
		open_listening(&bench, wish, i < 2 ? ", \"mode\": \"0662\"" : "");
		cr_assert_eq(mode_of_path(), i < 2 ? 0662 : 0660);
		node_bench_close(&bench);
	}
	umask(022);
}

Test(unix_source, has_exactly_the_permissions_asked_for)
{
	node_bench_on_both(modes);
}

static void leave_stale(int type)
{
	struct unix_socket stale;

	cr_assert_null(unix_socket_open(&stale, path, type, 0600));
	close(stale.fd);
	cr_assert_eq(access(path, F_OK), 0);
}

static void replaces_stale(enum loop_wish wish)
{
	struct node_bench bench = { 0 };

	leave_stale(SOCK_STREAM);
	open_listening(&bench, wish, "");
	close(connect_client(SOCK_STREAM));
	node_bench_close(&bench);
	bench = (struct node_bench){ 0 };
	leave_stale(SOCK_STREAM);
	open_listening(&bench, wish, ", \"type\": \"datagram\"");
	close(connect_client(SOCK_DGRAM));
	node_bench_close(&bench);
}

Test(unix_source, replaces_a_socket_that_nobody_answers)
{
	node_bench_on_both(replaces_stale);
}

static void cannot_open(enum loop_wish wish, const char *more, const char *why)
{
	struct node_bench bench = { 0 };

	make(&bench, wish, more);
	cr_assert_not(bench.node.type->open(&bench.node, &bench.faults));
	cr_assert_eq(bench.faults.errors, 1);
	cr_assert_not_null(
		strstr(bench.faults.items[0].message, why), "%s", bench.faults.items[0].message);
	node_bench_close(&bench);
	cr_assert_eq(access(path, F_OK), 0, "it is left alone");
}

static void leaves_live(enum loop_wish wish)
{
	struct node_bench bench = { 0 };

	open_listening(&bench, wish, "");
	cannot_open(wish, "", "Address already in use");
	cannot_open(wish, ", \"type\": \"datagram\"", "Address already in use");
	close(connect_client(SOCK_STREAM));
	node_bench_close(&bench);
	bench = (struct node_bench){ 0 };
	open_listening(&bench, wish, ", \"type\": \"datagram\"");
	cannot_open(wish, "", "Address already in use");
	node_bench_close(&bench);
}

Test(unix_source, leaves_a_live_socket_alone)
{
	node_bench_on_both(leaves_live);
}

static void leaves_files(enum loop_wish wish)
{
	FILE *file = fopen(path, "w");

	cr_assert_not_null(file);
	fclose(file);
	cannot_open(wish, "", "File exists");
}

Test(unix_source, leaves_what_is_no_socket_alone)
{
	node_bench_on_both(leaves_files);
}

static void replaced_meanwhile(enum loop_wish wish)
{
	struct node_bench bench = { 0 };
	struct unix_socket other;

	open_listening(&bench, wish, "");
	cr_assert_eq(unlink(path), 0);
	cr_assert_null(unix_socket_open(&other, path, SOCK_STREAM, 0600));
	node_bench_close(&bench);
	cr_assert_eq(access(path, F_OK), 0, "another's socket is not removed");
	close(other.fd);
	cr_assert_eq(unlink(path), 0);
}

Test(unix_source, removes_only_its_own_socket)
{
	node_bench_on_both(replaced_meanwhile);
}

static void refuses(enum loop_wish wish)
{
	static const char *const wrong[] = { "0860", "66", "rw", "1660", "00660", "" };

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct node_bench bench = { 0 };
		struct shape out = { 0 };
		char text[128];

		make(&bench, wish, "");
		snprintf(text, sizeof(text), "{\"listen\": \"x\", \"mode\": \"%s\"}", wrong[i]);
		struct document document = { 0 };
		cr_assert(
			document_parse(&document, "test", text, strlen(text), true, &bench.faults));
		bench.node.value = document.root;
		cr_assert(options_read(source_unix.type.options, document.root, "unix",
			bench.node.state, &bench.faults));
		cr_assert_not(
			source_unix.type.plan(&bench.node, NULL, &out, &bench.faults), "%s", text);
		node_bench_close(&bench);
		document_close(&document);
	}
}

Test(unix_source, refuses_modes_that_are_none)
{
	node_bench_on_both(refuses);
}

static void long_path(enum loop_wish wish)
{
	struct node_bench bench = { 0 };
	struct shape out = { 0 };
	char text[UNIX_PATH_MOST + 2];

	make(&bench, wish, "");
	memset(text, 'x', sizeof(text));
	text[UNIX_PATH_MOST + 1] = '\0';
	*(const char **)bench.node.state = text; /* listen is its first option */
	cr_assert_not(source_unix.type.plan(&bench.node, NULL, &out, &bench.faults));
	text[UNIX_PATH_MOST] = '\0';
	cr_assert(source_unix.type.plan(&bench.node, NULL, &out, &bench.faults));
	node_bench_close(&bench);
}

Test(unix_source, refuses_a_path_that_is_too_long)
{
	node_bench_on_both(long_path);
}
