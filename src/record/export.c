// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Handing a record to other tools: to a stream, or to a file that is there completely or not at all. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "record/database.h"
#include "record/export.h"
#include "record/export_format.h"
#include "record/replacement.h"

#define CANT_WRITE "can't write the export to"

static const struct {
	const char *name;
	int (*export)(struct record_reader *reader, struct sink *sink, struct damon_error *err);
	bool compress;
} formats[] = {
	[RECORD_FORMAT_DAMO] = {"damo", export_damo, true},
	[RECORD_FORMAT_CSV] = {"csv", export_csv, false},
	[RECORD_FORMAT_JSON] = {"json", export_json, false},
};

int record_format_parse(const char *name, enum record_format *format)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		if (strcmp(formats[i].name, name) == 0) {
			*format = (enum record_format)i;
			return 0;
		}
	}
	return -EINVAL;
}

int record_export(struct record_reader *reader, enum record_format format, FILE *out,
		  const char *out_name, struct damon_error *err)
{
	struct sink *sink = malloc(sizeof(*sink));
	int rc, written;

	if (!sink || sink_begin(sink, out, formats[format].compress)) {
		free(sink);
		return record_fail(err, -ENOMEM, CANT_WRITE, out_name);
	}
	rc = formats[format].export(reader, sink, err);
	written = sink_end(sink);
	free(sink);
	if (!rc && written)
		rc = record_fail(err, written, CANT_WRITE, out_name);
	return rc;
}

/* The stream is closed in any case. */
static int export_and_close(struct record_reader *reader, enum record_format format, int fd,
			    const char *path, struct damon_error *err)
{
	FILE *out = fdopen(fd, "w");
	int rc;

	if (!out) {
		rc = record_fail(err, -errno, CANT_WRITE, path);
		close(fd);
		return rc;
	}
	rc = record_export(reader, format, out, path, err);
	if (fclose(out) != 0 && !rc)
		rc = record_fail(err, -errno, CANT_WRITE, path);
	return rc;
}

/* Beside its place first, then put there. */
static int export_and_rename(struct record_reader *reader, enum record_format format,
			     const char *path, struct damon_error *err)
{
	struct replacement replacement;
	int rc = replacement_begin(&replacement, path), fd;

	if (rc)
		return record_fail(err, rc, CANT_WRITE, path);
	fd = fcntl(replacement.fd, F_DUPFD_CLOEXEC, 0);
	rc = fd < 0 ? record_fail(err, -errno, CANT_WRITE, path)
		    : export_and_close(reader, format, fd, path, err);
	if (rc) {
		replacement_drop(&replacement);
		return rc;
	}
	rc = replacement_commit(&replacement, 0);
	return rc ? record_fail(err, rc, CANT_WRITE, path) : 0;
}

int record_export_file(struct record_reader *reader, enum record_format format, const char *path,
		       struct damon_error *err)
{
	enum record_file_kind kind = RECORD_FILE_FOREIGN;
	struct stat st;
	int fd, rc;

	if (stat(path, &st) < 0) {
		if (errno != ENOENT)
			return record_fail(err, -errno, CANT_WRITE, path);
		return export_and_rename(reader, format, path, err);
	}
	if (S_ISREG(st.st_mode)) {
		rc = record_file_peek(path, &kind);
		if (rc)
			return record_fail(err, rc, CANT_WRITE, path);
		if (kind == RECORD_FILE_RECORD)
			return damon_error_set(err, -EEXIST,
					       CANT_WRITE " '%s': that is a record, which an "
							  "export would destroy",
					       path);
		return export_and_rename(reader, format, path, err);
	}
	/* A device, a pipe: there is nothing to replace. */
	fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return record_fail(err, -errno, CANT_WRITE, path);
	return export_and_close(reader, format, fd, path, err);
}
