/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Operations sets: how to enumerate, check, and act on one kind of address space.
 *
 * Write one by filling a struct damon_operations and giving it to
 * damon_register_ops(); docs/operations-set.md walks through an example.
 */
#ifndef UDAMON_OPS_H
#define UDAMON_OPS_H

#include <udamon/damon.h>
#include <udamon/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/** enum damon_ops_id - the kinds of address space there are */
enum damon_ops_id {
	DAMON_OPS_VADDR,  /* all mappings of a process */
	DAMON_OPS_FVADDR, /* fixed ranges of a process */
	DAMON_OPS_PADDR,  /* physical memory */
	DAMON_OPS_SIM,	  /* a simulated program */
	DAMON_NR_OPS,
};

/** DAMON_ACCESS_UNKNOWN - nobody can say whether the region was accessed */
#define DAMON_ACCESS_UNKNOWN UINT32_MAX

/**
 * struct damon_batch - the regions of one target in one sampling interval
 * @nr:		how many
 * @ranges:	their addresses, sorted
 * @sampling_addrs: the address picked in each, uniformly over its bytes. The same
 *		ones are shown to prepare_access_checks() and, an interval
 *		later, to check_accesses().
 * @access:	check_accesses() fills it: counting units each region is found accessed
 *		by, 0..&damon_ctx.access_unit, or DAMON_ACCESS_UNKNOWN; NULL
 *		in prepare_access_checks()
 */
struct damon_batch {
	size_t nr;
	const struct damon_addr_range *ranges;
	const uint64_t *sampling_addrs;
	uint32_t *access;
};

/**
 * struct damon_operations - what the core calls; always on the kdamond unless said otherwise
 * @id:		which kind of address space
 * @name:	its name in the user interface. Required.
 * @init:	the kdamond starts: set up &damon_ctx.ops_priv and
 *		&damon_ctx.access_unit. Fails the start by returning -errno. Required.
 * @init_target: a target was added (at start after @init, or by a commit): set up
 *		&damon_target.ops_priv and, unless it has regions, give it some. -errno refuses it.
 * @update:	refresh the targets' ranges with damon_set_regions(); every
 *		&damon_attrs.ops_update_interval
 * @prepare_access_checks: make the samples "old". -errno ends the kdamond. Required.
 * @check_accesses: which were touched since. -errno ends the kdamond. Required.
 * @check_probe: set @hit[i] to 1 where sample i passes @probe's filters, else 0. NULL
 *		where probes are not supported (-EOPNOTSUPP at start or commit).
 * @window_ended: the window is complete and about to be published. Optional.
 * @actions:	bit (1 << &enum damos_action) for each action @apply_scheme can do; DAMOS_STAT is
 *		always possible
 * @filters:	bit (1 << &enum damos_filter_type) for each filter it can test
 * @check_scheme: whether what @scheme names beside its action and filters is there, such as memory
 *		cgroups and nodes: 0, or -errno (-ENOENT, -ENODEV) with @err, which may be NULL, in words. On
 *		the thread that adds the scheme, and again on the kdamond at its start and at a commit. Optional.
 * @apply_scheme: do @scheme's action to @ar, a region of @target (with a quota of time, a part of
 *		one), except where the filters of &damos.filters that the core doesn't handle reject it
 *		(unless &damos.core_filters_allowed). *@sz_applied: bytes it really was done to, measured;
 *		*@sz_filter_passed: bytes that passed the filters. Both are 0 before. -errno: tried in
 *		vain. With DAMOS_STAT only called when there are such filters. Optional.
 * @eligible_mem_bp: share of the bytes of @scheme's pattern that lie in node @nid; optional
 * @target_valid: false when the target is gone for good. A kdamond without a valid
 *		target ends. Required.
 * @cleanup_target: undo @init_target
 * @cleanup:	undo @init; the kdamond ends
 * @cost:	add clears, flushes, target_ns, unwatchable bytes to *@cost; cpu_ns is the core's. Optional.
 */
struct damon_operations {
	enum damon_ops_id id;
	const char *name;
	int (*init)(struct damon_ctx *ctx);
	int (*init_target)(struct damon_ctx *ctx, struct damon_target *target);
	void (*update)(struct damon_ctx *ctx);
	int (*prepare_access_checks)(struct damon_ctx *ctx, struct damon_target *target,
				     const struct damon_batch *batch);
	int (*check_accesses)(struct damon_ctx *ctx, struct damon_target *target,
			      const struct damon_batch *batch);
	int (*check_probe)(struct damon_ctx *ctx, struct damon_target *target,
			   const struct damon_probe *probe, const struct damon_batch *batch,
			   uint8_t *hit);
	void (*window_ended)(struct damon_ctx *ctx);
	uint32_t actions;
	uint32_t filters;
	int (*check_scheme)(const struct damos *scheme, struct damon_error *err);
	int (*apply_scheme)(struct damon_ctx *ctx, struct damon_target *target,
			    const struct damon_addr_range *ar, const struct damos *scheme,
			    uint64_t *sz_applied, uint64_t *sz_filter_passed);
	int (*eligible_mem_bp)(struct damon_ctx *ctx, const struct damos *scheme, int32_t nid,
			       uint64_t *bp);
	bool (*target_valid)(struct damon_ctx *ctx, struct damon_target *target);
	void (*cleanup_target)(struct damon_ctx *ctx, struct damon_target *target);
	void (*cleanup)(struct damon_ctx *ctx);
	void (*cost)(struct damon_ctx *ctx, struct damon_cost *cost);
};

/**
 * damon_register_ops() - make an operations set known to the library object
 * @ops:	borrowed for the library object's life
 * @env:	what contexts find in &damon_ctx.ops_env
 * Return: 0; -EINVAL (a required callback is missing, id out of range); -EEXIST.
 */
int damon_register_ops(struct damon_lib *lib, const struct damon_operations *ops, void *env);

/** damon_is_registered_ops() - whether that kind is known to the library object */
bool damon_is_registered_ops(struct damon_lib *lib, enum damon_ops_id id);

/** damon_select_ops() - choose a context's operations set, before start; -EINVAL when not registered */
int damon_select_ops(struct damon_ctx *ctx, enum damon_ops_id id);

/** damon_ops_name() - "vaddr", "fvaddr", "paddr", "sim"; NULL when out of range */
const char *damon_ops_name(enum damon_ops_id id);

/**
 * damon_report_event() - tell the context's owner of an event; on the kdamond
 * @target:	whom it concerns, or NULL
 */
void damon_report_event(struct damon_ctx *ctx, const struct damon_target *target, const char *what,
			const char *detail);

#ifdef __cplusplus
}
#endif
#endif
