/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * What the page-table reader's BPF program and its user-space half share.
 */
#ifndef UDAMON_ACCESS_BPF_PAGE_READER_H
#define UDAMON_ACCESS_BPF_PAGE_READER_H

/* Addresses one call of the program can look at. */
#define PAGE_READER_BATCH 4096

/* What the program is asked for. */
enum page_reader_mode {
	PAGE_READER_ADDRESSES, /* entries of single addresses */
};

/*
 * The question. @tgid: only where the kernel can't attach an iterator to one
 * process: look at the process with this id in the initial namespace; else 0.
 */
struct page_reader_request {
	struct walk_space space;
	uint32_t mode;
	uint32_t nr;
	int32_t tgid;
	uint32_t reserved;
};

/* About the process as a whole, fresh in every answer. */
struct page_reader_process {
	uint64_t start_time; /* ns since boot: tells a recycled process id */
	uint64_t exec_id;    /* changes with every exec */
	uint64_t mm;	     /* names the address space */
	uint64_t top;	     /* kernel address of its top-level table */
};

#endif
