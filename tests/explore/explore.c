// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The explorer's engine: choosing, going back, recognising faults, showing a schedule. */
#include "explore.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A run with more points than this doesn't end by itself. */
#define MAX_POINTS  20000
#define MAX_LENT    32
#define MAX_OBJECTS 32
#define POISON	    0x5a
/* Seconds; 256 runs take a small part of one. */
#define LOOP_S 30
/* Switches in a schedule's name. */
#define MAX_NAMED     64
#define NSEC_PER_USEC 1000ULL

/* A point at which another thread could have gone on. */
struct node {
	unsigned int point;  /* how many came before it */
	unsigned int nr;     /* threads that could go on */
	unsigned int dflt;   /* which of them does by the fixed rule */
	unsigned int taken;  /* which one does in this schedule */
	unsigned int next;   /* the next one to be tried */
	unsigned int used;   /* forced switches before it */
	bool blocked;	     /* the current thread couldn't go on: no choice is forced */
	unsigned int thread; /* number of the one taken */
};

struct pending {
	const char *what;
	uint64_t limit_ns;
};

struct lent {
	unsigned char *object;
	size_t size;
	const char *what;
	bool returned;
};

/*
 * Which schedules are equivalent. Everything a thread knows is in the order in which it and those
 * it depends on took locks, waited, and touched what was lent: that order is hashed for each
 * thread and each object. Two schedules that lead to the same hashes of all threads have only
 * swapped what doesn't depend on each other, and go on alike.
 */
struct order {
	uint64_t threads[EXPLORE_MAX_THREADS + 1];
	uint64_t mutexes[MAX_OBJECTS], conds[MAX_OBJECTS], lent[MAX_LENT];
	unsigned int takes[EXPLORE_MAX_THREADS + 1]; /* the mutex a thread waits for */
	unsigned int joins[EXPLORE_MAX_THREADS + 1];
};

/* States seen: their hash, and in the lowest bits the forced switches used up to there. */
struct seen {
	uint64_t *slots;
	size_t nr, room;
};

static struct explorer {
	struct damon_port *port;
	const struct explore_scenario *scenario;
	/* The schedule: a prefix that is followed, then the fixed rule. */
	struct node *nodes;
	unsigned int nr_nodes, nr_followed, room;
	/* The run. */
	unsigned int nr_points;
	unsigned int used;
	unsigned int nr_threads;
	struct pending pending[EXPLORE_MAX_THREADS + 1];
	struct lent lent[MAX_LENT];
	unsigned int nr_lent;
	struct order order;
	struct seen seen;
	bool pruned;
	bool quiet;
	unsigned int quiet_thread; /* who was at the last point, and did nothing visible since */
	char fault[256];
	/* Replay. */
	bool replaying, show, all_points;
	struct {
		unsigned int point, thread;
	} forced[MAX_NAMED];
	unsigned int nr_forced, nr_replayed;
} x;

static unsigned int self(void)
{
	return (unsigned int)x.port->thread_self(x.port);
}

/* Showing. */

#define COLUMN 36

static void show(unsigned int thread, const char *text)
{
	unsigned int column = thread ? thread - 1 : 0;

	if (!x.show)
		return;
	printf("  %*s%s\n", (int)(column * COLUMN), "", text);
}

static void show_head(const struct explore_scenario *scenario)
{
	unsigned int i;

	printf("  ");
	for (i = 0; i < scenario->nr_columns; i++)
		printf("%-*s", i + 1 < scenario->nr_columns ? COLUMN : 1, scenario->columns[i]);
	printf("\n");
}

void explore_note(const char *fmt, ...)
{
	char text[128];
	va_list ap;

	x.quiet_thread = 0;
	if (!x.show)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	show(self(), text);
}

/* Faults. */

static void set_fault(const char *fmt, va_list ap)
{
	if (!x.fault[0])
		vsnprintf(x.fault, sizeof(x.fault), fmt, ap);
}

void explore_fault(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	set_fault(fmt, ap);
	va_end(ap);
	damon_port_coop_end(x.port, -EPROTO);
	abort();
}

static void fault_outside(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	set_fault(fmt, ap);
	va_end(ap);
}

/* Schedules. */

static unsigned int thread_index(const unsigned int *runnable, unsigned int nr, unsigned int id)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (runnable[i] == id)
			return i;
	return nr;
}

static unsigned int replayed(const unsigned int *runnable, unsigned int nr, unsigned int dflt,
			     bool blocked)
{
	unsigned int i, idx;

	for (i = 0; i < x.nr_forced; i++) {
		if (x.forced[i].point != x.nr_points)
			continue;
		idx = thread_index(runnable, nr, x.forced[i].thread);
		if (idx == nr)
			fault_outside("no such schedule: thread %u can't go on at point %u",
				      x.forced[i].thread, x.nr_points);
		x.nr_replayed++;
		if (!blocked)
			x.used++;
		if (x.show)
			printf("  ~~~~ %s to %s\n", blocked ? "goes on" : "forced switch",
			       x.forced[i].thread <= x.scenario->nr_columns
				       ? x.scenario->columns[x.forced[i].thread - 1]
				       : "another thread");
		return idx < nr ? idx : dflt;
	}
	return dflt;
}

/*
 * Between giving back one lock and asking for the next, a thread that has done nothing others
 * could see need not be stopped twice: at both points the same schedules begin.
 */
static bool is_redundant(unsigned int current, const struct damon_coop_point *point)
{
	bool quiet = x.quiet_thread && x.quiet_thread == current;

	x.quiet_thread = strcmp(point->what, "unlock") ? 0 : current;
	return quiet && !strcmp(point->what, "lock");
}

static uint64_t mix(uint64_t a, uint64_t b)
{
	a ^= b + 0x9e3779b97f4a7c15ULL + (a << 6) + (a >> 2);
	a ^= a >> 30;
	a *= 0xbf58476d1ce4e5b9ULL;
	a ^= a >> 27;
	a *= 0x94d049bb133111ebULL;
	return a ^ a >> 31;
}

/* The thread and the object have met: each now depends on all the other depended on. */
static void meet(uint64_t *thread, uint64_t *object)
{
	*thread = mix(*thread, *object);
	*object = *thread;
}

static void order_point(unsigned int thread, const struct damon_coop_point *point)
{
	struct order *order = &x.order;
	uint64_t *hash = &order->threads[thread];

	*hash = mix(*hash, (uint64_t)point->what[0] << 8 | (uint64_t)point->what[1]);
	order->takes[thread] = point->mutex % MAX_OBJECTS;
	order->joins[thread] = 0;
	if (!strcmp(point->what, "wait") || !strcmp(point->what, "wake"))
		meet(hash, &order->conds[point->object % MAX_OBJECTS]);
	if (!strcmp(point->what, "start"))
		order->threads[point->object] = mix(*hash, point->object);
	if (!strcmp(point->what, "join"))
		order->joins[thread] = point->object;
}

static void order_goes_on(unsigned int thread)
{
	struct order *order = &x.order;

	if (order->takes[thread])
		meet(&order->threads[thread], &order->mutexes[order->takes[thread]]);
	if (order->joins[thread])
		order->threads[thread] =
			mix(order->threads[thread], order->threads[order->joins[thread]]);
	order->takes[thread] = 0;
	order->joins[thread] = 0;
}

static uint64_t *seen_slot(const struct seen *seen, uint64_t key)
{
	size_t idx = (size_t)(key >> 8) & (seen->room - 1);

	while (seen->slots[idx] && (seen->slots[idx] | 0xff) != (key | 0xff))
		idx = (idx + 1) & (seen->room - 1);
	return &seen->slots[idx];
}

static void seen_grow(struct seen *seen)
{
	struct seen bigger = {.room = seen->room ? 2 * seen->room : 1 << 12};
	size_t i;

	bigger.slots = calloc(bigger.room, sizeof(*bigger.slots));
	if (!bigger.slots)
		abort();
	bigger.nr = seen->nr;
	for (i = 0; i < seen->room; i++)
		if (seen->slots[i])
			*seen_slot(&bigger, seen->slots[i]) = seen->slots[i];
	free(seen->slots);
	*seen = bigger;
}

/* Whether all that can follow was, or is about to be, looked at with no less bound left. */
static bool was_here(unsigned int current)
{
	uint64_t key = mix(x.port->now_ns(x.port), current), *slot;
	unsigned int i;

	for (i = 1; i <= EXPLORE_MAX_THREADS; i++)
		key = mix(key, x.order.threads[i]);
	if (2 * x.seen.nr >= x.seen.room)
		seen_grow(&x.seen);
	slot = seen_slot(&x.seen, key);
	if (*slot && (*slot & 0xff) <= x.used)
		return true;
	if (!*slot)
		x.seen.nr++;
	*slot = (key & ~0xffULL) | x.used;
	return false;
}

static unsigned int choose_node(const unsigned int *runnable, unsigned int nr, unsigned int current,
				unsigned int dflt)
{
	struct node *node;

	if (x.nr_followed < x.nr_nodes) {
		node = &x.nodes[x.nr_followed++];
		if (node->point != x.nr_points || node->nr != nr)
			explore_fault("the scenario doesn't run the same way twice");
	} else {
		if (was_here(current)) {
			x.pruned = true;
			damon_port_coop_end(x.port, -ECHILD);
		}
		if (x.nr_nodes == x.room) {
			x.room = x.room ? 2 * x.room : 256;
			x.nodes = realloc(x.nodes, x.room * sizeof(*x.nodes));
			if (!x.nodes)
				abort();
		}
		node = &x.nodes[x.nr_nodes++];
		x.nr_followed++;
		*node = (struct node){.point = x.nr_points,
				      .nr = nr,
				      .dflt = dflt,
				      .taken = dflt,
				      .used = x.used,
				      .blocked = !current};
	}
	node->thread = runnable[node->taken];
	if (node->taken != node->dflt && !node->blocked)
		x.used++;
	if (!current || node->taken != dflt)
		x.quiet_thread = 0;
	return node->taken;
}

static unsigned int choose(void *data, const unsigned int *runnable, unsigned int nr,
			   unsigned int current, const struct damon_coop_point *point)
{
	unsigned int dflt = current ? thread_index(runnable, nr, current) : 0;
	bool redundant = is_redundant(current, point);
	unsigned int taken = dflt;
	char text[64];

	x.nr_points++;
	if (x.show && x.all_points) {
		snprintf(text, sizeof(text), "[%u] %s %u", x.nr_points, point->what, point->object);
		show(self(), text);
	}
	if (x.nr_points > MAX_POINTS)
		explore_fault("the run doesn't end (%u points)", MAX_POINTS);
	if (x.replaying)
		return replayed(runnable, nr, dflt, !current);
	order_point(self(), point);
	if (nr > 1 && !redundant && !x.quiet)
		taken = choose_node(runnable, nr, current, dflt);
	order_goes_on(runnable[taken]);
	return taken;
}

/* Makes the nodes the next schedule's prefix. False: that was the last. */
static bool next_schedule(unsigned int max_switches, uint64_t *nr_cut)
{
	while (x.nr_nodes) {
		struct node *node = &x.nodes[x.nr_nodes - 1];

		if (node->next == node->dflt)
			node->next++;
		if (node->next < node->nr) {
			if (node->blocked || node->used < max_switches) {
				node->taken = node->next++;
				return true;
			}
			*nr_cut += node->nr - node->next - (node->next < node->dflt);
		}
		x.nr_nodes--;
	}
	return false;
}

static void name_schedule(char *name, size_t size)
{
	size_t length = 0;
	unsigned int i;

	name[0] = '\0';
	for (i = 0; i < x.nr_nodes && length < size; i++)
		if (x.nodes[i].taken != x.nodes[i].dflt)
			length += (size_t)snprintf(name + length, size - length, "%s%u:%u",
						   length ? "," : "", x.nodes[i].point,
						   x.nodes[i].thread);
}

static int parse_schedule(const char *name)
{
	int used;

	x.nr_forced = 0;
	while (*name) {
		if (x.nr_forced == MAX_NAMED ||
		    sscanf(name, "%u:%u%n", &x.forced[x.nr_forced].point,
			   &x.forced[x.nr_forced].thread, &used) != 2)
			return -EINVAL;
		x.nr_forced++;
		name += used;
		if (*name == ',')
			name++;
		else if (*name)
			return -EINVAL;
	}
	return 0;
}

/* What the port reports. */

static void stuck(void *data)
{
	char who[128] = "";
	unsigned int i;

	for (i = 1; i <= EXPLORE_MAX_THREADS; i++)
		if (x.pending[i].what)
			snprintf(who + strlen(who), sizeof(who) - strlen(who), "%s%s",
				 who[0] ? ", " : ": ", x.pending[i].what);
	fault_outside("deadlock: all threads wait, without a deadline%s", who);
}

static int jump(void *data, uint64_t from_ns, uint64_t to_ns)
{
	unsigned int i;

	x.quiet_thread = 0;
	for (i = 1; i <= EXPLORE_MAX_THREADS; i++)
		x.order.threads[i] = mix(x.order.threads[i], to_ns);
	for (i = 1; i <= EXPLORE_MAX_THREADS; i++) {
		if (!x.pending[i].what || to_ns <= x.pending[i].limit_ns)
			continue;
		fault_outside(
			"starved: %s still waits when time goes on to %llu us (allowed: %llu)",
			x.pending[i].what, (unsigned long long)(to_ns / NSEC_PER_USEC),
			(unsigned long long)(x.pending[i].limit_ns / NSEC_PER_USEC));
		return -EPROTO;
	}
	if (x.show)
		printf("  .... nobody can run: time goes on to %llu us\n",
		       (unsigned long long)(to_ns / NSEC_PER_USEC));
	return 0;
}

/* For scenarios. */

struct damon_port *explore_port(void)
{
	return x.port;
}

struct damon_thread *explore_thread(void (*fn)(void *arg), void *arg)
{
	struct damon_thread *thread;

	if (x.port->thread_start(x.port, &thread, "scenario", fn, arg))
		explore_fault("no thread to be had");
	return thread;
}

void explore_join(struct damon_thread *thread)
{
	x.port->thread_join(x.port, thread);
}

void explore_quiet(bool quiet)
{
	x.quiet = quiet;
}

void explore_begin(const char *what, uint64_t limit_us)
{
	struct pending *pending = &x.pending[self()];

	x.quiet_thread = 0;
	pending->what = what;
	pending->limit_ns = limit_us == EXPLORE_NO_LIMIT
				    ? UINT64_MAX
				    : x.port->now_ns(x.port) + limit_us * NSEC_PER_USEC;
}

void explore_end(void)
{
	x.quiet_thread = 0;
	x.pending[self()].what = NULL;
}

static struct lent *find_lent(const void *object)
{
	unsigned int i;

	for (i = 0; i < x.nr_lent; i++)
		if (x.lent[i].object == object)
			return &x.lent[i];
	return NULL;
}

void explore_lend(void *object, size_t size, const char *what)
{
	struct lent *lent = find_lent(object);

	x.quiet_thread = 0;
	if (!lent) {
		if (x.nr_lent == MAX_LENT)
			explore_fault("the scenario lends too much");
		lent = &x.lent[x.nr_lent++];
	}
	*lent = (struct lent){.object = object, .size = size, .what = what};
	meet(&x.order.threads[self()], &x.order.lent[lent - x.lent]);
}

void explore_return(void *object)
{
	struct lent *lent = find_lent(object);

	x.quiet_thread = 0;
	if (!lent || lent->returned)
		explore_fault("%s is returned twice", lent ? lent->what : "something");
	lent->returned = true;
	meet(&x.order.threads[self()], &x.order.lent[lent - x.lent]);
	memset(lent->object, POISON, lent->size);
}

void explore_touch_object(const void *object)
{
	const struct lent *lent = find_lent(object);

	x.quiet_thread = 0;
	if (lent)
		meet(&x.order.threads[self()], &x.order.lent[lent - x.lent]);
	if (lent && lent->returned)
		explore_fault("touched after its owner got it back: %s", lent->what);
}

static void check_lent(void)
{
	unsigned int i;
	size_t b;

	for (i = 0; i < x.nr_lent; i++)
		for (b = 0; x.lent[i].returned && b < x.lent[i].size; b++)
			if (x.lent[i].object[b] != POISON)
				fault_outside("written to after its owner got it back: %s",
					      x.lent[i].what);
}

/* One run of the schedule that is set. */
static void run_once(void)
{
	int err;

	x.nr_followed = 0;
	x.nr_points = 0;
	x.used = 0;
	x.nr_lent = 0;
	x.quiet_thread = 0;
	x.quiet = false;
	x.pruned = false;
	memset(&x.order, 0, sizeof(x.order));
	x.fault[0] = '\0';
	memset(x.pending, 0, sizeof(x.pending));
	damon_port_coop_reset(x.port);
	err = damon_port_coop_run(x.port, x.scenario->run, x.scenario->arg);
	if (x.pruned)
		return;
	if (err && !x.fault[0])
		fault_outside(err == -EPERM
				      ? "a lock is given back by a thread that doesn't hold it"
			      : err == -EDEADLK ? "a thread takes a lock it holds"
						: "the run failed: %d",
			      err);
	if (err)
		return;
	check_lent();
	if (!x.fault[0] && damon_port_coop_nr_allocated(x.port))
		fault_outside("a trace is left: %zu allocations",
			      damon_port_coop_nr_allocated(x.port));
}

static void begin(const struct explore_scenario *scenario)
{
	static const struct damon_coop_chooser chooser = {
		.choose = choose, .stuck = stuck, .jump = jump};

	if (!x.port)
		x.port = damon_port_coop_new(1, &chooser);
	if (!x.port)
		abort();
	if (!x.seen.room)
		seen_grow(&x.seen);
	x.scenario = scenario;
	x.nr_nodes = 0;
	x.replaying = false;
	x.show = false;
}

static bool out_of_time(const struct explore_options *options)
{
	struct timespec ts;

	if (options->deadline_s == 0)
		return false;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9 > options->deadline_s;
}

/* All schedules of at most @max_switches. Keeps the faulty one with the fewest points. */
static void explore_bound(const struct explore_options *options, unsigned int max_switches,
			  struct explore_result *result)
{
	unsigned int fewest = MAX_POINTS + 1;

	x.nr_nodes = 0;
	memset(x.seen.slots, 0, x.seen.room * sizeof(*x.seen.slots));
	x.seen.nr = 0;
	result->nr_schedules = 0;
	result->nr_pruned = 0;
	result->nr_cut = 0;
	do {
		/* A loop without a point in it can't be left from inside: SIGALRM ends the process. */
		if (!((result->nr_schedules + result->nr_pruned) & 255))
			alarm(LOOP_S);
		if (!((result->nr_schedules + result->nr_pruned) & 255) && out_of_time(options)) {
			result->out_of_time = true;
			return;
		}
		run_once();
		if (x.pruned)
			result->nr_pruned++;
		else
			result->nr_schedules++;
		if (x.nr_points > result->max_points)
			result->max_points = x.nr_points;
		if (x.fault[0] && x.nr_points < fewest) {
			fewest = x.nr_points;
			snprintf(result->fault, sizeof(result->fault), "%s", x.fault);
			name_schedule(result->schedule, sizeof(result->schedule));
			result->nr_switches = x.used;
		}
	} while (next_schedule(max_switches, &result->nr_cut));
}

void explore(const struct explore_scenario *scenario, const struct explore_options *options,
	     struct explore_result *result)
{
	unsigned int bound;

	memset(result, 0, sizeof(*result));
	begin(scenario);
	for (bound = 0; bound <= options->max_switches; bound++) {
		explore_bound(options, bound, result);
		if (result->fault[0] || result->out_of_time)
			break;
	}
	alarm(0);
}

int explore_replay(const struct explore_scenario *scenario, const char *schedule, bool all_points,
		   struct explore_result *result)
{
	memset(result, 0, sizeof(*result));
	begin(scenario);
	if (parse_schedule(schedule))
		return -EINVAL;
	x.nr_replayed = 0;
	x.replaying = true;
	x.show = true;
	x.all_points = all_points;
	show_head(scenario);
	run_once();
	x.show = false;
	result->nr_schedules = 1;
	result->max_points = x.nr_points;
	result->nr_switches = x.used;
	snprintf(result->fault, sizeof(result->fault), "%s", x.fault);
	snprintf(result->schedule, sizeof(result->schedule), "%s", schedule);
	if (x.nr_replayed != x.nr_forced)
		return -EINVAL;
	printf("  => %s\n", x.fault[0] ? x.fault : "no fault");
	return 0;
}
