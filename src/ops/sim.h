/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Simulated programs: their workload files, the memory they touch, and the operations set "sim".
 *
 * A *workload* says what a program does (the format of masim, see
 * docs/simulation.md). A *space* is one program that does it: the workload laid
 * out in an address space, with a seed and a speed. Whether a page was touched
 * in an interval is computed, not played, so the truth is known for each page and
 * each interval, and equal questions always have equal answers.
 *
 * Times of a space are nanoseconds since its program started. All of a space
 * is read-only once made: any number of threads may ask.
 */
#ifndef UDAMON_OPS_SIM_H
#define UDAMON_OPS_SIM_H

#include <stdio.h>

#include <udamon/damon.h>
#include <udamon/error.h>
#include <udamon/ops.h>

#define SIM_PAGE_SIZE 4096ULL
#define SIM_HUGE_SIZE (2ULL << 20)

/** SIM_DEFAULT_RATE - accesses per simulated second of a space that is given no rate */
#define SIM_DEFAULT_RATE 10000000ULL

/* Workloads. */

/** enum sim_mode - what a pattern does to the memory it touches; the simulator counts all alike */
enum sim_mode { SIM_WRITE_ONLY, SIM_READ_ONLY, SIM_READ_WRITE };

/**
 * struct sim_region - a block of memory of a workload
 * @name:	by which patterns refer to it
 * @size:	bytes
 * @fill:	file to fill it from, or NULL for "none"
 * @file_bytes:	how many bytes from its start on are file-backed ("#! file:"); all of
 *		it when @fill is given
 * @huge:	made of 2 MiB pages where whole ones fit ("#! huge:")
 * @memcg:	memory cgroup that owns its pages ("#! memcg:"), or NULL for the root
 * @gap:	unmapped bytes before it, at least one page ("#! gap:")
 */
struct sim_region {
	char *name;
	uint64_t size;
	char *fill;
	uint64_t file_bytes;
	bool huge;
	char *memcg;
	uint64_t gap;
};

/**
 * struct sim_pattern - one way of touching one region
 * @region:	index into &sim_workload.regions
 * @random:	random multiples of @stride; else one after the other, starting over at the end
 * @stride:	bytes, at least 1
 * @weight:	share in the phase's accesses, at least 1
 * @mode:	read, write, or both
 */
struct sim_pattern {
	uint32_t region;
	bool random;
	uint64_t stride;
	uint32_t weight;
	enum sim_mode mode;
};

/**
 * struct sim_phase - what is done for a while
 * @name:	for people
 * @duration_ms: how long
 * @nr_patterns, @patterns: what is touched; at least one
 * @sizes:	bytes of each region that are mapped in this phase ("#! size:")
 */
struct sim_phase {
	char *name;
	uint64_t duration_ms;
	size_t nr_patterns;
	struct sim_pattern *patterns;
	uint64_t *sizes;
};

/**
 * struct sim_workload - a workload file in memory
 * @name:	the path, or the name of a built-in one
 * @nr_regions, @regions: its memory
 * @nr_phases, @phases: what it does, in order; at least one
 * @threads:	threads that share the accesses ("#! threads:"); for those who
 *		run it for real, the simulator has no use for it
 */
struct sim_workload {
	char *name;
	size_t nr_regions;
	struct sim_region *regions;
	size_t nr_phases;
	struct sim_phase *phases;
	uint32_t threads;
};

/**
 * sim_workload_load() - read a workload file
 * @path:	the file; "-" is standard input
 * @workload:	the result; free it with sim_workload_free()
 * @err:	on failure: file, line, field, and the value that is wrong
 * Return: 0; -EINVAL (what it says); -ENOMEM; what opening or reading it returned.
 */
int sim_workload_load(const char *path, struct sim_workload **workload, struct damon_error *err);

/** sim_workload_parse() - the same from an open stream; @name stands in the messages */
int sim_workload_parse(FILE *file, const char *name, struct sim_workload **workload,
		       struct damon_error *err);

/** sim_workload_builtin() - a built-in workload; -ENOENT when there is none of that name */
int sim_workload_builtin(const char *name, struct sim_workload **workload, struct damon_error *err);

/**
 * sim_workload_get() - the built-in workload of that name or, when there is none, that file
 *
 * A file named like a built-in is reached as "./NAME".
 */
int sim_workload_get(const char *name_or_path, struct sim_workload **workload,
		     struct damon_error *err);

/** sim_workload_print() - write it as a workload file; 0 or -errno */
int sim_workload_print(const struct sim_workload *workload, FILE *out);

/** sim_workload_duration_ms() - how long all phases last together */
uint64_t sim_workload_duration_ms(const struct sim_workload *workload);

/** sim_workload_free() - NULL is allowed */
void sim_workload_free(struct sim_workload *workload);

/** struct sim_builtin - name and picture of a built-in workload */
struct sim_builtin {
	const char *name;
	const char *summary;
};

/** sim_builtins() - all of them; *@nr says how many */
const struct sim_builtin *sim_builtins(size_t *nr);

/* Spaces. */

struct sim_space;

/**
 * sim_space_new() - lay a workload out as a simulated program
 * @space:	the result; free it with sim_space_free()
 * @workload:	borrowed for the space's life
 * @seed:	of what is random in it
 * @rate:	accesses per simulated second; 0 means SIM_DEFAULT_RATE
 * Return: 0; -ENOMEM; -EINVAL (too large for 64 bits; @err says what).
 */
int sim_space_new(struct sim_space **space, const struct sim_workload *workload, uint64_t seed,
		  uint64_t rate, struct damon_error *err);

/** sim_space_free() - NULL is allowed */
void sim_space_free(struct sim_space *space);
const struct sim_workload *sim_space_workload(const struct sim_space *space);

/** sim_space_end_ns() - when the program ends: the end of its last phase */
uint64_t sim_space_end_ns(const struct sim_space *space);

/** struct sim_mapping - a region of a workload and where it is now; page aligned */
struct sim_mapping {
	struct damon_addr_range ar;
	const struct sim_region *region;
};

/**
 * sim_space_mappings() - what is mapped at @t_ns, in the order of addresses
 * @mappings:	room for &sim_workload.nr_regions
 * Return: how many were written; after the end those of the last phase.
 */
size_t sim_space_mappings(const struct sim_space *space, uint64_t t_ns,
			  struct sim_mapping *mappings);

/* The truth. */

/** sim_truth_touched() - whether the page that holds @addr was touched in [@t0_ns, @t1_ns) */
bool sim_truth_touched(const struct sim_space *space, uint64_t addr, uint64_t t0_ns,
		       uint64_t t1_ns);

/**
 * sim_truth_runs() - hand each unbroken run of pages touched in [@t0_ns, @t1_ns) to @fn, in order
 * @fn:		non-zero ends it
 * Return: 0, -ENOMEM, or what @fn returned. Takes time in proportion to the pages.
 */
int sim_truth_runs(const struct sim_space *space, uint64_t t0_ns, uint64_t t1_ns,
		   int (*fn)(const struct damon_addr_range *run, void *data), void *data);

/** sim_truth_wss() - working set: *@bytes of the pages touched in [@t0_ns, @t1_ns); 0 or -ENOMEM */
int sim_truth_wss(const struct sim_space *space, uint64_t t0_ns, uint64_t t1_ns, uint64_t *bytes);

/** struct sim_found - a region as a monitor found it in a window */
struct sim_found {
	struct damon_addr_range ar;
	uint32_t nr_accesses;
};

/**
 * struct sim_span - the window that was monitored
 * @t0_ns, @t1_ns: its time
 * @nr_samples:	sampling intervals in it, which are taken to be equally long; at least 1
 * @hot_bp:	what is called hot: touched in at least that share of them, bp
 */
struct sim_span {
	uint64_t t0_ns;
	uint64_t t1_ns;
	uint32_t nr_samples;
	uint32_t hot_bp;
};

/**
 * struct sim_score - what a monitor found against the truth; bytes, so scores can be added up
 * @true_wss:	pages touched in the window
 * @found_wss:	regions with at least one access in the window
 * @both_wss:	pages touched that lie in such regions
 * @true_hot, @found_hot, @both_hot: the same of what is hot
 */
struct sim_score {
	uint64_t true_wss;
	uint64_t found_wss;
	uint64_t both_wss;
	uint64_t true_hot;
	uint64_t found_hot;
	uint64_t both_hot;
};

/**
 * sim_score_add() - add the score of one window of one space to @score
 * @found:	its regions, sorted
 * Return: 0 or -ENOMEM (@score is as it was).
 */
int sim_score_add(struct sim_score *score, const struct sim_space *space,
		  const struct sim_span *span, const struct sim_found *found, size_t nr);

/** sim_score_target() - the same for a target as it is now, in its window callback (access_unit 1) */
int sim_score_target(struct sim_score *score, const struct damon_ctx *ctx,
		     const struct damon_target *target, const struct damon_window *window,
		     uint32_t hot_bp);

/** sim_score_wss_error() - |found - true| / true; when nothing is true 0, or 1 if something was found */
double sim_score_wss_error(const struct sim_score *score);

/** sim_score_precision() - share of what was found hot that is hot; 1 when nothing was found */
double sim_score_precision(const struct sim_score *score);

/** sim_score_recall() - share of what is hot that was found hot; 1 when nothing is */
double sim_score_recall(const struct sim_score *score);

/* Playing each access: slow, and only there to check the computed truth against. */

struct sim_player;

/** sim_player_new() - a player at time 0 that has touched nothing; 0 or -ENOMEM */
int sim_player_new(struct sim_player **player, const struct sim_space *space, uint64_t seed);
void sim_player_free(struct sim_player *player);

/** sim_player_run() - play every access from where it stands up to @t_ns */
void sim_player_run(struct sim_player *player, uint64_t t_ns);

/** sim_player_touched() - whether the page that holds @addr was touched since the last clear */
bool sim_player_touched(const struct sim_player *player, uint64_t addr);

/** sim_player_clear() - forget what was touched */
void sim_player_clear(struct sim_player *player);

/* The operations set. */

struct sim_machine;

/**
 * struct sim_env - the simulated programs of a library object; the env of damon_register_ops()
 * @nr_spaces, @spaces: the programs; the owner's, for the library object's life. Each
 *		target of a context watches one: &damon_target.pid says which,
 *		-1 means the one of the target's id.
 * @start_ns:	the port's clock when the programs start, 0 in virtual time; set before
 *		any context starts
 * @machine:	what they run on (ops/sim_machine.h), set before sim_register_ops(); NULL: no
 *		pages are kept track of, and of schemes only those with the action "stat" are possible
 */
struct sim_env {
	size_t nr_spaces;
	struct sim_space **spaces;
	uint64_t start_ns;
	struct sim_machine *machine;
};

/** sim_register_ops() - damon_register_ops() for the set "sim"; @env is borrowed */
int sim_register_ops(struct damon_lib *lib, struct sim_env *env);

/** sim_env_time() - a reading of the port's clock as time of the spaces; 0 before they start */
uint64_t sim_env_time(const struct sim_env *env, uint64_t port_ns);

/** sim_target_space() - the space a target watches, or NULL when there is none */
const struct sim_space *sim_target_space(const struct damon_ctx *ctx,
					 const struct damon_target *target);

#endif
