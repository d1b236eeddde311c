/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* --scheme and --schemes: from the options into a context, and what they mean while the intervals change. */
#ifndef UDAMON_CLI_SCHEMES_H
#define UDAMON_CLI_SCHEMES_H

#include "cli/options.h"
#include "params/scheme.h"
#include "record/record.h"

/**
 * schemes_read() - read the schemes and files of schemes number [@first, @end) of the options
 * @attrs:	the intervals to start with
 * @schemes:	zeroed; free it with params_schemes_free() in any case
 * Return: 0, or an exit code after the error was printed.
 */
int schemes_read(const struct options *opts, size_t first, size_t end,
		 const struct damon_attrs *attrs, struct params_schemes *schemes);

/**
 * schemes_install() - give them to a context that isn't running; as schemes_read()
 * @first:	how many others stand before them, to say which one was refused
 */
int schemes_install(const struct params_schemes *schemes, size_t first, struct damon_ctx *ctx);

/** schemes_begin() - read all of the options by the context's intervals, and give them to it */
int schemes_begin(struct params_schemes *schemes, const struct options *opts,
		  struct damon_ctx *ctx);

/** schemes_describe() - say in the record what the context's schemes are; 0 or -ENOMEM */
int schemes_describe(struct record *rec, const struct damon_ctx *ctx);

/**
 * schemes_follow() - the intervals may have been tuned: shares and times still mean what was asked for
 *
 * On the kdamond, at each window's end and at the event "tune".
 */
void schemes_follow(const struct params_schemes *schemes, struct damon_ctx *ctx);

#endif
