/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * What the files of the access engine "scan" share; nobody else includes it.
 */
#ifndef UDAMON_ACCESS_SCAN_INTERNAL_H
#define UDAMON_ACCESS_SCAN_INTERNAL_H

#include "access/clear.h"
#include "access/pagemap.h"
#include "access/scan.h"

struct scan_engine {
	struct page_reader *reader;
	struct frame_files frames;
	struct clear_list *clears; /* small pages */
	struct clear_list *huge_clears;
	struct scan_plan plan;
	struct scan_options options;
	struct scan_prices prices;
	enum scan_flush flush;
	struct scan_stat stat;
};

struct scan_target {
	struct scan_engine *engine;
	struct page_link *link;
	struct watch_map *map;
	pid_t pid;
	int pidfd;
	int refs_fd;	     /* /proc/PID/clear_refs, or -1 */
	int pagemap_fd;	     /* /proc/PID/pagemap, or -1: opened when needed */
	uint64_t pagemap_mm; /* the address space it belongs to */
	struct page_process process;
	struct scan_blocks blocks;
	bool fresh;	   /* the blocks are as of now */
	bool saving;	   /* see scan_target_save() */
	unsigned int turn; /* sampling intervals since all was made old last, when saving */
	double cold_huge_ns; /* price of a huge page here: the engine's, while this target is cleared */
	/* The ranges that regions cover, without the borders between them. */
	size_t nr_ranges;
	size_t capacity;
	struct damon_addr_range *ranges;
};

/* scan.c */
int scan_read(struct scan_target *target, struct page_process *process);

/* scan_clear.c: make what is young old. */
int scan_clear(struct scan_target *target, bool may_clear);
uint64_t scan_now_ns(void);

/* What prices are learned from: while others have the processor, nothing is spent. */
uint64_t scan_cpu_ns(void);

/* A price follows what is measured, slowly, and not on the word of a few pages. */
void scan_learn(double *price, double ns, uint64_t units);

/* scan_judge.c: what can be cleared by clusters. */

/*
 * Fill the engine's lists of clears from its plan, leaving out what must not or can't be
 * cleared; *@only_refs counts young pages that clear_refs would clear all the same.
 */
int scan_judge(struct scan_target *target, uint64_t *only_refs);

/* Ask what kind of memory a huge page is, if it is one and young. */
void scan_judge_huge(struct scan_engine *engine, struct scan_block *block);

/* Whether MADV_COLD clears the small page at @addr, and no more: it is mapped once, and no part of a large folio. */
bool scan_page_is_plain(struct scan_target *target, uint64_t addr);

/* scan_trial.c: see on a process of our own that it works, and what it costs. */
int scan_try(struct scan_engine *engine, struct damon_error *err);

/* scan_flush.c */

/* Write a digit to clear_refs; 0 or -errno. The time it took is in *@took_ns. */
int scan_write_refs(const struct scan_target *target, char digit, uint64_t *took_ns);

/* Flush the target's TLB after clear_refs; *@flushed tells whether that was possible. */
int scan_flush_target(struct scan_target *target, bool *flushed);

/* Does this kernel keep soft-dirty marks? Then writing 4 to clear_refs isn't harmless. */
bool scan_kernel_soft_dirty(void);

#endif
