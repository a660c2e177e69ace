# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# verity.sh - the cases of fs-verity, in a guest whose disk /dev/vda (mounted on /disk) can do it
#
# Prints what guest.sh prints; the same things lie beside it.

. /judge.sh
R="/rkt --dir=$data --insecure-options=image"
ln -s rktbox /rkt

runs() {
	$R run --net=none "$@" example.com/busybox --exec=/bin/true >/out 2>/err
	echo $?
}

$R fetch /busybox.aci >/out 2>/err
judge "verity: fetch" "$?" 0
blob=$(echo "$data"/cas/blob/sha512/*/*)
info=$(echo "$data"/cas/info/*)
judge "verity: the digest is recorded" "$(grep -c '"verity": *"sha256:[0-9a-f]\{64\}"' <"$info")" 1
judge "verity: no temporary file stays" "$(find "$data" -name '.tmp*')" ''
echo x 2>/dev/null >>"$blob"
judge "verity: nobody can write to the blob, not even root" "$?" 1
judge "verity: it runs" "$(runs)" 0

# The digest counts, not the times: had the blob been hashed, it would have got a new seal.
chmod 444 "$blob"
sed -i 's/"changeTime": *"[0-9]*"/"changeTime":"1"/' "$info"
before=$(cksum <"$info")
judge "verity: equal digests are trusted whatever the times say" "$(runs)" 0
judge "verity: so nothing was written to info/" "$(cksum <"$info")" "$before"

# one byte on the disk, behind the file system's back
sync
# in the blob, and in what was made of it
places=$(strings -t d /dev/vda | awk '$2 == "rktbox-verity-marker" {print $1}')
judge "verity: the blob is on the disk" "$([ -n "$places" ] && echo found)" found
umount /disk
for at in $places; do
	printf X | dd of=/dev/vda bs=1 seek="$at" conv=notrunc 2>/dev/null
done
sync
echo 3 >/proc/sys/vm/drop_caches
mount -t ext4 /dev/vda /disk
$R image verify example.com/busybox >/out 2>/err
judge "verity: a byte that the disk lost is found" "$(grep -c 'is damaged: cas/blob.*fs-verity finds other bytes' /err)" 1
judge "verity: and the image is refused" "$(runs)" 254
$R fetch /busybox.aci >/out 2>/err
judge "verity: fetched again" "$?" 0
judge "verity: it runs again, read from its first byte to its last" "$(runs --verify=always)" 0
judge "verity: with a digest" "$(grep -c '"verity": *"sha256:' <"$info")" 1
judge "verity: without the mark" "$(grep -c damaged "$info")" 0
