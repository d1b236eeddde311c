// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* --scheme and --schemes: from the options into a context, and what they mean while the intervals change. */
#include <errno.h>
#include <stdlib.h>

#include <udamon/ops.h>

#include "cli/message.h"
#include "cli/schemes.h"
#include "params/scheme_json.h"
#include "params/scheme_text.h"

static int read_text(const char *text, const struct damon_attrs *attrs,
		     struct params_schemes *schemes)
{
	struct params_scheme *scheme = params_schemes_add(schemes);
	struct damon_error err = {""};
	int ret = -ENOMEM;

	if (scheme)
		ret = params_scheme_parse(text, attrs, &schemes->strings, scheme, &err);
	if (ret == -ENOMEM)
		return give_up(EXIT_FAILED, "out of memory");
	return ret ? give_up(EXIT_USAGE, "--scheme '%s': %s", text, err.text) : 0;
}

static int read_file(const char *path, const struct damon_attrs *attrs,
		     struct params_schemes *schemes)
{
	struct damon_error err = {""};
	int ret = params_schemes_load(path, attrs, schemes, &err);

	if (!ret)
		return 0;
	return give_up(ret == -EINVAL ? EXIT_USAGE : EXIT_FAILED, "--schemes %s", err.text);
}

int schemes_read(const struct options *opts, size_t first, size_t end,
		 const struct damon_attrs *attrs, struct params_schemes *schemes)
{
	int ret = 0;

	for (size_t i = first; i < end && !ret; i++) {
		const struct scheme_option *option = &opts->schemes[i];

		ret = option->is_file ? read_file(option->text, attrs, schemes)
				      : read_text(option->text, attrs, schemes);
	}
	return ret;
}

/* What nobody could do is wrong usage; what this machine can't tell is another matter. */
static int exit_code(int code, const struct damon_operations *ops, const struct damos *scheme)
{
	if (code == -EINVAL || (code == -EOPNOTSUPP && !params_scheme_supported(ops, scheme)))
		return EXIT_USAGE;
	return code == -EOPNOTSUPP ? EXIT_CANNOT : EXIT_FAILED;
}

int schemes_install(const struct params_schemes *schemes, size_t first, struct damon_ctx *ctx)
{
	for (size_t i = 0; i < schemes->nr; i++) {
		struct damon_error err = {""};
		int ret = params_scheme_install(ctx, &schemes->list[i], &err);

		if (ret)
			return give_up(exit_code(ret, ctx->ops, &schemes->list[i].values),
				       "scheme %zu: %s", first + i + 1, err.text);
	}
	return 0;
}

int schemes_begin(struct params_schemes *schemes, const struct options *opts, struct damon_ctx *ctx)
{
	int ret = schemes_read(opts, 0, opts->nr_schemes, &ctx->attrs, schemes);

	return ret ? ret : schemes_install(schemes, 0, ctx);
}

int schemes_describe(struct record *rec, const struct damon_ctx *ctx)
{
	char words[PARAMS_WORDS_MAX];
	int ret = 0;

	for (uint32_t i = 0; i < ctx->nr_schemes && !ret; i++) {
		const struct damos *scheme = ctx->schemes[i];
		json_t *json = params_scheme_to_json(scheme);
		char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;

		params_scheme_words(scheme, &ctx->attrs, words, sizeof(words));
		ret = text ? record_describe_scheme(rec, i, words, text) : -ENOMEM;
		free(text);
		json_decref(json);
	}
	return ret;
}

void schemes_follow(const struct params_schemes *schemes, struct damon_ctx *ctx)
{
	struct damon_attrs attrs = ctx->attrs;

	damon_intervals_in_force(ctx, &attrs.sample_interval, &attrs.aggr_interval);
	for (size_t i = 0; i < schemes->nr && i < ctx->nr_schemes; i++)
		params_scheme_convert(&schemes->list[i], &attrs, &ctx->schemes[i]->pattern);
}
