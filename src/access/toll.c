// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * What making pages old takes from a program that runs, as measured on this machine.
 *
 * A child on another processor goes round and round through a few pages and writes down the time after
 * each round. When some of them are cleared, the rounds meanwhile and just after take longer, and by how much is
 * what the clearing cost it. Much else makes rounds longer too, but not often so few of them: each way
 * of clearing is tried many times, and the median is taken.
 */
#include "access/toll.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "access/arch.h"

#define PAGE_BYTES (1ULL << ARCH_PAGE_SHIFT)
#define NR_PAGES   64 /* within reach of any TLB */
#define NR_SINGLE  16 /* cleared one by one, every fourth page */
#define NR_STAMPS  4096
#define NR_QUIET   200 /* rounds before a clear, to know how long they are */
#define NR_TRIES   60
#define LEAST_GOOD 9

/* A clear is felt until here after it, and all is over after that. */
#define AFTER_NS 10000
#define TRY_NS	 2000000ULL
#define WHOLE_NS 120000000ULL

/* From other machines, rather more than less. */
static const struct toll usual = {.page_ns = 100, .interrupt_ns = 3000};

/* Written by the child only. */
struct lap_log {
	uint64_t nr;
	uint64_t stamps[NR_STAMPS];
};

struct runner {
	pid_t pid;
	int pidfd;
	char *area;
	struct lap_log *log;
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static uint64_t laps(const struct runner *runner)
{
	return __atomic_load_n(&runner->log->nr, __ATOMIC_ACQUIRE);
}

static uint64_t stamp(const struct runner *runner, uint64_t lap)
{
	return __atomic_load_n(&runner->log->stamps[lap % NR_STAMPS], __ATOMIC_RELAXED);
}

static void run(const struct runner *runner, const cpu_set_t *processors)
{
	volatile char *area = runner->area;
	uint64_t lap, i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sched_setaffinity(0, sizeof(*processors), processors);
	/* Memory of its own, where the parent has reserved the addresses. */
	if (mmap(runner->area, NR_PAGES * PAGE_BYTES, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		_exit(1);
	madvise(runner->area, NR_PAGES * PAGE_BYTES, MADV_NOHUGEPAGE);
	for (lap = 0;; lap++) {
		for (i = 0; i < NR_PAGES; i++)
			area[i * PAGE_BYTES]++;
		__atomic_store_n(&runner->log->stamps[lap % NR_STAMPS], now_ns(), __ATOMIC_RELAXED);
		__atomic_store_n(&runner->log->nr, lap, __ATOMIC_RELEASE);
	}
}

static bool start(struct runner *runner, const cpu_set_t *processors, int ours)
{
	cpu_set_t others = *processors;
	void *log, *area;

	CPU_CLR(ours, &others);
	log = mmap(NULL, sizeof(*runner->log), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		   -1, 0);
	runner->log = log != MAP_FAILED ? log : NULL;
	area = mmap(NULL, NR_PAGES * PAGE_BYTES, PROT_NONE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	runner->area = area != MAP_FAILED ? area : NULL;
	if (!runner->log || !runner->area)
		return false;
	/* No signal at its end: the program's own children are none of our business. */
	runner->pid = (pid_t)syscall(SYS_clone, 0UL, NULL, NULL, NULL, NULL);
	if (!runner->pid) {
		run(runner, &others);
		_exit(1);
	}
	if (runner->pid > 0)
		runner->pidfd = (int)syscall(SYS_pidfd_open, runner->pid, 0);
	return runner->pid > 0 && runner->pidfd >= 0;
}

static void stop(struct runner *runner)
{
	if (runner->pid > 0) {
		kill(runner->pid, SIGKILL);
		while (waitpid(runner->pid, NULL, __WALL) < 0 && errno == EINTR)
			;
	}
	if (runner->pidfd >= 0)
		close(runner->pidfd);
	if (runner->area)
		munmap(runner->area, NR_PAGES * PAGE_BYTES);
	if (runner->log)
		munmap(runner->log, sizeof(*runner->log));
}

/* Wait for a lap that ended after @ns; 0 when none comes in time. */
static uint64_t lap_after(const struct runner *runner, uint64_t ns)
{
	const struct timespec pause = {.tv_nsec = 20000};
	uint64_t end = now_ns() + TRY_NS, lap;

	for (;;) {
		lap = laps(runner);
		if (lap && stamp(runner, lap) > ns)
			return lap;
		if (now_ns() > end)
			return 0;
		nanosleep(&pause, NULL);
	}
}

/* What the child lost, ns, by clearing @nr ranges; false when nobody can tell. */
static bool try_once(const struct runner *runner, struct iovec *ranges, size_t nr, double *lost)
{
	uint64_t before, after, first, lap_span;
	ssize_t done;

	/* Have it used all the pages since the last time, and know its pace. */
	before = laps(runner);
	while (laps(runner) < before + NR_QUIET + 1)
		if (!lap_after(runner, stamp(runner, laps(runner))))
			return false;
	before = laps(runner);
	first = stamp(runner, before - NR_QUIET);
	lap_span = stamp(runner, before) - first;
	done = syscall(SYS_process_madvise, runner->pidfd, ranges, nr, MADV_COLD, 0);
	if (done <= 0)
		return false;
	after = lap_after(runner, now_ns() + AFTER_NS);
	/* Neither may have been written over. */
	if (!after || laps(runner) - (before - NR_QUIET) >= NR_STAMPS)
		return false;
	*lost = (double)(stamp(runner, after) - stamp(runner, before)) -
		(double)(after - before) * (double)lap_span / NR_QUIET;
	return true;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, size_t nr)
{
	qsort(values, nr, sizeof(*values), compare);
	return nr % 2 ? values[nr / 2] : (values[nr / 2 - 1] + values[nr / 2]) / 2;
}

static bool measure(const struct runner *runner, struct toll *toll)
{
	struct iovec whole = {runner->area, NR_PAGES * PAGE_BYTES}, single[NR_SINGLE];
	double of_single[NR_TRIES], of_whole[NR_TRIES], one, all;
	uint64_t end = now_ns() + WHOLE_NS;
	size_t nr_single = 0, nr_whole = 0, i;

	for (i = 0; i < NR_SINGLE; i++)
		single[i] = (struct iovec){runner->area + i * (NR_PAGES / NR_SINGLE) * PAGE_BYTES,
					   PAGE_BYTES};
	/* Where others are at work it may be a while until it gets a processor. */
	while (!lap_after(runner, 0))
		if (now_ns() > end)
			return false;
	for (i = 0; i < NR_TRIES && now_ns() < end; i++) {
		nr_single += try_once(runner, single, NR_SINGLE, &of_single[nr_single]);
		nr_whole += try_once(runner, &whole, 1, &of_whole[nr_whole]);
	}
	if (nr_single < LEAST_GOOD || nr_whole < LEAST_GOOD)
		return false;
	/* A single page costs a page and an interrupt; all pages together, as many and one interrupt. */
	one = median(of_single, nr_single) / NR_SINGLE;
	all = median(of_whole, nr_whole);
	if (one <= 0 || all <= 0)
		return false;
	toll->page_ns = all > one ? (all - one) / (NR_PAGES - 1) : all / NR_PAGES;
	toll->interrupt_ns = one > toll->page_ns ? one - toll->page_ns : 0;
	return true;
}

void toll_measure(struct toll *toll)
{
	struct runner runner = {.pidfd = -1};
	int processor = sched_getcpu();
	cpu_set_t before, here;

	*toll = usual;
	/* On the child's processor we would be in its way, which it would take for a part of the price. */
	if (processor < 0 || sched_getaffinity(0, sizeof(before), &before) ||
	    CPU_COUNT(&before) < 2)
		return;
	CPU_ZERO(&here);
	CPU_SET(processor, &here);
	if (sched_setaffinity(0, sizeof(here), &here))
		return;
	toll->measured = start(&runner, &before, processor) && measure(&runner, toll);
	stop(&runner);
	sched_setaffinity(0, sizeof(before), &before);
}
