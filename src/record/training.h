/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What callers of <udamon/training.h> inside udamon may want to know beforehand. */
#ifndef UDAMON_RECORD_TRAINING_H
#define UDAMON_RECORD_TRAINING_H

#include <udamon/training.h>

/** training_file_check() - whether damon_training_save() could write @path now; its errors */
int training_file_check(const char *path, struct damon_error *err);

#endif
