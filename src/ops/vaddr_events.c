/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * What happens to a watched process: exec, exit, children, memory that can't be watched.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ops/vaddr_internal.h"
#include "system/clock.h"

/* A locked-down process is discovered mapping by mapping; told of together. */
#define UNWATCHABLE_PERIOD_NS 1000000000ULL

uint64_t vaddr_now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

const char *vaddr_format_bytes(char *text, size_t size, uint64_t bytes)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	double value = (double)bytes;
	size_t unit = 0;

	while (value >= 1024 && unit < sizeof(units) / sizeof(*units) - 1) {
		value /= 1024;
		unit++;
	}
	snprintf(text, size, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
	return text;
}

int vaddr_read_map(struct vaddr_target *target)
{
	int ret = maps_read(&target->mappings, target->info.pid);

	/* Nothing that was read is of any worth once the number may be another process's. */
	if (process_state(target->pidfd) == PROCESS_GONE) {
		maps_clear(&target->mappings);
		ret = 0;
	}
	if (ret && ret != -ESRCH)
		return ret;
	if (target->scan)
		scan_target_changed(target->scan);
	return vaddr_fill_watch_map(&target->map, &target->mappings);
}

void vaddr_note_process(struct damon_ctx *ctx, struct damon_target *target,
			const struct page_process *process)
{
	struct vaddr_target *mine = target->ops_priv;
	struct process_info info;
	char detail[192] = "";

	/* No memory: exited, or just between two programs. */
	if (!process->mm)
		return;
	if (!mine->process.mm) {
		mine->process = *process;
		return;
	}
	if (process->exec_id == mine->process.exec_id)
		return;
	mine->process = *process;
	mine->exec_seen = true;
	page_set_clear(&mine->made_old);
	page_set_clear(&mine->doubted);
	if (!process_info_read(&info, mine->info.pid)) {
		snprintf(detail, sizeof(detail), "process %d (%s) now runs %s", (int)info.pid,
			 mine->info.comm, info.comm);
		memcpy(mine->info.comm, info.comm, sizeof(info.comm));
	}
	damon_report_event(ctx, target, "exec", detail);
}

static void note_exit(struct damon_ctx *ctx, struct damon_target *target)
{
	struct vaddr_target *mine = target->ops_priv;
	char detail[128];

	if (!mine || mine->exit_seen || process_state(mine->pidfd) == PROCESS_ALIVE)
		return;
	mine->exit_seen = true;
	snprintf(detail, sizeof(detail), "process %d (%s) exited", (int)mine->info.pid,
		 mine->info.comm);
	damon_report_event(ctx, target, "gone", detail);
}

/* All targets, when the first is asked about: see vaddr_valid(). */
void vaddr_note_exits(struct damon_ctx *ctx, struct damon_target *target)
{
	uint32_t i;

	for (i = 0; target == ctx->targets[0] && i < ctx->nr_targets; i++)
		note_exit(ctx, ctx->targets[i]);
}

static bool is_known(const struct vaddr_target *target, pid_t child)
{
	int i;

	for (i = 0; i < target->nr_children; i++) {
		if (target->children[i] == child)
			return true;
	}
	return false;
}

static void report_child(struct damon_ctx *ctx, struct damon_target *target, pid_t child)
{
	struct process_info info;
	char detail[128];

	if (process_info_read(&info, child))
		return;
	snprintf(detail, sizeof(detail), "child %d (%s) appeared; it is not watched", (int)child,
		 info.comm);
	damon_report_event(ctx, target, "fork", detail);
}

static bool is_watched(const struct damon_ctx *ctx, pid_t pid)
{
	uint32_t i;

	for (i = 0; i < ctx->nr_targets; i++) {
		if (ctx->targets[i]->pid == pid)
			return true;
	}
	return false;
}

/* Those that were there before anybody looked. */
static void report_first_children(struct damon_ctx *ctx, struct damon_target *target,
				  const pid_t *children, int nr)
{
	struct process_info info = {};
	int i, left = 0;
	pid_t one = 0;
	char detail[160];

	for (i = 0; i < nr; i++) {
		if (is_watched(ctx, children[i]))
			continue;
		one = children[i];
		left++;
	}
	if (!left || process_info_read(&info, one))
		return;
	if (left == 1)
		snprintf(detail, sizeof(detail), "child %d (%s) is not watched", (int)one,
			 info.comm);
	else
		snprintf(detail, sizeof(detail), "%d children, e.g. %d (%s), are not watched", left,
			 (int)one, info.comm);
	damon_report_event(ctx, target, "children", detail);
}

/*
 * Of a process with very many threads only some are asked each time, so what is
 * known is kept from round to round; the ones that have ended are dropped when all were asked.
 */
void vaddr_note_children(struct damon_ctx *ctx, struct damon_target *target)
{
	struct vaddr_target *mine = target->ops_priv;
	pid_t children[VADDR_MAX_CHILDREN];
	bool whole = mine->next_thread == 0;
	int i, nr, first = mine->nr_children;

	nr = process_children(mine->info.pid, children, VADDR_MAX_CHILDREN, &mine->next_thread);
	if (nr < 0)
		return;
	whole = whole && mine->next_thread == 0;
	if (first < 0)
		report_first_children(ctx, target, children, nr);
	for (i = 0; first >= 0 && i < nr; i++) {
		if (is_known(mine, children[i]))
			continue;
		if (!is_watched(ctx, children[i]))
			report_child(ctx, target, children[i]);
		if (!whole && mine->nr_children < VADDR_MAX_CHILDREN)
			mine->children[mine->nr_children++] = children[i];
	}
	if (!whole && first >= 0)
		return;
	memcpy(mine->children, children, (size_t)nr * sizeof(*children));
	mine->nr_children = nr;
}

void vaddr_note_unwatchable(struct damon_ctx *ctx, struct damon_target *target)
{
	struct vaddr_target *mine = target->ops_priv;
	const struct watch_range *first;
	const struct mapping *mapping;
	char detail[320], bytes_text[32];
	uint64_t bytes, now;
	size_t nr;

	if (!mine->map.flagged && !mine->unwatchable)
		return;
	now = vaddr_now_ns();
	if (now - mine->unwatchable_ns < UNWATCHABLE_PERIOD_NS)
		return;
	bytes = watch_map_unwatchable(&mine->map, &nr, &first);
	if (bytes == mine->unwatchable)
		return;
	mine->unwatchable = bytes;
	mine->unwatchable_ns = now;
	vaddr_format_bytes(bytes_text, sizeof(bytes_text), bytes);
	mapping = first ? maps_find(&mine->mappings, first->start) : NULL;
	if (!first)
		snprintf(detail, sizeof(detail), "all mappings can be watched again");
	else
		snprintf(detail, sizeof(detail),
			 "%s in %zu mappings, e.g. %.160s at 0x%" PRIx64 ": %s", bytes_text, nr,
			 mapping && *mapping->path ? mapping->path : "nameless memory",
			 first->start,
			 first->flags & WATCH_GUEST ? "may be a KVM guest's"
						    : "the kernel doesn't clear it (locked, "
						      "hugetlb or device memory)");
	damon_report_event(ctx, target, "unwatchable", detail);
}

void vaddr_note_pressure(struct damon_ctx *ctx)
{
	struct vaddr_ctx *mine = ctx->ops_priv;
	char detail[128];

	if (!pressure_update(&mine->pressure, vaddr_now_ns()))
		return;
	snprintf(detail, sizeof(detail), "%s: tasks waited for memory %u %% of the last second",
		 mine->pressure.high ? "stopped making pages old" : "going on",
		 mine->pressure.percent);
	damon_report_event(ctx, NULL, "pressure", detail);
}

void vaddr_note_scheme(struct damon_ctx *ctx, struct damon_target *target, uint32_t idx, int err)
{
	struct vaddr_target *mine = target->ops_priv;
	int *last = &mine->scheme_errors[idx % VADDR_NOTED_SCHEMES];
	char detail[256];

	if (err == *last)
		return;
	*last = err;
	/* That it has exited is told otherwise. */
	if (!err || err == -ESRCH)
		return;
	snprintf(detail, sizeof(detail), "scheme %" PRIu32 " can't act on process %d (%s): %s%s",
		 idx, (int)mine->info.pid, mine->info.comm, strerror(-err),
		 err == -EPERM ? " (needs CAP_SYS_NICE and CAP_SYS_PTRACE)" : "");
	damon_report_event(ctx, target, "scheme", detail);
}
