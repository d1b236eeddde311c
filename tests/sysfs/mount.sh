#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Description: the mounted tree as a file system: modes, errors, partial reads, writes that wait, who may
# use it, and what becomes of the mount.
# shellcheck source=tests/sysfs/daemon.sh disable=SC2154 # daemon.sh sets what is used here
. "${UDAMON_SOURCE:?}/tests/sysfs/daemon.sh"

need_daemon

mounts() { grep -c " $sys .* fuse.udamon udamond " /proc/self/mountinfo; }
# calls: what each of a list of system calls gives
calls() {
	python3 - "$@" <<'CALLS'
import errno, os, sys
def name(call):
    try:
        return str(call())
    except OSError as error:
        return errno.errorcode[error.errno]
k = sys.argv[1]
pid, nr, state = k + "/0/pid", k + "/nr_kdamonds", k + "/0/state"
def gone():
    probes = k + "/0/contexts/0/monitoring_attrs/probes"
    def count(n):
        with open(probes + "/nr_probes", "w") as file:
            file.write(n)
    count("1")
    inside = probes + "/0/filters"
    for use in (os.chdir, os.stat, os.listdir):
        use(inside)
    os.chdir("/")
    count("0")
    return [name(lambda: use(inside)) for use in (os.chdir, os.stat, os.listdir)] + [os.access(inside, os.F_OK)]
def pieces():
    fd = os.open(k + "/0/contexts/0/avail_operations", os.O_RDONLY)
    whole = os.read(fd, 4096)
    parts = b"".join(os.pread(fd, 1, i) for i in range(len(whole)))
    return whole == parts and os.pread(fd, 10, len(whole)) == b""
def kept():
    fd = os.open(nr, os.O_RDWR)
    first = os.pread(fd, 1, 0)
    os.write(fd, b"2")
    rest = os.pread(fd, 10, 1)
    anew = os.pread(fd, 10, 0)
    os.write(fd, b"1")
    return (first, rest, anew) == (b"1", b"\n", b"2\n")
for what, call in (
    ("a read-only file for writing", lambda: os.open(pid, os.O_WRONLY)),
    ("a read-only file for both", lambda: os.open(pid, os.O_RDWR)),
    ("cutting a read-only file", lambda: os.truncate(pid, 0)),
    ("making a file", lambda: os.open(k + "/new", os.O_CREAT | os.O_WRONLY, 0o600)),
    ("making a directory", lambda: os.mkdir(k + "/new")),
    ("removing a file", lambda: os.unlink(nr)),
    ("removing a directory", lambda: os.rmdir(k + "/0")),
    ("renaming", lambda: os.rename(nr, k + "/new")),
    ("linking", lambda: os.link(nr, k + "/new")),
    ("a symbolic link", lambda: os.symlink(nr, k + "/new")),
    ("another mode", lambda: os.chmod(nr, 0o666)),
    ("another owner", lambda: os.chown(nr, 1, 1)),
    ("an unknown name", lambda: os.open(k + "/1", os.O_RDONLY)),
    ("a directory as a file", lambda: os.open(k, os.O_WRONLY)),
    ("a wrong word", lambda: os.write(os.open(state, os.O_WRONLY), b"onn")),
    ("a long word", lambda: os.write(os.open(state, os.O_WRONLY), b"x" * 5000)),
    ("cutting a file", lambda: os.truncate(nr, 0)),
    ("reading in pieces", pieces),
    ("a directory that has gone", gone),
    ("pieces of one reading", kept),
    ("sizes", lambda: (os.stat(nr).st_size, os.stat(pid).st_size)),
    ("permissions", lambda: [os.access(nr, m) for m in (os.R_OK, os.W_OK, os.X_OK)] + [os.access(k, os.X_OK)]),
    ("modes", lambda: [oct(os.stat(p).st_mode) for p in (nr, pid, k)]),
):
    print(what + ": " + name(call))
CALLS
}

is "mounted once, as ours" 1 "$(mounts)"
is "nobody can run programs or devices from it" 1 \
	"$(grep " $sys " /proc/self/mountinfo | grep -c 'nosuid,nodev,noexec')"
echo 1 >"$kdamonds/nr_kdamonds"
echo 1 >"$kdamonds/0/contexts/nr_contexts"
expected="a read-only file for writing: EACCES
a read-only file for both: EACCES
cutting a read-only file: EACCES
making a file: EACCES
making a directory: EPERM
removing a file: EPERM
removing a directory: EPERM
renaming: EPERM
linking: EPERM
a symbolic link: EPERM
another mode: EPERM
another owner: EPERM
an unknown name: ENOENT
a directory as a file: EISDIR
a wrong word: EINVAL
a long word: EINVAL
cutting a file: None
reading in pieces: True
pieces of one reading: True
sizes: (4096, 4096)
a directory that has gone: ['ENOENT', 'ENOENT', 'ENOENT', False]
permissions: [True, True, False, True]
modes: ['0o100600', '0o100400', '0o40755']"
got=$(calls "$kdamonds")
while IFS= read -r line; do
	is "$line" "$line" "$(grep -F "${line%%: *}: " <<<"$got")"
done <<<"$expected"

if setpriv --reuid 65534 --clear-groups true 2>/dev/null; then
	is "other users can't look in" 1 \
		"$(setpriv --reuid 65534 --clear-groups ls "$sys" >/dev/null 2>&1; [ $? -ne 0 ]; echo $((1 - $?)))"
else
	skip "other users can't look in" "setpriv doesn't work here"
fi
caps=$(sed -n 's/^CapEff:\t*//p' "/proc/$daemon/status")
is "it keeps six capabilities" 6 \
	"$(python3 -c "print(bin(int('$caps', 16)).count('1'))")"
is "and can get no others" "1 $caps" \
	"$(sed -n 's/^NoNewPrivs:\t*//p;s/^CapBnd:\t*//p' "/proc/$daemon/status" | sort | paste -sd' ' | awk '{print $2 == "1" ? $2 " " $1 : $1 " " $2}')"

# Writes that wait.
watch_something
stage_watched
echo 60000000 >"$kdamonds/0/contexts/0/schemes/0/apply_interval_us"
put on "$kdamonds/0/state"
is "a process is watched with these privileges" ok "$answer"
waiting=$(python3 - "$kdamonds/0/state" "$kdamonds/0/pid" <<'WAITING'
import errno, os, signal, subprocess, sys, time
state, pid = sys.argv[1:]
writers = [subprocess.Popen([sys.executable, "-c", """
import errno, os, signal, sys
def nothing(*args): pass
signal.signal(signal.SIGUSR1, nothing)
signal.siginterrupt(signal.SIGUSR1, True)
fd = os.open(sys.argv[1], os.O_WRONLY | os.O_TRUNC)
print("open", flush=True)
try:
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    word = b"update_schemes_tried_regions"
    got = libc.write(fd, word, len(word))
    print("ok" if got >= 0 else errno.errorcode[ctypes.get_errno()], flush=True)
except OSError as error:
    print(errno.errorcode[error.errno], flush=True)
""", state], stdout=subprocess.PIPE, text=True) for _ in range(24)]
for writer in writers:
    writer.stdout.readline()
time.sleep(0.5)
begin = time.monotonic()
word = open(state).read().strip() + " " + str(int(open(pid).read()) > 0)
took = time.monotonic() - begin
print("reading beside 24 waiting writers:", word, "at once" if took < 2 else "after %.1f s" % took)
begin = time.monotonic()
for writer in writers:
    writer.send_signal(signal.SIGUSR1)
answers = {writer.stdout.readline().strip() for writer in writers}
for writer in writers:
    writer.wait()
took = time.monotonic() - begin
print("interrupted:", *sorted(answers), "at once" if took < 5 else "after %.1f s" % took)
WAITING
)
is "waiting writers keep nobody from reading" "reading beside 24 waiting writers: on True at once" \
	"$(sed -n 1p <<<"$waiting")"
is "a signal ends the wait" "interrupted: EINTR at once" "$(sed -n 2p <<<"$waiting")"

# The end of a mount.
python3 - "$kdamonds/0/state" "$scratch/opened" <<'WRITER' 2>"$scratch/answer" &
import os, sys
fd = os.open(sys.argv[1], os.O_WRONLY)
os.mkdir(sys.argv[2])
os.write(fd, b"update_schemes_tried_regions")
WRITER
writer=$!
until [ -d "$scratch/opened" ] || ! kill -0 $writer; do sleep 0.1; done
sleep 0.3
stop_daemon
wait $writer
is "SIGTERM ends it well" 0 "$daemon_code"
is "with nothing mounted afterwards" 0 "$(mounts)"
is "and an answer to those who wait" 1 "$(grep -c '^[A-Za-z]*Error' "$scratch/answer")"

start_daemon
"$udamond" --mount "$sys" --state "$scratch/other.db" --log stderr 2>"$scratch/err"
is "a second one is refused" "1 1" "$? $(grep -c "'$sys' is served by another udamond" "$scratch/err")"
"$udamond" --mount "$scratch/sys2" --state "$state" --log stderr 2>"$scratch/err"
is "a state file in use is refused" "1 1" "$? $(grep -c "'$state' is in use" "$scratch/err")"
is "the first one goes on" on "$(cat "$kdamonds/0/state")"
stop_daemon KILL
is "killed, it leaves a dead mount" 1 "$(stat "$sys" 2>&1 | grep -c 'not connected')"
start_daemon
is "which the next one takes over" "1 on" "$(mounts) $(cat "$kdamonds/0/state" 2>&1)"
umount "$sys"
wait "$daemon"
is "unmounted by somebody else, it ends" 1 "$?"
daemon=

mkdir "$scratch/full" "$scratch/foreign"
touch "$scratch/full/file"
mount -t tmpfs none "$scratch/foreign"
for place in full foreign; do
	"$udamond" --mount "$scratch/$place" --state "$state" --log stderr 2>"$scratch/err"
	is "a $place directory is refused" "1 1" \
		"$? $(grep -c "cannot mount on '$scratch/$place'" "$scratch/err")"
done
umount "$scratch/foreign"
finish
