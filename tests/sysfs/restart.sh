#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Description: what the daemon was doing survives it: an end, kill -9 at any moment, a damaged file, targets
# that are gone, a full disk.
#
# usage: restart.sh [KILLS]
# shellcheck source=tests/sysfs/daemon.sh disable=SC2154 # daemon.sh sets what is used here
. "${UDAMON_SOURCE:?}/tests/sysfs/daemon.sh"

kills=${1-5}
context=$kdamonds/0/contexts/0

# statistic FILE: brought up to date
statistic() {
	echo update_schemes_stats >"$kdamonds/0/state" && cat "$context/schemes/0/stats/$1"
}
# oldest: the age of the oldest region, in windows
oldest() {
	sed 1,2d "$sys/udamon/kdamonds/0/windows" | awk '$6 > most { most = $6 } END { print most + 0 }'
}
# database QUERY: what a daemon that has ended has left
database() {
	cp "$state" "$scratch/copy.db"
	cp "$state-wal" "$scratch/copy.db-wal" 2>/dev/null
	sqlite3 "$scratch/copy.db" "$1"
	rm -f "$scratch"/copy.db*
}

need_daemon
watch_something
stage_watched
echo 10000000 >"$context/schemes/0/quotas/bytes"
echo 1000 >"$context/schemes/0/quotas/reset_interval_ms"
put on "$kdamonds/0/state"
is "a process is watched" ok "$answer"
echo 77777 >"$context/monitoring_attrs/intervals/aggr_us"
sleep 4
tried=$(statistic nr_tried)
ages=$(oldest)
aggr=$(in_force)

stop_daemon
is "it ends well" 0 "$daemon_code"
start_daemon
sleep 1
is "after an end, it watches again" "on $watched" \
	"$(cat "$kdamonds/0/state") $(sed -n 3p "$sys/udamon/kdamonds/0/windows" | cut -f2)"
result $(($(statistic nr_tried) < tried)) "statistics go on" "before $tried, now $(statistic nr_tried)"
sleep 0.5
result $(($(oldest) < ages)) "regions keep their ages" "before $ages, now $(oldest)"
is "what was only staged is only staged" "77777 $aggr" \
	"$(cat "$context/monitoring_attrs/intervals/aggr_us") $(in_force)"

# kill -9, at random moments: while it starts, while it commits, while it saves, while it is idle.
most_lost=0
failures=
for i in $(seq "$kills"); do
	case $((i % 3)) in
	0) ;;
	1) (for _ in $(seq 50); do
		echo commit >"$kdamonds/0/state"
		echo update_schemes_tried_regions >"$kdamonds/0/state"
	done) >/dev/null 2>&1 & ;;
	2) (for n in $(seq 500); do echo $((100000 + n)) >"$context/monitoring_attrs/intervals/update_us"; done) \
		>/dev/null 2>&1 & ;;
	esac
	sleep "$(printf '%d.%03d' $((RANDOM % 6)) $((RANDOM % 1000)))"
	now=$(date +%s%3N)
	stop_daemon KILL
	wait $! 2>/dev/null
	saved=$(database 'SELECT saved_ms FROM kdamond')
	lost=$((now - ${saved:-0}))
	[ "$(database 'PRAGMA integrity_check')" = ok ] || failures+="kill $i: the state is damaged; "
	[ -n "$saved" ] || failures+="kill $i: nothing is saved; "
	[ $lost -gt $most_lost ] && most_lost=$lost
	if [ $((i % 4)) = 3 ]; then # once more, while it starts
		"$udamond" --mount "$sys" --state "$state" --config "$config" --log stderr 2>>"$scratch/log" &
		daemon=$!
		sleep "0.$((RANDOM % 900 + 100))"
		stop_daemon KILL
	fi
	start_daemon || { failures+="kill $i: it doesn't start: $(tail -1 "$scratch/log"); "; break; }
	[ "$(cat "$kdamonds/0/state")" = on ] || failures+="kill $i: it doesn't watch; "
done
is "killed $kills times, it always comes back and watches" "" "$failures"
echo "# at most $most_lost ms of training were lost in $kills kills"
result $((most_lost > 5000)) "at most 5 s are lost" "$most_lost ms"
now=$(statistic nr_tried)
result $((now < tried)) "statistics went on over all of it" "at first $tried, now $now"

# The same number and start time, after another start of the machine: another process.
stop_daemon
python3 - "$state" <<'EOF_PYTHON'
import sqlite3, struct, sys, zlib
boot = open("/proc/sys/kernel/random/boot_id").read().strip().encode()
db = sqlite3.connect(sys.argv[1])
for number, training in db.execute("SELECT number, training FROM kdamond").fetchall():
    changed = training[12:].replace(boot, bytes(reversed(boot)))
    changed = training[:8] + struct.pack("<I", zlib.crc32(changed)) + changed
    db.execute("UPDATE kdamond SET training = ? WHERE number = ?", (changed, number))
db.commit()
EOF_PYTHON
start_daemon
is "a process of another boot is dropped" "off 1" \
	"$(cat "$kdamonds/0/state") $(grep -c "process $watched (.*), a target, was watched before the machine was booted anew" "$scratch/log")"
stage_watched
put on "$kdamonds/0/state"
is "and can be watched again" ok "$answer"
sleep 4

# A target that is gone.
stop_daemon KILL
kill -9 "$watched"
wait "$watched" 2>/dev/null
gone=$watched
watched=
start_daemon
is "a target that is gone is dropped" "off 1" \
	"$(cat "$kdamonds/0/state") $(grep -c "process $gone (.*), a target, has ended; it is dropped" "$scratch/log")"
stop_daemon

# Files that are none, or broken.
for what in damaged truncated foreign changed; do
	case $what in
	damaged) dd if=/dev/urandom of="$state" bs=1024 seek=2 count=8 conv=notrunc status=none ;;
	truncated) truncate -s 6000 "$state" ;;
	foreign)
		rm -f "$state"*
		sqlite3 "$state" 'CREATE TABLE a(b); INSERT INTO a VALUES(1)'
		;;
	changed) sqlite3 "$state" "DROP TABLE scheme; CREATE VIEW scheme AS SELECT 1 AS kdamond" >/dev/null ;;
	esac
	sum=$(sha256sum <"$state")
	start_daemon
	is "a $what state file is moved aside, whole" "$sum" "$(sha256sum <"$(ls "$state".aside-*-"$daemon")")"
	is "and that is said" 1 "$(grep -c "'$state' can't be used: .*-$daemon'" "$scratch/log")"
	stop_daemon
done

# A file of somebody's, named by mistake.
rm -f "$state" "$state"-*
seq 1000 >"$state"
sum=$(sha256sum <"$state")
"$udamond" --mount "$sys" --state "$state" --config "$config" --log stderr 2>>"$scratch/log" </dev/null
is "what is no database is refused" 1 $?
is "which is said" 1 "$(grep -c "'$state' is no state file" "$scratch/log")"
is "and left as it is" "$sum" "$(sha256sum <"$state")"
rm "$state"

# No room.
mkdir "$scratch/small"
mount -t tmpfs -o size=256k none "$scratch/small"
state=$scratch/small/state.db
start_daemon
dd if=/dev/zero of="$scratch/small/filler" bs=1k status=none 2>/dev/null
: >"$scratch/log"
echo 900 >"$kdamonds/nr_kdamonds"
sleep 7
is "a full disk is said once" 1 "$(grep -c 'cannot save the state' "$scratch/log")"
is "and the daemon goes on" 900 "$(cat "$kdamonds/nr_kdamonds")"
echo 1 >"$kdamonds/nr_kdamonds"
rm "$scratch/small/filler"
sleep 4
is "until there is room again" 1 "$(grep -c 'the state is saved again' "$scratch/log")"
stop_daemon
umount "$scratch/small"
finish
