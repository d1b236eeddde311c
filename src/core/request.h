/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * What a kdamond and those who ask something of it share. The protocol is explained in request.c.
 */
#ifndef UDAMON_CORE_REQUEST_H
#define UDAMON_CORE_REQUEST_H

#include "core/core.h"

/*
 * The schedule explorer (tests/explore) compiles its own copy of request.c and kdamond.c with
 * UDAMON_EXPLORE: it is told of every touch of a request, and can break one rule of the protocol
 * at a time to show that the fault is found. Nothing of this is in the library.
 */
#ifdef UDAMON_EXPLORE
enum damon_mutation {
	MUTATION_NONE,
	MUTATION_END_TWICE,	   /* a cancel doesn't see that a call runs */
	MUTATION_LEAVE_TRACE,	   /* a refused request stays in the list */
	MUTATION_FORGET_WAKE,	   /* submitting doesn't wake the kdamond */
	MUTATION_FORGET_CLOSE,	   /* a kdamond that ends drops its requests without a word */
	MUTATION_IGNORE_PAUSE,	   /* a pause doesn't cancel walks */
	MUTATION_TOUCH_AFTER_WAKE, /* complete first, detach afterwards */
	MUTATION_OLD_CANCELS,	   /* state is published before the requests are cancelled */
	MUTATION_ACCEPT_STOPPED,   /* registration doesn't look at the state */
	MUTATION_ALLOW_SELF,	   /* no check for being on the kdamond */
	MUTATION_ONE_WALKER,	   /* only the first walk is served by a pass */
	MUTATION_STALE_WALK_MARK,  /* a walk begins with the schemes' marks of an older one */
	NR_MUTATIONS,
};

extern enum damon_mutation explore_mutation;
void explore_touch(const struct damon_request *request);
#define MUTATED(name)  (explore_mutation == MUTATION_##name)
#define TOUCH(request) explore_touch(request)
#else
#define MUTATED(name)  (false)
#define TOUCH(request) ((void)(request))
#endif

enum kdamond_state {
	KDAMOND_STOPPED,  /* no thread, or one that is done and only to be joined */
	KDAMOND_STARTING, /* the thread is setting up */
	KDAMOND_READY,	  /* it has, and waits until the rest of its group has */
	KDAMOND_FAILED,	  /* it could not; damon_start() will say so and make it STOPPED */
	KDAMOND_ABORTED,  /* another of its group could not */
	KDAMOND_RUNNING,  /* requests are accepted */
	KDAMOND_CLOSING,  /* requests are refused; those there were are cancelled */
};

/* A call to a request's end() that has begun; lives on the stack of the thread that makes it. */
struct damon_ending {
	const struct damon_request *request;
	uint64_t thread_id;
	struct damon_ending *next;
};

struct damon_kdamond {
	struct damon_ctx *ctx;
	struct damon_port *port;
	struct damon_mutex *lock;   /* protects all down to the next comment */
	struct damon_cond *wake;    /* the kdamond waits for it */
	struct damon_cond *done;    /* those do who wait for a request's end */
	struct damon_cond *changed; /* and those who wait for another state */
	enum kdamond_state state;
	uint64_t incarnation; /* how often it was started */
	uint64_t thread_id;   /* who is the kdamond; 0 when nobody is */
	struct damon_thread *thread;
	bool stop;  /* asked to */
	int result; /* it ended with */
	struct damon_request *first, *last;
	uint64_t next_seq;
	struct damon_ending *endings;
	/* The kdamond's own. */
	uint64_t pass;	    /* of repeated calls */
	uint64_t walk_pass; /* of schemes */
	bool walked;	    /* somebody walks in the present scheme pass */
	uint64_t paused_ns; /* time spent paused so far */
	bool held;	    /* by the watermarks of all schemes */
};

/* Which calls damon_requests_serve() runs. */
enum damon_serve {
	SERVE_ASLEEP,	/* once-only ones, in the middle of a sampling interval */
	SERVE_PAUSED,	/* those and the ones that wait for the end of an interval */
	SERVE_BOUNDARY, /* all, repeated ones included */
};

/* All on the kdamond; "locked": with the lock held, which is dropped meanwhile. */
void damon_requests_serve_locked(struct damon_kdamond *kdamond, enum damon_serve which);
/* Whether there is something to do for it; lock held. */
bool damon_requests_pending(const struct damon_kdamond *kdamond, enum damon_serve which);
void damon_requests_cancel_walks_locked(struct damon_kdamond *kdamond);
void damon_requests_cancel_walks(struct damon_kdamond *kdamond);
/* No request is accepted from now on, and those there are end with -ECANCELED. */
void damon_requests_close(struct damon_kdamond *kdamond);

/* A scheme pass: begins, has come to a region, ends. */
void damon_walks_begin(struct damon_kdamond *kdamond);
void damon_walks_region(struct damon_kdamond *kdamond, struct damon_target *target,
			const struct damon_region *region, struct damos *scheme,
			uint64_t sz_filter_passed);
void damon_walks_scheme_done(struct damon_kdamond *kdamond, struct damos *scheme);
void damon_walks_end(struct damon_kdamond *kdamond);

static inline bool damon_on_kdamond(const struct damon_kdamond *kdamond)
{
	return kdamond->thread_id == kdamond->port->thread_self(kdamond->port);
}

/* @us from now, DAMON_NO_DEADLINE when that is beyond all clocks. */
static inline uint64_t damon_deadline_ns(struct damon_port *port, uint64_t us)
{
	uint64_t now_ns = port->now_ns(port);

	return us > (UINT64_MAX - now_ns) / 1000 ? DAMON_NO_DEADLINE : now_ns + us * 1000;
}

#endif
