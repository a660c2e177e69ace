# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2154,SC2086
# D: who an app runs as

number_as_name() {
	for u in 4294967296 +0 0x0; do
		run $RKT run --net=none "$NAMES" --user="$u" --group=1000 --exec=/bin/id
		reached_if "uid 0 as $u" grep -q 'uid=0' out
		cp out "out.$u"
	done
	cat out.* >out
}
image names '"exec": ["/bin/id"], "user": "1000", "group": "1000"' \
	'for u in 4294967296 +0 0x0; do echo "$u:x:0:0::/:/bin/sh"; done >>"$l/rootfs/etc/passwd"' || not_ok "D: make an image"
NAMES=$ID
threat D numeric-user "what begins like a number is no name, whatever the image's passwd says" number_as_name

callers_groups() {
	run setpriv --groups 4,27 $RKT run --net=none "$ATTACKER" --user=1000 --group=1000 --exec=/bin/id -- -G
	reached_if "groups of rkt's caller" grep -qw 27 out
}
threat D setgroups "groups of rkt's caller are not the app's" callers_groups

inherited() {
	run setpriv --inh-caps +net_raw --ambient-caps +net_raw $RKT run --net=none "$ATTACKER" --user=1000 --group=1000 \
		--exec=/bin/grep -- -E '^Cap(Inh|Eff|Amb):' /proc/self/status
	reached_if "capabilities of rkt's caller" grep -q ':.*[1-9a-f]' out
}
threat D inheritable "capabilities that rkt's caller passes on are not the app's" inherited
