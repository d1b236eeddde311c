// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Description: eight threads ask a context for everything at random while it is restarted every few
 * milliseconds. Meant for ThreadSanitizer and AddressSanitizer; without them it still checks that
 * every request ends once, in time, and with one of the results it may have.
 * usage: stress_requests [SECONDS]
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <udamon/damon.h>
#include <udamon/ops.h>

#define NR_THREADS 8
#define TIMEOUT_US 200000
/* What a loaded machine may add to a timeout; a request that hangs takes for ever. */
#define SLACK_US 10000000

struct stress {
	struct damon_lib *lib;
	struct damon_ctx *ctx;
	pthread_mutex_t lock; /* protects what follows */
	uint64_t nr_requests, nr_served, nr_cancelled, nr_late, nr_wrong, longest_us;
	bool over;
};

struct asker {
	struct stress *stress;
	unsigned int random;
	uint64_t nr_ended; /* of a repeated call */
};

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* A hundred pages, every third of them in use. */
static int stress_init(struct damon_ctx *ctx)
{
	ctx->access_unit = 1;
	return 0;
}

static int stress_init_target(struct damon_ctx *ctx, struct damon_target *target)
{
	static const struct damon_addr_range all = {4096, 101 * 4096};

	return damon_nr_regions(target) ? 0 : damon_set_regions(target, &all, 1, 4096);
}

static int stress_prepare(struct damon_ctx *ctx, struct damon_target *target,
			  const struct damon_batch *batch)
{
	return 0;
}

static int stress_check(struct damon_ctx *ctx, struct damon_target *target,
			const struct damon_batch *batch)
{
	for (size_t i = 0; i < batch->nr; i++)
		batch->access[i] = batch->sampling_addrs[i] / 4096 % 3 == 0;
	return 0;
}

static bool stress_valid(struct damon_ctx *ctx, struct damon_target *target)
{
	return true;
}

static const struct damon_operations stress_ops = {
	.id = DAMON_OPS_SIM,
	.name = "stress",
	.init = stress_init,
	.init_target = stress_init_target,
	.prepare_access_checks = stress_prepare,
	.check_accesses = stress_check,
	.target_valid = stress_valid,
};

/* What they ask. */

static int count_regions(struct damon_ctx *ctx, void *data)
{
	struct damon_region region;

	for (size_t i = 0; i < damon_nr_regions(ctx->targets[0]); i++)
		damon_get_region(ctx, ctx->targets[0], i, &region);
	return 0;
}

static int some_more_times(struct damon_ctx *ctx, void *data)
{
	return 0;
}

static int commit_other(struct damon_ctx *ctx, void *data)
{
	return damon_commit_ctx(ctx, data);
}

static void see_region(struct damon_ctx *ctx, struct damon_target *target,
		       const struct damon_region *region, struct damos *scheme,
		       uint64_t sz_filter_passed, void *data)
{
	(*(uint64_t *)data)++;
}

static void repeated_ended(struct damon_call_control *control, int result)
{
	((struct asker *)control->data)->nr_ended++;
}

static int make_ctx(struct damon_ctx **ctx, struct damon_lib *lib, unsigned int aggr_ms)
{
	struct damon_target *target = NULL;
	struct damos *scheme = NULL;
	struct damon_attrs attrs;
	int err = damon_new_ctx(ctx, lib);

	if (err)
		return err;
	damon_default_attrs(&attrs);
	attrs.sample_interval = 500;
	attrs.aggr_interval = aggr_ms * 1000;
	err = damon_select_ops(*ctx, DAMON_OPS_SIM);
	if (!err)
		err = damon_set_attrs(*ctx, &attrs);
	if (!err)
		err = damon_new_target(&target, lib);
	if (!err)
		err = damon_add_target(*ctx, target);
	if (!err)
		err = damon_new_scheme(&scheme, lib);
	if (!err)
		err = damon_add_scheme(*ctx, scheme);
	return err;
}

static int ask_commit(struct asker *asker)
{
	struct damon_call_control control = {.fn = commit_other, .timeout_us = TIMEOUT_US};
	struct damon_ctx *other;
	int err =
		make_ctx(&other, asker->stress->lib, 5 + (unsigned int)rand_r(&asker->random) % 5);

	if (err)
		return err;
	control.data = other;
	err = damon_call(asker->stress->ctx, &control);
	damon_destroy_ctx(other);
	return err;
}

static int ask_repeated(struct asker *asker)
{
	struct damon_call_control control = {
		.fn = some_more_times, .data = asker, .repeat = true, .end = repeated_ended};
	uint64_t nr_ended = asker->nr_ended;
	struct timespec pause = {.tv_nsec = rand_r(&asker->random) % 3000000};
	int err = damon_call(asker->stress->ctx, &control);

	if (err)
		return err;
	nanosleep(&pause, NULL);
	damon_call_cancel(asker->stress->ctx, &control);
	return asker->nr_ended == nr_ended + 1 ? 0 : -EPROTO;
}

static int ask(struct asker *asker)
{
	struct damon_call_control call = {.fn = count_regions, .timeout_us = TIMEOUT_US};
	uint64_t nr_seen = 0;
	struct damos_walk_control walk = {
		.walk_fn = see_region, .data = &nr_seen, .timeout_us = TIMEOUT_US};

	switch (rand_r(&asker->random) % 6) {
	case 0:
		return damos_walk(asker->stress->ctx, &walk);
	case 1:
		return damon_pause(asker->stress->ctx);
	case 2:
		return damon_resume(asker->stress->ctx);
	case 3:
		return ask_commit(asker);
	case 4:
		return ask_repeated(asker);
	default:
		return damon_call(asker->stress->ctx, &call);
	}
}

static bool note(struct stress *stress, int result, uint64_t took_us)
{
	bool over;

	pthread_mutex_lock(&stress->lock);
	stress->nr_requests++;
	if (!result)
		stress->nr_served++;
	else if (result == -ECANCELED || result == -ETIMEDOUT)
		stress->nr_cancelled++;
	else
		stress->nr_wrong++;
	if (took_us > TIMEOUT_US + SLACK_US)
		stress->nr_late++;
	if (took_us > stress->longest_us)
		stress->longest_us = took_us;
	over = stress->over;
	pthread_mutex_unlock(&stress->lock);
	if (result && result != -ECANCELED && result != -ETIMEDOUT)
		printf("# a request ended with %d\n", result);
	return over;
}

static void *asking(void *arg)
{
	struct asker *asker = arg;
	uint64_t since_us;
	int result;

	do {
		since_us = now_us();
		result = ask(asker);
	} while (!note(asker->stress, result, now_us() - since_us));
	return NULL;
}

static uint64_t restart_for(struct stress *stress, double seconds)
{
	uint64_t end_us = now_us() + (uint64_t)(seconds * 1e6), nr = 0;
	unsigned int random = 1;

	while (now_us() < end_us) {
		struct timespec run = {.tv_nsec = rand_r(&random) % 8000000};

		if (damon_start(&stress->ctx, 1, nr % 2))
			break;
		nanosleep(&run, NULL);
		if (damon_stop(&stress->ctx, 1))
			break;
		if (nr % 16 == 0)
			damon_forget(stress->ctx);
		nr++;
	}
	return nr;
}

int main(int argc, char **argv)
{
	double seconds = argc > 1 ? atof(argv[1]) : 5;
	struct damon_port *port = damon_port_posix_new();
	struct stress stress = {.lock = PTHREAD_MUTEX_INITIALIZER};
	struct asker askers[NR_THREADS] = {{0}};
	pthread_t threads[NR_THREADS];
	uint64_t nr_restarts;
	unsigned int i;

	if (!port || damon_lib_new(&stress.lib, port) ||
	    damon_register_ops(stress.lib, &stress_ops, NULL) ||
	    make_ctx(&stress.ctx, stress.lib, 5))
		return 1;
	for (i = 0; i < NR_THREADS; i++) {
		askers[i] = (struct asker){.stress = &stress, .random = i + 100};
		if (pthread_create(&threads[i], NULL, asking, &askers[i]))
			return 1;
	}
	nr_restarts = restart_for(&stress, seconds);
	pthread_mutex_lock(&stress.lock);
	stress.over = true;
	pthread_mutex_unlock(&stress.lock);
	for (i = 0; i < NR_THREADS; i++)
		pthread_join(threads[i], NULL);
	damon_destroy_ctx(stress.ctx);
	damon_lib_free(stress.lib);
	damon_port_posix_free(port);

	printf("1..3\n# %" PRIu64 " restarts, %" PRIu64 " requests: %" PRIu64 " served, %" PRIu64
	       " cancelled; the longest took %" PRIu64 " us\n",
	       nr_restarts, stress.nr_requests, stress.nr_served, stress.nr_cancelled,
	       stress.longest_us);
	printf("%s 1 - requests end with a result they may have\n",
	       stress.nr_wrong ? "not ok" : "ok");
	printf("%s 2 - none waits beyond its timeout\n", stress.nr_late ? "not ok" : "ok");
	printf("%s 3 - restarts go on, and some requests are served\n",
	       nr_restarts > 10 && stress.nr_served ? "ok" : "not ok");
	return stress.nr_wrong || stress.nr_late || nr_restarts <= 10 || !stress.nr_served;
}
