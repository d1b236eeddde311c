#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Description: the configuration file: at the start, read again, wrong, and after a restart.
# shellcheck source=tests/sysfs/daemon.sh disable=SC2154 # daemon.sh sets what is used here
. "${UDAMON_SOURCE:?}/tests/sysfs/daemon.sh"

context=$kdamonds/0/contexts/0

configure() {
	cat >"$config" <<JSON
{"kdamonds": [{"state": "on", "contexts": [{
	"ops": "vaddr", "targets": [{"pid": $1, "regions": []}],
	"intervals": {"sample_us": "5 ms", "aggr_us": "$2", "ops_update_us": "1 s"},
	"nr_regions": {"min": "10", "max": "1,000"},
	"schemes": []}]}]}
JSON
}
# reload TEXT: have it read again, and wait until it has said TEXT
reload() {
	: >"$scratch/log"
	kill -HUP "$daemon"
	for _ in $(seq 100); do
		grep -q "$1" "$scratch/log" && return
		sleep 0.1
	done
}

watch_something
echo '{"kdamonds": [' >"$config"
start_daemon
is "a file that is no JSON ends it at the start" "1 1" \
	"$daemon_code $(grep -c "'$config', line 2: this is no JSON" "$scratch/log")"
configure "$watched" "100 ms"
need_daemon
is "what is configured runs" "on $watched 100000" \
	"$(cat "$kdamonds/0/state" "$context/targets/0/pid_target" "$context/monitoring_attrs/intervals/aggr_us" | paste -sd' ')"
before=$(in_force)
configure "$watched" "200 ms"
reload "is in force"
is "read again, it is a commit" "200000 on" \
	"$(cat "$context/monitoring_attrs/intervals/aggr_us") $(cat "$kdamonds/0/state")"
after=$(in_force)
result "$([ "$before" != "$after" ]; echo $?)" "which changes what is in force" "before $before, after $after"
worker=$(cat "$kdamonds/0/pid")
for wrong in '{' '{"kdamonds": [{"contexts": [{"ops": "no such"}]}]}' '{"kdamonds": [], "other": 1}'; do
	echo "$wrong" >"$config"
	reload "not taken over"
	is "the file '$wrong' leaves in force what was" "$after $worker 1" \
		"$(in_force) $(cat "$kdamonds/0/pid") $(grep -c "error: '$config'" "$scratch/log")"
done
echo 123456 >"$context/monitoring_attrs/intervals/aggr_us"
put commit "$kdamonds/0/state"
configure "$watched" "200 ms"
stop_daemon
start_daemon
is "after a restart, what was changed in the tree stays" 123456 \
	"$(cat "$context/monitoring_attrs/intervals/aggr_us")"
stop_daemon
configure "$watched" "300 ms"
start_daemon
is "unless the file has changed" 300000 "$(cat "$context/monitoring_attrs/intervals/aggr_us")"
stop_daemon
finish
