/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * A scheme on the command line: KEY=VALUE,KEY=VALUE,...
 *
 * docs/schemes.md lists the keys.
 */
#ifndef UDAMON_PARAMS_SCHEME_TEXT_H
#define UDAMON_PARAMS_SCHEME_TEXT_H

#include "params/scheme.h"

/**
 * params_scheme_parse() - read one scheme
 * @attrs:	the intervals that shares and times are converted by
 * @strings:	gets the paths
 * Return: 0; -ENOMEM; -EINVAL with a text that quotes the part and says what is expected.
 */
int params_scheme_parse(const char *text, const struct damon_attrs *attrs,
			struct params_strings *strings, struct params_scheme *scheme,
			struct damon_error *err);

#endif
