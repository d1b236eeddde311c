#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Description: the specification's rows, against the tree as the daemon mounts it.
# shellcheck source=tests/sysfs/daemon.sh disable=SC2154 # daemon.sh sets what is used here
. "${UDAMON_SOURCE:?}/tests/sysfs/daemon.sh"

need_daemon
"$UDAMON_BUILD/tests/sysfs/sysfs_rows" "$UDAMON_SOURCE/tests/sysfs/spec.tsv" "$sys"
code=$?
stop_daemon
if [ $code = 0 ] && [ "$daemon_code" != 0 ]; then
	sed 's/^/# /' "$scratch/log"
	exit 1
fi
exit $code
