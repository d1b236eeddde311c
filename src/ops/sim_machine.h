/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The machine that simulated programs run on: which of their pages are in memory, and what it
 * costs them when a page isn't.
 *
 * Beside the closed forms that say when a page is touched there is a state of a few bits a page.
 * It changes when a scheme acts, and is brought up to date by asking, for each page that
 * isn't in memory, whether it was touched since; so no access is ever played, and what is counted
 * doesn't depend on when somebody looks.
 *
 * The programs don't slow down: what a page fault would have cost them is added up instead
 * (docs/judging-schemes.md has the model and what it leaves out). Times are nanoseconds since the
 * programs started. A machine is for one thread at a time.
 */
#ifndef UDAMON_OPS_SIM_MACHINE_H
#define UDAMON_OPS_SIM_MACHINE_H

#include "ops/sim.h"

/** SIM_STEP_NS - memory is given back, and sizes are noted, at multiples of this */
#define SIM_STEP_NS 100000000ULL

/** SIM_REFAULT_NS - reading 4 KiB back, by default: about what a NVMe drive takes, fault included */
#define SIM_REFAULT_NS 100000ULL

/**
 * SIM_FAR_NS - by how much an access to node 1 takes longer, by default
 *
 * Memory behind CXL or on another socket is published with two to three times the 80 to 100 ns of
 * local memory.
 */
#define SIM_FAR_NS 120ULL

/**
 * SIM_HUGE_NS - what an access at random saves in a 2 MiB page, by default
 *
 * An assumption: a page walk of some 20 ns that most accesses to more memory than the
 * translation buffer covers have to wait for.
 */
#define SIM_HUGE_NS 15ULL

#define SIM_NR_NODES 2

/**
 * struct sim_machine_config - a machine; 0 stands for the default
 * @memory:	bytes of node 0, where pages come in; by default twice what all programs can map
 * @far_memory:	bytes of node 1, to which schemes can migrate; by default there is no such node
 * @refault_ns, @far_ns, @huge_ns: SIM_REFAULT_NS and so on
 */
struct sim_machine_config {
	uint64_t memory;
	uint64_t far_memory;
	uint64_t refault_ns;
	uint64_t far_ns;
	uint64_t huge_ns;
};

/**
 * struct sim_machine_stat - what became of the programs' memory; bytes unless said otherwise
 * @t_ns:	up to when
 * @resident:	in memory now, on both nodes
 * @far:	of that, on node 1
 * @peak:	the most there was in memory
 * @mean:	over time
 * @refaults:	pages that had left memory and were touched again
 * @read_in:	pages a scheme brought back before they were touched
 * @reclaimed:	pages that left because memory was full
 * @refault_ns:	what the programs would have waited for refaults
 * @far_ns:	and for accesses to node 1
 * @huge_ns:	what large pages saved them
 */
struct sim_machine_stat {
	uint64_t t_ns;
	uint64_t resident;
	uint64_t far;
	uint64_t peak;
	uint64_t mean;
	uint64_t refaults;
	uint64_t read_in;
	uint64_t reclaimed;
	uint64_t refault_ns;
	uint64_t far_ns;
	uint64_t huge_ns;
};

/** struct sim_size - bytes in memory at a time, and refaults up to it */
struct sim_size {
	uint64_t t_ns;
	uint64_t resident;
	uint64_t refaults;
};

struct sim_machine;

/**
 * sim_machine_new() - a machine with nothing in its memory yet
 * @machine:	the result; free it with sim_machine_free()
 * @config:	NULL for all defaults
 * @nr, @spaces: the programs on it; borrowed
 * Return: 0 or -ENOMEM.
 */
int sim_machine_new(struct sim_machine **machine, const struct sim_machine_config *config,
		    size_t nr, struct sim_space *const *spaces);

/** sim_machine_free() - NULL is allowed */
void sim_machine_free(struct sim_machine *machine);

/** sim_machine_run() - let the programs run up to @t_ns; what is past stays as it is */
void sim_machine_run(struct sim_machine *machine, uint64_t t_ns);

/** sim_machine_time() - how far they ran */
uint64_t sim_machine_time(const struct sim_machine *machine);

/** sim_machine_stat() - what was counted so far */
void sim_machine_stat(const struct sim_machine *machine, struct sim_machine_stat *stat);

/** sim_machine_slowdown() - share of the time by which the programs would have taken longer; below 0: faster */
double sim_machine_slowdown(const struct sim_machine_stat *stat);

/**
 * sim_machine_sizes() - how the memory in use went, oldest first, evenly spaced
 * @nr:		how many, at most SIM_MAX_SIZES
 * Return: the machine's; valid until it runs on.
 */
const struct sim_size *sim_machine_sizes(const struct sim_machine *machine, size_t *nr);
#define SIM_MAX_SIZES 256

/** sim_machine_has_node() - whether pages can be on that node */
bool sim_machine_has_node(const struct sim_machine *machine, int32_t nid);

/** sim_machine_config() - the sizes and costs it works with */
const struct sim_machine_config *sim_machine_config(const struct sim_machine *machine);

/**
 * sim_metric() - &damon_port.metric of a simulated system
 *
 * &damon_port.metric_data is the struct sim_env; its machine is what is measured. Pressure is the
 * time programs wait for refaults, at most all of it; active is what lru_prio or a look of
 * reclaim made so. Return: 0; -EOPNOTSUPP without a machine; -ENODEV for a node it doesn't have.
 */
int sim_metric(struct damon_port *port, enum damon_metric metric, int32_t nid,
	       const char *memcg_path, uint64_t *value);

#endif
