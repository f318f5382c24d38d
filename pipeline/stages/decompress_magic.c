/* Magics: the first bytes of frames, which may come in pieces. */

#include "pipeline/stages/decompress.h"

const struct magic decompress_magics[MAGICS] = {
	{ { '\x28', '\xb5', '\x2f', '\xfd' }, 4, ZSTD },
	{ { '\x04', '\x22', '\x4d', '\x18' }, 4, LZ4 },
	{ { '\x1f', '\x8b', '\x08' }, 3, GZIP },
#define SKIPPABLE_MAGIC(digit)                                                                     \
	{                                                                                          \
		{ digit, '\x2a', '\x4d', '\x18' }, 4, SKIPPABLE                                    \
	}
	SKIPPABLE_MAGIC('\x50'),
	SKIPPABLE_MAGIC('\x51'),
	SKIPPABLE_MAGIC('\x52'),
	SKIPPABLE_MAGIC('\x53'),
	SKIPPABLE_MAGIC('\x54'),
	SKIPPABLE_MAGIC('\x55'),
	SKIPPABLE_MAGIC('\x56'),
	SKIPPABLE_MAGIC('\x57'),
	SKIPPABLE_MAGIC('\x58'),
	SKIPPABLE_MAGIC('\x59'),
	SKIPPABLE_MAGIC('\x5a'),
	SKIPPABLE_MAGIC('\x5b'),
	SKIPPABLE_MAGIC('\x5c'),
	SKIPPABLE_MAGIC('\x5d'),
	SKIPPABLE_MAGIC('\x5e'),
	SKIPPABLE_MAGIC('\x5f'),
#undef SKIPPABLE_MAGIC
};

/* Frames to be skipped are zstd's and lz4's. */
static bool is_allowed(enum codec codec, const struct magic *magic)
{
	if (codec == AUTO || codec == magic->codec)
		return true;
	return magic->codec == SKIPPABLE && codec != GZIP;
}

static bool begin_alike(const struct magic *a, const struct magic *b, uint8_t size)
{
	for (uint8_t i = 0; i < size; i++)
		if (a->bytes[i] != b->bytes[i])
			return false;
	return true;
}

uint8_t decompress_magic(enum codec codec, uint8_t magic, uint8_t matched, char byte)
{
	for (unsigned i = 0; i < MAGICS; i++)
		if (is_allowed(codec, &decompress_magics[i]) &&
			decompress_magics[i].bytes[matched] == byte &&
			begin_alike(&decompress_magics[i], &decompress_magics[magic], matched))
			return (uint8_t)i;
	return MAGICS;
}
