#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# run and record on real processes: what is refused, exit statuses, what is found.
# shellcheck source=tests/cli/lib.sh disable=SC2154 # lib.sh sets what is used here
. "${UDAMON_SOURCE:?}/tests/cli/lib.sh"
need_engine

refuses "a process that doesn't exist" 1 "4194303" "$udamon" record -p 4194303
kthread=$(pgrep -x kthreadd || true)
if [ -n "$kthread" ]; then
	refuses "a kernel thread" 1 "kernel thread" "$udamon" record -p "$kthread"
else
	skip "a kernel thread" "there is none to be seen here"
fi
sleep 0.01 &
gone=$!
wait $gone
refuses "a process that has ended" 1 "$gone" "$udamon" record -p $gone
make_zombie
refuses "a process that has ended and wasn't waited for" 1 "process $zombie (python3) has exited" \
	"$udamon" record -p "$zombie"
drop_zombie
refuses "no such command" 127 "cannot run 'nosuch'" "$udamon" run -- nosuch
refuses "a command that can't be executed" 126 "cannot run '/etc/passwd'" "$udamon" run -- /etc/passwd
refuses "what can't be done to another process" 2 "scheme 1: action 'nohugepage': 'vaddr' can't do that" \
	"$udamon" run --scheme action=nohugepage -- touch ran
refuses "a node that isn't there" 1 "scheme 1: goal 'node_mem_free_bp': it can't be read" \
	"$udamon" run --scheme action=pageout,goal=node_mem_free_bp:5%:1000 -- touch ran
refuses "a node to migrate to that isn't there" 1 "scheme 1: there is no memory node '1000' to move memory to" \
	"$udamon" run --scheme action=migrate_cold,nid=1000 -- touch ran
refuses "a filter for a cgroup that isn't there" 1 "scheme 1: filter 'memcg': there is no memory cgroup '/no/such/cgroup'" \
	"$udamon" run --scheme action=pageout,filter=memcg:/no/such/cgroup:reject -- touch ran
refuses "no such user" 2 "--user 'nosuchuser'" "$udamon" run --user nosuchuser -- true
refuses "no such control group" 1 "'nosuch/group'" "$udamon" record --cgroup nosuch/group
refuses "run: directory of the record is missing" 1 "'/nosuch/x'" "$udamon" run -o /nosuch/x -- touch ran
echo "not a record" >foreign
refuses "run: a foreign file isn't replaced" 1 "'foreign'" "$udamon" run -o foreign -- touch ran
is "the foreign file is as it was" "not a record" "$(cat foreign)"
is "and the command was not started" no "$([ -e ran ] && echo yes || echo no)"
rm -f foreign
if setpriv --reuid 65534 --regid 65534 --clear-groups true 2>/dev/null; then
	cp "$udamon" "$scratch/udamon"
	chmod 755 "$scratch/udamon"
	chmod 777 . "$TMPDIR"
	as_nobody="setpriv --reuid 65534 --regid 65534 --clear-groups $scratch/udamon"
	# shellcheck disable=SC2086 # words
	refuses "no permission: names what is missing" 77 "CAP_BPF" $as_nobody record -p $$
	# shellcheck disable=SC2086
	refuses "no permission: offers the simulator, starts nothing" 77 "udamon sim hotcold" \
		$as_nobody run -- touch ran
	# shellcheck disable=SC2086
	succeeds "the simulator needs no permission" $as_nobody sim hotcold --for 3s
	# shellcheck disable=SC2086
	try $as_nobody doctor --json
	is "doctor says 77 where nothing works" "77 False" \
		"$code $(python3 -c 'import json,sys; print(json.load(sys.stdin)["engines"]["point"]["ok"])' <"$scratch/out")"
	chmod 755 .
fi

succeeds "doctor" "$udamon" doctor
succeeds "doctor --json" "$udamon" doctor --json
is "doctor --json has the documented keys" "True" "$(python3 -c '
import json, sys
d = json.load(sys.stdin)
print(all(k in d for k in ("engines", "kernel", "page_table_levels", "flush_method", "capabilities"))
      and set(d["engines"]) == {"point", "scan", "idle"}
      and all(set(e) == {"ok", "why"} for e in d["engines"].values()))' <"$scratch/out")"

scan=$(python3 -c 'import json,sys; print(json.load(sys.stdin)["engines"]["scan"]["ok"])' <"$scratch/out")
try "$udamon" run -q --engine scan --for 500ms -- sleep 1
is "doctor says of the engine scan what a run shows" "$scan" "$([ $code = 0 ] && echo True || echo False)"

try "$udamon" run -q -- sh -c 'exit 7'
is "run passes the command's status on" 7 "$code"
# shellcheck disable=SC2016 # for the inner shell
try "$udamon" run -q -- sh -c 'kill -KILL $$'
is "and the signal that ended it" 137 "$code"
try "$udamon" run -q -- sh -c 'echo out; echo err >&2; cat'
is "the command's output and input are its own" "out err" \
	"$(head -1 "$scratch/out") $(head -1 "$scratch/err")"
try "$udamon" run -q --user nobody -- id -un
is "run --user" "0 nobody" "$code $(head -1 "$scratch/out")"
try "$udamon" run -q -- sh -c 'grep -E "^Sig(Blk|Ign)" /proc/self/status'
is "the command starts with the signals it would have without udamon" \
	"$(grep -E '^Sig(Blk|Ign)' /proc/self/status)" "$(head -2 "$scratch/out")"
try "$udamon" run -q -- ls /proc/self/fd
is "and with no file of udamon's open" "$(ls /proc/self/fd)" "$(grep -E '^[0-9]+$' "$scratch/out")"
what=$(whole record.udamon)
result $? "the record of the shortest command is whole" "$what"

# The demo prints where its parts are; the hot one must come out as that, in one of the last windows: on a busy
# machine the demo doesn't get to run in each of them.
"$udamon" run -q --json --no-autotune --scheme action=stat,access=50%..max --for 5s -o demo.udamon -- "$demo" 5 >"$scratch/out" 2>"$scratch/err"
is "run of the demo" 0 $?
what=$(whole demo.udamon 10)
result $? "its record is whole" "$what"
cat >"$scratch/judge.py" <<'PY'
import sqlite3, sys
hot = next(l for l in open(sys.argv[2]) if l.startswith("  hot"))
start, end = (int(x, 16) for x in hot.split()[3].split("-"))
db = sqlite3.connect(sys.argv[1])
mask = 2**64 - 1
inside = 0
for (window,) in db.execute("select id from snapshot order by id desc limit 10"):
    rows = [(s & mask, e & mask) for s, e in db.execute(
        "select start, end from region where snapshot = ?"
        " and samples > 0 and nr_accesses * 2 >= samples", (window,))]
    inside = max(inside, sum(max(0, min(e, end) - max(s, start)) for s, e in rows))
size = end - start
# The moving part is hot as well: what was found there is not held against it.
print("ok" if inside >= 0.95 * size else f"found {inside} of {size} bytes of the hot part")
PY
is "the hot part that the demo prints is found" ok "$(python3 "$scratch/judge.py" demo.udamon "$scratch/out")"
is "the scheme counted it" 1 "$(sqlite3 demo.udamon 'select max(sz_applied) > 0 from scheme_stat where scheme = 0')"
is "and the record says what the scheme is" "count memory accessed in at least 50 % of the samples" \
	"$(sqlite3 demo.udamon "select value from meta where key = 'scheme_0'")"
is "the record names what was watched" "udamon-demo" \
	"$(sqlite3 demo.udamon 'select comm from target')"
is "and knows its mappings" 1 "$(sqlite3 demo.udamon "select count(*) > 0 from mapping where path like '%udamon-demo'")"

try "$udamon" run -q --no-autotune -o exec.udamon -- sh -c "exec '$demo' 1"
is "after an exec the record has the new program's name and arguments" "udamon-demo $demo 1" \
	"$(sqlite3 -separator ' ' exec.udamon 'select comm, cmdline from target')"
is "and the event says what it was before" 1 \
	"$(sqlite3 exec.udamon "select count(*) from event where what = 'exec' and detail like '%(sh) now runs udamon-demo'")"

sh -c 'sleep 60 & echo $! >child; exec sleep 60' &
pid=$!
while [ ! -s child ] || [ "$(cat /proc/$pid/comm)" != sleep ]; do sleep 0.01; done
succeeds "record of a process that has a child" \
	"$udamon" record -q -p $pid --for 2s --update 100ms --no-autotune -o parent.udamon
is "the record says that the child isn't watched" "child $(cat child) (sleep) is not watched" \
	"$(sqlite3 parent.udamon "select detail from event where what = 'children'")"
succeeds "record of a process and its child" \
	"$udamon" record -q -p "$pid,$(cat child)" --for 1s --update 100ms --no-autotune -o both.udamon
is "a child that is watched is no event" 0 \
	"$(sqlite3 both.udamon "select count(*) from event where what = 'children'")"
kill $pid "$(cat child)"
nr_windows() { # FILE
	sqlite3 -readonly "$1" 'select count(*) from snapshot' 2>/dev/null
}
wait_for_windows() { # FILE N: at most a minute
	for _ in $(seq 600); do
		[ "$(nr_windows "$1")" -ge "$2" ] 2>/dev/null && return
		sleep 0.1
	done
}
wait_for_pause() { # FILE: no new window in a second; at most half a minute
	local before
	for _ in $(seq 30); do
		before=$(nr_windows "$1")
		sleep 1
		[ "$(nr_windows "$1")" = "$before" ] && return
	done
}

"$demo" 60 >/dev/null &
pid=$!
try "$udamon" record -p $pid --for 100ms --aggr 1m -o short.udamon
is "a time shorter than a window is said to be, and the empty record has no report" "1 1 0" \
	"$(grep -c "shorter than a window" "$scratch/err") $(grep -c "no window: watching ended" "$scratch/err") $(
		grep -c "see it with" "$scratch/err")"
# The window ends with the time, give or take; there is a second's patience for it.
succeeds "record for just one window" "$udamon" record -q -p $pid --for 1s --no-autotune --sample 500ms --aggr 1s -o one.udamon
whole one.udamon 1
result $? "the window that ends with the time is there"
succeeds "record -p for a while" "$udamon" record -q -p $pid --for 1s --no-autotune -o p.udamon
what=$(whole p.udamon 1)
result $? "its record is whole" "$what"
is "the summary tells what the process had in memory" True \
	"$("$udamon" report --json p.udamon | python3 -c 'import json, sys; print(json.load(sys.stdin)["resident_bytes"] >= 4096)')"
is "with intervals of a short look it is by the engine point" "auto point" \
	"$(sqlite3 -separator ' ' p.udamon "select group_concat(value, ' ') from (select value from meta where key in ('engine', 'engine_asked') order by key desc)")"
# Until a window has ended whose interval was lengthened: by how much that is depends on the machine.
"$udamon" record -q -p $pid --sample 5ms --aggr 10ms --min-regions 500 --budget 0.5% -o budget.udamon &
recorder=$!
longest='select max(sample_us) from snapshot'
for _ in $(seq 600); do
	[ "$(sqlite3 -readonly budget.udamon "$longest" 2>/dev/null)" -gt 5000 ] 2>/dev/null && break
	sleep 0.1
done
kill -TERM $recorder
wait $recorder
is "record within a budget" 0 $?
result $(($(sqlite3 budget.udamon "$longest") <= 5000)) "it lengthens the sampling interval" \
	"asked for 5000 us, at most $(sqlite3 budget.udamon "$longest") us in $(sqlite3 budget.udamon 'select count(*) from snapshot') windows"
is "and says so" 1 "$(sqlite3 budget.udamon "select count(*) > 0 from event where what = 'budget' and detail like '%the budget is 0.5 %'")"
is "and so does the summary" "0.5" "$("$udamon" report --json budget.udamon | python3 -c 'import json, sys; print(json.load(sys.stdin)["budget_pct"])')"
succeeds "record without a budget" \
	"$udamon" record -q -p $pid --for 1s --sample 5ms --aggr 10ms --min-regions 500 --no-budget -o free.udamon
is "leaves the interval as it was asked for" "0 5000" "$(sqlite3 -separator ' ' free.udamon 'select max(floor_us), max(sample_us) from snapshot')"
range=$(sed -n 's/^\([0-9a-f]*-[0-9a-f]*\) .*udamon-demo$/\1/p' /proc/$pid/maps | head -1)
succeeds "record --range" "$udamon" record -q -p $pid --range "$range" --for 1s -o r.udamon
is "only the range is in the record" "$range" \
	"$(sqlite3 r.udamon "select printf('%x-%x', min(start), max(end)) from region")"
"$demo" 60 >/dev/null &
second=$!
"$udamon" record -q -p $pid -o "$scratch/first.udamon" &
recorder=$!
wait_for_windows "$scratch/first.udamon" 1
cp p.udamon older.udamon
refuses "a process that is watched already" 1 "already watched" "$udamon" record -p $pid -o older.udamon
refuses "a record that is being written" 1 "first.udamon" "$udamon" record -p $second -o "$scratch/first.udamon"
cmp -s p.udamon older.udamon
result $? "and the older record is not lost to a run that was refused"
kill $recorder
wait $recorder
is "what runs already and can be afforded is scanned, once a second, or less often where the budget wants it" "scan 1" \
	"$(sqlite3 -separator ' ' "$scratch/first.udamon" "select engine, min(sample_us) >= 1000000 from snapshot")"
rm -f older.udamon
succeeds "record of two processes" "$udamon" record -q -p $pid,$second --for 1s -o two.udamon
is "both are in the record" 2 "$(sqlite3 two.udamon 'select count(distinct target) from region')"
"$udamon" record -q -p $pid --no-autotune -o paused.udamon 2>"$scratch/err" &
recorder=$!
wait_for_windows paused.udamon 3
kill -USR1 $recorder
wait_for_pause paused.udamon
kill -USR2 $recorder
wait_for_windows paused.udamon $(($(nr_windows paused.udamon) + 1))
kill $pid
wait $recorder
is "record ends when its process does" 0 $?
is "pause and resume are in the record" "pause resume" \
	"$(sqlite3 paused.udamon "select what from event where what in ('pause','resume') order by t_ns" | xargs)"
kill $second

# Nothing to do for a minute: the monitor must not keep a processor busy with that.
"$demo" 60 >/dev/null &
pid=$!
begin=$SECONDS
try bash -c "TIMEFORMAT=%U+%S; time \"\$@\" 2>/dev/null" - \
	"$udamon" record -q -p $pid --sample 1m --aggr 1m --for 2s -o idle.udamon
is "--for holds where windows are longer" 1 $((SECONDS - begin < 30))
is "waiting takes no processor time to speak of" True \
	"$(python3 -c 'import sys; print(eval(sys.stdin.read()) < 1)' <"$scratch/err")"
kill $pid

# A pause begins with the next sampling interval; nothing else has to wait for that.
"$demo" 60 >/dev/null &
pid=$!
env --default-signal=INT "$udamon" record -q -p $pid --sample 5m --aggr 5m -o slow.udamon &
recorder=$!
for _ in $(seq 600); do [ -e slow.udamon ] || sleep 0.1; done
sleep 0.5
kill -USR1 $recorder
sleep 0.2
kill -TERM $recorder
timeout 60 tail --pid=$recorder -f /dev/null
is "Ctrl-C doesn't wait until a pause begins" 0 $?
kill -KILL $recorder 2>/dev/null
wait $recorder
kill $pid

# A control group of our own, where that is possible.
group=/sys/fs/cgroup/udamon-test-$$
[ -d /sys/fs/cgroup/memory ] && group=/sys/fs/cgroup/memory/udamon-test-$$
if mkdir -p "$group/below" 2>/dev/null && [ -e "$group/below/cgroup.procs" ]; then
	"$demo" 60 >/dev/null &
	pid=$!
	echo $pid >"$group/below/cgroup.procs"
	succeeds "record --cgroup" "$udamon" record -q --cgroup "$group" --for 1s -o group.udamon
	is "it watched the process in the group below" "$pid" "$(sqlite3 group.udamon 'select pid from target')"
	kill $pid
	wait $pid 2>/dev/null
	refuses "record --cgroup of an empty group" 1 "has no process" "$udamon" record --cgroup "$group"
	rmdir "$group/below" "$group"
else
	skip "record --cgroup" "can't make a control group here"
fi

# Disk full while watching: said once, watching goes on, status 1.
if unshare -m true 2>/dev/null; then
	try unshare -m sh -c 'mount -t tmpfs -o size=128k none /mnt && "$@"' - \
		"$udamon" run -q --sample 1ms --aggr 5ms -o /mnt/full.udamon -- "$demo" 4
	is "disk full while watching: status 1" 1 "$code"
	is "and it is said" 1 "$(grep -c 'watching goes on' "$scratch/err")"
fi
finish
