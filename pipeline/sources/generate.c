/* generate: makes log lines.
 *
 * A line is a function of the seed and its number alone, so that a seed gives the same bytes everywhere, however the
 * buffers lie. It is written into them word by word:
 *
 *     1700000000.042 WARN connection closed by worker 4711 …⏎       always `bytes` bytes, the last word cut
 *
 * The rate is kept against the start: line k is due k / rate after it, so that what is late is made up for.
 */

#include "pipeline/node.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STAMP_SIZE = 14, MOST_RATE = 1000 * 1000 * 1000 };

static const uint64_t first_stamp = 1700000000000; /* ms since 1970, of line 0 */

struct generate_source {
	uint64_t lines, bytes, seed;
	const char *rate;

	uint64_t per_second; /* 0: as fast as it goes */
	uint64_t start;      /* ms, node_now() */
	bool started, draining;
	struct buffer *buffer;

	uint64_t made;   /* lines that are written wholly */
	uint64_t left;   /* bytes of the line that is begun; 0: none is */
	uint64_t random; /* its state */
	struct bytes word;
	char stamp[STAMP_SIZE];
};

static const struct option options[] = {
	OPTION(COUNT, struct generate_source, lines, .primary = true, .standard = "0",
		.doc = "How many lines to make; 0: it never ends."),
	OPTION(SIZE, struct generate_source, bytes, .standard = "190B", .least = "1B",
		.most = "1GiB", .doc = "The size of a line, with its LF."),
	OPTION(STRING, struct generate_source, rate, .example = "\"1000/s\"",
		.doc = "Lines a second, such as 1000/s; as fast as it goes if it is not set."),
	OPTION(COUNT, struct generate_source, seed, .standard = "1",
		.doc = "What the lines are made from: the same seed makes the same lines."),
	OPTIONS_END
};

/* Lines. */

#define WORD(text)                                                                                 \
	{                                                                                          \
		.data = (text), .size = sizeof(text) - 1                                           \
	}

static const struct bytes levels[] = { WORD(" INFO"), WORD(" INFO"), WORD(" INFO"), WORD(" INFO"),
	WORD(" DEBUG"), WORD(" DEBUG"), WORD(" WARN"), WORD(" ERROR") };

static const struct bytes words[] = { WORD(" connection"), WORD(" closed"), WORD(" by"),
	WORD(" worker"), WORD(" request"), WORD(" from"), WORD(" 10.0.0.17"), WORD(" took"),
	WORD(" 42ms"), WORD(" status=200"), WORD(" status=404"), WORD(" status=503"),
	WORD(" user=alice"), WORD(" user=bob"), WORD(" session"), WORD(" opened"), WORD(" for"),
	WORD(" cache"), WORD(" miss"), WORD(" hit"), WORD(" retrying"), WORD(" in"), WORD(" 250ms"),
	WORD(" GET"), WORD(" POST"), WORD(" /api/v1/items"), WORD(" /index.html"), WORD(" timeout"),
	WORD(" queue"), WORD(" depth=4711"), WORD(" disk"), WORD(" full") };

/* Splitmix64. */
static uint64_t next_random(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

#define CHOOSE(list, random) ((list)[(random) % (sizeof(list) / sizeof(*(list)))])

/* Seconds with three decimals, one millisecond a line. */
static struct bytes make_stamp(struct generate_source *source)
{
	uint64_t stamp = first_stamp + source->made;
	size_t at = sizeof(source->stamp);

	while (at > 0) {
		bool is_point = at-- == sizeof(source->stamp) - 3;
		source->stamp[at] = is_point ? '.' : (char)('0' + stamp % 10);
		stamp = is_point ? stamp : stamp / 10;
	}
	return (struct bytes){ .data = source->stamp, .size = sizeof(source->stamp) };
}

static void begin_line(struct generate_source *source)
{
	source->random = source->seed;
	source->random = next_random(&source->random) ^ source->made;
	source->left = source->bytes;
	source->word = make_stamp(source);
}

/* The stamp is followed by the level, and that by words. */
static void next_word(struct generate_source *source)
{
	bool was_stamp = source->word.data == source->stamp + sizeof(source->stamp);
	uint64_t random = next_random(&source->random);

	source->word = was_stamp ? CHOOSE(levels, random >> 32) : CHOOSE(words, random >> 32);
}

/* Writes what fits of the line's next word, or its end. */
static uint32_t write_some(struct generate_source *source, char *to, uint32_t room)
{
	if (source->left == 1) {
		*to = '\n';
		source->left = 0;
		source->made++;
		return 1;
	}
	if (source->word.size == 0)
		next_word(source);
	uint64_t size = source->word.size < room ? source->word.size : room;
	if (size > source->left - 1)
		size = source->left - 1;
	bytes_store(to, source->word.data, size);
	source->word.data += size;
	source->word.size -= size;
	source->left -= size;
	return (uint32_t)size;
}

/* Lines up to `limit`, as far as they fit. The number of bytes. */
static uint32_t write_lines(struct generate_source *source, char *to, uint32_t room, uint64_t limit)
{
	uint32_t size = 0;

	while (size < room && (source->left > 0 || source->made < limit)) {
		if (source->left == 0)
			begin_line(source);
		size += write_some(source, to + size, room - size);
	}
	return size;
}

/* The rate. */

static uint64_t scale(uint64_t amount, uint64_t by, uint64_t per)
{
	return amount / per * by + amount % per * by / per;
}

/* How many lines may be made by now. */
static uint64_t lines_due(const struct generate_source *source, uint64_t now)
{
	uint64_t most = source->lines ? source->lines : UINT64_MAX;

	if (source->draining)
		return 0;
	if (!source->per_second)
		return most;
	uint64_t due = 1 + scale(now - source->start, source->per_second, 1000);
	return due < most ? due : most;
}

/* When the next line is due, in whole milliseconds: not before it is. */
static uint64_t next_due(const struct generate_source *source)
{
	uint64_t per_second = source->per_second, made = source->made;
	uint64_t after = scale(made, 1000, per_second);

	return source->start + after + (scale(after, per_second, 1000) < made);
}

static bool is_over(const struct generate_source *source)
{
	return source->left == 0 &&
	       (source->draining || (source->lines && source->made == source->lines));
}

/* The node. */

static void put_end(struct node *node, struct batch *out)
{
	struct generate_source *source = node->state;
	struct view end = { .tag = node->first_stream | VIEW_END };

	buffer_release(&source->buffer);
	node->ended = batch_put(out, &end);
}

static bool has_buffer(struct generate_source *source, struct pool *pool)
{
	if (source->buffer && buffer_room(source->buffer) == 0)
		buffer_release(&source->buffer);
	if (!source->buffer)
		source->buffer = pool_take(pool);
	return source->buffer != NULL;
}

/* Fills what is free of one buffer, and puts it. The number of bytes; 0: nothing is due, or there is no room. */
static uint32_t put_some(struct node *node, struct batch *out, uint64_t limit, uint64_t most)
{
	struct generate_source *source = node->state;

	if (source->left == 0 && source->made >= limit)
		return 0;
	if (batch_room(out) == 0 || !has_buffer(source, node->pool))
		return 0;
	struct buffer *buffer = source->buffer;
	uint32_t room = buffer_room(buffer) < most ? buffer_room(buffer) : (uint32_t)most;
	struct view view =
		view_publish(buffer, write_lines(source, buffer_end(buffer), room, limit));
	uint32_t size = view.size;
	view.tag = node->first_stream;
	if (!batch_put(out, &view)) /* there was room */
		view_drop(&view);
	node->account.received += size;
	return size;
}

static void generate_read(struct node *node, struct batch *out)
{
	struct generate_source *source = node->state;
	uint64_t most = node->quota, now = node_now(node);

	if (!source->started)
		source->start = now;
	source->started = true;
	uint64_t limit = lines_due(source, now);
	for (uint32_t size = 1; size > 0 && most > 0; most -= size)
		size = put_some(node, out, limit, most);
	if (is_over(source))
		put_end(node, out);
	bool waits = source->per_second && !is_over(source) && source->left == 0 &&
		     source->made >= limit;
	node->due = waits ? next_due(source) : 0;
	if (waits)
		buffer_release(&source->buffer);
}

/* The line that is begun is finished. */
static void generate_drain(struct node *node, uint64_t deadline)
{
	struct generate_source *source = node->state;

	(void)deadline;
	source->draining = true;
	node_wake(node);
}

static bool generate_open(struct node *node, struct faults *faults)
{
	const struct generate_source *source = node->state;

	(void)faults;
	node->expected =
		source->lines <= UINT64_MAX / source->bytes ? source->lines * source->bytes : 0;
	node->up = true;
	return true;
}

static void generate_close(struct node *node)
{
	struct generate_source *source = node->state;

	buffer_release(&source->buffer);
}

/* "1000/s" */
static bool parse_rate(const char *text, uint64_t *rate)
{
	char *end;
	size_t digits = strspn(text, "0123456789");

	if (digits == 0 || digits > 10 || strcmp(text + digits, "/s") != 0)
		return false;
	*rate = strtoull(text, &end, 10);
	return *rate > 0 && *rate <= MOST_RATE;
}

static bool generate_plan(
	struct node *node, const struct shape *in, struct shape *out, struct faults *faults)
{
	struct generate_source *source = node->state;

	(void)in;
	*out = (struct shape){ .kind = FLOW_BYTES, .streams = 1 };
	snprintf(node->how, sizeof(node->how), "%s",
		source->rate ? source->rate : "as fast as it goes");
	const struct value *value = option_value(options, node->value, "rate");
	if (!source->rate || (value && value->unknown) ||
		parse_rate(source->rate, &source->per_second))
		return true;
	return fault_at(faults, value, "write lines a second, such as \"1000/s\"",
		"the rate is a number from 1 to %d and \"/s\"", MOST_RATE);
}

static bool generate_rest(struct node *node, struct batch *out)
{
	struct generate_source *source = node->state;

	(void)out;
	buffer_release(&source->buffer);
	return true;
}

const struct source_ops source_generate = {
	.type = {
		.name = "generate",
		.doc = "Makes log lines, for trying out and measuring.",
		.options = options,
		.state_size = sizeof(struct generate_source),
		.example = "{ \"generate\": { \"rate\": \"1000/s\" } }",
		.plan = generate_plan,
		.open = generate_open,
		.close = generate_close,
	},
	.patient = true,
	.read = generate_read,
	.rest = generate_rest,
	.drain = generate_drain,
};
