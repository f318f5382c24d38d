/* Control: what other threads (the admin server's) ask the first one to do, and what came of it. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

enum { CONTROL_TEXT = 256 };

struct control {
	pthread_mutex_t lock;
	pthread_cond_t answered;
	bool reopen;                 /* is asked for */
	uint64_t asked, taken, done; /* reloads: how many were asked for, begun, and answered */
	bool over;                   /* nobody will answer any more */
	bool good;                   /* of the last reload */
	char outcome[CONTROL_TEXT];
	char *details; /* what was wrong, line by line; NULL: there is no more to say */
};

void control_open(struct control *control);
void control_close(struct control *control);

/* --- on other threads; who asks then wakes the first --- */

void control_ask_reopen(struct control *control);

/* Asks for a reload. Gives a number to wait for. */
uint64_t control_ask_reload(struct control *control);

/* Waits until the reload has an answer, at most `patience_ms`: true if it was done. `outcome` in words; `details`, if
 * there are any, are allocated. */
bool control_wait(struct control *control, uint64_t number, uint64_t patience_ms,
	char outcome[CONTROL_TEXT], char **details);

/* --- on the first thread --- */

/* True, once, if it was asked for. */
bool control_take_reopen(struct control *control);
bool control_take_reload(struct control *control);

/* The reloads that were taken have come to this. */
void control_answer(struct control *control, bool good, const char *outcome, const char *details);

/* Lets go of whoever waits. */
void control_give_up(struct control *control);
