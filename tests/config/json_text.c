/* What is no JSON is refused at its place, with what to write. */
#include "config/json_text.h"

#include "tests/config/example.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static const struct example_wrong wrongs[] = {
	{ "", 1, 1, "", "the configuration is empty", "write an object: {'pipelines': {…}}" },
	{ " \n\t\r\n", 1, 1, "", "the configuration is empty",
		"write an object: {'pipelines': {…}}" },
	{ "{", 1, 2, "", "the text ends inside of the object that begins in line 1", "write }" },
	{ "{'a':", 1, 6, "/a", "the text ends inside of the object that begins in line 1",
		"write }" },
	{ "{'a':1\n\n", 1, 7, "", "the text ends inside of the object that begins in line 1",
		"write }" },
	{ "{'a'", 1, 5, "", "the text ends inside of the object that begins in line 1", "write }" },
	{ "[1,\n[2,3]", 2, 6, "", "the text ends inside of the list that begins in line 1",
		"write ]" },
	{ "{'a':1,}", 1, 7, "", "a comma with nothing behind it", "leave the comma out" },
	{ "{'a':1,\n}", 1, 7, "", "a comma with nothing behind it", "leave the comma out" },
	{ "[1,2,]", 1, 5, "", "a comma with nothing behind it", "leave the comma out" },
	{ "{'a':1,,'b':2}", 1, 8, "", "a key in double quotes is due, not ','",
		"leave the comma out" },
	{ "{`a`:1}", 1, 2, "", "strings and keys stand in double quotes", "write 'a'" },
	{ "{'a':`x`}", 1, 6, "/a", "strings and keys stand in double quotes", "write 'x'" },
	{ "{a:1}", 1, 2, "", "keys stand in double quotes", "write 'a'" },
	{ "{'a':1\n'b':2}", 2, 1, "", "a comma is missing before this", "write a comma before it" },
	{ "[1 2]", 1, 4, "", "a comma is missing before this", "write a comma before it" },
	{ "{'a' 1}", 1, 6, "", "':' is missing between key and value", "write ':' behind the key" },
	{ "{'a'='x'}", 1, 5, "", "':' is missing between key and value",
		"write ':' behind the key" },
	{ "{'a':'x", 1, 6, "/a", "the string does not end in its line",
		"write ' at its end; a line`s end is \\n" },
	{ "{'a':'x\n','b':1}", 1, 6, "/a", "the string does not end in its line",
		"write ' at its end; a line`s end is \\n" },
	{ "{'a':'tab\there'}", 1, 10, "/a", "a control character in a string", "write \\t" },
	{ "{'a':'bell\x07'}", 1, 11, "/a", "a control character in a string", "write \\u0007" },
	{ "{'a':'\\d+'}", 1, 7, "/a", "\\d is no escape in JSON", "write \\\\d" },
	{ "{'a':'\\", 1, 7, "/a", "a backslash that escapes nothing", "write \\\\" },
	{ "{'a':'\\u12'}", 1, 7, "/a", "\\u without four hexadecimal digits",
		"write four hexadecimal digits" },
	{ "{'a':'b\\u0000c'}", 1, 8, "/a", "\\u0000 cannot be in a string",
		"leave it out; where bytes are asked for, write {'hex': '00'}" },
	{ "{'a\\u0000b':1}", 1, 4, "", "\\u0000 cannot be in a string",
		"leave it out; where bytes are asked for, write {'hex': '00'}" },
	{ "{'a':'\\ud800x'}", 1, 7, "/a", "half of a surrogate pair",
		"write both halves, or the character itself" },
	{ "{'a':'\\ud800\\u0041'}", 1, 7, "/a", "half of a surrogate pair",
		"write both halves, or the character itself" },
	{ "{'a':'\\udc00'}", 1, 7, "/a", "half of a surrogate pair",
		"write both halves, or the character itself" },
	{ "{'a':tru}", 1, 6, "/a", "a string stands in double quotes", "write true, or 'tru'" },
	{ "{'a':True}", 1, 6, "/a", "a string stands in double quotes", "write true, or 'True'" },
	{ "{'a':yes}", 1, 6, "/a", "a string stands in double quotes", "write true" },
	{ "{'a':text}", 1, 6, "/a", "a string stands in double quotes", "write 'text'" },
	{ "pipelines:\n  main: x", 1, 1, "", "a configuration is JSON, and begins with {",
		"write an object: {'pipelines': {…}}" },
	{ "[sources.in]\ntype = 'file'", 1, 2, "/0", "a configuration is JSON, and begins with {",
		"write an object: {'pipelines': {…}}" },
	{ "[1, text]", 1, 5, "/1", "a string stands in double quotes", "write 'text'" },
	{ "{'a':[text]}", 1, 7, "/a/0", "a string stands in double quotes", "write 'text'" },
	{ "{'a':01}", 1, 6, "/a", "'01' is not a number",
		"write a decimal number, or a string in quotes" },
	{ "{'a':+1}", 1, 6, "/a", "'+1' is not a number",
		"write a decimal number, or a string in quotes" },
	{ "{'a':.5}", 1, 6, "/a", "'.5' is not a number",
		"write a decimal number, or a string in quotes" },
	{ "{'a':1.}", 1, 6, "/a", "'1.' is not a number",
		"write a decimal number, or a string in quotes" },
	{ "{'a':0x10}", 1, 6, "/a", "'0x10' is not a number",
		"write a decimal number, or a string in quotes" },
	{ "{'a':1e}", 1, 6, "/a", "'1e' is not a number",
		"write a decimal number, or a string in quotes" },
	{ "{'a':-}", 1, 6, "/a", "'-' is not a number",
		"write a decimal number, or a string in quotes" },
	{ "{'a':NaN}", 1, 6, "/a", "a string stands in double quotes", "write 'NaN'" },
	{ "{'a':1234567890123456789012345678901234567890123456789012345678901234}", 1, 6, "/a",
		"a number of more than 63 characters", "write fewer digits" },
	{ "// comment\n{'a':1}", 1, 1, "", "JSON has no comments",
		"write it as a member whose key begins with //: {'//': '…'}" },
	{ "{\n\t// comment\n\t'a':1}", 2, 2, "", "JSON has no comments",
		"write it as a member whose key begins with //: {'//': '…'}" },
	{ "{'a':1} /* more */", 1, 9, "", "JSON has no comments",
		"write it as a member whose key begins with //: {'//': '…'}" },
	{ "{'a': # x\n1}", 1, 7, "/a", "JSON has no comments",
		"write it as a member whose key begins with //: {'//': '…'}" },
	{ "{'a':1} {}", 1, 9, "", "text behind the end of the configuration",
		"leave it out: a file holds one configuration" },
	{ "{'a':1}]", 1, 8, "", "text behind the end of the configuration",
		"leave it out: a file holds one configuration" },
	{ "{'a':[1}", 1, 8, "/a", "',' or ']' is due, not '}'", "write ]" },
	{ "{'a':1]", 1, 7, "", "',' or '}' is due, not ']'", "write }" },
	{ "{'a':;}", 1, 6, "/a", "a value is due, not ';'",
		"write '…', a number, true, false, null, {…} or […]" },
	{ "{'a':1;'b':2}", 1, 7, "", "',' or '}' is due, not ';'", "write a comma" },
	{ "{\xe2\x80\x9c"
	  "a\xe2\x80\x9d:1}",
		1, 2, "", "strings and keys stand in plain double quotes", "write '" },
	{ "{'a':'\xff'}", 1, 7, "/a", "this byte is not UTF-8", "save it as UTF-8" },
	{ "{'a':'\xc0\xaf'}", 1, 7, "/a", "this byte is not UTF-8", "save it as UTF-8" },
	{ "{'a':'\xed\xa0\x80'}", 1, 7, "/a", "this byte is not UTF-8", "save it as UTF-8" },
	{ "{'a':\xff}", 1, 6, "/a", "this byte is not UTF-8", "save it as UTF-8" },
	{ "\xff\xfe{\x01}\x01", 1, 1, "", "the text is UTF-16, not UTF-8", "save it as UTF-8" },
	{ "\xef\xbb\xbf{'a':x}", 1, 6, "/a", "a string stands in double quotes", "write 'x'" },
};

Test(json_text, wrong_texts)
{
	example_expect_all(wrongs, sizeof(wrongs) / sizeof(wrongs[0]));
}

static bool parse_nested(size_t depth, char open, char close, struct faults *faults)
{
	char text[2 * 70 + 1] = "";
	memset(text, open, depth);
	memset(text + depth, close, depth);
	struct document document;
	bool good = document_parse(&document, EXAMPLE_NAME, text, 2 * depth, true, faults);
	document_close(&document);
	return good;
}

Test(json_text, nests_64_deep_and_no_deeper)
{
	struct faults faults = { 0 };
	cr_expect(parse_nested(64, '[', ']', &faults));
	cr_expect_eq(faults.count, 0);
	cr_expect_not(parse_nested(65, '[', ']', &faults));
	cr_assert_eq(faults.count, 1);
	cr_expect_str_eq(faults.items[0].message, "nested deeper than 64");
	cr_expect_eq(faults.items[0].column, 65);
	faults_close(&faults);
}

static void expect_good(const char *text)
{
	struct faults faults = { 0 };
	struct document document;
	cr_expect(example_parse(&document, text, true, &faults), "%s", text);
	cr_expect_eq(faults.count, 0);
	faults_close(&faults);
	document_close(&document);
}

Test(json_text, all_of_json_is_taken)
{
	static const char *const texts[] = { "{}", "[]", "null", "true", "false", "'x'", "0",
		" \t\r\n{ \r\n}\n", "[1,2,-0,0.5,1e5,1E-5,1.25e+5,-10]",
		"'\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00'",
		"'\x7f\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80'", "{'':{'':[[],{},null]}}",
		"\xef\xbb\xbf{}",
		"123456789012345678901234567890123456789012345678901234567890123" };
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		expect_good(texts[i]);
}
