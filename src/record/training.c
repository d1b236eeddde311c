// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Files of saved training: small enough to be read and written in one piece, with a checksum
 * over all of it.
 *
 * All numbers are little-endian. A head, the same in all versions: 8 bytes of magic, CRC-32 of all
 * that follows it (32 bits), version (32), size of the file (64). Then the context: name of the
 * operations set (16 bytes), since version 2 the id of the boot (40 bytes), access unit (32), probes (32)
 * and their weights (4 x 32), attributes (12 x 64 bits in the order of struct damon_attrs), state of
 * splitting (2 x 64), number of targets (64). Then for each target pid, start time (64 each), name (64
 * bytes), number of regions (64). Then all regions: start, end (64 each), nr_accesses, nr_unknown, age,
 * probe_sum (32 each).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <udamon/ops.h>

#include "record/replacement.h"
#include "record/training.h"

#define VERSION	     2
#define MAGIC	     "udamtrn\n"
#define MAGIC_SIZE   8
#define CRC_END	     12 /* the checksum is of all that follows */
#define HEAD_SIZE    24
#define OPS_SIZE     16
#define CONTEXT_SIZE (OPS_SIZE + DAMON_BOOT_ID_SIZE + 4 * (2 + DAMON_MAX_PROBES) + 8 * (12 + 2 + 1))
#define NAME_SIZE    sizeof(((struct damon_training_target *)NULL)->name)
#define TARGET_SIZE  (8 + 8 + NAME_SIZE + 8)
#define REGION_SIZE  (2 * 8 + 4 * 4)
#define LARGEST	     (1ULL << 32)

#define CANT_SAVE "can't save what was learned in"
#define CANT_LOAD "can't load what was learned from"

static int fail(struct damon_error *err, int code, const char *what, const char *path)
{
	char buffer[128];

	return damon_error_set(err, code, "%s '%s': %s", what, path,
			       strerror_r(-code, buffer, sizeof(buffer)));
}

/* struct bytes - a file's content, gone through from front to end */
struct bytes {
	uint32_t version;
	unsigned char *at;
	size_t left;
	bool reading;
	bool overrun;
};

/* Numbers of @size bytes in either direction. */
static void number(struct bytes *bytes, uint64_t *value, size_t size)
{
	size_t i;

	if (bytes->left < size) {
		bytes->overrun = true;
		return;
	}
	if (bytes->reading)
		*value = 0;
	for (i = 0; i < size; i++) {
		if (bytes->reading)
			*value |= (uint64_t)bytes->at[i] << (8 * i);
		else
			bytes->at[i] = (unsigned char)(*value >> (8 * i));
	}
	bytes->at += size;
	bytes->left -= size;
}

static void u64(struct bytes *bytes, uint64_t *value)
{
	number(bytes, value, 8);
}

static void u32(struct bytes *bytes, uint32_t *value)
{
	uint64_t wide = *value;

	number(bytes, &wide, 4);
	*value = (uint32_t)wide;
}

/* A text of at most @size bytes, filled up with zeroes; read, it always has an end. */
static void text(struct bytes *bytes, char *value, size_t size)
{
	if (bytes->left < size) {
		bytes->overrun = true;
		return;
	}
	if (bytes->reading) {
		memcpy(value, bytes->at, size);
		value[size - 1] = '\0';
	} else {
		memset(bytes->at, 0, size);
		memcpy(bytes->at, value, strnlen(value, size - 1));
	}
	bytes->at += size;
	bytes->left -= size;
}

static void pass_attrs(struct bytes *bytes, struct damon_attrs *attrs)
{
	u64(bytes, &attrs->sample_interval);
	u64(bytes, &attrs->aggr_interval);
	u64(bytes, &attrs->ops_update_interval);
	u64(bytes, &attrs->intervals_goal.access_bp);
	u64(bytes, &attrs->intervals_goal.aggrs);
	u64(bytes, &attrs->intervals_goal.min_sample_us);
	u64(bytes, &attrs->intervals_goal.max_sample_us);
	u64(bytes, &attrs->min_nr_regions);
	u64(bytes, &attrs->max_nr_regions);
	u64(bytes, &attrs->min_region_sz);
	u64(bytes, &attrs->addr_unit);
	/* Room for one more. */
	u64(bytes, &(uint64_t){0});
}

/* Everything of the context; the number of targets apart, because it isn't known before. */
static void pass_context(struct bytes *bytes, struct damon_training *training, char *ops,
			 uint64_t *nr_targets)
{
	int i;

	text(bytes, ops, OPS_SIZE);
	if (bytes->version > 1)
		text(bytes, training->boot_id, DAMON_BOOT_ID_SIZE);
	u32(bytes, &training->access_unit);
	u32(bytes, &training->nr_probes);
	for (i = 0; i < DAMON_MAX_PROBES; i++)
		u32(bytes, &training->probe_weights[i]);
	pass_attrs(bytes, &training->attrs);
	u64(bytes, &training->last_nr_regions);
	u64(bytes, &training->split_offset);
	u64(bytes, nr_targets);
}

static void pass_target(struct bytes *bytes, struct damon_training_target *target, uint64_t *nr)
{
	uint64_t pid = (uint64_t)target->pid;

	u64(bytes, &pid);
	target->pid = (int64_t)pid;
	u64(bytes, &target->start_time);
	text(bytes, target->name, NAME_SIZE);
	u64(bytes, nr);
}

static void pass_region(struct bytes *bytes, struct damon_training_region *region)
{
	u64(bytes, &region->ar.start);
	u64(bytes, &region->ar.end);
	u32(bytes, &region->nr_accesses);
	u32(bytes, &region->nr_unknown);
	u32(bytes, &region->age);
	u32(bytes, &region->probe_sum);
}

static uint32_t checksum(const unsigned char *file, size_t size)
{
	return (uint32_t)crc32_z(crc32_z(0, NULL, 0), file + CRC_END, size - CRC_END);
}

/* Writing. */

unsigned char *training_encode(const struct damon_training *training, size_t *size)
{
	struct damon_training copy = *training;
	uint64_t nr_targets = training->nr_targets, total;
	uint32_t version = VERSION, crc, i;
	struct bytes bytes = {.version = VERSION};
	unsigned char *file;
	char ops[OPS_SIZE];
	const char *name = damon_ops_name((enum damon_ops_id)training->ops_id);
	size_t j;

	*size = HEAD_SIZE + CONTEXT_SIZE + training->nr_targets * TARGET_SIZE;
	for (i = 0; i < training->nr_targets; i++)
		*size += training->targets[i].nr_regions * REGION_SIZE;
	file = malloc(*size);
	if (!file)
		return NULL;
	memcpy(file, MAGIC, MAGIC_SIZE);
	bytes.at = file + CRC_END;
	bytes.left = *size - CRC_END;
	total = *size;
	u32(&bytes, &version);
	u64(&bytes, &total);
	snprintf(ops, sizeof(ops), "%s", name ? name : "");
	pass_context(&bytes, &copy, ops, &nr_targets);
	for (i = 0; i < training->nr_targets; i++) {
		struct damon_training_target target = training->targets[i];
		uint64_t nr = target.nr_regions;

		pass_target(&bytes, &target, &nr);
	}
	for (i = 0; i < training->nr_targets; i++)
		for (j = 0; j < training->targets[i].nr_regions; j++)
			pass_region(&bytes, &training->targets[i].regions[j]);
	crc = checksum(file, *size);
	bytes = (struct bytes){.at = file + MAGIC_SIZE, .left = 4};
	u32(&bytes, &crc);
	return file;
}

/* Only an older one of its kind, or an empty file, is replaced. */
static int check_place(const char *path)
{
	unsigned char magic[MAGIC_SIZE];
	struct stat st;
	ssize_t got;
	int fd;

	if (stat(path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISREG(st.st_mode))
		return -EEXIST;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	got = read(fd, magic, sizeof(magic));
	close(fd);
	if (got == 0 || (got == MAGIC_SIZE && !memcmp(magic, MAGIC, MAGIC_SIZE)))
		return 0;
	return -EEXIST;
}

/* Puts @data in the place of @path; without @data only sees whether that could be. */
static int replace(const char *path, const unsigned char *data, size_t size)
{
	struct replacement replacement;
	int rc = check_place(path);

	if (!rc)
		rc = replacement_begin(&replacement, path);
	if (rc)
		return rc;
	if (data) {
		rc = file_write_all(replacement.fd, data, size);
		if (!rc)
			return replacement_commit(&replacement, 0);
	}
	replacement_drop(&replacement);
	return rc;
}

static int save(const char *path, const unsigned char *data, size_t size, struct damon_error *err)
{
	int rc = replace(path, data, size);

	if (rc == -EEXIST)
		return damon_error_set(err, rc,
				       CANT_SAVE
				       " '%s': there is a file of that name which is not a "
				       "saved training; choose another name",
				       path);
	return rc ? fail(err, rc, CANT_SAVE, path) : 0;
}

int training_file_check(const char *path, struct damon_error *err)
{
	return save(path, NULL, 0, err);
}

int damon_training_save(const struct damon_training *training, const char *path,
			struct damon_error *err)
{
	unsigned char *data;
	size_t size;
	int rc;

	data = training_encode(training, &size);
	if (!data)
		return fail(err, -ENOMEM, CANT_SAVE, path);
	rc = save(path, data, size, err);
	free(data);
	return rc;
}

/* Reading. */

static int damaged(const char *path, const char *how, struct damon_error *err)
{
	return damon_error_set(err, -EBADMSG,
			       CANT_LOAD " '%s': the file is damaged (%s); start without it", path,
			       how);
}

/* The whole file, at most @size bytes of it. */
static int read_all(int fd, unsigned char *data, size_t *size)
{
	size_t done = 0;
	ssize_t got;

	while (done < *size) {
		got = read(fd, data + done, *size - done);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (!got)
			break;
		done += (size_t)got;
	}
	*size = done;
	return 0;
}

static int read_file(const char *path, unsigned char **data, size_t *size, struct damon_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), rc = 0;
	struct stat st;

	*data = NULL;
	if (fd < 0)
		return fail(err, -errno, CANT_LOAD, path);
	if (fstat(fd, &st) < 0)
		rc = -errno;
	else if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size > LARGEST)
		*size = 0; /* no saved training */
	else
		*size = (size_t)st.st_size;
	if (!rc) {
		*data = malloc(*size + 1);
		rc = *data ? read_all(fd, *data, size) : -ENOMEM;
	}
	close(fd);
	return rc ? fail(err, rc, CANT_LOAD, path) : 0;
}

/* Is it ours, whole, and of a version that is known? */
static int check_head(const unsigned char *data, size_t size, const char *path, uint32_t *version,
		      struct damon_error *err)
{
	struct bytes bytes = {.at = (unsigned char *)data + MAGIC_SIZE, .reading = true};
	uint32_t crc = 0;
	uint64_t total = 0;

	if (!size || memcmp(data, MAGIC, size < MAGIC_SIZE ? size : MAGIC_SIZE))
		return damon_error_set(err, -EINVAL,
				       CANT_LOAD " '%s': this is not a saved training", path);
	if (size < HEAD_SIZE)
		return damaged(path, "its end is missing", err);
	bytes.left = HEAD_SIZE - MAGIC_SIZE;
	u32(&bytes, &crc);
	u32(&bytes, version);
	u64(&bytes, &total);
	if (total > size)
		return damaged(path, "its end is missing", err);
	if (total != size || crc != checksum(data, size))
		return damaged(path, "its checksum is wrong", err);
	if (!*version || *version > VERSION)
		return damon_error_set(err, -ENOTSUP,
				       CANT_LOAD " '%s': it is of version %u, this udamon reads "
						 "up to version %u; use the udamon that saved it",
				       path, *version, VERSION);
	return 0;
}

static bool ops_of_name(const char *name, uint32_t *ops_id)
{
	const char *known;

	for (*ops_id = 0; *ops_id < DAMON_NR_OPS; (*ops_id)++) {
		known = damon_ops_name((enum damon_ops_id) * ops_id);
		if (known && !strcmp(known, name))
			return true;
	}
	return false;
}

/* Reads the targets' heads only for how large they are. Their room was checked. */
static size_t *read_sizes(struct bytes bytes, uint64_t nr_targets)
{
	size_t *nr_regions = calloc(nr_targets + 1, sizeof(*nr_regions));
	struct damon_training_target target;
	uint64_t nr = 0, i;

	for (i = 0; nr_regions && i < nr_targets; i++) {
		pass_target(&bytes, &target, &nr);
		/* More than there can be is found when they are read. */
		nr_regions[i] = nr > LARGEST / REGION_SIZE ? LARGEST / REGION_SIZE : (size_t)nr;
	}
	return nr_regions;
}

static int decode(struct damon_training **training, struct damon_lib *lib, struct bytes *bytes)
{
	struct damon_training context = {0}, *new = NULL;
	uint64_t nr_targets = 0, nr, total = 0;
	size_t *nr_regions, j;
	char ops[OPS_SIZE] = "";
	uint32_t i;
	int rc;

	pass_context(bytes, &context, ops, &nr_targets);
	if (bytes->overrun || !ops_of_name(ops, &context.ops_id) ||
	    nr_targets > bytes->left / TARGET_SIZE)
		return -EBADMSG;
	nr_regions = read_sizes(*bytes, nr_targets);
	if (!nr_regions)
		return -ENOMEM;
	for (i = 0; i < nr_targets; i++)
		total += nr_regions[i];
	if (total * REGION_SIZE != bytes->left - nr_targets * TARGET_SIZE)
		rc = -EBADMSG;
	else
		rc = damon_training_new(&new, lib, (uint32_t)nr_targets, nr_regions);
	free(nr_regions);
	if (rc)
		return rc;
	context.lib = new->lib;
	context.targets = new->targets;
	context.nr_targets = new->nr_targets;
	*new = context;
	for (i = 0; i < new->nr_targets; i++)
		pass_target(bytes, &new->targets[i], &nr);
	for (i = 0; i < new->nr_targets; i++)
		for (j = 0; j < new->targets[i].nr_regions; j++)
			pass_region(bytes, &new->targets[i].regions[j]);
	*training = new;
	return 0;
}

int training_decode(struct damon_training **training, struct damon_lib *lib,
		    const unsigned char *data, size_t size, const char *where,
		    struct damon_error *err)
{
	struct bytes bytes = {.reading = true};
	int rc;

	rc = check_head(data, size, where, &bytes.version, err);
	if (rc)
		return rc;
	bytes.at = (unsigned char *)data + HEAD_SIZE;
	bytes.left = size - HEAD_SIZE;
	rc = decode(training, lib, &bytes);
	if (rc == -EBADMSG)
		damaged(where, "its parts contradict each other", err);
	else if (rc)
		fail(err, rc, CANT_LOAD, where);
	return rc;
}

int damon_training_load(struct damon_training **training, struct damon_lib *lib, const char *path,
			struct damon_error *err)
{
	unsigned char *data;
	size_t size = 0;
	int rc;

	rc = read_file(path, &data, &size, err);
	if (!rc)
		rc = training_decode(training, lib, data, size, path, err);
	free(data);
	return rc;
}
