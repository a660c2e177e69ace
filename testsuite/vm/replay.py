#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""replay.py LOG BASE OUT K SEED - a disk as a power cut may leave it

LOG is what QEMU's blklogwrites driver wrote (the format of the kernel's dm-log-writes), BASE the disk before it,
OUT receives the disk after K entries of the log. Writes up to the last completed flush are there; of the later
ones each page of 4 KiB survives with probability 1/2, so writes are lost, torn and reordered.
K = -1: prints how many entries there are.
"""
import random
import shutil
import struct
import sys

MAGIC = 0x6A736677736872
FLUSH, FUA, DISCARD = 1, 2, 4
PAGE = 4096


def entries(log):
    magic, _version, _n, sector_size = struct.unpack("<QQQI", log.read(28))
    if magic != MAGIC:
        sys.exit("replay: not a log of writes")
    log.seek(0, 2)
    size, at, found = log.tell(), sector_size, []
    while at + 32 <= size:  # the count in the header lags behind when QEMU was killed
        log.seek(at)
        sector, n, flags, _len = struct.unpack("<QQQQ", log.read(32))
        if (sector, n, flags) == (0, 0, 0):
            break
        at += sector_size
        found.append((sector * sector_size, n * sector_size, flags, at))
        if not flags & DISCARD:
            at += n * sector_size
    return found


def main():
    log = open(sys.argv[1], "rb")
    found, k = entries(log), int(sys.argv[4])
    if k < 0:
        print(len(found))
        return
    chance = random.Random(int(sys.argv[5]))
    safe = max((i for i in range(min(k, len(found))) if found[i][2] & FLUSH), default=-1)
    shutil.copyfile(sys.argv[2], sys.argv[3])
    with open(sys.argv[3], "r+b") as disk:
        for i, (offset, n, flags, at) in enumerate(found[:k]):
            if flags & DISCARD or not n:
                continue
            log.seek(at)
            data = log.read(n)
            for page in range(0, n, PAGE):
                if i <= safe or flags & FUA or chance.random() < 0.5:
                    disk.seek(offset + page)
                    disk.write(data[page:page + PAGE])


main()
