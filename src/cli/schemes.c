// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* --scheme: from the options into a context, and what they mean while the intervals change. */
#include <errno.h>

#include "cli/message.h"
#include "cli/schemes.h"
#include "params/scheme_text.h"

int schemes_read(const struct options *opts, size_t first, size_t end,
		 const struct damon_attrs *attrs, struct params_schemes *schemes)
{
	for (size_t i = first; i < end; i++) {
		struct params_scheme *scheme = params_schemes_add(schemes);
		struct damon_error err = {""};
		int ret = -ENOMEM;

		if (scheme)
			ret = params_scheme_parse(opts->schemes[i], attrs, &schemes->strings,
						  scheme, &err);
		if (ret == -ENOMEM)
			return give_up(EXIT_FAILED, "out of memory");
		if (ret)
			return give_up(EXIT_USAGE, "--scheme '%s': %s", opts->schemes[i], err.text);
	}
	return 0;
}

int schemes_install(const struct params_schemes *schemes, size_t first, struct damon_ctx *ctx)
{
	for (size_t i = 0; i < schemes->nr; i++) {
		struct damon_error err = {""};
		int ret = params_scheme_install(ctx, &schemes->list[i], &err);

		if (ret)
			return give_up(ret == -ENOMEM ? EXIT_FAILED : EXIT_USAGE, "scheme %zu: %s",
				       first + i + 1, err.text);
	}
	return 0;
}

void schemes_follow(const struct params_schemes *schemes, struct damon_ctx *ctx)
{
	for (size_t i = 0; i < schemes->nr && i < ctx->nr_schemes; i++)
		params_scheme_convert(&schemes->list[i], &ctx->attrs, &ctx->schemes[i]->pattern);
}
