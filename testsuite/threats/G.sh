# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2154,SC2086
# G: trust

unverified() {
	run $(echo $RKT | sed 's/ --insecure-options=image//') run --net=none "$ATTACKER" --exec=/bin/true
	reached_if "a start of what nobody verified" test "$status" = 0
}
threat G trust-at-start "an image that was not verified does not start where verification is wanted" unverified
