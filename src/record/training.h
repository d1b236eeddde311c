/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What callers of <udamon/training.h> inside udamon may want to know beforehand. */
#ifndef UDAMON_RECORD_TRAINING_H
#define UDAMON_RECORD_TRAINING_H

#include <udamon/training.h>

/** training_file_check() - whether damon_training_save() could write @path now; its errors */
int training_file_check(const char *path, struct damon_error *err);

/**
 * training_encode() - the content of such a file, for those who keep it elsewhere
 * @size:	set to how long it is
 * Return: to be freed with free(); NULL without memory.
 */
unsigned char *training_encode(const struct damon_training *training, size_t *size);

/**
 * training_decode() - the other way round
 * @where:	what it is called in @err
 * Return: as damon_training_load().
 */
int training_decode(struct damon_training **training, struct damon_lib *lib,
		    const unsigned char *data, size_t size, const char *where,
		    struct damon_error *err);

#endif
