/* The client: answers in all forms and pieces, and such as are none. */
#include "daemon/client.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const char path[] = "./socket";

struct server {
	int fd;
	const char *answer;
	size_t piece; /* bytes that are sent at once */
	char request[4096];
};

static void *serve(void *context)
{
	struct server *server = context;
	const int fd = accept(server->fd, NULL, NULL);
	size_t size = 0;

	while (!strstr(server->request, "\r\n\r\n")) {
		const ssize_t got =
			read(fd, server->request + size, sizeof(server->request) - 1 - size);
		if (got <= 0)
			break;
		size += (size_t)got;
	}
	for (size_t at = 0, all = strlen(server->answer); at < all; at += server->piece) {
		const size_t left = all - at;
		if (send(fd, server->answer + at, left < server->piece ? left : server->piece,
			    MSG_NOSIGNAL) < 0)
			break;
	}
	close(fd);
	return NULL;
}

/* What the client makes of an answer: its body, or NULL with `error`. */
static char *ask(const char *answer, size_t piece, struct client *client, struct server *server)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	pthread_t thread;
	char *body = NULL;

	*server = (struct server){ .answer = answer, .piece = piece };
	strcpy(address.sun_path, path);
	unlink(path);
	server->fd = socket(AF_UNIX, SOCK_STREAM, 0);
	cr_assert_eq(bind(server->fd, (struct sockaddr *)&address, sizeof(address)), 0);
	cr_assert_eq(listen(server->fd, 1), 0);
	cr_assert_eq(pthread_create(&thread, NULL, serve, server), 0);
	cr_assert(client_connect(client, path, 60000), "%s", client->error);
	if (client_ask(client, "GET", "/x?y=z"))
		body = client_read_all(client, 100000);
	client_close(client);
	pthread_join(thread, NULL);
	close(server->fd);
	unlink(path);
	return body;
}

static char folder[] = "/tmp/viewduct-client-XXXXXX";

static void enter_folder(void)
{
	cr_assert_not_null(mkdtemp(folder));
	cr_assert_eq(chdir(folder), 0);
}

static void leave_folder(void)
{
	cr_assert_eq(chdir("/"), 0);
	cr_assert_eq(rmdir(folder), 0);
}

Test(client, reads_bodies_of_all_forms_in_pieces_of_all_sizes, .init = enter_folder,
	.fini = leave_folder)
{
	static const char *const answers[] = {
		"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
		"5\r\nhello\r\n1;a=b\r\n \r\n5\r\nworld\r\n0\r\n\r\n",
		"HTTP/1.0 200 OK\r\nX: y\r\n\r\nhello world",
		"HTTP/1.1 200 OK\ncontent-length:11\n\nhello world",
	};
	struct client client;
	struct server server;

	for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++)
		for (size_t piece = 1; piece < 20; piece += 3) {
			char *body = ask(answers[i], piece, &client, &server);
			cr_assert_not_null(body, "answer %zu: %s", i, client.error);
			cr_assert_str_eq(body, "hello world");
			cr_assert_eq(client.status, 200);
			cr_assert_eq(strncmp(server.request, "GET /x?y=z HTTP/1.1\r\n", 21), 0);
			free(body);
		}
}

Test(client, tells_what_is_no_answer, .init = enter_folder, .fini = leave_folder)
{
	static const char *const answers[] = {
		"",
		"SSH-2.0-OpenSSH_9.2\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello",
		"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
		"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello!!\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
	};
	struct client client;
	struct server server;

	for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
		char *body = ask(answers[i], 7, &client, &server);
		cr_assert_null(body, "answer %zu: \"%s\"", i, body);
		cr_assert_gt(strlen(client.error), 0, "answer %zu", i);
	}
}

Test(client, bounds_what_it_keeps, .init = enter_folder, .fini = leave_folder)
{
	static char answer[300000] = "HTTP/1.1 200 OK\r\n\r\n";
	const size_t head = strlen(answer);
	struct client client;
	struct server server;

	memset(answer + head, 'x', sizeof(answer) - head - 1);
	cr_assert_null(ask(answer, sizeof(answer), &client, &server));
	cr_assert_str_eq(client.error, "the answer is too long");
	memset(answer, 'x', sizeof(answer) - 1);
	cr_assert_null(ask(answer, sizeof(answer), &client, &server));
}

Test(client, says_where_nobody_is)
{
	struct client client;

	cr_assert_not(client_connect(&client, "/none/there", 1000));
	cr_assert_str_eq(client.error, "No such file or directory");
	cr_assert_not(client_connect(&client, "127.0.0.1:1", 1000));
	cr_assert_str_eq(client.error, "Connection refused");
	cr_assert_not(client_connect(&client, "nowhere", 1000));
	cr_assert_not(client_connect(&client, ":", 1000));
	cr_assert_eq(client.fd, -1);
}

Test(client, encodes_what_may_not_stand_in_a_query)
{
	char text[40];

	client_encode(text, sizeof(text), "main.to-0_~ &=%\xc3\xa4");
	cr_assert_str_eq(text, "main.to-0_~%20%26%3D%25%C3%A4");
	client_encode(text, 6, "     ");
	cr_assert_str_eq(text, "%20");
}
