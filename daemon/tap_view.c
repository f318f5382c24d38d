/* `viewduct tap`: reads the items of admin_tap.h; samples go to standard output, notices to standard error. */
#include "daemon/tap_view.h"

#include "config/utf8.h"
#include "daemon/places.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATIENCE_MS = 5000, LONGEST_LINE = 512, MOST_SAMPLE = 1024 * 1024, HTTP_FINE = 200 };

struct viewer {
	struct client client;
	bool raw;
	bool over; /* the daemon has said why */
	char *sample;
	size_t size, at; /* of what was read and not looked at */
	char room[CLIENT_ROOM];
};

/* --- reading ------------------------------------------------------------------------------------------------------- */

/* Before it waits for more, what was written is shown. */
static void show(void)
{
	fflush(stdout);
}

/* False at the answer's end. */
static bool fill(struct viewer *viewer)
{
	const ssize_t size = client_read(&viewer->client, viewer->room, sizeof(viewer->room));

	viewer->at = 0;
	viewer->size = size > 0 ? (size_t)size : 0;
	return size > 0;
}

static bool read_bytes(struct viewer *viewer, char *to, size_t size)
{
	while (size > 0) {
		if (viewer->at == viewer->size && !fill(viewer))
			return false;
		const size_t there = viewer->size - viewer->at, part = there < size ? there : size;
		memcpy(to, viewer->room + viewer->at, part);
		viewer->at += part;
		to += part;
		size -= part;
	}
	return true;
}

static bool read_line(struct viewer *viewer, char line[LONGEST_LINE])
{
	size_t size = 0;

	while (size < LONGEST_LINE - 1) {
		if (!read_bytes(viewer, line + size, 1))
			return false;
		if (line[size] == '\n') {
			line[size] = '\0';
			return true;
		}
		size++;
	}
	return false;
}

/* --- showing ------------------------------------------------------------------------------------------------------- */

/* What would steer the terminal is escaped. */
static void print_visible(const char *text, size_t size)
{
	char shown[VISIBLE_ROOM];
	size_t cells;

	for (size_t at = 0; at < size;) {
		at += utf8_visible(text + at, size - at, shown, &cells);
		fputs(shown, stdout);
	}
}

static void print_sample(const struct viewer *viewer, size_t content, size_t content_size,
	size_t stored, uint64_t whole)
{
	if (viewer->raw) {
		fwrite(viewer->sample, 1, stored, stdout);
		return;
	}
	print_visible(viewer->sample + content, content_size);
	if (whole > stored)
		printf("… (%" PRIu64 " bytes)", whole);
	putchar('\n');
}

/* The numbers behind the first letter, each behind a space. False if there are fewer. */
static bool read_numbers(const char *line, uint64_t *numbers, size_t count)
{
	const char *at = line + 1;

	for (size_t i = 0; i < count; i++) {
		char *end;
		if (at[0] != ' ' || at[1] < '0' || at[1] > '9')
			return false;
		numbers[i] = strtoull(at + 1, &end, 10);
		at = end;
	}
	return true;
}

static bool take_sample(struct viewer *viewer, const char *line)
{
	uint64_t numbers[4]; /* as in admin_tap.h */
	char end;

	if (line[0] != 's' || !read_numbers(line, numbers, 4))
		return false;
	if (numbers[2] > MOST_SAMPLE || numbers[0] > numbers[2] ||
		numbers[1] > numbers[2] - numbers[0])
		return false;
	const uint32_t content = (uint32_t)numbers[0], content_size = (uint32_t)numbers[1];
	const uint32_t stored = (uint32_t)numbers[2];
	const uint64_t whole = numbers[3];
	if (!read_bytes(viewer, viewer->sample, stored) || !read_bytes(viewer, &end, 1))
		return false;
	print_sample(viewer, content, content_size, stored, whole);
	return true;
}

static void print_notice(const char *text)
{
	fflush(stdout);
	fprintf(stderr, "viewduct: %s\n", text);
}

/* False at the end. */
static bool take_item(struct viewer *viewer)
{
	char line[LONGEST_LINE];

	if (!read_line(viewer, line))
		return false;
	if (line[0] == 's')
		return take_sample(viewer, line);
	if ((line[0] == 'n' || line[0] == 'e') && strlen(line) > 2)
		print_notice(line + 2);
	viewer->over = line[0] == 'e';
	return !viewer->over;
}

/* --- the whole ----------------------------------------------------------------------------------------------------- */

static void make_path(const struct command_line *line, char *path, size_t size)
{
	char node[600], text[900] = "";

	client_encode(node, sizeof(node), line->argument);
	if (line->grep)
		client_encode(text, sizeof(text), line->grep);
	int used = snprintf(path, size, "/tap?node=%s", node);
	if (line->grep)
		used += snprintf(path + used, size - (size_t)used, "&text=%s", text);
	if (line->count)
		used += snprintf(path + used, size - (size_t)used, "&count=%u", line->count);
	if (line->all)
		snprintf(path + used, size - (size_t)used, "&all=1");
}

static enum exit_status view(struct viewer *viewer)
{
	while (!ferror(stdout) && take_item(viewer))
		continue;
	fflush(stdout);
	if (ferror(stdout)) {
		if (errno == EPIPE)
			return STATUS_FINE;
		fprintf(stderr, "viewduct: cannot write to standard output: %s\n", strerror(errno));
		return STATUS_CANNOT_OPEN;
	}
	if (viewer->over)
		return STATUS_FINE;
	fprintf(stderr, "viewduct: the daemon is gone\n");
	return STATUS_NO_DAEMON;
}

static enum exit_status say_refusal(struct client *client)
{
	char *text = client_read_all(client, LONGEST_LINE);

	fprintf(stderr, "viewduct: %s", text ? text : "the daemon refuses\n");
	free(text);
	return client->status == 404 || client->status == 400 ? STATUS_COMMAND_LINE
							      : STATUS_NO_DAEMON;
}

enum exit_status tap_view(const struct command_line *line)
{
	struct viewer viewer = { .raw = line->raw, .sample = malloc(MOST_SAMPLE) };
	char path[1800];

	if (!viewer.sample) {
		fprintf(stderr, "viewduct: not enough memory\n");
		return STATUS_CANNOT_OPEN;
	}
	make_path(line, path, sizeof(path));
	enum exit_status status =
		places_ask_once(line, true, &viewer.client, "GET", path, PATIENCE_MS);
	if (status == STATUS_FINE) {
		viewer.client.patience_ms = -1;
		viewer.client.waits = show;
		status = viewer.client.status == HTTP_FINE ? view(&viewer)
							   : say_refusal(&viewer.client);
		client_close(&viewer.client);
	}
	free(viewer.sample);
	return status;
}
