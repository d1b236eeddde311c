/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * User-space half of the page-table reader: loads the BPF program and runs batches on it.
 */
#include "access/reader.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#define WALK_READ(value, address) ((void)(value), (void)(address), -1)
#include "access/walk.h"

#include "access/bpf/page_reader.h"
#include "page_reader.skel.h"

/* inode number that the kernel gives the initial pid namespace */
#define INITIAL_PID_NAMESPACE "pid:[4026531836]"

#define BPF_LOG_SIZE 16384

struct page_reader {
	struct page_reader_bpf *skeleton;
	struct page_calibration calibration;
};

struct page_link {
	struct page_reader *reader;
	struct bpf_link *link;
	int link_fd;
	int32_t tgid;	     /* for PAGE_LINK_ALL, else 0 */
	uint64_t start_time; /* of the process */
	bool ended;	     /* it had no memory any more when it was attached to */
};

static int lockdown_is_confidential(void)
{
	char text[128];
	size_t len;
	FILE *file = fopen("/sys/kernel/security/lockdown", "re");

	if (!file)
		return 0;
	len = fread(text, 1, sizeof(text) - 1, file);
	text[len] = '\0';
	fclose(file);
	return strstr(text, "[confidentiality]") != NULL;
}

/* The last line of the verifier's log that says something, for the error text. */
static const char *log_reason(char *log)
{
	char *line, *reason = log;

	for (line = strtok(log, "\n"); line; line = strtok(NULL, "\n")) {
		if (strncmp(line, "processed ", 10) != 0 && *line)
			reason = line;
	}
	return reason;
}

static int load_error(int code, char *log, struct damon_error *err)
{
	if (code == -EPERM || code == -EACCES) {
		if (geteuid() == 0 && *log)
			return damon_error_set(err, -EOPNOTSUPP,
					       "the kernel refuses the BPF page-table reader: %s",
					       log_reason(log));
		return damon_error_set(
			err, -EPERM,
			"may not load the BPF page-table reader: it needs CAP_BPF and "
			"CAP_PERFMON (run as root)");
	}
	if (lockdown_is_confidential())
		return damon_error_set(
			err, -EOPNOTSUPP,
			"kernel lockdown (confidentiality) forbids BPF to read page tables");
	if (access("/sys/kernel/btf/vmlinux", R_OK) != 0)
		return damon_error_set(
			err, -EOPNOTSUPP,
			"the kernel has no type information (/sys/kernel/btf/vmlinux): "
			"the BPF page-table reader needs CONFIG_DEBUG_INFO_BTF");
	return damon_error_set(err, code == -ENOMEM ? -ENOMEM : -EOPNOTSUPP,
			       "can't load the BPF page-table reader: %s%s%s", strerror(-code),
			       *log ? ": " : "", log_reason(log));
}

/* libbpf must not print: the library is quiet, errors go into @err. */
static int no_output(enum libbpf_print_level level, const char *format, va_list ap)
{
	return 0;
}

static int load(struct page_reader_bpf **skeleton, struct damon_error *err)
{
	char *log = calloc(1, BPF_LOG_SIZE);
	libbpf_print_fn_t print;
	int ret;

	if (!log)
		return damon_error_set(err, -ENOMEM, "out of memory");
	print = libbpf_set_print(no_output);
	errno = 0;
	*skeleton = page_reader_bpf__open();
	ret = *skeleton ? 0 : (errno ? -errno : -ENOMEM);
	if (!ret) {
		bpf_program__set_log_buf((*skeleton)->progs.read_pages, log, BPF_LOG_SIZE);
		ret = page_reader_bpf__load(*skeleton);
	}
	libbpf_set_print(print);
	if (ret) {
		ret = load_error(ret, log, err);
		page_reader_bpf__destroy(*skeleton);
		*skeleton = NULL;
	}
	free(log);
	return ret;
}

int page_reader_new(struct page_reader **reader, const struct page_calibration *calibration,
		    struct damon_error *err)
{
	struct page_reader *new = calloc(1, sizeof(*new));
	int ret;

	*reader = NULL;
	if (!new)
		return damon_error_set(err, -ENOMEM, "out of memory");
	ret = load(&new->skeleton, err);
	if (ret) {
		free(new);
		return ret;
	}
	new->calibration = *calibration;
	*reader = new;
	return 0;
}

void page_reader_free(struct page_reader *reader)
{
	if (!reader)
		return;
	page_reader_bpf__destroy(reader->skeleton);
	free(reader);
}

void page_reader_set_calibration(struct page_reader *reader,
				 const struct page_calibration *calibration)
{
	reader->calibration = *calibration;
}

uint64_t page_user_limit(const struct page_calibration *calibration)
{
	return 1ULL << (ARCH_LEVEL_SHIFT(calibration->levels + 1) - 1);
}

static int attach(struct page_link *link, int pidfd)
{
	union bpf_iter_link_info info = {};
	DECLARE_LIBBPF_OPTS(bpf_iter_attach_opts, opts);

	if (pidfd >= 0) {
		info.task.pid_fd = (uint32_t)pidfd;
		opts.link_info = &info;
		opts.link_info_len = sizeof(info);
	}
	errno = 0;
	link->link = bpf_program__attach_iter(link->reader->skeleton->progs.read_pages, &opts);
	if (!link->link)
		return errno ? -errno : -EIO;
	link->link_fd = bpf_link__fd(link->link);
	return 0;
}

static bool in_initial_pid_namespace(void)
{
	char name[64];
	ssize_t len = readlink("/proc/self/ns/pid", name, sizeof(name) - 1);

	if (len < 0)
		return false;
	name[len] = '\0';
	return strcmp(name, INITIAL_PID_NAMESPACE) == 0;
}

static int attach_to_all(struct page_link *link, pid_t pid, struct damon_error *err)
{
	int ret;

	if (!in_initial_pid_namespace())
		return damon_error_set(
			err, -EOPNOTSUPP,
			"this kernel can't follow a single process (needs 6.1), and the way "
			"around works only outside of containers");
	ret = attach(link, -1);
	if (ret)
		return damon_error_set(err, ret, "can't attach to process %d: %s", (int)pid,
				       strerror(-ret));
	link->tgid = pid;
	return 0;
}

static int attach_some_way(struct page_link *link, int pidfd, pid_t pid, enum page_link_way way,
			   struct damon_error *err)
{
	int ret;

	if (way == PAGE_LINK_ALL)
		return attach_to_all(link, pid, err);
	ret = attach(link, pidfd);
	if (!ret)
		return 0;
	/* Kernels that don't know the field reject it in one of these two ways. */
	if (way == PAGE_LINK_AUTO && (ret == -E2BIG || ret == -EINVAL))
		return attach_to_all(link, pid, err);
	return damon_error_set(err, ret, "can't attach to process %d: %s", (int)pid,
			       strerror(-ret));
}

void page_link_free(struct page_link *link)
{
	if (!link)
		return;
	bpf_link__destroy(link->link);
	free(link);
}

/* Have the program run once on the process, with the question that is laid out in its memory. */
static int run_program(struct page_link *link)
{
	char done;
	ssize_t len;
	int ret, iter = bpf_iter_create(link->link_fd);

	if (iter < 0)
		return iter == -1 ? -errno : iter;
	do
		len = read(iter, &done, 1);
	while (len < 0 && (errno == EINTR || errno == EAGAIN));
	ret = len < 0 ? -errno : len == 0 ? -ESRCH : 0;
	close(iter);
	return ret;
}

/* The same for a kind of question of which the particulars are laid out there. */
static int ask(struct page_link *link, enum page_reader_mode mode)
{
	struct page_reader *reader = link->reader;
	struct page_reader_request *request = &reader->skeleton->bss->request;

	request->space.direct_map = reader->calibration.direct_map;
	request->space.frame_mask = reader->calibration.frame_mask;
	request->space.levels = reader->calibration.levels;
	request->mode = mode;
	request->tgid = link->tgid;
	return run_program(link);
}

/* Ask about the first @nr addresses. */
static int run_batch(struct page_link *link, size_t nr)
{
	link->reader->skeleton->bss->request.nr = (uint32_t)nr;
	return ask(link, PAGE_READER_ADDRESSES);
}

static void decode(const struct walk_space *space, uint64_t addr, uint64_t entry, uint32_t status,
		   struct page_state *state)
{
	_Static_assert(PAGE_MAPPED == WALK_MAPPED && PAGE_ACCESSED == WALK_ACCESSED &&
			       PAGE_NO_ACCESS == WALK_NO_ACCESS && PAGE_FAILED == WALK_FAILED,
		       "flags are passed through");
	state->entry = entry;
	state->flags = status & ((1u << WALK_LEAF_SHIFT) - 1);
	state->leaf_shift = (uint8_t)(status >> WALK_LEAF_SHIFT);
	state->frame = (status & WALK_MAPPED) ? walk_frame(space, entry, status, addr) : 0;
}

static int read_batch(struct page_link *link, const uint64_t *addrs, size_t nr,
		      struct page_state *states)
{
	struct page_reader_bpf__bss *bss = link->reader->skeleton->bss;
	uint64_t limit = page_user_limit(&link->reader->calibration);
	size_t i;
	int ret;

	memcpy(bss->addrs, addrs, nr * sizeof(*addrs));
	ret = run_batch(link, nr);
	if (ret)
		return ret;
	if (link->start_time != bss->process.start_time)
		return -ESRCH;
	for (i = 0; i < nr; i++) {
		/* Higher bits don't take part in a walk: what it found there is another address's. */
		if (addrs[i] >= limit)
			states[i] = (struct page_state){};
		else
			decode(&bss->request.space, addrs[i], bss->entries[i], bss->statuses[i],
			       &states[i]);
	}
	return 0;
}

static void tell_process(const struct page_reader_bpf__bss *bss, struct page_process *process)
{
	if (process)
		*process = (struct page_process){.start_time = bss->process.start_time,
						 .exec_id = bss->process.exec_id,
						 .mm = bss->process.mm,
						 .top = bss->process.top};
}

int page_link_read(struct page_link *link, const uint64_t *addrs, size_t nr,
		   struct page_state *states, struct page_process *process)
{
	struct page_reader_bpf__bss *bss = link->reader->skeleton->bss;
	size_t done = 0, step;
	int ret;

	if (link->ended)
		return -ESRCH;
	do {
		step = nr - done < PAGE_READER_BATCH ? nr - done : PAGE_READER_BATCH;
		ret = read_batch(link, addrs + done, step, states + done);
		if (ret)
			return ret;
		done += step;
	} while (done < nr);
	tell_process(bss, process);
	return 0;
}

/* Tell of what the program found; 0 or what the callback returned. */
static int tell_leaves(const struct page_reader_bpf__bss *bss, page_leaf_callback *callback,
		       void *data)
{
	uint32_t i, nr = bss->process.nr_leaves;
	struct page_leaf leaf;
	int ret = 0;

	for (i = 0; !ret && i < nr && i < PAGE_READER_LEAVES; i++) {
		const struct page_reader_leaf *from = &bss->leaves[i];

		leaf = (struct page_leaf){.addr = from->addr};
		if (from->status)
			decode(&bss->request.space, from->addr, from->entry, from->status,
			       &leaf.state);
		else
			leaf.table = bss->tables[from->table % PAGE_READER_TABLES];
		ret = callback(data, &leaf);
	}
	return ret;
}

int page_link_read_range(struct page_link *link, uint64_t start, uint64_t end,
			 page_leaf_callback *callback, void *data, struct page_process *process)
{
	struct page_reader_bpf__bss *bss = link->reader->skeleton->bss;
	uint64_t limit = page_user_limit(&link->reader->calibration);
	struct page_state none;
	int ret;

	if (link->ended)
		return -ESRCH;
	start &= ~((1ULL << PAGE_TABLE_SHIFT) - 1);
	if (end > limit)
		end = limit;
	/* Nothing to look at; the process is told of all the same. */
	if (start >= end)
		return page_link_read(link, &start, 1, &none, process);
	do {
		bss->request.start = start;
		bss->request.end = end;
		ret = ask(link, PAGE_READER_RANGE);
		if (!ret && link->start_time != bss->process.start_time)
			ret = -ESRCH;
		if (ret)
			return ret;
		tell_process(bss, process);
		ret = tell_leaves(bss, callback, data);
		if (ret)
			return ret;
		start = bss->process.next;
	} while (start < end);
	return 0;
}

/*
 * The kernel keeps the process's number, not the process. So remember who it is by
 * its start time, read while the number is still its own: it hasn't been reaped even afterwards.
 */
static int identify(struct page_link *link, int pidfd)
{
	int ret = run_batch(link, 0);

	if (!ret && syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0) && errno == ESRCH)
		ret = -ESRCH;
	if (ret && ret != -ESRCH)
		return ret;
	link->ended = ret == -ESRCH;
	link->start_time = link->reader->skeleton->bss->process.start_time;
	return 0;
}

int page_link_new(struct page_link **link, struct page_reader *reader, int pidfd, pid_t pid,
		  enum page_link_way way, struct damon_error *err)
{
	struct page_link *new = calloc(1, sizeof(*new));
	int ret;

	*link = NULL;
	if (!new)
		return damon_error_set(err, -ENOMEM, "out of memory");
	new->reader = reader;
	ret = attach_some_way(new, pidfd, pid, way, err);
	if (!ret) {
		ret = identify(new, pidfd);
		if (ret)
			damon_error_set(err, ret, "can't read page tables of process %d: %s",
					(int)pid, strerror(-ret));
	}
	if (ret) {
		page_link_free(new);
		return ret;
	}
	*link = new;
	return 0;
}
