/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Keeping what a context has learned in a file; see damon_training_take() and damon_training_apply().
 */
#ifndef UDAMON_TRAINING_H
#define UDAMON_TRAINING_H

#include <udamon/damon.h>
#include <udamon/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * damon_training_save() - write @training to the file @path, whole or not at all
 * @err:	why not, in one line; may be NULL
 *
 * Written beside it, made safe on the disk, and renamed, so that at any moment there is either the old
 * file or the new one, even after a crash. Readable by its owner only. A symbolic link is followed.
 * Return: 0; -EEXIST (there is a file of that name which is no saved training: it isn't replaced);
 * -ENOMEM, -ENOSPC, -EACCES, and what else the system says.
 */
int damon_training_save(const struct damon_training *training, const char *path,
			struct damon_error *err);

/**
 * damon_training_load() - read such a file
 * @training:	to be freed with damon_training_free(), unless damon_training_apply() takes it
 * @lib:	the library object of the context that is to get it
 * @err:	why not, in one line; may be NULL
 *
 * Return: 0; -EINVAL (no saved training); -EBADMSG (damaged: every change of it is found);
 * -ENOTSUP (of a newer udamon); -ENOMEM, -ENOENT, -EACCES, and what else the system says.
 */
int damon_training_load(struct damon_training **training, struct damon_lib *lib, const char *path,
			struct damon_error *err);

#ifdef __cplusplus
}
#endif
#endif
