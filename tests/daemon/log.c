/* The log: one event, one line, in both formats; nothing waits for a reader that does not read. */
#include "daemon/log.h"

#include <cjson/cJSON.h>
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static int ends[2];
static struct log out;
static char text[8192];

static void open_log(enum log_format format)
{
	cr_assert_eq(pipe(ends), 0);
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	log_open(&out, ends[1], format, LOG_LEVEL_INFO);
}

/* What was written since; NUL-terminated. */
static const char *written(void)
{
	const ssize_t size = read(ends[0], text, sizeof(text) - 1);

	text[size > 0 ? size : 0] = '\0';
	return text;
}

Test(log, a_line_of_text)
{
	char level[16], message[80];
	unsigned year, ms;

	open_log(LOG_TEXT);
	log_event(&out, LOG_LEVEL_WARNING, "errors", "errors.to.1", "no \"route\"\n");
	cr_assert_eq(sscanf(written(), "time=%4u-%*2u-%*2uT%*2u:%*2u:%*2u.%3uZ level=%15s %79[^\n]",
			     &year, &ms, level, message),
		4, "%s", text);
	cr_assert_geq(year, 2024);
	cr_assert_str_eq(level, "warning");
	cr_assert_str_eq(message, "pipeline=errors node=errors.to.1 msg=\"no \\\"route\\\"\\n\"");
	cr_assert_eq(strchr(text, '\n'), text + strlen(text) - 1);
}

Test(log, a_line_of_json)
{
	open_log(LOG_JSON);
	log_event(&out, LOG_LEVEL_ERROR, "p", NULL, "bytes \xff and\ttab \"x\"");
	cJSON *line = cJSON_Parse(written());
	cr_assert_not_null(line, "%s", text);
	cr_assert_str_eq(cJSON_GetObjectItem(line, "level")->valuestring, "error");
	cr_assert_str_eq(cJSON_GetObjectItem(line, "pipeline")->valuestring, "p");
	cr_assert_null(cJSON_GetObjectItem(line, "node"));
	cr_assert_str_eq(
		cJSON_GetObjectItem(line, "msg")->valuestring, "bytes \\xff and\ttab \"x\"");
	cr_assert_eq(strlen(cJSON_GetObjectItem(line, "time")->valuestring),
		strlen("2026-01-31T12:00:00.123Z"));
	cJSON_Delete(line);
}

Test(log, below_the_level_nothing_is_written)
{
	open_log(LOG_TEXT);
	log_say(&out, LOG_LEVEL_DEBUG, "%s", "secret");
	cr_assert_str_eq(written(), "");
}

Test(log, a_text_of_any_length_stays_one_whole_line)
{
	char *longest = malloc(20001);

	memset(longest, '"', 20000);
	longest[20000] = '\0';
	open_log(LOG_JSON);
	log_event(&out, LOG_LEVEL_INFO, NULL, NULL, longest);
	cJSON *line = cJSON_Parse(written());
	cr_assert_not_null(line);
	cr_assert_gt(strlen(cJSON_GetObjectItem(line, "msg")->valuestring), 1000);
	cr_assert_leq(strlen(text), 4096);
	cJSON_Delete(line);
	free(longest);
}

Test(log, a_full_pipe_loses_lines_and_says_how_many)
{
	size_t lines = 0;

	open_log(LOG_TEXT);
	for (int i = 0; i < 5000; i++)
		log_say(&out, LOG_LEVEL_INFO,
			"event %d of a daemon whose standard error nobody reads", i);
	cr_assert_gt(out.lost, 0);
	const uint64_t lost = out.lost;
	for (ssize_t size; (size = read(ends[0], text, sizeof(text))) > 0;)
		for (ssize_t i = 0; i < size; i++)
			lines += text[i] == '\n';
	cr_assert_eq(lines + lost, 5000);
	log_say(&out, LOG_LEVEL_INFO, "again");
	char expected[80];
	snprintf(expected, sizeof(expected), "%llu log lines were lost", (unsigned long long)lost);
	cr_assert_not_null(strstr(written(), expected), "%s", text);
	cr_assert_not_null(strstr(text, "msg=\"again\""));
	cr_assert_eq(out.lost, 0);
}

Test(log, under_the_journal_a_priority_and_no_time)
{
	char stream[64];
	struct stat stat;

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	cr_assert_eq(fstat(ends[1], &stat), 0);
	snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)stat.st_dev,
		(unsigned long long)stat.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	log_open(&out, ends[1], LOG_TEXT, LOG_LEVEL_INFO);
	log_say(&out, LOG_LEVEL_WARNING, "x");
	cr_assert_str_eq(written(), "<4>level=warning msg=\"x\"\n");
	log_open(&out, ends[1], LOG_JSON, LOG_LEVEL_INFO);
	log_say(&out, LOG_LEVEL_ERROR, "x");
	cr_assert_str_eq(written(), "<3>{\"level\":\"error\",\"msg\":\"x\"}\n");
}

Test(log, another_stream_than_the_journals_has_the_time)
{
	setenv("JOURNAL_STREAM", "1:1", 1);
	open_log(LOG_TEXT);
	log_say(&out, LOG_LEVEL_INFO, "x");
	cr_assert_eq(strncmp(written(), "time=", 5), 0);
}

Test(log, progress_gives_way_to_a_line)
{
	open_log(LOG_TEXT);
	log_progress(&out, "43 %");
	cr_assert_str_eq(written(), "\r\033[K43 %");
	log_say(&out, LOG_LEVEL_INFO, "x");
	cr_assert_eq(strncmp(written(), "\r\033[Ktime=", 8), 0, "%s", text);
	log_progress(&out, NULL);
	cr_assert_str_eq(written(), "");
}

Test(log, text_for_people_arrives_whole)
{
	char *page = malloc(30001);
	size_t size = 0;

	memset(page, 'x', 30000);
	page[30000] = '\0';
	open_log(LOG_TEXT);
	log_text(&out, page);
	while (strlen(written()) > 0)
		size += strlen(text);
	cr_assert_eq(size, 30000);
	free(page);
}

static void count_wake(void *context)
{
	int *count = context;

	++*count;
}

Test(log, the_same_again_is_folded_and_told_in_the_end)
{
	int woken = 0;

	open_log(LOG_JSON);
	log_wake_by(&out, count_wake, &woken);
	for (int i = 0; i < 100; i++)
		log_event(&out, LOG_LEVEL_WARNING, "p", "p.to.0", "no \"route\"");
	log_settle(&out);
	cr_assert_eq(woken, 1);
	char *second = strchr(written(), '\n');
	cr_assert_not_null(second);
	*second++ = '\0';
	cJSON *line = cJSON_Parse(text), *again = cJSON_Parse(second);
	cr_assert_str_eq(cJSON_GetObjectItem(line, "msg")->valuestring, "no \"route\"");
	cr_assert_str_eq(
		cJSON_GetObjectItem(again, "msg")->valuestring, "no \"route\" (repeated 99 times)");
	cr_assert_str_eq(cJSON_GetObjectItem(again, "node")->valuestring, "p.to.0");
	cr_assert_eq(strchr(second, '\n'), second + strlen(second) - 1);
	cr_assert_eq(log_tell_repeats(&out), -1);
	cJSON_Delete(line);
	cJSON_Delete(again);
}
