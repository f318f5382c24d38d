/* Rarity: how common a byte is in logs and JSON, so that searches look for the rare ones first.
 *
 * Only what a search costs depends on it, never what it finds.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* A measure that grows with the logarithm of how often the byte is seen: 0 to 255, 15 for each doubling. `either_case`:
 * it stands for a letter of ASCII in either case. */
unsigned rarity_commonness(unsigned char byte, bool either_case);

/* The part of the data that each byte is, in the same samples: together 1. */
void rarity_shares(double shares[256]);
