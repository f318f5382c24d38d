/* The summary: what a run did, for people and for programs. */
#include "daemon/summary.h"

#include "tests/support/running.h"

#include <cjson/cJSON.h>
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const char branches[] =
	"'p':{'from':{'file':{'path':'in','follow':false}},'stages':[{'split':'newline'},{'filter':"
	"'keep'}],"
	"'to':[{'file':'plain'},{'file':'packed','stages':[{'compress':'zstd'}]}]}";

static void run_branches(struct running *running)
{
	file_put("in", "%s", "");
	for (int i = 0; i < 600; i++)
		file_add("in", "%s\n", i % 3 ? "keep this line, it is wanted" : "no");
	cr_assert(running_open(running, "'memory':'16MiB'", "%s", branches));
	running_to_end(running);
}

static void expect_text(struct running *running)
{
	static const char *const expected[] = { "p: ended after 1.500 s", "from.0", "600",
		"66.7 % kept, 200 filtered", " : 1", "400", "written", "records/s", "0 B copied",
		"io epoll", "buffers of 64KiB used" };

	run_branches(running);
	char *text = summary_text(running->plan, "epoll", 1500000000);
	cr_assert_not_null(text);
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		cr_assert_not_null(strstr(text, expected[i]), "no \"%s\" in %s", expected[i], text);
	free(text);
	running_close(running);
}

Test(summary, of_a_run_as_text)
{
	running_on_both(expect_text);
}

static double number(const cJSON *nodes, const char *node, const char *member)
{
	const cJSON *found = cJSON_GetObjectItem(cJSON_GetObjectItem(nodes, node), member);

	cr_assert(cJSON_IsNumber(found), "%s has no %s", node, member);
	return found->valuedouble;
}

static void expect_json(struct running *running)
{
	run_branches(running);
	char *text = summary_json(running->plan);
	cJSON *summary = cJSON_Parse(text);
	cr_assert_not_null(summary, "%s", text);
	cr_assert_eq(strchr(text, '\n'), text + strlen(text) - 1);
	cr_assert_str_eq(cJSON_GetObjectItem(summary, "event")->valuestring, "summary");
	const cJSON *nodes = cJSON_GetObjectItem(summary, "nodes");
	cr_assert_eq(number(nodes, "p.split", "records_in"), 600);
	cr_assert_eq(number(nodes, "p.filter", "filtered"), 200);
	cr_assert_eq(number(nodes, "p.filter", "records_out"), 400);
	cr_assert_eq(number(nodes, "p.to.0", "records_out"), 400);
	cr_assert_eq(number(nodes, "p.to.1", "records_in"), 400);
	cr_assert_eq(number(nodes, "p.to.1", "held"), 0);
	const cJSON *sink = cJSON_GetObjectItem(nodes, "p.to.0");
	for (unsigned reason = 0; reason < DROP_REASONS; reason++)
		cr_assert_not_null(cJSON_GetObjectItem(cJSON_GetObjectItem(sink, "dropped"),
			drop_reason_name((enum drop_reason)reason)));
	cr_assert_eq(
		cJSON_GetObjectItem(cJSON_GetObjectItem(sink, "copied"), "aside")->valuedouble, 0);
	cJSON_Delete(summary);
	free(text);
	running_close(running);
}

Test(summary, of_a_run_as_json)
{
	running_on_both(expect_json);
}

static void expect_losses(struct running *running)
{
	file_put("in", "%s", "short\na record that is far too long to be kept here\nend\n");
	cr_assert(running_open(running, "'memory':'16MiB','buffer':'16B'", "%s",
		"'p':{'from':{'file':{'path':'in','follow':false}},"
		"'stages':[{'split':{'on':'newline','max_record':'20B','too_long':'drop'}}],'to':'"
		"null'}"));
	running_to_end(running);
	char *text = summary_text(running->plan, "uring", 1);
	cr_assert_not_null(strstr(text, "1 dropped (too_long)"), "%s", text);
	free(text);
	running_close(running);
}

Test(summary, names_what_was_lost)
{
	running_on_both(expect_losses);
}
