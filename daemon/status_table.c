/* The status as a table. */
#include "daemon/status_table.h"

#include "config/units.h"
#include "config/utf8.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CELL = 32, SAID = 400 };

enum column { NAME, KIND, RECORDS, RECORD_RATE, BYTE_RATE, COLUMNS };

static const char *const titles[COLUMNS] = { "", "", "records", "records/s", "bytes/s" };

struct row {
	char cells[COLUMNS][CELL + 40];
	char said[SAID]; /* what is out of the ordinary */
	bool trouble;
};

/* --- reading ------------------------------------------------------------------------------------------------------- */

static const char *text_of(const cJSON *object, const char *key)
{
	const cJSON *item = cJSON_GetObjectItem(object, key);

	return cJSON_IsString(item) ? item->valuestring : "";
}

static double number_of(const cJSON *object, const char *key)
{
	const cJSON *item = cJSON_GetObjectItem(object, key);

	return cJSON_IsNumber(item) ? item->valuedouble : 0;
}

/* "1,234,567". */
static char *grouped(double number, char text[CELL])
{
	char digits[CELL];

	snprintf(digits, sizeof(digits), "%.0f", number < 1e18 ? number : 1e18);
	return digits_for_people(digits, text);
}

static void duration(double seconds, char text[CELL])
{
	const uint64_t whole = seconds > 0 ? (uint64_t)seconds : 0;

	if (whole < 60)
		snprintf(text, CELL, "%ju s", (uintmax_t)whole);
	else if (whole < 3600)
		snprintf(text, CELL, "%ju min %ju s", (uintmax_t)whole / 60, (uintmax_t)whole % 60);
	else if (whole < 86400)
		snprintf(text, CELL, "%ju h %ju min", (uintmax_t)whole / 3600,
			(uintmax_t)whole / 60 % 60);
	else
		snprintf(text, CELL, "%ju d %ju h", (uintmax_t)whole / 86400,
			(uintmax_t)whole / 3600 % 24);
}

/* --- rows ---------------------------------------------------------------------------------------------------------- */

__attribute__((format(printf, 2, 3))) static void say(struct row *row, const char *format, ...)
{
	const size_t used = strlen(row->said);
	char piece[160];
	va_list list;

	va_start(list, format);
	vsnprintf(piece, sizeof(piece), format, list);
	va_end(list);
	snprintf(row->said + used, sizeof(row->said) - used, "%s%s", used ? ", " : "", piece);
}

/* Of a list or an object; NULL is an empty one. */
static const cJSON *first(const cJSON *list)
{
	return list ? list->child : NULL;
}

static void say_dropped(struct row *row, const cJSON *node)
{
	const cJSON *reason;
	char count[CELL];

	for (reason = first(cJSON_GetObjectItem(node, "dropped")); reason; reason = reason->next)
		say(row, "%s dropped (%s)", grouped(reason->valuedouble, count), reason->string);
	if (number_of(cJSON_GetObjectItem(node, "rates"), "dropped") > 0) {
		say(row, "dropping %s/s",
			grouped(number_of(cJSON_GetObjectItem(node, "rates"), "dropped"), count));
		row->trouble = true;
	}
}

static void say_errors(struct row *row, const cJSON *node)
{
	const cJSON *reason;
	char count[CELL];

	for (reason = first(cJSON_GetObjectItem(node, "errors")); reason; reason = reason->next)
		say(row, "%s × cannot %s", grouped(reason->valuedouble, count), reason->string);
}

static void say_copied(struct row *row, const cJSON *node)
{
	const cJSON *reason;
	char bytes[CELL];

	for (reason = first(cJSON_GetObjectItem(node, "copied")); reason; reason = reason->next)
		say(row, "%s copied (%s)", bytes_for_people(reason->valuedouble, bytes),
			reason->string);
}

static void say_down(struct row *row, const cJSON *node)
{
	const double down = number_of(node, "down_ms");
	char text[CELL];

	if (down <= 0 || strcmp(text_of(node, "role"), "sink") != 0)
		return;
	duration(down / 1e3, text);
	say(row, "DOWN for %s", text);
	row->trouble = true;
}

static void say_blocked(struct row *row, const cJSON *node)
{
	const double blocked = number_of(cJSON_GetObjectItem(node, "rates"), "blocked");

	if (blocked < 0.005)
		return;
	say(row, "others wait for it %.0f %% of the time", blocked > 1 ? 100 : 100 * blocked);
	row->trouble = row->trouble || blocked > 0.5;
}

static void say_counts(struct row *row, const cJSON *node)
{
	char count[CELL];
	static const struct {
		const char *key, *one, *many;
	} all[] = { { "connections", "connection", "connections" },
		{ "filtered", "filtered", "filtered" }, { "held", "held", "held" },
		{ "reconnects", "reconnect", "reconnects" } };

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (number_of(node, all[i].key) > 0)
			say(row, "%s %s", grouped(number_of(node, all[i].key), count),
				number_of(node, all[i].key) == 1 ? all[i].one : all[i].many);
	if (number_of(node, "unread") > 0)
		say(row, "%s to read", bytes_for_people(number_of(node, "unread"), count));
}

static struct row make_row(const cJSON *pipeline, const cJSON *node)
{
	const cJSON *rates = cJSON_GetObjectItem(node, "rates");
	const size_t prefix = strlen(text_of(pipeline, "name")) + 1;
	const char *name = text_of(node, "name");
	struct row row = { 0 };

	if (strlen(name) > prefix)
		name += prefix;
	snprintf(row.cells[NAME], sizeof(row.cells[NAME]), "%s", name);
	snprintf(row.cells[KIND], sizeof(row.cells[KIND]), "%s", text_of(node, "kind"));
	if (number_of(node, "records_out") > 0 || strcmp(text_of(node, "role"), "source") != 0) {
		grouped(number_of(node, "records_out"), row.cells[RECORDS]);
		grouped(number_of(rates, "records_out"), row.cells[RECORD_RATE]);
	}
	bytes_for_people(number_of(rates, "bytes_out"), row.cells[BYTE_RATE]);
	say_down(&row, node);
	say_blocked(&row, node);
	say_dropped(&row, node);
	say_counts(&row, node);
	say_errors(&row, node);
	say_copied(&row, node);
	return row;
}

/* --- printing ------------------------------------------------------------------------------------------------------ */

/* Writes lines, cut to the style's width, as many as its height allows. */
struct page {
	FILE *out;
	const struct status_style *style;
	unsigned lines, left_out;
};

/* As much of the text as has room, a character a cell. */
static void print_cut(const struct page *page, const char *text)
{
	const unsigned width = page->style->width ? page->style->width : UINT32_MAX;
	unsigned used = 0;

	while (*text && used < width) {
		const size_t size = utf8_sequence(text, strlen(text), NULL);
		fwrite(text, 1, size ? size : 1, page->out);
		text += size ? size : 1;
		used++;
	}
}

static void print_line(struct page *page, bool stands_out, const char *text)
{
	const bool coloured = page->style->coloured && stands_out;

	if (page->style->height && page->lines + 1 >= page->style->height) {
		page->left_out++;
		return;
	}
	fputs(coloured ? "\033[1;31m" : "", page->out);
	print_cut(page, text);
	fputs(coloured ? "\033[0m\n" : "\n", page->out);
	page->lines++;
}

static void print_row(struct page *page, const struct row *row, const size_t widths[COLUMNS])
{
	char line[COLUMNS * (CELL + 44) + SAID];

	snprintf(line, sizeof(line), "  %-*s  %-*s  %*s  %*s  %*s  %s", (int)widths[NAME],
		row->cells[NAME], (int)widths[KIND], row->cells[KIND], (int)widths[RECORDS],
		row->cells[RECORDS], (int)widths[RECORD_RATE], row->cells[RECORD_RATE],
		(int)widths[BYTE_RATE], row->cells[BYTE_RATE], row->said);
	size_t size = strlen(line);
	while (size > 0 && line[size - 1] == ' ')
		line[--size] = '\0';
	print_line(page, row->trouble, line);
}

static void measure(const struct row *row, size_t widths[COLUMNS])
{
	for (size_t i = 0; i < COLUMNS; i++)
		if (strlen(row->cells[i]) > widths[i])
			widths[i] = strlen(row->cells[i]);
}

static void print_title(struct page *page, const size_t widths[COLUMNS])
{
	struct row row = { 0 };

	for (size_t i = 0; i < COLUMNS; i++)
		snprintf(row.cells[i], sizeof(row.cells[i]), "%s", titles[i]);
	print_row(page, &row, widths);
}

static void print_pool(struct page *page, const cJSON *pipeline)
{
	const cJSON *pool = cJSON_GetObjectItem(pipeline, "pool");
	const double used = number_of(pool, "used"), buffers = number_of(pool, "buffers");
	const double shards = number_of(pipeline, "shards");
	char size[CELL], line[300], shards_text[60] = "";

	if (shards > 1)
		snprintf(shards_text, sizeof(shards_text), " (%.0f shards)", shards);
	snprintf(line, sizeof(line), "%s%s: %.0f of %.0f buffers of %s in use, %.0f at most",
		text_of(pipeline, "name"), shards_text, used, buffers,
		size_format((uint64_t)number_of(pool, "size"), size), number_of(pool, "most_used"));
	print_line(page, buffers > 0 && used >= buffers - 2, line);
}

/* A tee is shown only where it has something to tell. */
static bool is_shown(const cJSON *node, const struct row *row)
{
	return strcmp(text_of(node, "role"), "tee") != 0 || row->said[0];
}

static bool print_pipeline(struct page *page, const cJSON *pipeline)
{
	const cJSON *nodes = cJSON_GetObjectItem(pipeline, "nodes"), *node;
	const int most = cJSON_GetArraySize(nodes);
	struct row *rows = calloc((size_t)most + 1, sizeof(*rows));
	size_t count = 0, widths[COLUMNS] = { 0 };

	if (!rows)
		return false;
	for (size_t i = 0; i < COLUMNS; i++)
		widths[i] = strlen(titles[i]);
	for (node = first(nodes); node; node = node->next) {
		rows[count] = make_row(pipeline, node);
		if (!is_shown(node, &rows[count]))
			continue;
		measure(&rows[count++], widths);
	}
	print_line(page, false, "");
	print_pool(page, pipeline);
	print_title(page, widths);
	for (size_t i = 0; i < count; i++)
		print_row(page, &rows[i], widths);
	free(rows);
	return true;
}

static void print_head(struct page *page, const cJSON *status)
{
	char uptime[CELL], line[300];

	duration(number_of(status, "uptime_seconds"), uptime);
	snprintf(line, sizeof(line),
		"viewduct %s, up %s, io %s, %.0f worker%s, configuration %.0f; rates over %.1f s",
		text_of(status, "version"), uptime, text_of(status, "backend"),
		number_of(status, "workers"), number_of(status, "workers") == 1 ? "" : "s",
		number_of(status, "generation"), number_of(status, "over_seconds"));
	print_line(page, false, line);
}

/* Only what was refused is worth a line for long. */
static void print_reload(struct page *page, const cJSON *status)
{
	const cJSON *reload = cJSON_GetObjectItem(status, "reload");
	const char *last = text_of(reload, "last"), *waits_for = text_of(reload, "waits_for");
	char line[300], *shown;

	if (cJSON_IsTrue(cJSON_GetObjectItem(reload, "in_progress"))) {
		snprintf(line, sizeof(line), "a reload is in progress%s%s",
			*waits_for ? ", and waits for " : "", waits_for);
		print_line(page, *waits_for != '\0', line);
	}
	if (!*last)
		return;
	shown = utf8_visible_text(last, strlen(last));
	if (shown)
		print_line(page, strstr(last, "refused") != NULL, shown);
	free(shown);
}

static void print_taps(struct page *page, const cJSON *status)
{
	const cJSON *tap;
	char count[CELL], line[400];

	for (tap = first(cJSON_GetObjectItem(status, "taps")); tap; tap = tap->next) {
		snprintf(line, sizeof(line), "%s is tapped; %s samples were lost",
			text_of(tap, "node"), grouped(number_of(tap, "missed"), count));
		print_line(page, false, line);
	}
}

static bool print_all(struct page *page, const cJSON *status)
{
	const cJSON *pipeline;
	bool fine = true;

	print_head(page, status);
	print_reload(page, status);
	print_taps(page, status);
	for (pipeline = first(cJSON_GetObjectItem(status, "pipelines")); pipeline;
		pipeline = pipeline->next)
		fine = fine && print_pipeline(page, pipeline);
	if (page->left_out > 0)
		fprintf(page->out, "… %u more line%s\n", page->left_out,
			page->left_out == 1 ? "" : "s");
	return fine;
}

char *status_table(const cJSON *status, const struct status_style *style)
{
	char *text = NULL;
	size_t size = 0;
	struct page page = { .style = style, .out = open_memstream(&text, &size) };

	if (!page.out)
		return NULL;
	const bool fine = print_all(&page, status);
	if (fclose(page.out) == 0 && fine)
		return text;
	free(text);
	return NULL;
}
