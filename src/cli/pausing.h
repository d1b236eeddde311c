/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Pausing and going on, without waiting for it. */
#ifndef UDAMON_CLI_PAUSING_H
#define UDAMON_CLI_PAUSING_H

#include <pthread.h>
#include <stdbool.h>

#include <udamon/damon.h>

/**
 * struct pausing - what is wanted, and what has come of it
 * @wanted:	by the user; the main loop's
 * @paused:	as pausing_follow() found it last; the main loop's
 * @call:	what asks for a pause
 * @lock:	of the rest
 * @asked:	the call is on its way
 * @taken:	the context pauses
 * @changed:	called when pausing_follow() may find something new, from any thread; with @data
 */
struct pausing {
	bool wanted;
	bool paused;
	struct damon_call_control call;
	pthread_mutex_t lock;
	bool asked;
	bool taken;
	void (*changed)(void *data);
	void *data;
};

/** pausing_init() - not paused */
void pausing_init(struct pausing *pausing, void (*changed)(void *data), void *data);

/** pausing_clear() - after the context has stopped */
void pausing_clear(struct pausing *pausing);

/**
 * pausing_follow() - see to it that what is wanted comes to be
 *
 * Return: whether @paused is another one than before.
 */
bool pausing_follow(struct pausing *pausing, struct damon_ctx *ctx);

#endif
