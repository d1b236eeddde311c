// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * A program to watch: it has a hot, a warm, a cold and a moving part, and says where they are.
 *
 * usage: udamon-demo [SECONDS]
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define MIB (1024UL * 1024)
/* Parts begin and end at multiples of this, so that huge pages don't blur their edges. */
#define ALIGNMENT (2 * MIB)
#define PAGE	  4096UL

#define TICK_NS	      2000000L /* the hot part is touched in every tick */
#define WARM_TICKS    50       /* the warm part once in so many */
#define MOVING_WINDOW (16 * MIB)
#define MOVING_NS     8000000000ULL /* once through the moving part */

enum part_id { WARM, HOT, COLD, MOVING, NR_PARTS };

static struct part {
	const char *name;
	const char *what;
	size_t size;
	volatile char *start;
} parts[NR_PARTS] = {
	[WARM] = {"warm", "each page touched every 100 ms", 64 * MIB},
	[HOT] = {"hot", "each page touched every 2 ms", 32 * MIB},
	[COLD] = {"cold", "touched once, at the start", 128 * MIB},
	[MOVING] = {"moving", "a hot 16 MiB window moves through it in 8 s", 64 * MIB},
};

static void touch(volatile char *start, size_t size)
{
	for (size_t offset = 0; offset < size; offset += PAGE)
		start[offset]++;
}

static int make_parts(void)
{
	size_t size = ALIGNMENT;
	char *start;

	for (int i = 0; i < NR_PARTS; i++)
		size += parts[i].size;
	start = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (start == MAP_FAILED)
		return -errno;
	start = (char *)(((uintptr_t)start + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
	for (int i = 0; i < NR_PARTS; i++) {
		parts[i].start = start;
		start += parts[i].size;
#ifdef PR_SET_VMA
		/* A name in /proc/PID/maps, where the kernel can; nothing depends on it. */
		prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, parts[i].start, parts[i].size,
		      parts[i].name);
#endif
		touch(parts[i].start, parts[i].size);
	}
	return 0;
}

static void print_parts(void)
{
	printf("udamon-demo: process %d\n", (int)getpid());
	for (int i = 0; i < NR_PARTS; i++)
		printf("  %-6s %4zu MiB  %#lx-%#lx  %s\n", parts[i].name, parts[i].size / MIB,
		       (unsigned long)parts[i].start,
		       (unsigned long)(parts[i].start + parts[i].size), parts[i].what);
	fflush(stdout);
}

static void run_tick(uint64_t tick, uint64_t elapsed_ns)
{
	struct part *warm = &parts[WARM], *moving = &parts[MOVING];
	size_t share = warm->size / WARM_TICKS / PAGE * PAGE + PAGE;
	size_t offset = tick % WARM_TICKS * share;
	uint64_t t_ns = elapsed_ns % MOVING_NS;
	size_t steps = (moving->size - MOVING_WINDOW) / PAGE + 1;

	touch(parts[HOT].start, parts[HOT].size);
	if (offset < warm->size)
		touch(warm->start + offset,
		      share < warm->size - offset ? share : warm->size - offset);
	touch(moving->start + t_ns * steps / MOVING_NS * PAGE, MOVING_WINDOW);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void run(uint64_t duration_ns)
{
	uint64_t start = now_ns(), now = start;

	for (uint64_t tick = 0; now - start < duration_ns; tick++) {
		uint64_t next = now + TICK_NS - (now - start) % TICK_NS;
		struct timespec until = {(time_t)(next / 1000000000), (long)(next % 1000000000)};

		run_tick(tick, now - start);
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
		now = now_ns();
	}
}

int main(int argc, char **argv)
{
	unsigned long seconds = 30;
	char *end;
	int ret;

	if (argc > 1) {
		errno = 0;
		seconds = strtoul(argv[1], &end, 10);
		if (errno || *end || argv[1][0] < '0' || argv[1][0] > '9' || seconds > 1000000 ||
		    argc > 2) {
			fprintf(stderr, "udamon-demo: '%s': expected a number of seconds\n",
				argv[argc > 2 ? 2 : 1]);
			return 2;
		}
	}
	ret = make_parts();
	if (ret) {
		fprintf(stderr, "udamon-demo: cannot get memory: %s\n", strerror(-ret));
		return 1;
	}
	print_parts();
	run(seconds * 1000000000UL);
	return 0;
}
