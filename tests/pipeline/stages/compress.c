/* compress: whatever comes in, in whatever pieces, and however slowly frames leave: what is read back is what went in,
 * each frame is whole records, and the counts are right. */

#include "pipeline/flow/record.h"
#include "pipeline/io/loop.h"
#include "pipeline/plan.h"
#include "pipeline/registry.h"
#include "tests/pipeline/codecs/decode.h"
#include "tests/support/chance.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct loop *loop;
static struct pipeline pipeline; /* one that is not run */

/* Grows; what a test collects. */
struct text {
	char *data;
	size_t size, room;
};

static void text_add(struct text *text, const char *data, size_t size)
{
	if (text->size + size > text->room) {
		text->room = (text->size + size) * 2;
		text->data = realloc(text->data, text->room);
	}
	if (size > 0)
		memcpy(text->data + text->size, data, size);
	text->size += size;
}

/* A compress node between two batches, with a source's pool in front of it and a sink's output behind it. */
struct bench {
	struct document document;
	struct faults faults;
	struct node node;
	struct batch in, out;
	struct pool *pool;
	struct framing framing;
	struct shape shape;
	struct text output;
	struct view held[4]; /* frames that a slow sink has not written yet */
	uint32_t held_count;
	size_t ends[4096]; /* of frames in the output */
	uint32_t records[4096];
	uint32_t frames;
};

static void node_make(struct bench *bench, const char *options)
{
	const struct node_type *type = &stage_compress.type;
	bool parsed = document_parse(
		&bench->document, "test", options, strlen(options), true, &bench->faults);
	cr_assert(parsed);
	bench->node = (struct node){ .type = type,
		.role = NODE_STAGE,
		.name = "test.compress",
		.pipeline = &pipeline,
		.loop = loop,
		.value = bench->document.root,
		.state = calloc(1, type->state_size) };
	bool read = options_read(
		type->options, bench->document.root, "compress", bench->node.state, &bench->faults);
	cr_assert(read);
}

static bool node_plan(struct bench *bench, struct shape *out)
{
	struct node *node = &bench->node;
	node->charge = 0;
	node->framing = bench->shape.framing;
	return stage_compress.type.plan(node, &bench->shape, out, &bench->faults);
}

struct setup {
	const char *options;
	enum flow_kind kind;
	const char *delimiter;
	size_t max_record;
	uint32_t chunk, buffers, in_room, out_room;
};

static void bench_open(struct bench *bench, struct setup setup)
{
	*bench = (struct bench){ .pool = pool_create(setup.buffers, setup.chunk) };
	bench->framing =
		framing_delimited(setup.delimiter, (uint32_t)strlen(setup.delimiter), false);
	bench->shape =
		(struct shape){ .kind = setup.kind, .streams = 1, .max_record = setup.max_record };
	if (setup.kind == FLOW_RECORDS)
		bench->shape.framing = &bench->framing;
	node_make(bench, setup.options);
	struct shape out;
	bool fine = node_plan(bench, &out) &&
		    stage_compress.type.open(&bench->node, &bench->faults) &&
		    batch_open(&bench->in, setup.kind, setup.in_room) &&
		    batch_open(&bench->out, FLOW_FRAMES, setup.out_room);
	cr_assert(fine);
	cr_assert_eq(out.kind, FLOW_FRAMES);
	cr_assert_null(out.framing);
}

static void bench_close(struct bench *bench)
{
	batch_close(&bench->in);
	batch_close(&bench->out);
	stage_compress.type.close(&bench->node);
	cr_assert_eq(pool_free(bench->pool), pool_count(bench->pool));
	pool_destroy(bench->pool);
	document_close(&bench->document);
	faults_close(&bench->faults);
	free(bench->node.state);
	free(bench->output.data);
}

static void write_held(struct bench *bench, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		text_add(&bench->output, bench->held[i].data, bench->held[i].size);
		bench->records[bench->frames] = view_records(&bench->held[i]);
		bench->ends[bench->frames++] = bench->output.size;
		view_drop(&bench->held[i]);
	}
	for (uint32_t i = count; i < bench->held_count; i++)
		bench->held[i - count] = bench->held[i];
	bench->held_count -= count;
}

/* A sink of one speed or another: it takes frames, and keeps some for a while. */
static void sink_some(struct bench *bench)
{
	while (!batch_empty(&bench->out) && bench->held_count < 4)
		bench->held[bench->held_count++] = batch_take(&bench->out);
	write_held(bench, chance(bench->held_count + 1));
}

static void check_balance(const struct bench *bench)
{
	if (bench->in.kind == FLOW_RECORDS)
		cr_assert_eq(
			bench->in.taken.records, bench->out.put.records + bench->node.account.held);
}

static void turn(struct bench *bench)
{
	if (chance(50) == 0)
		stage_compress.settle(&bench->node, &bench->out);
	stage_compress.process(&bench->node, &bench->in, &bench->out);
	check_balance(bench);
	sink_some(bench);
}

static void finish(struct bench *bench)
{
	while (!batch_empty(&bench->in))
		turn(bench);
	while (!stage_compress.settle(&bench->node, &bench->out))
		sink_some(bench);
	while (!batch_empty(&bench->out) || bench->held_count > 0)
		sink_some(bench);
	cr_assert_eq(bench->node.account.held, 0);
	check_balance(bench);
}

/* What has come of an unfinished record. */
struct pending {
	struct view views[2048];
	uint32_t count;
};

static void put(struct bench *bench, struct pending *pending)
{
	if (pending->count == 0)
		return;
	while (!batch_put_all(&bench->in, pending->views, pending->count))
		turn(bench);
	pending->count = 0;
}

static struct view fresh(struct bench *bench, const char *data, uint32_t size)
{
	struct buffer *buffer;
	while (!(buffer = pool_take(bench->pool)))
		turn(bench);
	memcpy(buffer->data, data, size);
	struct view view = view_publish(buffer, size);
	buffer_release(&buffer);
	return view;
}

/* As split passes them on: the whole records that end in a chunk as one run, which continues the record of the chunks
 * before; the last record bare if its delimiter is missing. `borders` are the ends of all records. */
static void feed_records(
	struct bench *bench, const char *data, size_t size, const size_t *borders, uint32_t chunk)
{
	struct pending pending = { .count = 0 };
	size_t next = 0;
	for (size_t at = 0, part; at < size; at += part) {
		part = chance(3) ? chunk : 1 + chance(chunk);
		part = part < size - at ? part : size - at;
		struct view view = fresh(bench, data + at, (uint32_t)part), run;
		uint32_t records = 0, end = 0;
		for (; borders[next] <= at + part && borders[next] > at; next++, records++)
			end = (uint32_t)(borders[next] - at);
		if (records > 0) {
			view_slice(&view, 0, end, &run);
			run.tag = records;
			pending.views[pending.count++] = run;
			put(bench, &pending);
		}
		if (end < part) {
			view_slice(&view, end, (uint32_t)part - end, &run);
			pending.views[pending.count++] = run;
		}
		view_drop(&view);
	}
	if (pending.count > 0)
		pending.views[pending.count - 1].tag = 1 | VIEW_BARE;
	put(bench, &pending);
}

/* The ends of all records with a delimiter; the last item is 0. */
static size_t *find_borders(const char *data, size_t size, const char *delimiter)
{
	size_t *borders = calloc(size + 1, sizeof(*borders)), count = 0, width = strlen(delimiter);
	for (size_t at = 0; at + width <= size;) {
		bool hit = memcmp(data + at, delimiter, width) == 0;
		at += hit ? width : 1;
		if (hit)
			borders[count++] = at;
	}
	return borders;
}

enum kind { LINES, NOISE };

static void make_records(
	struct text *text, size_t size, enum kind kind, const char *delimiter, uint32_t longest)
{
	while (text->size < size) {
		char record[64 << 10];
		uint32_t length = chance(20) ? chance(longest / 10 + 1) : chance(longest);
		for (uint32_t i = 0; i < length; i++)
			record[i] = (char)(kind == NOISE ? chance(256)
							 : (uint32_t) "error: ab42 "[chance(12)]);
		text_add(text, record, length);
		text_add(text, delimiter, strlen(delimiter));
	}
}

static bool is_border(const size_t *borders, size_t at, size_t *next)
{
	while (borders[*next] && borders[*next] < at)
		++*next;
	return borders[*next] == at;
}

static uint32_t records_between(const size_t *borders, size_t from, size_t to)
{
	uint32_t count = 0;
	for (; *borders; borders++)
		count += *borders > from && *borders <= to;
	return count;
}

/* Each frame alone is a whole one, ends at a record's border (or the input's end), and its tag counts its records. */
static void check_frames(
	struct bench *bench, const char *codec, const struct text *expected, size_t frame)
{
	const size_t *borders =
		find_borders(expected->data, expected->size, bench->framing.delimiter);
	char *content = malloc(expected->size + 1);
	size_t at = 0, start = 0, next = 0;
	for (uint32_t i = 0; i < bench->frames; start = bench->ends[i++]) {
		size_t size = decode_frame(codec, bench->output.data + start,
			bench->ends[i] - start, content, expected->size + 1 - at);
		cr_assert_neq(size, SIZE_MAX, "frame %u is not whole", i);
		cr_assert_leq(at + size, expected->size);
		cr_assert(memcmp(content, expected->data + at, size) == 0, "frame %u differs", i);
		bool last = at + size == expected->size;
		uint32_t records = records_between(borders, at, at + size);
		at += size;
		if (bench->in.kind != FLOW_RECORDS)
			continue;
		bool border = is_border(borders, at, &next);
		cr_assert(border || last);
		cr_assert_eq(bench->records[i], records + !border);
		cr_assert(size <= frame || bench->records[i] == 1, "%zu bytes in a frame", size);
	}
	cr_assert_eq(at, expected->size);
	free(content);
	free((void *)(uintptr_t)borders);
}

/* Input as a source would bring it, and what is made of it. */
struct trial {
	struct setup setup;
	const char *codec;
	enum kind kind;
	size_t size, frame;
	uint32_t longest;
	bool bare;
};

static struct bench bench;

/* Leaves the bench open and the input with the caller. */
static struct text run_records(struct trial trial)
{
	struct text input = { 0 };
	make_records(&input, trial.size, trial.kind, trial.setup.delimiter, trial.longest);
	if (trial.bare)
		text_add(&input, "bare", 4);
	trial.setup.kind = FLOW_RECORDS;
	trial.setup.max_record = trial.longest + strlen(trial.setup.delimiter);
	bench_open(&bench, trial.setup);
	size_t *borders = find_borders(input.data, input.size, trial.setup.delimiter);
	feed_records(&bench, input.data, input.size, borders, trial.setup.chunk);
	finish(&bench);
	free(borders);
	return input;
}

static void check_trial(struct trial trial)
{
	struct text input = run_records(trial);
	check_frames(&bench, trial.codec, &input, trial.frame);
	bench_close(&bench);
	free(input.data);
}

static void check_chunks(const char *options, const char *codec, size_t size)
{
	static const uint32_t chunks[] = { 16, 100, 4096, 65536, 262144 };
	static const char *const delimiters[] = { "\n", "\r\n", "aa", "abab", "error" };
	for (size_t c = 0; c < sizeof(chunks) / sizeof(*chunks); c++)
		for (size_t d = 0; d < sizeof(delimiters) / sizeof(*delimiters); d++)
			for (enum kind kind = LINES; kind <= NOISE; kind++)
				check_trial((struct trial){ .codec = codec,
					.setup = { .options = options,
						.delimiter = delimiters[d],
						.chunk = chunks[c],
						.buffers = 4096,
						.in_room = 2100 + chance(50),
						.out_room = 1 + chance(3) },
					.kind = kind,
					.size = size,
					.frame = 4096,
					.longest = chance(2) ? 600 : 100,
					.bare = chance(2) });
}

static void begin(void)
{
	const char *why;
	loop = loop_create(LOOP_EPOLL, &why);
	cr_assert(loop, "%s", why);
	chance_begin_with(1);
}

static void end(void)
{
	loop_destroy(loop);
}

TestSuite(compress, .init = begin, .fini = end, .timeout = 60);

Test(compress, zstd_any_chunks)
{
	check_chunks("{\"codec\": \"zstd\", \"level\": 1, \"frame\": \"4KiB\"}", "zstd", 20000);
}

Test(compress, gzip_any_chunks)
{
	check_chunks("{\"codec\": \"gzip\", \"frame\": \"4KiB\"}", "gzip", 20000);
}

Test(compress, deflate_any_chunks)
{
	check_chunks("{\"codec\": \"gzip\", \"level\": 4, \"frame\": \"4KiB\"}", "gzip", 20000);
}

Test(compress, lz4_any_chunks)
{
	check_chunks("{\"codec\": \"lz4\", \"frame\": \"4KiB\"}", "lz4", 20000);
}

Test(compress, records_larger_than_a_frame)
{
	static const char *const codecs[] = { "zstd", "gzip", "lz4" };
	for (int i = 0; i < 12; i++) {
		char options[64];
		snprintf(options, sizeof(options), "{\"codec\": \"%s\", \"frame\": \"4KiB\"}",
			codecs[i % 3]);
		check_trial((struct trial){ .codec = codecs[i % 3],
			.setup = { .options = options,
				.delimiter = i % 2 ? "\n" : "aa",
				.chunk = 1000,
				.buffers = 512,
				.in_room = 600,
				.out_room = 1 },
			.kind = NOISE,
			.size = 300000,
			.frame = 4096,
			.longest = 40000 });
	}
}

static void check_levels(const char *codec, unsigned most)
{
	for (unsigned level = 1; level <= most; level++) {
		char options[64];
		snprintf(options, sizeof(options),
			"{\"codec\": \"%s\", \"level\": %u, \"frame\": \"64KiB\"}", codec, level);
		check_trial((struct trial){ .codec = codec,
			.setup = { .options = options,
				.delimiter = "\n",
				.chunk = 65536,
				.buffers = 64,
				.in_room = 64,
				.out_room = 2 },
			.kind = LINES,
			.size = level > 12 ? 20000 : 150000,
			.frame = 65536,
			.longest = 2000 });
	}
}

Test(compress, every_level)
{
	check_levels("zstd", 19);
	check_levels("gzip", 9);
	check_levels("lz4", 12);
}

struct file {
	char path[32];
};

static struct file write_file(const char *data, size_t size)
{
	struct file file = { .path = "/tmp/viewduct-XXXXXX" };
	int fd = mkstemp(file.path);
	cr_assert_geq(fd, 0);
	ssize_t written = write(fd, data, size);
	cr_assert_eq(written, (ssize_t)size);
	close(fd);
	return file;
}

static bool reads_back(const char *codec, struct file packed, struct file plain)
{
	char command[128];
	snprintf(
		command, sizeof(command), "%s -dc < %s | cmp - %s", codec, packed.path, plain.path);
	return system(command) == 0;
}

static bool zstd_accepts(struct file packed)
{
	char command[128];
	snprintf(command, sizeof(command), "zstd -tq < %s 2>/dev/null", packed.path);
	return system(command) == 0;
}

static struct trial usual(const char *codec, const char *options)
{
	return (struct trial){ .codec = codec,
		.setup = { .options = options,
			.delimiter = "\n",
			.chunk = 65536,
			.buffers = 16,
			.in_room = 32,
			.out_room = 4 },
		.kind = LINES,
		.size = 5 << 20,
		.frame = 1 << 20,
		.longest = 1000 };
}

static void check_tool(const char *codec)
{
	char options[64];
	snprintf(options, sizeof(options), "\"%s\"", codec);
	struct text input = run_records(usual(codec, options));
	cr_assert_gt(bench.frames, 4);
	check_frames(&bench, codec, &input, 1 << 20);
	struct file packed = write_file(bench.output.data, bench.output.size);
	struct file plain = write_file(input.data, input.size);
	bool same = reads_back(codec, packed, plain);
	unlink(packed.path);
	unlink(plain.path);
	cr_assert(same);
	bench_close(&bench);
	free(input.data);
}

Test(compress, zstd_reads_it_back)
{
	check_tool("zstd");
}

Test(compress, gzip_reads_it_back)
{
	check_tool("gzip");
}

Test(compress, lz4_reads_it_back)
{
	check_tool("lz4");
}

Test(compress, what_is_cut_behind_whole_frames_is_valid)
{
	struct text input = run_records(usual("zstd", "{}"));
	struct file file = write_file(bench.output.data, bench.ends[2]);
	struct file damaged = write_file(bench.output.data, bench.ends[2] - 1);
	bool valid = zstd_accepts(file);
	bool cut = zstd_accepts(damaged);
	unlink(file.path);
	unlink(damaged.path);
	cr_assert(valid);
	cr_assert_not(cut);
	bench_close(&bench);
	free(input.data);
}

/* Runs of usual size lie in memory as they came: nothing is copied, and nothing gathered to be looked at. */
Test(compress, nothing_is_copied_or_peeked)
{
	struct text input = run_records(usual("zstd", "\"zstd\""));
	cr_assert_eq(copies_sum(&bench.node.account.copies), 0);
	cr_assert_eq(bench.node.account.peeked, 0);
	bench_close(&bench);
	free(input.data);
}

static void put_alone(const char *data, uint32_t size, uint32_t tag)
{
	struct view view = fresh(&bench, data, size);
	view.tag = tag;
	bool put = batch_put(&bench.in, &view);
	cr_assert(put);
}

static struct setup small(const char *options, enum flow_kind kind)
{
	return (struct setup){ .options = options,
		.kind = kind,
		.delimiter = "\r\n",
		.max_record = 1000,
		.chunk = 8192,
		.buffers = 8,
		.in_room = 8,
		.out_room = 8 };
}

/* Several sources' last records may be bare; each gets its delimiter when another follows, in the next frame too. */
Test(compress, delimiter_is_put_behind_a_bare_record)
{
	bench_open(&bench, small("{}", FLOW_RECORDS));
	put_alone("one\r\ntwo", 8, 2 | VIEW_BARE);
	put_alone("three", 5, 1 | VIEW_BARE);
	stage_compress.process(&bench.node, &bench.in, &bench.out);
	stage_compress.settle(&bench.node, &bench.out);
	put_alone("four\r\n", 6, 1);
	finish(&bench);
	char content[64];
	size_t size =
		decode_frame("zstd", bench.output.data, bench.ends[0], content, sizeof(content));
	cr_assert_eq(size, 15);
	cr_assert(memcmp(content, "one\r\ntwo\r\nthree", size) == 0);
	size = decode_frame("zstd", bench.output.data + bench.ends[0],
		bench.ends[1] - bench.ends[0], content, sizeof(content));
	cr_assert_eq(size, 8);
	cr_assert(memcmp(content, "\r\nfour\r\n", size) == 0);
	cr_assert_eq(bench.records[0], 3);
	cr_assert_eq(bench.records[1], 1);
	bench_close(&bench);
}

Test(compress, bytes_of_streams_follow_each_other)
{
	bench_open(&bench, small("{\"codec\": \"lz4\", \"frame\": \"4KiB\"}", FLOW_BYTES));
	struct text input = { 0 };
	for (uint32_t i = 0; i < 40; i++) {
		char data[8192];
		uint32_t size = 1 + chance(sizeof(data));
		for (uint32_t b = 0; b < size; b++)
			data[b] = (char)chance(7);
		text_add(&input, data, size);
		while (batch_room(&bench.in) < 2)
			turn(&bench);
		put_alone(data, size, i % 3 ? 0 : 1 | VIEW_END);
		if (i % 5 == 0)
			put_alone("", 0, 1 | (i % 2 ? VIEW_END : VIEW_BROKEN));
	}
	finish(&bench);
	cr_assert_gt(bench.frames, input.size / 4096);
	check_frames(&bench, "lz4", &input, 4096);
	for (uint32_t i = 0; i < bench.frames; i++)
		cr_assert_eq(bench.records[i], 1);
	bench_close(&bench);
	free(input.data);
}

Test(compress, nothing_comes_of_nothing)
{
	bench_open(&bench, small("{}", FLOW_BYTES));
	put_alone("", 0, VIEW_END);
	finish(&bench);
	cr_assert_eq(bench.output.size, 0);
	bench_close(&bench);
}

/* With every block in the sink's hands nothing is taken; as soon as one is back, it goes on. */
Test(compress, waits_for_a_block)
{
	struct setup setup = small("{\"frame\": \"1MiB\"}", FLOW_RECORDS);
	setup.max_record = 1 << 20;
	bench_open(&bench, setup);
	for (int frame = 0; frame < 2; frame++) {
		put_alone("record\r\n", 8, 1);
		stage_compress.process(&bench.node, &bench.in, &bench.out);
		cr_assert(stage_compress.settle(&bench.node, &bench.out));
	}
	cr_assert_eq(bench.out.count, 2);
	put_alone("record\r\n", 8, 1);
	stage_compress.process(&bench.node, &bench.in, &bench.out);
	cr_assert_eq(bench.in.count, 1);
	struct view written = batch_take(&bench.out);
	view_drop(&written);
	stage_compress.process(&bench.node, &bench.in, &bench.out);
	cr_assert_eq(bench.in.count, 0);
	cr_assert_eq(bench.node.account.held, 1);
	bench_close(&bench);
}

Test(compress, settle_waits_for_room)
{
	struct setup setup = small("{}", FLOW_RECORDS);
	setup.out_room = 1;
	bench_open(&bench, setup);
	cr_assert(stage_compress.settle(&bench.node, &bench.out));
	cr_assert(batch_empty(&bench.out));
	for (int frame = 0; frame < 2; frame++) {
		put_alone("record\r\n", 8, 1);
		stage_compress.process(&bench.node, &bench.in, &bench.out);
		cr_assert_eq(stage_compress.settle(&bench.node, &bench.out), frame == 0);
	}
	struct view written = batch_take(&bench.out);
	view_drop(&written);
	cr_assert(stage_compress.settle(&bench.node, &bench.out));
	finish(&bench);
	bench_close(&bench);
}

/* Plans it for records of at most 1 MiB, or for `kind`. */
static bool plans(const char *options, enum flow_kind kind, uint32_t streams)
{
	bench = (struct bench){ .framing = framing_delimited("\n", 1, false) };
	bench.shape = (struct shape){ .kind = kind, .streams = streams, .max_record = 1 << 20 };
	if (kind == FLOW_RECORDS)
		bench.shape.framing = &bench.framing;
	node_make(&bench, options);
	struct shape out;
	return node_plan(&bench, &out);
}

static void plan_close(void)
{
	stage_compress.type.close(&bench.node);
	document_close(&bench.document);
	faults_close(&bench.faults);
	free(bench.node.state);
}

static void check_how(const char *options, const char *how, const char *copies_why)
{
	cr_assert(plans(options, FLOW_RECORDS, 1));
	cr_assert_str_eq(bench.node.how, how);
	cr_assert_str_eq(bench.node.copies_why, copies_why);
	cr_assert_gt(bench.node.charge, 2 << 20);
	plan_close();
}

Test(compress, plan_tells_how)
{
	check_how("{}", "zstd level 3, frames of 1MiB", "");
	check_how("\"gzip\"", "gzip level 1, frames of 1MiB",
		"stage: pieces of less than 8KiB, once");
	check_how("{\"codec\": \"gzip\", \"level\": 9}", "gzip level 9, frames of 1MiB", "");
	check_how("{\"codec\": \"lz4\", \"frame\": \"64KiB\"}", "lz4 level 1, frames of 64KiB",
		"stage: pieces of less than 128KiB, once");
}

/* It leaves room for the rest of a pipeline in the 64 MiB that a service has by default. */
Test(compress, plan_charges_what_is_needed_and_no_more)
{
	cr_assert(plans("{}", FLOW_RECORDS, 1));
	cr_assert_lt(bench.node.charge, 10 << 20);
	plan_close();
	cr_assert(plans("{\"level\": 19}", FLOW_RECORDS, 1));
	cr_assert_lt(bench.node.charge, 40 << 20);
	plan_close();
}

static void check_level_fault(const char *options, size_t offset, const char *bound)
{
	cr_assert_not(plans(options, FLOW_RECORDS, 1));
	cr_assert_eq(bench.faults.errors, 1);
	cr_assert_eq(bench.faults.items[0].column, offset + 1);
	cr_assert_str_eq(bench.faults.items[0].pointer, "/level");
	cr_assert_not_null(strstr(bench.faults.items[0].message, bound));
	plan_close();
}

Test(compress, level_is_bounded_by_the_codec)
{
	check_level_fault("{\"codec\": \"gzip\", \"level\": 10}", 27, "up to 9");
	check_level_fault("{\"codec\": \"lz4\", \"level\": 13}", 26, "up to 12");
	cr_assert(plans("{\"codec\": \"zstd\", \"level\": 19}", FLOW_RECORDS, 1));
	plan_close();
}

Test(compress, refuses_frames_and_mixed_streams)
{
	cr_assert_not(plans("{}", FLOW_FRAMES, 1));
	plan_close();
	cr_assert_not(plans("{}", FLOW_BYTES, 2));
	cr_assert_not_null(strstr(bench.faults.items[0].remedy, "split"));
	plan_close();
}
