// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* SQLite's errors in our words, and a look at a file before SQLite gets it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "record/database.h"

int record_database_errno(int rc)
{
	int system_errno = errno ? errno : EIO;

	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return -EACCES;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_FORMAT:
	case SQLITE_SCHEMA:
	case SQLITE_ERROR: /* our own statements are right, so the tables are not */
		return -EBADMSG;
	case SQLITE_CONSTRAINT:
	case SQLITE_RANGE:
	case SQLITE_TOOBIG:
		return -EINVAL;
	case SQLITE_IOERR:
		if (rc == SQLITE_IOERR_NOMEM)
			return -ENOMEM;
		if (rc == SQLITE_IOERR_SHORT_READ)
			return -EBADMSG;
		return -system_errno;
	default:
		return -system_errno;
	}
}

int record_fail(struct damon_error *err, int code, const char *what, const char *path)
{
	char buffer[128];

	if (code == -EBADMSG)
		return damon_error_set(err, code, "%s '%s': the record is damaged", what, path);
	if (code == -EBUSY)
		return damon_error_set(err, code, "%s '%s': another program has it open", what,
				       path);
	return damon_error_set(err, code, "%s '%s': %s", what, path,
			       strerror_r(-code, buffer, sizeof(buffer)));
}

int record_database_fail(struct damon_error *err, sqlite3 *db, int rc, const char *what,
			 const char *path)
{
	int code = record_database_errno(rc);

	if (code == -EBADMSG && db)
		return damon_error_set(err, code, "%s '%s': the record is damaged (%s)", what, path,
				       sqlite3_errmsg(db));
	return record_fail(err, code, what, path);
}

/* Of SQLite's documented file header: the magic text, and the application id at byte 68. */
#define HEADER_SIZE	      100
#define HEADER_MAGIC	      "SQLite format 3"
#define HEADER_APPLICATION_ID 68

static enum record_file_kind header_kind(const unsigned char *header)
{
	const unsigned char *id = header + HEADER_APPLICATION_ID;
	uint32_t application_id = (uint32_t)id[0] << 24 | (uint32_t)id[1] << 16 |
				  (uint32_t)id[2] << 8 | (uint32_t)id[3];

	if (memcmp(header, HEADER_MAGIC, sizeof(HEADER_MAGIC)) != 0)
		return RECORD_FILE_FOREIGN;
	return application_id == RECORD_APPLICATION_ID ? RECORD_FILE_RECORD : RECORD_FILE_SQLITE;
}

int record_file_peek(const char *path, enum record_file_kind *kind)
{
	unsigned char header[HEADER_SIZE] = {0};
	sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
	sqlite3_filename name = NULL;
	sqlite3_file *file = NULL;
	sqlite3_int64 size = 0;
	char *full = NULL;
	struct stat st;
	int rc;

	errno = 0;
	full = realpath(path, NULL);
	if (!full || stat(full, &st) < 0) {
		rc = -errno;
		goto out;
	}
	if (!S_ISREG(st.st_mode)) {
		*kind = RECORD_FILE_FOREIGN;
		rc = 0;
		goto out;
	}
	name = sqlite3_create_filename(full, "", "", 0, NULL);
	file = calloc(1, (size_t)vfs->szOsFile);
	if (!name || !file) {
		rc = -ENOMEM;
		goto out;
	}
	errno = 0;
	rc = vfs->xOpen(vfs, name, file, SQLITE_OPEN_READONLY | SQLITE_OPEN_MAIN_DB, NULL);
	if (rc) {
		rc = errno ? -errno : -EIO;
		goto out;
	}
	rc = file->pMethods->xFileSize(file, &size);
	if (!rc && size >= HEADER_SIZE)
		rc = file->pMethods->xRead(file, header, HEADER_SIZE, 0);
	rc = rc ? -EIO : 0;
	*kind = size ? header_kind(header) : RECORD_FILE_EMPTY;
	file->pMethods->xClose(file);
out:
	free(file);
	sqlite3_free_filename(name);
	free(full);
	return rc;
}
