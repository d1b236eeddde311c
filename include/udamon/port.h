/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * What the core needs from the world below it: time, threads, locks, memory.
 *
 * The core calls nothing of an operating system; it calls a port. Two ports
 * come with the library: damon_port_posix_new() (threads, monotonic clock) and
 * damon_port_coop_new() (one cooperative scheduler in virtual time, for
 * simulation and tests; its chooser may be replaced, which is how the schedule
 * explorer is made).
 */
#ifndef UDAMON_PORT_H
#define UDAMON_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** DAMON_NO_DEADLINE - wait without a deadline. */
#define DAMON_NO_DEADLINE UINT64_MAX

struct damon_thread;
struct damon_mutex;
struct damon_cond;

/** enum damon_metric - what a port can say of the system */
enum damon_metric {
	DAMON_METRIC_SOME_MEM_PSI_US,	 /* memory pressure "some" since boot, us */
	DAMON_METRIC_FREE_MEM_RATE,	 /* free memory, per mille */
	DAMON_METRIC_NODE_MEM_USED_BP,	 /* used memory of a node, bp */
	DAMON_METRIC_NODE_MEM_FREE_BP,	 /* free memory of a node, bp */
	DAMON_METRIC_NODE_MEMCG_USED_BP, /* a memory cgroup's share of a node's memory, bp */
	DAMON_METRIC_NODE_MEMCG_FREE_BP, /* 10,000 less that */
	DAMON_METRIC_ACTIVE_MEM_BP,	 /* active share of active and inactive memory, bp */
	DAMON_METRIC_INACTIVE_MEM_BP,	 /* the inactive share */
};

/**
 * enum damon_trace_point - what a kdamond tells of its work to whoever traces it
 *
 * Named as the kernel's trace points, with their fields in their order:
 * @DAMON_TRACE_AGGREGATED: a region of a window that was published: target_id nr_regions start
 *	end nr_accesses age
 * @DAMON_TRACE_BEFORE_APPLY: a scheme's action is about to be tried on a region: context_idx
 *	scheme_idx target_idx start end nr_accesses age nr_regions
 * @DAMON_TRACE_INTERVALS_TUNE: the intervals were tuned: sample_us
 * @DAMON_TRACE_ESZ: a quota's effective size was set anew: context_idx scheme_idx esz
 * @DAMON_TRACE_STAT_AFTER_APPLY: a scheme has done an apply interval: context_idx scheme_idx
 *	nr_tried sz_tried nr_applied sz_applied sz_ops_filter_passed qt_exceeds nr_snapshots
 *
 * context_idx is 0: a kdamond has one context. The thread that traces tells kdamonds apart.
 */
enum damon_trace_point {
	DAMON_TRACE_AGGREGATED,
	DAMON_TRACE_BEFORE_APPLY,
	DAMON_TRACE_INTERVALS_TUNE,
	DAMON_TRACE_ESZ,
	DAMON_TRACE_STAT_AFTER_APPLY,
	DAMON_NR_TRACE_POINTS,
};

/** DAMON_TRACE_MAX_FIELDS - no trace point has more */
#define DAMON_TRACE_MAX_FIELDS 9

/**
 * struct damon_port - the primitives a core runs on
 *
 * Every member is called with the port itself first, so that an implementation
 * embeds this struct in one of its own. All are callable from any thread of
 * the port unless said otherwise; none calls back into the core except
 * @thread_start's @fn.
 *
 * @alloc:	@size bytes of zeroed memory, aligned for any type; NULL when
 *		there is none. Never called in the sampling path.
 * @free:	give back what @alloc returned; NULL is allowed.
 * @now_ns:	nanoseconds of a clock that never goes back.
 * @seed:	a seed for a context that was given none.
 * @thread_cpu_ns: processor time the calling thread has used so far, in
 *		nanoseconds; 0 where time is virtual.
 * @thread_self: a number other than 0 that names the calling thread for as long as it
 *		lives.
 * @thread_start: run @fn(@arg) on a new thread named @name (at most 15
 *		characters count). 0 or -errno.
 * @thread_join: wait until that thread has returned and free it.
 * @mutex_new:	make a mutex (not recursive). 0 or -errno.
 * @mutex_free: free an unlocked mutex; NULL is allowed.
 * @mutex_lock: take it.
 * @mutex_unlock: release it; by the thread that took it.
 * @cond_new:	make a condition. 0 or -errno.
 * @cond_free:	free a condition nobody waits on; NULL is allowed.
 * @cond_wait:	release @mutex, wait for a wake-up or until @deadline_ns of
 *		@now_ns, take @mutex again. 0 when woken (possibly for nothing),
 *		-ETIMEDOUT when the deadline passed.
 * @cond_wake_all: wake every waiter; the caller holds the mutex the waiters
 *		wait with.
 * @metric:	read a metric of the system, of node @nid and of the memory cgroup @memcg_path where
 *		it is of one, into *@value. 0; -EOPNOTSUPP or -ENOTSUP where the system doesn't have it; -errno.
 *		May be NULL, and may be set before contexts are made: both ports of the
 *		library have none by themselves.
 * @metric_data: for @metric
 * @tracing:	whether anybody listens to @point now; asked before its fields are gathered. NULL:
 *		nobody ever does.
 * @trace:	tell whoever listens the fields of @point; there when @tracing is
 */
struct damon_port {
	void *(*alloc)(struct damon_port *port, size_t size);
	void (*free)(struct damon_port *port, void *ptr);
	uint64_t (*now_ns)(struct damon_port *port);
	uint64_t (*seed)(struct damon_port *port);
	uint64_t (*thread_cpu_ns)(struct damon_port *port);
	uint64_t (*thread_self)(struct damon_port *port);
	int (*thread_start)(struct damon_port *port, struct damon_thread **thread, const char *name,
			    void (*fn)(void *arg), void *arg);
	void (*thread_join)(struct damon_port *port, struct damon_thread *thread);
	int (*mutex_new)(struct damon_port *port, struct damon_mutex **mutex);
	void (*mutex_free)(struct damon_port *port, struct damon_mutex *mutex);
	void (*mutex_lock)(struct damon_port *port, struct damon_mutex *mutex);
	void (*mutex_unlock)(struct damon_port *port, struct damon_mutex *mutex);
	int (*cond_new)(struct damon_port *port, struct damon_cond **cond);
	void (*cond_free)(struct damon_port *port, struct damon_cond *cond);
	int (*cond_wait)(struct damon_port *port, struct damon_cond *cond,
			 struct damon_mutex *mutex, uint64_t deadline_ns);
	void (*cond_wake_all)(struct damon_port *port, struct damon_cond *cond);
	int (*metric)(struct damon_port *port, enum damon_metric metric, int32_t nid,
		      const char *memcg_path, uint64_t *value);
	void *metric_data;
	bool (*tracing)(struct damon_port *port, enum damon_trace_point point);
	void (*trace)(struct damon_port *port, enum damon_trace_point point,
		      const uint64_t *fields);
};

/**
 * damon_port_posix_new() - the live port: POSIX threads, CLOCK_MONOTONIC, malloc
 *
 * Return: the port, or NULL when memory ran out. Free it with
 * damon_port_posix_free() after everything made on it is gone.
 */
struct damon_port *damon_port_posix_new(void);
void damon_port_posix_free(struct damon_port *port);

/**
 * struct damon_coop_point - what a thread of a cooperative port is about to do, or has just done
 * @what:	"start", "lock", "unlock", "wait", "wake", "join", "exit", or what was given
 *		to damon_port_coop_point()
 * @object:	number of the mutex, condition, or thread concerned: 1, 2, ... in order of
 *		creation, each kind by itself; 0 where there is none
 * @mutex:	number of the mutex that is taken when the thread goes on; 0: none
 */
struct damon_coop_point {
	const char *what;
	unsigned int object;
	unsigned int mutex;
};

/**
 * struct damon_coop_chooser - decides which runnable thread of a cooperative port goes on
 *
 * @choose: called at every point where another thread could go on, with the
 *	ids (1, 2, ... in order of creation) of the @nr runnable threads in
 *	ascending order, @current being the one that runs now or 0 when it can't
 *	go on; @point says where it is: before a "lock", "wait", or "join", after anything
 *	else. Returns an index into @runnable. Also called when there is no choice (@nr 1),
 *	so that it sees every point. NULL in its place, or a NULL chooser: go on with the
 *	current thread while it can, else the lowest id.
 * @stuck: called when no thread can run and no deadline is pending (a
 *	deadlock), before the port unwinds to damon_port_coop_run(), which then returns
 *	-EDEADLK. May be NULL.
 * @jump: called before time jumps from @from_ns to @to_ns because nobody can
 *	run. A non-zero return ends the run with that error. May be NULL.
 * @data: passed back to each.
 */
struct damon_coop_chooser {
	unsigned int (*choose)(void *data, const unsigned int *runnable, unsigned int nr,
			       unsigned int current, const struct damon_coop_point *point);
	void (*stuck)(void *data);
	int (*jump)(void *data, uint64_t from_ns, uint64_t to_ns);
	void *data;
};

/**
 * damon_port_coop_new() - a port in which one thread runs at a time, in virtual time
 * @seed:	what the port's seed() gives
 * @chooser:	copied; NULL for the fixed rule
 *
 * Time starts at 0 and stands still while any thread can run; when all wait it
 * jumps to the earliest deadline. With the fixed rule the same program with
 * the same inputs always runs the same way.
 *
 * Return: the port, or NULL when memory ran out.
 */
struct damon_port *damon_port_coop_new(uint64_t seed, const struct damon_coop_chooser *chooser);

/**
 * damon_port_coop_run() - run @main(@arg) as the port's first thread, until all its threads end
 *
 * Return: 0; -EDEADLK when all threads waited without a deadline, or one locked a mutex it
 * holds; -EPERM when one unlocked a mutex it doesn't hold; what &damon_coop_chooser.jump
 * or damon_port_coop_end() gave; -ENOMEM. After an error the unfinished threads are dropped
 * where they stood: only damon_port_coop_reset() or damon_port_coop_free() may follow, and
 * what was allocated through the port is freed by it.
 */
int damon_port_coop_run(struct damon_port *port, void (*main)(void *arg), void *arg);

/** damon_port_coop_point() - a point of the program's own: another thread may go on here */
void damon_port_coop_point(struct damon_port *port, const char *what);

/** damon_port_coop_end() - end the run with @error; from one of its threads, doesn't return */
void damon_port_coop_end(struct damon_port *port, int error);

/**
 * damon_port_coop_reset() - as new: no threads, nothing allocated, time 0
 *
 * For many short runs one after the other; the threads' stacks are kept.
 */
void damon_port_coop_reset(struct damon_port *port);

/** damon_port_coop_nr_allocated() - how many allocations of the port haven't been freed */
size_t damon_port_coop_nr_allocated(const struct damon_port *port);

/** damon_port_coop_free() - free the port and everything allocated through it; NULL is allowed */
void damon_port_coop_free(struct damon_port *port);

#ifdef __cplusplus
}
#endif
#endif
