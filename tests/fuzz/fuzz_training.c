// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Files of what was learned: any bytes are refused in one line, or loaded; and what is loaded is refused by a
 * context, or it goes on with that.
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <udamon/training.h>

#include "fuzz.h"
#include "made_up.h"
#include "seal.h"

#define MOST_TARGETS 4
#define WATCH_NS     500000000ULL

struct run {
	struct damon_port *port;
	struct damon_lib *lib;
	const uint8_t *data;
	size_t size;
};

static void watch_for_a_while(struct run *run, struct damon_ctx *ctx)
{
	struct damon_port *port = run->port;
	uint64_t deadline_ns = port->now_ns(port) + WATCH_NS;
	struct damon_mutex *mutex;
	struct damon_cond *cond;

	MUST(!port->mutex_new(port, &mutex) && !port->cond_new(port, &cond));
	port->mutex_lock(port, mutex);
	while (!port->cond_wait(port, cond, mutex, deadline_ns))
		;
	port->mutex_unlock(port, mutex);
	MUST(!damon_stop(&ctx, 1));
	port->cond_free(port, cond);
	port->mutex_free(port, mutex);
}

/* As the daemon does with what it finds. */
static void go_on_with(struct run *run, struct damon_training *training)
{
	struct damon_target *target;
	struct damon_ctx *ctx;

	MUST(!damon_new_ctx(&ctx, run->lib) && !damon_select_ops(ctx, DAMON_OPS_VADDR));
	ctx->attrs.intervals_goal = (struct damon_intervals_goal){400, 3, 5000, 10000000};
	for (uint32_t i = 0; i < training->nr_targets && i < MOST_TARGETS; i++)
		MUST(!damon_new_target(&target, run->lib) && !damon_add_target(ctx, target));
	if (damon_training_apply(ctx, training))
		damon_training_free(training);
	else if (!damon_start(&ctx, 1, false))
		watch_for_a_while(run, ctx);
	damon_destroy_ctx(ctx);
}

static void load(struct run *run, const uint8_t *data, size_t size)
{
	struct damon_training *training = NULL;
	struct damon_error err = {""};
	char path[64];
	int fd = memfd_create("training", MFD_CLOEXEC);

	MUST(fd >= 0);
	MUST(write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (damon_training_load(&training, run->lib, path, &err))
		MUST(!training && err.text[0] && !strchr(err.text, '\n'));
	else
		go_on_with(run, training);
	close(fd);
}

static void run_main(void *arg)
{
	struct run *run = arg;
	uint8_t *sealed = malloc(run->size + 1);

	MUST(sealed && !damon_lib_new(&run->lib, run->port));
	MUST(!damon_register_ops(run->lib, &made_up, NULL));
	load(run, run->data, run->size);
	/* With a right checksum, the rest gets looked at. */
	memcpy(sealed, run->data, run->size);
	seal(sealed, run->size);
	load(run, sealed, run->size);
	free(sealed);
	damon_lib_free(run->lib);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct run run = {.port = damon_port_coop_new(1, NULL), .data = data, .size = size};

	MUST(run.port);
	MUST(!damon_port_coop_run(run.port, run_main, &run));
	MUST(!damon_port_coop_nr_allocated(run.port));
	damon_port_coop_free(run.port);
	return 0;
}
