// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Keeping what monitoring costs within a share of a processor.
 *
 * What a sampling interval costs is measured, and the interval is made so long that this is a little
 * less than the share of it. What was spent beyond the share meanwhile, because the target had
 * grown before anybody could know, is a debt that is paid back by spending less for a while: so
 * the share holds over time, and not only from then on.
 */
#include "ops/budget.h"

#include <stdio.h>
#include <string.h>

/* What is aimed at, of the share: costs vary. */
#define AIM 0.9

/* A debt is paid back in this time, while at least this part of the share is still spent. */
#define PAY_BACK_NS	10e9
#define LEAST_OF_AIM	0.25
#define LONGEST_DEBT_NS 60e9 /* what would take longer to save up is forgiven */

/* The interval follows the cost when it is off by so much; downwards not too much at once. */
#define TOO_SHORT    1.1
#define TOO_LONG     0.85
#define LARGEST_FALL 0.5

/* What has grown so much is judged at once. */
#define GROWN 1.25

/* How fast the estimate follows; both ways alike, or costs that only vary would count as high ones. */
#define LEARN 0.4

static void learn(double *estimate, double ns)
{
	if (!*estimate)
		*estimate = ns;
	else
		*estimate += LEARN * (ns - *estimate);
}

void budget_once(struct budget *budget, double ns)
{
	budget->once_ns += ns;
}

void budget_end_window(struct budget *budget, uint64_t nr_intervals)
{
	if (!nr_intervals)
		return;
	learn(&budget->once_interval_ns,
	      (budget->once_ns - budget->window_once_ns) / (double)nr_intervals);
	budget->window_once_ns = budget->once_ns;
}

/* The share that may be spent now. */
static double aim(const struct budget *budget, double share)
{
	double aimed = AIM * share - budget->debt_ns / PAY_BACK_NS;

	return aimed > LEAST_OF_AIM * share ? aimed : LEAST_OF_AIM * share;
}

static bool set_floor(struct budget *budget, double wanted_us)
{
	double floor_us = (double)budget->floor_us;

	if (wanted_us < 1)
		wanted_us = 1;
	if (budget->floor_us && wanted_us <= TOO_SHORT * floor_us &&
	    wanted_us >= TOO_LONG * floor_us)
		return false;
	if (wanted_us < LARGEST_FALL * floor_us)
		wanted_us = LARGEST_FALL * floor_us;
	wanted_us += 0.5;
	if ((uint64_t)wanted_us == budget->floor_us)
		return false;
	budget->floor_us = (uint64_t)wanted_us;
	return true;
}

static double interval_cost_ns(const struct budget *budget)
{
	return budget->interval_ns + budget->once_interval_ns;
}

bool budget_feed(struct budget *budget, uint64_t now_ns, double spent_ns, bool interval)
{
	double share = (double)budget->share / BUDGET_FULL, elapsed_ns, spent, once;
	double size = budget->size ? (double)budget->size : 1;

	if (!budget->share)
		return false;
	if (!budget->begun) {
		budget->begun = true;
		budget->judged_ns = now_ns;
		budget->judged_spent_ns = spent_ns;
		return false;
	}
	if (interval) {
		budget->nr_intervals++;
		budget->sizes += budget->size_before ? (double)budget->size_before : size;
		budget->size_before = (uint64_t)size;
	}
	if (now_ns - budget->judged_ns < BUDGET_PERIOD_NS ||
	    (budget->nr_intervals && budget->nr_intervals < budget->together &&
	     size <= GROWN * budget->judged_size))
		return false;
	elapsed_ns = (double)(now_ns - budget->judged_ns);
	spent = spent_ns - budget->judged_spent_ns;
	once = budget->once_ns - budget->judged_once_ns;
	budget->debt_ns += spent - share * elapsed_ns;
	/* What wasn't spent isn't saved: an idle hour is no leave for a busy minute. */
	if (budget->debt_ns < 0)
		budget->debt_ns = 0;
	if (budget->debt_ns > share * LONGEST_DEBT_NS)
		budget->debt_ns = share * LONGEST_DEBT_NS;
	budget->judged_ns = now_ns;
	budget->judged_spent_ns = spent_ns;
	budget->judged_once_ns = budget->once_ns;
	if (!budget->nr_intervals)
		return false;
	learn(&budget->one_ns, spent > once ? (spent - once) / budget->sizes : 0);
	budget->interval_ns = budget->one_ns * size;
	budget->nr_intervals = 0;
	budget->sizes = 0;
	budget->judged_size = size;
	return set_floor(budget, interval_cost_ns(budget) / aim(budget, share) / 1000);
}

double budget_use_bp(const struct budget *budget, uint64_t sample_us)
{
	/* 0 counts as 1, as it does for the kdamond. */
	return interval_cost_ns(budget) / 1000 / (double)(sample_us ? sample_us : 1) * BUDGET_FULL;
}

/* Whole microseconds, as seconds or milliseconds. */
static void interval_words(char *text, size_t size, uint64_t us, int digits)
{
	if (us < 10000000)
		snprintf(text, size, "%.*f ms", digits, (double)us / 1e3);
	else
		snprintf(text, size, "%.*f s", digits, (double)us / 1e6);
}

const char *budget_words(char *text, size_t size, uint64_t floor_us, uint64_t sample_us)
{
	char longer[40], shorter[40];
	int digits = 0;

	do {
		digits++;
		interval_words(longer, sizeof(longer), floor_us, digits);
		interval_words(shorter, sizeof(shorter), sample_us, digits);
	} while (digits < 6 && !strcmp(longer, shorter));
	snprintf(text, size, "every %s instead of %s", longer, shorter);
	return text;
}
