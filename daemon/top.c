/* `viewduct top`: a terminal by escape sequences (ECMA-48), and nothing else. */
#include "daemon/top.h"

#include "daemon/clock.h"

#include "daemon/places.h"
#include "daemon/print.h"
#include "daemon/status_table.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_MS = 3000, INTERVAL_MS = 1000, MOST_TEXT = 64 * 1024 * 1024, HTTP_FINE = 200 };

/* The other screen, without a cursor; and back. */
static const char enter[] = "\033[?1049h\033[?25l", leave[] = "\033[?25h\033[?1049l";

static volatile sig_atomic_t ended_by, resized;

struct screen {
	struct places places;
	struct termios before;
	sigset_t signals_before;
	bool raw;
	char *table;    /* the last one; NULL: none yet */
	char why[1024]; /* there is none now */
};

/* --- the terminal -------------------------------------------------------------------------------------------------- */

static void on_end(int number)
{
	ended_by = number;
}

static void on_resize(int number)
{
	(void)number;
	resized = 1;
}

static void write_all(const char *text, size_t size)
{
	while (size > 0) {
		const ssize_t written = write(STDOUT_FILENO, text, size);
		if (written < 0 && errno != EINTR && errno != EAGAIN)
			return;
		if (written > 0) {
			text += written;
			size -= (size_t)written;
		}
	}
}

static const int ending[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

/* Signals are only taken while it waits, so that none is missed. */
static void catch_signals(struct screen *screen)
{
	const struct sigaction end = { .sa_handler = on_end }, resize = { .sa_handler = on_resize };
	sigset_t caught;

	sigemptyset(&caught);
	for (size_t i = 0; i < sizeof(ending) / sizeof(*ending); i++) {
		sigaction(ending[i], &end, NULL);
		sigaddset(&caught, ending[i]);
	}
	sigaction(SIGWINCH, &resize, NULL);
	sigaddset(&caught, SIGWINCH);
	sigprocmask(SIG_BLOCK, &caught, &screen->signals_before);
}

/* Keys come at once and are not shown; there is no way to stop it halfway. */
static void take_terminal(struct screen *screen)
{
	catch_signals(screen);
	if (tcgetattr(STDIN_FILENO, &screen->before) == 0) {
		struct termios raw = screen->before;
		raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
		raw.c_cc[VMIN] = 0;
		raw.c_cc[VTIME] = 0;
		raw.c_cc[VSUSP] = _POSIX_VDISABLE;
		screen->raw = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
	}
	write_all(enter, sizeof(enter) - 1);
}

static void give_terminal_back(const struct screen *screen)
{
	write_all(leave, sizeof(leave) - 1);
	if (screen->raw)
		tcsetattr(STDIN_FILENO, TCSANOW, &screen->before);
}

/* --- what is shown ------------------------------------------------------------------------------------------------- */

static void make_table(struct screen *screen, const char *text)
{
	struct winsize size = { 0 };

	ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
	const struct status_style style = { .coloured = true,
		.width = size.ws_col,
		.height = size.ws_row > 1 ? size.ws_row - 1u : 0 };
	cJSON *status = cJSON_Parse(text);
	free(screen->table);
	screen->table = status ? status_table(status, &style) : NULL;
	cJSON_Delete(status);
	if (!screen->table)
		snprintf(screen->why, sizeof(screen->why), "the answer is not understood");
}

/* False if there is no daemon. */
static bool ask(struct screen *screen)
{
	struct client client;

	screen->why[0] = '\0';
	if (!places_ask(&screen->places, &client, "GET", "/status", PATIENCE_MS, screen->why,
		    sizeof(screen->why)))
		return false;
	char *text = client_read_all(&client, MOST_TEXT);
	client_close(&client);
	if (text && client.status == HTTP_FINE)
		make_table(screen, text);
	else
		snprintf(screen->why, sizeof(screen->why), "%s", text ? text : client.error);
	free(text);
	return screen->why[0] == '\0';
}

/* Each line replaces the one that stands there; what is left of the old ones is erased. */
static void write_frame(FILE *out, const struct screen *screen)
{
	const char *at = screen->table ? screen->table : "";

	fputs("\033[H", out);
	while (*at) {
		const size_t size = strcspn(at, "\n");
		fwrite(at, 1, size, out);
		fputs("\033[K\n", out);
		at += size + (at[size] == '\n');
	}
	fprintf(out, "\033[J\033[2m%s%sq quits\033[0m", screen->why,
		screen->why[0] ? "; trying again each second; " : "");
}

static void show(const struct screen *screen)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return;
	write_frame(out, screen);
	if (fclose(out) == 0)
		write_all(text, size);
	free(text);
}

/* --- going on ------------------------------------------------------------------------------------------------------ */

static bool quits(void)
{
	char keys[64];
	const ssize_t size = read(STDIN_FILENO, keys, sizeof(keys));

	for (ssize_t i = 0; i < size; i++)
		if (keys[i] == 'q' || keys[i] == 'Q' || keys[i] == 3 || keys[i] == 4)
			return true;
	return size == 0; /* nobody is there to press a key */
}

/* Until it is time to ask again. False if it is to end. */
static bool wait(const struct screen *screen, int64_t until)
{
	while (!ended_by && !resized) {
		const int64_t left = until - (int64_t)clock_ms();
		if (left <= 0)
			return true;
		const struct timespec time = { .tv_sec = left / 1000,
			.tv_nsec = left % 1000 * 1000000 };
		struct pollfd keys = { .fd = STDIN_FILENO, .events = POLLIN };
		if (ppoll(&keys, 1, &time, &screen->signals_before) > 0 && quits())
			return false;
	}
	resized = 0;
	return !ended_by;
}

static void show_on(struct screen *screen)
{
	int64_t next = (int64_t)clock_ms();

	take_terminal(screen);
	do {
		show(screen);
		next += INTERVAL_MS;
		if (next < (int64_t)clock_ms())
			next = (int64_t)clock_ms() + INTERVAL_MS;
		if (!wait(screen, next))
			break;
		ask(screen);
	} while (true);
	give_terminal_back(screen);
}

enum exit_status top(const struct command_line *line)
{
	struct screen screen = { 0 };

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
		fprintf(stderr, "viewduct: top needs a terminal; status prints the same once\n");
		return STATUS_COMMAND_LINE;
	}
	if (!places_find(&screen.places, line))
		return STATUS_CONFIGURATION;
	if (!ask(&screen)) {
		fprintf(stderr, "viewduct: %s\n", screen.why);
		return STATUS_NO_DAEMON;
	}
	show_on(&screen);
	free(screen.table);
	return STATUS_FINE;
}
