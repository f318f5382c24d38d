/* Invariance: however the bytes are cut, however small the buffers and however slow the sink, the same comes out.
 *
 * Every row of stages is run with every chunk size, buffer size and speed of the sink. What is expected was written by
 * hand beside the row's input.
 */

#include "tests/support/bench.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const char input[] =
	"alpha one\nbeta\n\nbeta two\r\ngamma status=500 end\nalpha two\naa\n"
	"a line that is longer than the others, status=503, and that no small buffer holds\n"
	"\r\nbeta alpha\nlast without its end";

static const struct {
	const char *stages, *expected;
} rows[] = {
	{ "[\"split\"]", input },
	{ "[\"split\",{\"filter\":\"alpha\"}]", "alpha one\nalpha two\nbeta alpha\n" },
	{ "[\"split\",{\"filter\":{\"not\":\"a\"}}]", "\n\r\n" },
	{ "[\"split\",{\"filter\":{\"regex\":\"status=5\\\\d\\\\d\"}}]",
		"gamma status=500 end\n"
		"a line that is longer than the others, status=503, and that no small buffer "
		"holds\n" },
	{ "[\"split\",{\"filter\":{\"regex\":\"two$\"}}]", "alpha two\n" },
	{ "[{\"split\":{\"on\":\"newline\",\"crlf\":true}},{\"filter\":{\"regex\":\"two$\"}}]",
		"beta two\r\nalpha two\n" },
	{ "[{\"split\":{\"on\":\"newline\",\"crlf\":true}},{\"filter\":{\"equals\":[\"beta "
	  "two\",\"aa\"]}}]",
		"beta two\r\naa\n" },
	{ "[\"split\",{\"filter\":{\"any\":[{\"starts_with\":\"BETA\",\"ignore_case\":true},"
	  "\"end\"]}}]",
		"beta\nbeta two\r\ngamma status=500 end\nbeta alpha\nlast without its end" },
	{ "[\"split\",{\"filter\":{\"all\":[\"beta\",{\"not\":{\"ends_with\":[\"alpha\",\"\\r\"]}}]"
	  "}}]",
		"beta\n" },
	{ "[\"split\",{\"filter\":\"a\"},{\"filter\":\"t\"},{\"filter\":{\"not\":{\"contains\":"
	  "\"two\"}}}]",
		"beta\ngamma status=500 end\n"
		"a line that is longer than the others, status=503, and that no small buffer "
		"holds\n"
		"beta alpha\nlast without its end" },
	{ "[{\"split\":{\"on\":\"newline\",\"unterminated\":\"complete\"}},{\"filter\":\"last\"}]",
		"last without its end\n" },
	{ "[{\"split\":{\"on\":\"delimiter\",\"delimiter\":\"aa\"}},{\"filter\":\"beta\"}]",
		"alpha one\nbeta\n\nbeta two\r\ngamma status=500 end\nalpha two\naa"
		"\na line that is longer than the others, status=503, and that no small buffer "
		"holds\n"
		"\r\nbeta alpha\nlast without its end" },
	{ "[{\"split\":{\"on\":\"newline\",\"max_record\":\"9B\",\"too_long\":\"truncate\"}},{"
	  "\"filter\":\"a\"}]",
		"alpha one\nbeta\nbeta two\r\ngamma sta\nalpha two\naa\na line th\nbeta alph\nlast "
		"with" },
	{ "[{\"split\":{\"on\":\"newline\",\"max_record\":\"9B\",\"too_long\":\"drop\"}},{"
	  "\"filter\":\"a\"}]",
		"alpha one\nbeta\nbeta two\r\nalpha two\naa\n" },
};

static const size_t chunks[] = { 1, 2, 3, 5, 7, 16, 17, 64, 1000 };
static const char *const buffers[] = { "16B", "17B", "31B", "64B", "100B", "256B", "4KiB" };
static const uint64_t speeds[] = { 1, 3, 16, 100, UINT64_MAX };

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static void run_one(size_t row, size_t chunk, const char *buffer, uint64_t speed)
{
	struct segment segment = { .data = input, .size = sizeof(input) - 1, .flags = VIEW_END };
	struct bench bench = { .stages = rows[row].stages,
		.memory = "1MiB",
		.buffer = buffer,
		.segments = &segment,
		.segment_count = 1,
		.chunk = chunk,
		.speed = speed };
	bench_run(&bench);
	cr_assert_str_eq(bench.out[0] ? bench.out[0] : "", rows[row].expected,
		"%s, chunks of %zu, buffers of %s, speed %llu", rows[row].stages, chunk, buffer,
		(unsigned long long)speed);
	cr_assert(bench_balances(&bench), "%s", rows[row].stages);
	cr_assert_eq(bench.copied, 0, "%s", rows[row].stages);
	bench_free(&bench);
}

Test(invariance, the_same_comes_out_however_it_is_cut, .timeout = 300)
{
	for (size_t row = 0; row < COUNT(rows); row++)
		for (size_t buffer = 0; buffer < COUNT(buffers); buffer++)
			for (size_t chunk = 0; chunk < COUNT(chunks); chunk++)
				for (size_t speed = 0; speed < COUNT(speeds); speed++)
					run_one(row, chunks[chunk], buffers[buffer], speeds[speed]);
}
