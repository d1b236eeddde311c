/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Reading page-table entries of other processes in batches (docs/bpf-reader.md).
 */
#ifndef UDAMON_ACCESS_READER_H
#define UDAMON_ACCESS_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <udamon/error.h>

/**
 * struct page_calibration - how page tables are to be walked on the running kernel
 * @direct_map:	kernel address of physical address 0
 * @frame_mask:	the bits of an entry that are a physical address
 * @encryption_mask: bits of the architecture's frame bits that mean "encrypted"; mostly 0
 * @levels:	4 or 5
 */
struct page_calibration {
	uint64_t direct_map;
	uint64_t frame_mask;
	uint64_t encryption_mask;
	uint32_t levels;
};

/* Flags of struct page_state. */
#define PAGE_MAPPED    1u /* something is mapped here, now */
#define PAGE_ACCESSED  2u /* its Accessed bit is set */
#define PAGE_NO_ACCESS 4u /* any access would fault first: PROT_NONE, or a NUMA hint */
#define PAGE_FAILED    8u /* the table couldn't be read: nothing is known */

/**
 * struct page_state - what the page table says about one address
 * @entry:	the entry the walk ended at, as it is in memory
 * @frame:	4 KiB frame of the address; valid with %PAGE_MAPPED
 * @flags:	PAGE_*; 0 is a hole, or a page that is not present
 * @leaf_shift:	log2 of the size that this one entry maps: 12, 21, 30; 0 in a hole
 */
struct page_state {
	uint64_t entry;
	uint64_t frame;
	uint8_t flags;
	uint8_t leaf_shift;
};

/**
 * struct page_process - the process behind a batch
 * @start_time:	ns since boot
 * @exec_id:	changes with every exec
 * @mm:		another value is another address space
 * @top:	kernel address of its top-level table
 */
struct page_process {
	uint64_t start_time;
	uint64_t exec_id;
	uint64_t mm;
	uint64_t top;
};

struct page_reader;
struct page_link;

/**
 * page_calibrate() - learn how to walk page tables here, and verify it
 *
 * Needs CAP_BPF, CAP_PERFMON and CAP_SYS_ADMIN (frame numbers). Looks at memory of the
 * calling process only. A few milliseconds, up to about a second where physical
 * memory reaches high addresses. Once per program is enough.
 *
 * Return: 0; -EPERM; -EOPNOTSUPP (kernel or build lacks something); -ENXIO (the
 * walk can't be made to agree with the kernel's own answers); -ENOMEM; @err says more.
 */
int page_calibrate(struct page_calibration *calibration, struct damon_error *err);

/** page_user_limit() - first address that no process can have; what is asked about there is a hole */
uint64_t page_user_limit(const struct page_calibration *calibration);

/**
 * page_reader_new() - a reader of one's own for one thread
 *
 * Return: 0 or -errno, as page_calibrate().
 */
int page_reader_new(struct page_reader **reader, const struct page_calibration *calibration,
		    struct damon_error *err);

/** page_reader_free() - after all its links; NULL is allowed */
void page_reader_free(struct page_reader *reader);

/** page_reader_set_calibration() - walk by other values from now on */
void page_reader_set_calibration(struct page_reader *reader,
				 const struct page_calibration *calibration);

/* How a process is found. */
enum page_link_way {
	PAGE_LINK_AUTO,
	PAGE_LINK_PIDFD, /* an iterator for one process (from 6.1) */
	PAGE_LINK_ALL,	 /* one over all, which looks for it; only in the initial pid namespace */
};

/**
 * page_link_new() - connect @reader with the process behind @pidfd
 * @pid:	its number in the namespace of the caller
 *
 * Return: 0; -ESRCH (it has ended); -EOPNOTSUPP (the kernel can't); -EPERM; -ENOMEM.
 */
int page_link_new(struct page_link **link, struct page_reader *reader, int pidfd, pid_t pid,
		  enum page_link_way way, struct damon_error *err);

/** page_link_free() - NULL is allowed */
void page_link_free(struct page_link *link);

/**
 * page_link_read() - look at @nr addresses
 * @addrs:	sorted ones are read faster; any number
 * @states:	as many
 * @process:	may be NULL
 *
 * No lock is taken: where the target changes its mappings meanwhile, an answer may be wrong once.
 * A process without memory (it has exited) gives -ESRCH; so does another one that has
 * been given the same number since. Other errors: -EIO, -EMFILE, -ENOMEM.
 */
int page_link_read(struct page_link *link, const uint64_t *addrs, size_t nr,
		   struct page_state *states, struct page_process *process);

/* log2 of what one table of small leaves maps, and the number of its entries. */
#define PAGE_TABLE_SHIFT   21
#define PAGE_TABLE_ENTRIES 512

/**
 * struct page_leaf - what maps one aligned piece of the address space
 * @addr:	where the piece begins
 * @table:	entries of its 512 small pages, as they are in memory; or NULL:
 * @state:	one huge leaf; or %PAGE_FAILED and the size that nothing is known of
 */
struct page_leaf {
	uint64_t addr;
	const uint64_t *table;
	struct page_state state;
};

/** page_leaf_callback - 0 to go on */
typedef int page_leaf_callback(void *data, const struct page_leaf *leaf);

/**
 * page_link_read_range() - read all entries from @start to @end
 * @callback:	called for each piece in which anything is, by address; valid meanwhile only.
 *		Pieces are whole: the first and last may reach beyond the range.
 * @process:	may be NULL; set before @callback is called
 *
 * Return: 0; what @callback returned; as page_link_read().
 */
int page_link_read_range(struct page_link *link, uint64_t start, uint64_t end,
			 page_leaf_callback *callback, void *data, struct page_process *process);

#endif
