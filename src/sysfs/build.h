/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* From the values that were written to a context's files to a context. No locks: works on copies. */
#ifndef UDAMON_SYSFS_BUILD_H
#define UDAMON_SYSFS_BUILD_H

#include "params/scheme.h"
#include "sysfs/internal.h"

/**
 * struct sysfs_build - what a context is built from
 * @values:	the context's directory, a copy
 * @in_force:	of a running one: what it was built from; NULL for a start
 * @ops_env:	of a running one: its &damon_ctx.ops_env, to which new targets must be known, too
 * @strings:	gets the paths that the context borrows
 * @trusted:	the targets are the running ones, whatever has become of their processes
 * @ctx:	what is being built
 * @err:	on failure: file, value, reason
 */
struct sysfs_build {
	struct sysfs_tree *tree;
	struct sysfs_dir *values;
	struct sysfs_dir *in_force;
	void *ops_env;
	struct params_strings *strings;
	bool trusted;
	struct damon_ctx *ctx;
	struct damon_error *err;
};

/** sysfs_build_ctx() - all of it; 0 or -errno with @err set. @build->ctx is the caller's on success. */
int sysfs_build_ctx(struct sysfs_build *build);

/** sysfs_build_scheme() - one scheme by its directory @dir, which is schemes/@idx */
int sysfs_build_scheme(struct sysfs_build *build, struct sysfs_dir *dir, size_t idx,
		       struct damos **scheme);

/** sysfs_build_goals() - a quota's goals, by the same */
int sysfs_build_goals(struct sysfs_build *build, struct sysfs_dir *dir, size_t idx,
		      struct damos_quota *quota);

/** sysfs_refuse() - say which file of the context is wrong and why; returns @code */
__attribute__((format(printf, 4, 5))) int sysfs_refuse(struct sysfs_build *build, int code,
						       const char *path, const char *fmt, ...);

/** sysfs_build_memcg() - the path of a memory cgroup, checked, in *@path; @missing if there is none */
int sysfs_build_memcg(struct sysfs_build *build, struct sysfs_dir *dir, const char *file,
		      const char *where, int missing, const char **path);

#endif
