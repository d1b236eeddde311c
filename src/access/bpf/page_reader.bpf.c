// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Reads page-table entries of one process; a task iterator calls it (docs/bpf-reader.md).
 *
 * The few kernel structs it looks into are declared here with just the fields
 * used; the loader finds their places in the running kernel's type information.
 */
#include <linux/bpf.h>

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

SEC("iter/task")
int read_pages(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct mm_struct *mm;
	struct batch batch = {};
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
	batch.space = request.space;
	batch.top = (uint64_t)mm->pgd;
	process.top = batch.top;
	bpf_loop(request.nr, read_one, &batch, 0);
	/* One byte out ends user space's read(), so that no further thread is visited. */
	bpf_seq_write(ctx->meta->seq, &done, sizeof(done));
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
