#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Description: udamon top: on a terminal of any size and without one, how it ends, and what it shows of
# processes, contexts and daemons that go while it looks.
# shellcheck source=tests/sysfs/daemon.sh disable=SC2154 # daemon.sh sets what is used here
. "${UDAMON_SOURCE:?}/tests/sysfs/daemon.sh"

# on_terminal STEPS [ARGUMENT...]: udamon top on a terminal of 24 rows and 80 columns. Each step, a line of
# STEPS, is "wait TEXT" (until a view has it: 30 s), "do COMMAND", "key K", "signal NAME", "size ROWS COLUMNS", or
# "measure" (the view). Prints what came of each, "code: N", "screen: left", "modes: as before", and what was said after it.
on_terminal() {
	python3 - "$udamon" --mount "$sys" "$@" <<'TERMINAL'
import fcntl, os, pty, re, select, signal, struct, subprocess, sys, termios, time
udamon, steps, args = sys.argv[1], sys.argv[4], sys.argv[2:4] + sys.argv[5:]
master, slave = pty.openpty()
def resize(rows, columns):
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
resize(24, 80)
before = termios.tcgetattr(slave)
os.environ.update(TERM="xterm", LC_ALL="C.UTF-8")
process = subprocess.Popen([udamon, "top"] + args, stdin=slave, stdout=slave, stderr=slave,
                           start_new_session=True,
                           preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
text = ""
def read(seconds):
    global text
    if select.select([master], [], [], seconds)[0]:
        text += os.read(master, 65536).decode(errors="replace")
def views():
    return text.split("\033[H\033[J")[1:]
def ended():
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        print("it doesn't end")
for step in steps.splitlines():
    word, _, rest = step.strip().partition(" ")
    if word == "wait":
        # In a view that has begun since; the last may not be whole yet.
        number, until = len(views()), time.monotonic() + 30
        while rest not in "".join(views()[max(number - 1, 0):]) and time.monotonic() < until and process.poll() is None:
            read(0.1)
        print("%s: %s" % (rest, "there" if rest in "".join(views()[max(number - 1, 0):]) else "missing"))
    elif word == "do":
        subprocess.run(rest, shell=True)
    elif word == "key":
        os.write(master, rest.encode())
    elif word == "signal":
        process.send_signal(getattr(signal, "SIG" + rest))
    elif word == "size":
        resize(*map(int, rest.split()))
        number, until = len(views()), time.monotonic() + 30
        while len(views()) < number + 2 and time.monotonic() < until:
            read(0.1)
    elif word == "measure":
        view = re.sub(r"\033\[[0-9;?]*[a-zA-Z]", "", views()[-2] if len(views()) > 1 else "").rstrip("\r\n").split("\r\n")
        # The third line is the strip of heat.
        print("rows: %d" % len(view), "strip: %d" % (len(view[2]) if len(view) > 2 else 0))
while process.poll() is None and select.select([master], [], [], 2)[0]:
    read(0)
ended()
while select.select([master], [], [], 0.2)[0]:
    read(0)
print("code:", process.returncode)
print("screen:", "left" if text.rstrip().rfind("\033[?1049l") > text.rfind("\033[?1049h") >= 0 else "not left")
print("modes:", "as before" if termios.tcgetattr(slave)[:4] == before[:4] else "changed")
last = re.sub(r"\033\[[0-9;?]*[a-zA-Z]", "", text[text.rfind("\033[?1049l"):]).strip()
print("said:", last or "nothing")
TERMINAL
}

# shows NAME TEXT: what on_terminal printed
shows() {
	if grep -qF -- "$2" <<<"$got"; then result 0 "$1"; else result 1 "$1" "expected $2, got
$got"; fi
}

need_daemon
watch_something

got=$(on_terminal "wait no context; start one with
key q")
shows "without a context it says so" "no context; start one with: there"
shows "q ends it" "code: 0"

stage_watched
put on "$kdamonds/0/state"
is "a process is watched" ok "$answer"
got=$(on_terminal "wait process $watched
wait regions
wait scheme 0, stat
size 24 40
measure
size 24 120
measure
size 6 80
measure
key x
wait q quits
key q")
shows "it shows the process" "process $watched: there"
shows "its memory" "regions: there"
shows "its schemes" "scheme 0, stat: there"
shows "it goes by the terminal's width" "rows: 7 strip: 39"
shows "also when that grows" "rows: 7 strip: 119"
shows "and by its height" "rows: 6 strip: 79"
shows "keys it doesn't know do nothing, and q ends it" "code: 0"
shows "the screen is as before" "screen: left"
shows "and the terminal's modes" "modes: as before"

for signal in INT TERM HUP; do
	got=$(on_terminal "wait process $watched
signal $signal")
	shows "SIG$signal ends it" "code: 0"
	shows "SIG$signal: the screen is as before" "screen: left"
	shows "SIG$signal: and the terminal's modes" "modes: as before"
done

# Without a terminal.
try "$udamon" top --mount "$sys"
is "without a terminal it prints one view and ends" "0 1 0" \
	"$code $(grep -c "^0/0 on process $watched" "$scratch/out") $(grep -c "$(printf '\033')" "$scratch/out")"
try "$udamon" top -n 2 --mount "$sys"
is "or as many as it is told" "0 2" "$code $(grep -c "^0/0 on" "$scratch/out")"
TERM=dumb try "$udamon" top --mount "$sys"
is "a terminal that can do nothing is none" 0 "$code"
try sh -c '"$1" top --mount "$2" >/dev/full' sh "$udamon" "$sys"
is "what can't be written is an error" "1 1" "$code $(grep -c 'cannot write to standard output' "$scratch/err")"
try bash -c '"$1" top -n 100 --mount "$2" | head -1 >/dev/null; exit ${PIPESTATUS[0]}' bash "$udamon" "$sys"
is "nobody who reads it: that ends it, without a word" "141 " "$code $(cat "$scratch/err")"
try "$udamon" top --mount "$sys" 7
is "a context that isn't there is an error" "1 1" "$code $(grep -c "'7/0': there is no such kdamond" "$scratch/err")"

# What goes while it looks.
got=$(on_terminal "wait 0/0 on
do kill -9 $watched
wait 0/0 off
key q")
wait "$watched" 2>/dev/null
shows "a process that ends" "0/0 off: there"
shows "doesn't end it" "code: 0"
watched=
got=$(on_terminal "wait 0/0 off
do echo 0 >$kdamonds/nr_kdamonds
wait no context
key q")
shows "a context that is removed" "no context: there"
echo 1 >"$kdamonds/nr_kdamonds"
echo 1 >"$kdamonds/0/contexts/nr_contexts"
got=$(on_terminal "wait 0/0 off
do echo 0 >$kdamonds/nr_kdamonds" 0/0)
shows "the one that was named: that is an error" "code: 1"
shows "which is said when the screen is gone" "can't be read any more"
shows "after which the terminal is as before" "modes: as before"
got=$(on_terminal "wait no context
do kill -9 $daemon")
shows "the daemon: an error, too" "code: 1"
shows "which is said" "can't be read any more"
wait "$daemon" 2>/dev/null
daemon=
finish
