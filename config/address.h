/* Reading options that are addresses. */
#pragma once

#include "config/option.h"

/* Reads "host:port", "[v6]:port", or ":port" where the option is a wildcard (there, port 0 lets the kernel choose).
 * Names are not looked up. False with a fault. */
bool address_read(const struct option *option, const struct value *value, struct address *address,
	struct faults *faults);

/* Reads one address, or a list of them that is not empty. False with faults. */
bool addresses_read(const struct option *option, const struct value *value,
	struct addresses *addresses, struct faults *faults);
