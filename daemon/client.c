/* A client for HTTP/1.1 (RFC 9112). */
#include "daemon/client.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { LONGEST_LINE = 1024, MOST_HEADERS = 100 };

static bool fail(struct client *client, const char *what)
{
	snprintf(client->error, sizeof(client->error), "%s", what);
	return false;
}

static bool fail_errno(struct client *client)
{
	return fail(client, errno == EAGAIN ? "no answer in time" : strerror(errno));
}

/* --- connecting ---------------------------------------------------------------------------------------------------- */

static bool await(struct client *client, short events)
{
	struct pollfd ready = { .fd = client->fd, .events = events };
	const int answer = poll(&ready, 1, client->patience_ms);

	if (answer == 0)
		errno = EAGAIN;
	return answer > 0;
}

static bool connect_to(struct client *client, const struct sockaddr *address, socklen_t size)
{
	int error = 0;
	socklen_t error_size = sizeof(error);

	client->fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (client->fd < 0)
		return fail_errno(client);
	if (connect(client->fd, address, size) == 0)
		return true;
	if (errno == EINPROGRESS && await(client, POLLOUT)) {
		getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &error, &error_size);
		errno = error;
	}
	if (errno == 0)
		return true;
	fail_errno(client);
	client_close(client);
	return false;
}

static bool connect_path(struct client *client, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(address.sun_path))
		return fail(client, "the path is too long");
	memcpy(address.sun_path, path, strlen(path));
	return connect_to(client, (const struct sockaddr *)&address, sizeof(address));
}

/* Divides "host:port" in place; no host is this machine. False if there is no port. */
static bool divide(char *text, const char **host, const char **port)
{
	char *colon = strrchr(text, ':');

	if (!colon || colon[1] == '\0')
		return false;
	*colon = '\0';
	*port = colon + 1;
	*host = text;
	if (text[0] == '[' && colon > text && colon[-1] == ']') {
		colon[-1] = '\0';
		*host = text + 1;
	}
	if (**host == '\0')
		*host = "127.0.0.1";
	return true;
}

static bool connect_address(struct client *client, const char *where)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *list;
	const char *host, *port;
	char text[300];

	if (strlen(where) >= sizeof(text))
		return fail(client, "the address is too long");
	snprintf(text, sizeof(text), "%s", where);
	if (!divide(text, &host, &port))
		return fail(client, "write host:port, or a path with a slash");
	const int answer = getaddrinfo(host, port, &hints, &list);
	if (answer != 0)
		return fail(client, gai_strerror(answer));
	bool connected = false;
	for (const struct addrinfo *at = list; at && !connected; at = at->ai_next)
		connected = connect_to(client, at->ai_addr, at->ai_addrlen);
	freeaddrinfo(list);
	return connected;
}

bool client_connect(struct client *client, const char *where, int patience_ms)
{
	*client = (struct client){ .fd = -1, .patience_ms = patience_ms };
	return strchr(where, '/') ? connect_path(client, where) : connect_address(client, where);
}

void client_close(struct client *client)
{
	if (client->fd >= 0)
		close(client->fd);
	client->fd = -1;
}

/* --- sending and receiving ----------------------------------------------------------------------------------------- */

static bool send_all(struct client *client, const char *text, size_t size)
{
	while (size > 0) {
		const ssize_t sent = send(client->fd, text, size, MSG_NOSIGNAL);
		if (sent >= 0) {
			text += sent;
			size -= (size_t)sent;
		} else if ((errno != EAGAIN && errno != EINTR) || !await(client, POLLOUT)) {
			return fail_errno(client);
		}
	}
	return true;
}

/* Brings more into the room, which is empty: how many bytes, 0 at the connection's end, −1 with the error. */
static ssize_t fill(struct client *client)
{
	for (;;) {
		const ssize_t size = recv(client->fd, client->room, sizeof(client->room), 0);
		if (size >= 0) {
			client->at = 0;
			client->size = (size_t)size;
			return size;
		}
		if (errno == EINTR)
			continue;
		const bool empty = errno == EAGAIN;
		if (empty && client->waits)
			client->waits();
		if (!empty || !await(client, POLLIN)) {
			fail_errno(client);
			return -1;
		}
	}
}

static bool is_cut(struct client *client)
{
	if (client->at < client->size)
		return false;
	const ssize_t size = fill(client);
	if (size == 0)
		fail(client, "the answer is cut off");
	return size <= 0;
}

/* A line without its end; false with the error. */
static bool read_line(struct client *client, char line[LONGEST_LINE])
{
	size_t size = 0;

	for (;;) {
		if (is_cut(client))
			return false;
		const char byte = client->room[client->at++];
		if (byte == '\n')
			break;
		if (size == LONGEST_LINE - 1)
			return fail(client, "the answer is not HTTP: a line is too long");
		line[size++] = byte;
	}
	if (size > 0 && line[size - 1] == '\r')
		size--;
	line[size] = '\0';
	return true;
}

/* --- the head ------------------------------------------------------------------------------------------------------ */

static bool read_number(const char *text, int base, uint64_t *number)
{
	char *end;

	errno = 0;
	*number = strtoull(text, &end, base);
	return errno == 0 && end > text && text[0] != '-' && (*end == '\0' || *end == ';');
}

static bool take_header(struct client *client, char *line)
{
	char *value = strchr(line, ':');

	if (!value)
		return fail(client, "the answer is not HTTP: a header has no colon");
	*value++ = '\0';
	value += strspn(value, " \t");
	if (strcasecmp(line, "Transfer-Encoding") == 0 && strcasecmp(value, "chunked") == 0) {
		client->body = CLIENT_CHUNKED;
		client->left = 0;
	} else if (strcasecmp(line, "Content-Length") == 0 && client->body != CLIENT_CHUNKED) {
		client->body = CLIENT_SIZED;
		if (!read_number(value, 10, &client->left))
			return fail(client, "the answer is not HTTP: its length is no number");
	}
	return true;
}

/* "HTTP/1.1 200 OK" (RFC 9112, 4) */
static bool read_status(struct client *client, const char *line)
{
	static const char version[] = "HTTP/1.";
	const size_t size = strlen(version);
	char *end;

	if (strncmp(line, version, size) != 0 || !line[size] || line[size + 1] != ' ')
		return false;
	client->status = (unsigned)strtoul(line + size + 2, &end, 10);
	return end == line + size + 5;
}

static bool read_head(struct client *client)
{
	char line[LONGEST_LINE];

	if (!read_line(client, line))
		return false;
	if (!read_status(client, line))
		return fail(client, "the answer is not HTTP");
	client->body = CLIENT_TO_THE_END;
	for (int i = 0; i < MOST_HEADERS; i++) {
		if (!read_line(client, line))
			return false;
		if (line[0] == '\0')
			return true;
		if (!take_header(client, line))
			return false;
	}
	return fail(client, "the answer has too many headers");
}

bool client_ask(struct client *client, const char *method, const char *path)
{
	char text[2048];
	const int size = snprintf(text, sizeof(text),
		"%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s\r\n", method, path,
		strcmp(method, "POST") == 0 ? "Content-Length: 0\r\n" : "");

	if (size < 0 || (size_t)size >= sizeof(text))
		return fail(client, "the request is too long");
	client->over = client->in_chunks = false;
	client->at = client->size = 0;
	return send_all(client, text, (size_t)size) && read_head(client);
}

/* --- the body ------------------------------------------------------------------------------------------------------ */

/* The next chunk's size; behind the last one the body is over. */
static bool begin_chunk(struct client *client)
{
	char line[LONGEST_LINE];

	if (client->in_chunks && (!read_line(client, line) || line[0] != '\0'))
		return client->error[0] ? false : fail(client, "the answer's chunks are wrong");
	if (!read_line(client, line))
		return false;
	if (!read_number(line, 16, &client->left))
		return fail(client, "the answer's chunks are wrong");
	client->in_chunks = true;
	client->over = client->left == 0;
	return true;
}

/* What there is in the room, or comes next, at most `most` bytes. */
static ssize_t take(struct client *client, char *to, size_t most)
{
	if (client->at == client->size) {
		const ssize_t size = fill(client);
		if (size <= 0)
			return size;
	}
	const size_t there = client->size - client->at, part = there < most ? there : most;
	memcpy(to, client->room + client->at, part);
	client->at += part;
	return (ssize_t)part;
}

static ssize_t take_told(struct client *client, char *to, size_t most)
{
	const ssize_t size = take(client, to, client->left < most ? client->left : most);

	if (size == 0) {
		fail(client, "the answer is cut off");
		return -1;
	}
	if (size > 0)
		client->left -= (uint64_t)size;
	return size;
}

ssize_t client_read(struct client *client, char *to, size_t most)
{
	if (client->body == CLIENT_TO_THE_END)
		return take(client, to, most);
	if (client->body == CLIENT_CHUNKED && client->left == 0 && !client->over &&
		!begin_chunk(client))
		return -1;
	return client->left == 0 ? 0 : take_told(client, to, most);
}

char *client_read_all(struct client *client, size_t most)
{
	size_t size = 0, room = 0;
	char *text = NULL;

	for (;;) {
		if (room - size < CLIENT_ROOM) {
			room = size + 2 * CLIENT_ROOM;
			char *more = realloc(text, room + 1);
			if (!more)
				break;
			text = more;
		}
		const ssize_t got = client_read(client, text + size, room - size);
		if (got <= 0 && !client->error[0]) {
			text[size] = '\0';
			return text;
		}
		if (got <= 0)
			break;
		size += (size_t)got;
		if (size > most) {
			fail(client, "the answer is too long");
			break;
		}
	}
	if (!client->error[0])
		fail(client, "not enough memory");
	free(text);
	return NULL;
}

void client_encode(char *to, size_t room, const char *text)
{
	size_t size = 0;

	for (; *text && size + 4 <= room; text++) {
		const unsigned char byte = (unsigned char)*text;
		const bool plain = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
				   (byte >= 'A' && byte <= 'Z') || strchr("-._~", byte);
		size += (size_t)snprintf(to + size, room - size, plain ? "%c" : "%%%02X", byte);
	}
	to[size] = '\0';
}
