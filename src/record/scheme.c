// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* What a record says its schemes are: properties of the record. */
#include <inttypes.h>
#include <stdio.h>

#include "record/record.h"

struct key {
	char text[32];
};

static struct key words_key(uint32_t scheme)
{
	struct key key;

	snprintf(key.text, sizeof(key.text), "scheme_%" PRIu32, scheme);
	return key;
}

static struct key json_key(uint32_t scheme)
{
	struct key key;

	snprintf(key.text, sizeof(key.text), "scheme_%" PRIu32 "_json", scheme);
	return key;
}

int record_describe_scheme(struct record *rec, uint32_t scheme, const char *words, const char *json)
{
	int ret = record_set_meta(rec, words_key(scheme).text, words);

	return ret ? ret : record_set_meta(rec, json_key(scheme).text, json);
}

const char *record_reader_scheme(struct record_reader *reader, uint32_t scheme)
{
	return record_reader_meta(reader, words_key(scheme).text);
}

const char *record_reader_scheme_json(struct record_reader *reader, uint32_t scheme)
{
	return record_reader_meta(reader, json_key(scheme).text);
}
