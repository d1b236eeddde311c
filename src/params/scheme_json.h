/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Schemes as JSON: with the names of the kernel's files, or as damo (DAMON's Python tool) has them.
 *
 * docs/schemes.md has both forms. Unknown keys are errors. What is written uses damo's names, so that
 * it reads back here and there.
 */
#ifndef UDAMON_PARAMS_SCHEME_JSON_H
#define UDAMON_PARAMS_SCHEME_JSON_H

#include <jansson.h>

#include "params/scheme.h"

/**
 * params_scheme_from_json() - read one scheme from @json, an object
 * @where:	its place, for errors: "schemes[0]"
 * Return: 0; -ENOMEM; -EINVAL with a text that names the key, its place and its value.
 */
int params_scheme_from_json(const json_t *json, const char *where, const struct damon_attrs *attrs,
			    struct params_strings *strings, struct params_scheme *scheme,
			    struct damon_error *err);

/** params_scheme_to_json() - a new reference, or NULL without memory; counts stay counts */
json_t *params_scheme_to_json(const struct damos *scheme);

/**
 * params_schemes_load() - append the schemes of a file
 *
 * The file holds a list of schemes, {"schemes": [...]}, or {"kdamonds": [...]} of which the schemes
 * of all contexts are taken. Return: 0; -errno of reading it; -EINVAL; -ENOMEM.
 */
int params_schemes_load(const char *path, const struct damon_attrs *attrs,
			struct params_schemes *schemes, struct damon_error *err);

#endif
