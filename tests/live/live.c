/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * What the live tests share.
 */
#include "live.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../tools/memory.h"
#include "access/doctor.h"
#include "beats.h"
#include "ops/vaddr_both.h"

#define MAX_OPTIONS 16

/* Longest wait for windows that can be judged; UDAMON_LIVE_PATIENCE_S says another one. */
#define PATIENCE_S 60

/* The default intervals. */
#define SAMPLE_US 5000
#define SAMPLES	  20

/* Which a target is given its beats by. */
#define BEATS_FD 9

struct live_way live_way;

/* Whose windows are judged by whether they got to run. */
static const struct live_target *judged;
static size_t nr_judged;

static void exec_patterns(const char *options, int in, int out, int beats)
{
	char path[4096], words[256], *argv[MAX_OPTIONS + 4], *at = words;
	char beats_fd[] = {'0' + BEATS_FD, '\0'};
	const char *build = getenv("UDAMON_BUILD");
	size_t nr = 0;

	dup2(in, 0);
	dup2(out, 1);
	dup2(beats, BEATS_FD);
	snprintf(path, sizeof(path), "%s/tests/live/patterns", build ? build : "build");
	snprintf(words, sizeof(words), "%s", options);
	argv[nr++] = path;
	argv[nr++] = "--beats";
	argv[nr++] = beats_fd;
	while (nr <= MAX_OPTIONS + 2 && (argv[nr] = strtok_r(at, " ", &at)))
		nr++;
	argv[nr] = NULL;
	execv(path, argv);
	fprintf(stderr, "can't run %s: %s\n", path, strerror(errno));
	_exit(127);
}

/* Lines up to "ready". */
static void read_answer(struct live_target *target)
{
	struct live_part *part;
	char line[128], what[16];
	int child;

	while (fgets(line, sizeof(line), target->from)) {
		if (!strcmp(line, "ready\n"))
			return;
		if (sscanf(line, "child %d", &child) == 1) {
			target->child = child;
			continue;
		}
		assert_true(target->nr_parts < LIVE_MAX_PARTS);
		part = &target->parts[target->nr_parts++];
		assert_int_equal(sscanf(line, "%15s %" SCNx64 " %" SCNx64, what, &part->start,
					&part->end),
				 3);
		part->hot = !strcmp(what, "hot");
	}
	fail_msg("the target ended before it was ready");
}

/* The sampling interval; longer where the machine is slower, and so told us. */
static uint64_t sample_us(void)
{
	const char *slower = getenv("UDAMON_LIVE_SAMPLE_US");

	if (live_way.sample_us)
		return live_way.sample_us;
	return slower ? strtoull(slower, NULL, 10) : SAMPLE_US;
}

void live_target_start(struct live_target *target, const char *options)
{
	int to[2], from[2], beats;

	memset(target, 0, sizeof(*target));
	beats = memfd_create("beats", MFD_CLOEXEC);
	assert_true(beats >= 0 && !ftruncate(beats, sizeof(*target->beats)));
	target->beats = live_beats_map(beats);
	assert_non_null(target->beats);
	/* So that each thread is there in each sampling interval. */
	target->beats->patience_ns = sample_us() * 800;
	assert_int_equal(pipe2(to, O_CLOEXEC), 0);
	assert_int_equal(pipe2(from, O_CLOEXEC), 0);
	target->pid = fork();
	assert_true(target->pid >= 0);
	if (!target->pid)
		exec_patterns(options, to[0], from[1], beats);
	close(beats);
	close(to[0]);
	close(from[1]);
	target->to = fdopen(to[1], "w");
	target->from = fdopen(from[0], "r");
	read_answer(target);
}

void live_target_command(struct live_target *target, const char *command)
{
	/* An exec starts afresh, a shrink takes back the last part. */
	if (!strcmp(command, "exec"))
		target->nr_parts = 0;
	else if (!strcmp(command, "shrink"))
		target->nr_parts--;
	fprintf(target->to, "%s\n", command);
	fflush(target->to);
	if (strcmp(command, "leave") != 0)
		read_answer(target);
}

void live_target_stop(struct live_target *target)
{
	if (target->pid > 0) {
		kill(target->pid, SIGKILL);
		waitpid(target->pid, NULL, 0);
	}
	if (target->to)
		fclose(target->to);
	if (target->from)
		fclose(target->from);
	target->to = target->from = NULL;
	/* It stays mapped: the kdamond may be looking at it right now. */
	target->beats = NULL;
	target->pid = 0;
}

uint64_t live_target_rollup(const struct live_target *target, const char *field)
{
	char path[64], line[256];
	uint64_t kib = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)target->pid);
	file = fopen(path, "re");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		if (!strncmp(line, field, strlen(field)) && line[strlen(field)] == ':')
			kib = strtoull(line + strlen(field) + 1, NULL, 10);
	}
	fclose(file);
	return kib * 1024;
}

static void lock(struct live_monitor *monitor)
{
	monitor->port->mutex_lock(monitor->port, monitor->mutex);
}

static void unlock(struct live_monitor *monitor)
{
	monitor->port->mutex_unlock(monitor->port, monitor->mutex);
}

void live_monitor_judge(const struct live_target *targets, size_t nr)
{
	judged = targets;
	nr_judged = nr;
}

/* Whether a target didn't get to run for more than a tenth of the window. */
static bool was_late(struct live_monitor *monitor, const struct damon_window *window)
{
	bool late = false;
	size_t i;

	for (i = 0; i < nr_judged && i < LIVE_MAX_TARGETS; i++) {
		const struct live_beats *beats = judged[i].beats;
		uint64_t now;

		if (!beats)
			continue;
		now = live_beats_late_ns(beats);
		late |= now - monitor->late_ns[i] > (window->t_end_ns - window->t_start_ns) / 10;
		monitor->late_ns[i] = now;
	}
	return late;
}

static int on_window(struct damon_ctx *ctx, const struct damon_window *window, void *data)
{
	struct live_monitor *monitor = data;
	struct live_snapshot *snapshot;
	size_t i;
	uint32_t t;

	if (was_late(monitor, window)) {
		lock(monitor);
		monitor->nr_late++;
		unlock(monitor);
		return 0;
	}
	if (live_way.window)
		live_way.window(ctx, window);
	lock(monitor);
	for (t = 0; t < ctx->nr_targets && t < LIVE_MAX_TARGETS; t++) {
		snapshot = &monitor->snapshots[t][monitor->nr_windows % LIVE_WINDOWS];
		snapshot->nr_samples = window->nr_samples;
		snapshot->nr = damon_nr_regions(ctx->targets[t]);
		if (snapshot->nr > LIVE_MAX_REGIONS)
			snapshot->nr = LIVE_MAX_REGIONS;
		for (i = 0; i < snapshot->nr; i++)
			damon_get_region(ctx, ctx->targets[t], i, &snapshot->regions[i]);
	}
	monitor->cost = window->cost;
	monitor->nr_windows++;
	monitor->port->cond_wake_all(monitor->port, monitor->cond);
	unlock(monitor);
	return 0;
}

static void on_event(struct damon_ctx *ctx, const struct damon_event *event, void *data)
{
	struct live_monitor *monitor = data;
	size_t i;

	lock(monitor);
	if (monitor->nr_events < LIVE_MAX_EVENTS) {
		i = monitor->nr_events++;
		monitor->events[i].target = event->target;
		snprintf(monitor->events[i].what, sizeof(monitor->events[i].what), "%s",
			 event->what);
		snprintf(monitor->events[i].detail, sizeof(monitor->events[i].detail), "%s",
			 event->detail);
	}
	monitor->port->cond_wake_all(monitor->port, monitor->cond);
	unlock(monitor);
}

static void on_stopped(struct damon_ctx *ctx, int result, void *data)
{
	struct live_monitor *monitor = data;

	lock(monitor);
	monitor->stopped = true;
	monitor->result = result;
	monitor->port->cond_wake_all(monitor->port, monitor->cond);
	unlock(monitor);
}

static void add_targets(struct live_monitor *monitor, const pid_t *pids, size_t nr)
{
	struct damon_target *target;
	size_t i;

	for (i = 0; i < nr; i++) {
		if (damon_vaddr_target_new(&target, monitor->lib, monitor->env, pids[i],
					   &monitor->error))
			fail_msg("%s", monitor->error.text);
		assert_int_equal(damon_add_target(monitor->ctx, target), 0);
	}
}

void live_monitor_prepare(struct live_monitor *monitor)
{
	bool both = live_way.engine && !strcmp(live_way.engine, "both");
	const struct damon_vaddr_options options = {.engine = both ? "scan" : live_way.engine,
						    .budget_bp = live_way.budget_bp};
	struct damon_attrs attrs;

	memset(monitor, 0, sizeof(*monitor));
	monitor->port = damon_port_posix_new();
	assert_non_null(monitor->port);
	assert_int_equal(monitor->port->mutex_new(monitor->port, &monitor->mutex), 0);
	assert_int_equal(monitor->port->cond_new(monitor->port, &monitor->cond), 0);
	assert_int_equal(damon_lib_new(&monitor->lib, monitor->port), 0);
	if (damon_vaddr_env_new(&monitor->env, &options, &monitor->error))
		fail_msg("%s", monitor->error.text);
	assert_int_equal(both ? vaddr_both_register(monitor->lib, monitor->env)
			      : damon_vaddr_register(monitor->lib, monitor->env),
			 0);
	assert_int_equal(damon_new_ctx(&monitor->ctx, monitor->lib), 0);
	assert_int_equal(damon_select_ops(monitor->ctx, DAMON_OPS_VADDR), 0);
	damon_default_attrs(&attrs);
	attrs.ops_update_interval = 200000;
	attrs.sample_interval = sample_us();
	attrs.aggr_interval = live_way.aggr_us ? live_way.aggr_us : SAMPLES * sample_us();
	attrs.min_nr_regions = LIVE_MIN_REGIONS;
	assert_int_equal(damon_set_attrs(monitor->ctx, &attrs), 0);
	monitor->ctx->seed = 1;
	monitor->ctx->callbacks = (struct damon_callbacks){
		.window = on_window, .event = on_event, .stopped = on_stopped, .data = monitor};
	monitor->running = true;
}

void live_skip_if_busy(int ret, const struct damon_error *err)
{
	if (ret != -EAGAIN)
		return;
	print_message("# SKIP %s\n", err->text);
	skip();
}

int live_monitor_start_prepared(struct live_monitor *monitor, const pid_t *pids, size_t nr)
{
	int ret;

	add_targets(monitor, pids, nr);
	ret = damon_start(&monitor->ctx, 1, false);
	if (ret)
		damon_vaddr_env_error(monitor->env, &monitor->error);
	live_skip_if_busy(ret, &monitor->error);
	return ret;
}

int live_monitor_start(struct live_monitor *monitor, const pid_t *pids, size_t nr)
{
	live_monitor_prepare(monitor);
	return live_monitor_start_prepared(monitor, pids, nr);
}

void live_monitor_watch(struct live_monitor *monitor, const struct live_target *targets, size_t nr)
{
	pid_t pids[LIVE_MAX_TARGETS];
	size_t i;

	for (i = 0; i < nr; i++)
		pids[i] = targets[i].pid;
	live_monitor_judge(targets, nr);
	if (live_monitor_start(monitor, pids, nr))
		fail_msg("%s", monitor->error.text);
}

bool live_monitor_windows(struct live_monitor *monitor, unsigned int nr)
{
	const char *other = getenv("UDAMON_LIVE_PATIENCE_S");
	uint64_t patience_s = other ? strtoull(other, NULL, 10) : PATIENCE_S;
	uint64_t deadline = monitor->port->now_ns(monitor->port) + patience_s * 1000000000;
	uint64_t goal, late;
	bool reached;
	int ret = 0;

	lock(monitor);
	goal = monitor->nr_windows + nr;
	while (monitor->nr_windows < goal && !monitor->stopped && !ret)
		ret = monitor->port->cond_wait(monitor->port, monitor->cond, monitor->mutex,
					       deadline);
	reached = monitor->nr_windows >= goal;
	late = monitor->nr_late;
	unlock(monitor);
	if (!reached && ret && late) {
		print_message("# SKIP this machine is too busy: in %lu windows of %lu s the "
			      "targets didn't get to run, and %u are needed in which they do\n",
			      late, patience_s, nr);
		skip();
	}
	return reached;
}

/* Events of this kind, with this in their detail; "" for any. */
static unsigned int count_events(const struct live_monitor *monitor, const char *what,
				 const char *detail)
{
	unsigned int count = 0;
	size_t i;

	for (i = 0; i < monitor->nr_events; i++)
		count += !strcmp(monitor->events[i].what, what) &&
			 strstr(monitor->events[i].detail, detail);
	return count;
}

unsigned int live_monitor_nr_events(struct live_monitor *monitor, const char *what)
{
	unsigned int count;

	lock(monitor);
	count = count_events(monitor, what, "");
	unlock(monitor);
	return count;
}

bool live_monitor_told(struct live_monitor *monitor, const char *what, const char *detail,
		       unsigned int seconds)
{
	uint64_t deadline = monitor->port->now_ns(monitor->port) + seconds * 1000000000ULL;
	bool seen;

	lock(monitor);
	while (!count_events(monitor, what, detail)) {
		if (monitor->port->cond_wait(monitor->port, monitor->cond, monitor->mutex,
					     deadline) == -ETIMEDOUT)
			break;
	}
	seen = count_events(monitor, what, detail);
	unlock(monitor);
	return seen;
}

bool live_monitor_event(struct live_monitor *monitor, const char *what, unsigned int seconds)
{
	return live_monitor_told(monitor, what, "", seconds);
}

void live_monitor_stop(struct live_monitor *monitor)
{
	if (!monitor->running)
		return;
	monitor->running = false;
	damon_stop(&monitor->ctx, 1);
	damon_destroy_ctx(monitor->ctx);
	damon_lib_free(monitor->lib);
	damon_vaddr_env_free(monitor->env);
	monitor->port->cond_free(monitor->port, monitor->cond);
	monitor->port->mutex_free(monitor->port, monitor->mutex);
	damon_port_posix_free(monitor->port);
}

static uint64_t overlap(const struct damon_addr_range *ar, const struct live_part *part)
{
	uint64_t start = ar->start > part->start ? ar->start : part->start;
	uint64_t end = ar->end < part->end ? ar->end : part->end;

	return start < end ? end - start : 0;
}

/* One window's figures. */
static void score_window(const struct live_snapshot *snapshot, const struct live_target *target,
			 struct live_score *score)
{
	uint64_t right = 0, found = 0, bytes;
	double unknown = 0;
	size_t i, j;

	for (i = 0; i < snapshot->nr; i++) {
		const struct damon_region *region = &snapshot->regions[i];
		bool hot = 2 * region->nr_accesses >= snapshot->nr_samples;

		if (hot)
			found += region->ar.end - region->ar.start;
		for (j = 0; j < target->nr_parts; j++) {
			if (!target->parts[j].hot)
				continue;
			bytes = overlap(&region->ar, &target->parts[j]);
			right += hot ? bytes : 0;
			unknown += (double)bytes * region->nr_unknown / snapshot->nr_samples;
		}
	}
	score->found = (double)found / 1024;
	score->precision = found ? 100.0 * (double)right / (double)found : 0;
	score->recall = score->truth ? 100.0 * (double)right / 1024 / score->truth : 0;
	score->unknown = score->truth ? 100.0 * unknown / 1024 / score->truth : 0;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* Median of a member over the windows. */
static double median(const struct live_score *windows, size_t offset)
{
	double values[LIVE_WINDOWS];
	size_t w;

	for (w = 0; w < LIVE_WINDOWS; w++)
		values[w] = *(const double *)((const char *)&windows[w] + offset);
	qsort(values, LIVE_WINDOWS, sizeof(*values), compare);
	return (values[LIVE_WINDOWS / 2 - 1] + values[LIVE_WINDOWS / 2]) / 2;
}

static void score_windows(struct live_monitor *monitor, size_t idx,
			  const struct live_target *target, struct live_score *score)
{
	struct live_score windows[LIVE_WINDOWS] = {};
	double truth = 0;
	size_t i, w;

	for (i = 0; i < target->nr_parts; i++)
		truth += target->parts[i].hot
				 ? (double)(target->parts[i].end - target->parts[i].start)
				 : 0;
	lock(monitor);
	assert_true(monitor->nr_windows >= LIVE_WINDOWS);
	for (w = 0; w < LIVE_WINDOWS; w++) {
		windows[w].truth = truth / 1024;
		score_window(&monitor->snapshots[idx][w], target, &windows[w]);
	}
	score->windows = monitor->nr_windows;
	score->late = monitor->nr_late;
	unlock(monitor);
	score->truth = truth / 1024;
	score->found = median(windows, offsetof(struct live_score, found));
	score->precision = median(windows, offsetof(struct live_score, precision));
	score->recall = median(windows, offsetof(struct live_score, recall));
	score->unknown = median(windows, offsetof(struct live_score, unknown));
}

static void print_score(size_t idx, const struct live_score *score)
{
	printf("# target %zu: hot %.0f KiB, found %.0f KiB: precision %.1f %%, recall %.1f %%, "
	       "unknown %.1f %%; %" PRIu64 " windows, and %" PRIu64 " in which a target was late\n",
	       idx, score->truth, score->found, score->precision, score->recall, score->unknown,
	       score->windows, score->late);
}

void live_score(struct live_monitor *monitor, size_t idx, const struct live_target *target,
		struct live_score *score)
{
	score_windows(monitor, idx, target, score);
	print_score(idx, score);
}

/* All that counts as hot, and what lies within 8 MiB of the part; offsets are from its start. */
static void print_window(const struct live_snapshot *snapshot, const struct live_part *part)
{
	const uint64_t margin = 8ULL << 20;
	size_t i;

	printf("# hot %" PRIu64 " KiB; offset KiB, size KiB, accesses of %u, unknown, age\n",
	       (part->end - part->start) / 1024, snapshot->nr_samples);
	for (i = 0; i < snapshot->nr; i++) {
		const struct damon_region *region = &snapshot->regions[i];

		if (2 * region->nr_accesses < snapshot->nr_samples &&
		    (region->ar.end + margin <= part->start ||
		     region->ar.start >= part->end + margin))
			continue;
		printf("#   %8" PRId64 " %8" PRIu64 " %3u %3u %3u\n",
		       ((int64_t)region->ar.start - (int64_t)part->start) / 1024,
		       (region->ar.end - region->ar.start) / 1024, region->nr_accesses,
		       region->nr_unknown, region->age);
	}
}

void live_print_regions(struct live_monitor *monitor, size_t idx, const struct live_target *target)
{
	size_t i, w;

	lock(monitor);
	for (w = 0; w < LIVE_WINDOWS; w++) {
		for (i = 0; i < target->nr_parts; i++) {
			if (target->parts[i].hot && target->parts[i].end > target->parts[i].start)
				print_window(&monitor->snapshots[idx][(monitor->nr_windows + w) %
								      LIVE_WINDOWS],
					     &target->parts[i]);
		}
	}
	unlock(monitor);
}

void live_assert_found(struct live_monitor *monitor, size_t idx, const struct live_target *target,
		       double precision, double recall)
{
	struct live_score score;
	unsigned int nr = LIVE_WINDOWS, step;
	bool found;

	for (step = LIVE_WINDOWS;; nr += step) {
		assert_true(live_monitor_windows(monitor, step));
		score_windows(monitor, idx, target, &score);
		found = score.precision >= precision && score.recall >= recall;
		if (found || nr >= LIVE_MOST_WINDOWS)
			break;
		step = LIVE_WINDOWS / 5;
	}
	print_score(idx, &score);
	if (found)
		return;
	live_print_regions(monitor, idx, target);
	fail_msg("target %zu: expected at least %.0f %% precision and %.0f %% recall within %u "
		 "windows, got %.1f %% and %.1f %% in the last",
		 idx, precision, recall, nr, score.precision, score.recall);
}

void live_choose_tests(void)
{
	cmocka_set_test_filter(getenv("UDAMON_TEST_FILTER"));
	cmocka_set_skip_filter(getenv("UDAMON_TEST_SKIP"));
}

pid_t live_start_with_number(pid_t number)
{
	struct clone_args args = {
		.exit_signal = SIGCHLD, .set_tid = (uintptr_t)&number, .set_tid_size = 1};
	pid_t child = (pid_t)syscall(SYS_clone3, &args, sizeof(args));

	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	return child == number ? child : 0;
}

bool live_has_memory(uint64_t mib)
{
	return available_mib() >= 4 * mib;
}

const char *live_skip_all(unsigned int mib)
{
	static struct doctor doctor;
	static char why[600];

	if (doctor_examine(&doctor))
		return "out of memory";
	if (!doctor.engines[DOCTOR_POINT].ok)
		snprintf(why, sizeof(why), "%s", doctor.engines[DOCTOR_POINT].why);
	else if (!live_has_memory(mib))
		snprintf(why, sizeof(why), "only %" PRIu64 " MiB of memory are available",
			 available_mib());
	else
		return NULL;
	printf("1..0 # SKIP %s\n", why);
	return why;
}
