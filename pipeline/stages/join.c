/* join: gives records another framing.
 *
 * A record's content stays where it is: what is put out is a prefix or a delimiter and slices of what came in. Prefixes
 * that tell a size are written one behind the other into small blocks of the stage's own, so that it never waits for a
 * buffer that its input holds; delimiters are static.
 *
 *     in:   [one⏎two⏎]
 *     out:  [3 ][one]  [3 ][two]        (octets)
 */

#include "pipeline/flow/prefix.h"
#include "pipeline/flow/record.h"
#include "pipeline/node.h"
#include "pipeline/stages/own_options.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum with {
	WITH_NEWLINE,
	WITH_DELIMITER,
	WITH_NUL,
	WITH_OCTETS,
	WITH_LENGTH,
	WITH_VARINT,
	WITH_NETSTRING,
	WITH_NONE
};

enum {
	ADDED_VIEWS = 2, /* a prefix and a delimiter */
	LEAST_BLOCKS = 4,
	LEAST_BLOCK = 64,
	MOST_BLOCK = 1024
};

struct join {
	unsigned with;
	struct bytes delimiter;
	uint64_t bytes;
	unsigned order;
	bool includes_header;

	struct framing framing;
	bool same; /* as what comes in */
	struct pool *blocks;
	struct buffer *block; /* where the next prefix goes */
	uint32_t block_count, block_size;
	struct scratch scratch;
	size_t scratch_size;
	struct view *views; /* of one record */
	uint32_t most_views;
	struct log_gate gate;
};

static const char *const with_names[] = { "newline", "delimiter", "nul", "octets", "length",
	"varint", "netstring", "none", NULL };
static const char *const order_names[] = { "big", "little", NULL };

static const struct option options[] = {
	OPTION(CHOICE, struct join, with, .choices = with_names, .primary = true, .required = true,
		.doc = "The framing that records get: what ends them, or what is put before them; "
		       "with `none` only their content is left."),
	OPTION(BYTES, struct join, delimiter, .needed_when = "`with` is `delimiter`",
		.doc = "The bytes that end a record, at most 256."),
	OPTION(COUNT, struct join, bytes, .standard = "4", .least = "1", .most = "8",
		.doc = "With `length`: how many bytes tell the record's size: 1, 2, 4 or 8. A "
		       "record whose size they cannot tell is dropped."),
	OPTION(CHOICE, struct join, order, .choices = order_names,
		.doc = "With `length`: which byte comes first, the most significant (big) or the "
		       "least."),
	OPTION(BOOL, struct join, includes_header, .standard = "false",
		.doc = "With `length`: the size counts its own bytes too."),
	OPTIONS_END
};

static const struct own_option own_options[] = {
	{ "delimiter", WITH_DELIMITER },
	{ "bytes", WITH_LENGTH },
	{ "order", WITH_LENGTH },
	{ "includes_header", WITH_LENGTH },
	{ NULL, 0 },
};

/* Records */

/* Cuts `size` bytes off the front, dropping views that are nothing else. How many were dropped. */
static uint32_t trim_front(struct view *views, size_t size)
{
	uint32_t dropped = 0;
	while (size > 0 && views[dropped].size <= size) {
		size -= views[dropped].size;
		view_drop(&views[dropped++]);
	}
	if (size > 0)
		view_chop(&views[dropped], (uint32_t)size);
	return dropped;
}

/* The same at the end of `count` views. */
static uint32_t trim_back(struct view *views, uint32_t count, size_t size)
{
	uint32_t dropped = 0;
	while (size > 0 && views[count - 1 - dropped].size <= size) {
		dropped++;
		size -= views[count - dropped].size;
		view_drop(&views[count - dropped]);
	}
	if (size > 0)
		views[count - 1 - dropped].size -= (uint32_t)size;
	return dropped;
}

/* Takes the record out of the batch: its content's views from views[1] on, behind a place for a prefix. */
static uint32_t take_content(
	struct join *join, struct batch *in, const struct record *record, uint32_t *from)
{
	struct view *taken = join->views + 1;
	uint32_t count = record_take(in, record->whole, taken, join->most_views);
	uint32_t front = trim_front(taken, record->before);
	count -= front;
	count -= trim_back(taken + front, count, record->whole - record->before - record->size);
	*from = 1 + front;
	return count;
}

static bool block_ready(struct join *join)
{
	if (!prefix_needed(&join->framing))
		return true;
	if (join->block && buffer_room(join->block) < PREFIX_MOST)
		buffer_release(&join->block);
	if (!join->block)
		join->block = pool_take(join->blocks);
	return join->block != NULL;
}

static struct view make_prefix(struct join *join, uint64_t content)
{
	uint32_t size = prefix_write(&join->framing, content, buffer_end(join->block));
	return view_publish(join->block, size);
}

/* An empty record has no count: RFC 6587's other form, a line, can hold it. */
static bool is_line(const struct join *join, const struct record *record)
{
	return join->framing.kind == FRAMING_OCTETS && record->size == 0;
}

/* What lacks its end keeps lacking it, if nothing in it looks like one. */
static bool stays_bare(const struct join *join, const struct record *record)
{
	return record->bare && record->size > 0 &&
	       framing_first(&join->framing, record->data, record->size) == 0;
}

/* What stands behind the content: a delimiter, or a netstring's comma. Of size 0: nothing. */
static struct view make_end(const struct join *join, bool line, bool bare)
{
	const struct framing *framing = &join->framing;
	if (framing->kind == FRAMING_NETSTRING)
		return view_of_static(",", 1);
	bool ends = line || (framing->kind == FRAMING_DELIMITED && !bare);
	return view_of_static(framing->delimiter, ends ? framing->delimiter_size : 0);
}

static void put_record(
	struct join *join, struct batch *in, struct batch *out, const struct record *record)
{
	const struct framing *framing = &join->framing;
	bool bare = framing->kind == FRAMING_DELIMITED && stays_bare(join, record);
	bool line = is_line(join, record);
	uint32_t from, count = take_content(join, in, record, &from);
	if (prefix_needed(framing) && !line) {
		join->views[--from] = make_prefix(join, record->size);
		count++;
	}
	struct view end = make_end(join, line, bare);
	if (end.size > 0)
		join->views[from + count++] = end;
	assert(count > 0);
	for (uint32_t i = 0; i < count; i++)
		join->views[from + i].tag = 0;
	join->views[from + count - 1].tag =
		1 | (bare ? VIEW_BARE : 0) | (framing->kind == FRAMING_NONE ? VIEW_APART : 0);
	bool put = batch_put_all(out, join->views + from, count);
	assert(put);
}

static void leave_out(struct join *join, struct batch *in, const struct record *record)
{
	uint32_t count = record_take(in, record->whole, join->views, join->most_views);
	for (uint32_t i = 0; i < count; i++)
		view_drop(&join->views[i]);
}

static void drop(struct node *node, struct batch *in, const struct record *record)
{
	struct join *join = node->state;
	leave_out(join, in, record);
	node_drop(node, DROP_TOO_LONG, 1);
	node_log_gated(node, &join->gate, LOG_LEVEL_WARNING,
		"a record of %zu bytes is more than its length can tell", record->size);
}

/* Works on the first record, in the first `group` views. False: there is no room. */
static bool join_record(struct node *node, struct batch *in, struct batch *out, uint32_t group)
{
	struct join *join = node->state;
	struct record record;
	if (batch_room(out) < group + ADDED_VIEWS || !block_ready(join))
		return false;
	bool found = record_first(in, node->framing, &join->scratch, &record);
	assert(found);
	node->account.peeked = join->scratch.peeked;
	if (!prefix_can_tell(&join->framing, record.size)) {
		drop(node, in, &record);
	} else if (join->framing.kind == FRAMING_NONE && record.size == 0) {
		leave_out(join, in, &record);
		node->account.filtered++;
	} else {
		put_record(join, in, out, &record);
	}
	return true;
}

static bool move_group(struct join *join, struct batch *in, struct batch *out, uint32_t group)
{
	if (batch_room(out) < group)
		return false;
	for (uint32_t i = 0; i < group; i++)
		join->views[i] = batch_take(in);
	bool put = batch_put_all(out, join->views, group);
	assert(put);
	return true;
}

static void join_process(struct node *node, struct batch *in, struct batch *out)
{
	struct join *join = node->state;
	uint32_t group;
	bool room = true;
	while (room && (group = batch_group(in)) > 0)
		room = join->same ? move_group(join, in, out, group)
				  : join_record(node, in, out, group);
}

/* Life */

static bool check_options(const struct join *join, const struct node *node, struct faults *faults)
{
	uint64_t bytes = join->bytes;
	if (!own_options_check(own_options, node, "with", with_names, join->with, faults))
		return false;
	if (join->with == WITH_DELIMITER && join->delimiter.size == 0)
		return fault_at(faults, node->value, "add \"delimiter\": \"…\"",
			"join with \"delimiter\" needs the bytes that end a record");
	if (join->with == WITH_DELIMITER && join->delimiter.size > 256)
		return fault_at(faults, join->delimiter.value, NULL,
			"the delimiter has %zu bytes; at most 256 are allowed",
			join->delimiter.size);
	if (join->with == WITH_LENGTH && bytes != 1 && bytes != 2 && bytes != 4 && bytes != 8)
		return fault_at(faults, own_options_given(node, "bytes"), "write 1, 2, 4 or 8",
			"a length of %" PRIu64 " bytes is none that is known", bytes);
	return true;
}

static bool check_input(const struct node *node, const struct shape *in, struct faults *faults)
{
	if (in->kind != FLOW_RECORDS)
		return fault_at(faults, node->value, "put {\"split\": \"newline\"} before it",
			"`join` needs records");
	if (in->framing->kind == FRAMING_NONE)
		return fault_at(faults, node->value, "leave one of the two out",
			"`join` needs records, but a join with \"none\" left no borders");
	return true;
}

static struct framing framing_of(const struct join *join)
{
	static const enum framing_kind kinds[] = { [WITH_OCTETS] = FRAMING_OCTETS,
		[WITH_LENGTH] = FRAMING_LENGTH,
		[WITH_VARINT] = FRAMING_VARINT,
		[WITH_NETSTRING] = FRAMING_NETSTRING,
		[WITH_NONE] = FRAMING_NONE };
	if (join->with == WITH_NEWLINE)
		return framing_delimited("\n", 1, false);
	if (join->with == WITH_NUL)
		return framing_delimited("", 1, false);
	if (join->with == WITH_DELIMITER)
		return framing_delimited(
			join->delimiter.data, (uint32_t)join->delimiter.size, false);
	struct framing framing = framing_of_kind(kinds[join->with], false);
	if (join->with == WITH_LENGTH) {
		framing.size = (uint32_t)join->bytes;
		framing.little = join->order != 0;
		framing.includes_header = join->includes_header;
	}
	return framing;
}

/* Some to go on with, and as many as branches that drop may pin. */
static void measure_blocks(struct join *join, struct node *node)
{
	uint32_t buffer = node_buffer_size(node);
	join->block_size = buffer < LEAST_BLOCK ? LEAST_BLOCK : buffer;
	if (join->block_size > MOST_BLOCK)
		join->block_size = MOST_BLOCK;
	join->block_count = prefix_needed(&join->framing) ? LEAST_BLOCKS : 1;
	if (prefix_needed(&join->framing) && node_has_drops(node))
		join->block_count += node->pin_quota;
	node->charge += join->block_count * pool_buffer_cost(join->block_size);
}

static bool join_plan(
	struct node *node, const struct shape *in, struct shape *out, struct faults *faults)
{
	struct join *join = node->state;
	if (!check_options(join, node, faults) || !check_input(node, in, faults))
		return false;
	join->framing = framing_of(join);
	join->same = framing_same(in->framing, &join->framing);
	join->scratch_size = in->max_record + in->framing->delimiter_size;
	join->most_views = in->most_views + ADDED_VIEWS;
	measure_blocks(join, node);
	node->charge +=
		join->scratch_size + (join->most_views + ADDED_VIEWS) * sizeof(*join->views);
	snprintf(node->how, sizeof(node->how), "%s",
		join->same ? "as it is" : "slices and constants, gathered");
	*out = *in;
	out->framing = &join->framing;
	out->max_record = in->max_record + framing_overhead(&join->framing);
	out->most_views = join->most_views;
	return true;
}

static bool join_open(struct node *node, struct faults *faults)
{
	struct join *join = node->state;
	join->views = calloc(join->most_views + ADDED_VIEWS, sizeof(*join->views));
	join->blocks = pool_create(join->block_count, join->block_size);
	if (join->views && join->blocks && scratch_open(&join->scratch, join->scratch_size))
		return true;
	return node_fault(node, faults, NULL, "there is no memory for a record of %zu bytes",
		join->scratch_size);
}

static void join_close(struct node *node)
{
	struct join *join = node->state;
	scratch_close(&join->scratch);
	buffer_release(&join->block);
	pool_destroy(join->blocks);
	join->blocks = NULL;
	free(join->views);
	join->views = NULL;
}

const struct stage_ops stage_join = {
	.type = {
		.name = "join",
		.doc = "Gives records another framing.",
		.options = options,
		.state_size = sizeof(struct join),
		.example = "{ \"join\": { \"with\": \"octets\" } }",
		.plan = join_plan,
		.open = join_open,
		.close = join_close,
	},
	.process = join_process,
};
