/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * A program to be watched: it touches memory in a known pattern and says which.
 *
 * usage: patterns [OPTION...]
 *   --cold MIB, --hot MIB	sizes; the memory is cold, hot, cold
 *   --read			use the hot part by reading it (else by writing)
 *   --huge			transparent huge pages (else none)
 *   --by-pages		huge pages that are mapped page by page
 *   --shared			shared memory
 *   --with-child		shared memory that a child process has mapped, too
 *   --locked			lock the hot part in memory
 *   --threads N		N threads share the work
 *   --churn			map, use and unmap memory besides, all the time
 *   --beats FD			tell in this shared file (struct live_beats) when it didn't get to run
 *   --file PATH		map this file, all of it read, instead of anonymous memory; with --read
 *   --pause-us N		rest so long between two rounds over the hot part
 *
 * Prints "cold START END", "hot START END", "child PID" and then "ready". Obeys lines on
 * its standard input, and answers each with lines of that kind and "ready":
 *   grow MIB	map more hot memory		shrink	unmap what "grow" mapped
 *   exec	become this program anew	fork	start a child that sleeps
 *   collapse	make huge pages of what can be	split	map them page by page
 *   touch	use the first cold part once
 *   leave	exit			hugetlb MIB	map such memory, if there is any
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "beats.h"

#define MIB	   (1ULL << 20)
#define PAGE_BYTES 4096

/* Often enough to be there in every sampling interval, without filling a processor. */
#define PAUSE_NS 500000

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

struct options {
	uint64_t cold, hot;
	bool read, huge, by_pages, shared, child, locked, churn;
	const char *file;
	long pause_ns;
	unsigned int threads;
};

static struct options options = {
	.cold = 48 * MIB, .hot = 16 * MIB, .threads = 1, .pause_ns = PAUSE_NS};

/* What the threads touch; the second is what "grow" mapped. */
struct part {
	volatile char *start;
	uint64_t size;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct part parts[2];
static struct part cold_part; /* the first one */

static struct live_beats *beats;
static char *area;

static void fail(const char *what)
{
	fprintf(stderr, "patterns: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void say(const char *what, const volatile char *start, uint64_t size)
{
	printf("%s %" PRIx64 " %" PRIx64 "\n", what, (uint64_t)(uintptr_t)start,
	       (uint64_t)(uintptr_t)start + size);
}

static void touch(const struct part *part)
{
	uint64_t i;
	char sum = 0;

	for (i = 0; i < part->size; i += PAGE_BYTES) {
		if (options.read)
			sum += part->start[i];
		else
			part->start[i]++;
	}
	/* Never true, but the compiler doesn't know. */
	if (sum == 1 && getpid() < 0)
		puts("");
}

/* Its share of each part. A shrinking part must not be touched: the lock is held meanwhile. */
static void *work(void *arg)
{
	const struct timespec pause = {.tv_nsec = options.pause_ns};
	unsigned int me = (unsigned int)(uintptr_t)arg, i;

	for (;;) {
		if (beats)
			live_beat(beats, me);
		pthread_mutex_lock(&lock);
		for (i = 0; i < 2; i++) {
			uint64_t share = parts[i].size / options.threads / PAGE_BYTES * PAGE_BYTES;
			struct part mine = {parts[i].start + me * share, share};

			if (me == options.threads - 1)
				mine.size = parts[i].size - me * share;
			touch(&mine);
		}
		pthread_mutex_unlock(&lock);
		nanosleep(&pause, NULL);
	}
	return NULL;
}

/*
 * Protecting one page of a huge page and taking that back leaves the page as it
 * is in memory, but no single entry maps it any more.
 */
static void map_by_pages(char *from, uint64_t size)
{
	uint64_t i;

	for (i = 0; i < size; i += 2 * MIB) {
		if (mprotect(from + i, PAGE_BYTES, PROT_READ) ||
		    mprotect(from + i, PAGE_BYTES, PROT_READ | PROT_WRITE))
			fail("mprotect");
	}
}

static char *map_file(uint64_t size)
{
	int fd = open(options.file, O_RDONLY | O_CLOEXEC);
	char *from;
	uint64_t i;

	if (fd < 0)
		fail(options.file);
	from = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (from == MAP_FAILED)
		fail("mmap");
	close(fd);
	for (i = 0; i < size; i += PAGE_BYTES)
		(void)*(volatile char *)(from + i);
	return from;
}

/* At a multiple of 2 MiB, so that huge pages fit. */
static char *map(uint64_t size)
{
	int flags = MAP_ANONYMOUS | (options.shared ? MAP_SHARED : MAP_PRIVATE);
	char *from, *aligned;

	if (options.file)
		return map_file(size);
	from = mmap(NULL, size + 2 * MIB, PROT_READ | PROT_WRITE, flags, -1, 0);
	if (from == MAP_FAILED)
		fail("mmap");
	aligned = (char *)(((uintptr_t)from + 2 * MIB - 1) & ~(uintptr_t)(2 * MIB - 1));
	if (aligned > from)
		munmap(from, (size_t)(aligned - from));
	munmap(aligned + size, 2 * MIB - (size_t)(aligned - from));
	madvise(aligned, size, options.huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	memset(aligned, 0, size);
	if (options.by_pages)
		map_by_pages(aligned, size);
	return aligned;
}

static void map_hugetlb(uint64_t size)
{
	char *from = mmap(NULL, size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);

	if (from == MAP_FAILED)
		return;
	memset(from, 1, size);
	say("cold", from, size);
}

static void start_child(void)
{
	pid_t child = fork();
	uint64_t i;

	if (child < 0)
		fail("fork");
	if (child) {
		printf("child %d\n", (int)child);
		return;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	close(0);
	close(1);
	/* Its page tables are empty for shared memory, until it looks. */
	for (i = 0; options.shared && i < parts[0].size; i += PAGE_BYTES)
		(void)parts[0].start[i];
	for (;;)
		pause();
}

/* Memory that comes and goes: it is used, and so may be seen as hot for a moment, but isn't told of. */
static void *churn(void *arg)
{
	const struct timespec pause = {.tv_nsec = 2000000};
	uint64_t size = 4 * MIB, round;
	char *memory;

	for (round = 0;; round++) {
		memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			      0);
		if (memory == MAP_FAILED)
			fail("mmap");
		memset(memory, 1, size);
		nanosleep(&pause, NULL);
		/* In one piece, or with a hole in it first. */
		if (round % 2)
			munmap(memory + size / 4, size / 4);
		munmap(memory, size);
	}
	return NULL;
}

static void obey(char *line, char **argv)
{
	unsigned long mib;

	pthread_mutex_lock(&lock);
	if (sscanf(line, "grow %lu", &mib) == 1) {
		parts[1].start = map(mib * MIB);
		parts[1].size = mib * MIB;
		say("hot", parts[1].start, parts[1].size);
	} else if (!strncmp(line, "shrink", 6)) {
		munmap((void *)parts[1].start, parts[1].size);
		parts[1].size = 0;
	} else if (!strncmp(line, "touch", 5)) {
		touch(&cold_part);
	} else if (sscanf(line, "hugetlb %lu", &mib) == 1) {
		map_hugetlb(mib * MIB);
	} else if (!strncmp(line, "fork", 4)) {
		start_child();
	} else if (!strncmp(line, "exec", 4)) {
		execv("/proc/self/exe", argv);
		fail("exec");
	} else if (!strncmp(line, "collapse", 8)) {
		/* What couldn't be collapsed is seen in the sizes the kernel tells. */
		madvise(area, options.cold + options.hot, MADV_HUGEPAGE);
		madvise(area, options.cold + options.hot, MADV_COLLAPSE);
	} else if (!strncmp(line, "split", 5)) {
		map_by_pages(area, options.cold + options.hot);
	} else if (!strncmp(line, "leave", 5)) {
		exit(0);
	}
	puts("ready");
	fflush(stdout);
	pthread_mutex_unlock(&lock);
}

static void parse(char **argv)
{
	for (argv++; *argv; argv++) {
		if (!strcmp(*argv, "--read"))
			options.read = true;
		else if (!strcmp(*argv, "--huge"))
			options.huge = true;
		else if (!strcmp(*argv, "--by-pages"))
			options.huge = options.by_pages = true;
		else if (!strcmp(*argv, "--shared"))
			options.shared = true;
		else if (!strcmp(*argv, "--with-child"))
			options.shared = options.child = true;
		else if (!strcmp(*argv, "--locked"))
			options.locked = true;
		else if (!strcmp(*argv, "--churn"))
			options.churn = true;
		else if (!strcmp(*argv, "--beats") && argv[1])
			beats = live_beats_map(atoi(*++argv));
		else if (!strcmp(*argv, "--cold") && argv[1])
			options.cold = strtoull(*++argv, NULL, 0) * MIB;
		else if (!strcmp(*argv, "--hot") && argv[1])
			options.hot = strtoull(*++argv, NULL, 0) * MIB;
		else if (!strcmp(*argv, "--file") && argv[1])
			options.file = *++argv;
		else if (!strcmp(*argv, "--pause-us") && argv[1])
			options.pause_ns = strtol(*++argv, NULL, 0) * 1000;
		else if (!strcmp(*argv, "--threads") && argv[1])
			options.threads = (unsigned int)strtoul(*++argv, NULL, 0);
		else
			exit(2);
	}
}

/* Should memory run short, this program goes first. */
static void volunteer_for_oom(void)
{
	FILE *file = fopen("/proc/self/oom_score_adj", "we");

	if (!file || fputs("1000", file) < 0 || fclose(file))
		fail("oom_score_adj");
}

int main(int argc, char **argv)
{
	char line[64];
	pthread_attr_t attr;
	pthread_t thread;
	unsigned int i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	parse(argv);
	volunteer_for_oom();
	area = map(options.cold + options.hot);
	cold_part = (struct part){area, options.cold / 2};
	parts[0].start = area + options.cold / 2;
	parts[0].size = options.hot;
	say("cold", area, options.cold / 2);
	say("hot", parts[0].start, parts[0].size);
	say("cold", parts[0].start + parts[0].size, options.cold - options.cold / 2);
	if (options.locked && mlock((void *)parts[0].start, parts[0].size))
		fail("mlock");
	if (options.child)
		start_child();
	puts("ready");
	fflush(stdout);
	/* So small that no huge page fits: a stack is hot as well, but nobody is told of it. */
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 64 * 1024);
	for (i = 0; i < options.threads; i++) {
		if (pthread_create(&thread, &attr, work, (void *)(uintptr_t)i))
			fail("pthread_create");
	}
	if (options.churn && pthread_create(&thread, &attr, churn, NULL))
		fail("pthread_create");
	while (fgets(line, sizeof(line), stdin))
		obey(line, argv);
	return 0;
}
