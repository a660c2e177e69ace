#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# actool.sh - builds the original actool from Debian's source package, without a network, once: $O/original/
#
#	usage: actool.sh		prints the directory
#
# actool there is the program as it is; verdicts is the same with verdicts.go beside its files, which judges many
# files in one run. Built again when one of the sources changes.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
out=${RKTBOX_O:-${O:-build}}
case $out in /*) ;; *) out=$top/$out ;; esac
out=$out/original
gopath=/usr/share/gocode
source=$gopath/src/github.com/appc/spec

command -v go >/dev/null || { echo "actool.sh: no go; Debian's golang-go has it" >&2; exit 1; }
[ -e "$source/actool/validate.go" ] || {
	echo "actool.sh: no $source/actool; Debian's golang-github-appc-spec-dev has it" >&2
	exit 1
}

# what it is made from: versions of the packages, and our file
made_from=$({ go version; dpkg-query -W golang-github-appc-spec-dev; cat "$top/testsuite/differential/verdicts.go"; } | sha256sum)
if [ "$(cat "$out/made-from" 2>/dev/null)" != "$made_from" ]; then
	mkdir -p "$out"
	exec 9>"$out/lock"
	flock 9 # two variants of the test may come here at once
fi
if [ "$(cat "$out/made-from" 2>/dev/null)" != "$made_from" ]; then
	work=$(mktemp -d "$out/work.XXXXXX")
	trap 'rm -rf "$work"' EXIT
	# the commands' own files, with ours among them; their imports come from Debian's packages
	mkdir -p "$work/gopath/src/verdicts"
	cp "$source"/actool/*.go "$top/testsuite/differential/verdicts.go" "$work/gopath/src/verdicts/"
	export GO111MODULE=off GOCACHE="$work/cache" GOTOOLCHAIN=local
	GOPATH=$gopath go build -o "$work/actool" github.com/appc/spec/actool
	cd "$work/gopath/src/verdicts"
	GOPATH=$work/gopath:$gopath go build -o "$work/verdicts" verdicts
	mv "$work/actool" "$work/verdicts" "$out/"
	echo "$made_from" >"$out/made-from"
fi
echo "$out"
