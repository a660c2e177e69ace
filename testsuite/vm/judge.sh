# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# judge.sh - how scripts in guests say what they found; guests.sh puts it beside them
#
# What a command said on its way is in /err, or in the file that $said names.

judge() { # NAME GOT WANT
	if [ "$2" = "$3" ]; then
		echo "ok - $1"
	else
		echo "not ok - $1 # got \"$2\", want \"$3\""
		[ ! -s "${said:-/err}" ] || sed 's/^/  | /' "${said:-/err}"
	fi
}
