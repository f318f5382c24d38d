/* Where a running daemon may be asked: what the command line says, else $VIEWDUCT_ADMIN, else the configuration, else
 * the usual places, the socket before the address. */
#pragma once

#include "daemon/client.h"
#include "daemon/command_line.h"
#include "daemon/exit_status.h"

enum { PLACES_MOST = 3 };

struct places {
	char items[PLACES_MOST][300];
	size_t count;
	bool off; /* the configuration says that there is none */
};

/* False where a configuration that was named cannot be read, and then it is told. */
bool places_find(struct places *places, const struct command_line *line);

/* Leaves those that take no commands out, unless the caller named it. */
void places_for_commands(struct places *places);

/* Asks the first that answers; `client` is then to be closed, its status tells the answer's. False with `why`: what was
 * tried, and what came of it. */
bool places_ask(const struct places *places, struct client *client, const char *method,
	const char *path, int patience_ms, char *why, size_t size);

/* All of it for a command that asks once: what fails is told on standard error. */
enum exit_status places_ask_once(const struct command_line *line, bool commands,
	struct client *client, const char *method, const char *path, int patience_ms);
