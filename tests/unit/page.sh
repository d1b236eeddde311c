#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# usage: page.sh PAGE: a manual page that the build made has no findings.
echo 1..1
if found=$(mandoc -T lint -W warning "$1"); then
	echo "ok 1 - ${1##*/}"
else
	echo "$found" | sed 's/^/# /'
	echo "not ok 1 - ${1##*/}"
fi
