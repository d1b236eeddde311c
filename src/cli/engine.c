// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The access engine and the budget, as the options ask for them. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/engine.h"
#include "cli/message.h"

/* Below two windows of "scan", which may take a little longer than set, there is little to see. */
#define SHORT_US 15000000

struct damon_vaddr_options engine_options(const struct options *opts)
{
	return (struct damon_vaddr_options){
		.engine = opts->engine,
		.max_stall_us = opts->max_stall_us,
		.budget_bp = opts->no_budget ? 0 : (uint32_t)opts->budget_bp,
	};
}

/* Whether the intervals are left to us, and there is time for those of "scan". */
static bool may_look_slowly(const struct options *opts)
{
	return !opts->sample_us && !opts->aggr_us && opts->autotune == TUNE_DEFAULT &&
	       !opts->load_training && (!opts->for_us || opts->for_us >= SHORT_US);
}

int engine_choose(struct damon_vaddr_env *env, struct damon_ctx *ctx, const struct options *opts,
		  bool starting)
{
	const struct damon_attrs usual = ctx->attrs;
	struct options slow = *opts;
	struct damon_attrs attrs;
	int ret;

	if (!opts->engine || strcmp(opts->engine, "auto"))
		return 0;
	/* Nobody knows how large it will be; and asked for now, with these intervals, it is "point". */
	if (starting || !may_look_slowly(opts)) {
		damon_vaddr_choose_engine(env, ctx);
		return 0;
	}
	slow.engine = "scan";
	ret = options_attrs(&slow, &attrs);
	if (ret)
		return ret;
	if (damon_set_attrs(ctx, &attrs))
		return give_up(EXIT_FAILED, "out of memory");
	if (strcmp(damon_vaddr_choose_engine(env, ctx), "scan") && damon_set_attrs(ctx, &usual))
		return give_up(EXIT_FAILED, "out of memory");
	return 0;
}

static void set_price(struct record *rec, const char *key, double ns)
{
	char text[32];

	snprintf(text, sizeof(text), "%.1f", ns);
	record_set_meta(rec, key, text);
}

/* A record that can't be written says so itself. */
void engine_record_start(struct record *rec, struct damon_ctx *ctx, const struct options *opts)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRIu64, opts->no_budget ? 0 : opts->budget_bp);
	record_set_meta(rec, "budget_bp", text);
	record_set_meta(rec, "engine_asked", opts->engine ? opts->engine : "auto");
	set_price(rec, "clear_cost_ns", damon_vaddr_clear_cost_ns(ctx));
	set_price(rec, "flush_cost_ns", damon_vaddr_flush_cost_ns(ctx));
}

struct heat_of {
	struct record *rec;
	uint32_t target;
};

static int add_heat(void *data, uint64_t start, uint64_t end, uint64_t page_size, int32_t touched,
		    uint32_t samples)
{
	const struct heat_of *of = data;
	const struct record_heat heat = {of->target, start, end, page_size, touched, samples};

	return record_add_heat(of->rec, &heat);
}

void engine_record_end(struct record *rec, struct damon_ctx *ctx)
{
	const char *flush = damon_vaddr_describe_flush(ctx);
	struct heat_of of = {.rec = rec};
	char stall[32];

	if (!rec || !flush)
		return;
	record_set_meta(rec, "flush", flush);
	snprintf(stall, sizeof(stall), "%" PRIu64, damon_vaddr_longest_stall_ns(ctx) / 1000);
	record_set_meta(rec, "longest_stall_us", stall);
	for (uint32_t i = 0; i < ctx->nr_targets; i++) {
		of.target = ctx->targets[i]->id;
		damon_vaddr_page_heat(ctx, ctx->targets[i], add_heat, &of);
	}
}
