// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* udamon verify: what the engine point says of a live process, against what scan knows of it. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <udamon/ops.h>
#include <udamon/vaddr.h>

#include "cli/command.h"
#include "cli/message.h"
#include "cli/progress.h"
#include "cli/session.h"
#include "cli/signals.h"
#include "cli/terminal.h"
#include "cli/verifying.h"
#include "system/metric.h"
#include "system/process.h"

/* Unless told otherwise: so many looks a window, so many windows, and a look this often at least. */
#define SAMPLES	  20
#define WINDOWS	  25
#define SAMPLE_US 50000
/* Where the time is short: windows of fewer looks, so that there are so many; but not fewer looks than these. */
#define FEW_WINDOWS    12
#define FEWEST_SAMPLES 4
/* A cycle of scan takes about this long a page, and may be a tenth of the time between looks. */
#define CYCLE_PAGE_NS 80
#define CYCLE_SHARE   10
#define REFRESH_MS    250

/* One comparison. What is below @ctx is the kdamond's until it has stopped. */
struct verify {
	const struct options *opts;
	int pidfd;
	int kick_fd;
	struct damon_port *port;
	struct damon_vaddr_env *env;
	struct damon_lib *lib;
	struct damon_ctx *ctx;
	struct damon_region *regions;
	size_t regions_capacity;
	struct accuracy_run *runs;
	size_t nr_runs, runs_capacity;
	uint64_t t_judged_ns;
	struct vaddr_both_cost early;
	int result;
	struct verified found;
};

static void kick(struct verify *verify)
{
	uint64_t one = 1;

	(void)!write(verify->kick_fd, &one, sizeof(one));
}

/* Room for @nr entries of @size bytes. */
static int grow(void **entries, size_t *capacity, size_t nr, size_t size)
{
	size_t wanted = *capacity ? *capacity : 1024;
	void *more;

	if (nr <= *capacity)
		return 0;
	while (wanted < nr)
		wanted *= 2;
	more = reallocarray(*entries, wanted, size);
	if (!more)
		return -ENOMEM;
	*entries = more;
	*capacity = wanted;
	return 0;
}

static int add_run(void *data, uint64_t start, uint64_t end, uint64_t page_size, int32_t touched,
		   uint32_t samples)
{
	struct verify *verify = data;
	int ret = grow((void **)&verify->runs, &verify->runs_capacity, verify->nr_runs + 1,
		       sizeof(*verify->runs));

	if (!ret)
		verify->runs[verify->nr_runs++] = (struct accuracy_run){{start, end}, touched};
	return ret;
}

static int compare(struct verify *verify, struct damon_ctx *ctx, const struct damon_window *window)
{
	struct accuracy_window judged = {.nr_samples = window->nr_samples};
	struct damon_target *target = ctx->targets[0];
	size_t nr = damon_nr_regions(target), i;
	int ret = grow((void **)&verify->regions, &verify->regions_capacity, nr,
		       sizeof(*verify->regions));

	verify->nr_runs = 0;
	if (!ret)
		ret = damon_vaddr_page_heat(ctx, target, add_run, verify);
	if (ret)
		return ret;
	for (i = 0; i < nr; i++)
		damon_get_region(ctx, target, i, &verify->regions[i]);
	judged.nr_regions = nr;
	judged.regions = verify->regions;
	judged.nr_runs = verify->nr_runs;
	judged.runs = verify->runs;
	accuracy_add(&verify->found.accuracy, &judged);
	verify->found.nr_worst = accuracy_worst(&judged, verify->found.worst, VERIFY_WORST);
	return 0;
}

static void take_cost(struct verify *verify, struct damon_ctx *ctx,
		      const struct damon_window *window)
{
	struct vaddr_both_cost *cost = &verify->found.cost, *early = &verify->early;

	vaddr_both_cost(ctx, cost);
	cost->point_cpu_ns -= early->point_cpu_ns;
	cost->scan_cpu_ns -= early->scan_cpu_ns;
	cost->point_clears -= early->point_clears;
	cost->scan_clears -= early->scan_clears;
	verify->found.ns = window->t_end_ns - verify->t_judged_ns;
	verify->found.samples = window->nr_samples;
	verify->found.sample_us = window->sample_us;
}

static int on_window(struct damon_ctx *ctx, const struct damon_window *window, void *data)
{
	struct verify *verify = data;
	int ret;

	if (++verify->found.windows <= VERIFY_EARLY_WINDOWS) {
		vaddr_both_cost(ctx, &verify->early);
		verify->t_judged_ns = window->t_end_ns;
		return 0;
	}
	ret = compare(verify, ctx, window);
	if (ret)
		return ret;
	take_cost(verify, ctx, window);
	/* The names may be gone with the process; then the last ones stay. */
	if (process_state(verify->pidfd) == PROCESS_ALIVE)
		maps_read(&verify->found.maps, verify->found.pid);
	return 0;
}

static void on_event(struct damon_ctx *ctx, const struct damon_event *event, void *data)
{
	if (!strcmp(event->what, "exec") || !strcmp(event->what, "pressure"))
		note("%s", event->detail);
}

static void on_stopped(struct damon_ctx *ctx, int result, void *data)
{
	struct verify *verify = data;

	verify->result = result;
	verify->found.flush = damon_vaddr_describe_flush(ctx);
	kick(verify);
}

/* Intervals that leave scan time for its cycle, unless others were asked for. */
static int choose_attrs(const struct verify *verify, struct damon_attrs *attrs)
{
	struct options opts = *verify->opts;
	uint64_t cycle_us = process_resident_pages(opts.pids[0]) * CYCLE_PAGE_NS / 1000;

	opts.autotune = TUNE_OFF;
	opts.engine = "point";
	if (!opts.sample_us && opts.aggr_us)
		opts.sample_us = opts.aggr_us < SAMPLES ? 1 : opts.aggr_us / SAMPLES;
	if (!opts.sample_us) {
		opts.sample_us = SAMPLE_US;
		while (opts.sample_us < cycle_us * CYCLE_SHARE)
			opts.sample_us *= 2;
	}
	if (!opts.aggr_us) {
		uint64_t samples = SAMPLES;

		if (opts.for_us && opts.for_us / opts.sample_us < FEW_WINDOWS * SAMPLES)
			samples = opts.for_us / opts.sample_us / FEW_WINDOWS;
		if (samples < FEWEST_SAMPLES)
			samples = FEWEST_SAMPLES;
		opts.aggr_us = samples * opts.sample_us;
	}
	return options_attrs(&opts, attrs);
}

static int open_target(struct verify *verify, pid_t pid)
{
	struct damon_target *target;
	struct damon_error err = {""};
	struct process_info info;
	int ret = process_open(pid, &verify->pidfd, &info, &err);

	if (ret)
		return give_up(EXIT_FAILED, "%s", err.text);
	verify->found.pid = pid;
	memcpy(verify->found.comm, info.comm, sizeof(info.comm));
	ret = damon_vaddr_target_new(&target, verify->lib, verify->env, pid, &err);
	if (ret)
		return ret == -ESRCH || ret == -EINVAL ? give_up(EXIT_FAILED, "%s", err.text)
						       : session_cannot(ret, err.text);
	ret = damon_add_target(verify->ctx, target);
	if (ret) {
		damon_free_target(target);
		return give_up(EXIT_FAILED, "out of memory");
	}
	return 0;
}

static int open_verify(struct verify *verify)
{
	const struct options *opts = verify->opts;
	const struct damon_vaddr_options vaddr = {.engine = "scan",
						  .max_stall_us = opts->max_stall_us};
	struct damon_error err = {""};
	struct damon_attrs attrs;
	int ret = choose_attrs(verify, &attrs);

	if (ret)
		return ret;
	verify->kick_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (verify->kick_fd < 0 || signals_start(false))
		return give_up(EXIT_FAILED, "cannot wait for signals: %s", strerror(errno));
	ret = damon_vaddr_env_new(&verify->env, &vaddr, &err);
	if (ret)
		return session_cannot(ret, err.text);
	verify->port = damon_port_posix_new();
	if (!verify->port || damon_lib_new(&verify->lib, verify->port) ||
	    vaddr_both_register(verify->lib, verify->env) ||
	    damon_new_ctx(&verify->ctx, verify->lib) ||
	    damon_select_ops(verify->ctx, DAMON_OPS_VADDR))
		return give_up(EXIT_FAILED, "out of memory");
	verify->port->metric = system_metric;
	verify->ctx->seed = opts->seed ? opts->seed : verify->port->seed(verify->port);
	verify->ctx->callbacks = (struct damon_callbacks){
		.window = on_window, .event = on_event, .stopped = on_stopped, .data = verify};
	if (damon_set_attrs(verify->ctx, &attrs))
		return give_up(EXIT_USAGE,
			       "these intervals and numbers of regions don't go together");
	return open_target(verify, opts->pids[0]);
}

/* Until the time is up, the process or the kdamond has ended, or a signal ends it. */
static void wait_for_end(struct verify *verify)
{
	uint64_t begun_ns = verify->port->now_ns(verify->port), now_ns = begun_ns, length_ns;
	bool from_terminal;
	struct progress progress;

	length_ns = 1000 * (verify->opts->for_us ? verify->opts->for_us
						 : WINDOWS * verify->ctx->attrs.aggr_interval);
	progress_start(&progress, verify->opts, "comparing");
	while (now_ns - begun_ns < length_ns && damon_is_running(verify->ctx)) {
		struct pollfd fds[] = {{signals_fd(), POLLIN, 0},
				       {verify->kick_fd, POLLIN, 0},
				       {verify->pidfd, POLLIN, 0}};
		uint64_t left_ms = (length_ns - (now_ns - begun_ns)) / 1000000 + 1;
		int signo;

		poll(fds, 3, left_ms < REFRESH_MS ? (int)left_ms : REFRESH_MS);
		while ((signo = signals_next(&from_terminal)))
			if (signo == SIGINT || signo == SIGTERM || signo == SIGHUP)
				return;
		if (fds[1].revents || fds[2].revents)
			return;
		now_ns = verify->port->now_ns(verify->port);
		progress_show(&progress, (double)(now_ns - begun_ns) / (double)length_ns);
	}
}

static int watch(struct verify *verify)
{
	struct damon_error err = {""};
	int ret = damon_start(&verify->ctx, 1, false);

	if (ret) {
		if (!damon_vaddr_env_error(verify->env, &err))
			snprintf(err.text, sizeof(err.text), "cannot start watching: %s",
				 strerror(-ret));
		return session_cannot(ret == -EINVAL ? -EIO : ret, err.text);
	}
	wait_for_end(verify);
	damon_stop(&verify->ctx, 1);
	terminal_clear_status();
	if (verify->result) {
		if (!damon_vaddr_env_error(verify->env, &err))
			snprintf(err.text, sizeof(err.text), "watching ended: %s",
				 strerror(-verify->result));
		return give_up(EXIT_FAILED, "%s", err.text);
	}
	if (!verify->found.accuracy.windows)
		return give_up(EXIT_FAILED,
			       "process %d (%s) was watched for %" PRIu64
			       " windows, and the first %d are not judged; watch it for longer, or "
			       "with shorter windows (--aggr)",
			       (int)verify->found.pid, verify->found.comm, verify->found.windows,
			       VERIFY_EARLY_WINDOWS);
	return verified_print(&verify->found, verify->opts);
}

static void close_verify(struct verify *verify)
{
	damon_destroy_ctx(verify->ctx);
	if (verify->lib)
		damon_lib_free(verify->lib);
	damon_vaddr_env_free(verify->env);
	if (verify->port)
		damon_port_posix_free(verify->port);
	if (verify->pidfd >= 0)
		close(verify->pidfd);
	if (verify->kick_fd >= 0)
		close(verify->kick_fd);
	maps_clear(&verify->found.maps);
	free(verify->regions);
	free(verify->runs);
}

int verify_command(const struct options *opts, int argc, char **argv)
{
	struct verify verify = {.opts = opts, .pidfd = -1, .kick_fd = -1};
	int ret;

	if (argc)
		return give_up(EXIT_USAGE,
			       "'%s': verify takes no operand, the process is named "
			       "with -p",
			       argv[0]);
	if (opts->nr_pids != 1)
		return give_up(EXIT_USAGE, "which process? give one, as: udamon verify -p PID");
	ret = open_verify(&verify);
	if (!ret)
		ret = watch(&verify);
	close_verify(&verify);
	return ret;
}
