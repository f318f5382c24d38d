/* However a compressed stream is cut, the same comes out of it; where it is damaged, the same as far as it goes.
 *
 *     byte 0   the codec             byte 1   the buffers' size
 *     byte 2   the chunks: their size, or the seed of random ones
 *     byte 3   the sink's speed      then the stream
 */

#include "tests/fuzz/driver/cutting.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD = 4, MOST = 1024, RATIO_FROM = 1 << 20 };

static const char *const codecs[] = { "auto", "zstd", "gzip", "lz4" };

static bool is_damaged(const struct bench *bench)
{
	return bench_report(bench, "bench.decompress")->account.dropped[DROP_DAMAGED] > 0;
}

/* Whether it is a bomb is asked piece by piece: those that come to little are none. */
static bool may_be_bomb(const struct bench *cut, const struct bench *whole)
{
	return cut->out_size[0] > RATIO_FROM || whole->out_size[0] > RATIO_FROM;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char stages[160];
	if (size < HEAD || size > HEAD + MOST)
		return 0;
	struct segment segment = {
		.data = (const char *)data + HEAD, .size = size - HEAD, .flags = VIEW_END
	};
	snprintf(stages, sizeof(stages),
		"[{\"decompress\":{\"codec\":\"%s\",\"max_window\":\"64KiB\"}},"
		"{\"split\":{\"on\":\"fixed\",\"size\":\"1B\"}}]",
		CHOICE(codecs, data[0]));
	struct cutting cutting = cutting_chosen(data[1], data[2], data[3]);
	if (cutting.speed < 64)
		cutting.speed += 64; /* much may come of little */
	struct bench whole = cutting_run(stages, &segment, cutting_none());
	struct bench cut = cutting_run(stages, &segment, cutting);
	if (!cutting_begins_alike(&cut, &whole))
		cutting_fail(&cut, &whole);
	if (is_damaged(&cut) != is_damaged(&whole) && !may_be_bomb(&cut, &whole))
		cutting_fail(&cut, &whole);
	if (!is_damaged(&cut) && !is_damaged(&whole))
		cutting_compare(&cut, &whole);
	bench_free(&whole);
	bench_free(&cut);
	return 0;
}
