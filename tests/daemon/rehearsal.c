/* Rehearsals with the real kinds: what comes to sinks that are never opened. */
#include "daemon/rehearsal.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct stage_set {
	struct document document;
	struct faults faults;
	struct plan *plan;
};

static void turn_quotes(char *text)
{
	for (; *text; text++)
		if (*text == '\'')
			*text = '"';
}

static void expect_no_fault(const struct stage_set *set)
{
	for (size_t i = 0; i < set->faults.count; i++) {
		char *text = fault_text(&set->faults.items[i]);
		cr_log_error("%s", text);
		free(text);
	}
	cr_assert_eq(set->faults.count, 0);
}

static void set_up(struct stage_set *set, const char *pipeline, const char *in)
{
	char text[4096];

	*set = (struct stage_set){ 0 };
	snprintf(text, sizeof(text),
		"{'service': {'buffer': '256B'}, 'pipelines': {'p': {%s}},"
		" 'tests': [{'name': 't', 'pipeline': 'p', 'in': %s, 'out': {'to.0': []}}]}",
		pipeline, in);
	turn_quotes(text);
	document_parse(&set->document, "t.json", text, strlen(text), true, &set->faults);
	set->plan = plan_create(&set->document, &set->faults);
	expect_no_fault(set);
	cr_assert(set->plan);
}

static void take_down(struct stage_set *set)
{
	plan_destroy(set->plan);
	document_close(&set->document);
	faults_close(&set->faults);
}

/* What comes to the first sink; datagrams end in `|`. */
static void expect(const char *pipeline, const char *in, const char *due)
{
	struct stage_set set;
	struct rehearsal rehearsal;
	char found[4096] = "";
	size_t size = 0;

	set_up(&set, pipeline, in);
	cr_assert(rehearsal_run(&rehearsal, set.plan, &set.plan->trials[0], &set.faults));
	expect_no_fault(&set);
	const struct gathered *gathered = rehearsal_find(&rehearsal, "p.to.0");
	for (size_t i = 0, end = 0; i <= gathered->size; i++) {
		while (end < gathered->end_count && gathered->ends[end] == i) {
			found[size++] = '|';
			end++;
		}
		if (i < gathered->size)
			found[size++] = gathered->data[i];
	}
	found[size] = '\0';
	cr_expect_str_eq(found, due, "%s with %s gives:\n%s\nnot\n%s", pipeline, in, found, due);
	rehearsal_close(&rehearsal);
	take_down(&set);
}

#define FILTER "'stages': ['split', {'filter': 'ERROR'}]"

Test(rehearsal, chunks_may_end_anywhere)
{
	static const char tcp[] = "'from': {'tcp': ':514'}, " FILTER ", 'to': {'file': 'x'}";

	expect(tcp, "['an ERROR\\n', 'fine\\n', 'ERROR 2\\n']", "an ERROR\nERROR 2\n");
	expect(tcp, "['a','n',' ','E','R','R','O','R','\\n','f\\nERR','OR 2','\\n']",
		"an ERROR\nERROR 2\n");
	expect(tcp, "[]", "");
	expect(tcp, "[{'hex': '4552524f52ff0a'}, 'fine\\n']", "ERROR\xff\n");
}

#define HUNDRED                                                                                    \
	"0123456789012345678901234567890123456789012345678901234567890123456789"                   \
	"012345678901234567890123456789"

Test(rehearsal, a_chunk_may_be_larger_than_a_buffer)
{
	static const char tcp[] = "'from': {'tcp': ':514'}, " FILTER ", 'to': {'file': 'x'}";

	expect(tcp,
		"['" HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED
		" ERROR\\nfine " HUNDRED HUNDRED HUNDRED "\\n']",
		HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED " ERROR\n");
}

Test(rehearsal, the_last_record_ends_as_its_source_lets_it)
{
	expect("'from': {'tcp': ':514'}, " FILTER ", 'to': {'file': 'x'}", "['ERROR']", "ERROR\n");
	expect("'from': {'file': '/nowhere'}, " FILTER ", 'to': {'file': 'x'}", "['ERROR']",
		"ERROR");
}

Test(rehearsal, datagrams_end_records)
{
	expect("'from': {'udp': ':514'}, " FILTER ", 'to': {'file': 'x'}",
		"['an ERR', 'OR', 'ERROR 1', 'ERROR 2\\nERROR 3']", "ERROR 1\nERROR 2\nERROR 3\n");
}

Test(rehearsal, datagrams_come_one_by_one_without_delimiters)
{
	expect("'from': 'stdin', " FILTER ", 'to': {'udp': 'localhost:1'}",
		"['an ERR', 'OR\\nfine\\nERROR 2\\nERROR ', "
		"'0123456789012345678901234567890123456789012345678901234567890123456789']",
		"an ERROR|ERROR 2|ERROR "
		"0123456789012345678901234567890123456789012345678901234567890123456789|");
	expect("'from': 'stdin', 'stages': ['split'], 'to': {'unix': {'connect': '/nowhere', "
	       "'type': 'datagram'}}",
		"['a\\n\\nb\\n']", "a||b|");
}

Test(rehearsal, what_compresses_is_left_out)
{
	expect("'from': 'stdin', " FILTER ", 'to': {'file': 'x', 'stages': ['compress']}",
		"['ERROR\\nfine\\n']", "ERROR\n");
	expect("'from': 'stdin', 'stages': ['split', {'filter': 'ERROR'}, {'compress': 'gzip'}], "
	       "'to': [{'file': 'x'}, {'file': 'y'}]",
		"['ERROR\\nfine\\n']", "ERROR\n");
	expect("'from': 'stdin', 'stages': ['compress'], 'to': {'file': 'x'}", "['any', ' bytes']",
		"any bytes");
}

/* "an ERROR\nfine\n" in gzip. */
Test(rehearsal, what_decompresses_works)
{
	expect("'from': {'file': '/nowhere.gz'}, 'stages': ['decompress', 'split', {'filter': "
	       "'ERROR'}], 'to': {'file': 'x'}",
		"[{'hex': '1f8b08000000000002034bcc53700d0af2'}, {'hex': "
		"'0fe24acbcc4be50200ad3131650e000000'}]",
		"an ERROR\n");
}

Test(rehearsal, timers_pass_at_the_end)
{
	expect("'from': {'tcp': ':514'}, 'stages': [{'split': {'on': 'start', 'start': '^[0-9]', "
	       "'flush_after': '1h'}}], 'to': {'file': 'x'}",
		"['1 a\\n', ' b\\n2 c\\n']", "1 a\n b\n2 c\n");
	expect("'from': {'tcp': ':514'}, 'stages': [{'split': {'on': 'start', 'start': '^[0-9]', "
	       "'flush_after': '1ms'}}, {'filter': 'b'}], 'to': {'file': 'x'}",
		"['1 a\\n', ' b\\n2 c\\n']", "1 a\n b\n");
}

Test(rehearsal, a_stream_that_is_refused_gives_nothing_more)
{
	expect("'from': {'tcp': ':514'}, 'stages': [{'split': 'netstring'}, {'join': 'newline'}], "
	       "'to': {'file': 'x'}",
		"['3:abc,', 'x', '3:def,']", "abc\n");
}

Test(rehearsal, every_source_gives_its_own)
{
	expect("'from': [{'tcp': ':514'}, {'tcp': ':515'}, {'udp': ':516'}], " FILTER
	       ", 'to': {'file': 'x'}",
		"{'p.from.1': ['an ERR', 'OR\\n'], 'from.2': ['no', 'fine']}", "an ERROR\n");
}

Test(rehearsal, a_branch_that_drops_loses_nothing)
{
	expect("'from': 'stdin', 'stages': ['split'], 'to': [{'tcp': 'localhost:1', 'when_full': "
	       "'drop'}, {'file': 'x'}]",
		"['1\\n2\\n', '3\\n']", "1\n2\n3\n");
}

Test(rehearsal, one_shard_is_played)
{
	expect("'shards': 2, 'from': {'tcp': ':514'}, " FILTER ", 'to': {'file': 'x.{shard}'}",
		"['ERROR\\n']", "ERROR\n");
}
