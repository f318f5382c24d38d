/* make: writes the input of the bench to standard output; the same seed makes the same lines anywhere.
 *
 *     make log MB SEED      log lines of about 190 bytes: 5 % say ERROR, 50 % cache=hit, 95 % tls=yes
 *     make json MB SEED     the same in JSON, about 330 bytes
 *     make words COUNT SEED the first of the words that lines have (each line has one of 2,000), one a line
 */

#include "tests/bench/shared/common.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { WORDS = 2000, WORD_ROOM = 16, LINE_ROOM = 1024 };

static uint64_t state;
static char words[WORDS][WORD_ROOM];

/* xorshift with a multiplication behind it: even enough in its upper bits. */
static uint32_t any(uint32_t below)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (uint32_t)((state * 0x2545f4914f6cdd1du >> 32) * below >> 32);
}

static const char *one_of(const char *const *list, uint32_t count)
{
	return list[any(count)];
}

/* Syllables make words that can be told from each other and from the rest of a line, but only late. */
static void make_words(void)
{
	static const char *const syllables[] = { "ba", "ce", "di", "fo", "gu", "ha", "je", "ki",
		"lo", "mu", "na", "pe", "ri", "so", "tu", "va", "we", "xi", "yo", "zu" };

	for (uint32_t i = 0; i < WORDS; i++) {
		const uint32_t mixed = i * 1237 % WORDS * 4;
		snprintf(words[i], WORD_ROOM, "%s%s%s%s", one_of(syllables, 20),
			syllables[mixed % 20], syllables[mixed / 20 % 20],
			syllables[mixed / 400 % 20]);
	}
}

struct line {
	uint32_t hour, minute, second, micros, host, process, request, user, path, status, duration,
		size;
	const char *service, *level, *method, *cache, *tls, *region, *word;
	uint64_t trace;
};

static const char *any_level(void)
{
	const uint32_t percent = any(100);

	return percent < 5 ? "ERROR" : percent < 15 ? "WARN" : percent < 30 ? "DEBUG" : "INFO";
}

static uint32_t any_status(void)
{
	static const uint32_t good[] = { 200, 200, 200, 200, 201, 204, 301, 304, 404 };

	return any(100) < 6 ? 500 + any(5) : good[any(9)];
}

/* Most are short, few are long: from 1 to 9,999 ms. */
static uint32_t any_duration(void)
{
	const uint32_t percent = any(100);

	return percent < 70 ? 1 + any(99) : percent < 97 ? 100 + any(900) : 1000 + any(9000);
}

static struct line any_line(uint64_t index)
{
	static const char *const services[] = { "checkout", "catalog", "payment", "search",
		"session" };
	static const char *const methods[] = { "GET", "GET", "GET", "POST", "PUT", "DELETE" };
	static const char *const regions[] = { "eu-west-1", "eu-north-1", "us-east-2" };
	const uint32_t tick = (uint32_t)(index / 40 % 86400);

	return (struct line){
		.hour = tick / 3600,
		.minute = tick / 60 % 60,
		.second = tick % 60,
		.micros = (uint32_t)(index % 40) * 25000 + any(25000),
		.host = any(64),
		.process = 1000 + any(8),
		.request = any(1u << 31),
		.user = any(100000),
		.path = any(1000000),
		.status = any_status(),
		.duration = any_duration(),
		.size = any(1u << 20),
		.service = one_of(services, 5),
		.level = any_level(),
		.method = one_of(methods, 6),
		.cache = any(100) < 50 ? "hit" : "miss",
		.tls = any(100) < 95 ? "yes" : "no",
		.region = one_of(regions, 3),
		.word = words[any(WORDS)],
		.trace = (uint64_t)any(1u << 31) << 32 | any(1u << 31),
	};
}

static int print_log(char *text, const struct line *line)
{
	return snprintf(text, LINE_ROOM,
		"2026-11-22T%02u:%02u:%02u.%06uZ host-%02u %s %s[%u]: request=%08x user=u%05u %s "
		"/api/v1/%s/%06u status=%u duration=%ums bytes=%u cache=%s tls=%s trace=%016" PRIx64
		"\n",
		line->hour, line->minute, line->second, line->micros, line->host, line->level,
		line->service, line->process, line->request, line->user, line->method, line->word,
		line->path, line->status, line->duration, line->size, line->cache, line->tls,
		line->trace);
}

static int print_json(char *text, const struct line *line)
{
	return snprintf(text, LINE_ROOM,
		"{\"time\":\"2026-11-22T%02u:%02u:%02u.%06uZ\",\"host\":\"host-%02u\",\"level\":\"%"
		"s\","
		"\"service\":\"%s\",\"message\":\"request "
		"finished\",\"request\":{\"id\":"
		"\"%08x\",\"method\":\"%s\",\"path\":\"/api/v1/%s/%06u\",\"user\":\"u%05u\"},"
		"\"status\":%u,\"duration_ms\":%u,\"bytes\":%u,\"cache\":\"%s\",\"tls\":\"%s\","
		"\"region\":\"%s\",\"trace\":\"%016" PRIx64 "\"}\n",
		line->hour, line->minute, line->second, line->micros, line->host, line->level,
		line->service, line->request, line->method, line->word, line->path, line->user,
		line->status, line->duration, line->size, line->cache, line->tls, line->region,
		line->trace);
}

static void make_lines(uint64_t size, int (*print)(char *text, const struct line *line))
{
	char text[LINE_ROOM];

	for (uint64_t made = 0, index = 0; made < size; index++) {
		const struct line line = any_line(index);
		const int length = print(text, &line);
		fwrite(text, 1, (size_t)length, stdout);
		made += (uint64_t)length;
	}
}

int main(int count, char **arguments)
{
	if (count != 4) {
		fputs("usage: make log|json MB SEED | make words COUNT SEED\n", stderr);
		return 64;
	}
	const uint64_t amount = number(arguments[2]);
	state = number(arguments[3]) * 2 + 1;
	make_words();
	if (strcmp(arguments[1], "log") == 0)
		make_lines(amount * 1000000, print_log);
	else if (strcmp(arguments[1], "json") == 0)
		make_lines(amount * 1000000, print_json);
	else
		for (uint64_t i = 0; i < amount && i < WORDS; i++)
			puts(words[i]);
	return fflush(stdout) == 0 ? 0 : 1;
}
