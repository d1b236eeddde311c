/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * What the page-table reader's BPF program and its user-space half share.
 */
#ifndef UDAMON_ACCESS_BPF_PAGE_READER_H
#define UDAMON_ACCESS_BPF_PAGE_READER_H

/* Addresses one call of the program can look at. */
#define PAGE_READER_BATCH 4096

/* Leaf tables that one call can copy: half a processor's cache, so that counting finds them there. */
#define PAGE_READER_TABLES 128

/* Leaves of all kinds one call can tell of, and places it looks at for them. */
#define PAGE_READER_LEAVES 512
#define PAGE_READER_STEPS  8192

/* What the program is asked for. */
enum page_reader_mode {
	PAGE_READER_ADDRESSES, /* entries of single addresses */
	PAGE_READER_RANGE,     /* all leaf tables and huge leaves of a range */
};

/*
 * The question. @tgid: only where the kernel can't attach an iterator to one
 * process: look at the process with this id in the initial namespace; else 0.
 * @start, @end: for PAGE_READER_RANGE; @start at a multiple of what a leaf table maps.
 */
struct page_reader_request {
	struct walk_space space;
	uint32_t mode;
	uint32_t nr;
	int32_t tgid;
	uint32_t reserved;
	uint64_t start;
	uint64_t end;
};

/*
 * One answer to PAGE_READER_RANGE. @status as walk()'s: a huge leaf; WALK_FAILED with the size
 * nothing is known of; 0: a table of small leaves, copied to @table.
 */
struct page_reader_leaf {
	uint64_t addr;
	uint64_t entry;
	uint32_t status;
	uint32_t table;
};

/* About the process as a whole, fresh in every answer. */
struct page_reader_process {
	uint64_t start_time; /* ns since boot: tells a recycled process id */
	uint64_t exec_id;    /* changes with every exec */
	uint64_t mm;	     /* names the address space */
	uint64_t top;	     /* kernel address of its top-level table */
	uint64_t next;	     /* PAGE_READER_RANGE: where it stopped */
	uint32_t nr_leaves;
	uint32_t nr_tables;
};

/*
 * The program's own, for PAGE_READER_RANGE. It isn't on its stack: there the verifier would follow the
 * counters' values from step to step, and give up.
 */
struct page_reader_sweep {
	struct walk_space space;
	struct walk_cache cache;
	uint64_t top;
	uint64_t addr;
	uint64_t end;
	uint32_t nr_leaves;
	uint32_t nr_tables;
};

#endif
