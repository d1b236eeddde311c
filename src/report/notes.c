/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * What should be known about a record before its numbers are believed.
 */
#include <string.h>

#include "report/format.h"
#include "report/text.h"

/* More events of one kind than this are told in one note. */
#define FEW_EVENTS 3
/* Windows that are so much longer than asked for were not only late by the usual bit. */
#define LATE 1.25
/* Addresses watched for each that is mapped, from which on sampling them is nonsense. */
#define SPARSE 100

static bool add_note(json_t *notes, const char *text)
{
	return !json_array_append_new(notes, json_string(text));
}

static size_t count_events(const struct gather *gather, const char *what, size_t *first,
			   size_t *last)
{
	size_t i, n = 0;

	for (i = 0; i < gather->nr_events; i++) {
		if (strcmp(gather->events[i].what, what))
			continue;
		if (!n++)
			*first = i;
		*last = i;
	}
	return n;
}

/* One event: "at 3.2 s: exec (redis-server (pid 7)): /usr/bin/other". */
static bool add_event(json_t *notes, const struct gather *gather, const struct gather_event *event)
{
	char text[SUMMARY_TEXT], whose[128] = "", name[96];
	size_t i;

	for (i = 0; i < gather->nr_targets && gather->nr_targets > 1; i++) {
		if ((int64_t)gather->targets[i].id != event->target)
			continue;
		gather_target_name(&gather->targets[i], name, sizeof(name));
		snprintf(whose, sizeof(whose), " of %s", name);
	}
	snprintf(text, sizeof(text), "at %s: %s%s%s%s", format_duration((double)event->t_ns).s,
		 event->what, whose, event->detail[0] ? ": " : "", event->detail);
	return add_note(notes, text);
}

static bool add_events(json_t *notes, const struct gather *gather)
{
	size_t i, n, first = 0, last = 0;
	char text[SUMMARY_TEXT];

	for (i = 0; i < gather->nr_events; i++) {
		const struct gather_event *event = &gather->events[i];

		/* Told by what it came to. */
		if (!strcmp(event->what, "tune") && gather->min_aggr_us < gather->max_aggr_us)
			continue;
		if (!strcmp(event->what, "release") ||
		    (!strcmp(event->what, "hold") && gather->held_ns))
			continue;
		n = count_events(gather, event->what, &first, &last);
		if (n <= FEW_EVENTS) {
			if (!add_event(notes, gather, event))
				return false;
			continue;
		}
		if (i != first)
			continue;
		snprintf(text, sizeof(text), "%s: %zu times, first at %s, last at %s%s%s",
			 event->what, n, format_duration((double)event->t_ns).s,
			 format_duration((double)gather->events[last].t_ns).s,
			 gather->events[last].detail[0] ? ": " : "", gather->events[last].detail);
		if (!add_note(notes, text))
			return false;
	}
	return true;
}

/* Ages and the tuning of the intervals reckon with windows of the length that was asked for. */
static bool add_late_windows(json_t *notes, const struct gather *gather)
{
	double times = (double)gather->watched_ns / gather->asked_ns;
	char text[SUMMARY_TEXT];

	if (gather->asked_ns <= 0 || times < LATE)
		return true;
	snprintf(
		text, sizeof(text),
		"the monitor could not keep up, %s: windows took %.1f times as long as set, and so "
		"times since the last access are too short here",
		gather->max_floor_us ? "because the budget made looks rarer or the machine was busy"
				     : "on a busy machine for example",
		times);
	return add_note(notes, text);
}

/* One sampled page speaks for a region: where hardly any of its addresses are mapped, it speaks of nothing. */
static bool add_sparse(json_t *notes, const struct gather *gather)
{
	double regions = 0, mapped = 0;
	char text[SUMMARY_TEXT];
	size_t i;

	for (i = 0; i < gather->last_regions.nr; i++)
		regions += (double)(gather->last_regions.array[i].piece.end -
				    gather->last_regions.array[i].piece.start);
	for (i = 0; i < gather->nr_targets; i++)
		mapped += gather->targets[i].wanted ? (double)gather->targets[i].mapped_bytes : 0;
	/* Ranges somebody gave: around a small program there are always wide holes. */
	if (!gather->nr_targets || strcmp(gather->targets[0].kind, "fvaddr"))
		return true;
	if (mapped <= 0 || regions < SPARSE * mapped || strcmp(gather->engine, "point"))
		return true;
	snprintf(
		text, sizeof(text),
		"of the addresses watched less than 1 in %.0f is mapped, so samples hardly ever fell on "
		"memory, and what looks idle may be in use: watch smaller ranges, or use the engine scan",
		(double)SPARSE);
	return add_note(notes, text);
}

json_t *summary_notes(const struct gather *gather)
{
	json_t *notes = json_array();
	char text[SUMMARY_TEXT];
	bool ok = notes;

	if (ok && !gather->nr_snapshots)
		ok = add_note(notes, "the record has no window: watching ended before the first "
				     "aggregation interval did");
	if (ok && gather->lost) {
		snprintf(text, sizeof(text), "%s windows could not be written and are missing",
			 format_count(gather->lost).s);
		ok = add_note(notes, text);
	}
	if (ok && !gather->complete)
		ok = add_note(notes, "the record was not ended: it is still being written, or was "
				     "cut off");
	if (ok && gather->no_flush)
		ok = add_note(notes, "no flush: memory within TLB reach may look idle");
	if (ok && gather->paused_ns) {
		snprintf(text, sizeof(text), "paused for %s, which counts nowhere",
			 format_duration((double)gather->paused_ns).s);
		ok = add_note(notes, text);
	}
	if (ok && gather->held_ns) {
		snprintf(
			text, sizeof(text),
			"held by the schemes' watermarks for %s, which counts nowhere: nothing was "
			"looked at",
			format_duration((double)gather->held_ns).s);
		ok = add_note(notes, text);
	}
	if (ok && gather->last.watched > 0 && gather->last.unknown >= 0.1 * gather->last.watched) {
		snprintf(text, sizeof(text),
			 "%s of the memory could not be watched and is neither hot nor idle here",
			 format_percent(100 * gather->last.unknown / gather->last.watched).s);
		ok = add_note(notes, text);
	}
	if (ok && gather->several_engines)
		ok = add_note(notes, "the access engine changed on the way; the last one is named");
	if (ok && gather->min_aggr_us < gather->max_aggr_us) {
		snprintf(text, sizeof(text), "the windows' length was %s between %s and %s",
			 gather->max_floor_us ? "tuned, or lengthened for the budget," : "tuned",
			 format_duration((double)gather->min_aggr_us * 1e3).s,
			 format_duration((double)gather->max_aggr_us * 1e3).s);
		ok = add_note(notes, text);
	}
	ok = ok && add_sparse(notes, gather);
	ok = ok && add_late_windows(notes, gather);
	ok = ok && add_events(notes, gather);
	if (ok)
		return notes;
	json_decref(notes);
	return NULL;
}
