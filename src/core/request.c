// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Requests: how other threads ask something of a running kdamond.
 *
 * A kdamond owns its context. Whoever wants to look or change puts a request into the list of the
 * struct damon_kdamond, and the kdamond takes it up between its steps. There is one lock; it
 * protects the list, what is in the requests on it, and the kdamond's state. Nothing that is
 * shared is touched without it, and no callback is called with it.
 *
 * A kdamond's state	STOPPED -> STARTING -> READY -> RUNNING -> CLOSING -> STOPPED
 *
 *   Requests are accepted only while RUNNING, which is looked at under the same lock under which
 *   the request is put into the list. The kdamond makes itself CLOSING, after which the list can
 *   only shrink, cancels what is in it, and only then becomes STOPPED. A context can be started
 *   again only from STOPPED. So a list never holds a request of an older incarnation, an older
 *   incarnation never sees a newer one's, and none is forgotten.
 *
 * A request's state	QUEUED <-> RUNNING, then DONE
 *
 *   QUEUED	In the list. Whoever holds the lock may end it: the kdamond, its waiter whose
 *		timeout has passed, a thread that cancels it, a kdamond that closes.
 *   RUNNING	In the list, and its callback runs on the kdamond without the lock. Only the
 *		kdamond may take it out. Others can but mark it as cancelled and wait.
 *   DONE	Not in the list. It belongs to its owner again.
 *
 *   Ending a request is always: take it out of the list, then give it its end, which is the last
 *   touch. For one that somebody waits for, the end is DONE, written under the lock: the waiter
 *   can see it only after the lock was dropped, and nobody else has a way to reach the request any
 *   more, so that it may lie on the waiter's stack. For a repeated call the end is its end()
 *   callback, called without the lock and after which not even its address is used. Meanwhile its
 *   address stays in the list of endings, so that a thread that cancels can wait for a callback
 *   without touching what it may free. A request in the list is recognised by address and number,
 *   because an address may be used again at once.
 *
 * Who is served when
 *
 *   A call runs as soon as the kdamond wakes, also in the middle of a sampling interval, whose rest
 *   is then slept. Repeated ones, and those that ask for it, run at the boundary: after the
 *   checks, before the schemes. Only requests that were in the list when serving began are
 *   served, so that a thread that asks again and again can't keep the kdamond from its work.
 *
 *   A walk is accepted when a scheme pass begins, and gets that pass's number. Each scheme carries
 *   the number of the last pass it took part in. A walk is told of a scheme's regions while that
 *   number is lower than its own, and is done when no scheme's is. Nothing has to be reset, many
 *   can walk at once, and schemes may come and go. A pass that only begins after the walk is
 *   never missed, one that had begun before never counts. While paused, and without
 *   schemes, walks are cancelled.
 *
 * Locks: the library object's lock (how many kdamonds run) and the kdamond's are never held
 * together. The kdamond waits for the condition "wake", those who asked for "done", those who start
 * and stop for "changed".
 */
#include <errno.h>
#include <stddef.h>

#include "core/request.h"

enum request_kind {
	REQUEST_CALL,	       /* once, as soon as possible */
	REQUEST_BOUNDARY_CALL, /* once, when a sampling interval has ended */
	REQUEST_REPEATED_CALL, /* every time one has ended */
	REQUEST_WALK,
};

enum request_state {
	REQUEST_QUEUED = 1,
	REQUEST_RUNNING,
	REQUEST_DONE,
};

#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

static struct damon_call_control *to_call(struct damon_request *request)
{
	return container_of(request, struct damon_call_control, request);
}

static struct damos_walk_control *to_walk(struct damon_request *request)
{
	return container_of(request, struct damos_walk_control, request);
}

static void lock(struct damon_kdamond *kdamond)
{
	kdamond->port->mutex_lock(kdamond->port, kdamond->lock);
}

static void unlock(struct damon_kdamond *kdamond)
{
	kdamond->port->mutex_unlock(kdamond->port, kdamond->lock);
}

/* The list; lock held. */

static void attach(struct damon_kdamond *kdamond, struct damon_request *request)
{
	TOUCH(request);
	request->next = NULL;
	request->prev = kdamond->last;
	if (kdamond->last)
		kdamond->last->next = request;
	else
		kdamond->first = request;
	kdamond->last = request;
}

static void detach(struct damon_kdamond *kdamond, struct damon_request *request)
{
	TOUCH(request);
	if (request->prev)
		request->prev->next = request->next;
	else
		kdamond->first = request->next;
	if (request->next)
		request->next->prev = request->prev;
	else
		kdamond->last = request->prev;
}

/* Compares addresses only: @request may be anything. */
static bool is_listed(const struct damon_kdamond *kdamond, const struct damon_request *request)
{
	const struct damon_request *listed;

	for (listed = kdamond->first; listed; listed = listed->next)
		if (listed == request)
			return true;
	return false;
}

/* Whether another thread is in @request's end(). */
static bool is_ending(const struct damon_kdamond *kdamond, const struct damon_request *request)
{
	const struct damon_ending *ending;

	for (ending = kdamond->endings; ending; ending = ending->next)
		if (ending->request == request &&
		    ending->thread_id != kdamond->port->thread_self(kdamond->port))
			return true;
	return false;
}

static void call_end(struct damon_kdamond *kdamond, struct damon_request *request, int result)
{
	struct damon_call_control *control = to_call(request);
	struct damon_ending ending =
				    {
					    .request = request,
					    .thread_id = kdamond->port->thread_self(kdamond->port),
					    .next = kdamond->endings,
				    },
			    **link;

	if (!control->end)
		return;
	kdamond->endings = &ending;
	unlock(kdamond);
	control->end(control, result);
	lock(kdamond);
	for (link = &kdamond->endings; *link != &ending;)
		link = &(*link)->next;
	*link = ending.next;
}

/* The last touch of a request that was taken out of the list. Drops the lock meanwhile. */
static void end_request(struct damon_kdamond *kdamond, struct damon_request *request, int result)
{
	TOUCH(request);
	if (request->kind == REQUEST_REPEATED_CALL) {
		call_end(kdamond, request, result);
	} else {
		request->result = result;
		request->state = REQUEST_DONE;
	}
	kdamond->port->cond_wake_all(kdamond->port, kdamond->done);
}

/* Lock held. */
static void finish(struct damon_kdamond *kdamond, struct damon_request *request, int result)
{
	if (MUTATED(TOUCH_AFTER_WAKE)) {
		end_request(kdamond, request, result);
		unlock(kdamond);
		lock(kdamond);
		detach(kdamond, request);
		return;
	}
	detach(kdamond, request);
	end_request(kdamond, request, result);
}

/* The asking side. */

/* Lock held; on success the request is in the list. */
static int submit(struct damon_kdamond *kdamond, struct damon_request *request,
		  enum request_kind kind)
{
	if (damon_on_kdamond(kdamond) && !MUTATED(ALLOW_SELF))
		return -EDEADLK;
	if (kdamond->state != KDAMOND_RUNNING && !MUTATED(ACCEPT_STOPPED)) {
		if (MUTATED(LEAVE_TRACE))
			attach(kdamond, request);
		return -ECANCELED;
	}
	request->kind = kind;
	request->state = REQUEST_QUEUED;
	request->seq = ++kdamond->next_seq;
	request->pass = 0;
	request->cancelled = false;
	attach(kdamond, request);
	if (!MUTATED(FORGET_WAKE))
		kdamond->port->cond_wake_all(kdamond->port, kdamond->wake);
	return 0;
}

/* Lock held, by the thread that owns the request. */
static int wait_done(struct damon_kdamond *kdamond, struct damon_request *request,
		     uint64_t timeout_us)
{
	uint64_t deadline_ns = DAMON_NO_DEADLINE;

	if (timeout_us)
		deadline_ns = damon_deadline_ns(kdamond->port, timeout_us);
	while (request->state != REQUEST_DONE) {
		if (!kdamond->port->cond_wait(kdamond->port, kdamond->done, kdamond->lock,
					      deadline_ns))
			continue;
		if (request->state == REQUEST_QUEUED) {
			detach(kdamond, request);
			return -ETIMEDOUT;
		}
		/* Its callback has begun: that, and no more, is waited for. */
		if (request->state == REQUEST_RUNNING && !request->cancelled) {
			request->cancelled = true;
			request->result = -ETIMEDOUT;
		}
		deadline_ns = DAMON_NO_DEADLINE;
	}
	return request->result;
}

/*
 * Puts a request into the list and, unless it is a repeated call, waits for its end. A repeated call
 * may have ended, and been freed, at any moment from then on.
 */
static int ask(struct damon_ctx *ctx, struct damon_request *request, enum request_kind kind,
	       uint64_t timeout_us, bool *waited)
{
	struct damon_kdamond *kdamond = ctx->internal->kdamond;
	int err;

	lock(kdamond);
	err = submit(kdamond, request, kind);
	*waited = !err && kind != REQUEST_REPEATED_CALL;
	if (*waited)
		err = wait_done(kdamond, request, timeout_us);
	unlock(kdamond);
	return err;
}

static int call(struct damon_ctx *ctx, struct damon_call_control *control, enum request_kind kind)
{
	bool waited;
	int err;

	err = ask(ctx, &control->request, kind, control->timeout_us, &waited);
	if (waited && control->end)
		control->end(control, err);
	return err;
}

int damon_call(struct damon_ctx *ctx, struct damon_call_control *control)
{
	if (!control->fn)
		return -EINVAL;
	return call(ctx, control, control->repeat ? REQUEST_REPEATED_CALL : REQUEST_CALL);
}

int damos_walk(struct damon_ctx *ctx, struct damos_walk_control *control)
{
	bool waited;
	int err;

	if (!control->walk_fn)
		return -EINVAL;
	err = ask(ctx, &control->request, REQUEST_WALK, control->timeout_us, &waited);
	if (waited && control->end)
		control->end(control, err);
	return err;
}

/* Lock held. What becomes of a request whose callback runs now. */
static int cancel_running(struct damon_kdamond *kdamond, struct damon_request *request)
{
	uint64_t seq = request->seq;
	int err = -ENOENT;

	/* A call that runs once can't be undone any more. */
	if (!request->cancelled &&
	    (request->kind == REQUEST_REPEATED_CALL || request->kind == REQUEST_WALK)) {
		request->cancelled = true;
		request->result = -ECANCELED;
		err = 0;
	}
	if (damon_on_kdamond(kdamond))
		return err;
	while ((is_listed(kdamond, request) && request->seq == seq) || is_ending(kdamond, request))
		kdamond->port->cond_wait(kdamond->port, kdamond->done, kdamond->lock,
					 DAMON_NO_DEADLINE);
	return err;
}

/* @request may have ended, and been freed, long ago. */
static int cancel(struct damon_ctx *ctx, struct damon_request *request)
{
	struct damon_kdamond *kdamond = ctx->internal->kdamond;
	int err = 0;

	lock(kdamond);
	if (!is_listed(kdamond, request)) {
		err = -ENOENT;
		while (is_ending(kdamond, request))
			kdamond->port->cond_wait(kdamond->port, kdamond->done, kdamond->lock,
						 DAMON_NO_DEADLINE);
	} else if (request->state == REQUEST_RUNNING && !MUTATED(END_TWICE)) {
		err = cancel_running(kdamond, request);
	} else {
		finish(kdamond, request, -ECANCELED);
	}
	unlock(kdamond);
	return err;
}

int damon_call_cancel(struct damon_ctx *ctx, struct damon_call_control *control)
{
	return cancel(ctx, &control->request);
}

int damos_walk_cancel(struct damon_ctx *ctx, struct damos_walk_control *control)
{
	return cancel(ctx, &control->request);
}

/* Pause and resume: a call that takes effect where nothing is half done. */

static int set_pause(struct damon_ctx *ctx, void *data)
{
	ctx->pause = true;
	return 0;
}

static int clear_pause(struct damon_ctx *ctx, void *data)
{
	ctx->pause = false;
	return 0;
}

int damon_pause(struct damon_ctx *ctx)
{
	struct damon_call_control control = {.fn = set_pause};

	return call(ctx, &control, REQUEST_BOUNDARY_CALL);
}

int damon_resume(struct damon_ctx *ctx)
{
	struct damon_call_control control = {.fn = clear_pause};

	return call(ctx, &control, REQUEST_BOUNDARY_CALL);
}

/* The kdamond's side. */

static bool is_served(const struct damon_kdamond *kdamond, const struct damon_request *request,
		      enum damon_serve which)
{
	TOUCH(request);
	if (request->state != REQUEST_QUEUED)
		return false;
	switch (request->kind) {
	case REQUEST_CALL:
		return true;
	case REQUEST_BOUNDARY_CALL:
		return which != SERVE_ASLEEP;
	case REQUEST_REPEATED_CALL:
		return which == SERVE_BOUNDARY && request->pass != kdamond->pass;
	default:
		return false;
	}
}

static struct damon_request *next_served(const struct damon_kdamond *kdamond,
					 enum damon_serve which, uint64_t last_seq)
{
	struct damon_request *request;

	for (request = kdamond->first; request; request = request->next)
		if (request->seq <= last_seq && is_served(kdamond, request, which))
			return request;
	return NULL;
}

bool damon_requests_pending(const struct damon_kdamond *kdamond, enum damon_serve which)
{
	const struct damon_request *request;

	for (request = kdamond->first; request; request = request->next)
		if (is_served(kdamond, request, which) ||
		    (which == SERVE_PAUSED && request->kind == REQUEST_WALK &&
		     !MUTATED(IGNORE_PAUSE)))
			return true;
	return false;
}

void damon_requests_serve_locked(struct damon_kdamond *kdamond, enum damon_serve which)
{
	uint64_t last_seq = kdamond->next_seq;
	struct damon_request *request;
	int result;

	if (which == SERVE_BOUNDARY)
		kdamond->pass++;
	/* From the start each time: the list may have changed while the lock was dropped. */
	while ((request = next_served(kdamond, which, last_seq))) {
		struct damon_call_control *control = to_call(request);

		TOUCH(request);
		request->state = REQUEST_RUNNING;
		request->pass = kdamond->pass;
		unlock(kdamond);
		result = control->fn(kdamond->ctx, control->data);
		lock(kdamond);
		TOUCH(request);
		if (request->kind == REQUEST_REPEATED_CALL && request->cancelled)
			result = -ECANCELED;
		if (request->kind == REQUEST_REPEATED_CALL && !result)
			request->state = REQUEST_QUEUED;
		else
			finish(kdamond, request, result);
	}
}

void damon_requests_cancel_walks_locked(struct damon_kdamond *kdamond)
{
	struct damon_request *request, *next;

	for (request = kdamond->first; request; request = next) {
		TOUCH(request);
		next = request->next;
		if (request->kind == REQUEST_WALK && !MUTATED(IGNORE_PAUSE))
			finish(kdamond, request, -ECANCELED);
	}
}

void damon_requests_cancel_walks(struct damon_kdamond *kdamond)
{
	lock(kdamond);
	damon_requests_cancel_walks_locked(kdamond);
	unlock(kdamond);
}

void damon_requests_close(struct damon_kdamond *kdamond)
{
	struct damon_request *request;

	lock(kdamond);
	if (!MUTATED(OLD_CANCELS))
		kdamond->state = KDAMOND_CLOSING;
	while ((request = kdamond->first)) {
		if (MUTATED(FORGET_CLOSE)) {
			detach(kdamond, request);
			continue;
		}
		finish(kdamond, request, -ECANCELED);
	}
	unlock(kdamond);
}

void damon_walks_begin(struct damon_kdamond *kdamond)
{
	struct damon_request *request;

	kdamond->walk_pass++;
	kdamond->walked = false;
	lock(kdamond);
	for (request = kdamond->first; request; request = request->next) {
		TOUCH(request);
		if (request->kind != REQUEST_WALK)
			continue;
		if (!request->pass)
			request->pass = MUTATED(STALE_WALK_MARK) ? 1 : kdamond->walk_pass;
		kdamond->walked = true;
	}
	unlock(kdamond);
}

static bool wants_scheme(const struct damon_request *request, const struct damos *scheme)
{
	TOUCH(request);
	return request->kind == REQUEST_WALK && request->pass && scheme->last_pass < request->pass;
}

void damon_walks_region(struct damon_kdamond *kdamond, struct damon_target *target,
			const struct damon_region *region, struct damos *scheme,
			uint64_t sz_filter_passed)
{
	struct damon_request *request, *next;

	if (!kdamond->walked)
		return;
	lock(kdamond);
	for (request = kdamond->first; request; request = next) {
		next = request->next;
		if (!wants_scheme(request, scheme))
			continue;
		TOUCH(request);
		request->state = REQUEST_RUNNING;
		unlock(kdamond);
		to_walk(request)->walk_fn(kdamond->ctx, target, region, scheme, sz_filter_passed,
					  to_walk(request)->data);
		lock(kdamond);
		TOUCH(request);
		/* Nobody took it out meanwhile, so what comes next in the list is right. */
		next = request->next;
		request->state = REQUEST_QUEUED;
		if (request->cancelled)
			finish(kdamond, request, request->result);
		if (MUTATED(ONE_WALKER))
			break;
	}
	unlock(kdamond);
}

void damon_walks_scheme_done(struct damon_kdamond *kdamond, struct damos *scheme)
{
	scheme->last_pass = kdamond->walk_pass;
}

static bool has_seen_all(const struct damon_ctx *ctx, const struct damon_request *request)
{
	uint32_t i;

	for (i = 0; i < ctx->nr_schemes; i++)
		if (wants_scheme(request, ctx->schemes[i]))
			return false;
	return true;
}

void damon_walks_end(struct damon_kdamond *kdamond)
{
	struct damon_request *request, *next;

	if (!kdamond->walked)
		return;
	lock(kdamond);
	for (request = kdamond->first; request; request = next) {
		next = request->next;
		if (request->kind == REQUEST_WALK && request->pass &&
		    has_seen_all(kdamond->ctx, request))
			finish(kdamond, request, 0);
	}
	unlock(kdamond);
}
