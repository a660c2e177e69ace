# SPDX-License-Identifier: Apache-2.0
"""choose.py FILES BYTES GZ - names of so many files of /usr that have about so many bytes in all, and with gzip

In the order of a hash of their names, so that every kind of file is among them; one that would lead too far from
the even growth of both sums to what is wanted is left out. Compression is guessed from a part of each file, and
guessed too high: many small ones are compressed better together.
"""
import hashlib
import os
import stat
import sys
import zlib

SAMPLE = 16384      # bytes whose compression stands for that of the file
LARGEST = 8 << 20
SLACK = 4_000_000


def regular_files(top):
    for directory, _, names in os.walk(top):
        for name in names:
            path = os.path.join(directory, name)
            st = os.lstat(path)
            if stat.S_ISREG(st.st_mode) and 0 < st.st_size <= LARGEST:
                yield os.path.relpath(path, top), st.st_size


def gzipped(path, size):
    with open(path, "rb") as f:
        f.seek(max(0, (size - SAMPLE) // 2))
        sample = f.read(SAMPLE)
    return size * len(zlib.compress(sample, 6)) // max(1, len(sample))


def main():
    files, want, want_gz = (int(a) for a in sys.argv[1:])
    found = sorted(regular_files("/usr"), key=lambda f: hashlib.md5(os.fsencode(f[0])).digest())
    n = total = total_gz = 0
    for path, size in found:
        if n == files:
            break
        share = (n + 1) / files
        if not share * want - SLACK <= total + size <= share * want + SLACK:
            continue
        gz = gzipped("/usr/" + path, size)
        if abs(total_gz + gz - (total + size) * want_gz / want) > SLACK:
            continue
        n, total, total_gz = n + 1, total + size, total_gz + gz
        sys.stdout.buffer.write(os.fsencode(path) + b"\n")


main()
