// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* --scheme: any text is refused in one line or is a scheme that can be said, written and read again. */
#include <errno.h>
#include <string.h>

#include "fuzz.h"
#include "params/scheme_json.h"
#include "params/scheme_text.h"

static void check_round_trip(const struct params_scheme *scheme, const struct damon_attrs *attrs)
{
	struct params_strings strings = {0};
	struct damon_error err = {""};
	struct params_scheme again;
	json_t *json, *json_again;
	char words[PARAMS_WORDS_MAX];

	params_scheme_words(&scheme->values, attrs, words, sizeof(words));
	MUST(words[0] && !strchr(words, '\n'));
	json = params_scheme_to_json(&scheme->values);
	MUST(json);
	if (params_scheme_from_json(json, "again", attrs, &strings, &again, &err)) {
		fprintf(stderr, "%s\n", err.text);
		abort();
	}
	json_again = params_scheme_to_json(&again.values);
	MUST(json_again && json_equal(json, json_again));
	json_decref(json);
	json_decref(json_again);
	params_strings_free(&strings);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct params_strings strings = {0};
	struct params_scheme scheme;
	struct damon_error err = {""};
	struct damon_attrs attrs;
	char *text = malloc(size + 1);
	int ret;

	MUST(text);
	memcpy(text, data, size);
	text[size] = '\0';
	damon_default_attrs(&attrs);
	ret = params_scheme_parse(text, &attrs, &strings, &scheme, &err);
	if (ret)
		MUST((ret == -EINVAL && err.text[0]) || ret == -ENOMEM);
	else
		check_round_trip(&scheme, &attrs);
	params_strings_free(&strings);
	free(text);
	return 0;
}
