/* Contexts: one serves any stream, and is made anew where it was another decoder's before. */

#include "pipeline/stages/decompress.h"

#include <stdlib.h>

enum { CONTEXT_ALIGNMENT = 64 };

static const struct decoder *const decoders[CODECS] = {
	[ZSTD] = &decoder_zstd, [GZIP] = &decoder_gzip, [LZ4] = &decoder_lz4
};

size_t decompress_context_cost(const struct decompress *decompress)
{
	size_t most = 0;
	for (unsigned codec = ZSTD; codec < CODECS; codec++) {
		size_t cost = decoders[codec]->cost(decompress->window);
		if ((decompress->codec == AUTO || decompress->codec == codec) && cost > most)
			most = cost;
	}
	return (most + CONTEXT_ALIGNMENT - 1) / CONTEXT_ALIGNMENT * CONTEXT_ALIGNMENT;
}

/* One that was made for this decoder, or any that is free. */
static struct slot *slot_find(const struct decompress *decompress, const struct decoder *decoder)
{
	struct slot *any = NULL;
	for (uint32_t i = 0; i < decompress->slot_count; i++) {
		struct slot *slot = &decompress->slots[i];
		if (!slot->lent && slot->decoder == decoder)
			return slot;
		if (!slot->lent)
			any = slot;
	}
	return any;
}

struct slot *decompress_slot_lend(const struct decompress *decompress, enum codec codec)
{
	const struct decoder *decoder = decoders[codec];
	struct slot *slot = slot_find(decompress, decoder);
	if (!slot)
		return NULL;
	if (slot->decoder != decoder)
		slot->context = decoder->make(slot->memory, decompress->window);
	slot->decoder = decoder;
	slot->lent = true;
	decoder->begin(slot->context);
	return slot;
}

void decompress_slot_return(struct stream *stream)
{
	if (stream->slot)
		stream->slot->lent = false;
	stream->slot = NULL;
}

bool decompress_slots_open(struct decompress *decompress)
{
	size_t size = decompress_context_cost(decompress);
	decompress->slots = calloc(decompress->slot_count, sizeof(*decompress->slots));
	if (!decompress->slots)
		return false;
	for (uint32_t i = 0; i < decompress->slot_count; i++) {
		decompress->slots[i].memory = aligned_alloc(CONTEXT_ALIGNMENT, size);
		if (!decompress->slots[i].memory)
			return false;
	}
	return true;
}

void decompress_slots_close(struct decompress *decompress)
{
	for (uint32_t i = 0; decompress->slots && i < decompress->slot_count; i++)
		free(decompress->slots[i].memory);
	free(decompress->slots);
	decompress->slots = NULL;
}
