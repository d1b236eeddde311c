#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# damo, DAMON's own tool, unchanged, on the daemon in udamon ns. It isn't part of udamon and nothing is downloaded
# here: where it isn't installed, set DAMO to the folder into which its package was unpacked (dpkg -x).
# shellcheck source=tests/cli/lib.sh disable=SC2154 # lib.sh sets what is used here
. "${UDAMON_SOURCE:?}/tests/cli/lib.sh"
# shellcheck source=tests/sysfs/own_daemon.sh
. "$UDAMON_SOURCE/tests/sysfs/own_daemon.sh"
unpacked=${DAMO-/}
program=$unpacked/usr/bin/damo
[ -x "$program" ] || skip_all "damo isn't installed"
start_daemon
grep -q tracefs /proc/mounts || skip_all "damo needs a mounted tracefs"
start_target
mkdir "$scratch/home"
damo() {
	timeout 100 "$udamon" ns --mount "$mount" -- env HOME="$scratch/home" NO_COLOR=1 \
		PYTHONPATH="$unpacked/usr/lib/python3/dist-packages" python3 "$program" "$@"
}
has() {
	grep -qE -- "$2" "$scratch/out"
	result $? "$1" "nothing like '$2' in:
$(head -30 "$scratch/out")"
}

succeeds "damo start" damo start "$target"
succeeds "damo report damon" damo report damon
has "it is on" "state: on, pid: [0-9]+"
has "it watches the process" "pid: $target"
sleep 2
succeeds "damo report access" damo report access
has "regions with their accesses and ages" "size .* access .* hz .* age"
succeeds "damo tune" damo tune --monitoring_intervals 10ms 200ms 1s --damos_action stat --damos_access_rate 0% 0% \
	--damos_age 0 max "$target"
sleep 2
succeeds "damo report damon, tuned" damo report damon
has "the intervals" "sample 10 ms, aggr 200 ms, update 1 s"
has "statistics of the scheme" "tried [0-9,]+ times \([0-9.]+ [MG]iB\)"
succeeds "damo report damon --damos_stats" damo report damon --damos_stats
has "statistics by themselves" "nr_tried: [1-9]"
succeeds "damo stop" damo stop
is "it is off" off "$(cat "$mount/kernel/mm/damon/admin/kdamonds/0/state")"
finish
