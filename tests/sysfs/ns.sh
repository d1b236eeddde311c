#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# The commands on a daemon's tree that is really mounted, and udamon ns: what is seen inside, and that nothing changes
# outside.
# shellcheck source=tests/cli/lib.sh disable=SC2154 # lib.sh sets what is used here
. "${UDAMON_SOURCE:?}/tests/cli/lib.sh"
# shellcheck source=tests/sysfs/own_daemon.sh
. "$UDAMON_SOURCE/tests/sysfs/own_daemon.sh"
start_daemon
start_target
control() {
	local command=$1
	shift
	"$udamon" "$command" --mount "$mount" "$@"
}

try control start -q -p "$target"
is "start" "0 0/0" "$code $(cat "$scratch/out")"
succeeds "status" control status
is "status: on, and nothing else staged" "1 0" \
	"$(grep -c "^0/0  on, process $target (" "$scratch/out") $(grep -c "not in force" "$scratch/out")"
succeeds "pause" control pause
is "status: paused" 1 "$(control status | grep -c '^0/0  paused')"
succeeds "resume" control resume
succeeds "tune, with a scheme" control tune --sample 10ms --aggr 200ms --scheme action=stat,sz=4K..max
is "status: everything is in force" "1 0" \
	"$(control status | grep -c "samples every 10 ms, windows of 200 ms") $(control status | grep -c "not in force")"
refuses "tune: refused by the daemon, which says why" 1 "nr_regions/min: '2000' is above max, '1000'" \
	"$udamon" tune --mount "$mount" --min-regions 2000
is "tune: what was staged is put back" 0 "$(control status | grep -c "not in force")"
echo 20000 >"$mount/kernel/mm/damon/admin/kdamonds/0/contexts/0/monitoring_attrs/intervals/sample_us"
is "status: what somebody else staged" 1 \
	"$(control status | grep -c "staged, not in force: monitoring_attrs/intervals/sample_us is '20000', in force '10000'")"
refuses "pause: not together with that" 1 "something else is staged" "$udamon" pause --mount "$mount"
succeeds "tune --force brings it in force" control tune -q --force
sleep 1 # a window or two for the figures
succeeds "schemes --regions --json" control schemes --regions --json
is "schemes: statistics and regions" True "$(python3 -c '
import json, sys
s = json.load(open(sys.argv[1]))[0]["schemes"][0]
print(s["action"] == "stat" and s["nr_tried"] > 0 and len(s["tried_regions"]) >= 10
      and sum(r["end"] - r["start"] for r in s["tried_regions"]) > 64 << 20)' "$scratch/out" 2>&1)"
succeeds "top, once" control top -n 1
is "top shows the context" "1 1" "$(grep -c "^0/0 on process $target" "$scratch/out") $(grep -c "hot .* idle" "$scratch/out")"
succeeds "record --context" "$udamon" record -q --context 0/0 --mount "$mount" --for 2s -o context.udamon
what=$(whole context.udamon 3)
result $? "the record of a context is whole" "$what"
succeeds "pause, to record" control pause
refuses "record --context of a paused one" 1 "is paused and published no window; there is no record" \
	"$udamon" record --context 0/0 --mount "$mount" --for 300ms -o paused.udamon
succeeds "resume, after that" control resume
is "recording staged nothing" 0 "$(control status | grep -c "not in force")"

cat /proc/self/mountinfo >"$scratch/before"
succeeds "ns" control ns -- sh -c 'cat /proc/self/mountinfo; stat -f -c "type %T" /sys/kernel/mm/damon
	echo "state $(cat /sys/kernel/mm/damon/admin/kdamonds/0/state)"; ls /sys/kernel/mm | sed "s/^/mm /"'
is "ns: the daemon's tree is there" "1 1 1" "$(grep -c " /kernel/mm/damon /sys/kernel/mm/damon .* fuse.udamon " "$scratch/out") $(
	grep -c '^type fuse' "$scratch/out") $(grep -c '^state on' "$scratch/out")"
is "ns: the rest of /sys/kernel/mm is as it was" "" "$(find /sys/kernel/mm -mindepth 1 -maxdepth 1 -printf '%f\n' |
	while read -r name; do grep -q "^mm $name$" "$scratch/out" || echo "$name"; done)"
is "ns: outside nothing has changed" "" "$(diff "$scratch/before" /proc/self/mountinfo)"
try control ns -- sh -c 'exit 7'
is "ns: the command's status" 7 "$code"
refuses "ns: no such command" 127 "cannot start '/nosuch'" "$udamon" ns --mount "$mount" -- /nosuch

# As on a kernel without DAMON: there is no folder to mount on.
# shellcheck disable=SC2016 # the inner shell's
try unshare -m sh -c 'mount -t tmpfs none /sys/kernel/mm && mkdir /sys/kernel/mm/other && echo 1 >/sys/kernel/mm/file &&
	"$1" ns --mount "$2" -- sh -c "cat /sys/kernel/mm/damon/admin/kdamonds/0/state; ls /sys/kernel/mm; cat /sys/kernel/mm/file" &&
	ls /sys/kernel/mm' - "$udamon" "$mount"
is "ns: without the folder, a copy of /sys/kernel/mm has it" "0 on damon file other 1 file other" \
	"$code $(xargs <"$scratch/out")"
# In the namespace the daemon is the kernel for everybody.
try control ns -- "$udamon" status --engine kernel
is "ns: --engine kernel finds the daemon there" "0 1" "$code $(grep -c "^0/0  on, process $target (" "$scratch/out")"

succeeds "stop" control stop
is "stop: off and empty" "off 0" "$(cat "$mount/kernel/mm/damon/admin/kdamonds/0/state") $(
	cat "$mount/kernel/mm/damon/admin/kdamonds/0/contexts/nr_contexts")"
kill "$daemon"
wait "$daemon"
refuses "status: the daemon is gone" 1 "no udamond serves it" "$udamon" status --mount "$mount"
finish
