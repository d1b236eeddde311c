/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * What live access costs: reading Accessed bits, clearing them, asking about pages.
 *
 * Prints one JSON object; nanoseconds, each the median of many rounds on one target process.
 */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "access/clear.h"
#include "access/pagemap.h"
#include "access/point.h"
#include "access/reader.h"

#define PAGE_BYTES   4096ULL
#define TARGET_BYTES (256ULL << 20)
#define SPREAD_BYTES (16ULL << 30)
#define BATCH	     1000
#define ROUNDS	     101

struct target {
	pid_t pid;
	int pidfd;
	uint64_t dense;	 /* TARGET_BYTES, all in memory */
	uint64_t spread; /* SPREAD_BYTES, one page in memory per SPREAD_BYTES / BATCH */
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static uint64_t median(uint64_t *values, size_t nr)
{
	qsort(values, nr, sizeof(*values), compare);
	return values[nr / 2];
}

static void sort_addrs(uint64_t *addrs, size_t nr)
{
	qsort(addrs, nr, sizeof(*addrs), compare);
}

/* The same areas are mapped before the fork, so that both sides know where they are. */
static void target_main(char *dense, char *spread, int ready, int busy)
{
	uint64_t i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (i = 0; i < TARGET_BYTES; i += PAGE_BYTES)
		dense[i] = 1;
	for (i = 0; i < BATCH; i++)
		spread[i * (SPREAD_BYTES / BATCH) / PAGE_BYTES * PAGE_BYTES] = 1;
	if (write(ready, "", 1) != 1)
		_exit(1);
	while (!busy)
		pause();
	for (i = 0;; i = (i + PAGE_BYTES) % TARGET_BYTES)
		((volatile char *)dense)[i]++;
}

static int start_target(struct target *target, int busy)
{
	int ends[2], ret;
	char *dense, *spread, byte;

	dense = mmap(NULL, TARGET_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		     0);
	spread = mmap(NULL, SPREAD_BYTES, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (dense == MAP_FAILED || spread == MAP_FAILED || pipe(ends))
		return -errno;
	madvise(dense, TARGET_BYTES, MADV_NOHUGEPAGE);
	madvise(spread, SPREAD_BYTES, MADV_NOHUGEPAGE);
	target->pid = fork();
	if (!target->pid)
		target_main(dense, spread, ends[1], busy);
	close(ends[1]);
	ret = target->pid < 0 || read(ends[0], &byte, 1) != 1 ? -EIO : 0;
	close(ends[0]);
	target->dense = (uintptr_t)dense;
	target->spread = (uintptr_t)spread;
	munmap(dense, TARGET_BYTES);
	munmap(spread, SPREAD_BYTES);
	target->pidfd = (int)syscall(SYS_pidfd_open, target->pid, 0);
	return ret ? ret : target->pidfd < 0 ? -errno : 0;
}

static void stop_target(struct target *target)
{
	if (target->pid > 0) {
		kill(target->pid, SIGKILL);
		waitpid(target->pid, NULL, 0);
	}
	if (target->pidfd >= 0)
		close(target->pidfd);
}

static void pick_dense(const struct target *target, uint64_t *addrs, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++)
		addrs[i] = target->dense +
			   (uint64_t)random() % (TARGET_BYTES / PAGE_BYTES) * PAGE_BYTES;
	sort_addrs(addrs, nr);
}

static void pick_spread(const struct target *target, uint64_t *addrs)
{
	size_t i;

	for (i = 0; i < BATCH; i++)
		addrs[i] = target->spread + i * (SPREAD_BYTES / BATCH) / PAGE_BYTES * PAGE_BYTES;
}

/* Time of one batch of @nr addresses. */
static uint64_t time_read(struct page_link *link, const uint64_t *addrs, size_t nr)
{
	static struct page_state states[BATCH];
	uint64_t rounds[ROUNDS], start;
	size_t i;

	for (i = 0; i < ROUNDS; i++) {
		start = now_ns();
		if (page_link_read(link, addrs, nr, states, NULL))
			return 0;
		rounds[i] = now_ns() - start;
	}
	return median(rounds, ROUNDS);
}

/* Time of clearing one page, of a busy or a sleeping target. */
static uint64_t time_clear(const struct target *target, struct clear_list *list, size_t nr)
{
	uint64_t rounds[ROUNDS], addrs[BATCH], start;
	struct clear_result result;
	size_t i, j;

	for (i = 0; i < ROUNDS; i++) {
		pick_dense(target, addrs, nr);
		clear_list_reset(list);
		for (j = 0; j < nr; j++)
			clear_list_add(list, addrs[j], addrs[j] + PAGE_BYTES, j);
		start = now_ns();
		if (clear_list_run(list, target->pidfd, NULL, NULL, NULL, &result))
			return 0;
		rounds[i] = now_ns() - start;
		if (nr < BATCH)
			usleep(1000);
	}
	return median(rounds, ROUNDS) / nr;
}

static uint64_t time_ask(struct page_link *link, const uint64_t *addrs, size_t nr)
{
	struct page_state states[BATCH];
	struct frame_files files;
	uint64_t rounds[ROUNDS], start, flags, count;
	size_t i, j;

	if (frame_files_open(&files) || page_link_read(link, addrs, nr, states, NULL))
		return 0;
	for (i = 0; i < ROUNDS; i++) {
		start = now_ns();
		for (j = 0; j < nr; j++) {
			frame_flags(&files, states[j].frame, &flags, 1);
			frame_mapcounts(&files, states[j].frame, &count, 1);
		}
		rounds[i] = now_ns() - start;
	}
	frame_files_close(&files);
	return median(rounds, ROUNDS) / nr;
}

struct figures {
	uint64_t batch_of_1, batch_dense, batch_spread, ask;
	uint64_t clear_idle, clear_busy, clear_busy_few, calibration;
};

static int measure(struct figures *figures, struct damon_error *err)
{
	struct target idle = {.pidfd = -1}, busy = {.pidfd = -1};
	struct clear_list *list = clear_list_new();
	struct page_calibration calibration;
	struct page_reader *reader = NULL;
	struct page_link *link = NULL;
	uint64_t addrs[BATCH], start = now_ns();
	int ret = page_calibrate(&calibration, err);

	figures->calibration = now_ns() - start;
	if (!ret)
		ret = page_reader_new(&reader, &calibration, err);
	if (!ret)
		ret = start_target(&idle, 0);
	if (!ret)
		ret = page_link_new(&link, reader, idle.pidfd, idle.pid, PAGE_LINK_AUTO, err);
	if (!ret) {
		pick_dense(&idle, addrs, BATCH);
		figures->batch_of_1 = time_read(link, addrs, 1);
		figures->batch_dense = time_read(link, addrs, BATCH);
		figures->ask = time_ask(link, addrs, BATCH);
		figures->clear_idle = time_clear(&idle, list, BATCH);
		pick_spread(&idle, addrs);
		figures->batch_spread = time_read(link, addrs, BATCH);
		ret = start_target(&busy, 1);
	}
	if (!ret) {
		figures->clear_busy = time_clear(&busy, list, BATCH);
		figures->clear_busy_few = time_clear(&busy, list, 100);
	}
	page_link_free(link);
	stop_target(&idle);
	stop_target(&busy);
	page_reader_free(reader);
	clear_list_free(list);
	return ret;
}

int main(void)
{
	struct figures figures = {};
	struct damon_error err = {};
	int ret = measure(&figures, &err);

	if (ret) {
		fprintf(stderr, "bench_access: %s\n", *err.text ? err.text : strerror(-ret));
		return 77;
	}
	printf("{\"calibration_ns\": %lu, \"batch_of_1_ns\": %lu, \"batch_size\": %d,\n"
	       " \"read_ns_per_address_256MiB\": %.1f, \"read_ns_per_address_16GiB\": %.1f,\n"
	       " \"page_flags_and_count_ns\": %lu, \"clear_ns_per_page_sleeping_target\": %lu,\n"
	       " \"clear_ns_per_page_busy_target\": %lu, \"clear_ns_per_page_busy_target_100_per_ms\": %lu}\n",
	       figures.calibration, figures.batch_of_1, BATCH, (double)figures.batch_dense / BATCH,
	       (double)figures.batch_spread / BATCH, figures.ask, figures.clear_idle,
	       figures.clear_busy, figures.clear_busy_few);
	return 0;
}
