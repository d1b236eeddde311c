/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The parameters of contexts, schemes and probes as files of the tree. */
#ifndef UDAMON_CLI_STAGING_CONTEXT_H
#define UDAMON_CLI_STAGING_CONTEXT_H

#include "cli/staging.h"
#include "params/kdamonds_json.h"

/** settings_scheme() - append the parameters of scheme @s, which is there */
void settings_scheme(struct settings *settings, size_t s, const struct damos *scheme);

/** settings_schemes() - append these schemes, in the place of all there are */
void settings_schemes(struct settings *settings, const struct params_schemes *schemes);

/** settings_context() - append all parameters of a context but its targets' regions */
void settings_context(struct settings *settings, const struct params_ctx *ctx);

#endif
