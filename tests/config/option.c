/* Options: every type, its default, its faults. */
#include "config/option.h"

#include "tests/config/example.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const struct example_wrong wrongs[] = {
	{ "[1]", 1, 2, "/0", "a string or {'hex': …} is due for 'contains', not a number",
		"write 'ERROR'" },
	{ "null", 1, 1, "",
		"an object of options, or its 'contains' alone, is due for filter, not null",
		"write 'ERROR' or {'contains': 'ERROR'}" },
	{ "true", 1, 1, "",
		"an object of options, or its 'contains' alone, is due for filter, not a boolean",
		"write 'ERROR' or {'contains': 'ERROR'}" },
	{ "5", 1, 1, "",
		"an object of options, or its 'contains' alone, is due for filter, not a number",
		"write 'ERROR' or {'contains': 'ERROR'}" },
	{ "{'contain':'x'}", 1, 2, "/contain", "unknown key 'contain' in filter",
		"write 'contains'" },
	{ "{'grep':'x'}", 1, 2, "/grep", "unknown key 'grep' in filter", "write 'contains'" },
	{ "{'zzzzzzzzz':1}", 1, 2, "/zzzzzzzzz", "unknown key 'zzzzzzzzz' in filter",
		"known here: 'contains', 'flag', 'careful', 'count', 'any_count', 'size', 'wait', "
		"'on', 'path', 'label', 'delimiter', 'mark', 'exclude', 'listen', 'connect', "
		"'retry', 'not' or 'any'" },
	{ "{'Contains':'x'}", 1, 2, "/Contains", "unknown key 'Contains' in filter",
		"write 'contains'" },
	{ "{'ignore':'x'}", 1, 2, "/ignore", "unknown key 'ignore' in filter", "write 'exclude'" },
	{ "{'flag':'true'}", 1, 9, "/flag", "true or false is due for 'flag', not a string",
		"write true" },
	{ "{'flag':1}", 1, 9, "/flag", "true or false is due for 'flag', not a number",
		"write true" },
	{ "{'flag':'yes'}", 1, 9, "/flag", "true or false is due for 'flag', not a string",
		"write true" },
	{ "{'flag':'no'}", 1, 9, "/flag", "true or false is due for 'flag', not a string",
		"write false" },
	{ "{'flag':0}", 1, 9, "/flag", "true or false is due for 'flag', not a number",
		"write false" },
	{ "{'flag':'maybe'}", 1, 9, "/flag", "true or false is due for 'flag', not a string",
		"write true" },
	{ "{'flag':null}", 1, 9, "/flag", "true or false is due for 'flag', not null",
		"leave it out, or write true" },
	{ "{'flag':'${WORD}'}", 1, 9, "/flag", "true or false is due for 'flag', not 'word'",
		"set it to true or false" },
	{ "{'count':'5'}", 1, 10, "/count", "a whole number is due for 'count', not a string",
		"write 5" },
	{ "{'count':'five'}", 1, 10, "/count", "a whole number is due for 'count', not a string",
		"write 3" },
	{ "{'count':'${WORD}'}", 1, 10, "/count", "a whole number is due for 'count', not 'word'",
		"set it to a whole number" },
	{ "{'count':1.5}", 1, 10, "/count", "a whole number is due for 'count', not 1.5",
		"write it without fraction or exponent" },
	{ "{'count':1e1}", 1, 10, "/count", "a whole number is due for 'count', not 1e1",
		"write 10" },
	{ "{'count':2.0}", 1, 10, "/count", "a whole number is due for 'count', not 2.0",
		"write 2" },
	{ "{'count':0}", 1, 10, "/count", "'count' must be at least 1, not 0", "write 1" },
	{ "{'count':20}", 1, 10, "/count", "'count' must be at most 19, not 20", "write 19" },
	{ "{'count':-1}", 1, 10, "/count", "'count' must be at least 1, not -1", "write 1" },
	{ "{'any_count':-1}", 1, 14, "/any_count", "'any_count' must be at least 0, not -1",
		"write 0" },
	{ "{'any_count':18446744073709551616}", 1, 14, "/any_count",
		"'any_count' must be at most 18446744073709551615, not 18446744073709551616",
		"write 18446744073709551615" },
	{ "{'any_count':99999999999999999999999}", 1, 14, "/any_count",
		"'any_count' must be at most 18446744073709551615, not 99999999999999999999999",
		"write 18446744073709551615" },
	{ "{'count':true}", 1, 10, "/count", "a whole number is due for 'count', not a boolean",
		"write 3" },
	{ "{'count':[1]}", 1, 10, "/count", "a whole number is due for 'count', not a list",
		"write 3" },
	{ "{'size':65536}", 1, 9, "/size",
		"'size' has no unit: one of B KB MB GB KiB MiB GiB is due", "write '64KiB'" },
	{ "{'size':'65536'}", 1, 9, "/size",
		"'size' has no unit: one of B KB MB GB KiB MiB GiB is due", "write '64KiB'" },
	{ "{'size':1000000}", 1, 9, "/size",
		"'size' has no unit: one of B KB MB GB KiB MiB GiB is due", "write '1MB'" },
	{ "{'size':1.5}", 1, 9, "/size",
		"1.5 is no size for 'size': a number and one of B KB MB GB KiB MiB GiB is due",
		"write it as in '64KiB'" },
	{ "{'size':-1}", 1, 9, "/size", "'size' must be at least 16B, not -1", "write '16B'" },
	{ "{'size':'64kib'}", 1, 9, "/size",
		"'64kib' is no size for 'size': a number and one of B KB MB GB KiB MiB GiB is due",
		"write '64KiB'" },
	{ "{'size':'64K'}", 1, 9, "/size",
		"'64K' is no size for 'size': a number and one of B KB MB GB KiB MiB GiB is due",
		"write '64KiB'" },
	{ "{'size':'64 KiB'}", 1, 9, "/size",
		"'64 KiB' is no size for 'size': a number and one of B KB MB GB KiB MiB GiB is due",
		"write '64KiB'" },
	{ "{'size':'64mb'}", 1, 9, "/size",
		"'64mb' is no size for 'size': a number and one of B KB MB GB KiB MiB GiB is due",
		"write '64MB'" },
	{ "{'size':'big'}", 1, 9, "/size",
		"'big' is no size for 'size': a number and one of B KB MB GB KiB MiB GiB is due",
		"write it as in '64KiB'" },
	{ "{'size':''}", 1, 9, "/size",
		"'' is no size for 'size': a number and one of B KB MB GB KiB MiB GiB is due",
		"write it as in '64KiB'" },
	{ "{'size':'1.3B'}", 1, 9, "/size",
		"'1.3B' is no size for 'size': a number and one of B KB MB GB KiB MiB GiB is due",
		"write it as in '64KiB'" },
	{ "{'size':'8B'}", 1, 9, "/size", "'size' must be at least 16B, not 8B", "write '16B'" },
	{ "{'size':'2MiB'}", 1, 9, "/size", "'size' must be at most 1MiB, not 2MiB",
		"write '1MiB'" },
	{ "{'size':'99999999999999999999GiB'}", 1, 9, "/size",
		"'99999999999999999999GiB' is no size for 'size': a number and one of B KB MB GB "
		"KiB MiB GiB is due",
		"write it as in '64KiB'" },
	{ "{'size':true}", 1, 9, "/size", "a size is due for 'size', not a boolean",
		"write '64KiB'" },
	{ "{'size':'${NUMBER}'}", 1, 9, "/size",
		"'size' has no unit: one of B KB MB GB KiB MiB GiB is due", "write '64KiB'" },
	{ "{'wait':5000}", 1, 9, "/wait", "'wait' has no unit: one of ms s m h d is due",
		"write '5s'" },
	{ "{'wait':'5000'}", 1, 9, "/wait", "'wait' has no unit: one of ms s m h d is due",
		"write '5s'" },
	{ "{'wait':5}", 1, 9, "/wait", "'wait' has no unit: one of ms s m h d is due",
		"write '5s' or '5ms'" },
	{ "{'wait':'5S'}", 1, 9, "/wait",
		"'5S' is no time for 'wait': a number and one of ms s m h d is due", "write '5s'" },
	{ "{'wait':'5 sec'}", 1, 9, "/wait",
		"'5 sec' is no time for 'wait': a number and one of ms s m h d is due",
		"write '5s'" },
	{ "{'wait':'1.5 minutes'}", 1, 9, "/wait",
		"'1.5 minutes' is no time for 'wait': a number and one of ms s m h d is due",
		"write '1.5m'" },
	{ "{'wait':'2h'}", 1, 9, "/wait", "'wait' must be at most 1h, not 2h", "write '1h'" },
	{ "{'wait':'0.5ms'}", 1, 9, "/wait",
		"'0.5ms' is no time for 'wait': a number and one of ms s m h d is due",
		"write it as in '5s'" },
	{ "{'wait':{}}", 1, 9, "/wait", "a time is due for 'wait', not an object", "write '5s'" },
	{ "{'on':'newlines'}", 1, 7, "/on",
		"'newlines' is no choice for 'on': it may be 'newline', 'delimiter', 'nul' or "
		"'octets'",
		"write 'newline'" },
	{ "{'on':'octet_counting'}", 1, 7, "/on",
		"'octet_counting' is no choice for 'on': it may be 'newline', 'delimiter', 'nul' "
		"or 'octets'",
		"write 'octets'" },
	{ "{'on':'newline_delimited'}", 1, 7, "/on",
		"'newline_delimited' is no choice for 'on': it may be 'newline', 'delimiter', "
		"'nul' or 'octets'",
		"write 'newline'" },
	{ "{'on':'NUL'}", 1, 7, "/on",
		"'NUL' is no choice for 'on': it may be 'newline', 'delimiter', 'nul' or 'octets'",
		"write 'nul'" },
	{ "{'on':'csv'}", 1, 7, "/on",
		"'csv' is no choice for 'on': it may be 'newline', 'delimiter', 'nul' or 'octets'",
		"write 'newline', 'delimiter', 'nul' or 'octets'" },
	{ "{'on':5}", 1, 7, "/on", "a string is due for 'on', not a number", "write 'newline'" },
	{ "{'path':5}", 1, 9, "/path", "a string is due for 'path', not a number",
		"write 'out.log'" },
	{ "{'path':''}", 1, 9, "/path", "an empty string for 'path'", "write at least one byte" },
	{ "{'path':['a','b']}", 1, 9, "/path", "a string is due for 'path', not a list",
		"write 'out.log'" },
	{ "{'label':true}", 1, 10, "/label", "a string is due for 'label', not a boolean",
		"write 'text'" },
	{ "{'delimiter':''}", 1, 14, "/delimiter", "an empty string for 'delimiter'",
		"write at least one byte" },
	{ "{'delimiter':5}", 1, 14, "/delimiter",
		"a string or {'hex': …} is due for 'delimiter', not a number", "write 'text'" },
	{ "{'delimiter':['a']}", 1, 14, "/delimiter",
		"a string or {'hex': …} is due for 'delimiter', not a list", "write 'text'" },
	{ "{'delimiter':{'hex':''}}", 1, 21, "/delimiter/hex",
		"'' is not in hexadecimal digits, two a byte",
		"write two hexadecimal digits a byte: {'hex': '0d0a'}" },
	{ "{'delimiter':{'hex':'0d0'}}", 1, 21, "/delimiter/hex",
		"'0d0' is not in hexadecimal digits, two a byte",
		"write two hexadecimal digits a byte: {'hex': '0d0a'}" },
	{ "{'delimiter':{'hex':'zz'}}", 1, 21, "/delimiter/hex",
		"'zz' is not in hexadecimal digits, two a byte",
		"write two hexadecimal digits a byte: {'hex': '0d0a'}" },
	{ "{'delimiter':{'hex':'0x0d'}}", 1, 21, "/delimiter/hex",
		"'0x0d' is not in hexadecimal digits, two a byte", "write '0d'" },
	{ "{'delimiter':{'hex':13}}", 1, 21, "/delimiter/hex",
		"a string is due for 'hex', not a number", "write {'hex': '0d0a'}" },
	{ "{'delimiter':{'hex':'0d','more':1}}", 1, 26, "/delimiter/more",
		"unknown key 'more' in {'hex': …}", "known here: 'hex'" },
	{ "{'delimiter':{'hax':'0d'}}", 1, 14, "/delimiter",
		"a string or {'hex': …} is due for 'delimiter', not an object", "write 'text'" },
	{ "{'contains':''}", 1, 13, "/contains", "an empty string for 'contains'",
		"write at least one byte" },
	{ "{'contains':[]}", 1, 13, "/contains", "an empty list for 'contains'",
		"write at least one" },
	{ "{'contains':['a','']}", 1, 18, "/contains/1", "an empty string for 'contains'",
		"write at least one byte" },
	{ "{'contains':['a',{'hex':'1'}]}", 1, 25, "/contains/1/hex",
		"'1' is not in hexadecimal digits, two a byte",
		"write two hexadecimal digits a byte: {'hex': '0d0a'}" },
	{ "{'contains':['a',['b']]}", 1, 18, "/contains/1",
		"a string or {'hex': …} is due for 'contains', not a list", "write 'ERROR'" },
	{ "{'contains':{}}", 1, 13, "/contains",
		"a string, {'hex': …}, {'$lines': …} or a list is due for 'contains', not an "
		"object",
		"write 'ERROR'" },
	{ "{'contains':{'$lines':'nonexistent.txt'}}", 1, 23, "/contains/$lines",
		"cannot read tests/config/data/nonexistent.txt: No such file or directory",
		"name a file that can be read" },
	{ "{'contains':{'$lines':'empty.txt'}}", 1, 23, "/contains/$lines",
		"there is no line in tests/config/data/empty.txt", "write one a line" },
	{ "{'contains':{'$lines':5}}", 1, 23, "/contains/$lines",
		"a file`s path is due for '$lines', not a number",
		"write {'$lines': 'patterns.txt'}" },
	{ "{'contains':{'$lines':'x','hex':'00'}}", 1, 27, "/contains/hex",
		"unknown key 'hex' in {'$lines': …}", "known here: '$lines'" },
	{ "{'exclude':[]}", 1, 12, "/exclude", "an empty list for 'exclude'",
		"write at least one" },
	{ "{'exclude':['a',5]}", 1, 17, "/exclude/1",
		"a string or a list of strings is due for 'exclude', not a number",
		"write '*.gz'" },
	{ "{'exclude':{}}", 1, 12, "/exclude",
		"a string or a list of strings is due for 'exclude', not an object",
		"write '*.gz'" },
	{ "{'connect':'127.0.0.1'}", 1, 12, "/connect", "'127.0.0.1' for 'connect' has no port",
		"write '127.0.0.1:5140'" },
	{ "{'connect':'127.0.0.1:'}", 1, 12, "/connect", "'127.0.0.1:' for 'connect' has no port",
		"write '127.0.0.1:5140'" },
	{ "{'connect':'127.0.0.1:x'}", 1, 12, "/connect",
		"'127.0.0.1:x' for 'connect' has no port from 1 to 65535",
		"write a port from 1 to 65535" },
	{ "{'connect':'127.0.0.1:65536'}", 1, 12, "/connect",
		"'127.0.0.1:65536' for 'connect' has no port from 1 to 65535",
		"write a port from 1 to 65535" },
	{ "{'connect':'127.0.0.1:0'}", 1, 12, "/connect",
		"'127.0.0.1:0' for 'connect' has no port from 1 to 65535",
		"write a port from 1 to 65535" },
	{ "{'connect':'256.0.0.1:514'}", 1, 12, "/connect",
		"'256.0.0.1:514' for 'connect' has no host`s name or address",
		"write a host`s name, an IPv4 address, or an IPv6 address in brackets" },
	{ "{'connect':':514'}", 1, 12, "/connect", "':514' for 'connect' has no host",
		"write '127.0.0.1:514'" },
	{ "{'connect':'514'}", 1, 12, "/connect", "'514' for 'connect' has no host",
		"write '127.0.0.1:514'" },
	{ "{'connect':514}", 1, 12, "/connect", "an address is due for 'connect', not a number",
		"write '127.0.0.1:514'" },
	{ "{'connect':'::1:514'}", 1, 12, "/connect",
		"'::1:514' for 'connect' is an IPv6 address without brackets",
		"write '[::1]:514'" },
	{ "{'connect':'fe80::1'}", 1, 12, "/connect",
		"'fe80::1' for 'connect' is an IPv6 address without brackets",
		"write '[fe80::1]:5140'" },
	{ "{'connect':'[::1]'}", 1, 12, "/connect", "'[::1]' for 'connect' has no port",
		"write '[::1]:5140'" },
	{ "{'connect':'[::1'}", 1, 12, "/connect", "'[::1' for 'connect' has no closing bracket",
		"write '[::1]:5140'" },
	{ "{'connect':'[x]:1'}", 1, 12, "/connect", "'[x]:1' for 'connect' is no IPv6 address",
		"write an IPv6 address in the brackets" },
	{ "{'connect':'tcp://relay:514'}", 1, 12, "/connect",
		"'tcp://relay:514' for 'connect' has a scheme: an address is a host and a port",
		"write 'relay:514'" },
	{ "{'connect':'a:b:1'}", 1, 12, "/connect", "'a:b:1' for 'connect' is no host and port",
		"write '127.0.0.1:5140' or '[::1]:5140'" },
	{ "{'connect':'my host:1'}", 1, 12, "/connect",
		"'my host:1' for 'connect' has no host`s name or address",
		"write a host`s name, an IPv4 address, or an IPv6 address in brackets" },
	{ "{'connect':''}", 1, 12, "/connect", "'' for 'connect' has no port",
		"write '127.0.0.1:5140'" },
	{ "{'connect':null}", 1, 12, "/connect", "an address is due for 'connect', not null",
		"leave it out, or write '127.0.0.1:5140'" },
	{ "{'listen':514}", 1, 11, "/listen", "an address is due for 'listen', not a number",
		"write ':514'" },
	{ "{'listen':'*:514'}", 1, 11, "/listen",
		"'*:514' for 'listen' has no host`s name or address", "write ':514'" },
	{ "{'listen':'514'}", 1, 11, "/listen", "'514' for 'listen' has no host", "write ':514'" },
	{ "{'listen':'systemd:'}", 1, 11, "/listen",
		"'systemd:' for 'listen' names no socket that the service manager could pass",
		"write 'systemd:' and the FileDescriptorName= of the .socket unit" },
	{ "{'listen':'systemd:a:b'}", 1, 11, "/listen",
		"'systemd:a:b' for 'listen' names no socket that the service manager could pass",
		"write 'systemd:' and the FileDescriptorName= of the .socket unit" },
	{ "{'retry':5}", 1, 10, "/retry", "an object of options is due for retry, not a number",
		"write {'first': '100ms'}" },
	{ "{'retry':{'first':5}}", 1, 19, "/retry/first",
		"'first' has no unit: one of ms s m h d is due", "write '5s' or '5ms'" },
	{ "{'retry':{'initial':'5s'}}", 1, 11, "/retry/initial", "unknown key 'initial' in retry",
		"write 'first'" },
	{ "{'retry':{'most':'10ms'}}", 1, 18, "/retry/most", "'most' must be at least 1s, not 10ms",
		"write '1s'" },
	{ "{'not':5}", 1, 8, "/not",
		"an object of options, or its 'contains' alone, is due for filter, not a number",
		"write 'ERROR' or {'contains': 'ERROR'}" },
	{ "{'not':{'contian':'x'}}", 1, 9, "/not/contian", "unknown key 'contian' in filter",
		"write 'contains'" },
	{ "{'not':{'not':{'not':{'on':'x'}}}}", 1, 28, "/not/not/not/on",
		"'x' is no choice for 'on': it may be 'newline', 'delimiter', 'nul' or 'octets'",
		"write 'newline', 'delimiter', 'nul' or 'octets'" },
	{ "{'any':'x'}", 1, 8, "/any", "a list is due for 'any', not a string",
		"write [ before it and ] behind it" },
	{ "{'any':[]}", 1, 8, "/any", "an empty list for 'any'", "write at least one" },
	{ "{'any':['x',5]}", 1, 13, "/any/1",
		"an object of options, or its 'contains' alone, is due for filter, not a number",
		"write 'ERROR' or {'contains': 'ERROR'}" },
	{ "{'any':[{'flag':1}]}", 1, 17, "/any/0/flag",
		"true or false is due for 'flag', not a number", "write true" },
	{ "{'host':'x'}", 1, 2, "/host", "unknown key 'host' in filter", "write 'connect'" },
	{ "{'ip':'x'}", 1, 2, "/ip", "unknown key 'ip' in filter", "write 'listen'" },
};

static void expect_wrong(const struct example_wrong *wrong)
{
	struct faults faults = { 0 };
	struct document document;
	struct example state;
	cr_assert(example_parse(&document, wrong->json, true, &faults), "%s", wrong->json);
	cr_expect_not(options_read(example_options, document.root, "filter", &state, &faults));
	example_expect(&faults, wrong);
	faults_close(&faults);
	document_close(&document);
}

Test(option, wrong_values)
{
	setenv("WORD", "word", 1);
	setenv("NUMBER", "65536", 1);
	for (size_t i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++)
		expect_wrong(&wrongs[i]);
}

/* A document with its options; closed with close_read(). */
struct reading {
	struct faults faults;
	struct document document;
	struct example state;
};

static void read_good(struct reading *reading, const char *text, bool resolve)
{
	memset(reading, 0, sizeof(*reading));
	memset(&reading->state, 0xa5, sizeof(reading->state));
	cr_assert(example_parse(&reading->document, text, resolve, &reading->faults), "%s", text);
	bool good = options_read(example_options, reading->document.root, "filter", &reading->state,
		&reading->faults);
	for (size_t i = 0; i < reading->faults.count; i++)
		cr_expect_fail("%s: %s", text, reading->faults.items[i].message);
	cr_expect(good, "%s", text);
}

static void close_read(struct reading *reading)
{
	faults_close(&reading->faults);
	document_close(&reading->document);
}

static void expect_defaults(const struct example *state)
{
	cr_expect_eq(state->contains.count, 0);
	cr_expect(state->flag && !state->careful);
	cr_expect_eq(state->count, 3);
	cr_expect_eq(state->any_count, 0);
	cr_expect_eq(state->size, 65536);
	cr_expect_eq(state->wait, 5000);
	cr_expect_eq(state->on, 0);
	cr_expect_str_eq(state->path, "out.log");
	cr_expect_null(state->label);
	cr_expect_eq(state->delimiter.size, 0);
	cr_expect_eq(state->mark.size, 2);
	cr_expect_eq(strncmp(state->mark.data, "--", 2), 0);
	cr_assert_eq(state->exclude.count, 1);
	cr_expect_str_eq(state->exclude.items[0], "*.gz");
	cr_expect_null(state->listen.text);
	cr_expect_eq(state->retry.first, 100);
	cr_expect_eq(state->retry.most, 30000);
	cr_expect_null(state->not );
	cr_expect_eq(state->any.count, 0);
}

Test(option, defaults)
{
	struct reading reading;
	read_good(&reading, "{}", true);
	expect_defaults(&reading.state);
	close_read(&reading);
	struct faults faults = { 0 };
	struct example state;
	memset(&state, 0xa5, sizeof(state));
	cr_expect(options_read(example_options, NULL, "filter", &state, &faults));
	expect_defaults(&state);
}

Test(option, scalars)
{
	struct reading reading;
	read_good(&reading,
		"{'flag': false, 'careful': true, 'count': 19, 'any_count': 18446744073709551615,"
		" 'size': '1.5KiB', 'wait': '0.5m', 'on': 'octets', 'path': 'x y', 'label': '',"
		" 'retry': {'first': '1h'}}",
		true);
	const struct example *state = &reading.state;
	cr_expect(!state->flag && state->careful);
	cr_expect_eq(state->count, 19);
	cr_expect_eq(state->any_count, UINT64_MAX);
	cr_expect_eq(state->size, 1536);
	cr_expect_eq(state->wait, 30000);
	cr_expect_eq(state->on, 3);
	cr_expect_str_eq(state->path, "x y");
	cr_expect_str_eq(state->label, "");
	cr_expect_eq(state->retry.first, 3600000);
	cr_expect_eq(state->retry.most, 30000);
	close_read(&reading);
}

Test(option, strings_replace_the_default)
{
	struct reading reading;
	read_good(&reading, "{'exclude': ['a', 'b', 'c']}", true);
	cr_assert_eq(reading.state.exclude.count, 3);
	cr_expect_str_eq(reading.state.exclude.items[0], "a");
	cr_expect_str_eq(reading.state.exclude.items[2], "c");
	close_read(&reading);
	read_good(&reading, "{'exclude': 'a'}", true);
	cr_assert_eq(reading.state.exclude.count, 1);
	cr_expect_str_eq(reading.state.exclude.items[0], "a");
	close_read(&reading);
}

Test(option, variables_become_the_type_that_is_due)
{
	setenv("FLAG", "false", 1);
	setenv("N", "7", 1);
	setenv("SIZE", "64KiB", 1);
	setenv("ON", "nul", 1);
	setenv("RELAY", "[::1]:514", 1);
	struct reading reading;
	read_good(&reading,
		"{'flag': '${FLAG}', 'count': '${N}', 'size': '${SIZE}', 'wait': '${N}s', 'on': "
		"'${ON}',"
		" 'label': '${N}', 'connect': '${RELAY}', 'contains': '${N}'}",
		true);
	const struct example *state = &reading.state;
	cr_expect_not(state->flag);
	cr_expect_eq(state->count, 7);
	cr_expect_eq(state->size, 65536);
	cr_expect_eq(state->wait, 7000);
	cr_expect_eq(state->on, 2);
	cr_expect_str_eq(state->label, "7");
	cr_expect_eq(state->connect.port, 514);
	cr_expect_eq(state->contains.count, 1);
	close_read(&reading);
}

Test(option, unresolved_values_are_accepted_everywhere)
{
	struct reading reading;
	read_good(&reading,
		"{'flag': '${A}', 'careful': '${A}b', 'count': '${A}', 'any_count': {'$file': 'x'},"
		" 'size': '${A}', 'wait': {'$credential': 'x'}, 'on': '${A}', 'path': '${A}/x',"
		" 'label': {'$file': 'x'}, 'delimiter': '${A}', 'mark': {'hex': '${A}'},"
		" 'contains': [{'$file': 'x'}, '${A}', {'hex': {'$file': 'x'}}], 'exclude': "
		"['${A}'],"
		" 'listen': '${A}', 'connect': ':${A}', 'retry': '${A}', 'not': '${A}', 'any': "
		"'${A}'}",
		false);
	const struct example *state = &reading.state;
	cr_expect(state->flag);
	cr_expect_eq(state->count, 3);
	cr_expect_eq(state->size, 65536);
	cr_expect_str_eq(state->path, "${A}/x");
	cr_expect_eq(state->contains.count, 3);
	cr_expect_gt(state->contains.items[0].size, 0);
	cr_expect_eq(state->exclude.count, 1);
	cr_expect_str_eq(state->listen.text, "${A}");
	cr_expect_str_eq(state->listen.host, "");
	cr_expect_eq(state->listen.port, 0);
	cr_expect_eq(state->retry.first, 100);
	close_read(&reading);
	read_good(&reading, "{'contains': {'$lines': '${A}'}, 'exclude': '${A}'}", false);
	cr_expect_eq(reading.state.contains.count, 1);
	cr_expect_str_eq(reading.state.exclude.items[0], "${A}");
	close_read(&reading);
	read_good(&reading, "'${A}'", false);
	cr_expect_eq(reading.state.contains.count, 1);
	close_read(&reading);
}

Test(option, the_primary_option_stands_alone)
{
	struct reading reading;
	read_good(&reading, "'ERROR'", true);
	cr_assert_eq(reading.state.contains.count, 1);
	cr_expect_eq(reading.state.contains.items[0].value, reading.document.root);
	cr_expect_eq(reading.state.count, 3);
	close_read(&reading);
	read_good(&reading, "['a', {'hex': '00'}]", true);
	cr_expect_eq(reading.state.contains.count, 2);
	close_read(&reading);
	read_good(&reading, "{'hex': 'FF00'}", true);
	cr_assert_eq(reading.state.contains.count, 1);
	cr_expect_eq(reading.state.contains.items[0].size, 2);
	cr_expect_eq(strncmp(reading.state.contains.items[0].data, "\xff", 2), 0);
	close_read(&reading);
	read_good(&reading, "{'$lines': 'patterns.txt'}", true);
	cr_expect_eq(reading.state.contains.count, 3);
	close_read(&reading);
}

Test(option, trees)
{
	struct reading reading;
	read_good(&reading,
		"{'any': ['a', {'not': {'contains': ['b', 'c'], 'count': 4}}, {'hex': '00'}],"
		" 'not': {'not': 'd'}}",
		true);
	const struct example *state = &reading.state, *items = state->any.items;
	cr_assert_eq(state->any.count, 3);
	cr_expect_eq(items[0].contains.count, 1);
	cr_expect_eq(items[0].count, 3);
	const struct example *inner = items[1].not ;
	cr_assert_not_null(inner);
	cr_expect_eq(inner->contains.count, 2);
	cr_expect_eq(inner->count, 4);
	cr_expect_eq(items[2].contains.items[0].size, 1);
	const struct example *outer = state->not ;
	cr_assert_not_null(outer->not );
	close_read(&reading);
}

struct example_address {
	const char *json, *host;
	uint16_t port;
};

Test(option, addresses)
{
	static const struct example_address all[] = {
		{ "{'listen': '127.0.0.1:514'}", "127.0.0.1", 514 },
		{ "{'listen': ':514'}", "", 514 },
		{ "{'listen': ':0'}", "", 0 },
		{ "{'listen': '[::]:65535'}", "::", 65535 },
		{ "{'listen': '[fe80::1%eth0]:1'}", "fe80::1%eth0", 1 },
		{ "{'listen': 'relay-1.example_x.com:514'}", "relay-1.example_x.com", 514 },
		{ "{'listen': 'localhost:00514'}", "localhost", 514 },
	};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct reading reading;
		read_good(&reading, all[i].json, true);
		cr_expect_str_eq(reading.state.listen.host, all[i].host);
		cr_expect_eq(reading.state.listen.port, all[i].port);
		close_read(&reading);
	}
}

Test(option, names_of_passed_sockets)
{
	struct reading reading;
	read_good(&reading, "{'listen': 'systemd:syslog.tcp-1'}", true);
	cr_expect_str_eq(reading.state.listen.passed, "syslog.tcp-1");
	cr_expect_str_eq(reading.state.listen.text, "systemd:syslog.tcp-1");
	close_read(&reading);
	read_good(&reading, "{'listen': '127.0.0.1:1', 'connect': 'systemd:514'}", true);
	cr_expect_null(reading.state.listen.passed);
	cr_expect_str_eq(reading.state.connect.host, "systemd");
	close_read(&reading);
}

Test(option, lines_of_a_file)
{
	static const char *const lines[] = { "ERROR", "warn \r", "last" };
	struct reading reading;
	read_good(&reading, "{'contains': {'//': 'x', '$lines': 'patterns.txt'}}", true);
	cr_assert_eq(reading.state.contains.count, 3);
	for (size_t i = 0; i < 3; i++) {
		const struct bytes *bytes = &reading.state.contains.items[i];
		cr_expect_eq(bytes->size, strlen(lines[i]));
		cr_expect_eq(strncmp(bytes->data, lines[i], bytes->size), 0);
	}
	close_read(&reading);
}

static const struct example_wrong missing[] = {
	{ "{}", 1, 1, "", "'listen' is missing in tcp", "add 'listen': '127.0.0.1:5140'" },
	{ "{'max_connections': 5}", 1, 1, "", "'listen' is missing in tcp",
		"add 'listen': '127.0.0.1:5140'" },
	{ "{'address': ':1', 'listen': ':2'}", 1, 2, "/address", "unknown key 'address' in tcp",
		"write 'listen'" },
	{ "[]", 1, 1, "", "an object of options, or its 'listen' alone, is due for tcp, not a list",
		"write '127.0.0.1:5140' or {'listen': '127.0.0.1:5140'}" },
	{ "{'hex': '00', 'listen': ':1'}", 1, 2, "/hex", "unknown key 'hex' in tcp",
		"known here: 'listen' or 'max_connections'" },
};

Test(option, required)
{
	for (size_t i = 0; i < sizeof(missing) / sizeof(missing[0]); i++) {
		struct faults faults = { 0 };
		struct document document;
		struct example_tcp state;
		cr_assert(example_parse(&document, missing[i].json, true, &faults));
		cr_expect_not(
			options_read(example_tcp_options, document.root, "tcp", &state, &faults));
		example_expect(&faults, &missing[i]);
		faults_close(&faults);
		document_close(&document);
	}
}

Test(option, required_without_a_value_has_no_place)
{
	struct faults faults = { 0 };
	struct example_tcp state;
	cr_expect_not(options_read(example_tcp_options, NULL, "tcp", &state, &faults));
	cr_assert_eq(faults.count, 1);
	cr_expect_null(faults.items[0].file);
	cr_expect_eq(state.max_connections, 1024);
	faults_close(&faults);
}

Test(option, a_required_primary_stands_alone)
{
	struct faults faults = { 0 };
	struct document document;
	struct example_tcp state;
	cr_assert(example_parse(&document, "':514'", true, &faults));
	cr_expect(options_read(example_tcp_options, document.root, "tcp", &state, &faults));
	cr_expect_eq(state.listen.port, 514);
	document_close(&document);
}

Test(option, members_beside_are_the_callers)
{
	static const char *const extra[] = { "from", "stages", "to", NULL };
	struct faults faults = { 0 };
	struct document document;
	struct example_retry state;
	cr_assert(example_parse(&document, "{'from': 1, 'first': '1s', 'to': 2}", true, &faults));
	cr_expect(options_read_beside(
		example_retry_options, extra, document.root, "a pipeline", &state, &faults));
	cr_expect_eq(state.first, 1000);
	document_close(&document);
	cr_assert(example_parse(&document, "{'sinks': 1}", true, &faults));
	cr_expect_not(options_read_beside(
		example_retry_options, extra, document.root, "a pipeline", &state, &faults));
	static const struct example_wrong unknown = { "{'sinks': 1}", 1, 2, "/sinks",
		"unknown key 'sinks' in a pipeline", "write 'to'" };
	example_expect(&faults, &unknown);
	faults_close(&faults);
	document_close(&document);
}

Test(option, a_kind_without_options_takes_none)
{
	struct faults faults = { 0 };
	struct document document;
	int state;
	cr_assert(example_parse(&document, "{'x': 1}", true, &faults));
	cr_expect_not(options_read(NULL, document.root, "stdin", &state, &faults));
	static const struct example_wrong unknown = { "{'x': 1}", 1, 2, "/x",
		"unknown key 'x' in stdin", "leave it out: there are no keys here" };
	example_expect(&faults, &unknown);
	faults_close(&faults);
	document_close(&document);
}

Test(option, where_an_option_stands)
{
	struct reading reading;
	read_good(&reading, "{'count': 5}", true);
	const struct value *root = reading.document.root;
	cr_expect_eq(option_value(example_options, root, "count"), root->first);
	cr_expect_eq(option_value(example_options, root, "size"), root);
	close_read(&reading);
	read_good(&reading, "'x'", true);
	root = reading.document.root;
	cr_expect_eq(option_value(example_options, root, "contains"), root);
	close_read(&reading);
}

Test(option, all_faults_of_a_file_in_its_order)
{
	struct faults faults = { 0 };
	struct document document;
	struct example state;
	unsetenv("UNSET");
	cr_expect_not(example_parse(&document,
		"{'x': 1,\n 'count': 0,\n 'count': 5,\n 'label': '${UNSET}',\n 'path': '\\u0000'}",
		true, &faults));
	cr_expect_not(options_read(example_options, document.root, "filter", &state, &faults));
	faults_sort(&faults);
	cr_assert_eq(faults.count, 5);
	for (uint32_t i = 0; i < 5; i++)
		cr_expect_eq(faults.items[i].line, i + 1);
	faults_close(&faults);
	document_close(&document);
}

struct relay {
	struct addresses connect;
};

static const struct option relay_options[] = {
	OPTION(ADDRESSES, struct relay, connect, .required = true, .primary = true), OPTIONS_END
};

static bool relay_read(struct relay *relay, struct document *document, const char *text,
	bool resolve, struct faults *faults)
{
	*relay = (struct relay){ 0 };
	cr_assert(example_parse(document, text, resolve, faults));
	return options_read(relay_options, document->root, "relay", relay, faults);
}

Test(option, addresses_are_one_or_a_list)
{
	static const char *const texts[] = { "'one:1'", "['one:1','[::1]:2']",
		"{'connect':'one:1'}", "{'connect':['one:1','[::1]:2']}" };
	for (size_t i = 0; i < 4; i++) {
		struct faults faults = { 0 };
		struct document document;
		struct relay relay;
		cr_assert(relay_read(&relay, &document, texts[i], true, &faults), "%s", texts[i]);
		cr_assert_eq(relay.connect.count, 1 + i % 2);
		cr_assert_str_eq(relay.connect.items[0].host, "one");
		cr_assert_eq(relay.connect.items[0].port, 1);
		cr_assert_str_eq(
			relay.connect.items[relay.connect.count - 1].host, i % 2 ? "::1" : "one");
		faults_close(&faults);
		document_close(&document);
	}
}

Test(option, each_address_of_a_list_is_checked)
{
	static const char *const wrong[] = { "['one:1','two']", "['one:1',2]", "[]", "['']" };
	static const char *const pointers[] = { "/1", "/1", "", "/0" };
	for (size_t i = 0; i < 4; i++) {
		struct faults faults = { 0 };
		struct document document;
		struct relay relay;
		cr_assert_not(relay_read(&relay, &document, wrong[i], true, &faults));
		cr_assert_eq(faults.errors, 1, "%s", wrong[i]);
		cr_assert_str_eq(faults.items[0].pointer, pointers[i]);
		faults_close(&faults);
		document_close(&document);
	}
}

Test(option, addresses_that_are_not_known_stay_as_they_are_written)
{
	struct faults faults = { 0 };
	struct document document;
	struct relay relay;
	cr_assert(relay_read(&relay, &document, "['${RELAY_NOT_SET}','two:2']", false, &faults));
	cr_assert_eq(relay.connect.count, 2);
	cr_assert_str_eq(relay.connect.items[0].text, "${RELAY_NOT_SET}");
	cr_assert_eq(relay.connect.items[1].port, 2);
	faults_close(&faults);
	document_close(&document);
	cr_assert(relay_read(&relay, &document, "'${RELAY_NOT_SET}'", false, &faults));
	cr_assert_eq(relay.connect.count, 1);
	faults_close(&faults);
	document_close(&document);
}
