/* Prefixes: what is written is what a scan reads. */

#include "pipeline/flow/prefix.h"

#include "pipeline/flow/scan.h"

#include <criterion/criterion.h>
#include <string.h>

static const uint64_t sizes[] = { 1, 9, 10, 99, 127, 128, 255, 256, 16383, 16384, 65535, 65536,
	1 << 20, FRAMING_MOST };

/* The prefix alone: the scan must go on to a body of that size. */
static void check(const struct framing *framing, uint64_t content)
{
	char prefix[PREFIX_MOST];
	struct scan scan = { 0 };
	size_t used;
	if (!prefix_can_tell(framing, content))
		return;
	uint32_t size = prefix_write(framing, content, prefix);
	cr_assert_leq(size, framing_overhead(framing));
	cr_assert_eq(scan_record(framing, &scan, SCAN_NO_LIMIT, prefix, size, &used), SCAN_GOES_ON);
	uint64_t comma = framing->kind == FRAMING_NETSTRING;
	cr_assert_eq(scan.phase, SCAN_IN_BODY);
	cr_assert_eq(scan.count, content + comma, "kind %d, %llu", framing->kind,
		(unsigned long long)content);
}

Test(prefix, is_read_as_it_is_written)
{
	static const uint32_t widths[] = { 1, 2, 4, 8 };
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		for (enum framing_kind kind = FRAMING_VARINT; kind <= FRAMING_NETSTRING; kind++) {
			struct framing framing = framing_of_kind(kind, false);
			cr_assert(prefix_needed(&framing));
			check(&framing, sizes[i]);
		}
		for (size_t k = 0; k < 16; k++) {
			struct framing framing = framing_of_kind(FRAMING_LENGTH, false);
			framing.size = widths[k / 4];
			framing.little = k & 1;
			framing.includes_header = k & 2;
			check(&framing, sizes[i]);
		}
	}
}

Test(prefix, knows_what_it_cannot_tell)
{
	struct framing framing = framing_of_kind(FRAMING_LENGTH, false);
	framing.size = 1;
	cr_expect(prefix_can_tell(&framing, 255));
	cr_expect_not(prefix_can_tell(&framing, 256));
	framing.includes_header = true;
	cr_expect(prefix_can_tell(&framing, 254));
	cr_expect_not(prefix_can_tell(&framing, 255));
	framing.size = 8;
	cr_expect(prefix_can_tell(&framing, FRAMING_MOST));
	cr_expect_not(prefix_can_tell(&framing, (uint64_t)FRAMING_MOST + 1));
}
