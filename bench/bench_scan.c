/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * What the engine scan costs: bulk reads, and whole cycles beside clear_refs alone.
 *
 * A child owns the memory and touches a part of it on command. Each round times clear_refs
 * alone and a whole cycle (clear, flush, read, account to 1,000 regions) on the same state of
 * the memory, in changing order, so that the ratio is a paired one. Prints one JSON object; medians.
 *
 * The child sleeps while a cycle is timed, but where it is "running": then it goes round through all of its
 * huge pages on another processor meanwhile, so that each flush interrupts it.
 *
 * usage: bench_scan [--large]	with 8 GiB as well, where so much memory is free; else less than a minute
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
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

#include <udamon/ops.h>

#include "../tests/tools/memory.h"
#include "access/scan.h"

#define PAGE_BYTES   4096ULL
#define MIB	     (1ULL << 20)
#define HUGE_BYTES   (2 * MIB)
#define REGIONS	     1000
#define MOST_ROUNDS  101
#define LEAST_ROUNDS 3
/* No further round of a case after this. */
#define CASE_NS 10000000000ULL

/* One page of @share is touched between cycles; where @running, one byte of each huge page all the time. */
struct bench_case {
	uint64_t mib;
	bool huge;
	uint64_t share;
	bool running;
};

struct child {
	pid_t pid;
	int pidfd, refs_fd, to[2], from[2];
	char *area;
	uint64_t size;
	bool huge, running;
	uint64_t *rounds;      /* of a running one, through all its memory */
	cpu_set_t all, others; /* processors: ours before, and without the one we keep to */
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double median(double *values, size_t nr)
{
	qsort(values, nr, sizeof(*values), compare);
	return values[nr / 2];
}

static void run_for_ever(const struct child *child)
{
	volatile char *area = child->area;
	uint64_t i;

	for (;;) {
		for (i = 0; i < child->size; i += HUGE_BYTES)
			area[i]++;
		__atomic_add_fetch(child->rounds, 1, __ATOMIC_RELEASE);
	}
}

static void child_main(struct child *child)
{
	volatile char *area;
	uint64_t share, i;
	int fd = open("/proc/self/oom_score_adj", O_WRONLY);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (fd < 0 || write(fd, "1000", 4) != 4)
		_exit(1);
	if (mmap(child->area, child->size, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		_exit(1);
	madvise(child->area, child->size, child->huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	memset(child->area, 1, child->size);
	area = child->area;
	if (child->running) {
		if (sched_setaffinity(0, sizeof(child->others), &child->others) ||
		    write(child->from[1], "x", 1) != 1)
			_exit(1);
		run_for_ever(child);
	}
	/* Touch one page of @share. */
	do {
		if (write(child->from[1], "x", 1) != 1)
			_exit(1);
		if (read(child->to[0], &share, sizeof(share)) != sizeof(share))
			_exit(0);
		for (i = 0; share && i < child->size; i += share * PAGE_BYTES)
			area[i]++;
	} while (1);
}

static int touch(struct child *child, uint64_t share)
{
	uint64_t rounds = child->running ? __atomic_load_n(child->rounds, __ATOMIC_ACQUIRE) : 0;
	uint64_t end = now_ns() + CASE_NS;
	char answer;

	/* The round that is under way may have begun before. */
	while (child->running && __atomic_load_n(child->rounds, __ATOMIC_ACQUIRE) < rounds + 2)
		if (now_ns() > end)
			return -ETIMEDOUT;
	if (child->running)
		return 0;
	return write(child->to[1], &share, sizeof(share)) == sizeof(share) &&
			       read(child->from[0], &answer, 1) == 1
		       ? 0
		       : -EIO;
}

/* A running child has the other processors, and we keep to the present one. */
static int part_processors(struct child *child)
{
	int here = sched_getcpu();
	cpu_set_t ours;

	if (here < 0 || sched_getaffinity(0, sizeof(child->all), &child->all))
		return -errno;
	child->others = child->all;
	if (!child->running)
		return 0;
	CPU_CLR(here, &child->others);
	CPU_ZERO(&ours);
	CPU_SET(here, &ours);
	return sched_setaffinity(0, sizeof(ours), &ours) ? -errno : 0;
}

static int start(struct child *child, const struct bench_case *kind)
{
	uint64_t size = kind->mib * MIB;
	char path[64], answer;
	char *area;

	*child = (struct child){.size = size, .huge = kind->huge, .running = kind->running};
	child->rounds = mmap(NULL, sizeof(*child->rounds), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (child->rounds == MAP_FAILED)
		return -errno;
	area = mmap(NULL, size + 2 * MIB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		    -1, 0);
	if (area == MAP_FAILED || pipe(child->to) || pipe(child->from) || part_processors(child))
		return -errno;
	child->area = (char *)(((uintptr_t)area + 2 * MIB - 1) & ~(uintptr_t)(2 * MIB - 1));
	child->pid = fork();
	if (child->pid < 0)
		return -errno;
	if (!child->pid)
		child_main(child);
	close(child->from[1]);
	munmap(area, size + 2 * MIB);
	child->pidfd = (int)syscall(SYS_pidfd_open, child->pid, 0);
	snprintf(path, sizeof(path), "/proc/%d/clear_refs", (int)child->pid);
	child->refs_fd = open(path, O_WRONLY | O_CLOEXEC);
	if (child->refs_fd < 0 || child->pidfd < 0)
		return -errno;
	return read(child->from[0], &answer, 1) == 1 ? 0 : -ECHILD;
}

static void stop(struct child *child)
{
	kill(child->pid, SIGKILL);
	waitpid(child->pid, NULL, 0);
	close(child->pidfd);
	close(child->refs_fd);
	close(child->to[0]);
	close(child->to[1]);
	close(child->from[0]);
	munmap(child->rounds, sizeof(*child->rounds));
	sched_setaffinity(0, sizeof(child->all), &child->all);
}

struct figures {
	size_t nr;
	double refs[MOST_ROUNDS], cycle[MOST_ROUNDS], read[MOST_ROUNDS], ratio[MOST_ROUNDS];
};

/* Pages without any callback's work: what reading alone costs. */
static int ignore_leaf(void *data, const struct page_leaf *leaf)
{
	uint64_t bits[3];
	size_t word;

	for (word = 0; leaf->table && word < SCAN_WORDS; word++) {
		scan_word_bits(leaf->table + word * 64, &bits[0], &bits[1], &bits[2]);
		*(uint64_t *)data += bits[1];
	}
	return 0;
}

static void make_regions(const struct child *child, struct damon_addr_range *ranges)
{
	uint64_t base = (uintptr_t)child->area, step = child->size / REGIONS & ~(PAGE_BYTES - 1);
	size_t i;

	for (i = 0; i < REGIONS; i++)
		ranges[i] = (struct damon_addr_range){base + i * step, base + (i + 1) * step};
	ranges[REGIONS - 1].end = base + child->size;
}

/* clear_refs alone. */
static int time_refs(struct child *child, uint64_t share, double *ns)
{
	int ret = touch(child, share);
	uint64_t begun = now_ns();

	if (!ret && pwrite(child->refs_fd, "1", 1, 0) != 1)
		ret = -errno;
	*ns = (double)(now_ns() - begun);
	return ret;
}

/* A whole cycle; the read at its begin belongs to the one before. */
static int time_cycle(struct child *child, struct scan_target *target, uint64_t share, double *ns)
{
	static struct damon_addr_range ranges[REGIONS];
	static uint32_t access[REGIONS];
	struct page_process process;
	uint64_t begun;
	int ret = touch(child, share);

	make_regions(child, ranges);
	if (!ret)
		ret = scan_check(target, ranges, REGIONS, access, &process);
	begun = now_ns();
	if (!ret)
		ret = scan_prepare(target, ranges, REGIONS, true, &process);
	if (!ret)
		ret = scan_check(target, ranges, REGIONS, access, &process);
	*ns = (double)(now_ns() - begun);
	return ret;
}

static int measure_round(struct child *child, struct scan_target *target, struct page_link *link,
			 uint64_t share, struct figures *figures)
{
	size_t round = figures->nr;
	double *refs = &figures->refs[round], *cycle = &figures->cycle[round];
	uint64_t begun, sum = 0;
	int ret;

	ret = round % 2 ? time_cycle(child, target, share, cycle) : time_refs(child, share, refs);
	if (!ret)
		ret = round % 2 ? time_refs(child, share, refs)
				: time_cycle(child, target, share, cycle);
	figures->ratio[round] = *cycle / *refs;
	begun = now_ns();
	if (!ret)
		ret = page_link_read_range(link, (uintptr_t)child->area,
					   (uintptr_t)child->area + child->size, ignore_leaf, &sum,
					   NULL);
	figures->read[round] = (double)(now_ns() - begun);
	figures->nr++;
	return ret;
}

static int measure(const struct page_calibration *calibration, const struct bench_case *kind,
		   bool first, double *cycle_ns, struct damon_error *err)
{
	struct scan_options options = {.max_stall_us = 10000000};
	struct page_reader *reader = NULL;
	struct scan_engine *engine = NULL;
	struct scan_target *target = NULL;
	struct page_link *link = NULL;
	struct watch_map map = {};
	struct figures figures = {};
	struct child child;
	uint64_t size = kind->mib * MIB, begun;
	double pages = (double)size / PAGE_BYTES;
	int ret = start(&child, kind);

	if (ret)
		return damon_error_set(err, ret, "can't start a target: %s", strerror(-ret));
	watch_map_begin(&map);
	ret = watch_map_add(&map, (uintptr_t)child.area, (uintptr_t)child.area + size, 0);
	watch_map_end(&map);
	if (!ret)
		ret = scan_engine_new(&engine, calibration, &options, err);
	if (!ret)
		ret = scan_target_new(&target, engine, child.pidfd, child.pid, &map, err);
	if (!ret)
		ret = page_reader_new(&reader, calibration, err);
	if (!ret)
		ret = page_link_new(&link, reader, child.pidfd, child.pid, PAGE_LINK_AUTO, err);
	begun = now_ns();
	while (!ret && figures.nr < MOST_ROUNDS &&
	       (figures.nr < LEAST_ROUNDS || now_ns() - begun < CASE_NS))
		ret = measure_round(&child, target, link, kind->share, &figures);
	*cycle_ns = ret ? 0 : median(figures.cycle, figures.nr);
	if (!ret)
		printf("%s  {\"mib\": %lu, \"huge\": %s, \"running\": %s, \"entries\": %lu, "
		       "\"one_page_touched_of\": %lu, \"rounds\": %zu, "
		       "\"read_ns_per_page\": %.2f, \"clear_refs_ns_per_page\": %.2f, "
		       "\"cycle_ns_per_page\": %.2f, \"cycle_ms\": %.3f, "
		       "\"cycle_to_clear_refs\": %.2f, \"by_clusters\": %lu, \"by_clear_refs\": %lu, "
		       "\"interrupts_per_cycle\": %.1f}",
		       first ? "" : ",\n", kind->mib, kind->huge ? "true" : "false",
		       kind->running ? "true" : "false", scan_target_blocks(target)->nr_entries,
		       kind->share, figures.nr, median(figures.read, figures.nr) / pages,
		       median(figures.refs, figures.nr) / pages, *cycle_ns / pages, *cycle_ns / 1e6,
		       median(figures.ratio, figures.nr), scan_engine_stat(engine)->by_clusters,
		       scan_engine_stat(engine)->by_refs,
		       (double)scan_engine_stat(engine)->interrupts / (double)figures.nr);
	fflush(stdout);
	page_link_free(link);
	page_reader_free(reader);
	scan_target_free(target);
	scan_engine_free(engine);
	watch_map_clear(&map);
	stop(&child);
	return ret;
}

/* What a byte costs in small pages, in terms of what it costs in huge ones. */
static void print_gain(uint64_t mib, double small_ns, double huge_ns)
{
	if (small_ns > 0 && huge_ns > 0)
		printf(",\n  \"huge_pages_cheaper_%lu_mib\": %.1f", mib, small_ns / huge_ns);
}

int main(int argc, char **argv)
{
	static const struct bench_case cases[] = {
		{64, false, 1, false},	 {1024, false, 1, false},  {1024, false, 100, false},
		{1024, true, 1, false},	 {1024, true, 512, false}, {1024, true, 1, true},
		{8192, false, 1, false}, {8192, true, 1, false},   {8192, true, 1, true},
	};
	bool large = argc > 1 && !strcmp(argv[1], "--large"), first = true;
	double cycle_ns[sizeof(cases) / sizeof(*cases)] = {};
	struct page_calibration calibration;
	struct damon_error err = {};
	int ret = page_calibrate(&calibration, &err);
	size_t i;

	printf("{\"engine\": \"scan\", \"cycles\": [\n");
	for (i = 0; !ret && i < sizeof(cases) / sizeof(*cases); i++) {
		if (cases[i].mib > 1024 && !large)
			continue;
		/* What isn't there is left out, and seen to be. */
		if (cases[i].running && sysconf(_SC_NPROCESSORS_ONLN) < 2) {
			printf("%s  {\"mib\": %lu, \"skipped\": \"one processor only\"}",
			       first ? "" : ",\n", cases[i].mib);
		} else if (available_mib() < cases[i].mib * 3 / 2) {
			printf("%s  {\"mib\": %lu, \"skipped\": \"not enough memory\"}",
			       first ? "" : ",\n", cases[i].mib);
		} else {
			ret = measure(&calibration, &cases[i], first, &cycle_ns[i], &err);
		}
		first = false;
	}
	printf("\n]");
	print_gain(1024, cycle_ns[1], cycle_ns[3]);
	print_gain(8192, cycle_ns[6], cycle_ns[7]);
	printf("}\n");
	if (ret) {
		fprintf(stderr, "bench_scan: %s\n", *err.text ? err.text : strerror(-ret));
		return 77;
	}
	return 0;
}
