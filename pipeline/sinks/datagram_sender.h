/* Datagram senders: what the sinks have in common that send a record a datagram, without its delimiter or prefix.
 *
 * Several are sent in one call, straight from where the records lie. What the kernel refuses because nobody listens is
 * sent again on a new socket after a pause, or to the next address; whether a datagram arrived nobody can know.
 */
#pragma once

#include "pipeline/flow/record.h"
#include "pipeline/sinks/connector.h"

struct datagrams_out; /* the arrays of one call */

struct datagram_sender {
	/* Set before it is opened. `connected` and `owner` of the connector are the sender's. */
	struct connector connector;

	/* Its own. */
	struct node *node;
	int fd;                   /* −1: not connected */
	struct io_operation wait; /* until the socket takes more */
	uint64_t at;              /* it has until then; 0: it does not wait */
	struct datagrams_out *out;
	struct scratch scratch; /* for records in several views */
	uint64_t scratch_size;
	bool over; /* it will not connect again */
	bool lost; /* the socket is closed when nothing of it is in flight */
	int trouble;
	struct log_gate big_gate;
};

/* Refuses bytes: only records and frames are datagrams. */
bool datagram_sender_plan(struct datagram_sender *sender, struct node *node, const struct shape *in,
	struct faults *faults);

bool datagram_sender_open(struct datagram_sender *sender, struct node *node, struct faults *faults);

/* What a sink's ops do. */
void datagram_sender_write(struct datagram_sender *sender, struct batch *in);
bool datagram_sender_end(struct datagram_sender *sender);
void datagram_sender_halt(struct datagram_sender *sender);
void datagram_sender_close(struct datagram_sender *sender);
