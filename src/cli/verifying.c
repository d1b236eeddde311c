// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* How what udamon verify found out is told. */
#include <jansson.h>
#include <stdlib.h>

#include "cli/message.h"
#include "cli/output.h"
#include "cli/reporting.h"
#include "cli/verifying.h"
#include "report/format.h"
#include "report/text.h"

#define PERCENT_SIZE 16

static double per_second(const struct verified *verified, uint64_t count)
{
	return verified->ns ? (double)count * 1e9 / (double)verified->ns : 0;
}

static double cpu_percent(const struct verified *verified, uint64_t cpu_ns)
{
	return verified->ns ? (double)cpu_ns * 100 / (double)verified->ns : 0;
}

static double wss_error_percent(const struct verified *verified)
{
	return verified->accuracy.wss_error * 100 / (double)verified->accuracy.windows;
}

static uint64_t per_window(const struct verified *verified, uint64_t bytes)
{
	return bytes / verified->accuracy.windows;
}

static const char *mapping_name(const struct verified *verified, uint64_t addr)
{
	const struct mapping *mapping = maps_find(&verified->maps, addr);

	if (!mapping)
		return "";
	return mapping->path[0] ? mapping->path : "anonymous memory";
}

/* A share, or null where there was nothing to divide by. */
static json_t *share_json(double share)
{
	return share < 0 ? json_null() : json_real(share);
}

static json_t *thresholds_json(const struct verified *verified)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < ACCURACY_NR_LEVELS; i++) {
		const struct accuracy_hot *hot = &verified->accuracy.hot[i];

		json_array_append_new(
			list, json_pack("{s:i, s:o, s:o, s:I, s:I, s:I}", "access_pct",
					(int)accuracy_levels[i], "precision",
					share_json(accuracy_precision(hot)), "recall",
					share_json(accuracy_recall(hot)), "point_bytes",
					(json_int_t)per_window(verified, hot->found), "scan_bytes",
					(json_int_t)per_window(verified, hot->truth),
					"unknown_to_point_bytes",
					(json_int_t)per_window(verified, hot->unknown)));
	}
	return list;
}

static json_t *worst_json(const struct verified *verified)
{
	json_t *list = json_array();
	char name[512];
	size_t i;

	for (i = 0; i < verified->nr_worst; i++) {
		const struct accuracy_region *region = &verified->worst[i];

		format_clean(name, sizeof(name), mapping_name(verified, region->ar.start), false);
		json_array_append_new(
			list,
			json_pack("{s:o, s:o, s:o, s:f, s:s}", "start",
				  json_address(region->ar.start), "end",
				  json_address(region->ar.end), "point_access_pct",
				  region->unknown ? json_null() : json_real(region->found * 100),
				  "scan_access_pct", region->truth * 100, "mapping", name));
	}
	return list;
}

static int print_json(const struct verified *verified)
{
	const struct vaddr_both_cost *cost = &verified->cost;

	return json_print(json_pack(
		"{s:i, s:s, s:I, s:I, s:i, s:o, s:f, s:{s:I, s:I}, s:{s:f, s:f}, s:{s:f, s:f, "
		"s:s}, s:o}",
		"pid", (int)verified->pid, "comm", verified->comm, "windows",
		(json_int_t)verified->accuracy.windows, "sample_us",
		(json_int_t)verified->sample_us, "samples_per_window", (int)verified->samples,
		"thresholds", thresholds_json(verified), "wss_error_pct",
		wss_error_percent(verified), "wss", "point_bytes",
		(json_int_t)per_window(verified, verified->accuracy.touched.found), "scan_bytes",
		(json_int_t)per_window(verified, verified->accuracy.touched.truth), "point",
		"cpu_pct", cpu_percent(verified, cost->point_cpu_ns), "clears_per_s",
		per_second(verified, cost->point_clears), "scan", "cpu_pct",
		cpu_percent(verified, cost->scan_cpu_ns), "clears_per_s",
		per_second(verified, cost->scan_clears), "flush", verified->flush, "disagreements",
		worst_json(verified)));
}

static const char *share_text(char *text, double share)
{
	if (share < 0)
		return "-";
	snprintf(text, PERCENT_SIZE, "%.1f %%", share * 100);
	return text;
}

static void print_levels(FILE *out, const struct verified *verified)
{
	char precision[PERCENT_SIZE], recall[PERCENT_SIZE];
	size_t i;

	fputs("\nhot memory, mean of a window\n  accessed in   by point    by scan  precision   "
	      "recall\n",
	      out);
	for (i = 0; i < ACCURACY_NR_LEVELS; i++) {
		const struct accuracy_hot *hot = &verified->accuracy.hot[i];

		fprintf(out, "  %8u %% %10s %10s %10s %8s\n", accuracy_levels[i],
			format_size((double)per_window(verified, hot->found)).s,
			format_size((double)per_window(verified, hot->truth)).s,
			share_text(precision, accuracy_precision(hot)),
			share_text(recall, accuracy_recall(hot)));
	}
}

static void print_worst(FILE *out, const struct verified *verified)
{
	char name[512], found[PERCENT_SIZE], truth[PERCENT_SIZE];
	size_t i;

	if (!verified->nr_worst)
		return;
	fputs("\nlargest disagreements, in the last window\n"
	      "  region                           size    point     scan  mapping\n",
	      out);
	for (i = 0; i < verified->nr_worst; i++) {
		const struct accuracy_region *region = &verified->worst[i];

		format_clean(name, sizeof(name), mapping_name(verified, region->ar.start), true);
		fprintf(out, "  %s-%s %8s %8s %8s  %s\n", format_address(region->ar.start).s,
			format_address(region->ar.end).s,
			format_size((double)(region->ar.end - region->ar.start)).s,
			region->unknown ? "unknown" : share_text(found, region->found),
			share_text(truth, region->truth), name);
	}
}

static void print_text(FILE *out, const struct verified *verified)
{
	const struct accuracy *accuracy = &verified->accuracy;
	const struct vaddr_both_cost *cost = &verified->cost;

	fprintf(out,
		"process %d (%s): %s windows of %u looks, one every %s, after %d to get used to "
		"it\n",
		(int)verified->pid, verified->comm, format_count(accuracy->windows).s,
		verified->samples, format_interval(verified->sample_us, verified->sample_us).s,
		VERIFY_EARLY_WINDOWS);
	print_levels(out, verified);
	fprintf(out, "\nworking set: %s by point, %s by scan; %.1f %% off in a window\n",
		format_size((double)per_window(verified, accuracy->touched.found)).s,
		format_size((double)per_window(verified, accuracy->touched.truth)).s,
		wss_error_percent(verified));
	fprintf(out,
		"\ncost\n  point  %.2f %% of a processor, %s clears\n"
		"  scan   %.2f %% of a processor, %s clears; %s\n",
		cpu_percent(verified, cost->point_cpu_ns),
		format_rate(per_second(verified, cost->point_clears)).s,
		cpu_percent(verified, cost->scan_cpu_ns),
		format_rate(per_second(verified, cost->scan_clears)).s, verified->flush);
	print_worst(out, verified);
}

int verified_print(const struct verified *verified, const struct options *opts)
{
	char *text = NULL;
	size_t size;
	FILE *out;
	int ret;

	if (opts->json)
		return print_json(verified);
	out = open_memstream(&text, &size);
	if (!out)
		return give_up(EXIT_FAILED, "out of memory");
	print_text(out, verified);
	ret = fclose(out) ? give_up(EXIT_FAILED, "out of memory") : output_text(text, size);
	free(text);
	return ret;
}
