/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Putting an empty record into place: never over a foreign file, never half of one.
 */
#ifndef UDAMON_RECORD_CREATE_H
#define UDAMON_RECORD_CREATE_H

#include "record/record.h"

/**
 * record_file_create() - make the file of a record, with its tables and no rows
 * @path:	as the user gave it
 * @sync:	wait until it is on the disk
 * @real:	set to the name without symbolic links, to be freed
 *
 * Return: as record_create(), with a text.
 */
int record_file_create(const char *path, bool sync, char **real, struct damon_error *err);

/** record_file_remove() - remove a record with its log */
void record_file_remove(const char *path);

#endif
