# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2034
# inject-commands.sh - the commands that inject.tests lets fail
#
# NAME_is sets CMD, and what is not as usual: fine, half, again (the statuses of a success, of a partial one, of the
# second time); NAME_setup makes the disk it begins with, NAME_before does what does not last on a disk (mounts);
# NAME_done is what holds after a success, NAME_failed after a failure; all are optional but NAME_is and NAME_done.

# ---- fetch

fetch_is() { CMD="$RKT fetch $WORK/new.aci"; }
fetch_done() {
	expect_status 0 $RKT image verify example.com/new
}
every_write fetch "fetch"

alone_is() { CMD="$(command -v taskset) -c $(taskset -pc $$ | sed 's/.*[: ]//; s/[-,].*//') $RKT fetch $WORK/new.aci"; }
alone_done() { fetch_done; }
every_write alone "fetch on one processor"

first_is() { CMD="$RKTBIN --dir=$MNT/first --insecure-options=image fetch $WORK/new.aci"; }
first_done() {
	expect_status 0 "$RKTBIN" --dir="$MNT/first" image verify example.com/new
}
every_write first "fetch into a store that is not there yet"

url_is() { CMD="$RKT fetch file://$WORK/new.aci"; }
url_done() { fetch_done; }
every_write url "fetch from a URL"

again_is() { CMD="$RKT fetch $WORK/solo.aci"; }
again_done() { shows solo; }
every_write again "fetch of an image that is there"

heal_is() { CMD="$RKT fetch $WORK/solo.aci"; }
heal_setup() {
	solo=$(sed -n 2p "$WORK/acked")
	for b in "$DATA"/cas/blob/sha512/*/"$solo"*; do blob=$b; done
	cp "$blob" "$MNT/new"
	printf x | dd of="$MNT/new" bs=1 seek=20000 conv=notrunc
	chmod 400 "$MNT/new"
	mv "$MNT/new" "$blob"
	expect_status 254 $RKT image verify example.com/solo
}
heal_failed() { # damaged as before, and known to be, or right
	if $RKT run --net=none example.com/solo >out 2>err; then
		shows solo
	else
		expect_err 'is damaged'
	fi
	expect_status 0 $RKT fetch "$WORK/solo.aci"
}
heal_done() { shows solo; }
every_write heal "fetch of an image that was damaged"
every_read heal "fetch of an image that was damaged"

# ---- rendering

config_is() { CMD="$RKT config"; }
config_done() { # of a disk that cannot be tried out it says that
	grep -Eq "\"effective\": \"(erofs|loop|tree)\"|\"unknown\": .*($WHY)" out
}
every_write config "config, which tries out mounts"

render_is() { CMD="$RKT image render --rootfs-only example.com/top2 $MNT/out"; }
render_done() {
	python3 "$TOP/testsuite/treecmp.py" "$MNT/out" "$WORK/want-top2"
	rm -rf "$MNT/out"
}
render_failed() { [ ! -e "$MNT/out" ]; }
every_write render "image render with dependencies"

extract_is() { CMD="$RKT image extract --rootfs-only example.com/solo $MNT/out"; }
extract_done() {
	python3 "$TOP/testsuite/treecmp.py" "$MNT/out" "$WORK/want-solo"
	rm -rf "$MNT/out"
}
extract_failed() { render_failed "$1"; }
every_write extract "image extract"

unpack_is() { CMD="$RKT --render=tree image render --rootfs-only example.com/top2 $MNT/out"; }
unpack_done() { render_done; }
unpack_failed() { render_failed; }
every_write unpack "image render by unpacking"

reindex_is() { CMD="$RKT run --net=none example.com/top"; }
reindex_setup() { rm "$DATA"/cas/index/*; }
reindex_done() {
	shows top2
	shows solo
}
every_write reindex "run, with no index there"

# ---- pods

only_prepared() {
	is "$(prepared_pods)" "$PREPARED" "prepared pods"
}

# what was made goes at once when it cannot be made whole, unless that fails as well
nothing_half_made() { # MODE
	[ "$1" != once ] || is "$(find "$DATA"/pods/*pre* -mindepth 1 -maxdepth 1 2>/dev/null)" "$DATA/pods/prepared/$PREPARED"
}

prepare_is() { CMD="$RKT prepare example.com/top2"; }
prepare_done() {
	is "$($RKT status "$(cat out)" | grep ^state=)" state=prepared
	expect_status 0 $RKT run-prepared "$(cat out)"
}
prepare_failed() { # MODE
	nothing_half_made "$1"
	# on a disk that takes nothing any more it cannot be taken away; then it is whole at least
	for other in $(prepared_pods | grep -v "$PREPARED"); do
		[ "$1" != once ] || fail "$other is prepared, though that failed"
		expect_status 0 $RKT run-prepared "$other"
	done
}
every_write prepare "prepare"

copy_is() { CMD="$RKT prepare --no-overlay example.com/top2"; }
copy_done() { prepare_done; }
copy_failed() { prepare_failed "$1"; }
every_write copy "prepare without overlay"

run_is() { CMD="$RKT run --net=none --uuid-file-save=$MNT/uuid example.com/top2"; }
run_done() {
	# a status that the disk does not take is told, and does not change the pod's
	! grep -Eq '^stage1: warning: exit status of top2: (write|rename)' err || return 0
	is "$($RKT status "$(cat "$MNT/uuid")" | grep -E '^(state|app-top2)=' | tr '\n' ' ')" 'state=exited app-top2=0 '
}
run_failed() { prepare_failed "$1"; }
every_write run "run"
every_read run "run"

run_prepared_is() {
	CMD="$RKT run-prepared $PREPARED"
	again='0 254'
}
run_prepared_done() {
	case $status in 0) ;; *) expect_err 'is not prepared: it is|no matches found' ;; esac
	gone=$PREPARED
}
run_prepared_failed() {
	[ "$(prepared_pods)" = "$PREPARED" ] || gone=$PREPARED
}
every_write run_prepared "run-prepared"

rm_is() {
	CMD="$RKT rm $EXITED"
	again='0 254'
	messages=2
}
rm_done() {
	not $RKT status "$EXITED"
}
every_write rm "rm of a pod"
every_read rm "rm of a pod"

export_is() {
	CMD="$RKT export --overwrite $EXITED $MNT/out.aci"
	GRACE=1h # a pod that is collected cannot be exported the second time
}
export_done() {
	expect_status 0 "$ACTOOL" validate "$MNT/out.aci"
	rm "$MNT/out.aci"
}
export_failed() { [ ! -e "$MNT/out.aci" ] || export_done; }
every_write export "export"

# ---- images

image_export_is() { CMD="$RKT image export --overwrite example.com/solo $MNT/out.aci"; }
image_export_done() {
	is "sha512-$(sha512sum "$MNT/out.aci" | cut -c1-32)" "$(sed -n 2p "$WORK/acked")"
	rm "$MNT/out.aci"
}
image_export_failed() {
	[ ! -e "$MNT/out.aci" ] || image_export_done
}
every_write image_export "image export"

image_rm_is() {
	CMD="$RKT image rm example.com/new"
	again='0 254'
	messages=2
}
image_rm_setup() { $RKT fetch "$WORK/new.aci"; }
image_rm_before() { $RKT image render example.com/new "$WORK/rendered" && rm -r "$WORK/rendered"; }
image_rm_done() { not $RKT image verify example.com/new; }
every_write image_rm "image rm"
every_read image_rm "image rm"

image_rm_used_is() {
	CMD="$RKT image rm example.com/top"
	gone=$(sed -n 3p "$WORK/acked")
	again='0 254'
	messages=2
}
image_rm_used_before() {
	gone=$(sed -n 3p "$WORK/acked")
}
image_rm_used_done() {
	not $RKT image verify example.com/top
	[ -s rendered ] || only_prepared
}
every_write image_rm_used "image rm of one that a pod uses"
every_read image_rm_used "image rm of one that a pod uses"
every_look image_rm_used "image rm of one that a pod uses" 'getdents64 .*/(appsinfo|prepared|recipe)$'

rubbish() { # what crashes leave
	mkdir "$DATA/pods/embryo/$NO_UUID" "$DATA/pods/prepare/1${NO_UUID#?}" "$DATA/pods/prepare/1${NO_UUID#?}/stage1"
	touch "$DATA/cas/info/.tmp.99.x" "$DATA/cas/blob/sha512/.tmp.99.1" "$DATA/cas/index/.tmp.1.2" \
		"$DATA/cas/recipe/.tmp.1.2" "$DATA/cas/.tmp.4.backend"
	mkdir -p "$DATA/cas/tree/.tmp.x/rootfs/a/b"
	$RKT fetch "$WORK/new.aci"
	$RKT run --net=none example.com/new
	$RKT --render=tree run --net=none example.com/new
	$RKT image rm example.com/new
}

gc_is() { CMD="$RKT gc --grace-period=0s"; }
gc_setup() { rubbish; }
gc_before() { $RKT image render example.com/solo "$WORK/rendered" && rm -r "$WORK/rendered"; }
gc_done() {
	# that a place to mount is left is no failure, but it is said
	! ls "$DATA/cas/mnt" 2>/dev/null | grep -q "^$(sed -n 2p "$WORK/acked")" || expect_err 'warning: remove mnt/'
	is "$($RKT list --no-legend | grep -c .)" 1
	is "$(mounts_below "$MNT")" ''
}
every_write gc "gc"
every_read gc "gc"
every_look gc "gc" 'fstatat .*/info/sha512|getdents64 .*/(appsinfo|prepared)$'

image_gc_is() { CMD="$RKT image gc --max-size=1"; }
image_gc_setup() { rubbish; }
image_gc_before() { gone=$(tr "\n" " " <"$WORK/acked"); }
image_gc_done() {
	# the pods need what they stand on
	$RKT image list --full --no-legend --fields=name | sort >names
	is "$(grep -c top2 names)" 0
	grep -q 'example.com/top:' names
}
every_write image_gc "image gc"
every_read image_gc "image gc"
every_look image_gc "image gc" 'recipe/deps-|/appsinfo$|treeStoreID|fstatat .*/info/sha512'

fsck_is() {
	CMD="$RKT fsck --repair"
	fine='0 1' half='4'
}
fsck_setup() {
	rubbish
	solo=$(sed -n 2p "$WORK/acked")
	rm "$DATA/cas/manifest/$solo"*
	rm "$DATA"/cas/name/*/"$solo"*
	chmod 644 "$DATA/cas/info/$solo"*
	for f in "$DATA/cas/index/$solo"*; do
		printf '!' | dd of="$f" bs=1 seek="$(($(stat -c %s "$f") - 1))" conv=notrunc
	done
	printf '{}' >"$DATA/cas/remote/$(printf x | sha512sum | cut -c1-64)"
	rmdir "$DATA/cas/remote/x" 2>/dev/null || :
}
fsck_half() { # what could not be mended is said to be wrong, and why
	[ "$status" = 254 ] || grep -Eq "^wrong: .*($WHY|cannot be told)" out || fail "what went wrong? $(cat out)"
	broken=yes
}
fsck_failed() { broken=yes; }
fsck_done() { shows solo; }
every_write fsck "fsck --repair"
every_read fsck "fsck --repair"
