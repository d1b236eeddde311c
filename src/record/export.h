/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Handing a record to other tools: damo's format, CSV, JSON.
 */
#ifndef UDAMON_RECORD_EXPORT_H
#define UDAMON_RECORD_EXPORT_H

#include <stdio.h>

#include "record/record.h"

/** enum record_format - what record_export() can write; docs/export.md describes each */
enum record_format {
	RECORD_FORMAT_DAMO,
	RECORD_FORMAT_CSV,
	RECORD_FORMAT_JSON,
};

/** record_format_parse() - "damo", "csv", "json"; -EINVAL for anything else */
int record_format_parse(const char *name, enum record_format *format);

/**
 * record_export() - write all of a record to a stream
 * @out:	its position is where the output begins; flushed, not closed
 * @out_name:	for the error's text, as "standard output"
 *
 * Needs memory for one snapshot, however long the record is (damo's format reads the record once per
 * target). A program whose output may be a closed pipe ignores SIGPIPE. Return: 0; the reader's errors; -EPIPE, -ENOSPC... when @out can't take it, with a text.
 */
int record_export(struct record_reader *reader, enum record_format format, FILE *out,
		  const char *out_name, struct damon_error *err);

/**
 * record_export_file() - the same to a file of mode 0600, which is there completely or not at all
 * @path:	replaced when it exists, in one step; must not be the record itself
 */
int record_export_file(struct record_reader *reader, enum record_format format, const char *path,
		       struct damon_error *err);

#endif
