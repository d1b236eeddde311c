/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * What a record says apart from its windows: targets, events, when it begins and ends.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "report/format.h"
#include "report/gather.h"

static int read_targets(struct gather *gather, struct record_reader *reader,
			const struct report_options *options, struct damon_error *error)
{
	const struct record_target *targets;
	bool found = options->target < 0;
	size_t i, nr;
	int err;

	err = record_reader_targets(reader, &targets, &nr, error);
	if (err)
		return err;
	gather->targets = calloc(nr + 1, sizeof(*gather->targets));
	if (!gather->targets)
		return report_no_memory(error);
	for (i = 0; i < nr; i++) {
		struct gather_target *target = &gather->targets[i];

		target->id = targets[i].id;
		target->pid = targets[i].pid;
		format_clean(target->comm, sizeof(target->comm), targets[i].comm, false);
		format_clean(target->cmdline, sizeof(target->cmdline), targets[i].cmdline, false);
		format_clean(target->kind, sizeof(target->kind), targets[i].kind, true);
		target->wanted = options->target < 0 || options->target == (int64_t)target->id;
		found |= target->wanted;
	}
	gather->nr_targets = nr;
	if (!found)
		return damon_error_set(error, -EINVAL,
				       "no target '%lld' in the record, which has %zu",
				       (long long)options->target, nr);
	return 0;
}

/* How long it was in all from an event @begin to the next event @end. */
static uint64_t time_between(const struct gather *gather, const char *begin, const char *end)
{
	uint64_t total = 0, since = 0;
	bool within = false;
	size_t i;

	for (i = 0; i < gather->nr_events; i++) {
		const struct gather_event *event = &gather->events[i];

		if (!within && !strcmp(event->what, begin)) {
			within = true;
			since = event->t_ns;
		} else if (within && !strcmp(event->what, end)) {
			within = false;
			total += event->t_ns > since ? event->t_ns - since : 0;
		}
	}
	return total;
}

static int read_events(struct gather *gather, struct record_reader *reader,
		       struct damon_error *error)
{
	const struct record_event_row *events;
	size_t i, nr;
	uint64_t t;
	int err;

	err = record_reader_events(reader, &events, &nr, error);
	if (err)
		return err;
	gather->events = calloc(nr + 1, sizeof(*gather->events));
	if (!gather->events)
		return report_no_memory(error);
	for (i = 0; i < nr; i++) {
		struct gather_event *event = &gather->events[i];

		t = events[i].t_ns;
		event->t_ns = t > gather->t_first_ns ? t - gather->t_first_ns : 0;
		event->target = events[i].target;
		format_clean(event->what, sizeof(event->what), events[i].what, false);
		format_clean(event->detail, sizeof(event->detail), events[i].detail, false);
	}
	gather->nr_events = nr;
	gather->paused_ns = time_between(gather, "pause", "resume");
	gather->held_ns = time_between(gather, "hold", "release");
	return 0;
}

static int check_options(const struct report_options *options, struct damon_error *error)
{
	if (options->addr_end && options->addr_end <= options->addr_start)
		return damon_error_set(error, -EINVAL, "address range '%llx-%llx' is empty",
				       (unsigned long long)options->addr_start,
				       (unsigned long long)options->addr_end);
	if (options->t_end_ns && options->t_end_ns <= options->t_start_ns)
		return damon_error_set(error, -EINVAL, "time range from '%s' to '%s' is empty",
				       format_duration((double)options->t_start_ns).s,
				       format_duration((double)options->t_end_ns).s);
	if (!(options->min_access_pct >= 0 && options->min_access_pct <= 100))
		return damon_error_set(error, -EINVAL,
				       "minimum access rate '%g' is not within 0..100 percent",
				       options->min_access_pct);
	return 0;
}

/* When the record begins and ends, and which part of it is wanted. */
static int read_extent(struct gather *gather, struct record_reader *reader,
		       const struct report_options *options, struct damon_error *error)
{
	struct record_snapshot first = {0}, last = {0};
	const char *value;
	int err;

	value = record_reader_meta(reader, "clock");
	gather->virtual_time = value && !strcmp(value, "virtual");
	value = record_reader_meta(reader, "flush");
	gather->no_flush = value && !strncmp(value, "no flush", 8);
	value = record_reader_meta(reader, "lost");
	gather->lost_in_all = value ? strtoull(value, NULL, 10) : 0;
	value = record_reader_meta(reader, "complete");
	gather->complete = value && !strcmp(value, "1");
	err = record_reader_nr_snapshots(reader, &gather->nr_recorded, error);
	if (err || !gather->nr_recorded)
		return err;
	record_reader_rewind(reader, 0);
	err = record_reader_next(reader, &first, error);
	if (err > 0)
		err = record_reader_last(reader, &last, error);
	if (err < 0)
		return err;
	gather->first_id = first.id;
	gather->last_id = last.id;
	gather->t_first_ns = first.t_start_ns;
	gather->t_start_ns = first.t_start_ns + options->t_start_ns;
	gather->t_end_ns = last.t_end_ns > first.t_start_ns ? last.t_end_ns : first.t_start_ns + 1;
	if (gather->t_start_ns >= gather->t_end_ns)
		return damon_error_set(
			error, -EINVAL, "nothing from '%s' on: the record is %s long",
			format_duration((double)options->t_start_ns).s,
			format_duration((double)(gather->t_end_ns - gather->t_first_ns)).s);
	if (options->t_end_ns && first.t_start_ns + options->t_end_ns < gather->t_end_ns)
		gather->t_end_ns = first.t_start_ns + options->t_end_ns;
	return 0;
}

int gather_frame(struct gather *gather, struct record_reader *reader,
		 const struct report_options *options, struct damon_error *error)
{
	int err;

	err = check_options(options, error);
	err = err ? err : read_targets(gather, reader, options, error);
	err = err ? err : read_extent(gather, reader, options, error);
	return err ? err : read_events(gather, reader, error);
}
