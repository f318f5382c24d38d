/* The tcp source, for tests that let the kernel choose the port. */
#pragma once

#include "pipeline/node.h"

/* The port that an open tcp source listens on. */
uint16_t tcp_source_port(const struct node *node);
