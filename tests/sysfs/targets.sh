#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Description: which process the daemon means by a number, and what it keeps of those it has watched.
# shellcheck source=tests/sysfs/daemon.sh disable=SC2154 # daemon.sh sets what is used here
. "${UDAMON_SOURCE:?}/tests/sysfs/daemon.sh"

# stage KDAMOND PID...: a context that watches these processes
stage() {
	local contexts=$kdamonds/$1/contexts place=0
	local context=$contexts/0
	shift
	[ "$(cat "$contexts/nr_contexts")" = 1 ] || echo 1 >"$contexts/nr_contexts"
	echo vaddr >"$context/operations"
	echo $# >"$context/targets/nr_targets"
	for pid; do
		echo "$pid" >"$context/targets/$place/pid_target"
		place=$((place + 1))
	done
}
# open_files: how many the daemon has, but for those that it has open for a moment, as for each reading of page tables
open_files() {
	for _ in $(seq 20); do
		ls "/proc/$daemon/fd" | wc -l
		sleep 0.01
	done | sort -n | head -n 1
}

need_daemon
watch_something
echo 2 >"$kdamonds/nr_kdamonds"

# A number that comes round: the next process that has it can be watched.
sleep 1000 &
recycled=$!
echo scan | tee "$sys/udamon/kdamonds/0/engine" >"$sys/udamon/kdamonds/1/engine"
stage 0 $recycled
stage 1 "$watched"
put on "$kdamonds/0/state"
is "a process is watched" ok "$answer"
put on "$kdamonds/1/state"
is "another one beside it" ok "$answer"
kill $recycled
wait $recycled 2>/dev/null
sleep 0.1 # start times are in hundredths of a second
mkfifo "$scratch/number"
python3 - $recycled >"$scratch/number" <<'AGAIN' &
import ctypes, os, signal, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
number = ctypes.c_int(int(sys.argv[1]))
args = struct.pack("<11Q", 0, 0, 0, 0, signal.SIGCHLD, 0, 0, 0, ctypes.addressof(number), 1, 0)
pid = libc.syscall(435, args, len(args)) # clone3
if pid == 0:
    libc.prctl(1, signal.SIGKILL) # with its parent
    while True:
        signal.pause()
print(pid, flush=True)
signal.pause()
AGAIN
starter=$!
read -r again <"$scratch/number"
if [ "$again" = $recycled ]; then
	stage 1 "$watched" $recycled
	put commit "$kdamonds/1/state"
	is "a number that another process had before can be added to what runs" \
		"ok" "$answer$([ "$answer" = ok ] || cat "$sys/udamon/kdamonds/1/error")"
else
	skip "a number that another process had before can be added to what runs" \
		"may not choose the number of a process here"
fi
kill -9 $starter
wait $starter 2>/dev/null
echo off >"$kdamonds/1/state"
[ "$(cat "$kdamonds/0/state")" = off ] || echo off >"$kdamonds/0/state"

# A process that has exited has a number until its parent has waited for it.
make_zombie
stage 0 "$zombie"
put on "$kdamonds/0/state"
is "a process that has exited can't be watched" EINVAL "$answer"
is "and which one it was is said" "on: contexts/0/targets/0/pid_target: '$zombie': process $zombie (python3) has exited" \
	"$(cat "$sys/udamon/kdamonds/0/error")"
drop_zombie

# Whatever budgets are tried, nothing piles up: neither what was tried out nor who was watched.
stage 0 "$watched"
before=0
failed=
for budget in 210 211 212 213 214 215 216 217 218 219; do
	echo $budget >"$sys/udamon/kdamonds/0/budget"
	put on "$kdamonds/0/state"
	[ "$answer" = ok ] || failed+="budget $budget: $answer; "
	[ $before != 0 ] || before=$(open_files)
	echo off >"$kdamonds/0/state"
done
put on "$kdamonds/0/state"
is "each budget can be had" "" "$failed"
is "as many files are open after ten budgets as after one" "$before" "$(open_files)"
echo off >"$kdamonds/0/state"
stop_daemon
is "it ends well" 0 "$daemon_code"
finish
