/* Listening where an option says: see the header. */

#include "pipeline/sources/address_listen.h"

#include "pipeline/io/activation.h"

bool passed_listen(struct node *node, struct listener *listener, const char *name, bool local,
	struct faults *faults)
{
	struct activation_fault fault;

	return activation_listen(listener, name, local, &fault) ||
	       node_fault(node, faults, fault.remedy[0] ? fault.remedy : NULL,
		       "cannot listen on systemd:%s: %s", name, fault.text);
}

bool address_listen(struct node *node, struct listener *listener, const struct address *address,
	struct faults *faults)
{
	if (address->passed)
		return passed_listen(node, listener, address->passed, false, faults);
	const char *why = listener_open(listener, address->host, address->port);
	return !why ||
	       node_fault(node, faults, NULL, "cannot listen on %s: %s", address->text, why);
}
