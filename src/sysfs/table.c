// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * The table: every file of the tree, and everything that can be said of it without running code.
 *
 * Directories, permissions, defaults, parsing, formatting, most errors, and udamon-sysfs(5) come
 * from it. A new file is a new row here, and a line in build.c if it is a parameter.
 */
#include "sysfs/table.h"

#define KDAMONDS "kernel/mm/damon/admin/kdamonds/"
#define KDAMOND	 KDAMONDS "#/"
#define CONTEXT	 KDAMOND "contexts/#/"
#define ATTRS	 CONTEXT "monitoring_attrs/"
#define PROBE	 ATTRS "probes/#/"
#define TARGET	 CONTEXT "targets/#/"
#define SCHEME	 CONTEXT "schemes/#/"
#define GOAL	 SCHEME "quotas/goals/#/"
#define FILTER	 SCHEME "{core_filters,ops_filters,filters}/#/"
#define TRIED	 SCHEME "tried_regions/#/"
#define OURS	 "udamon/kdamonds/#/"

static const char *const operations[] = {"vaddr", "fvaddr", "paddr", "sim", NULL};
static const char *const actions[] = {"willneed",    "cold",	     "pageout",	 "hugepage",
				      "nohugepage",  "collapse",     "lru_prio", "lru_deprio",
				      "migrate_hot", "migrate_cold", "stat",	 NULL};
static const char *const tuners[] = {"consist", "temporal", NULL};
static const char *const goal_metrics[] = {"user_input",	   "some_mem_psi_us",
					   "node_mem_used_bp",	   "node_mem_free_bp",
					   "node_memcg_used_bp",   "node_memcg_free_bp",
					   "active_mem_bp",	   "inactive_mem_bp",
					   "node_eligible_mem_bp", NULL};
static const char *const wmark_metrics[] = {"none", "free_mem_rate", NULL};
static const char *const probe_filter_types[] = {"anon", "memcg", NULL};
/* The default, "anon", is shown in core_filters too, though it can't be written there. */
static const char *const core_filter_types[] = {"addr", "target", NULL};
static const char *const ops_filter_types[] = {"anon",		"active",   "memcg", "young",
					       "hugepage_size", "unmapped", NULL};
static const char *const filter_types[] = {"anon",     "active", "memcg",  "young", "hugepage_size",
					   "unmapped", "addr",	 "target", NULL};
static const char *const engines[] = {"auto", "point", "scan", NULL};

const char *const sysfs_state_keywords[] = {
	"on",
	"off",
	"commit",
	"commit_schemes_quota_goals",
	"update_schemes_stats",
	"update_schemes_effective_quotas",
	"update_tuned_intervals",
	"update_schemes_tried_bytes",
	"update_schemes_tried_regions",
	"clear_schemes_tried_regions",
	NULL,
};

#define RW	      .writable = true
#define STORED(value) .initial = (value)
#define KEYWORD(list) .type = SYSFS_KEYWORD, .keywords = (list)

const struct sysfs_row sysfs_rows[] = {
	{KDAMONDS "nr_kdamonds", RW, SYSFS_COUNT, STORED("0"),
	 .doc = "How many kdamonds there are. EBUSY while one of them runs."},
	{KDAMOND "state", RW, KEYWORD(sysfs_state_keywords), .source = SYSFS_STATE, STORED("off"),
	 .doc = "Reads as on or off. What can be written is described in STATE."},
	{KDAMOND "pid", .type = SYSFS_INT, .source = SYSFS_PID, STORED("-1"),
	 .doc = "Thread that monitors; -1 when it is off."},
	{KDAMOND "refresh_ms", RW, SYSFS_UINT, STORED("0"),
	 .doc = "If not 0: how often the schemes' stats and effective_bytes, and sample_us and aggr_us "
		"where they are tuned, are refreshed, ms. In force at once."},
	{KDAMOND "contexts/nr_contexts", RW, SYSFS_COUNT, STORED("0"), .max = 1,
	 .doc = "Contexts of the kdamond: 0 or 1."},
	{CONTEXT "avail_operations", .type = SYSFS_TEXT, .source = SYSFS_AVAIL,
	 .doc = "Operations sets that can be used here, one a line."},
	{CONTEXT "operations", RW, KEYWORD(operations), STORED("vaddr"),
	 .doc = "Operations set: all mappings of processes, fixed ranges of processes, physical memory, "
		"simulated programs. One that isn't available is refused by on and commit."},
	{CONTEXT "addr_unit", RW, SYSFS_ULONG, STORED("1"), .min = 1,
	 .doc = "Bytes per address, for paddr only. The page size divided by it must be a power of 2."},
	{CONTEXT "pause", RW, SYSFS_BOOL, STORED("N"),
	 .doc = "Stop monitoring and acting, and keep what was learned."},
	{ATTRS "intervals/sample_us", RW, SYSFS_ULONG, STORED("5000"),
	 .doc = "Sampling interval, us; at most aggr_us."},
	{ATTRS "intervals/aggr_us", RW, SYSFS_ULONG, STORED("100000"),
	 .doc = "Aggregation interval, us."},
	{ATTRS "intervals/update_us", RW, SYSFS_ULONG, STORED("60000000"),
	 .doc = "How often the targets' mappings are read again, us."},
	{ATTRS "intervals/intervals_goal/access_bp", RW, SYSFS_ULONG, STORED("0"),
	 .doc = "Share of the possible access events to observe when intervals are tuned, bp."},
	{ATTRS "intervals/intervals_goal/aggrs", RW, SYSFS_ULONG, STORED("0"),
	 .doc = "Aggregation intervals per tuning step; 0: the intervals aren't tuned."},
	{ATTRS "intervals/intervals_goal/min_sample_us", RW, SYSFS_ULONG, STORED("0"),
	 .doc = "Shortest sampling interval that tuning may choose, us."},
	{ATTRS "intervals/intervals_goal/max_sample_us", RW, SYSFS_ULONG, STORED("0"),
	 .doc = "Longest sampling interval that tuning may choose, us."},
	{ATTRS "nr_regions/min", RW, SYSFS_ULONG, STORED("10"),
	 .doc = "Least number of regions, at least 3."},
	{ATTRS "nr_regions/max", RW, SYSFS_ULONG, STORED("1000"),
	 .doc = "Greatest number of regions, which bounds the cost."},
	{ATTRS "probes/nr_probes", RW, SYSFS_COUNT, STORED("0"), .max = 4,
	 .doc = "Attributes of pages to count along with accesses."},
	{PROBE "weight", RW, SYSFS_UINT, STORED("0"),
	 .doc = "Share in the weighted sum of hits. If any probe has one, accesses aren't checked and "
		"regions are told apart by that sum."},
	{PROBE "filters/nr_filters", RW, SYSFS_COUNT, STORED("0"), .doc = "Tests of the probe."},
	{PROBE "filters/#/type", RW, KEYWORD(probe_filter_types), STORED("anon"),
	 .doc = "What is looked at: anonymous pages, pages of a memory cgroup."},
	{PROBE "filters/#/{matching,allow}", RW, SYSFS_BOOL, STORED("N"),
	 .doc = "Whether pages of that type match or all others, and whether those that match pass."},
	{PROBE "filters/#/path", RW, SYSFS_STRING, STORED(""),
	 .doc = "Memory cgroup, relative to the root of the hierarchy."},
	{CONTEXT "targets/nr_targets", RW, SYSFS_COUNT, STORED("0"),
	 .doc = "What is watched; at most 1024."},
	{TARGET "pid_target", RW, SYSFS_INT, STORED("0"), .lax = true,
	 .doc = "Process. Not used by paddr; for sim the number of the simulated program."},
	{TARGET "obsolete_target", RW, SYSFS_BOOL, STORED("N"),
	 .doc = "At commit, drop the running target of the same number. These files stay as they are."},
	{TARGET "regions/nr_regions", RW, SYSFS_COUNT, STORED("0"),
	 .doc = "Initial ranges of addresses. 0 at commit keeps the regions there are."},
	{TARGET "regions/#/{start,end}", RW, SYSFS_ULONG, STORED("0"),
	 .doc = "Addresses of a range, bytes; the end isn't included. Ranges are sorted and don't "
		"overlap; the start is rounded down to a page, the end up."},
	{CONTEXT "schemes/nr_schemes", RW, SYSFS_COUNT, STORED("0"),
	 .doc = "What is done with memory by how it is accessed; at most 1024."},
	{SCHEME "action", RW, KEYWORD(actions), STORED("stat"),
	 .doc = "What is done. EOPNOTSUPP from on and commit where the operations set can't."},
	{SCHEME "target_nid", RW, SYSFS_INT, STORED("-1"),
	 .doc = "Node to migrate to where there are no dests."},
	{SCHEME "apply_interval_us", RW, SYSFS_ULONG, STORED("0"),
	 .doc = "How often, us; 0: every aggregation interval."},
	{SCHEME "access_pattern/{sz,nr_accesses,age}/{min,max}", RW, SYSFS_ULONG, STORED("0"),
	 .doc = "Regions it is for: size in bytes, samples per window in which it was accessed, age in "
		"aggregation intervals; both ends are included."},
	{SCHEME "quotas/{ms,bytes,reset_interval_ms}", RW, SYSFS_ULONG, STORED("0"), .lax = true,
	 .doc = "Processor time and bytes that may be spent in each reset interval; 0: no limit."},
	{SCHEME "quotas/effective_bytes", .type = SYSFS_ULONG, STORED("0"),
	 .doc = "The limit that came of all this, bytes; see update_schemes_effective_quotas."},
	{SCHEME "quotas/goal_tuner", RW, KEYWORD(tuners), STORED("consist"),
	 .doc = "How goals move the limit: in steps, or all or nothing."},
	{SCHEME "quotas/{fail_charge_num,fail_charge_denom}", RW, SYSFS_UINT, STORED("0"),
	 .lax = true,
	 .doc = "A byte that was tried in vain is charged as num/denom bytes; denom 0: in full."},
	{SCHEME "quotas/weights/{sz,nr_accesses,age}_permil", RW, SYSFS_UINT, STORED("0"),
	 .doc = "What decides which regions go first under a limit; the size doesn't."},
	{SCHEME "quotas/goals/nr_goals", RW, SYSFS_COUNT, STORED("0"),
	 .doc = "Goals of the quota."},
	{GOAL "target_metric", RW, KEYWORD(goal_metrics), STORED("user_input"),
	 .doc = "What is aimed at. The last one is for paddr only."},
	{GOAL "target_value", RW, SYSFS_ULONG, STORED("0"),
	 .doc = "Aim, in the metric's unit; 0: the goal isn't used."},
	{GOAL "current_value", RW, SYSFS_ULONG, STORED("0"),
	 .doc = "Present value, for user_input."},
	{GOAL "nid", RW, SYSFS_INT, STORED("0"), .doc = "Node, for metrics of one."},
	{GOAL "path", RW, SYSFS_STRING, STORED(""),
	 .doc = "Memory cgroup, relative to the root of the hierarchy, for metrics of one."},
	{SCHEME "watermarks/metric", RW, KEYWORD(wmark_metrics), STORED("none"),
	 .doc = "What decides whether the scheme is active: nothing, or free memory in per mille."},
	{SCHEME "watermarks/interval_us", RW, SYSFS_ULONG, STORED("0"),
	 .doc = "How often it is looked at, us."},
	{SCHEME "watermarks/{high,mid,low}", RW, SYSFS_ULONG, STORED("0"),
	 .doc = "Inactive above high and below low; active from mid down to low."},
	{SCHEME "{core_filters,ops_filters,filters}/nr_filters", RW, SYSFS_COUNT, STORED("0"),
	 .doc = "Filters: those of the core are asked first, then those of the operations set. What is "
		"in filters stands behind both."},
	{SCHEME "core_filters/#/type", RW, KEYWORD(core_filter_types), STORED("anon"),
	 .doc = "What is looked at: addresses, or the target."},
	{SCHEME "ops_filters/#/type", RW, KEYWORD(ops_filter_types), STORED("anon"),
	 .doc = "What is looked at: pages that are anonymous, active, of a memory cgroup, recently "
		"accessed, of a size, or mapped by nobody."},
	{SCHEME "filters/#/type", RW, KEYWORD(filter_types), STORED("anon"),
	 .doc = "What is looked at; all of both."},
	{FILTER "{matching,allow}", RW, SYSFS_BOOL, STORED("N"),
	 .doc = "Whether memory of that type matches or all other, and whether what matches is acted "
		"on or left alone."},
	{FILTER "memcg_path", RW, SYSFS_STRING, STORED(""),
	 .doc = "Memory cgroup, relative to the root of the hierarchy. ENOENT from on and commit where "
		"there is none."},
	{FILTER "{addr_start,addr_end}", RW, SYSFS_ULONG, STORED("0"),
	 .doc = "Range of addresses; the end isn't included."},
	{FILTER "{min,max}", RW, SYSFS_ULONG, STORED("0"), .doc = "For hugepage_size, bytes."},
	{FILTER "damon_target_idx", RW, SYSFS_INT, STORED("0"), .doc = "For target: its number."},
	{SCHEME "dests/nr_dests", RW, SYSFS_COUNT, STORED("0"), .doc = "Nodes to migrate to."},
	{SCHEME "dests/#/{id,weight}", RW, SYSFS_UINT, STORED("0"),
	 .doc = "A node, and its share among the others."},
	{SCHEME "stats/{nr_tried,sz_tried,nr_applied,sz_applied,sz_ops_filter_passed,qt_exceeds,"
		"nr_snapshots}",
	 .type = SYSFS_ULONG, STORED("0"),
	 .doc = "Regions tried and their bytes, regions and bytes acted on, bytes that passed the "
		"operations set's filters, quota windows that were used up, passes over a target; as "
		"of the last update_schemes_stats."},
	{SCHEME "stats/max_nr_snapshots", RW, SYSFS_ULONG, STORED("0"),
	 .doc = "The scheme stops after so many nr_snapshots; 0: never."},
	{SCHEME "tried_regions/total_bytes", .type = SYSFS_ULONG, .source = SYSFS_TRIED_BYTES,
	 STORED("0"),
	 .doc = "Bytes of the regions of the last update_schemes_tried_regions or _bytes."},
	{TRIED "start", .type = SYSFS_ULONG, .source = SYSFS_TRIED_START,
	 .doc = "Region that the scheme was applied to: its first address."},
	{TRIED "end", .type = SYSFS_ULONG, .source = SYSFS_TRIED_END,
	 .doc = "First address behind it."},
	{TRIED "nr_accesses", .type = SYSFS_UINT, .source = SYSFS_TRIED_ACCESSES,
	 .doc = "Samples per window in which it was accessed."},
	{TRIED "age", .type = SYSFS_UINT, .source = SYSFS_TRIED_AGE,
	 .doc = "Aggregation intervals since that changed."},
	{TRIED "sz_filter_passed", .type = SYSFS_ULONG, .source = SYSFS_TRIED_PASSED,
	 .doc = "Bytes of it that passed the operations set's filters."},
	{TRIED "probes/#/hits", .type = SYSFS_UINT, .source = SYSFS_TRIED_HITS,
	 .doc = "Samples of the window in which it passed the probe."},
	{OURS "error", .type = SYSFS_STRING, .source = SYSFS_ERROR, STORED(""),
	 .doc = "Why the last refused state write was: keyword, file, value, reason."},
	{OURS "engine", RW, KEYWORD(engines), STORED("auto"),
	 .doc = "How it is found out which pages were accessed; in force at the next on."},
	{OURS "budget", RW, SYSFS_ULONG, STORED("200"), .max = 10000,
	 .doc = "Share of one processor that monitoring may cost, bp; 0: no limit. In force at the "
		"next on."},
	{OURS "overhead", .type = SYSFS_TEXT, .source = SYSFS_OVERHEAD,
	 .doc = "What monitoring has cost since on, as of the last window: a line each of name, tab, "
		"value."},
	{OURS "in_force", .type = SYSFS_TEXT, .source = SYSFS_IN_FORCE,
	 .doc = "Parameters that the running context uses, as a configuration file (JSON). Empty when "
		"off."},
	{OURS "windows", .type = SYSFS_TEXT, .source = SYSFS_WINDOW,
	 .doc = "The last published window; see WINDOWS. Empty when there is none."},
	{OURS "regions/#", .type = SYSFS_TEXT, .source = SYSFS_TRIED,
	 .doc = "Tried regions of that scheme in one piece; see WINDOWS."},
};

const size_t sysfs_nr_rows = sizeof(sysfs_rows) / sizeof(sysfs_rows[0]);
