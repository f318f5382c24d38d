/* Listening where an option says: at an address, or on sockets that the service manager passes. */
#pragma once

#include "config/option.h"
#include "pipeline/io/listener.h"
#include "pipeline/node.h"

/* Opens a listener that is as listener_open() wants it. False with a fault; then nothing is open. */
bool address_listen(struct node *node, struct listener *listener, const struct address *address,
	struct faults *faults);

/* The same for passed sockets alone: `name` is what follows "systemd:". */
bool passed_listen(struct node *node, struct listener *listener, const char *name, bool local,
	struct faults *faults);
