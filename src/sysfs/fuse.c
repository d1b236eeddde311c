// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * The file tree as a mounted file system: its operations, and the threads that receive them.
 *
 * Each name that the kernel looks up becomes an entry that holds its path. Directories are looked up once
 * and remembered by the kernel; whether one is still there is asked at each use anyway. Files are looked up
 * at each open and get an entry, that is a kernel inode, of their own each time: the kernel lets only one
 * write() at a time into an inode, and whoever waits there for a long state change can't be interrupted.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "sysfs/fuse.h"
#include "sysfs/fuse_session.h"
#include "sysfs/fuse_writes.h"
#include "sysfs/mount_point.h"

/* Reading never waits, so few are enough; the second one serves while the first makes a long text. */
#define NR_RECEIVERS 2
#define FOREVER_S    1e9

struct sysfs_fuse {
	struct sysfs_tree *tree;
	struct sysfs_fuse_options options;
	struct mount_point point;
	struct fuse_session *session;
	struct fuse_writes *writes;
	bool mounted;
	struct timespec since;
	int end_fd; /* readable when the receivers are to end */
	pthread_t receivers[NR_RECEIVERS];
	int nr_receivers;
	pthread_mutex_t lock;
	struct entry *entries;
	bool over; /* &sysfs_fuse_options.ended was called, or isn't to be any more */
};

/* What a number that the kernel has stands for; freed when it forgets it, or with all at the end. */
struct entry {
	struct entry *next, *prev;
	char path[];
};

/* An open file. */
struct opened {
	pthread_mutex_t lock;
	bool read;
	struct sysfs_text text;
};

/* An open directory: its names, one after the other. */
struct listing {
	size_t nr;
	size_t size;
	struct {
		bool is_dir;
		char name[64];
	} * names;
};

static struct sysfs_fuse *fuse_of(fuse_req_t req)
{
	return fuse_req_userdata(req);
}

static const char *path_of(fuse_ino_t ino)
{
	return ino == FUSE_ROOT_ID ? "/" : ((const struct entry *)(uintptr_t)ino)->path;
}

/* The number that is shown: the same for the same path (FNV-1a), whatever entry it has. */
static ino_t number_of(const char *path)
{
	uint64_t hash = 0xcbf29ce484222325ULL;

	for (; *path; path++)
		hash = (hash ^ (unsigned char)*path) * 0x100000001b3ULL;
	return hash ? hash : 1;
}

static int join(char *path, const char *parent, const char *name)
{
	int len = snprintf(path, SYSFS_PATH_MAX, "%s/%s", strcmp(parent, "/") ? parent : "", name);

	return len < SYSFS_PATH_MAX ? 0 : -ENOENT;
}

static void fill(const struct sysfs_fuse *fuse, const char *path, const struct sysfs_stat *st,
		 struct stat *attr)
{
	*attr = (struct stat){
		.st_ino = number_of(path),
		.st_mode = (st->is_dir ? S_IFDIR : S_IFREG) | st->mode,
		.st_nlink = st->is_dir ? 2 : 1,
		.st_uid = fuse->options.owner,
		.st_size = (off_t)st->size,
		.st_blksize = 4096,
		.st_atim = fuse->since,
		.st_mtim = fuse->since,
		.st_ctim = fuse->since,
	};
	/* Where users besides root may come in at all, only the owner gets past the first directory. */
	if (fuse->options.owner != geteuid() && !strcmp(path, "/"))
		attr->st_mode = S_IFDIR | 0700;
}

static void keep(struct sysfs_fuse *fuse, struct entry *entry)
{
	pthread_mutex_lock(&fuse->lock);
	entry->prev = NULL;
	entry->next = fuse->entries;
	if (entry->next)
		entry->next->prev = entry;
	fuse->entries = entry;
	pthread_mutex_unlock(&fuse->lock);
}

/* Each is looked up once, except the root, which always is there. */
static void forget(struct sysfs_fuse *fuse, fuse_ino_t ino)
{
	struct entry *entry = (struct entry *)(uintptr_t)ino;

	if (ino == FUSE_ROOT_ID)
		return;
	pthread_mutex_lock(&fuse->lock);
	if (entry->next)
		entry->next->prev = entry->prev;
	if (entry->prev)
		entry->prev->next = entry->next;
	else
		fuse->entries = entry->next;
	pthread_mutex_unlock(&fuse->lock);
	free(entry);
}

static void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct sysfs_fuse *fuse = fuse_of(req);
	struct fuse_entry_param param = {.generation = 0};
	char path[SYSFS_PATH_MAX];
	struct sysfs_stat st;
	struct entry *entry;
	int ret;

	ret = join(path, path_of(parent), name);
	if (!ret)
		ret = sysfs_stat(fuse->tree, path, &st);
	if (ret) {
		fuse_reply_err(req, -ret);
		return;
	}
	entry = malloc(sizeof(*entry) + strlen(path) + 1);
	if (!entry) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	strcpy(entry->path, path);
	keep(fuse, entry);
	param.ino = (uintptr_t)entry;
	param.entry_timeout = st.is_dir ? FOREVER_S : 0;
	fill(fuse, path, &st, &param.attr);
	/* The kernel didn't get it, so it won't forget it either. */
	if (fuse_reply_entry(req, &param))
		forget(fuse, param.ino);
}

static void op_forget(fuse_req_t req, fuse_ino_t ino, uint64_t nlookup)
{
	forget(fuse_of(req), ino);
	fuse_reply_none(req);
}

static void op_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets)
{
	for (size_t i = 0; i < count; i++)
		forget(fuse_of(req), forgets[i].ino);
	fuse_reply_none(req);
}

/* access() and chdir(), where the kernel doesn't check by itself: root may do all but enter what is gone. */
static void op_access(fuse_req_t req, fuse_ino_t ino, int mask)
{
	struct sysfs_stat st;
	int ret = sysfs_stat(fuse_of(req)->tree, path_of(ino), &st);

	if (!ret && mask & X_OK && !st.is_dir)
		ret = -EACCES;
	fuse_reply_err(req, -ret);
}

static void reply_attr(fuse_req_t req, const char *path, const struct sysfs_stat *st)
{
	struct stat attr;

	fill(fuse_of(req), path, st, &attr);
	fuse_reply_attr(req, &attr, 0);
}

static void op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info)
{
	struct sysfs_stat st;
	int ret = sysfs_stat(fuse_of(req)->tree, path_of(ino), &st);

	if (ret)
		fuse_reply_err(req, -ret);
	else
		reply_attr(req, path_of(ino), &st);
}

/* "> file" cuts it to nothing first, which changes nothing here; owners and modes stay what they are. */
static void op_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int to_set,
		       struct fuse_file_info *info)
{
	struct sysfs_stat st;
	int ret = sysfs_stat(fuse_of(req)->tree, path_of(ino), &st);

	if (!ret && to_set & (FUSE_SET_ATTR_MODE | FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID))
		ret = -EPERM;
	if (!ret && to_set & FUSE_SET_ATTR_SIZE && !(st.mode & S_IWUSR))
		ret = -EACCES;
	if (ret)
		fuse_reply_err(req, -ret);
	else
		reply_attr(req, path_of(ino), &st);
}

/* Directories. */

static int add_name(void *data, const char *name, bool is_dir)
{
	struct listing *listing = data;

	if (listing->nr == listing->size) {
		size_t size = listing->size ? 2 * listing->size : 16;
		void *names = reallocarray(listing->names, size, sizeof(*listing->names));

		if (!names)
			return -ENOMEM;
		listing->names = names;
		listing->size = size;
	}
	listing->names[listing->nr].is_dir = is_dir;
	snprintf(listing->names[listing->nr].name, sizeof(listing->names[0].name), "%s", name);
	listing->nr++;
	return 0;
}

static void listing_free(struct listing *listing)
{
	free(listing->names);
	free(listing);
}

static void op_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info)
{
	struct listing *listing = calloc(1, sizeof(*listing));
	int ret = -ENOMEM;

	if (listing)
		ret = add_name(listing, ".", true);
	if (!ret)
		ret = add_name(listing, "..", true);
	if (!ret)
		ret = sysfs_list(fuse_of(req)->tree, path_of(ino), add_name, listing);
	info->fh = (uintptr_t)listing;
	if (ret)
		fuse_reply_err(req, -ret);
	if ((ret || fuse_reply_open(req, info)) && listing)
		listing_free(listing);
}

static void op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
		       struct fuse_file_info *info)
{
	const struct listing *listing = (struct listing *)(uintptr_t)info->fh;
	char *buf = malloc(size), path[SYSFS_PATH_MAX];
	size_t used = 0;

	if (!buf) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	for (size_t i = (size_t)offset; i < listing->nr; i++) {
		struct stat attr = {.st_mode = listing->names[i].is_dir ? S_IFDIR : S_IFREG};
		size_t len;

		if (i < 2 || join(path, path_of(ino), listing->names[i].name))
			strcpy(path, path_of(ino));
		attr.st_ino = number_of(path);
		len = fuse_add_direntry(req, buf + used, size - used, listing->names[i].name, &attr,
					(off_t)i + 1);
		if (len > size - used)
			break;
		used += len;
	}
	fuse_reply_buf(req, buf, used);
	free(buf);
}

static void op_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info)
{
	listing_free((struct listing *)(uintptr_t)info->fh);
	fuse_reply_err(req, 0);
}

/* Files. */

static void op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info)
{
	int access = info->flags & O_ACCMODE;
	struct opened *opened;
	struct sysfs_stat st;
	int ret;

	ret = sysfs_stat(fuse_of(req)->tree, path_of(ino), &st);
	/* Root may do everything as far as the kernel is concerned; as in sysfs, it may not do this. */
	if (!ret && access != O_RDONLY && !(st.mode & S_IWUSR))
		ret = -EACCES;
	opened = ret ? NULL : calloc(1, sizeof(*opened));
	if (!opened) {
		fuse_reply_err(req, ret ? -ret : ENOMEM);
		return;
	}
	pthread_mutex_init(&opened->lock, NULL);
	info->fh = (uintptr_t)opened;
	info->direct_io = 1;
	if (fuse_reply_open(req, info)) {
		pthread_mutex_destroy(&opened->lock);
		free(opened);
	}
}

static void op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
		    struct fuse_file_info *info)
{
	struct opened *opened = (struct opened *)(uintptr_t)info->fh;
	struct sysfs_text text;
	char *piece = NULL;
	size_t len = 0;
	int ret = 0;

	pthread_mutex_lock(&opened->lock);
	if (!offset || !opened->read) {
		ret = sysfs_read(fuse_of(req)->tree, path_of(ino), &text);
		if (!ret) {
			sysfs_text_free(&opened->text);
			opened->text = text;
			opened->read = true;
		}
	}
	if (!ret && (size_t)offset < opened->text.len) {
		len = opened->text.len - (size_t)offset;
		len = size < len ? size : len;
		piece = malloc(len);
		if (piece)
			memcpy(piece, opened->text.data + offset, len);
		else
			ret = -ENOMEM;
	}
	pthread_mutex_unlock(&opened->lock);
	/* With the reply the client may close the file, and another thread free what is open. */
	if (ret)
		fuse_reply_err(req, -ret);
	else
		fuse_reply_buf(req, piece, len);
	free(piece);
}

/* Wherever in the file it is written to, it is a whole value. */
static void op_write(fuse_req_t req, fuse_ino_t ino, const char *buf, size_t size, off_t offset,
		     struct fuse_file_info *info)
{
	fuse_writes_add(fuse_of(req)->writes, req, path_of(ino), buf, size);
}

static void op_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info)
{
	struct opened *opened = (struct opened *)(uintptr_t)info->fh;

	sysfs_text_free(&opened->text);
	pthread_mutex_destroy(&opened->lock);
	free(opened);
	fuse_reply_err(req, 0);
}

/* What can't be done here, with the errors that sysfs has for it. */

static void op_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev)
{
	fuse_reply_err(req, S_ISREG(mode) ? EACCES : EPERM);
}

static void op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	fuse_reply_err(req, EPERM);
}

static void op_remove(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	fuse_reply_err(req, EPERM);
}

static void op_symlink(fuse_req_t req, const char *link, fuse_ino_t parent, const char *name)
{
	fuse_reply_err(req, EPERM);
}

static void op_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t newparent,
		      const char *newname, unsigned int flags)
{
	fuse_reply_err(req, EPERM);
}

static void op_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t newparent, const char *newname)
{
	fuse_reply_err(req, EPERM);
}

static void op_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
		      struct fuse_file_info *info)
{
	fuse_reply_err(req, EACCES);
}

static const struct fuse_lowlevel_ops operations = {
	.lookup = op_lookup,
	.forget = op_forget,
	.forget_multi = op_forget_multi,
	.getattr = op_getattr,
	.access = op_access,
	.setattr = op_setattr,
	.opendir = op_opendir,
	.readdir = op_readdir,
	.releasedir = op_releasedir,
	.open = op_open,
	.read = op_read,
	.write = op_write,
	.release = op_release,
	.mknod = op_mknod,
	.mkdir = op_mkdir,
	.unlink = op_remove,
	.rmdir = op_remove,
	.symlink = op_symlink,
	.rename = op_rename,
	.link = op_link,
	.create = op_create,
};

/* Serving. */

static void say_over(struct sysfs_fuse *fuse)
{
	bool first;

	pthread_mutex_lock(&fuse->lock);
	first = !fuse->over;
	fuse->over = true;
	pthread_mutex_unlock(&fuse->lock);
	if (first && fuse->options.ended)
		fuse->options.ended(fuse->options.data);
}

static void *receive(void *data)
{
	struct sysfs_fuse *fuse = data;
	struct pollfd fds[2] = {
		{.fd = fuse_session_fd(fuse->session), .events = POLLIN},
		{.fd = fuse->end_fd, .events = POLLIN},
	};
	struct fuse_buf buf = {.mem = NULL};

	for (;;) {
		int ret;

		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			break;
		if (fds[1].revents)
			break;
		ret = fuse_session_receive_buf(fuse->session, &buf);
		if (ret == -EINTR || ret == -EAGAIN)
			continue;
		if (ret <= 0) /* unmounted */
			break;
		fuse_session_process_buf(fuse->session, &buf);
	}
	free(buf.mem);
	say_over(fuse);
	return NULL;
}

static void stop_receiving(struct sysfs_fuse *fuse)
{
	uint64_t one = 1;

	pthread_mutex_lock(&fuse->lock);
	fuse->over = true;
	pthread_mutex_unlock(&fuse->lock);
	if (fuse->end_fd >= 0)
		(void)!write(fuse->end_fd, &one, sizeof(one));
	while (fuse->nr_receivers)
		pthread_join(fuse->receivers[--fuse->nr_receivers], NULL);
}

static int start_receiving(struct sysfs_fuse *fuse)
{
	int fd = fuse_session_fd(fuse->session), ret = 0;

	/* Several threads are woken for one request, and only one of them gets it. */
	if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK))
		return -errno;
	while (fuse->nr_receivers < NR_RECEIVERS && !ret) {
		ret = -pthread_create(&fuse->receivers[fuse->nr_receivers], NULL, receive, fuse);
		fuse->nr_receivers += !ret;
	}
	return ret;
}

/* Mounting. */

static int open_session(struct sysfs_fuse *fuse)
{
	struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
	int ret = -ENOMEM;

	if (fuse_opt_add_arg(&args, "udamond") || fuse_opt_add_arg(&args, "-o") ||
	    fuse_opt_add_arg(&args,
			     "fsname=" SYSFS_FUSE_SOURCE ",subtype=udamon,nosuid,nodev,noexec"))
		goto out;
	/*
	 * Only where others may come in is there something for the kernel to check. It would ask for the
	 * attributes of each directory on the way to each file, a dozen of them.
	 */
	if (fuse->options.owner != geteuid() &&
	    fuse_opt_add_arg(&args, "-oallow_other,default_permissions"))
		goto out;
	fuse->session = fuse_session_new(&args, &operations, sizeof(operations), fuse);
	if (fuse->session)
		ret = 0;
out:
	fuse_opt_free_args(&args);
	return ret;
}

static int mount_session(struct sysfs_fuse *fuse, struct damon_error *err)
{
	int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);

	/* libfuse tells on standard error only, and would try a setuid program next. */
	if (fd < 0)
		return damon_error_set(err, -errno,
				       "cannot open '/dev/fuse': %s; the tree is a FUSE file "
				       "system, which needs that device and root",
				       strerror(errno));
	close(fd);
	errno = 0;
	if (fuse_session_mount(fuse->session, fuse->point.path))
		return damon_error_set(err, errno ? -errno : -EIO,
				       "cannot mount on '%s': %s; it needs CAP_SYS_ADMIN",
				       fuse->point.path, errno ? strerror(errno) : "FUSE failed");
	fuse->mounted = true;
	return 0;
}

int sysfs_fuse_new(struct sysfs_fuse **fuse, struct sysfs_tree *tree,
		   const struct sysfs_fuse_options *options, struct damon_error *err)
{
	struct sysfs_fuse *new = calloc(1, sizeof(*new));
	int ret;

	if (!new)
		return damon_error_set(err, -ENOMEM, "out of memory");
	new->tree = tree;
	new->options = *options;
	new->point.lock_fd = -1;
	clock_gettime(CLOCK_REALTIME, &new->since);
	pthread_mutex_init(&new->lock, NULL);
	new->end_fd = eventfd(0, EFD_CLOEXEC);
	ret = new->end_fd < 0 ? -errno : fuse_writes_new(&new->writes, tree);
	if (!ret)
		ret = open_session(new);
	if (ret)
		damon_error_set(err, ret, "cannot serve files: %s", strerror(-ret));
	else
		ret = mount_point_take(&new->point, options->mount, err);
	if (ret) {
		sysfs_fuse_free(new);
		return ret;
	}
	*fuse = new;
	return 0;
}

int sysfs_fuse_mount(struct sysfs_fuse *fuse, struct damon_error *err)
{
	int ret = mount_session(fuse, err);

	if (ret)
		return ret;
	ret = start_receiving(fuse);
	return ret ? damon_error_set(err, ret, "cannot start a thread: %s", strerror(-ret)) : 0;
}

const char *sysfs_fuse_path(const struct sysfs_fuse *fuse)
{
	return fuse->point.path;
}

uint64_t sysfs_fuse_writes(struct sysfs_fuse *fuse)
{
	return fuse_writes_accepted(fuse->writes);
}

void sysfs_fuse_free(struct sysfs_fuse *fuse)
{
	if (!fuse)
		return;
	/* While requests are still received, so that those who wait get their answer. */
	if (fuse->writes)
		fuse_writes_end(fuse->writes);
	stop_receiving(fuse);
	if (fuse->mounted)
		fuse_session_unmount(fuse->session);
	if (fuse->session)
		fuse_session_destroy(fuse->session);
	/* Those of files that are still open, which the kernel needn't tell us any more. */
	while (fuse->entries)
		forget(fuse, (uintptr_t)fuse->entries);
	fuse_writes_free(fuse->writes);
	mount_point_drop(&fuse->point);
	if (fuse->end_fd >= 0)
		close(fuse->end_fd);
	pthread_mutex_destroy(&fuse->lock);
	free(fuse);
}
