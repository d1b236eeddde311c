// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Reads page-table entries of one process; a task iterator calls it (docs/bpf-reader.md).
 *
 * The few kernel structs it looks into are declared here with just the fields
 * used; the loader finds their places in the running kernel's type information.
 */
#include <linux/bpf.h>

#include <stddef.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

typedef __u64 uint64_t;
typedef __u32 uint32_t;
typedef __s32 int32_t;

#define WALK_READ(value, address)                                                                  \
	bpf_probe_read_kernel(&(value), sizeof(value), (const void *)(address))

#include "access/walk.h"

#include "access/bpf/page_reader.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct mm_struct {
	void *pgd;
};

struct task_struct {
	int tgid;
	struct mm_struct *mm;
	__u64 start_boottime;
	__u64 self_exec_id;
};

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
	__u64 session_id;
	__u64 seq_num;
};

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

#pragma clang attribute pop

/* In the program's memory that user space maps: question and answer. */
struct page_reader_request request;
struct page_reader_process process;
uint64_t addrs[PAGE_READER_BATCH];
uint64_t entries[PAGE_READER_BATCH];
uint32_t statuses[PAGE_READER_BATCH];
struct page_reader_leaf leaves[PAGE_READER_LEAVES];
uint64_t tables[PAGE_READER_TABLES][ARCH_TABLE_MASK + 1];

struct batch {
	struct walk_space space;
	struct walk_cache cache;
	uint64_t top;
};

static long read_one(__u32 idx, void *data)
{
	struct batch *batch = data;
	uint64_t entry = 0;

	if (idx >= PAGE_READER_BATCH)
		return 1;
	statuses[idx] = walk(&batch->space, batch->top, addrs[idx], &batch->cache, &entry);
	entries[idx] = entry;
	return 0;
}

struct page_reader_sweep sweep;

/*
 * The level 2 table of the present GiB, copied in one go: a read of its own for each entry takes
 * longer than all else there is to do for a huge leaf or a hole.
 */
uint64_t upper[ARCH_TABLE_MASK + 1];

static void go_past(uint64_t shift)
{
	uint64_t size = 1ULL << (shift & 63);

	sweep.addr = (sweep.addr & ~(size - 1)) + size;
}

static long tell(uint64_t entry, uint32_t status, uint32_t table)
{
	uint32_t idx = sweep.nr_leaves;

	if (idx >= PAGE_READER_LEAVES)
		return 1;
	leaves[idx].addr = sweep.addr;
	leaves[idx].entry = entry;
	leaves[idx].status = status;
	leaves[idx].table = table;
	sweep.nr_leaves = idx + 1;
	go_past(status ? status >> WALK_LEAF_SHIFT : ARCH_LEVEL_SHIFT(2));
	return 0;
}

/*
 * Copy the table of small leaves at the present address. Its entry above is read anew, as the
 * copy of it is some time old. The table may be freed meanwhile: when its entry
 * isn't the same any more afterwards, what was copied may be anything.
 */
static long copy_table(void)
{
	uint32_t idx = sweep.nr_tables;
	uint64_t entry = 0, again = 0;

	if (idx >= PAGE_READER_TABLES)
		return 1;
	if (walk_step(sweep.cache.table, sweep.addr, 2, &entry))
		return tell(entry, WALK_FAILED | WALK_LEAF(ARCH_LEVEL_SHIFT(2)), 0);
	/* Collapsed into a huge page, or unmapped, since. */
	if (ARCH_LEAF_LEVEL_2 && (entry & ARCH_ENTRY_LEAF))
		return tell(entry, walk_leaf(entry, 2), 0);
	if (!(entry & ARCH_ENTRY_PRESENT)) {
		go_past(ARCH_LEVEL_SHIFT(2));
		return 0;
	}
	if (bpf_probe_read_kernel(tables[idx], sizeof(tables[idx]),
				  (const void *)walk_next(&sweep.space, entry)) ||
	    walk_step(sweep.cache.table, sweep.addr, 2, &again) ||
	    ((again ^ entry) & ~ARCH_ENTRY_USE_MASK))
		return tell(entry, WALK_FAILED | WALK_LEAF(ARCH_LEVEL_SHIFT(2)), 0);
	sweep.nr_tables = idx + 1;
	return tell(entry, 0, idx);
}

/* What is at the present address; on to the next one. */
static long sweep_one(__u32 idx, void *data)
{
	uint64_t gib = (sweep.addr >> ARCH_LEVEL_SHIFT(3)) + 1, entry = 0;
	uint32_t status;

	if (sweep.addr >= sweep.end || sweep.nr_leaves >= PAGE_READER_LEAVES)
		return 1;
	if (sweep.cache.gib != gib) {
		sweep.cache.gib = 0;
		status = walk_top(&sweep.space, sweep.top, sweep.addr, &sweep.cache.table, &entry);
		if (status == WALK_HOLE) {
			go_past(sweep.cache.table);
			return 0;
		}
		if (status & WALK_FAILED)
			status |= WALK_LEAF(ARCH_LEVEL_SHIFT(3));
		if (!status &&
		    bpf_probe_read_kernel(upper, sizeof(upper), (const void *)sweep.cache.table))
			status = WALK_FAILED | WALK_LEAF(ARCH_LEVEL_SHIFT(3));
		if (status)
			return tell(entry, status, 0);
		sweep.cache.gib = gib;
	}
	entry = upper[(sweep.addr >> ARCH_LEVEL_SHIFT(2)) & ARCH_TABLE_MASK];
	if (ARCH_LEAF_LEVEL_2 && (entry & ARCH_ENTRY_LEAF))
		return tell(entry, walk_leaf(entry, 2), 0);
	if (entry & ARCH_ENTRY_PRESENT)
		return copy_table();
	go_past(ARCH_LEVEL_SHIFT(2));
	return 0;
}

static void read_addresses(uint64_t top)
{
	struct batch batch = {.space = request.space, .top = top};

	bpf_loop(request.nr, read_one, &batch, 0);
}

static void read_range(uint64_t top)
{
	sweep.space = request.space;
	sweep.top = top;
	sweep.cache.gib = 0;
	sweep.nr_leaves = sweep.nr_tables = 0;
	sweep.addr = request.start;
	sweep.end = request.end;
	bpf_loop(PAGE_READER_STEPS, sweep_one, NULL, 0);
	process.next = sweep.addr;
	process.nr_leaves = sweep.nr_leaves;
	process.nr_tables = sweep.nr_tables;
}

SEC("iter/task")
int read_pages(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct mm_struct *mm;
	char done = 1;

	if (!task)
		return 0;
	if (request.tgid && task->tgid != request.tgid)
		return 0;
	/* A thread that has exited, maybe the first one: another may still have the memory. */
	mm = task->mm;
	if (!mm)
		return 0;
	process.start_time = task->start_boottime;
	process.exec_id = task->self_exec_id;
	process.mm = (uint64_t)mm;
	process.top = (uint64_t)mm->pgd;
	if (request.mode == PAGE_READER_RANGE)
		read_range(process.top);
	else
		read_addresses(process.top);
	/* One byte out ends user space's read(), so that no further thread is visited. */
	bpf_seq_write(ctx->meta->seq, &done, sizeof(done));
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
