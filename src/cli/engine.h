/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The access engine and the budget, as the options ask for them.
 */
#ifndef UDAMON_CLI_ENGINE_H
#define UDAMON_CLI_ENGINE_H

#include <udamon/vaddr.h>

#include "cli/options.h"
#include "record/record.h"

/** engine_options() - for damon_vaddr_env_new() */
struct damon_vaddr_options engine_options(const struct options *opts);

/**
 * engine_choose() - settle what "auto" means for the targets that @ctx has, and the intervals by that
 * @starting:	they are a program that hasn't begun yet
 *
 * Return: 0, or an exit code after the error was printed.
 */
int engine_choose(struct damon_vaddr_env *env, struct damon_ctx *ctx, const struct options *opts,
		  bool starting);

/** engine_record_start(), engine_record_end() - what a record says of it; on the kdamond */
void engine_record_start(struct record *rec, struct damon_ctx *ctx, const struct options *opts);
void engine_record_end(struct record *rec, struct damon_ctx *ctx);

#endif
