/* Reading options that are addresses. */
#pragma once

#include "config/option.h"

/* The NAME in "systemd:NAME", under which a service manager passes sockets; NULL if the text is anything else. */
const char *passed_name(const char *text);

/* False with a fault if no socket can have that name: it has 1 to 255 printable characters of ASCII, and no colon. */
bool passed_name_check(const struct option *option, const struct value *value, const char *name,
	struct faults *faults);

/* Reads "host:port", "[v6]:port", or, where the option is a wildcard, ":port" (there, port 0 lets the kernel choose) and
 * where passable, "systemd:NAME". Names are not looked up. False with a fault. */
bool address_read(const struct option *option, const struct value *value, struct address *address,
	struct faults *faults);

/* Reads one address, or a list of them that is not empty. False with faults. */
bool addresses_read(const struct option *option, const struct value *value,
	struct addresses *addresses, struct faults *faults);
