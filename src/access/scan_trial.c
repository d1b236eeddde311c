// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Trying the engine on a process of our own before it is let loose on another one.
 *
 * Whether a flush works is seen rather than believed: a child hammers memory that fits into the
 * TLB, and after each way of clearing all of it must be marked again.
 */
#include "access/arch.h"
#include "access/scan_internal.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE_BYTES  (1ULL << ARCH_PAGE_SHIFT)
#define TRIAL_PAGES 64 /* in use; within reach of any TLB */
#define TRIAL_BYTES (4ULL << 20)

/* Each part of the trial takes a few milliseconds, but where others are at work it has to wait its turn. */
#define PATIENCE_NS 1000000000ULL

struct trial {
	pid_t pid;
	int pidfd;
	char *area;
	volatile uint64_t *rounds; /* shared with the child */
	struct watch_map map;
	struct scan_target *target;
	struct damon_addr_range range;
};

static void child_main(const struct trial *trial)
{
	volatile char *area = trial->area;
	size_t i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* Memory of its own, where the parent has reserved the addresses. */
	if (mmap(trial->area, TRIAL_BYTES, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		_exit(1);
	madvise(trial->area, TRIAL_BYTES, MADV_NOHUGEPAGE);
	for (i = 0; i < TRIAL_BYTES; i += PAGE_BYTES)
		area[i] = 1;
	for (;;) {
		for (i = 0; i < TRIAL_PAGES; i++)
			area[i * PAGE_BYTES]++;
		__atomic_add_fetch(trial->rounds, 1, __ATOMIC_RELAXED);
	}
}

static void nap(void)
{
	const struct timespec pause = {.tv_nsec = 200000};

	nanosleep(&pause, NULL);
}

/* Wait until the child went through its memory @nr more times; false when it takes too long. */
static bool wait_rounds(const struct trial *trial, uint64_t nr)
{
	uint64_t end = scan_now_ns() + PATIENCE_NS;
	uint64_t goal = __atomic_load_n(trial->rounds, __ATOMIC_RELAXED) + nr;

	while (__atomic_load_n(trial->rounds, __ATOMIC_RELAXED) < goal) {
		if (scan_now_ns() > end)
			return false;
		nap();
	}
	return true;
}

static int begin(struct trial *trial, struct scan_engine *engine, struct damon_error *err)
{
	trial->rounds =
		mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	trial->area = mmap(NULL, TRIAL_BYTES, PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if ((void *)trial->rounds == MAP_FAILED || trial->area == MAP_FAILED)
		return damon_error_set(err, -ENOMEM, "out of memory");
	/* No signal at its end: the program's own children are none of our business. */
	trial->pid = (pid_t)syscall(SYS_clone, 0UL, NULL, NULL, NULL, NULL);
	if (!trial->pid) {
		child_main(trial);
		_exit(1);
	}
	if (trial->pid < 0)
		return damon_error_set(err, -errno,
				       "can't start a process to try the engine on: %s",
				       strerror(errno));
	trial->pidfd = (int)syscall(SYS_pidfd_open, trial->pid, 0);
	if (trial->pidfd < 0)
		return damon_error_set(err, -errno, "can't open a pidfd: %s", strerror(errno));
	trial->range.start = (uintptr_t)trial->area;
	trial->range.end = trial->range.start + TRIAL_BYTES;
	watch_map_begin(&trial->map);
	if (watch_map_add(&trial->map, trial->range.start, trial->range.end, 0))
		return damon_error_set(err, -ENOMEM, "out of memory");
	watch_map_end(&trial->map);
	return scan_target_new(&trial->target, engine, trial->pidfd, trial->pid, &trial->map, err);
}

static void end(struct trial *trial)
{
	scan_target_free(trial->target);
	watch_map_clear(&trial->map);
	if (trial->pid > 0) {
		kill(trial->pid, SIGKILL);
		while (waitpid(trial->pid, NULL, __WALL) < 0 && errno == EINTR)
			;
	}
	if (trial->pidfd >= 0)
		close(trial->pidfd);
	if (trial->area && trial->area != MAP_FAILED)
		munmap(trial->area, TRIAL_BYTES);
	if (trial->rounds && (void *)trial->rounds != MAP_FAILED)
		munmap((void *)trial->rounds, PAGE_BYTES);
}

/* After a clear and some rounds: is every page that is in use marked again? */
static bool all_marked(struct trial *trial)
{
	struct page_process process;
	uint32_t access;
	struct damon_addr_range used = {trial->range.start,
					trial->range.start + TRIAL_PAGES * PAGE_BYTES};

	if (!wait_rounds(trial, 3) ||
	    scan_check(trial->target, &trial->range, 1, &access, &process))
		return false;
	scan_blocks_account(scan_target_blocks(trial->target), &used, 1, TRIAL_PAGES, &access);
	return access == TRIAL_PAGES;
}

/* All that clear_refs walks: what the child has taken over from the program, too. */
static uint64_t resident_pages(const struct trial *trial)
{
	unsigned long size, resident = 0;
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/statm", (int)trial->pid);
	file = fopen(path, "re");
	if (file && fscanf(file, "%lu %lu", &size, &resident) != 2)
		resident = 0;
	if (file)
		fclose(file);
	return resident > TRIAL_BYTES / PAGE_BYTES ? resident : TRIAL_BYTES / PAGE_BYTES;
}

/* Clear once with nothing but clear_refs and the flush after it. */
static bool flush_works(struct trial *trial, struct scan_engine *engine)
{
	struct page_process process;
	uint64_t took_ns, cpu;
	bool flushed = false;

	if (trial->target->refs_fd < 0 ||
	    scan_prepare(trial->target, &trial->range, 1, true, &process))
		return false;
	cpu = scan_cpu_ns();
	if (scan_write_refs(trial->target, '1', &took_ns))
		return false;
	engine->prices.refs_page = (double)(scan_cpu_ns() - cpu) / (double)resident_pages(trial);
	if (scan_flush_target(trial->target, &flushed))
		return false;
	return flushed && all_marked(trial);
}

static bool clusters_work(struct trial *trial, struct scan_engine *engine)
{
	uint64_t stall = engine->options.max_stall_us, refs = engine->stat.by_refs;
	struct page_process process;
	int ret;

	/* No time for clear_refs: clusters have to do. */
	engine->options.max_stall_us = 0;
	ret = scan_prepare(trial->target, &trial->range, 1, true, &process);
	engine->options.max_stall_us = stall;
	return !ret && engine->stat.by_refs == refs && all_marked(trial);
}

int scan_try(struct scan_engine *engine, struct damon_error *err)
{
	struct trial trial = {.pidfd = -1};
	int ret = begin(&trial, engine, err);

	if (!ret && !wait_rounds(&trial, 1))
		ret = damon_error_set(err, -EAGAIN,
				      "the machine is too busy to try the engine scan: a process "
				      "of its own didn't run within a second");
	if (!ret && !engine->options.no_flush) {
		if (!clusters_work(&trial, engine))
			ret = damon_error_set(err, -EOPNOTSUPP,
					      "clearing Accessed bits doesn't work on this kernel: "
					      "memory in use wasn't marked again");
		/* A pair of pages far from each other isn't found in every process; it is tried each time. */
		else if (engine->flush == SCAN_FLUSH_REFS && !flush_works(&trial, engine))
			engine->flush = SCAN_FLUSH_NONE;
	}
	end(&trial);
	engine->stat = (struct scan_stat){};
	return ret;
}
