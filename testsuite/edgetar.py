#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""edgetar.py [--xattrs|--sparse] [--image MANIFEST PROGRAM] FILE - what lies at the edges of EROFS, block by block

Directories whose entries fill blocks to the byte, one of 10,000 entries, symlinks of every length around the ends
of blocks, files of such sizes, hard links across directories, times and owners at their limits. With --xattrs: as
well attributes of such sizes, more of them than the file systems of hosts can hold. --sparse: only sparse files,
whose holes begin and end anywhere.
With --image it is an image, which has all that in /t, as far as an ext4 can hold it, and PROGRAM as /view.
"""
import io
import random
import sys
import tarfile


PREFIX = ""


def place(name):
    return PREFIX[:-1] if PREFIX and name == "." else PREFIX + name


def put(tar, name, kind=tarfile.REGTYPE, data=b"", link="", mode=0o644, mtime="0", uid=0, gid=0, xattrs=()):
    t = tarfile.TarInfo(place(name))
    if kind == tarfile.LNKTYPE:
        link = place(link)
    t.type, t.linkname, t.mode, t.size, t.uid, t.gid = kind, link, mode, len(data), uid, gid
    t.pax_headers = {"SCHILY.xattr." + n: v for n, v in xattrs}
    t.pax_headers["mtime"] = mtime
    tar.addfile(t, io.BytesIO(data))


def directory(tar, name, **more):
    put(tar, name, tarfile.DIRTYPE, mode=0o755, **more)


def dirs(tar):
    """. and .. take 27 bytes, each entry 12 and its name: ends of 1, 2 and 3 blocks are crossed byte by byte"""
    directory(tar, "dirs")
    for size in list(range(480, 545)) + list(range(1000, 1060, 7)) + list(range(1530, 1545)):
        top = "dirs/%d" % size
        directory(tar, top)
        left, n = size - 27, 0
        while left >= 26:
            length = 14 if left - 26 >= 26 or left == 26 else left - 12
            put(tar, "%s/%02d%s" % (top, n, "n" * (length - 2)), data=b"%d" % n)
            left, n = left - 12 - length, n + 1
    for n in range(1, 256, 13):
        directory(tar, "dirs/long%d" % n)
        for c in "abc":
            put(tar, "dirs/long%d/%s" % (n, c * n))
    # names that sort before "." and between "." and ".."
    directory(tar, "dirs/order")
    for name in ("!", "-", ".-", ".a", "..-", "...", "/", "0", "~", "\u00e9", "\uffff"):
        if name != "/":
            put(tar, "dirs/order/" + name)
    directory(tar, "dirs/empty")
    directory(tar, "dirs/10000")
    for n in range(10000):
        put(tar, "dirs/10000/entry-%d" % (n * 7919 % 10000))
    deep = "dirs"
    for n in range(200):
        deep += "/d%d" % n
        directory(tar, deep)


def links(tar):
    directory(tar, "links")
    for n in list(range(1, 40)) + list(range(380, 520)) + [1023, 1024, 1025, 2048, 4094, 4095]:
        put(tar, "links/%d" % n, tarfile.SYMTYPE, link="t" * n)
    put(tar, "links/file", data=b"linked")
    directory(tar, "linked")
    for n in range(300):
        put(tar, "linked/%d" % n, tarfile.LNKTYPE, link="links/file")


def files(tar):
    directory(tar, "files")
    for n in (0, 1, 511, 512, 513, 1023, 1024, 4095, 4096, 4097, 65535, 65536, 65537, 1 << 20, (1 << 20) + 1):
        put(tar, "files/%d" % n, data=bytes((i * 7 + n) % 251 for i in range(n)))
    for mtime in ("0.000000001", "1.999999999", "-1.5", "2147483648.25", "4294967296", "9999999999.123456789"):
        put(tar, "files/time" + mtime, mtime=mtime)
    put(tar, "files/owner", uid=4294967294, gid=4294967294, mode=0o7777)
    for kind, name in ((tarfile.CHRTYPE, "char"), (tarfile.BLKTYPE, "block")):
        for major, minor in ((1, 3), (4095, 1048575), (259, 256), (0, 0)):
            if image and kind == tarfile.CHRTYPE and not major:
                continue  # an image must not have it: overlayfs takes it for a deleted file
            t = tarfile.TarInfo(place("files/%s-%d-%d" % (name, major, minor)))
            t.type, t.devmajor, t.devminor, t.mode = kind, major, minor, 0o600
            tar.addfile(t)
    put(tar, "files/fifo", tarfile.FIFOTYPE)


def xattrs(tar):
    """values and names of all lengths, on a file, a directory and an empty file"""
    directory(tar, "xattrs")
    for n in list(range(0, 20)) + list(range(400, 480, 3)) + [1000, 4096, 65535]:
        value = "v" * n
        put(tar, "xattrs/f%d" % n, data=b"x", xattrs=[("user.a", value)])
        put(tar, "xattrs/e%d" % n, xattrs=[("user.a", value), ("user.b", value[:7])])
        directory(tar, "xattrs/d%d" % n, xattrs=[("user.a", value)])
        put(tar, "xattrs/d%d/x" % n)
    for n in (1, 2, 3, 4, 249, 250):
        put(tar, "xattrs/n%d" % n, xattrs=[("user." + "n" * n, "value")])
    put(tar, "xattrs/many", xattrs=[("user.%03d" % n, "%d" % n) for n in range(100 if image else 1000)])


def sparse_file(tar, name, size, segments):
    """GNU's format 0.1; segments begin anywhere, but all except the last have whole blocks"""
    t = tarfile.TarInfo(place("GNUSparseFile.0/" + name))
    segments = segments + [(size, 0)]  # or GNU tar takes the end of the last one for that of the file
    data = b"".join(bytes((at + i) % 255 + 1 for i in range(n)) for at, n in segments)
    t.size = len(data)
    t.pax_headers = {
        "GNU.sparse.size": str(size),
        "GNU.sparse.numblocks": str(len(segments)),
        "GNU.sparse.name": place(name),
        "GNU.sparse.map": ",".join("%d,%d" % s for s in segments),
    }
    tar.addfile(t, io.BytesIO(data))


def some_segments(rng, size, n, unit, longest):
    ends = sorted({rng.randrange(size // unit + 1) * unit for _ in range(2 * n)})
    found = [(a, min(b - a, longest)) for a, b in zip(ends[::2], ends[1::2])]
    whole = [(a, length // 512 * 512) for a, length in found[:-1] if length >= 512]
    return whole + found[-1:] or [(0, 0)]


def sparse(tar):
    rng = random.Random(1)
    sparse_file(tar, "hole", 1 << 40, [(0, 0)])
    sparse_file(tar, "begin", 5 << 30, [(0, 1)])
    sparse_file(tar, "end", (5 << 30) + 1, [(5 << 30, 1)])
    sparse_file(tar, "end-unaligned", (5 << 30) + 700, [((5 << 30) + 77, 623)])
    sparse_file(tar, "middle", 5 << 30, [((4 << 30) + 511, 2)])
    sparse_file(tar, "shifted", 100000, [(1, 99999)])
    sparse_file(tar, "aligned-shifted", 1 << 20, [(0, 512), (4097, 51200), (65536, 983040)])
    sparse_file(tar, "whole", 5000, [(0, 5000)])
    sparse_file(tar, "touching", 5000, [(0, 512), (512, 1024), (1536, 3464)])
    for n in range(60):
        unit, size = rng.choice([1, 512, 4096]), rng.randrange(1, 1 << rng.randrange(2, 34))
        sparse_file(tar, "random-%d" % n, size, some_segments(rng, size, rng.randrange(1, 30), unit, 20480))
    sparse_file(tar, "many", 3000 * 5000, [(i * 5000 + i % 13, 512 + i % 3 * 512) for i in range(3000)])


def image_head(tar, manifest, program):
    put(tar, "manifest", data=open(manifest, "rb").read())
    directory(tar, "rootfs")
    for name in ("dev", "etc", "proc", "sys"):
        directory(tar, "rootfs/" + name)
    put(tar, "rootfs/view", data=open(program, "rb").read(), mode=0o755)


image = "--image" in sys.argv
with tarfile.open(sys.argv[-1], "w", format=tarfile.PAX_FORMAT) as out:
    if image:
        image_head(out, *sys.argv[sys.argv.index("--image") + 1 :][:2])
        PREFIX = "rootfs/t/"
    directory(out, ".", mtime="1234567890.987654321")
    for part in [sparse] if "--sparse" in sys.argv else [dirs, links, files]:
        part(out)
    if "--xattrs" in sys.argv:
        xattrs(out)
