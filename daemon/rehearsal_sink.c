/* A sink in a rehearsal: it gathers what comes, as a file would hold it, or as datagrams. */
#include "daemon/rehearsal_actors.h"

#include "config/memory.h"
#include "pipeline/flow/record.h"
#include "pipeline/io/gather.h"

#include <stdlib.h>
#include <string.h>

struct gatherer {
	struct sink_ops ops;
	const struct node_type *played;
	struct gathered *gathered;
	struct gather gather;
	struct scratch scratch;
	uint64_t max_record;
};

static struct gatherer *gatherer_of(const struct node *node)
{
	return (struct gatherer *)(uintptr_t)node->type;
}

static bool gatherer_plan(
	struct node *node, const struct shape *in, struct shape *out, struct faults *faults)
{
	(void)out;
	(void)faults;
	gatherer_of(node)->max_record = in->max_record;
	return true;
}

static bool gatherer_open(struct node *node, struct faults *faults)
{
	struct gatherer *gatherer = gatherer_of(node);

	if (gather_open(&gatherer->gather) &&
		scratch_open(&gatherer->scratch, gatherer->max_record + 1))
		return true;
	return fault_at(faults, NULL, NULL, "%s: not enough memory", node->name);
}

static void gatherer_close(struct node *node)
{
	struct gatherer *gatherer = gatherer_of(node);

	gather_close(&gatherer->gather);
	scratch_close(&gatherer->scratch);
	if (gatherer->played->close)
		gatherer->played->close(node);
}

static void add_bytes(struct gathered *gathered, const char *data, size_t size)
{
	if (gathered->room - gathered->size < size) {
		gathered->room = 2 * (gathered->size + size);
		gathered->data = memory_needed(realloc(gathered->data, gathered->room));
	}
	if (size > 0)
		memcpy(gathered->data + gathered->size, data, size);
	gathered->size += size;
}

static void add_end(struct gathered *gathered)
{
	if (gathered->end_count == gathered->end_room) {
		gathered->end_room = 2 * gathered->end_room + 16;
		gathered->ends = memory_needed(
			reallocarray(gathered->ends, gathered->end_room, sizeof(*gathered->ends)));
	}
	gathered->ends[gathered->end_count++] = gathered->size;
}

/* As a stream: what a file would hold. */
static void write_stream(struct node *node, struct batch *in)
{
	struct gatherer *gatherer = gatherer_of(node);
	uint64_t bytes;

	while ((bytes = gather_fill(&gatherer->gather, in, node->framing, UINT64_MAX)) > 0) {
		for (uint32_t i = 0; i < gatherer->gather.count; i++)
			add_bytes(gatherer->gathered, gatherer->gather.pieces[i].iov_base,
				gatherer->gather.pieces[i].iov_len);
		gather_written(&gatherer->gather, in, bytes);
	}
}

/* Takes the first record, of `whole` bytes, out of the batch. */
static void take_record(struct batch *in, uint64_t whole)
{
	for (bool ends = false; !ends;) {
		const struct view *first = batch_peek(in, 0);
		if (view_records(first) > 1) {
			batch_advance(in, (uint32_t)whole, 1);
			return;
		}
		ends = view_records(first) == 1;
		whole -= first->size;
		struct view view = batch_take(in);
		view_drop(&view);
	}
}

/* Record by record, without delimiters and prefixes. */
static void write_datagrams(struct node *node, struct batch *in)
{
	struct gatherer *gatherer = gatherer_of(node);
	struct record record;

	while (record_first(in, node->framing, &gatherer->scratch, &record)) {
		add_bytes(gatherer->gathered, record.data, record.size);
		add_end(gatherer->gathered);
		take_record(in, record.whole);
	}
}

static void gatherer_write(struct node *node, struct batch *in)
{
	if (gatherer_of(node)->gathered->apart && in->kind == FLOW_RECORDS)
		write_datagrams(node, in);
	else
		write_stream(node, in);
	node->safe = in->taken.views;
}

static bool sends_datagrams(const struct node *node)
{
	const struct value *type = value_member(node->value, "type");

	return strcmp(node->type->name, "udp") == 0 ||
	       (type && type->kind == VALUE_STRING && strcmp(type->text, "datagram") == 0);
}

void rehearsal_sink_cast(struct rehearsal *rehearsal, struct node *node)
{
	const struct document *document = rehearsal->trial->value->document;
	struct gatherer *gatherer = document_allocate(document, sizeof(*gatherer));
	struct gathered *gathered = &rehearsal->sinks[rehearsal->sink_count++];

	*gathered = (struct gathered){ .node = node->name, .apart = sends_datagrams(node) };
	*gatherer = (struct gatherer){ .played = node->type, .gathered = gathered };
	gatherer->ops.type = *node->type;
	gatherer->ops.type.plan = gatherer_plan;
	gatherer->ops.type.open = gatherer_open;
	gatherer->ops.type.close = gatherer_close;
	gatherer->ops.type.halt = NULL;
	gatherer->ops.write = gatherer_write;
	node->type = &gatherer->ops.type;
}
