#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# What scripts/run-tests counts, shows, and tries a second time. Its meson is a stand-in that only leaves a log.
# shellcheck source=tests/cli/lib.sh disable=SC2154 # lib.sh sets what is used here
. "${UDAMON_SOURCE:?}/tests/cli/lib.sh"

# The Nth call takes the Nth log of the folder "logs".
mkdir "$scratch/bin"
cat >"$scratch/bin/meson" <<'FAKE'
#!/bin/sh
echo "meson $*" >>calls
echo "1/1 what meson says of a program"
echo "Summary of Failures:"
echo "what meson sums up"
while [ $# -gt 0 ]; do
	[ "$1" = --logbase ] && log=$2
	shift
done
number=$(wc -l <calls)
[ -e "logs/$number" ] && cp "logs/$number" "build/meson-logs/$log.json"
exit "$(cat status)"
FAKE
chmod 755 "$scratch/bin/meson"

# begin STATUS: of meson
begin() {
	rm -rf build logs calls
	mkdir -p build/meson-logs logs
	echo "$1" >status
}

# program LOG SUITE RESULT STATUS OUTPUT [ERRORS]: a line of the log
program() {
	python3 -c 'import json, sys
suite, result, status, out, err = sys.argv[1:]
print(json.dumps(dict(name=f"udamon:{suite} / {suite}_it", result=result, returncode=int(status), stdout=out, stderr=err)))' \
		"$2" "$3" "$4" "$(printf '%b' "$5")" "${6-}" >>"logs/$1"
}

# ends NAME STATUS LINE: run it; its last line and status
ends() {
	PATH=$scratch/bin:$PATH try "$UDAMON_SOURCE/scripts/run-tests" build
	is "$1" "$2 $3" "$code $(tail -1 "$scratch/out")"
}

# shows NAME LINE...: the output has them, one after the other
shows() {
	local name=$1 text
	shift
	text=$(printf '%s\n' "$@")
	[[ $(cat "$scratch/out") == *"$text"* ]]
	result $? "$name" "expected
$text
$(what_was)"
}

begin 0
program 1 unit OK 0 'ok 1 - a\nok 2 - b\n1..2'
program 1 live OK 0 'ok 1 - c\n1..1'
ends "all passes" 0 "3 passed, 0 failed, 0 skipped"
is "and is run once" 1 "$(wc -l <calls)"
is "what meson says is shown, and its sum isn't" "1 0" \
	"$(grep -c '^1/1 what' "$scratch/out") $(grep -c 'sums up' "$scratch/out")"

begin 1
program 1 unit FAIL 0 '# SKIP no permission\nnot ok 1 - a # SKIP\nok 2 - b\n1..2'
program 1 live SKIP 0 '1..0 # SKIP no engine'
ends "what is skipped is no failure" 0 "1 passed, 0 failed, 2 skipped"
shows "the reasons are told" "skipped udamon:unit / unit_it: 1 (no permission)" \
	"skipped udamon:live / live_it: 1 (no engine)"

begin 1
program 1 unit FAIL 1 'of a\nok 1 - a\nof b\nnot ok 2 - b\n# expected 1, got 2\nok 3 - c\n1..3' 'ERROR: b'
ends "a unit test that fails" 1 "2 passed, 1 failed, 0 skipped"
shows "it says why, and nothing of other tests" "FAILED  udamon:unit / unit_it: b" "    of b" "    # expected 1, got 2" \
	"    errors it printed, the last:" "    ERROR: b" "2 passed, 1 failed, 0 skipped"
is "it has no second try" 1 "$(wc -l <calls)"

begin 1
program 1 unit FAIL 1 "$(printf 'line %d\\n' $(seq 100))not ok 1 - a\n# why\n1..1"
ends "a test that says much" 1 "0 passed, 1 failed, 0 skipped"
shows "only the last lines are shown" "unit_it: a" "    line 87" "    line 88"
is "and no more than 15" 15 "$(grep -c '^    ' "$scratch/out")"

begin 1
program 1 live FAIL 1 'ok 1 - a\nnot ok 2 - b\n# expected 1, got 2\n1..2'
program 1 unit OK 0 'ok 1 - c\n1..1'
program 2 live OK 0 'ok 1 - a\nok 2 - b\n1..2'
ends "a live program that passes the second time" 0 "3 passed, 0 failed, 0 skipped"
shows "it is told" "second try  udamon:live / live_it: b (first: expected 1, got 2)"
is "only that program was run again" live_it "$(tail -1 calls | awk '{ print $NF }')"

begin 1
program 1 live FAIL 1 'ok 1 - a\nnot ok 2 - b\n# expected 1, got 2\n1..2'
program 2 live FAIL 1 'not ok 1 - a\n# expected 3, got 4\nok 2 - b\n1..2'
ends "one in which another test fails the second time" 1 "1 passed, 1 failed, 0 skipped"
shows "says why, of the first time" "FAILED  udamon:live / live_it: b" "    # expected 1, got 2"
shows "and of the second" "FAILED TWICE  udamon:live / live_it: a" "    # expected 3, got 4"

begin 1
program 1 live FAIL 1 'not ok 1 - a\n1..1'
ends "one whose second try leaves no log" 1 "0 passed, 1 failed, 0 skipped"

begin 1
program 1 live FAIL 1 'not ok 1 - a\nok 2 - b\n1..2'
program 2 live OK 0 'ok 1 - a\n1..2'
ends "one that stops short of its plan the second time" 1 "1 passed, 1 failed, 0 skipped"

begin 1
program 1 live FAIL 1 'not ok 1 - a\nok 2 - b\n1..2'
program 2 live FAIL 0 'not ok 1 - a # SKIP too busy\nok 2 - b\n1..2'
ends "one that leaves the test out the second time" 1 "1 passed, 1 failed, 0 skipped"

begin 1
program 1 live TIMEOUT -15 'ok 1 - a\nwaits for b'
program 2 live OK 0 'ok 1 - a\nok 2 - b\n1..2'
ends "a live program that ran out of time has a second try" 0 "2 passed, 0 failed, 0 skipped"
shows "which is told" "second try  udamon:live / live_it: TIMEOUT (first: no message)"

begin 1
program 1 live FAIL -11 'ok 1 - a\nin b\n1..2'
program 2 live OK 0 'ok 1 - a\nok 2 - b\n1..2'
ends "one that crashed has none" 1 "1 passed, 1 failed, 0 skipped"
shows "its last words are shown" "FAILED  udamon:live / live_it: FAIL" "    in b" "    1..2"

begin 2
ends "where meson itself failed" 1 "0 passed, 1 failed, 0 skipped"
begin 0
ends "where no test was run" 1 "0 passed, 0 failed, 0 skipped"
finish
