# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2154,SC2086
# F: graphs

# a circle by names; without the bound the walk does not end before its stack does
circle() {
	fresh_data
	for name in a b; do
		[ $name = a ] && other=b || other=a
		make_layout $name example.com/$name
		sed -i "s|\"app\": {|\"dependencies\": [{\"imageName\": \"example.com/$other\"}], &|" $name/manifest
		"$ACTOOL" build --no-compression $name $name.aci
		$RKT fetch $name.aci >/dev/null 2>&1 || : # it looks ahead, too
	done
	run timeout 60 $RKT run --net=none example.com/a
	if grep -q circle err; then stopped "a circle of dependencies"; else reached "an endless walk (status $status)"; fi
}
threat F dependency-circle "a circle of dependencies is told" circle
