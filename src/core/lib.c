// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The library object: what contexts share (port, registered operations sets, exclusiveness). */
#include <errno.h>

#include "core/core.h"

int damon_lib_new(struct damon_lib **lib, struct damon_port *port)
{
	struct damon_lib *new = port->alloc(port, sizeof(*new));
	int err;

	if (!new)
		return -ENOMEM;
	new->port = port;
	err = port->mutex_new(port, &new->lock);
	if (err) {
		port->free(port, new);
		return err;
	}
	*lib = new;
	return 0;
}

void damon_lib_free(struct damon_lib *lib)
{
	if (!lib)
		return;
	lib->port->mutex_free(lib->port, lib->lock);
	lib->port->free(lib->port, lib);
}

struct damon_port *damon_lib_port(struct damon_lib *lib)
{
	return lib->port;
}

const char *damon_ops_name(enum damon_ops_id id)
{
	static const char *const names[DAMON_NR_OPS] = {
		[DAMON_OPS_VADDR] = "vaddr",
		[DAMON_OPS_FVADDR] = "fvaddr",
		[DAMON_OPS_PADDR] = "paddr",
		[DAMON_OPS_SIM] = "sim",
	};

	return (unsigned int)id < DAMON_NR_OPS ? names[id] : NULL;
}

/* Registration happens before contexts run, and they only read; so it takes the lock to order writers. */
int damon_register_ops(struct damon_lib *lib, const struct damon_operations *ops, void *env)
{
	struct damon_port *port = lib->port;
	int err = 0;

	if ((unsigned int)ops->id >= DAMON_NR_OPS || !ops->name || !ops->init ||
	    !ops->prepare_access_checks || !ops->check_accesses || !ops->target_valid)
		return -EINVAL;
	port->mutex_lock(port, lib->lock);
	if (lib->ops[ops->id]) {
		err = -EEXIST;
	} else {
		lib->ops[ops->id] = ops;
		lib->ops_env[ops->id] = env;
	}
	port->mutex_unlock(port, lib->lock);
	return err;
}

bool damon_is_registered_ops(struct damon_lib *lib, enum damon_ops_id id)
{
	bool registered;

	if ((unsigned int)id >= DAMON_NR_OPS)
		return false;
	lib->port->mutex_lock(lib->port, lib->lock);
	registered = lib->ops[id] != NULL;
	lib->port->mutex_unlock(lib->port, lib->lock);
	return registered;
}

int damon_select_ops(struct damon_ctx *ctx, enum damon_ops_id id)
{
	if (!damon_is_registered_ops(ctx->lib, id))
		return -EINVAL;
	ctx->ops = ctx->lib->ops[id];
	ctx->ops_env = ctx->lib->ops_env[id];
	return 0;
}
