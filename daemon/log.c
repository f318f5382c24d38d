/* The log. */
#include "daemon/log.h"

#include "daemon/clock.h"

#include "daemon/escape.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* A pipe that polls writable takes this much at once (PIPE_BUF): a longer line could block. */
enum { LINE_SIZE = 4096, PATIENCE_MS = 1000 };

struct line {
	char text[LINE_SIZE];
	size_t size;
};

static const char *const level_names[] = { "debug", "info", "warning", "error" };
static const unsigned priorities[] = { 7, 6, 4, 3 };

/* JOURNAL_STREAM names the device and inode of the stream that systemd gave (systemd.exec(5)). */
static bool is_journal(int fd)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char mine[64];
	struct stat stat;

	if (!stream || fstat(fd, &stat) != 0)
		return false;
	snprintf(mine, sizeof(mine), "%llu:%llu", (unsigned long long)stat.st_dev,
		(unsigned long long)stat.st_ino);
	return strcmp(stream, mine) == 0;
}

void log_open(struct log *log, int fd, enum log_format format, enum log_level least)
{
	*log = (struct log){ .lock = PTHREAD_MUTEX_INITIALIZER,
		.fd = fd,
		.format = format,
		.least = least,
		.journal = is_journal(fd) };
}

/* Writes at most a page, if the reader takes it within `patience` ms. The bytes written, 0 if there was no room. */
static size_t write_page(int fd, const char *text, size_t size, int patience)
{
	struct pollfd ready = { .fd = fd, .events = POLLOUT };
	ssize_t written;

	if (poll(&ready, 1, patience) <= 0)
		return 0;
	if (size > LINE_SIZE)
		size = LINE_SIZE;
	do {
		written = send(fd, text, size, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (written < 0 && errno == ENOTSOCK)
			written = write(fd, text, size);
	} while (written < 0 && errno == EINTR);
	return written < 0 ? 0 : (size_t)written;
}

/* False if there was no room, or the line was cut. */
static bool write_line(const struct log *log, const struct line *line)
{
	return write_page(log->fd, line->text, line->size, 0) == line->size;
}

__attribute__((format(printf, 2, 3))) static void add(struct line *line, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	const int size = vsnprintf(line->text + line->size, LINE_SIZE - line->size, format, list);
	va_end(list);
	if (size > 0)
		line->size += (size_t)size < LINE_SIZE - line->size ? (size_t)size
								    : LINE_SIZE - line->size - 1;
}

/* RFC 3339 in UTC, with milliseconds. */
static void add_time(struct line *line)
{
	struct timespec now;
	struct tm parts;
	char date[32];

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &parts);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &parts);
	add(line, "%s.%03ldZ", date, now.tv_nsec / 1000000);
}

/* The text, cut so that `tail` and the line's end still fit. */
static void add_escaped(struct line *line, const char *text, const char *tail)
{
	line->size += escape(line->text + line->size, LINE_SIZE - line->size - strlen(tail), text);
	add(line, "%s", tail);
}

static void compose_text(const struct log *log, struct line *line, enum log_level level,
	const char *pipeline, const char *node, const char *text)
{
	if (!log->journal) {
		add(line, "time=");
		add_time(line);
		add(line, " ");
	}
	add(line, "level=%s ", level_names[level]);
	if (pipeline)
		add(line, "pipeline=%.200s ", pipeline);
	if (node)
		add(line, "node=%.400s ", node);
	add(line, "msg=\"");
	add_escaped(line, text, "\"\n");
}

static void compose_json(const struct log *log, struct line *line, enum log_level level,
	const char *pipeline, const char *node, const char *text)
{
	add(line, "{");
	if (!log->journal) {
		add(line, "\"time\":\"");
		add_time(line);
		add(line, "\",");
	}
	add(line, "\"level\":\"%s\",", level_names[level]);
	if (pipeline)
		add(line, "\"pipeline\":\"%.200s\",", pipeline);
	if (node)
		add(line, "\"node\":\"%.400s\",", node);
	add(line, "\"msg\":\"");
	add_escaped(line, text, "\"}\n");
}

static void compose(const struct log *log, struct line *line, enum log_level level,
	const char *pipeline, const char *node, const char *text)
{
	line->size = 0;
	if (log->journal)
		add(line, "<%u>", priorities[level]);
	if (log->format == LOG_JSON)
		compose_json(log, line, level, pipeline, node, text);
	else
		compose_text(log, line, level, pipeline, node, text);
}

static const char erase[] = "\r\033[K";

static void erase_progress(struct log *log)
{
	if (log->progress_shown)
		write_page(log->fd, erase, sizeof(erase) - 1, 0);
	log->progress_shown = false;
}

static void show_progress(struct log *log, const char *line)
{
	const int size = snprintf(log->progress, sizeof(log->progress), "%s%s", erase, line);

	if (size > 0 && (size_t)size < sizeof(log->progress))
		log->progress_shown = write_page(log->fd, log->progress, (size_t)size, 0) > 0 ||
				      log->progress_shown;
}

static bool say_what_was_lost(struct log *log)
{
	struct line line;
	char text[80];

	if (log->lost == 0)
		return true;
	snprintf(text, sizeof(text), "standard error was full: %llu log lines were lost",
		(unsigned long long)log->lost);
	compose(log, &line, LOG_LEVEL_WARNING, NULL, NULL, text);
	if (!write_line(log, &line))
		return false;
	log->lost = 0;
	return true;
}

static void write_event(struct log *log, const struct event *event, const char *text)
{
	struct line line;

	compose(log, &line, event->level, event->pipeline, event->node, text);
	erase_progress(log);
	if (!say_what_was_lost(log) || !write_line(log, &line))
		log->lost++;
}

static void write_repeated(struct log *log, const struct event *event, uint64_t count)
{
	char text[REPEAT_TEXT + 60];

	snprintf(text, sizeof(text), "%s (repeated %llu time%s)", event->text,
		(unsigned long long)count, count == 1 ? "" : "s");
	write_event(log, event, text);
}

static void write_due(struct log *log, uint64_t now)
{
	const struct event *event;
	uint64_t count;

	while ((event = repeats_due(&log->repeats, now, &count)))
		write_repeated(log, event, count);
}

/* Folds the event, or writes it. */
static void take_event(struct log *log, const struct event *event)
{
	const uint64_t now = clock_ms();
	uint64_t count;

	write_due(log, now);
	const struct event *other = repeats_crowded(&log->repeats, now, &count);
	if (other)
		write_repeated(log, other, count);
	if (repeats_fold(&log->repeats, event, now))
		return;
	while ((other = repeats_overtaken(&log->repeats, event, &count)))
		write_repeated(log, other, count);
	write_event(log, event, event->text);
}

void log_event(struct log *log, enum log_level level, const char *pipeline, const char *node,
	const char *text)
{
	const struct event event = { level, pipeline, node, text };

	if (level < log->least)
		return;
	pthread_mutex_lock(&log->lock);
	const bool waited = repeats_patience(&log->repeats, 0) >= 0;
	take_event(log, &event);
	if (!waited && repeats_patience(&log->repeats, 0) >= 0 && log->wake)
		log->wake(log->wake_context);
	pthread_mutex_unlock(&log->lock);
}

void log_wake_by(struct log *log, void (*wake)(void *context), void *context)
{
	pthread_mutex_lock(&log->lock);
	log->wake = wake;
	log->wake_context = context;
	pthread_mutex_unlock(&log->lock);
}

int log_tell_repeats(struct log *log)
{
	const uint64_t now = clock_ms();

	pthread_mutex_lock(&log->lock);
	write_due(log, now);
	const int patience = repeats_patience(&log->repeats, now);
	pthread_mutex_unlock(&log->lock);
	return patience;
}

void log_settle(struct log *log)
{
	pthread_mutex_lock(&log->lock);
	write_due(log, clock_ms() + REPEAT_MS);
	pthread_mutex_unlock(&log->lock);
}

void log_say(struct log *log, enum log_level level, const char *format, ...)
{
	char text[1024];
	va_list list;

	va_start(list, format);
	vsnprintf(text, sizeof(text), format, list);
	va_end(list);
	log_event(log, level, NULL, NULL, text);
}

void log_engine_event(void *context, enum log_level level, const char *pipeline, const char *node,
	const char *text)
{
	log_event(context, level, pipeline, node, text);
}

void log_text(struct log *log, const char *text)
{
	size_t left = strlen(text);

	pthread_mutex_lock(&log->lock);
	erase_progress(log);
	while (left > 0) {
		const size_t written = write_page(log->fd, text, left, PATIENCE_MS);
		if (written == 0)
			break;
		text += written;
		left -= written;
	}
	pthread_mutex_unlock(&log->lock);
}

void log_progress(struct log *log, const char *line)
{
	pthread_mutex_lock(&log->lock);
	if (line)
		show_progress(log, line);
	else
		erase_progress(log);
	pthread_mutex_unlock(&log->lock);
}
