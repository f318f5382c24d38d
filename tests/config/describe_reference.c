/* The reference in Markdown. */
#include "config/describe.h"

#include "tests/config/example.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const char *expect_behind(const char *text, const char *part)
{
	const char *found = strstr(text, part);
	cr_assert_not_null(found, "%s\nis not in\n%s", part, text);
	return found + strlen(part);
}

Test(describe_reference, in_order)
{
	char *text = describe_reference(&example_catalogue);
	const char *at = expect_behind(text, "### `service`\n\n| option | takes | default | |\n");
	at = expect_behind(at, "| `memory` | a size | 64MiB | All of it. |\n");
	at = expect_behind(at, "### A pipeline");
	at = expect_behind(at, "### Sources\n\n#### `tcp`\n\nTakes connections.\n\n");
	at = expect_behind(
		at, "| `listen` | an address | required | May stand alone. Where to listen. |\n");
	at = expect_behind(at,
		"| `max_connections` | a whole number | 1024 (at least 1) | The most connections");
	at = expect_behind(at, "```json\n{\"tcp\": {\"listen\": \"127.0.0.1:5140\"}}\n```\n");
	at = expect_behind(at, "#### `stdin`\n\nReads standard input.\n\nIt has no options.\n\n");
	at = expect_behind(at, "```json\n\"stdin\"\n```\n");
	at = expect_behind(at, "### Stages\n\n#### `filter`\n");
	at = expect_behind(at, "| `flag` | true or false | true | A \\| switch. |\n");
	at = expect_behind(at, "| `on` | `newline`, `delimiter`, `nul` or `octets` | newline | ");
	at = expect_behind(at, "| `retry.first` | a time | 100ms | The first pause. |\n");
	at = expect_behind(at, "| `any` | a list of objects of these options |  | ");
	at = expect_behind(at, "### Sinks\n");
	at = expect_behind(at, "### Beside a sink\n");
	expect_behind(at, "| `when_full` | `block` or `drop` | block | ");
	free(text);
}
