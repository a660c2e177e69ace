#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""replay.py LOG disk BASE OUT K SEED   a disk as a power cut may leave it
   replay.py LOG choose PAGE STEPS N    N moments to cut the power at

LOG is what QEMU's blklogwrites driver wrote (the format of the kernel's dm-log-writes), BASE the disk before it,
OUT receives the disk after K entries of the log. Writes up to the last completed flush are there; of the later
ones each page of 4 KiB survives with probability 1/2, so writes are lost, torn and reordered.
choose: the disk's page number PAGE begins with the number of the step that was done last; STEPS has a line for
each, beginning with a word for its kind. All kinds get the same number of moments, a third of them in the last
writes of a step, where it says that it is done. Prints "K STEP LINE OF STEPS" each time, and then how often
which kind.
"""
import collections
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


def disk(log, found, base, out, k, seed):
    chance = random.Random(seed)
    safe = max((i for i in range(min(k, len(found))) if found[i][2] & FLUSH), default=-1)
    shutil.copyfile(base, out)
    with open(out, "r+b") as to:
        for i, (offset, n, flags, at) in enumerate(found[:k]):
            if flags & DISCARD or not n:
                continue
            log.seek(at)
            data = log.read(n)
            for page in range(0, n, PAGE):
                if i <= safe or flags & FUA or chance.random() < 0.5:
                    to.seek(offset + page)
                    to.write(data[page:page + PAGE])


def step_ends(log, found, page):
    """the entries with which steps 1, 2, ... were acknowledged"""
    ends = {}
    for i, (offset, n, _flags, at) in enumerate(found):
        if offset == page * PAGE and n:
            log.seek(at)
            ends[int(log.read(n).split(b" ")[0])] = i + 1
    return ends


def choose(log, found, page, steps, n):
    lines = open(steps).read().splitlines()
    ends, begin, kinds = step_ends(log, found, page), 0, {}
    for step in range(1, len(lines) + 1):
        if step not in ends:
            sys.exit("replay: step %d was never done" % step)
        kinds.setdefault(lines[step - 1].split()[0], []).append((begin + 1, ends[step], step))
        begin = ends[step]
    taken = collections.Counter()
    for i in range(n):
        kind = sorted(kinds)[i % len(kinds)]
        first, last, step = random.choice(kinds[kind])
        if random.random() < 1 / 3:
            first = max(first, last - 4)
        taken[kind] += 1
        print(random.randint(first, last), step, lines[step - 1])
    print("of %d writes; %s" % (len(found), ", ".join("%s %d" % k for k in sorted(taken.items()))))


def main():
    with open(sys.argv[1], "rb") as log:
        found = entries(log)
        if sys.argv[2] == "disk":
            disk(log, found, sys.argv[3], sys.argv[4], int(sys.argv[5]), int(sys.argv[6]))
        else:
            choose(log, found, int(sys.argv[3]), sys.argv[4], int(sys.argv[5]))


main()
