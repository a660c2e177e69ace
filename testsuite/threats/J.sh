# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2154,SC2086
# J: terminals

type_ahead() {
	run python3 "$TOP/testsuite/ptyrun.py" 24x80 -- $RKT run --net=none --interactive "$ATTACKER" --exec=/bin/attack -- terminal
	sed -i 's/^x*//' out # what was typed shows as well
}
threat J tiocsti "nobody types into a terminal" type_ahead

escapes() {
	run $RKT run --net=none "$ATTACKER" --exec="$(printf '/bin/\033[31mnope')"
	reached_if "the terminal, by an error that has a name of the image" grep -q "$(printf '\033')" err
}
threat J control-characters "control characters of an image are not printed" escapes
