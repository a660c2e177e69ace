# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2154,SC2086
# H: network

abstract_socket() {
	name=${WORK##*/}
	"$WORK/attack" listen "$name" &
	at_end "kill $! 2>/dev/null"
	wait_for 10 grep -q "@$name" /proc/net/unix
	run $RKT run --net=none "$ATTACKER" --exec=/bin/attack -- connect "$name"
	kill $!
}
threat H netns "an abstract socket of the host cannot be reached" abstract_socket
