// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * What reading results through the mounted tree costs, compared with a record, and what an idle daemon does.
 *
 * A daemon of its own, mounted where nobody else sees it, watches this program's child. The tried regions of one
 * pass are read as files, four for each region, for the first time and then again, and as one file; the regions
 * of a window are read from a record that `udamon record --context` has made of the same context, opening it
 * included. Then the context is paused and the daemon left alone. Exit status 77 where that isn't possible.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "record/record.h"

#define NR_REGIONS   "1000"
#define REPEATS	     10
#define IDLE_SECONDS 10
#define CHILD_BYTES  (64UL << 20)

static char folder[64], tree[128], record[128];
static pid_t daemon_pid, child_pid;

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void tidy(void)
{
	char command[128];

	if (child_pid > 0)
		kill(child_pid, SIGKILL);
	if (daemon_pid > 0) {
		kill(daemon_pid, SIGTERM);
		waitpid(daemon_pid, NULL, 0);
	}
	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	if (folder[0] && system(command))
		fprintf(stderr, "bench_sysfs: '%s' is left\n", folder);
}

static void give_up(const char *what)
{
	fprintf(stderr, "bench_sysfs: %s: %s\n", what, strerror(errno));
	tidy();
	exit(77);
}

static void put(const char *file, const char *value)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/kernel/mm/damon/admin/kdamonds/%s", tree, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		give_up(path);
	close(fd);
}

/* Returns how many bytes there were. */
static size_t get(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t got = 0;

	while (fd >= 0 && len < size - 1 && (got = read(fd, text + len, size - 1 - len)) > 0)
		len += (size_t)got;
	if (fd < 0 || got < 0)
		give_up(path);
	close(fd);
	text[len] = '\0';
	return len;
}

static void use_memory(void)
{
	volatile char *memory =
		mmap(NULL, CHILD_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		for (size_t i = 0; i < CHILD_BYTES; i += 8192)
			memory[i] = 1;
		usleep(5000);
	}
}

static void start(const char *build)
{
	char program[600], state[128];

	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		give_up("no private mount namespace");
	strcpy(folder, "/tmp/bench_sysfs.XXXXXX");
	if (!mkdtemp(folder))
		give_up(folder);
	snprintf(tree, sizeof(tree), "%s/sys", folder);
	snprintf(record, sizeof(record), "%s/record.udamon", folder);
	snprintf(state, sizeof(state), "%s/state.db", folder);
	snprintf(program, sizeof(program), "%s/udamond", build);
	setenv("UDAMON_LOCK_DIR", folder, 1);
	child_pid = fork();
	if (!child_pid)
		use_memory();
	daemon_pid = fork();
	if (!daemon_pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (!freopen("/dev/null", "w", stderr))
			_exit(127);
		execl(program, "udamond", "--mount", tree, "--state", state, "--log", "stderr",
		      (char *)NULL);
		_exit(127);
	}
	for (int i = 0; i < 200; i++) {
		char path[160];

		snprintf(path, sizeof(path), "%s/kernel", tree);
		if (!access(path, F_OK))
			return;
		usleep(50000);
	}
	give_up("the daemon doesn't start");
}

static void watch(void)
{
	static const char *const ranges[] = {"sz", "nr_accesses", "age"};
	char text[128];

	put("nr_kdamonds", "1");
	put("0/contexts/nr_contexts", "1");
	put("0/contexts/0/monitoring_attrs/nr_regions/min", NR_REGIONS);
	put("0/contexts/0/monitoring_attrs/nr_regions/max", "2000");
	put("0/contexts/0/targets/nr_targets", "1");
	snprintf(text, sizeof(text), "%d", child_pid);
	put("0/contexts/0/targets/0/pid_target", text);
	put("0/contexts/0/schemes/nr_schemes", "1");
	for (int i = 0; i < 3; i++) {
		snprintf(text, sizeof(text), "0/contexts/0/schemes/0/access_pattern/%s/max",
			 ranges[i]);
		put(text, "18446744073709551615");
	}
	put("0/state", "on");
	sleep(3);
	put("0/state", "update_schemes_tried_regions");
}

/* A record of the context that runs. */
static void make_record(const char *build)
{
	char program[600];
	int status;
	pid_t pid;

	snprintf(program, sizeof(program), "%s/udamon", build);
	pid = fork();
	if (!pid) {
		execl(program, "udamon", "record", "-q", "--mount", tree, "--context", "0/0",
		      "--for", "1s", "-o", record, (char *)NULL);
		_exit(127);
	}
	errno = ECHILD;
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		give_up("udamon record --context");
}

static size_t read_files(void)
{
	static const char *const files[] = {"start", "end", "nr_accesses", "age"};
	char path[512], dir[256], text[64];
	struct dirent *entry;
	size_t nr = 0;
	DIR *regions;

	snprintf(dir, sizeof(dir),
		 "%s/kernel/mm/damon/admin/kdamonds/0/contexts/0/schemes/0/tried_regions", tree);
	regions = opendir(dir);
	if (!regions)
		give_up(dir);
	while ((entry = readdir(regions))) {
		if (entry->d_name[0] < '0' || entry->d_name[0] > '9')
			continue;
		for (int i = 0; i < 4; i++) {
			snprintf(path, sizeof(path), "%s/%.20s/%s", dir, entry->d_name, files[i]);
			get(path, text, sizeof(text));
		}
		nr++;
	}
	closedir(regions);
	return nr;
}

static size_t read_at_once(void)
{
	static char text[1 << 20];
	char path[256];
	size_t lines = 0;

	snprintf(path, sizeof(path), "%s/udamon/kdamonds/0/regions/0", tree);
	get(path, text, sizeof(text));
	for (const char *c = text; *c; c++)
		lines += *c == '\n';
	return lines - 1;
}

static double best(size_t (*read_all)(void), int repeats, size_t *nr)
{
	double least = 1e18;

	for (int i = 0; i < repeats; i++) {
		double begin = now_ms(), took;

		*nr = read_all();
		took = now_ms() - begin;
		least = took < least ? took : least;
	}
	return least;
}

/* The last window's. */
static size_t read_record(void)
{
	const struct record_region *regions;
	struct record_snapshot snapshot;
	struct record_reader *reader;
	struct damon_error err;
	size_t nr = 0;

	if (record_reader_open(&reader, record, &err) ||
	    record_reader_last(reader, &snapshot, &err) != 1 ||
	    record_reader_regions(reader, snapshot.id, &regions, &nr, &err)) {
		errno = EIO;
		give_up(err.text);
	}
	record_reader_close(reader);
	return nr;
}

static void print_cost(const char *name, size_t nr, double ms)
{
	printf(" \"%s\": {\"regions\": %zu, \"ms\": %.3f, \"us_per_region\": %.3f},\n", name, nr,
	       ms, ms * 1e3 / (double)nr);
}

/* Processor time of all its threads, ms. */
static double cpu_ms(void)
{
	char path[300], text[128];
	struct dirent *entry;
	double sum = 0;
	DIR *tasks;

	snprintf(path, sizeof(path), "/proc/%d/task", daemon_pid);
	tasks = opendir(path);
	while (tasks && (entry = readdir(tasks))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%.20s/schedstat", daemon_pid,
			 entry->d_name);
		get(path, text, sizeof(text));
		sum += strtod(text, NULL) / 1e6;
	}
	if (tasks)
		closedir(tasks);
	return sum;
}

static long resident_kib(void)
{
	char path[64], text[4096];
	const char *line;

	errno = ESRCH;
	if (waitpid(daemon_pid, NULL, WNOHANG))
		give_up("the daemon has ended");

	snprintf(path, sizeof(path), "/proc/%d/status", daemon_pid);
	get(path, text, sizeof(text));
	line = strstr(text, "VmRSS:");
	return line ? strtol(line + 6, NULL, 10) : -1;
}

int main(int argc, char **argv)
{
	char build[512], *slash;
	double first_ms, again_ms, once_ms, record_ms, before;
	size_t nr_first, nr_again, nr_once, nr_record;

	if (!realpath(argv[0], build) || !(slash = strstr(build, "/bench/")))
		give_up("no build folder");
	*slash = '\0';
	if (geteuid()) {
		errno = EPERM;
		give_up("mounting needs root");
	}
	start(build);
	watch();
	first_ms = best(read_files, 1, &nr_first);
	again_ms = best(read_files, REPEATS, &nr_again);
	once_ms = best(read_at_once, REPEATS, &nr_once);
	make_record(build);
	record_ms = best(read_record, REPEATS, &nr_record);
	put("0/contexts/0/pause", "Y");
	put("0/state", "commit");
	sleep(2);
	before = cpu_ms();
	sleep(IDLE_SECONDS);
	fputs("{\n", stdout);
	print_cost("regions_as_files_first", nr_first, first_ms);
	print_cost("regions_as_files_again", nr_again, again_ms);
	print_cost("regions_in_one_file", nr_once, once_ms);
	print_cost("regions_from_record", nr_record, record_ms);
	printf(" \"idle_with_one_paused_context\": {\"resident_kib\": %ld, \"cpu_pct\": %.4f}}\n",
	       resident_kib(), (cpu_ms() - before) / (IDLE_SECONDS * 10.0));
	tidy();
	return 0;
}
