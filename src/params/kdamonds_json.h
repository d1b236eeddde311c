/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * All parameters of kdamonds as JSON: {"kdamonds": [{"contexts": [{"targets": ..., "schemes": ...}]}]}.
 *
 * The form damo reads and writes; see scheme_json.h for the schemes in it.
 */
#ifndef UDAMON_PARAMS_KDAMONDS_JSON_H
#define UDAMON_PARAMS_KDAMONDS_JSON_H

#include <jansson.h>

#include <udamon/ops.h>

#include "params/scheme.h"

/** struct params_target - a process or a place of fixed regions; @pid -1: none */
struct params_target {
	int64_t pid;
	bool obsolete;
	size_t nr_regions;
	struct damon_addr_range *regions;
};

/** struct params_ctx - the parameters of a context */
struct params_ctx {
	enum damon_ops_id ops;
	struct damon_attrs attrs; /* addr_unit included */
	bool pause;
	uint32_t nr_probes;
	struct damon_probe probes[DAMON_MAX_PROBES];
	size_t nr_targets;
	struct params_target *targets;
	struct params_schemes schemes; /* its strings own the probes' paths, too */
};

/**
 * struct params_kdamond - the parameters of a kdamond
 * @on:		"state"
 * @pid:	of its thread when it was written, -1: none. Told only.
 * @refresh_ms:	how often statistics in files are brought up to date; 0: on request only
 */
struct params_kdamond {
	bool on;
	int64_t pid;
	uint64_t refresh_ms;
	size_t nr_contexts;
	struct params_ctx *contexts;
};

/** struct params_kdamonds - all of them; zeroed is empty */
struct params_kdamonds {
	size_t nr;
	struct params_kdamond *list;
};

void params_ctx_free(struct params_ctx *ctx);
void params_kdamonds_free(struct params_kdamonds *kdamonds);

/**
 * params_kdamonds_from_json() - read {"kdamonds": [...]}
 * @kdamonds:	params_kdamonds_free() it afterwards, also after an error
 * Return: 0; -ENOMEM; -EINVAL with a text that names the key, its place and its value.
 */
int params_kdamonds_from_json(const json_t *json, struct params_kdamonds *kdamonds,
			      struct damon_error *err);

/** params_kdamonds_load() - the same from a file; or -errno of reading it */
int params_kdamonds_load(const char *path, struct params_kdamonds *kdamonds,
			 struct damon_error *err);

/** params_kdamonds_to_json(), params_ctx_to_json() - a new reference, or NULL without memory */
json_t *params_kdamonds_to_json(const struct params_kdamonds *kdamonds);
json_t *params_ctx_to_json(const struct params_ctx *ctx);

/**
 * params_ctx_take() - the parameters that @from has; on its kdamond or while it isn't running
 * @ctx:	params_ctx_free() it afterwards, also after an error. Paths are copied.
 * Return: 0 or -ENOMEM.
 */
int params_ctx_take(struct params_ctx *ctx, const struct damon_ctx *from);

/**
 * params_ctx_build() - a context with these parameters, ready for damon_start() or as a commit's source
 * @params:	must outlive it: paths are borrowed
 * Return: 0; -EINVAL or -EOPNOTSUPP with a text; -ENOMEM.
 */
int params_ctx_build(const struct params_ctx *params, struct damon_lib *lib, struct damon_ctx **ctx,
		     struct damon_error *err);

#endif
