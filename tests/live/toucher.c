// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * A process that touches the pages it is told to, over and over, and counts its rounds.
 */
#include "toucher.h"

#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define TWO_MIB (2ULL << 20)

struct toucher_control {
	struct toucher_pattern pattern;
	uint64_t wanted; /* number of the pattern */
	uint64_t begun;	 /* of the one in use */
	uint64_t rounds;
};

static void volunteer_for_oom(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "1000", 4) != 4)
		_exit(1);
	close(fd);
}

/* On processor @cpu only: where the two of us take turns on one, each turn may flush the TLB. */
static void settle_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void touch_for_ever(const struct toucher *toucher)
{
	volatile struct toucher_control *control = toucher->control;

	for (;;) {
		uint64_t wanted = __atomic_load_n(&control->wanted, __ATOMIC_ACQUIRE), i;
		struct toucher_pattern pattern = control->pattern;
		volatile char *page = toucher->area + pattern.first * TOUCHER_PAGE;

		/*
		 * A processor runs ahead past the end of a loop, which marks pages that are
		 * never used; here it must not.
		 */
		for (i = 0; i < pattern.nr; i++, page += pattern.stride * TOUCHER_PAGE) {
			__builtin_ia32_lfence();
			(*page)++;
		}
		if (__atomic_load_n(&control->begun, __ATOMIC_RELAXED) != wanted)
			__atomic_store_n(&control->begun, wanted, __ATOMIC_RELEASE);
		__atomic_add_fetch(&control->rounds, 1, __ATOMIC_RELEASE);
	}
}

/* The child's memory is its own: mapped after the fork. */
static void child_main(struct toucher *toucher, bool huge)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	volunteer_for_oom();
	settle_on(1);
	if (mmap(toucher->area, toucher->size, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		_exit(1);
	madvise(toucher->area, toucher->size, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	memset(toucher->area, 1, toucher->size);
	touch_for_ever(toucher);
}

void toucher_start(struct toucher *toucher, uint64_t size, bool huge)
{
	struct toucher_pattern nothing = {0, 0, 1};
	char *area;

	*toucher = (struct toucher){.size = size, .pidfd = -1};
	toucher->control = mmap(NULL, sizeof(*toucher->control), PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal((void *)toucher->control, MAP_FAILED);
	area = mmap(NULL, size + TWO_MIB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		    -1, 0);
	assert_ptr_not_equal(area, MAP_FAILED);
	toucher->area = (char *)(((uintptr_t)area + TWO_MIB - 1) & ~(uintptr_t)(TWO_MIB - 1));
	toucher->pid = fork();
	assert_true(toucher->pid >= 0);
	if (!toucher->pid) {
		child_main(toucher, huge);
		_exit(1);
	}
	munmap(area, size + TWO_MIB);
	settle_on(0);
	toucher->pidfd = (int)syscall(SYS_pidfd_open, toucher->pid, 0);
	assert_true(toucher->pidfd >= 0);
	toucher_set(toucher, &nothing);
}

static void wait_for(struct toucher *toucher, volatile uint64_t *value, uint64_t least)
{
	const struct timespec pause = {.tv_nsec = 1000000};
	int status;

	while (__atomic_load_n(value, __ATOMIC_ACQUIRE) < least) {
		assert_int_equal(waitpid(toucher->pid, &status, WNOHANG), 0);
		nanosleep(&pause, NULL);
	}
}

void toucher_set(struct toucher *toucher, const struct toucher_pattern *pattern)
{
	volatile struct toucher_control *control = toucher->control;

	/* It may be reading the pattern now: what it reads of two patterns ends with this round. */
	control->pattern = *pattern;
	__atomic_add_fetch(&control->wanted, 1, __ATOMIC_RELEASE);
	wait_for(toucher, &control->begun, control->wanted);
	toucher_round(toucher);
}

void toucher_round(struct toucher *toucher)
{
	uint64_t now = __atomic_load_n(&toucher->control->rounds, __ATOMIC_ACQUIRE);

	/* The round that is under way may have begun before. */
	wait_for(toucher, &toucher->control->rounds, now + 2);
}

bool toucher_touches(const struct toucher_pattern *pattern, uint64_t page)
{
	return page >= pattern->first && page < pattern->first + pattern->nr * pattern->stride &&
	       (page - pattern->first) % pattern->stride == 0;
}

void toucher_stop(struct toucher *toucher)
{
	if (toucher->pid > 0) {
		kill(toucher->pid, SIGKILL);
		waitpid(toucher->pid, NULL, 0);
	}
	if (toucher->pidfd >= 0)
		close(toucher->pidfd);
	if (toucher->control)
		munmap((void *)toucher->control, sizeof(*toucher->control));
	*toucher = (struct toucher){.pidfd = -1};
}
