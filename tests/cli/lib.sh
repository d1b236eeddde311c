# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# shellcheck shell=bash
# What the tests of the command line share: TAP output, and checks of one command each.
# Every test runs in an empty folder of its own ($PWD), which is removed at the end.
set -u

udamon=${UDAMON_BUILD:?}/udamon
# shellcheck disable=SC2034 # for those who read this file
demo=$UDAMON_BUILD/udamon-demo
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/here"
cd "$scratch/here" || exit 1
unset COLUMNS NO_COLOR COLORTERM
export TERM=xterm LC_ALL=C.UTF-8 TMPDIR=$scratch/tmp
mkdir "$TMPDIR"
chmod 755 "$scratch"
number=0

# result 0|1 NAME [WHY]: one line of TAP
result() {
	number=$((number + 1))
	if [ "$1" = 0 ]; then
		echo "ok $number - $2"
	else
		echo "not ok $number - $2"
		printf '%s\n' "${3-}" | sed 's/^/# /'
	fi
}

skip() {
	number=$((number + 1))
	echo "ok $number - $1 # SKIP $2"
}

finish() {
	echo "1..$number"
}

# skip_all REASON: nothing of this file can be tried here
skip_all() {
	echo "1..0 # SKIP $1"
	exit 0
}

# Live tests need an engine that works here.
need_engine() {
	local why
	"$udamon" doctor >/dev/null 2>&1 && return
	why=$("$udamon" doctor 2>/dev/null | sed -n 's/^  no   point  *//p' | head -1)
	skip_all "live programs can't be watched here: ${why:-see udamon doctor}"
}

# try COMMAND...: run it; $code, $scratch/out, $scratch/err
try() {
	"$@" >"$scratch/out" 2>"$scratch/err" </dev/null
	code=$?
	# Under AddressSanitizer virtual time earns a remark that isn't the program's.
	sed -i "/WARNING: ASan doesn't fully support makecontext/d" "$scratch/err"
}

what_was() {
	printf 'got status %s\n' "$code"
	sed 's/^/stdout: /' "$scratch/out" | head -5
	sed 's/^/stderr: /' "$scratch/err" | head -5
	ls -A | sed 's/^/left behind: /'
}

# refuses NAME CODE TEXT COMMAND...: it ends with CODE, says exactly one line, which holds TEXT,
# prints nothing else, and leaves nothing in the present and the temporary folder.
refuses() {
	local name=$1 expected=$2 text=$3
	local before after
	shift 3
	before=$(ls -lA --time-style=full-iso . "$TMPDIR")
	try "$@"
	after=$(ls -lA --time-style=full-iso . "$TMPDIR")
	if [ "$code" = "$expected" ] && [ ! -s "$scratch/out" ] &&
		[ "$(wc -l <"$scratch/err")" = 1 ] && grep -qF -- "$text" "$scratch/err" &&
		[ "$before" = "$after" ]; then
		result 0 "$name"
	else
		result 1 "$name" "expected status $expected and one line with: $text
$(what_was)"
	fi
}

# succeeds NAME COMMAND...: status 0 and no error
succeeds() {
	local name=$1
	shift
	try "$@"
	if [ "$code" = 0 ]; then
		result 0 "$name"
	else
		result 1 "$name" "expected status 0
$(what_was)"
	fi
}

# make_zombie: $zombie is a process that has exited, whose parent doesn't wait for it until drop_zombie
make_zombie() {
	python3 -c 'import os, signal, time
signal.signal(signal.SIGCHLD, signal.SIG_DFL)
print(os.fork() or os._exit(0), flush=True)
time.sleep(1000)' >"$scratch/zombie" &
	zombie_parent=$!
	for _ in $(seq 100); do
		zombie=$(cat "$scratch/zombie")
		[ -n "$zombie" ] && grep -q '^State:.*Z' "/proc/$zombie/status" 2>/dev/null && break
		sleep 0.1
	done
}

drop_zombie() {
	kill "$zombie_parent"
	wait "$zombie_parent" 2>/dev/null
}

# is NAME EXPECTED GOT
is() {
	if [ "$2" = "$3" ]; then
		result 0 "$1"
	else
		result 1 "$1" "expected $2, got $3"
	fi
}

# whole FILE: a record that is complete and readable, one file, with at least $2 windows
whole() {
	local check windows
	check=$(sqlite3 -readonly "$1" 'pragma integrity_check' 2>&1)
	[ "$check" = ok ] || { echo "$1: integrity_check: $check"; return 1; }
	[ -e "$1-wal" ] && { echo "$1-wal is left"; return 1; }
	windows=$(sqlite3 -readonly "$1" 'select count(*) from snapshot' 2>&1)
	[ "$windows" -ge "${2-0}" ] 2>/dev/null || { echo "$1: $windows windows, expected ${2-0}"; return 1; }
	"$udamon" report --json "$1" >"$scratch/json" 2>&1 || { cat "$scratch/json"; return 1; }
	python3 -m json.tool "$scratch/json" >/dev/null || { echo "$1: not JSON"; return 1; }
}
