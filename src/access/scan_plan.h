/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * How the young pages of a target are made old at the least cost: by clusters, or all at once.
 */
#ifndef UDAMON_ACCESS_SCAN_PLAN_H
#define UDAMON_ACCESS_SCAN_PLAN_H

#include "access/scan_blocks.h"
#include "access/watch_map.h"

/** enum scan_method - what is done about young pages */
enum scan_method {
	SCAN_NOTHING,	 /* there are none, or none may be cleared */
	SCAN_CLUSTERS,	 /* MADV_COLD over the clusters of young pages; it flushes what it clears */
	SCAN_CLEAR_REFS, /* /proc/PID/clear_refs, then a flush of the whole TLB */
};

/**
 * struct scan_prices - what things cost here, ns
 *
 * A huge page costs more than a small one, though not by its size: they have prices of their own.
 */
struct scan_prices {
	double refs_page;  /* clear_refs, per small page that is resident */
	double refs_huge;  /* and per huge one */
	double flush_page; /* the flush after it, per small page */
	double flush_huge; /* and per huge one */
	double cold_page;  /* MADV_COLD, per small page walked */
	double cold_huge;  /* and per huge one */
	double cold_range; /* and per range, the interrupt of a running target included */
	double check_page; /* asking the kernel what kind of page a small one is */
	double used_page; /* what it costs the target to use a page again that was made old; 0: don't care */
};

/** struct scan_run - pages of one kind to be cleared together */
struct scan_run {
	uint64_t start;
	uint64_t end;
	bool huge;
};

/** struct scan_plan - zero-initialise it */
struct scan_plan {
	size_t nr;
	struct scan_run *runs;
	uint64_t nr_pages; /* small ones walked: the young ones and the gaps that were joined */
	uint64_t nr_huge;
	uint64_t nr_small_runs;
	uint64_t nr_young; /* of both kinds */
	/* private: */
	size_t capacity;
};

/** scan_plan_clear() - free it */
void scan_plan_clear(struct scan_plan *plan);

/**
 * scan_plan_runs() - clusters of young pages that can be cleared
 * @map:	a cluster lies inside one mapping
 * @ranges:	and inside one of these, which are sorted
 * @gap:	old small pages that are walked rather than starting another cluster
 *
 * Return: 0 or -ENOMEM.
 */
int scan_plan_runs(struct scan_plan *plan, const struct scan_blocks *blocks,
		   const struct watch_map *map, const struct damon_addr_range *ranges,
		   size_t nr_ranges, uint64_t gap);

/**
 * scan_plan_young() - how many young pages have to be cleared, without looking for clusters
 * @nr_huge:	how many of them are huge
 */
uint64_t scan_plan_young(const struct scan_blocks *blocks, uint64_t *nr_huge);

/** scan_gap() - pages that cost as much to walk as another range */
uint64_t scan_gap(const struct scan_prices *prices);

/** scan_clusters_ns(), scan_refs_ns() - predicted cost; of the second, the longest stall is a part */
double scan_clusters_ns(const struct scan_prices *prices, const struct scan_plan *plan);
double scan_refs_ns(const struct scan_prices *prices, uint64_t nr_small, uint64_t nr_huge);

/** scan_stall_ns() - predicted time that clear_refs keeps the target from changing its mappings */
double scan_stall_ns(const struct scan_prices *prices, uint64_t nr_small, uint64_t nr_huge);

/**
 * scan_share_price() - small and huge pages took @ns together: bring both their prices nearer to that
 *
 * Who shall have taken how much of it is shared out as the prices foresaw it.
 */
void scan_share_price(double *page, double *huge, double ns, uint64_t nr_small, uint64_t nr_huge);

/**
 * scan_learn_huge() - huge pages took @ns each to be cleared by MADV_COLD
 *
 * That they were dear once may be chance; that they were cheap isn't.
 */
void scan_learn_huge(double *price, double ns);

/**
 * scan_fade_huge() - clear_refs was taken where huge pages were young: let their price fall a little
 *
 * What made it dear when it was learnt may be over. Nobody sees that without trying, which is due again once
 * the price has fallen below that of clear_refs.
 */
void scan_fade_huge(double *price);

/** struct scan_question - what the choice depends on */
struct scan_question {
	const struct scan_prices *prices;
	const struct scan_plan *plan;
	uint64_t nr_small; /* mapped page-table entries of the target: of small pages */
	uint64_t nr_huge;  /* and huge ones */
	uint64_t nr_held;  /* young pages that needn't be cleared, but clear_refs would */
	double max_stall_ns;
	uint64_t nr_only_refs; /* young pages that only clear_refs clears; else they are unknown */
	bool refs_possible;    /* clear_refs can be written, and flushed afterwards */
};

/**
 * scan_refs_surely() - whether clear_refs is the cheapest whatever the clusters are like
 * @nr_young:	pages to be cleared; each small one costs at least its own walk and question
 * @nr_huge:	how many of them are huge
 *
 * Then nobody needs to look for clusters, which takes longer than everything else but clearing itself.
 */
bool scan_refs_surely(const struct scan_question *question, uint64_t nr_young, uint64_t nr_huge);

/**
 * scan_choose() - the cheapest method that does the job within the permitted stall
 *
 * Where pages are held, a few that only clear_refs clears are no reason to clear all those: they stay unknown.
 */
enum scan_method scan_choose(const struct scan_question *question);

#endif
