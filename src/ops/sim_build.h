/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Putting a workload together piece by piece; shared by the parser and the built-in workloads.
 */
#ifndef UDAMON_OPS_SIM_BUILD_H
#define UDAMON_OPS_SIM_BUILD_H

#include "ops/sim.h"

/* Bounds that keep every product of the closed forms within 128 bits. */
#define SIM_MAX_BYTES	    (1ULL << 46)
#define SIM_MAX_WEIGHT	    (1ULL << 31)
#define SIM_MAX_DURATION_MS (1ULL << 38) /* of a phase, and of all together: 8.7 years */
#define SIM_MAX_RATE	    10000000000ULL

/* All return 0 or -ENOMEM and copy what they are given. */
int sim_build_new(struct sim_workload **workload, const char *name);
int sim_build_region(struct sim_workload *workload, const char *name, uint64_t size,
		     const char *fill);
/* Regions come first: the phase starts with all of them mapped in full. */
int sim_build_phase(struct sim_workload *workload, const char *name, uint64_t duration_ms);
/* To the last phase. */
int sim_build_pattern(struct sim_workload *workload, const struct sim_pattern *pattern);

/* The index of the region of that name, or -ENOENT. */
int64_t sim_build_find_region(const struct sim_workload *workload, const char *name);
int64_t sim_build_find_phase(const struct sim_workload *workload, const char *name);

#endif
