#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Description: the shared library shows what the public headers declare and nothing else, and each function has a
# manual page. Argument: libudamon.so
set -u

scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
echo 1..3

# Inline functions aren't in the library, nor are types of functions.
for header in "$UDAMON_SOURCE"/include/udamon/*.h; do
	echo "#include <udamon/${header##*/}>"
done | ${CC:-cc} -E -P -I"$UDAMON_SOURCE/include" - | grep -v '^typedef' |
	grep -oE '\bdamo[ns]_[a-z0-9_]+ ?\(' | tr -d ' (' | sort -u |
	grep -vx damon_error_set >"$scratch/declared"
sed -n 's/^[[:space:]]*\(damo[ns]_[a-z0-9_]*\);$/\1/p' "$UDAMON_SOURCE/libudamon.map" | sort >"$scratch/listed"
nm -D --defined-only "$1" | awk '$2 ~ /[A-Z]/ && $2 != "A" { sub(/@.*/, "", $3); print $3 }' |
	sort -u >"$scratch/shown"

same() {
	if [ -s "$2" ] && difference=$(diff "$1" "$2"); then
		echo "ok $3"
	else
		echo "$difference" | sed 's/^/# /'
		echo "not ok $3"
	fi
}
same "$scratch/declared" "$scratch/listed" "1 - libudamon.map lists what the headers declare (< declared, > listed)"
same "$scratch/declared" "$scratch/shown" "2 - the library shows what the headers declare (< declared, > shown)"

sed -n 's/^\.Nm \(damo[ns]_[a-z0-9_]*\).*/\1/p' "$UDAMON_SOURCE"/man/damon_*.3 | sort -u >"$scratch/described"
same "$scratch/declared" "$scratch/described" "3 - man/damon_*.3 describe what the headers declare (< declared, > described)"
