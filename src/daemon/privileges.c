// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Giving up every capability but the six that serving, watching and acting need. */
#include <errno.h>
#include <linux/capability.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "access/capability.h"
#include "daemon/privileges.h"

/* Kernels before 5.8 have neither; there CAP_SYS_ADMIN stands for both. */
#ifndef CAP_PERFMON
#define CAP_PERFMON 38
#define CAP_BPF	    39
#endif

static const struct {
	unsigned int capability;
	const char *name;
	const char *purpose;
} needed[] = {
	{CAP_SYS_ADMIN, "CAP_SYS_ADMIN", "mounting the tree"},
	{CAP_BPF, "CAP_BPF", "reading page tables"},
	{CAP_PERFMON, "CAP_PERFMON", "reading page tables"},
	{CAP_SYS_PTRACE, "CAP_SYS_PTRACE", "looking at other users' memory"},
	{CAP_SYS_NICE, "CAP_SYS_NICE", "giving back and moving other processes' memory"},
	{CAP_DAC_OVERRIDE, "CAP_DAC_OVERRIDE", "other users' files under /proc"},
};

#define NR_NEEDED (sizeof(needed) / sizeof(needed[0]))

/* What no bounding set has can't come back by running another program. */
static int drop_bounding(uint64_t keep)
{
	for (unsigned int i = 0; i < 64; i++) {
		int has = prctl(PR_CAPBSET_READ, i, 0, 0, 0);

		if (has < 0) /* the kernel has no more */
			break;
		if (has && !(keep >> i & 1) && prctl(PR_CAPBSET_DROP, i, 0, 0, 0))
			return -errno;
	}
	return 0;
}

int privileges_drop(struct damon_error *err)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};
	uint64_t keep = 0;
	int ret = 0;

	for (size_t i = 0; i < NR_NEEDED; i++)
		keep |= 1ULL << needed[i].capability;
	/* Without CAP_SETPCAP there is nothing to be taken from the bounding set, nor any need. */
	if (capability_have(CAP_SETPCAP))
		ret = drop_bounding(keep);
	if (!ret && (syscall(SYS_capget, &header, data) < 0))
		ret = -errno;
	for (unsigned int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		data[i].permitted &= (uint32_t)(keep >> (32 * i));
		data[i].effective = data[i].permitted;
		data[i].inheritable = 0;
	}
	if (!ret && syscall(SYS_capset, &header, data) < 0)
		ret = -errno;
	if (!ret && (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) ||
		     prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)))
		ret = -errno;
	if (ret)
		damon_error_set(err, ret, "cannot give up privileges: %s", strerror(-ret));
	return ret;
}

char *privileges_missing(char *text, size_t size)
{
	size_t len = 0;

	text[0] = '\0';
	for (size_t i = 0; i < NR_NEEDED && len < size; i++)
		if (!capability_have(needed[i].capability))
			len += (size_t)snprintf(text + len, size - len, "%s%s (%s)",
						len ? ", " : "", needed[i].name, needed[i].purpose);
	return text;
}
