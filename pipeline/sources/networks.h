/* Networks: which peers a source takes data from, as a list of addresses and networks ("10.0.0.0/8", "::1").
 *
 * IPv4 and IPv6 are told apart by what they mean, not by the socket that they came in on: 1.2.3.4 and ::ffff:1.2.3.4
 * are the same peer, and ::/0 holds no IPv4.
 */
#pragma once

#include "config/option.h"

#include <netinet/in.h>

struct network {
	struct in6_addr address; /* IPv4 as ::ffff:a.b.c.d */
	uint32_t bits;           /* of the address that must be the same */
};

struct networks {
	struct network *items; /* in the document's arena */
	size_t count;
	bool known; /* it was read */
};

/* Reads what the option `allow` (`texts`, and `value` in the document) says; nothing where it is absent. What was read
 * once stays. False with faults. */
bool networks_read(struct networks *networks, const struct strings *texts,
	const struct value *value, struct faults *faults);

/* True if the peer lies in one of them, or none are named. A peer that is neither IPv4 nor IPv6 lies in none. */
bool networks_hold(const struct networks *networks, const struct sockaddr *peer);

/* The peer's address as text, into `text`, for logs. */
const char *network_peer_text(const struct sockaddr *peer, char text[INET6_ADDRSTRLEN]);
