/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Watching a process with the engines "point" and "scan" at once, to see how near they come.
 *
 * Both clear the same bits, so they share each sampling interval: "point" does its work for
 * real, then "scan" makes the rest old; at the end both read. What "scan" cleared
 * and "point" alone would have found set is kept for it (struct point_shadow). docs/engines.md tells
 * what that leaves different from "point" alone.
 *
 * The core gets what "point" says; the truth is damon_vaddr_page_heat() at each window's end.
 */
#ifndef UDAMON_OPS_VADDR_BOTH_H
#define UDAMON_OPS_VADDR_BOTH_H

#include <udamon/vaddr.h>

/**
 * struct vaddr_both_cost - what each engine did since the context started
 * @point_cpu_ns, @scan_cpu_ns: processor time inside the engine; the core's is in neither
 * @point_clears: pages "point" made old, or would have, had it been alone
 * @scan_clears: pages "scan" made old
 */
struct vaddr_both_cost {
	uint64_t point_cpu_ns;
	uint64_t scan_cpu_ns;
	uint64_t point_clears;
	uint64_t scan_clears;
};

/** vaddr_both_register() - register it as "vaddr", in a library object of its own; as damon_register_ops() */
int vaddr_both_register(struct damon_lib *lib, struct damon_vaddr_env *env);

/** vaddr_both_cost() - on the kdamond */
void vaddr_both_cost(const struct damon_ctx *ctx, struct vaddr_both_cost *cost);

#endif
