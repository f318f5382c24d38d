/* Stream senders: what the sinks have in common that send over connections.
 *
 * While there is no connection nothing is taken, and back-pressure does the rest. What a broken connection had not
 * wholly handed to the kernel is sent again on the next one, from a record's border.
 *
 *     CONNECTING ──▶ UP ──▶ FINISHING
 *         ▲           │         │
 *         └─ CLOSING ─┴─────────┴──▶ CLOSED
 */
#pragma once

#include "pipeline/io/gather.h"
#include "pipeline/sinks/connector.h"

enum stream_phase {
	STREAM_CONNECTING,
	STREAM_UP,        /* a send in flight has until `at` to get anywhere */
	STREAM_FINISHING, /* all was sent and our side is shut; the peer has until `at` */
	STREAM_CLOSING,   /* until nothing is in flight */
	STREAM_CLOSED     /* for good */
};

struct stream_sender {
	/* Set before it is opened. `connected` and `owner` of the connector are the sender's. */
	struct connector connector;
	void (*prepare)(const struct stream_sender *sender,
		int fd); /* sets the socket's options; may be NULL */

	/* Its own. */
	struct node *node;
	enum stream_phase phase;
	uint64_t at;
	int fd;
	struct io_operation watch, send;
	struct gather gather;
	bool over;   /* it will not connect again */
	int trouble; /* why the connection is closing: −errno, 0: the peer closed it */
};

bool stream_sender_open(struct stream_sender *sender, struct node *node, struct faults *faults);

/* What a sink's ops do. */
void stream_sender_write(struct stream_sender *sender, struct batch *in);
bool stream_sender_end(struct stream_sender *sender);
void stream_sender_halt(struct stream_sender *sender);
bool stream_sender_leave(const struct stream_sender *sender);
void stream_sender_close(struct stream_sender *sender);
