// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * The configuration of kdamonds, which is also their saved state: any JSON is refused in one line, or
 * is parameters that can be written and read again, and made into a context.
 */
#include <errno.h>
#include <string.h>

#include "fuzz.h"
#include "params/kdamonds_json.h"

static void check_round_trip(const struct params_kdamonds *kdamonds)
{
	struct params_kdamonds again = {0};
	struct damon_error err = {""};
	json_t *json = params_kdamonds_to_json(kdamonds), *json_again;

	MUST(json);
	if (params_kdamonds_from_json(json, &again, &err)) {
		fprintf(stderr, "%s\n", err.text);
		abort();
	}
	json_again = params_kdamonds_to_json(&again);
	MUST(json_again && json_equal(json, json_again));
	json_decref(json);
	json_decref(json_again);
	params_kdamonds_free(&again);
}

/* May be refused: no operations set is there that would take it. It must be refused in words. */
static void try_to_build(const struct params_kdamonds *kdamonds)
{
	struct damon_port *port = damon_port_posix_new();
	struct damon_error err = {""};
	struct damon_lib *lib;
	struct damon_ctx *ctx;

	MUST(port && !damon_lib_new(&lib, port));
	for (size_t i = 0; i < kdamonds->nr; i++) {
		for (size_t k = 0; k < kdamonds->list[i].nr_contexts; k++) {
			ctx = NULL;
			err.text[0] = '\0';
			if (params_ctx_build(&kdamonds->list[i].contexts[k], lib, &ctx, &err))
				MUST(err.text[0] && !ctx);
			damon_destroy_ctx(ctx);
		}
	}
	damon_lib_free(lib);
	damon_port_posix_free(port);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *json = json_loadb((const char *)data, size, 0, NULL);
	struct params_kdamonds kdamonds = {0};
	struct damon_error err = {""};
	int ret;

	if (!json)
		return 0;
	ret = params_kdamonds_from_json(json, &kdamonds, &err);
	if (ret) {
		MUST((ret == -EINVAL && err.text[0] && !strchr(err.text, '\n')) || ret == -ENOMEM);
	} else {
		check_round_trip(&kdamonds);
		try_to_build(&kdamonds);
	}
	params_kdamonds_free(&kdamonds);
	json_decref(json);
	return 0;
}
