#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""large.py FILE ENTRIES BYTES - an image archive of about so many entries and bytes, the same at every run

Like a large image of a distribution: a tenth directories, some symbolic and hard links, files of some bytes to some
megabytes, most of them small. A third of what is in them is text, more than half is like programs, the rest cannot be compressed:
gzip makes it less than half as large.
"""
import io
import random
import struct
import sys
import tarfile

POOL = 16 << 20  # bytes of each kind, from which files are cut at random places, further apart than gzip can look back
MANIFEST = (
    b'{"acKind":"ImageManifest","acVersion":"0.8.11","name":"example.com/large",'
    b'"labels":[{"name":"os","value":"linux"},{"name":"arch","value":"amd64"}]}'
)


def text(rng):
    words = ["".join(rng.choices("etaoinshrdlucmfwypvbgk", k=rng.randint(2, 9))) for _ in range(20000)]
    weights = [1 / (i + 10) for i in range(len(words))]
    out = " ".join(rng.choices(words, weights, k=POOL // 5))
    return out[:POOL].encode()


def program(rng):
    """sequences of instructions that come again and again, each time with other addresses in them"""
    codes = [rng.randbytes(rng.randint(6, 28)) for _ in range(4000)]
    weights = [1 / (i + 2) ** 1.2 for i in range(len(codes))]
    out, n = [], 0
    for code in rng.choices(codes, weights, k=POOL // 12):
        out += code, struct.pack("<H", int(rng.expovariate(0.02)) & 0xFFFF)
        n += len(code) + 2
        if n >= POOL:
            break
    return b"".join(out)[:POOL]


def piece(rng, pools, size):
    if not size:
        return b""
    pool = rng.choices(pools, (36, 58, 6))[0]
    at = rng.randrange(max(1, len(pool) - size))
    return pool[at:at + size].ljust(size, b"\0")


def sizes(rng, n, total):
    """log-normal, as the sizes of files are"""
    raw = [min(rng.lognormvariate(8.3, 2.0), 4e6) for _ in range(n)]
    scale = total / sum(raw)
    return [int(x * scale) for x in raw]


def main():
    file, entries, total = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    rng = random.Random(1)
    pools = [text(rng), program(rng), rng.randbytes(POOL)]
    n_dirs = entries // 10
    dirs = ["rootfs"]
    rest = iter(sizes(rng, entries - n_dirs, total - entries * 768))
    last = None
    with tarfile.open(file, "w", format=tarfile.PAX_FORMAT) as tar:
        def add(name, kind=tarfile.REGTYPE, data=b"", link=""):
            t = tarfile.TarInfo(name)
            t.type, t.size, t.linkname = kind, len(data), link
            t.mode = 0o755 if kind == tarfile.DIRTYPE else 0o644
            t.mtime = 1460000000
            tar.addfile(t, io.BytesIO(data))
        add("manifest", data=MANIFEST)
        add("rootfs", tarfile.DIRTYPE)
        for d in range(n_dirs):
            parent = rng.choice(dirs[-40:])
            name = "%s/%s%d" % (parent if parent.count("/") < 9 else "rootfs", rng.choice(["lib", "share", "python", "doc"]), d)
            dirs.append(name)
            add(name, tarfile.DIRTYPE)
            for i in range(9):
                size, kind = next(rest, None), rng.random()
                if size is None:
                    break
                path = "%s/file-%d.%s" % (name, i, rng.choice(["so", "h", "txt", "py", "gz"]))
                if kind < 0.06:
                    add(path, tarfile.SYMTYPE, link="../" + path.rsplit("/", 1)[1])
                elif kind < 0.07 and last:
                    add(path, tarfile.LNKTYPE, link=last)
                else:
                    add(path, data=piece(rng, pools, size))
                    last = path


main()
