/* The table: made from samples of system logs, of a service's log and of JSON, with a floor under what these happen not to
 * have. */

#include "pipeline/search/rarity.h"

/* A byte that is 2 % of the data has about 150, one that is a tenth of that 50 less. */
static const uint8_t commonness[256] = {
	85, 18, 18, 18, 18, 18, 18, 18, 18, 105, 130, 18, 18, 121, 18, 18,            /* 00 */
	18, 18, 18, 18, 18, 18, 18, 18, 18, 18, 18, 18, 18, 18, 18, 18,               /* 10 */
	186, 56, 170, 56, 86, 56, 56, 56, 104, 104, 66, 56, 148, 136, 149, 141,       /* 20 */
	168, 168, 164, 154, 153, 155, 150, 149, 152, 149, 166, 77, 56, 140, 56, 101,  /* 30 */
	82, 94, 94, 122, 115, 96, 108, 94, 94, 101, 95, 94, 95, 95, 130, 103,         /* 40 */
	94, 79, 103, 115, 94, 94, 94, 97, 79, 94, 100, 133, 56, 133, 56, 128,         /* 50 */
	56, 165, 135, 153, 158, 177, 140, 124, 143, 161, 95, 129, 151, 151, 163, 168, /* 60 */
	145, 95, 164, 163, 170, 159, 127, 116, 125, 121, 95, 116, 56, 116, 56, 18,    /* 70 */
	65, 65, 65, 65, 65, 65, 65, 65, 65, 65, 65, 65, 65, 65, 65, 65,               /* 80 */
	65, 65, 65, 65, 65, 65, 65, 65, 65, 65, 65, 65, 65, 65, 65, 65,               /* 90 */
	65, 65, 65, 65, 65, 65, 65, 65, 65, 65, 65, 65, 65, 65, 65, 65,               /* a0 */
	65, 65, 65, 65, 65, 65, 65, 65, 65, 65, 65, 65, 65, 65, 65, 65,               /* b0 */
	65, 65, 65, 65, 65, 65, 65, 65, 65, 65, 65, 65, 65, 65, 65, 65,               /* c0 */
	65, 65, 65, 65, 65, 65, 65, 65, 65, 65, 65, 65, 65, 65, 65, 65,               /* d0 */
	65, 65, 65, 65, 65, 65, 65, 65, 65, 65, 65, 65, 65, 65, 65, 65,               /* e0 */
	65, 65, 65, 65, 65, 65, 65, 65, 65, 65, 65, 65, 65, 65, 65, 65,               /* f0 */
};

unsigned rarity_commonness(unsigned char byte, bool either_case)
{
	unsigned common = commonness[byte], other = commonness[byte ^ 0x20];
	return either_case && other > common ? other : common;
}

/* Two to the power of commonness / 15, straight between whole powers. */
static double amount(unsigned char byte)
{
	unsigned common = commonness[byte];
	return (double)(1u << common / 15) * (1 + common % 15 / 15.0);
}

void rarity_shares(double shares[256])
{
	double all = 0;
	for (unsigned i = 0; i < 256; i++)
		all += shares[i] = amount((unsigned char)i);
	for (unsigned i = 0; i < 256; i++)
		shares[i] /= all;
}
