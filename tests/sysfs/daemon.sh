# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# shellcheck shell=bash disable=SC2034,SC2154 # shared with those that include it, and with lib.sh
# What the tests of the daemon share: one of its own, mounted where nobody else sees it.
#
# The test that includes this is started once more in a private mount namespace. $sys is where the tree
# is, $state the state file, $config the configuration, $scratch/log what the daemon says.

udamond=${UDAMON_BUILD:?}/udamond
skip_file() {
	echo "1..0 # SKIP $1"
	exit 0
}
[ -x "$udamond" ] || skip_file "the daemon isn't built (it needs libfuse3)"
[ "$(id -u)" = 0 ] || skip_file "mounting needs root"
[ -c /dev/fuse ] || skip_file "there is no /dev/fuse"
if [ -z "${UDAMON_TEST_NAMESPACE-}" ]; then
	unshare -m --propagation private true 2>/dev/null ||
		skip_file "no private mount namespace can be made here"
	UDAMON_TEST_NAMESPACE=1 exec unshare -m --propagation private bash "$0" "$@"
fi

# shellcheck source=tests/cli/lib.sh
. "${UDAMON_SOURCE:?}/tests/cli/lib.sh"

sys=$scratch/sys
state=$scratch/state.db
config=$scratch/udamond.json
export UDAMON_LOCK_DIR=$scratch/locks
mkdir "$UDAMON_LOCK_DIR"
kdamonds=$sys/kernel/mm/damon/admin/kdamonds
daemon=
watched=

tidy() {
	[ -z "$watched" ] || kill -9 "$watched" 2>/dev/null
	[ -z "$daemon" ] || kill -9 "$daemon" 2>/dev/null
	umount -l "$sys" 2>/dev/null
	rm -rf "$scratch"
}
trap tidy EXIT

# start_daemon [OPTION...]: returns when the tree is there
start_daemon() {
	"$udamond" --mount "$sys" --state "$state" --config "$config" --log stderr "$@" \
		2>>"$scratch/log" </dev/null &
	daemon=$!
	for _ in $(seq 200); do
		[ -e "$sys/kernel" ] && return 0
		kill -0 "$daemon" 2>/dev/null || break
		sleep 0.1
	done
	wait "$daemon"
	daemon_code=$?
	daemon=
	return 1
}

# stop_daemon [SIGNAL]: $daemon_code is what it ended with
stop_daemon() {
	kill "-${1-TERM}" "$daemon"
	wait "$daemon" 2>/dev/null
	daemon_code=$?
	daemon=
}

need_daemon() {
	[ -e "$config" ] || echo '{"kdamonds": []}' >"$config"
	start_daemon "$@" || skip_all "no tree can be mounted here: $(tail -1 "$scratch/log")"
	grep -q "can't be watched here" "$scratch/log" &&
		skip_all "$(grep "can't be watched here" "$scratch/log" | head -1)"
	return 0
}

# watch_something: $watched is a process that keeps using 16 of its 64 MiB
watch_something() {
	python3 -c '
import time
open("/proc/self/oom_score_adj", "w").write("1000")
memory = bytearray(64 << 20)
while True:
    for page in range(0, 16 << 20, 4096):
        memory[page] = 1
    time.sleep(0.002)' &
	watched=$!
	sleep 0.5
}

# stage_watched: one kdamond that watches it, with a scheme that counts everything
stage_watched() {
	local context=$kdamonds/0/contexts/0
	echo 1 >"$kdamonds/nr_kdamonds"
	echo 1 >"$kdamonds/0/contexts/nr_contexts"
	echo vaddr >"$context/operations"
	echo 1 >"$context/targets/nr_targets"
	echo "$watched" >"$context/targets/0/pid_target"
	echo 1 >"$context/schemes/nr_schemes"
	for what in sz nr_accesses age; do
		echo 18446744073709551615 >"$context/schemes/0/access_pattern/$what/max"
	done
}

# in_force: the aggregation interval that the running context uses
in_force() {
	python3 -c '
import json, sys
def find(value):
    if isinstance(value, dict):
        if "aggr_us" in value:
            return value["aggr_us"]
        value = list(value.values())
    return next(filter(None, map(find, value)), None) if isinstance(value, list) else None
print(find(json.load(open(sys.argv[1]))))' "$sys/udamon/kdamonds/0/in_force"
}

# put TEXT FILE: writes it at once, as echo does; $answer is "ok" or the error's name
put() {
	answer=$(python3 - "$1" "$2" <<'PUT'
import errno, os, sys
try:
    fd = os.open(sys.argv[2], os.O_WRONLY)
    os.write(fd, sys.argv[1].encode())
    print("ok")
except OSError as error:
    print(errno.errorcode[error.errno])
PUT
	)
}
