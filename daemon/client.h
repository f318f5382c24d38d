/* A client for HTTP/1.1: one request to a running daemon, over TCP or a unix socket.
 *
 * It blocks, but never longer than its patience between two pieces of an answer. Bodies may be of a told length, in
 * chunks, or up to the connection's end.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { CLIENT_ROOM = 8192 };

enum client_body { CLIENT_SIZED, CLIENT_CHUNKED, CLIENT_TO_THE_END };

struct client {
	int fd;          /* −1: none */
	int patience_ms; /* −1: for ever */
	unsigned status; /* of the answer: 200 … */
	char error[160]; /* what went wrong, in words */
	enum client_body body;
	uint64_t left;       /* bytes of the body, or of its chunk */
	bool over;           /* the body has ended */
	bool in_chunks;      /* one has been read: its end follows */
	void (*waits)(void); /* called before it waits for more of an answer; may be NULL */
	size_t at, size;     /* in the room */
	char room[CLIENT_ROOM];
};

/* Connects to "host:port", "[v6]:port" or the path of a socket (with a slash). False with `error`. */
bool client_connect(struct client *client, const char *where, int patience_ms);

/* Sends a request and reads the head of its answer. False with `error`. */
bool client_ask(struct client *client, const char *method, const char *path);

/* The next bytes of the body, as soon as there are some: how many, 0 at its end, −1 with `error`. */
ssize_t client_read(struct client *client, char *to, size_t most);

/* All of the body, with a NUL behind it; NULL with `error`. At most `most` bytes. Allocated. */
char *client_read_all(struct client *client, size_t most);

void client_close(struct client *client);

/* Writes text so that it may stand in a query; cut to what fits. */
void client_encode(char *to, size_t room, const char *text);
