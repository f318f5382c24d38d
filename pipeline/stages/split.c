/* split: finds where records end in the bytes of streams. */

#include "pipeline/stages/split.h"

#include "pipeline/stages/own_options.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const on_names[] = { "newline", "delimiter", "nul", "length", "varint", "octets",
	"netstring", "fixed", "csv", "start", NULL };
static const char *const order_names[] = { "big", "little", NULL };
static const char *const preset_names[] = { "java", "python", "indent", NULL };
static const char *const too_long_names[] = { "truncate", "drop", "split", NULL };
static const char *const unterminated_names[] = { "keep", "complete", "drop", NULL };

static const struct option options[] = {
	OPTION(CHOICE, struct split, on, .choices = on_names, .primary = true,
		.doc = "What tells records apart: a delimiter (newline, delimiter, nul), what is "
		       "before "
		       "it "
		       "(length, varint, octets as in RFC 6587, netstring), its size (fixed), or a "
		       "line's end outside of quotes (csv), or the line that each begins with "
		       "(start)."),
	OPTION(BYTES, struct split, delimiter, .needed_when = "`on` is `delimiter`",
		.doc = "The bytes that end a record, at most 256."),
	OPTION(BOOL, struct split, crlf, .standard = "false",
		.doc = "A CR before the LF belongs to the line's end and not to the record, as a "
		       "filter sees it."),
	OPTION(COUNT, struct split, bytes, .standard = "4", .least = "1", .most = "8",
		.doc = "With `length`: how many bytes tell the record's size: 1, 2, 4 or 8."),
	OPTION(CHOICE, struct split, order, .choices = order_names,
		.doc = "With `length`: which byte comes first, the most significant (big) or the "
		       "least."),
	OPTION(BOOL, struct split, includes_header, .standard = "false",
		.doc = "With `length`: the size counts its own bytes too."),
	OPTION(SIZE, struct split, size, .needed_when = "`on` is `fixed`", .least = "1B",
		.most = "1GiB", .doc = "The bytes of each record."),
	OPTION(BYTES, struct split, start, .needed_when = "`on` is `start`, without a `preset`",
		.example = "\"^\\\\d{4}-\"",
		.doc = "With `start`: a pattern (PCRE2, bytes); a record begins at each line that "
		       "it "
		       "matches. Of a line, the first 4KiB are looked at."),
	OPTION(CHOICE, struct split, preset, .choices = preset_names,
		.needed_when = "`on` is `start`, without a pattern",
		.doc = "With `start`: what records look like: log lines with the stack traces of "
		       "Java or of Python, or lines with others indented below them."),
	OPTION(TIME, struct split, flush_after, .standard = "1s", .least = "1ms", .most = "1h",
		.doc = "With `start`: a record is complete when nothing has followed its last line "
		       "for so long."),
	OPTION(SIZE, struct split, max_record, .least = "1B", .most = "1GiB",
		.doc = "The most bytes of a record without its delimiter or prefix; 1MiB, or what "
		       "the pool allows if less."),
	OPTION(CHOICE, struct split, too_long, .choices = too_long_names,
		.doc = "What becomes of a longer one: cut to `max_record` (its delimiter stays; "
		       "the "
		       "default where one ends it), left out (the default, and the only way, for "
		       "prefixes and csv), or made several."),
	OPTION(CHOICE, struct split, unterminated, .choices = unterminated_names,
		.doc = "What becomes of a last record without its delimiter: kept as it is (the "
		       "default for files and standard input), completed (the default for "
		       "sockets), or left out. One whose prefix tells more than came, or that ends "
		       "within quotes, is always left out."),
	OPTIONS_END
};

static const struct own_option own_options[] = {
	{ "delimiter", ON_DELIMITER },
	{ "bytes", ON_LENGTH },
	{ "order", ON_LENGTH },
	{ "includes_header", ON_LENGTH },
	{ "size", ON_FIXED },
	{ "start", ON_START },
	{ "preset", ON_START },
	{ "flush_after", ON_START },
	{ NULL, 0 },
};

static bool check_delimiter(
	const struct split *split, const struct node *node, struct faults *faults)
{
	if (split->on != ON_DELIMITER)
		return true;
	if (split->delimiter.size == 0)
		return fault_at(faults, node->value, "add \"delimiter\": \"…\"",
			"split on \"delimiter\" needs the bytes that end a record");
	if (split->delimiter.size > MATCHER_MOST)
		return fault_at(faults, split->delimiter.value, NULL,
			"the delimiter has %zu bytes; at most %d are allowed",
			split->delimiter.size, MATCHER_MOST);
	return true;
}

static bool check_sizes(const struct split *split, const struct node *node, struct faults *faults)
{
	uint64_t bytes = split->bytes;
	if (split->on == ON_LENGTH && bytes != 1 && bytes != 2 && bytes != 4 && bytes != 8)
		return fault_at(faults, own_options_given(node, "bytes"), "write 1, 2, 4 or 8",
			"a length of %u bytes is none that is known", (unsigned)bytes);
	if (split->on == ON_FIXED && split->size == 0)
		return fault_at(faults, node->value, "add \"size\": \"…B\"",
			"split on \"fixed\" needs the size of a record");
	if (split->on == ON_FIXED && split->max_record && split->max_record < split->size)
		return fault_at(faults, own_options_given(node, "max_record"), "leave it out",
			"every record is longer than max_record");
	return true;
}

static bool check_start(const struct split *split, const struct node *node, struct faults *faults)
{
	bool pattern = own_options_given(node, "start"), preset = own_options_given(node, "preset");
	if (split->on != ON_START)
		return true;
	if (pattern && preset)
		return fault_at(faults, own_options_given(node, "preset"),
			"leave one of the two out",
			"\"start\" and \"preset\" both say where a record "
			"begins");
	if (pattern || preset)
		return true;
	return fault_at(faults, node->value, "add \"start\": \"…\" or \"preset\": \"java\"",
		"split on \"start\" needs a pattern or a preset");
}

static bool ends_in_delimiter(const struct split *split)
{
	return split->on == ON_NEWLINE || split->on == ON_DELIMITER || split->on == ON_NUL ||
	       split->on == ON_START;
}

/* A record that is cut must still be told apart. */
static bool check_rules(struct split *split, const struct node *node, struct faults *faults)
{
	const struct value *too_long = own_options_given(node, "too_long");
	const struct value *unterminated = own_options_given(node, "unterminated");
	bool lines = ends_in_delimiter(split) || split->on == ON_OCTETS || split->on == ON_CSV;
	split->unterminated_set = unterminated != NULL;
	if (!ends_in_delimiter(split) && too_long && split->too_long != DROP)
		return fault_at(faults, too_long, "write \"drop\", or leave it out",
			"a record on \"%s\" cannot be cut: where it ends would not be told any "
			"more",
			on_names[split->on]);
	if (!ends_in_delimiter(split))
		split->too_long = DROP;
	if (!lines && unterminated && split->unterminated != OMIT)
		return fault_at(faults, unterminated, "write \"drop\", or leave it out",
			"a record on \"%s\" that is incomplete cannot be kept",
			on_names[split->on]);
	return true;
}

static bool check_options(struct split *split, const struct node *node, struct faults *faults)
{
	bool fine = own_options_check(own_options, node, "on", on_names, split->on, faults);
	fine &= check_delimiter(split, node, faults);
	fine &= check_sizes(split, node, faults);
	fine &= check_start(split, node, faults);
	return check_rules(split, node, faults) && fine;
}

static struct framing framing_of_length(const struct split *split)
{
	struct framing framing = framing_of_kind(FRAMING_LENGTH, false);
	framing.size = (uint32_t)split->bytes;
	framing.little = split->order != 0;
	framing.includes_header = split->includes_header;
	return framing;
}

static struct framing framing_of_fixed(const struct split *split)
{
	struct framing framing = framing_of_kind(FRAMING_FIXED, false);
	framing.size = (uint32_t)split->size;
	return framing;
}

static struct framing framing_of(const struct split *split)
{
	switch ((enum split_on)split->on) {
	case ON_DELIMITER:
		return framing_delimited(
			split->delimiter.data, (uint32_t)split->delimiter.size, split->crlf);
	case ON_NUL:
		return framing_delimited("", 1, false);
	case ON_LENGTH:
		return framing_of_length(split);
	case ON_VARINT:
		return framing_of_kind(FRAMING_VARINT, false);
	case ON_OCTETS:
		return framing_of_kind(FRAMING_OCTETS, split->crlf);
	case ON_NETSTRING:
		return framing_of_kind(FRAMING_NETSTRING, false);
	case ON_FIXED:
		return framing_of_fixed(split);
	case ON_CSV:
		return framing_of_kind(FRAMING_CSV, split->crlf);
	case ON_START:
		return framing_of_kind(FRAMING_START, split->crlf);
	case ON_NEWLINE:
		break;
	}
	return framing_delimited("\n", 1, split->crlf);
}

/* Fixed records are all of one size, whatever others may be. */
static uint64_t limit_of(const struct split *split, const struct node *node)
{
	if (split->on == ON_FIXED)
		return split->size;
	return split->max_record ? split->max_record : node_default_max_record(node);
}

/* How borders are found: `take`, and in words. */
static void choose_method(struct split *split, struct node *node)
{
	bool bulk = !split->framing.self_overlapping && split->limit >= node_buffer_size(node);
	const char *how = bulk ? "last delimiter of the run" : "record by record";
	split->take = split_delimited;
	if (split->framing.kind == FRAMING_DELIMITED) {
		matcher_open(&split->matcher, &split->framing);
	} else if (split->framing.kind == FRAMING_START) {
		how = "line by line";
		split->take = split_by_start;
	} else {
		how = "from record to record";
		split->take = split_scanned;
	}
	snprintf(node->how, sizeof(node->how), "%s", how);
}

static uint32_t most_views(uint64_t record, uint32_t buffer)
{
	uint64_t pieces = (record + buffer - 1) / buffer + 2;
	return pieces < 32 ? 32 : (uint32_t)pieces;
}

/* What judges lines is compiled once. */
static bool plan_judge(struct split *split, struct node *node, struct faults *faults)
{
	if (split->on != ON_START)
		return true;
	if (!split->judge)
		split->judge = split->start.size > 0 ? line_judge_by_pattern(&split->start, faults)
						     : line_judge_by_preset(split->preset, faults);
	if (!split->judge)
		return false;
	node->charge += line_judge_cost(split->judge) + SPLIT_JUDGED;
	return true;
}

static bool split_plan(
	struct node *node, const struct shape *in, struct shape *out, struct faults *faults)
{
	struct split *split = node->state;
	uint32_t buffer = node_buffer_size(node);
	if (!check_options(split, node, faults))
		return false;
	split->limit = limit_of(split, node);
	split->framing = framing_of(split);
	choose_method(split, node);
	if (!plan_judge(split, node, faults))
		return false;
	uint64_t whole = split->limit + framing_overhead(&split->framing);
	uint64_t held = split->on == ON_START ? whole + SPLIT_JUDGED : whole;
	split->most_views = most_views(held, buffer);
	split->stream_count = node_stream_count(node);
	split->aside_own = in->connections > 64 ? in->connections : 64;
	split->aside_blocks =
		split->aside_own + (node_has_drops(node) ? split->aside_own / 3 + 1 : 0);
	node->charge += split->stream_count * sizeof(struct split_stream) +
			(split->most_views + 4) * sizeof(struct view) +
			remainders_cost(split->stream_count, split->aside_blocks, split->most_views,
				node->pin_quota);
	*out = (struct shape){ .kind = FLOW_RECORDS,
		.framing = &split->framing,
		.max_record = whole,
		.most_views = split->most_views };
	snprintf(node->copies_why, sizeof(node->copies_why),
		in->streams > 1 ? "0, or aside where unfinished records pin a quarter of the pool"
				: "");
	return true;
}

static bool split_open(struct node *node, struct faults *faults)
{
	struct split *split = node->state;
	split->streams = calloc(split->stream_count, sizeof(*split->streams));
	split->views = calloc(split->most_views + 4, sizeof(*split->views));
	split->line = calloc(1, SPLIT_JUDGED);
	split->node = node;
	bool opened = remainders_open(&split->remainders, split->stream_count, split->aside_blocks,
		split->most_views, node->pin_quota, node->pool, &node->account.copies);
	split->remainders.aside_own = split->aside_own;
	if (split->streams && split->views && split->line && opened)
		return true;
	return fault_at(faults, NULL, NULL, "%s: no memory for %u streams", node->name,
		split->stream_count);
}

static void split_close(struct node *node)
{
	struct split *split = node->state;
	remainders_close(&split->remainders);
	free(split->streams);
	free(split->views);
	free(split->line);
	line_judge_destroy(split->judge);
	split->judge = NULL;
	split->line = NULL;
	split->streams = NULL;
	split->views = NULL;
}

static void split_process(struct node *node, struct batch *in, struct batch *out)
{
	const struct split *split = node->state;
	while (split_settle_pending(node, out) && batch_ready(in) > 0)
		if (!split->take(node, in, out))
			break;
	if (split->framing.kind == FRAMING_START)
		split_flush(node, out);
}

/* An unfinished record stays: what was read of it is not safe yet. */
static bool split_settle(struct node *node, struct batch *out)
{
	struct split *split = node->state;
	if (!split_settle_pending(node, out))
		return false;
	for (uint32_t i = 0; i < split->stream_count; i++)
		if (split->streams[i].begun > 0)
			node_hold_back(node, i, split->streams[i].begun);
	return true;
}

/* Streams that have not ended by now are those that a drain stopped: their unfinished records are not emitted. */
static bool split_end(struct node *node, struct batch *out)
{
	struct split *split = node->state;
	if (!split_settle_pending(node, out))
		return false;
	for (uint32_t i = 0; i < split->stream_count; i++)
		remainder_cut(&split->remainders, i, 0);
	return true;
}

static void hand_back_views(struct split *split, uint32_t number, hand_back *take,
	const struct passed *if_lost, void *context)
{
	uint32_t count = remainder_take(&split->remainders, number, UINT64_MAX, split->views);
	for (uint32_t i = 0; i < count; i++)
		take(context, number, &split->views[i], if_lost);
}

/* Of records that begin at lines, one that is passed over has nothing but the line that is not judged yet. */
static bool passes_lines(const struct split *split, const struct split_stream *stream)
{
	return split->framing.kind == FRAMING_START && stream->passing;
}

/* How the stream stands, for whoever goes on with it. */
static struct passed passed_of(const struct split *split, const struct split_stream *stream)
{
	struct passed passed = { .what = PASSING_RECORD };
	if (split->framing.kind == FRAMING_DELIMITED)
		passed.scan.phase = SCAN_IN_LINE;
	else if (split->framing.kind != FRAMING_START)
		passed.scan = stream->scan;
	else if (stream->judged)
		passed.scan.phase = SCAN_IN_LINE;
	if (split->framing.kind != FRAMING_START && stream->mode == REFUSED)
		passed.what = PASSING_STREAM;
	return passed;
}

static void hand_back_stream(struct split *split, uint32_t number, hand_back *take, void *context)
{
	struct split_stream *stream = &split->streams[number];
	const struct passed passed = passed_of(split, stream);
	struct passed lost = passed;
	lost.what = PASSING_LOST;
	if (passes_lines(split, stream))
		take(context, number, NULL, &passed);
	hand_back_views(split, number, take, &lost, context);
	if (stream->mode != COLLECT)
		take(context, number, NULL, &passed);
	if (stream->flags) {
		struct view end = view_of_static("", 0);
		end.tag = stream->flags;
		take(context, number, &end, NULL);
	}
	*stream = (struct split_stream){ 0 };
}

static void split_hand_back(struct node *node, hand_back *take, void *context)
{
	struct split *split = node->state;
	for (uint32_t i = 0; i < split->stream_count; i++) {
		const struct split_stream *stream = &split->streams[i];
		if (stream->begun > 0 || stream->mode != COLLECT || stream->flags ||
			passes_lines(split, stream) || remainder_size(&split->remainders, i) > 0)
			hand_back_stream(split, i, take, context);
	}
	split->oldest = split->newest = 0;
	split->pending = false;
	node->due = 0;
}

/* Lines behind which records may begin. */
static void pass_over_lines(struct split_stream *stream, const struct passed *passed)
{
	stream->passing = true;
	stream->judged = passed->scan.phase == SCAN_IN_LINE;
	stream->line = 0;
	stream->begun = 0;
}

/* What came of a record that was cut to its limit is kept. */
static void pass_over_rest(struct split *split, uint32_t number, const struct passed *passed)
{
	struct split_stream *stream = &split->streams[number];
	bool cut = passed->what == PASSING_RECORD && remainder_size(&split->remainders, number) > 0;
	stream->mode = cut ? PASS_OVER_TRUNCATED : PASS_OVER;
	if (!cut)
		remainder_cut(&split->remainders, number, 0);
	stream->begun += stream->begun == 0;
}

/* Where prefixes or quotes tell it, only the same stage knows the record's end. */
static void pass_over_scanned(
	struct node *node, uint32_t number, const struct passed *passed, bool alike)
{
	struct split *split = node->state;
	struct split_stream *stream = &split->streams[number];
	remainder_cut(&split->remainders, number, 0);
	split_begin_record(stream);
	stream->scan = passed->scan;
	stream->begun = 1;
	stream->mode = alike && passed->what != PASSING_STREAM ? PASS_OVER : REFUSED;
	if (stream->mode == REFUSED)
		node_refuse_stream(node, number);
}

static bool split_pass_over(
	struct node *node, uint32_t number, const struct passed *passed, bool alike)
{
	struct split *split = node->state;
	struct split_stream *stream = &split->streams[number];
	bool lines = split->framing.kind == FRAMING_START;
	if (split->pending)
		return false;
	if (lines ? stream->passing : stream->mode != COLLECT)
		return true;
	if (passed->what == PASSING_LOST)
		split_drop_record(node, DROP_MEMORY);
	if (lines) {
		remainder_cut(&split->remainders, number, 0);
		pass_over_lines(stream, passed);
	} else if (split->framing.kind == FRAMING_DELIMITED) {
		pass_over_rest(split, number, passed);
	} else {
		pass_over_scanned(node, number, passed, alike);
	}
	return true;
}

const struct stage_ops stage_split = {
	.type = {
		.name = "split",
		.doc = "Finds where records end.",
		.options = options,
		.state_size = sizeof(struct split),
		.example = "{ \"split\": { \"on\": \"newline\", \"max_record\": \"64KiB\" } }",
		.plan = split_plan,
		.open = split_open,
		.close = split_close,
	},
	.process = split_process,
	.settle = split_settle,
	.end = split_end,
	.hand_back = split_hand_back,
	.pass_over = split_pass_over,
};
