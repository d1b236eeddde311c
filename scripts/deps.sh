#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Makes sure the packages udamon is built with are there. As root on Debian or a
# relative of it the missing ones are installed; everybody else is told their names.
# scripts/deps.sh lint   also asks for what `make lint` needs.
set -eu

packages="gcc libc6-dev make meson ninja-build pkgconf clang llvm bpftool libbpf-dev libelf-dev
	zlib1g-dev libsqlite3-dev libjansson-dev libcmocka-dev libfuse3-dev
	libsystemd-dev systemtap-sdt-dev sqlite3 procps python3"
if [ "${1:-}" = lint ]; then
	packages="$packages clang-format cppcheck mandoc shellcheck"
fi

if ! command -v dpkg-query >/dev/null 2>&1; then
	for tool in cc meson ninja pkg-config clang bpftool; do
		command -v "$tool" >/dev/null 2>&1 || missing="${missing:-} $tool"
	done
	for library in sqlite3 jansson cmocka libbpf zlib; do
		pkg-config --exists "$library" 2>/dev/null || missing="${missing:-} $library"
	done
	[ -z "${missing:-}" ] && exit 0
	echo "udamon: not a Debian system; install these yourself, then try again:$missing" >&2
	exit 77
fi

missing=
for package in $packages; do
	status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
	[ "$status" = installed ] || missing="$missing $package"
done
[ -z "$missing" ] && exit 0

if [ "$(id -u)" != 0 ]; then
	echo "udamon: these packages are needed to build it:$missing" >&2
	echo "udamon: install them with: sudo apt-get install --no-install-recommends$missing" >&2
	exit 77
fi
echo "udamon: installing$missing" >&2
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# shellcheck disable=SC2086 # a list of names
if ! { apt-get update && apt-get install -y --no-install-recommends $missing; } >"$log" 2>&1; then
	tail -n 20 "$log" >&2
	echo "udamon: apt-get could not install:$missing" >&2
	exit 1
fi
