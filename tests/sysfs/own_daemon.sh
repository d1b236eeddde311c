# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# shellcheck shell=bash disable=SC2154 # lib.sh, which was read before, sets what is used here
# A daemon of our own for tests, on a folder below the scratch folder. Nothing here touches /sys outside a
# private mount namespace.

udamond=$UDAMON_BUILD/udamond
mount=$scratch/sys

# start_daemon: or skip everything, with the reason
start_daemon() {
	[ "$(id -u)" = 0 ] || skip_all "serving a file tree needs root"
	[ -c /dev/fuse ] || skip_all "there is no /dev/fuse"
	[ -x "$udamond" ] || skip_all "built without udamond (libfuse3)"
	unshare -m true 2>/dev/null || skip_all "no private mount namespace"
	need_engine
	"$udamond" --mount "$mount" --state "$scratch/state.db" --log stderr >"$scratch/log" 2>&1 &
	daemon=$!
	trap stop_daemon EXIT
	for _ in $(seq 100); do
		[ -d "$mount/udamon/kdamonds" ] && return
		sleep 0.1
	done
	echo "Bail out! udamond didn't start: $(tail -1 "$scratch/log")"
	exit 1
}

stop_daemon() {
	kill "$daemon" 2>/dev/null
	wait "$daemon" 2>/dev/null
	[ -n "${target-}" ] && kill "$target" 2>/dev/null
	rm -rf "$scratch"
}

# start_target: a process that keeps touching 8 of its 64 MiB; its id in $target
start_target() {
	python3 -c '
import mmap, time
m = mmap.mmap(-1, 64 << 20)
for i in range(0, 64 << 20, 4096):
    m[i] = 1
while True:
    for i in range(0, 8 << 20, 4096):
        m[i] = 2
    time.sleep(0.01)
' &
	target=$!
	# shellcheck disable=SC3045 # bash
	echo 1000 >"/proc/$target/oom_score_adj"
}
