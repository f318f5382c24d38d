/* Running a configuration step by step. */

#include "tests/support/running.h"

#include "tests/support/copies_told.h"

#include <criterion/criterion.h>
#include <criterion/logging.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { LIMIT_S = 30 };

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
	(void)status;
	(void)kind;
	(void)place;
	return remove(path);
}

static void in_folder(void (*body)(struct running *running), struct running *running)
{
	char folder[] = "/tmp/viewduct-running-XXXXXX";

	cr_assert(mkdtemp(folder));
	cr_assert_eq(chdir(folder), 0);
	body(running);
	cr_assert_eq(chdir("/"), 0);
	cr_assert_eq(nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0, "%s: %s", folder,
		strerror(errno));
}

static void on_both(void (*body)(struct running *running), bool company)
{
	static const enum loop_wish backends[] = { LOOP_URING, LOOP_EPOLL };

	for (int i = 0; i < 2; i++) {
		struct running running = { .backend = backends[i], .company = company };
		const char *why;
		struct loop *loop = loop_create(backends[i], &why);

		if (!loop) {
			cr_assert_eq(backends[i], LOOP_URING);
			cr_log_warn("uring is left out: %s", why);
			continue;
		}
		loop_destroy(loop);
		in_folder(body, &running);
	}
}

void running_on_both(void (*body)(struct running *running))
{
	on_both(body, false);
}

void running_everywhere(void (*body)(struct running *running))
{
	on_both(body, false);
	on_both(body, true);
}

static void keep_log(void *context, enum log_level level, const char *pipeline, const char *node,
	const char *text)
{
	static const char *const names[] = { "debug", "info", "warning", "error" };
	struct running *running = context;
	size_t room = sizeof(running->log) - running->log_size;

	(void)pipeline;
	(void)node;
	int size = snprintf(running->log + running->log_size, room, "%s %s\n", names[level], text);
	running->log_size += (size_t)size < room ? (size_t)size : room - 1;
}

static void turn_quotes(char *text)
{
	for (; *text; text++)
		if (*text == '\'')
			*text = '"';
}

static bool plan_text(struct running *running, char *text)
{
	turn_quotes(text);
	if (!document_parse(
		    &running->document, "test.json", text, strlen(text), true, &running->faults))
		return false;
	running->plan = plan_create(&running->document, &running->faults);
	return running->plan != NULL;
}

/* It is planned by itself, so that it takes nothing of what a test's own pipeline may have. */
static void add_company(struct running *running)
{
	char text[] = "{'pipelines':{'beside':{'from':{'generate':{'lines':1}},'to':'null'}}}";
	struct running *beside = calloc(1, sizeof(*beside));

	cr_assert(beside && plan_text(beside, text));
	cr_assert(engine_add(running->engine, beside->plan->pipelines[0], &beside->faults));
	running->beside = beside;
}

bool running_open(struct running *running, const char *service, const char *pipelines, ...)
{
	static char inner[65536], text[131072];
	const char *why;
	va_list arguments;

	va_start(arguments, pipelines);
	vsnprintf(inner, sizeof(inner), pipelines, arguments);
	va_end(arguments);
	snprintf(text, sizeof(text), "{'service':{%s},'pipelines':{%s}}", service, inner);
	if (!plan_text(running, text))
		return false;
	running->loop = loop_create(running->backend, &why);
	cr_assert(running->loop, "%s", why);
	running->engine = engine_create(running->plan, 0, running->loop, keep_log, running);
	cr_assert(running->engine);
	if (!engine_open(running->engine, &running->faults))
		return false;
	if (running->company)
		add_company(running);
	return true;
}

static time_t seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

void running_until(struct running *running, bool (*met)(void *context), void *context)
{
	time_t limit = seconds() + LIMIT_S;

	while (!met(context)) {
		cr_assert(seconds() < limit, "waited in vain; the log:\n%s", running->log);
		engine_turn(running->engine, 1000);
	}
}

struct expected_file {
	const char *path, *content;
};

static bool file_is(void *context)
{
	const struct expected_file *expected = context;
	char *content = file_get(expected->path, NULL);
	bool same = strcmp(content, expected->content) == 0;

	free(content);
	return same;
}

void running_until_file(struct running *running, const char *path, const char *content)
{
	struct expected_file expected = { path, content };
	time_t limit = seconds() + LIMIT_S;

	while (!file_is(&expected)) {
		if (seconds() >= limit)
			cr_assert_str_eq(file_get(path, NULL), content);
		engine_turn(running->engine, 1000);
	}
}

struct expected_log {
	const struct running *running;
	const char *text;
};

static bool log_has(void *context)
{
	const struct expected_log *expected = context;

	return strstr(expected->running->log, expected->text) != NULL;
}

void running_until_log(struct running *running, const char *text)
{
	struct expected_log expected = { running, text };

	running_until(running, log_has, &expected);
}

static bool has_finished(void *context)
{
	return engine_finished(context);
}

void running_to_end(struct running *running)
{
	running_until(running, has_finished, running->engine);
}

void running_settle(struct running *running)
{
	for (int i = 0; i < 20; i++)
		engine_turn(running->engine, 10);
}

struct node *running_node(const struct running *running, const char *name)
{
	const struct pipeline *pipeline = running->plan->pipelines[0];

	for (size_t i = 0; i < pipeline->node_count; i++)
		if (strcmp(pipeline->nodes[i]->name, name) == 0)
			return pipeline->nodes[i];
	cr_assert(false, "no node %s", name);
	return NULL;
}

static void check_pools(const struct running *running)
{
	for (size_t i = 0; i < running->plan->count; i++) {
		const struct pool *pool = running->plan->pipelines[i]->pool;
		if (pool)
			cr_assert_eq(pool_free(pool), pool_count(pool));
	}
}

static void remove_company(struct running *running)
{
	struct running *beside = running->beside;

	if (!beside)
		return;
	plan_destroy(beside->plan);
	document_close(&beside->document);
	faults_close(&beside->faults);
	free(beside);
}

void running_close(struct running *running)
{
	if (running->engine) {
		copies_told_check(running->plan);
		cr_assert(engine_close(running->engine));
	}
	if (running->plan)
		check_pools(running);
	engine_destroy(running->engine);
	loop_destroy(running->loop);
	remove_company(running);
	plan_destroy(running->plan);
	document_close(&running->document);
	faults_close(&running->faults);
	*running = (struct running){ .backend = running->backend, .company = running->company };
}

static void write_all(const char *path, int flags, const char *data, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0644);

	cr_assert(fd >= 0, "%s", path);
	for (size_t at = 0; at < size;) {
		ssize_t got = write(fd, data + at, size - at);
		cr_assert_gt(got, 0);
		at += (size_t)got;
	}
	close(fd);
}

__attribute__((format(printf, 3, 0))) static void write_text(
	const char *path, int flags, const char *format, va_list arguments)
{
	char *text;
	int size = vasprintf(&text, format, arguments);

	cr_assert_geq(size, 0);
	write_all(path, flags, text, (size_t)size);
	free(text);
}

void file_put(const char *path, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	write_text(path, O_TRUNC, format, arguments);
	va_end(arguments);
}

void file_add(const char *path, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	write_text(path, O_APPEND, format, arguments);
	va_end(arguments);
}

void file_put_bytes(const char *path, const char *data, size_t size)
{
	write_all(path, O_TRUNC, data, size);
}

char *file_get(const char *path, size_t *size)
{
	struct stat status = { 0 };
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		cr_assert_eq(fstat(fd, &status), 0);
	char *data = calloc(1, (size_t)status.st_size + 1);
	cr_assert(data);
	ssize_t got = fd >= 0 ? read(fd, data, (size_t)status.st_size) : 0;
	cr_assert_geq(got, 0);
	if (fd >= 0)
		close(fd);
	if (size)
		*size = (size_t)got;
	return data;
}
