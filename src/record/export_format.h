/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The formats behind record_export(). Each puts all of a record into a sink; an error is the
 * reader's, the sink remembers its own.
 */
#ifndef UDAMON_RECORD_EXPORT_FORMAT_H
#define UDAMON_RECORD_EXPORT_FORMAT_H

#include "record/record.h"
#include "record/sink.h"

int export_damo(struct record_reader *reader, struct sink *sink, struct damon_error *err);
int export_csv(struct record_reader *reader, struct sink *sink, struct damon_error *err);
int export_json(struct record_reader *reader, struct sink *sink, struct damon_error *err);

#endif
