/* Sizes and times: exact both ways. */
#include "config/units.h"

#include <criterion/criterion.h>

struct quantity {
	const char *text;
	uint64_t value;
};

Test(units, sizes)
{
	static const struct quantity good[] = {
		{ "0B", 0 },
		{ "1B", 1 },
		{ "190B", 190 },
		{ "007B", 7 },
		{ "1KB", 1000 },
		{ "1KiB", 1024 },
		{ "1.5KiB", 1536 },
		{ "1.50KB", 1500 },
		{ "0.0009765625KiB", 1 },
		{ "0.000000000931322574615478515625GiB", 1 },
		{ "64MiB", 67108864 },
		{ "2MB", 2000000 },
		{ "3GB", 3000000000 },
		{ "1GiB", 1073741824 },
		{ "18446744073709551615B", UINT64_MAX },
		{ "17179869183GiB", 17179869183ull << 30 },
		{ "1.00000000000000000000000000000000000000000B", 1 },
	};
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		uint64_t bytes = 42;
		cr_expect(size_parse(good[i].text, &bytes), "%s", good[i].text);
		cr_expect_eq(bytes, good[i].value, "%s", good[i].text);
	}
}

Test(units, no_sizes)
{
	static const char *const wrong[] = { "", "B", "1", "1 B", " 1B", "1B ", "1b", "1kB", "1Kb",
		"1kib", "1KIB", "1K", "1TB", "-1B", "+1B", ".5KiB", "1.KiB", "1..5KiB", "1e3B",
		"0.5B", "1.0001KiB", "18446744073709551616B", "17179869184GiB", "0x10B",
		"99999999999999999999999999999999999999999999B", "1s",
		"0.00000000000000000000000000000000001GiB" };
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		uint64_t bytes;
		cr_expect_not(size_parse(wrong[i], &bytes), "%s", wrong[i]);
	}
}

Test(units, times)
{
	static const struct quantity good[] = {
		{ "0s", 0 },
		{ "1ms", 1 },
		{ "1.5s", 1500 },
		{ "0.001s", 1 },
		{ "1m", 60000 },
		{ "0.1m", 6000 },
		{ "2h", 7200000 },
		{ "1d", 86400000 },
		{ "0.5d", 43200000 },
	};
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		uint64_t ms = 42;
		cr_expect(time_parse(good[i].text, &ms), "%s", good[i].text);
		cr_expect_eq(ms, good[i].value, "%s", good[i].text);
	}
	static const char *const wrong[] = { "", "s", "5", "5 s", "5S", "5sec", "5M", "0.5ms",
		"0.0001s", "5us", "1w", "-5s", "1B" };
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		uint64_t ms;
		cr_expect_not(time_parse(wrong[i], &ms), "%s", wrong[i]);
	}
}

Test(units, the_shortest_way_to_write_a_size)
{
	static const struct quantity all[] = { { "0B", 0 }, { "1B", 1 }, { "100B", 100 },
		{ "1KB", 1000 }, { "1KiB", 1024 }, { "1536B", 1536 }, { "64KiB", 65536 },
		{ "64MB", 64000000 }, { "64MiB", 67108864 }, { "1GiB", 1073741824 },
		{ "1GB", 1000000000 }, { "18446744073709551615B", UINT64_MAX } };
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		char text[32];
		cr_expect_str_eq(size_format(all[i].value, text), all[i].text);
	}
}

Test(units, the_shortest_way_to_write_a_time)
{
	static const struct quantity all[] = { { "0s", 0 }, { "1ms", 1 }, { "5s", 5000 },
		{ "1500ms", 1500 }, { "90s", 90000 }, { "1m", 60000 }, { "1h", 3600000 },
		{ "1d", 86400000 }, { "36h", 129600000 } };
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		char text[32];
		cr_expect_str_eq(time_format(all[i].value, text), all[i].text);
	}
}

Test(units, what_is_written_is_read_again)
{
	for (uint64_t value = 1; value < UINT64_MAX / 7; value = value * 7 + 3) {
		char text[32];
		uint64_t again;
		cr_expect(size_parse(size_format(value, text), &again));
		cr_expect_eq(again, value);
		cr_expect(time_parse(time_format(value, text), &again));
		cr_expect_eq(again, value);
	}
}

struct shown {
	double bytes;
	const char *text;
};

Test(units, for_people)
{
	static const struct shown all[] = { { 0, "0 B" }, { 1, "1 B" }, { 999, "999 B" },
		{ 1000, "1.00 KB" }, { 1234, "1.23 KB" }, { 12345, "12.3 KB" },
		{ 123456, "123 KB" }, { 9994, "9.99 KB" }, { 9996, "10.0 KB" }, { 99960, "100 KB" },
		{ 999400, "999 KB" }, { 999600, "1.00 MB" }, { 417e6, "417 MB" },
		{ 1.234e9, "1.23 GB" }, { 1e12, "1.00 TB" }, { 1e15, "1.00 PB" },
		{ 1e18, "1.00 EB" }, { 1e21, "1000 EB" } };
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		char text[32];
		cr_expect_str_eq(bytes_for_people(all[i].bytes, text), all[i].text);
	}
}

Test(units, digits_for_people)
{
	static const char *const all[][2] = { { "0", "0" }, { "12", "12" }, { "999", "999" },
		{ "1000", "1,000" }, { "123456", "123,456" }, { "1234567", "1,234,567" },
		{ "18446744073709551615", "18,446,744,073,709,551,615" }, { "", "" } };
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		char text[32];
		cr_expect_str_eq(digits_for_people(all[i][0], text), all[i][1]);
	}
}
