// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* What schemes saved and what they cost, side by side. */
#include <stdio.h>
#include <string.h>

#include "cli/judging.h"
#include "params/scheme_json.h"
#include "report/format.h"
#include "report/text.h"

#define LABEL_WIDTH  24
#define COLUMN_WIDTH 18
#define TEXT_WIDTH   79
/* Points in time whose memory is shown. */
#define NR_TIMES 5

/* struct table - what is printed */
struct table {
	FILE *out;
	const struct judged *sides;
	struct sim_machine_stat stats[JUDGED_MAX];
	size_t nr;
};

struct cell {
	char text[256];
};

static double seconds(uint64_t ns)
{
	return (double)ns / 1e9;
}

static double slowdown_pct(uint64_t ns, const struct sim_machine_stat *stat)
{
	return stat->t_ns ? 100 * (double)ns / (double)stat->t_ns : 0;
}

/* Of what the first side has. */
static double saved_pct(uint64_t bytes, uint64_t without)
{
	return without ? 100 * ((double)without - (double)bytes) / (double)without : 0;
}

static void row(const struct table *table, const char *label,
		struct cell (*cell)(const struct table *table, size_t side))
{
	fprintf(table->out, "  %-*s", LABEL_WIDTH - 2, label);
	for (size_t i = 0; i < table->nr; i++)
		fprintf(table->out, "%*s", COLUMN_WIDTH, cell(table, i).text);
	fputc('\n', table->out);
}

static struct cell text_of(const char *text)
{
	struct cell cell;

	snprintf(cell.text, sizeof(cell.text), "%s", text);
	return cell;
}

static struct cell size_of(uint64_t bytes)
{
	return text_of(format_size((double)bytes).s);
}

/* Signed, for what can be a gain as well. */
static struct cell percent_of(double percent)
{
	struct cell cell;

	snprintf(cell.text, sizeof(cell.text), "%s%s", percent < 0 ? "-" : "",
		 format_percent(percent < 0 ? -percent : percent).s);
	return cell;
}

static struct cell saved_of(uint64_t bytes, uint64_t without)
{
	bool more = bytes > without;
	double pct = saved_pct(bytes, without);
	struct cell cell;

	snprintf(cell.text, sizeof(cell.text), "%s%s (%s%s)", more ? "-" : "",
		 format_size((double)(more ? bytes - without : without - bytes)).s, more ? "-" : "",
		 format_percent(more ? -pct : pct).s);
	return cell;
}

static struct cell cell_mean(const struct table *table, size_t side)
{
	return size_of(table->stats[side].mean);
}

static struct cell cell_end(const struct table *table, size_t side)
{
	return size_of(table->stats[side].resident);
}

static struct cell cell_peak(const struct table *table, size_t side)
{
	return size_of(table->stats[side].peak);
}

static struct cell cell_far(const struct table *table, size_t side)
{
	return size_of(table->stats[side].far);
}

static struct cell cell_saved_mean(const struct table *table, size_t side)
{
	return side ? saved_of(table->stats[side].mean, table->stats[0].mean) : text_of("-");
}

static struct cell cell_saved_end(const struct table *table, size_t side)
{
	return side ? saved_of(table->stats[side].resident, table->stats[0].resident)
		    : text_of("-");
}

static struct cell cell_refaults(const struct table *table, size_t side)
{
	return text_of(format_count(table->stats[side].refaults).s);
}

static struct cell cell_refault_rate(const struct table *table, size_t side)
{
	const struct sim_machine_stat *stat = &table->stats[side];

	return text_of(
		format_rate(stat->t_ns ? (double)stat->refaults / seconds(stat->t_ns) : 0).s);
}

static struct cell cell_slowdown(const struct table *table, size_t side)
{
	return percent_of(100 * sim_machine_slowdown(&table->stats[side]));
}

static struct cell cell_slow_refault(const struct table *table, size_t side)
{
	return percent_of(slowdown_pct(table->stats[side].refault_ns, &table->stats[side]));
}

static struct cell cell_slow_far(const struct table *table, size_t side)
{
	return percent_of(slowdown_pct(table->stats[side].far_ns, &table->stats[side]));
}

static struct cell cell_slow_huge(const struct table *table, size_t side)
{
	return percent_of(-slowdown_pct(table->stats[side].huge_ns, &table->stats[side]));
}

static uint64_t applied(const struct simulated *run)
{
	uint64_t bytes = 0;

	for (size_t i = 0; run->schemes && i < run->schemes->nr; i++)
		bytes += run->done[i].stat.sz_applied;
	return bytes;
}

static struct cell cell_applied(const struct table *table, size_t side)
{
	return side ? size_of(applied(table->sides[side].run)) : text_of("-");
}

/* Below 0: no quota, or none that always held. */
static double quota_used_pct(const struct simulated_scheme *done)
{
	return done->allowed > 0 ? 100 * (double)done->stat.sz_tried / done->allowed : -1;
}

/* Of several schemes the one that came nearest to its limit. */
static struct cell cell_quota(const struct table *table, size_t side)
{
	const struct simulated *run = table->sides[side].run;
	double most = -1;

	for (size_t i = 0; run->schemes && i < run->schemes->nr; i++)
		if (quota_used_pct(&run->done[i]) > most)
			most = quota_used_pct(&run->done[i]);
	return most < 0 ? text_of("-") : percent_of(most);
}

static void print_times(const struct table *table)
{
	const struct sim_size *sizes[JUDGED_MAX];
	size_t nr[JUDGED_MAX], least = SIM_MAX_SIZES;

	for (size_t i = 0; i < table->nr; i++) {
		sizes[i] = sim_machine_sizes(table->sides[i].run->machine, &nr[i]);
		if (nr[i] < least)
			least = nr[i];
	}
	if (least < NR_TIMES)
		return;
	for (size_t t = 1; t <= NR_TIMES; t++) {
		size_t at = least * t / NR_TIMES - 1;

		fprintf(table->out, "  in memory at %-9s",
			format_duration((double)sizes[0][at].t_ns).s);
		for (size_t i = 0; i < table->nr; i++)
			fprintf(table->out, "%*s", COLUMN_WIDTH,
				size_of(sizes[i][at].resident).text);
		fputc('\n', table->out);
	}
}

static void print_schemes(const struct table *table, const struct judged *side)
{
	const struct simulated *run = side->run;
	char words[PARAMS_WORDS_MAX];

	for (size_t i = 0; i < run->schemes->nr; i++) {
		const struct damos_stat *stat = &run->done[i].stat;

		fputc('\n', table->out);
		text_wrap(table->out, TEXT_WIDTH, 2, "%s: %s", side->name,
			  params_scheme_words(&run->schemes->list[i].values, &run->sim->attrs,
					      words, sizeof(words)));
		if (stat->qt_exceeds)
			snprintf(words, sizeof(words), "; its quota was full %s times",
				 format_count(stat->qt_exceeds).s);
		else
			words[0] = 0;
		text_wrap(table->out, TEXT_WIDTH, 2, "  tried %s in %s regions, applied to %s%s",
			  format_size((double)stat->sz_tried).s, format_count(stat->nr_tried).s,
			  format_size((double)stat->sz_applied).s, words);
	}
}

void judging_print(FILE *out, const struct judged *sides, size_t nr)
{
	const struct sim_machine_config *config = sim_machine_config(sides[0].run->machine);
	struct table table = {.out = out, .sides = sides, .nr = nr};
	bool far = false, huge = false;
	char slower[96] = "";

	for (size_t i = 0; i < nr; i++) {
		sim_machine_stat(sides[i].run->machine, &table.stats[i]);
		far |= table.stats[i].far_ns || table.stats[i].far;
		huge |= table.stats[i].huge_ns != 0;
	}
	if (config->far_memory)
		snprintf(slower, sizeof(slower), " and %s of slower memory",
			 format_size((double)config->far_memory).s);
	fputc('\n', out);
	text_wrap(out, TEXT_WIDTH, 2, "memory of the program over %s, on a machine with %s%s",
		  format_duration((double)table.stats[0].t_ns).s,
		  format_size((double)config->memory).s, slower);
	fprintf(out, "%*s", LABEL_WIDTH, "");
	for (size_t i = 0; i < nr; i++)
		fprintf(out, "%*s", COLUMN_WIDTH, sides[i].name);
	fputc('\n', out);
	row(&table, "in memory, mean", cell_mean);
	row(&table, "  at the end", cell_end);
	row(&table, "  at most", cell_peak);
	if (far)
		row(&table, "  slower, at the end", cell_far);
	row(&table, "saved, mean", cell_saved_mean);
	row(&table, "  at the end", cell_saved_end);
	row(&table, "refaults", cell_refaults);
	row(&table, "  per second", cell_refault_rate);
	row(&table, "slowdown, estimated", cell_slowdown);
	if (far || huge)
		row(&table, "  by refaults", cell_slow_refault);
	if (far)
		row(&table, "  by slower memory", cell_slow_far);
	if (huge)
		row(&table, "  by huge pages", cell_slow_huge);
	row(&table, "schemes applied to", cell_applied);
	row(&table, "quota used", cell_quota);
	print_times(&table);
	/* Those of a single side are in the report that stands above. */
	for (size_t i = 1; nr > 2 && i < nr; i++)
		print_schemes(&table, &sides[i]);
}

/* JSON. */

static json_t *scheme_json(const struct simulated *run, size_t idx)
{
	const struct simulated_scheme *done = &run->done[idx];
	const struct damos *values = &run->schemes->list[idx].values;
	char words[PARAMS_WORDS_MAX];
	json_t *json;

	json = json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "words",
			 params_scheme_words(values, &run->sim->attrs, words, sizeof(words)),
			 "nr_tried", (json_int_t)done->stat.nr_tried, "sz_tried",
			 (json_int_t)done->stat.sz_tried, "nr_applied",
			 (json_int_t)done->stat.nr_applied, "sz_applied",
			 (json_int_t)done->stat.sz_applied, "sz_ops_filter_passed",
			 (json_int_t)done->stat.sz_ops_filter_passed, "qt_exceeds",
			 (json_int_t)done->stat.qt_exceeds, "nr_snapshots",
			 (json_int_t)done->stat.nr_snapshots, "quota_used_pct",
			 done->allowed > 0 ? json_real(quota_used_pct(done)) : json_null());
	return json;
}

json_t *judging_schemes(const struct simulated *run)
{
	json_t *json = json_array();
	bool ok = json != NULL;

	for (size_t i = 0; ok && run->schemes && i < run->schemes->nr; i++)
		json_append(&ok, json, scheme_json(run, i));
	return json_if(ok, json);
}

json_t *judging_machine(const struct simulated *run, const struct simulated *without)
{
	const struct sim_machine_config *config = sim_machine_config(run->machine);
	struct sim_machine_stat stat, base;
	const struct sim_size *sizes;
	json_t *json, *list;
	size_t nr, i;
	bool ok;

	sim_machine_stat(run->machine, &stat);
	sim_machine_stat(without->machine, &base);
	json = json_pack("{s:I, s:I, s:f, s:I, s:I, s:I, s:I, s:f, s:f}", "memory_bytes",
			 (json_int_t)config->memory, "far_memory_bytes",
			 (json_int_t)config->far_memory, "duration_s", seconds(stat.t_ns),
			 "resident_mean_bytes", (json_int_t)stat.mean, "resident_end_bytes",
			 (json_int_t)stat.resident, "resident_peak_bytes", (json_int_t)stat.peak,
			 "far_end_bytes", (json_int_t)stat.far, "saved_mean_pct",
			 saved_pct(stat.mean, base.mean), "saved_end_pct",
			 saved_pct(stat.resident, base.resident));
	ok = json != NULL;
	if (!ok)
		return NULL;
	json_set(&ok, json, "saved_mean_bytes",
		 json_integer((json_int_t)base.mean - (json_int_t)stat.mean));
	json_set(&ok, json, "saved_end_bytes",
		 json_integer((json_int_t)base.resident - (json_int_t)stat.resident));
	json_set(&ok, json, "refaults", json_integer((json_int_t)stat.refaults));
	json_set(&ok, json, "refaults_per_s",
		 json_real(stat.t_ns ? (double)stat.refaults / seconds(stat.t_ns) : 0));
	json_set(&ok, json, "read_in_pages", json_integer((json_int_t)stat.read_in));
	json_set(&ok, json, "reclaimed_pages", json_integer((json_int_t)stat.reclaimed));
	json_set(&ok, json, "slowdown_pct_est", json_real(100 * sim_machine_slowdown(&stat)));
	json_set(&ok, json, "slowdown_refault_pct",
		 json_real(slowdown_pct(stat.refault_ns, &stat)));
	json_set(&ok, json, "slowdown_far_pct", json_real(slowdown_pct(stat.far_ns, &stat)));
	json_set(&ok, json, "slowdown_huge_pct",
		 json_real(stat.huge_ns ? -slowdown_pct(stat.huge_ns, &stat) : 0));
	list = json_array();
	ok = ok && list;
	sizes = sim_machine_sizes(run->machine, &nr);
	for (i = 0; ok && i < nr; i++)
		json_append(&ok, list,
			    json_pack("{s:f, s:I, s:I}", "t_s", seconds(sizes[i].t_ns), "bytes",
				      (json_int_t)sizes[i].resident, "refaults",
				      (json_int_t)sizes[i].refaults));
	json_set(&ok, json, "resident", list);
	return json_if(ok, json);
}
