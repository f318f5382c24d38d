/* The udp source, for tests that let the kernel choose the port. */
#pragma once

#include "pipeline/node.h"

/* The port that an open udp source listens on. */
uint16_t udp_source_port(const struct node *node);
