/* Signals. */
#include "daemon/signals.h"

#include "pipeline/io/loop.h"

#include <signal.h>

static const int watched[SIGNALS_WATCHED] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1 };

static void on_signal(uv_signal_t *watcher, int number)
{
	struct signals *signals = watcher->data;

	if (number == SIGTERM || number == SIGINT)
		signals->ends++;
	else
		signals->reopen = true;
	if (number == SIGHUP)
		signals->reload = true;
}

static void on_closed(uv_handle_t *handle)
{
	struct signals *signals = handle->data;

	signals->open--;
}

bool signals_open(struct signals *signals, struct loop *loop)
{
	*signals = (struct signals){ .loop = loop };
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a file sink sees EFBIG and tries again */
	signal(SIGUSR2,
		SIG_IGN); /* it has no meaning; USR1 has one, and who mistakes them ends nothing */
	for (size_t i = 0; i < SIGNALS_WATCHED; i++) {
		uv_signal_t *watcher = &signals->watchers[i];
		if (uv_signal_init(loop_uv(loop), watcher) != 0)
			return false;
		watcher->data = signals;
		signals->open++;
		if (uv_signal_start(watcher, on_signal, watched[i]) != 0)
			return false;
	}
	return true;
}

/* Who asks for something at the very end asks nobody: without a watcher that would kill, and look like a crash. */
static void close_watcher(uv_signal_t *watcher, int number)
{
	uv_close((uv_handle_t *)watcher, on_closed);
	if (number == SIGHUP || number == SIGUSR1)
		signal(number, SIG_IGN);
}

void signals_close(struct signals *signals)
{
	const uint32_t open = signals->open;
	sigset_t requests, before;

	sigemptyset(&requests);
	sigaddset(&requests, SIGHUP);
	sigaddset(&requests, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &requests, &before);
	for (uint32_t i = 0; i < open; i++)
		close_watcher(&signals->watchers[i], watched[i]);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	while (signals->open > 0)
		loop_turn(signals->loop, 0);
}
