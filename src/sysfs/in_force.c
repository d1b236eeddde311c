// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The parameters that a running context uses, as a file shows them. */
#include <errno.h>
#include <stdlib.h>

#include "params/kdamonds_json.h"
#include "sysfs/run.h"
#include "sysfs/value.h"

struct sysfs_in_force {
	unsigned int refs; /* atomic */
	struct params_kdamond kdamond;
	struct params_ctx ctx;
};

struct sysfs_in_force *sysfs_in_force_get(struct sysfs_in_force *parameters)
{
	if (parameters)
		__atomic_add_fetch(&parameters->refs, 1, __ATOMIC_RELAXED);
	return parameters;
}

void sysfs_in_force_put(struct sysfs_in_force *parameters)
{
	if (!parameters || __atomic_sub_fetch(&parameters->refs, 1, __ATOMIC_ACQ_REL))
		return;
	params_ctx_free(&parameters->ctx);
	free(parameters);
}

int sysfs_in_force_print(const struct sysfs_in_force *parameters, struct sysfs_text *text)
{
	struct params_kdamonds all = {0};
	json_t *json;
	char *dump = NULL;
	int err = -ENOMEM;

	if (!parameters)
		return 0;
	all.nr = 1;
	all.list = (struct params_kdamond *)&parameters->kdamond;
	json = params_kdamonds_to_json(&all);
	if (json)
		dump = json_dumps(json, JSON_INDENT(2));
	if (dump)
		err = sysfs_text_printf(text, "%s\n", dump);
	free(dump);
	json_decref(json);
	return err;
}

int sysfs_run_parameters(struct sysfs_run *run)
{
	struct sysfs_in_force *new = calloc(1, sizeof(*new)), *old;
	int err;

	if (!new)
		return -ENOMEM;
	new->refs = 1;
	err = params_ctx_take(&new->ctx, run->ctx);
	if (err) {
		sysfs_in_force_put(new);
		return err;
	}
	new->kdamond.on = true;
	new->kdamond.pid = damon_kdamond_pid(run->ctx);
	new->kdamond.nr_contexts = 1;
	new->kdamond.contexts = &new->ctx;
	run->shown_sample_us = run->ctx->attrs.sample_interval;
	run->shown_aggr_us = run->ctx->attrs.aggr_interval;
	sysfs_lock(run->tree);
	old = run->parameters;
	run->parameters = new;
	sysfs_unlock(run->tree);
	sysfs_in_force_put(old);
	return 0;
}
