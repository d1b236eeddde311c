// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Pausing and going on, without waiting for it.
 *
 * A pause begins after a sampling interval, which may be long: the main loop, where Ctrl-C would have
 * to wait as well, only asks for it. It ends at once.
 */
#include "cli/pausing.h"

void pausing_init(struct pausing *pausing, void (*changed)(void *data), void *data)
{
	*pausing = (struct pausing){.changed = changed, .data = data};
	pthread_mutex_init(&pausing->lock, NULL);
}

void pausing_clear(struct pausing *pausing)
{
	pthread_mutex_destroy(&pausing->lock);
}

/* Once: what is not 0 ends a repeated call, the only kind that nobody waits for. */
static int take(struct damon_ctx *ctx, void *data)
{
	struct pausing *pausing = data;

	pthread_mutex_lock(&pausing->lock);
	ctx->pause = true;
	pausing->taken = true;
	pthread_mutex_unlock(&pausing->lock);
	return 1;
}

static void ended(struct damon_call_control *control, int result)
{
	struct pausing *pausing = control->data;

	pthread_mutex_lock(&pausing->lock);
	pausing->asked = false;
	pthread_mutex_unlock(&pausing->lock);
	pausing->changed(pausing->data);
}

static void ask(struct pausing *pausing, struct damon_ctx *ctx)
{
	pausing->call = (struct damon_call_control){
		.fn = take, .data = pausing, .repeat = true, .end = ended};
	if (damon_call(ctx, &pausing->call))
		ended(&pausing->call, 0); /* it has just stopped */
}

static void go_on(struct pausing *pausing, struct damon_ctx *ctx)
{
	if (damon_resume(ctx))
		return; /* it has just stopped */
	pthread_mutex_lock(&pausing->lock);
	pausing->taken = false;
	pthread_mutex_unlock(&pausing->lock);
}

bool pausing_follow(struct pausing *pausing, struct damon_ctx *ctx)
{
	bool before = pausing->paused, begin, end, withdraw;

	pthread_mutex_lock(&pausing->lock);
	withdraw = pausing->asked && !pausing->wanted;
	pthread_mutex_unlock(&pausing->lock);
	if (withdraw)
		damon_call_cancel(ctx, &pausing->call);
	pthread_mutex_lock(&pausing->lock);
	begin = !pausing->asked && pausing->wanted && !pausing->taken;
	end = !pausing->asked && !pausing->wanted && pausing->taken;
	pausing->asked = pausing->asked || begin;
	pthread_mutex_unlock(&pausing->lock);
	if (begin)
		ask(pausing, ctx);
	if (end)
		go_on(pausing, ctx);
	pthread_mutex_lock(&pausing->lock);
	pausing->paused = pausing->taken;
	pthread_mutex_unlock(&pausing->lock);
	return pausing->paused != before;
}
