// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * The cooperative port: one thread runs at a time, in virtual time.
 *
 * Each thread of the port is a coroutine with a stack of its own. A thread goes on until it
 * can't, or until the chooser, asked at every synchronisation point, names another. With one
 * thread that sleeps, time is moved on and the call returns: nothing is switched, which makes
 * simulation fast.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <udamon/port.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
#endif

/* Room for a callback that prints, formats and writes to a database. */
#define STACK_SIZE (512 * 1024)
#define GUARD_SIZE 4096

/* What thread_self() gives outside damon_port_coop_run(). */
#define OUTSIDE UINT64_MAX

enum thread_state {
	THREAD_READY,	/* runs, or could */
	THREAD_LOCKING, /* goes on as soon as @mutex is free */
	THREAD_WAITING, /* for @cond or @deadline_ns */
	THREAD_JOINING, /* goes on as soon as @joined has ended */
	THREAD_ENDED,
};

struct stack {
	struct stack *next; /* in the port's list of unused ones */
	char *base;	    /* lowest usable address */
};

struct damon_thread {
	unsigned int id;
	enum thread_state state;
	struct damon_mutex *mutex;
	struct damon_cond *cond;
	struct damon_thread *joined;
	uint64_t deadline_ns;
	bool timed_out;
	void (*fn)(void *arg);
	void *arg;
	struct coop *coop;
	struct stack *stack;
	ucontext_t context;
	void *fake_stack; /* the address sanitizer's */
	void *fiber;	  /* the thread sanitizer's */
	struct damon_thread *next;
};

struct damon_mutex {
	unsigned int id;
	uint64_t owner; /* thread id, 0 when free */
};

struct damon_cond {
	unsigned int id;
};

/* Before every allocation, so that a run that is dropped leaks nothing. */
struct alloc_head {
	struct alloc_head *prev, *next;
} __attribute__((aligned(16)));

struct coop {
	struct damon_port port;
	uint64_t seed;
	struct damon_coop_chooser chooser;
	uint64_t now_ns;
	struct damon_thread *threads;		       /* in order of creation */
	struct damon_thread *current;		       /* NULL outside a run */
	unsigned int nr_threads, nr_mutexes, nr_conds; /* made so far: the ids */
	int error;
	struct alloc_head allocs;
	size_t nr_allocs;
	struct stack *unused_stacks;
	unsigned int *runnable; /* room for the ids of all threads */
	unsigned int runnable_room;
	ucontext_t outside; /* of damon_port_coop_run()'s caller */
	const void *outside_stack;
	size_t outside_stack_size;
	void *outside_fake_stack;
	void *outside_fiber;
};

static struct coop *to_coop(struct damon_port *port)
{
	return (struct coop *)port;
}

/* Memory. */

static void *coop_alloc(struct damon_port *port, size_t size)
{
	struct coop *coop = to_coop(port);
	struct alloc_head *head;

	if (size > SIZE_MAX - sizeof(*head))
		return NULL;
	head = calloc(1, sizeof(*head) + size);
	if (!head)
		return NULL;
	head->prev = &coop->allocs;
	head->next = coop->allocs.next;
	head->next->prev = head;
	coop->allocs.next = head;
	coop->nr_allocs++;
	return head + 1;
}

static void coop_free(struct damon_port *port, void *ptr)
{
	struct alloc_head *head;

	if (!ptr)
		return;
	head = (struct alloc_head *)ptr - 1;
	head->prev->next = head->next;
	head->next->prev = head->prev;
	to_coop(port)->nr_allocs--;
	free(head);
}

static struct stack *stack_get(struct coop *coop)
{
	struct stack *stack = coop->unused_stacks;
	void *map;

	if (stack) {
		coop->unused_stacks = stack->next;
#ifdef __SANITIZE_ADDRESS__
		/* A thread that was dropped left the marks of its frames. */
		__asan_unpoison_memory_region(stack->base, STACK_SIZE);
#endif
		return stack;
	}
	stack = malloc(sizeof(*stack));
	if (!stack)
		return NULL;
	map = mmap(NULL, GUARD_SIZE + STACK_SIZE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
	if (map == MAP_FAILED) {
		free(stack);
		return NULL;
	}
	mprotect(map, GUARD_SIZE, PROT_NONE);
	stack->base = (char *)map + GUARD_SIZE;
	return stack;
}

static void stack_put(struct coop *coop, struct stack *stack)
{
	stack->next = coop->unused_stacks;
	coop->unused_stacks = stack;
}

/* Switching. @from or @to NULL is the caller of damon_port_coop_run(). */

static void switch_to(struct coop *coop, struct damon_thread *from, struct damon_thread *to)
{
	ucontext_t *save = from ? &from->context : &coop->outside;
	ucontext_t *load = to ? &to->context : &coop->outside;

	coop->current = to;
#ifdef __SANITIZE_ADDRESS__
	void **fake = from ? &from->fake_stack : &coop->outside_fake_stack;

	__sanitizer_start_switch_fiber(from && from->state == THREAD_ENDED ? NULL : fake,
				       to ? to->stack->base : coop->outside_stack,
				       to ? STACK_SIZE : coop->outside_stack_size);
#endif
#ifdef __SANITIZE_THREAD__
	if (!from)
		coop->outside_fiber = __tsan_get_current_fiber();
	__tsan_switch_to_fiber(to ? to->fiber : coop->outside_fiber, 0);
#endif
	swapcontext(save, load);
#ifdef __SANITIZE_ADDRESS__
	__sanitizer_finish_switch_fiber(*fake, NULL, NULL);
#endif
}

static bool can_run(const struct damon_thread *thread)
{
	switch (thread->state) {
	case THREAD_READY:
		return true;
	case THREAD_LOCKING:
		return !thread->mutex->owner;
	case THREAD_JOINING:
		return thread->joined->state == THREAD_ENDED;
	default:
		return false;
	}
}

/* Nobody can run: move time on to the earliest deadline. */
static int jump(struct coop *coop)
{
	uint64_t deadline_ns = DAMON_NO_DEADLINE;
	struct damon_thread *thread;
	int err;

	for (thread = coop->threads; thread; thread = thread->next)
		if (thread->state == THREAD_WAITING && thread->deadline_ns < deadline_ns)
			deadline_ns = thread->deadline_ns;
	if (deadline_ns == DAMON_NO_DEADLINE) {
		if (coop->chooser.stuck)
			coop->chooser.stuck(coop->chooser.data);
		return -EDEADLK;
	}
	if (deadline_ns > coop->now_ns) {
		if (coop->chooser.jump) {
			err = coop->chooser.jump(coop->chooser.data, coop->now_ns, deadline_ns);
			if (err)
				return err;
		}
		coop->now_ns = deadline_ns;
	}
	for (thread = coop->threads; thread; thread = thread->next) {
		if (thread->state != THREAD_WAITING || thread->deadline_ns > coop->now_ns)
			continue;
		thread->state = THREAD_LOCKING;
		thread->timed_out = true;
	}
	return 0;
}

/* Fills coop->runnable. Returns how many; sets *@any_alive when a thread hasn't ended. */
static unsigned int list_runnable(struct coop *coop, bool *any_alive)
{
	struct damon_thread *thread;
	unsigned int nr = 0;

	*any_alive = false;
	for (thread = coop->threads; thread; thread = thread->next) {
		if (thread->state != THREAD_ENDED)
			*any_alive = true;
		if (can_run(thread))
			coop->runnable[nr++] = thread->id;
	}
	return nr;
}

static unsigned int choose(struct coop *coop, unsigned int nr, unsigned int current,
			   const struct damon_coop_point *point)
{
	unsigned int idx;

	if (!coop->chooser.choose)
		return current ? current : coop->runnable[0];
	idx = coop->chooser.choose(coop->chooser.data, coop->runnable, nr, current, point);
	return coop->runnable[idx < nr ? idx : 0];
}

/* The current thread is at @what; whoever is to go on goes on. */
static void reschedule(struct coop *coop, const char *what, unsigned int object)
{
	struct damon_thread *from = coop->current, *to;
	const struct damon_coop_point point = {
		.what = what,
		.object = object,
		.mutex = from->state == THREAD_LOCKING || from->state == THREAD_WAITING
				 ? from->mutex->id
				 : 0,
	};
	unsigned int nr, id;
	bool any_alive;

	for (;;) {
		nr = list_runnable(coop, &any_alive);
		if (nr)
			break;
		if (any_alive)
			coop->error = jump(coop);
		if (!any_alive || coop->error) {
			switch_to(coop, from, NULL);
			/* Nobody comes back from there. */
			abort();
		}
	}
	id = choose(coop, nr, can_run(from) ? from->id : 0, &point);
	for (to = coop->threads; to->id != id;)
		to = to->next;
	if (to->state == THREAD_LOCKING)
		to->mutex->owner = to->id;
	to->state = THREAD_READY;
	if (to != from)
		switch_to(coop, from, to);
}

void damon_port_coop_end(struct damon_port *port, int error)
{
	struct coop *coop = to_coop(port);

	if (!coop->current)
		return;
	coop->error = error;
	switch_to(coop, coop->current, NULL);
	abort();
}

void damon_port_coop_point(struct damon_port *port, const char *what)
{
	struct coop *coop = to_coop(port);

	if (coop->current && coop->chooser.choose)
		reschedule(coop, what, 0);
}

/* Time and identity. */

static uint64_t coop_now_ns(struct damon_port *port)
{
	return to_coop(port)->now_ns;
}

static uint64_t coop_seed(struct damon_port *port)
{
	return to_coop(port)->seed;
}

static uint64_t coop_thread_cpu_ns(struct damon_port *port)
{
	return 0;
}

static uint64_t coop_thread_self(struct damon_port *port)
{
	struct coop *coop = to_coop(port);

	return coop->current ? coop->current->id : OUTSIDE;
}

/* Threads. */

static void thread_entry(unsigned int high, unsigned int low)
{
	uintptr_t bits = (uintptr_t)((uint64_t)high << 32 | low);
	struct damon_thread *thread = (struct damon_thread *)bits;
	struct coop *coop = thread->coop;

#ifdef __SANITIZE_ADDRESS__
	const void *stack;
	size_t size;

	__sanitizer_finish_switch_fiber(NULL, &stack, &size);
	if (!coop->outside_stack) {
		coop->outside_stack = stack;
		coop->outside_stack_size = size;
	}
#endif
	thread->fn(thread->arg);
	thread->state = THREAD_ENDED;
	reschedule(coop, "exit", thread->id);
	abort();
}

static int coop_thread_start(struct damon_port *port, struct damon_thread **thread,
			     const char *name, void (*fn)(void *arg), void *arg)
{
	struct coop *coop = to_coop(port);
	struct damon_thread *new, **last;
	uint64_t bits;
	unsigned int *room;

	if (coop->nr_threads >= coop->runnable_room) {
		room = realloc(coop->runnable, (coop->nr_threads + 16) * sizeof(*room));
		if (!room)
			return -ENOMEM;
		coop->runnable = room;
		coop->runnable_room = coop->nr_threads + 16;
	}
	new = calloc(1, sizeof(*new));
	if (!new)
		return -ENOMEM;
	new->stack = stack_get(coop);
	if (!new->stack || getcontext(&new->context)) {
		if (new->stack)
			stack_put(coop, new->stack);
		free(new);
		return -ENOMEM;
	}
	new->id = ++coop->nr_threads;
	new->fn = fn;
	new->arg = arg;
	new->coop = coop;
	new->context.uc_stack.ss_sp = new->stack->base;
	new->context.uc_stack.ss_size = STACK_SIZE;
	bits = (uintptr_t) new;
	makecontext(&new->context, (void (*)(void))(uintptr_t)thread_entry, 2,
		    (unsigned int)(bits >> 32), (unsigned int)bits);
#ifdef __SANITIZE_THREAD__
	new->fiber = __tsan_create_fiber(0);
#endif
	for (last = &coop->threads; *last;)
		last = &(*last)->next;
	*last = new;
	*thread = new;
	if (coop->current && coop->chooser.choose)
		reschedule(coop, "start", new->id);
	return 0;
}

static void thread_free(struct coop *coop, struct damon_thread *thread)
{
	struct damon_thread **link;

	for (link = &coop->threads; *link != thread;)
		link = &(*link)->next;
	*link = thread->next;
#ifdef __SANITIZE_THREAD__
	__tsan_destroy_fiber(thread->fiber);
#endif
	stack_put(coop, thread->stack);
	free(thread);
}

static void coop_thread_join(struct damon_port *port, struct damon_thread *thread)
{
	struct coop *coop = to_coop(port);

	if (coop->current && (thread->state != THREAD_ENDED || coop->chooser.choose)) {
		coop->current->state = THREAD_JOINING;
		coop->current->joined = thread;
		reschedule(coop, "join", thread->id);
	}
	thread_free(coop, thread);
}

/* Mutexes. */

static int coop_mutex_new(struct damon_port *port, struct damon_mutex **mutex)
{
	*mutex = port->alloc(port, sizeof(**mutex));
	if (!*mutex)
		return -ENOMEM;
	(*mutex)->id = ++to_coop(port)->nr_mutexes;
	return 0;
}

static void coop_mutex_free(struct damon_port *port, struct damon_mutex *mutex)
{
	port->free(port, mutex);
}

static void coop_mutex_lock(struct damon_port *port, struct damon_mutex *mutex)
{
	struct coop *coop = to_coop(port);
	struct damon_thread *self = coop->current;

	if (!self) {
		mutex->owner = OUTSIDE;
		return;
	}
	if (mutex->owner == self->id)
		damon_port_coop_end(port, -EDEADLK);
	if (!mutex->owner && !coop->chooser.choose) {
		mutex->owner = self->id;
		return;
	}
	self->state = THREAD_LOCKING;
	self->mutex = mutex;
	reschedule(coop, "lock", mutex->id);
}

static void coop_mutex_unlock(struct damon_port *port, struct damon_mutex *mutex)
{
	struct coop *coop = to_coop(port);

	if (coop->current && mutex->owner != coop->current->id)
		damon_port_coop_end(port, -EPERM);
	mutex->owner = 0;
	if (coop->current && coop->chooser.choose)
		reschedule(coop, "unlock", mutex->id);
}

/* Conditions. */

static int coop_cond_new(struct damon_port *port, struct damon_cond **cond)
{
	*cond = port->alloc(port, sizeof(**cond));
	if (!*cond)
		return -ENOMEM;
	(*cond)->id = ++to_coop(port)->nr_conds;
	return 0;
}

static void coop_cond_free(struct damon_port *port, struct damon_cond *cond)
{
	port->free(port, cond);
}

static int coop_cond_wait(struct damon_port *port, struct damon_cond *cond,
			  struct damon_mutex *mutex, uint64_t deadline_ns)
{
	struct coop *coop = to_coop(port);
	struct damon_thread *self = coop->current;

	if (!self)
		return -EPERM;
	if (mutex->owner != self->id)
		damon_port_coop_end(port, -EPERM);
	mutex->owner = 0;
	self->state = THREAD_WAITING;
	self->mutex = mutex;
	self->cond = cond;
	self->deadline_ns = deadline_ns;
	self->timed_out = false;
	reschedule(coop, "wait", cond->id);
	return self->timed_out ? -ETIMEDOUT : 0;
}

static void coop_cond_wake_all(struct damon_port *port, struct damon_cond *cond)
{
	struct coop *coop = to_coop(port);
	struct damon_thread *thread;

	for (thread = coop->threads; thread; thread = thread->next)
		if (thread->state == THREAD_WAITING && thread->cond == cond)
			thread->state = THREAD_LOCKING;
	if (coop->current && coop->chooser.choose)
		reschedule(coop, "wake", cond->id);
}

static const struct damon_port coop_port = {
	.alloc = coop_alloc,
	.free = coop_free,
	.now_ns = coop_now_ns,
	.seed = coop_seed,
	.thread_cpu_ns = coop_thread_cpu_ns,
	.thread_self = coop_thread_self,
	.thread_start = coop_thread_start,
	.thread_join = coop_thread_join,
	.mutex_new = coop_mutex_new,
	.mutex_free = coop_mutex_free,
	.mutex_lock = coop_mutex_lock,
	.mutex_unlock = coop_mutex_unlock,
	.cond_new = coop_cond_new,
	.cond_free = coop_cond_free,
	.cond_wait = coop_cond_wait,
	.cond_wake_all = coop_cond_wake_all,
};

struct damon_port *damon_port_coop_new(uint64_t seed, const struct damon_coop_chooser *chooser)
{
	struct coop *coop = calloc(1, sizeof(*coop));

	if (!coop)
		return NULL;
	coop->port = coop_port;
	coop->seed = seed;
	if (chooser)
		coop->chooser = *chooser;
	coop->allocs.prev = &coop->allocs;
	coop->allocs.next = &coop->allocs;
	return &coop->port;
}

int damon_port_coop_run(struct damon_port *port, void (*main)(void *arg), void *arg)
{
	struct coop *coop = to_coop(port);
	struct damon_thread *thread;
	int err;

	coop->error = 0;
	coop->outside_stack = NULL;
	err = coop_thread_start(port, &thread, "main", main, arg);
	if (err)
		return err;
	switch_to(coop, NULL, thread);
	if (!coop->error)
		thread_free(coop, thread);
	return coop->error;
}

void damon_port_coop_reset(struct damon_port *port)
{
	struct coop *coop = to_coop(port);

	while (coop->threads)
		thread_free(coop, coop->threads);
	while (coop->allocs.next != &coop->allocs)
		coop_free(port, coop->allocs.next + 1);
	coop->now_ns = 0;
	coop->nr_threads = 0;
	coop->nr_mutexes = 0;
	coop->nr_conds = 0;
	coop->error = 0;
}

size_t damon_port_coop_nr_allocated(const struct damon_port *port)
{
	return ((const struct coop *)port)->nr_allocs;
}

void damon_port_coop_free(struct damon_port *port)
{
	struct coop *coop = to_coop(port);
	struct stack *stack;

	if (!port)
		return;
	damon_port_coop_reset(port);
	while ((stack = coop->unused_stacks)) {
		coop->unused_stacks = stack->next;
		munmap(stack->base - GUARD_SIZE, GUARD_SIZE + STACK_SIZE);
		free(stack);
	}
	free(coop->runnable);
	free(coop);
}
