// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * The library on a live process: print its hot regions once a second, for five seconds.
 * usage: watch_process PID (as root)
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <udamon/damon.h>
#include <udamon/ops.h>
#include <udamon/vaddr.h>

/* On the kdamond, every aggregation interval. */
static int print_hot(struct damon_ctx *ctx, const struct damon_window *window, void *data)
{
	unsigned int *nr_windows = data;
	struct damon_region region;
	uint64_t hot = 0;
	size_t i;

	if ((*nr_windows)++ % 10)
		return 0;
	for (i = 0; i < damon_nr_regions(ctx->targets[0]); i++) {
		damon_get_region(ctx, ctx->targets[0], i, &region);
		if (2 * region.nr_accesses >= window->nr_samples)
			hot += region.ar.end - region.ar.start;
	}
	printf("%" PRIu64 " KiB are hot, in %zu regions\n", hot / 1024,
	       damon_nr_regions(ctx->targets[0]));
	return 0;
}

int main(int argc, char **argv)
{
	struct damon_port *port = damon_port_posix_new();
	struct damon_vaddr_env *env = NULL;
	struct damon_target *target = NULL;
	struct damon_lib *lib = NULL;
	struct damon_ctx *ctx = NULL;
	struct damon_error error = {.text = "out of memory"};
	unsigned int nr_windows = 0;
	int err;

	if (argc != 2 || !port)
		return 2;
	err = damon_lib_new(&lib, port);
	if (!err)
		err = damon_vaddr_env_new(&env, NULL, &error);
	if (!err)
		err = damon_vaddr_register(lib, env);
	if (!err)
		err = damon_new_ctx(&ctx, lib);
	if (!err)
		err = damon_select_ops(ctx, DAMON_OPS_VADDR);
	if (!err)
		err = damon_vaddr_target_new(&target, lib, env, atoi(argv[1]), &error);
	if (!err) {
		err = damon_add_target(ctx, target);
		if (err)
			damon_free_target(target);
	}
	if (!err) {
		ctx->callbacks = (struct damon_callbacks){.window = print_hot, .data = &nr_windows};
		err = damon_start(&ctx, 1, false);
		if (err)
			damon_vaddr_env_error(env, &error);
	}
	if (!err) {
		/* It ends by itself when the process does. */
		damon_wait(ctx, 5000000, NULL);
		err = damon_stop(&ctx, 1);
	}
	if (err)
		fprintf(stderr, "watch_process: %s\n", error.text);
	damon_destroy_ctx(ctx);
	damon_lib_free(lib);
	damon_vaddr_env_free(env);
	damon_port_posix_free(port);
	return err ? 1 : 0;
}
