#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""archives.py - image archives, good and bad, for the differential test

    archives.py DIR [TIMES]     DIR/00000 ..., and on stdout for each: its path, a tab, what is special about it

The same files at every run: what images may and may not consist of; headers, extended headers and ends of archives;
compressed streams that are cut off, changed, or followed by something; then entries in any combination and headers with
changed bytes, TIMES times as many.
"""
import bz2
import gzip
import json
import lzma
import os
import random
import struct
import sys
import zlib

CHANGED = 150  # archives with changed headers, and as many of entries in any combination, for each of TIMES

MANIFEST = {"acKind": "ImageManifest", "acVersion": "0.8.11", "name": "example.com/a"}
TEXT = json.dumps(MANIFEST).encode()

# ---- headers

USTAR, GNU = b"ustar\x0000", b"ustar  \0"


def octal(value, width):
    return b"%0*o\0" % (width - 1, value) if isinstance(value, int) else value.ljust(width, b"\0")


def base256(value, width):
    return bytes([0x80 if value >= 0 else 0xFF]) + value.to_bytes(width - 1, "big", signed=True)


def with_checksum(block, signed=False):
    block = bytearray(block)
    block[148:156] = b" " * 8
    total = sum(struct.unpack("512b" if signed else "512B", block))
    block[148:156] = b"%06o\0 " % (total % 0o1000000)
    return bytes(block)


def header(name, kind=b"0", size=0, link=b"", mode=0o644, uid=0, gid=0, mtime=1, magic=USTAR, prefix=b"", major=0, minor=0, signed=False):
    h = name[:100].ljust(100, b"\0") + octal(mode, 8) + octal(uid, 8) + octal(gid, 8) + octal(size, 12) + octal(mtime, 12)
    h += b" " * 8 + kind + link[:100].ljust(100, b"\0") + magic.ljust(8, b"\0") + bytes(64) + octal(major, 8) + octal(minor, 8)
    h += prefix.ljust(155, b"\0") + bytes(12)
    return with_checksum(h, signed)


def padded(data):
    return data + bytes(-len(data) % 512)


def entry(name, data=b"", kind=b"0", size=None, **more):
    name = name if isinstance(name, bytes) else name.encode()
    return header(name, kind, len(data) if size is None else size, **more) + padded(data)


def directory(name, **more):
    return entry(name, kind=b"5", mode=0o755, **more)


def record(key, value):
    key, value = (x if isinstance(x, bytes) else x.encode() for x in (key, value))
    n = len(key) + len(value) + 3
    while len(b"%d" % n) + len(key) + len(value) + 3 != n:
        n = len(b"%d" % n) + len(key) + len(value) + 3
    return b"%d %s=%s\n" % (n, key, value)


def pax(*records, kind=b"x"):
    """records: pairs, or bytes as they are"""
    data = b"".join(r if isinstance(r, bytes) else record(*r) for r in records)
    return entry("PaxHeaders/x", data, kind=kind)


def long_name(name, kind=b"L"):
    return entry("././@LongLink", name + b"\0", kind=kind, magic=GNU)


M, R, A = entry("manifest", TEXT), directory("rootfs"), entry("rootfs/a", b"hello")
BEGIN = M + R
END = bytes(1024)


def good(*more):
    return BEGIN + b"".join(more) + END


# ---- archives that are not compressed: what is special, and the bytes


def structure():
    yield "minimal", good()
    yield "with a file", good(A)
    yield "rootfs first", R + A + M + END
    yield "manifest between", R + M + A + END
    yield "without manifest", R + A + END
    yield "without rootfs", M + END
    yield "without entry of rootfs", M + A + END
    yield "nothing but an end", END
    yield "only a directory .", directory("./") + END
    for dot in "./", ".//", "././":
        yield "names with " + dot, entry(dot + "manifest", TEXT) + directory(dot + "rootfs") + entry(dot + "rootfs/a") + END
    yield "directory . first", directory("./") + good(A)
    yield "directory . twice", directory("./") + directory(".") + good(A)
    yield "file .", entry(".") + good()
    for name in "/manifest", "manifest/", "./manifest/", "rootfs/../manifest", "Manifest", "manifest ":
        yield "manifest called " + name, entry(name, TEXT) + R + END
    for name in "/rootfs", "rootfs/", "./rootfs/", "rootfs/.", "rootfs//", "Rootfs", "rootfs ", "x/../rootfs":
        yield "rootfs called " + name, M + directory(name) + END
        yield "rootfs called %s, with a file" % name, M + directory(name) + A + END
    for kind in b"\0", b"1", b"2", b"3", b"4", b"5", b"6", b"7":
        yield "manifest of type %r" % kind, entry("manifest", TEXT, kind=kind) + R + END
        yield "manifest of type %r without content" % kind, entry("manifest", kind=kind, link=b"rootfs/a") + R + A + END
        yield "rootfs of type %r" % kind, M + entry("rootfs", kind=kind, link=b"/") + END
        yield "rootfs of type %r with files" % kind, M + entry("rootfs", kind=kind, link=b"/") + A + END
        yield "rootfs/ of type %r" % kind, M + entry("rootfs/", kind=kind, link=b"/") + END
    for text in b"", b"{}", b"x", TEXT + b"x", TEXT[:-1], TEXT.replace(b"0.8.11", b"x"), TEXT + b" " * 100000, b"\xef\xbb\xbf" + TEXT:
        yield "manifest %r" % text[-20:], entry("manifest", text) + R + END
    pod = b'{"acKind":"PodManifest","acVersion":"0.8.11","apps":[]}'
    yield "a pod's manifest", entry("manifest", pod) + R + END
    for name in "etc", "etc/passwd", "rootfsEVIL", "rootfsEVIL/x", "rootfs.bak/x", "manifest/x", "manifest2", "a/rootfs/x", "rootf", "-":
        yield "beside: " + name, good(entry(name))
        yield "beside, a directory: " + name, good(directory(name))


def twice():
    yield "file twice", good(A, A)
    yield "file twice, otherwise", good(A, entry("rootfs/a", kind=b"2", link=b"x"))
    yield "directory twice", good(directory("rootfs/d"), directory("rootfs/d"))
    yield "directory and file", good(directory("rootfs/d"), entry("rootfs/d"))
    yield "rootfs twice", M + R + R + END
    yield "manifest twice", M + M + R + END
    yield "manifest twice, the second empty", M + entry("manifest") + R + END
    yield "manifest twice, the first empty", entry("manifest") + M + R + END
    yield "manifest in two halves", entry("manifest", TEXT[:20]) + entry("manifest", TEXT[20:]) + R + END
    for name in "./rootfs/a", "rootfs//a", "rootfs/./a", "rootfs/a/", "rootfs/x/../a", "/rootfs/a", "rootfs/A":
        yield "twice: a and " + name, good(A, entry(name))


def names():
    for name in (
        "rootfs/..", "rootfs/../x", "rootfs/../rootfs/x", "rootfs/d/../b", "../x", "..", "/etc/x", "/rootfs/b", "rootfs//b", "rootfs/./b",
        "rootfs/b/.", "rootfs/b//", "rootfs/...", "rootfs/..b", "rootfs/.b", "rootfs/ ", "rootfs/b\n", "rootfs/\x7f", "rootfs/\\", "rootfs/b c",
        "", "/", "//", " ", "rootfs/" + "n" * 93, "rootfs/" + "n" * 80 + "/" * 10,
    ):
        yield "name %r" % name[:20], good(entry(name, b"x"))
        yield "directory %r" % name[:20], good(directory(name))
    for name in b"rootfs/\xff", b"rootfs/\xc3\xa9", b"rootfs/\xed\xa0\x80":
        yield "name %r" % name, good(entry(name))
        yield "name %r by pax" % name, good(pax(("path", name)), entry("x"))
        yield "name %r by GNU" % name, good(long_name(name), entry("x", magic=GNU))
    yield "name with bytes behind its end", good(entry(b"rootfs/b\0evil"))
    for length in 99, 100, 101, 155, 156, 254, 255, 256, 257, 1000, 4095, 4096, 10000:
        part = "rootfs/" + "n" * min(length - 7, 200)
        deep = ("rootfs/" + "d" * 50 + "/" + ("e" * 100 + "/") * 110)[: length - 1] + "z"
        for what, name in ("", deep), (" of one component", "rootfs/" + "n" * (length - 7)):
            yield "name of %d bytes by pax%s" % (length, what), good(pax(("path", name)), entry(part))
            yield "name of %d bytes by GNU%s" % (length, what), good(long_name(name.encode()), entry(part, magic=GNU))
    yield "prefix", good(entry("b", prefix=b"rootfs"))
    yield "prefix, full", good(entry("n" * 100, prefix=b"rootfs/".ljust(155, b"p")))
    yield "prefix in a GNU header", good(entry("rootfs/b", prefix=b"etc", magic=GNU))
    yield "prefix without a name", good(entry("", prefix=b"rootfs/b"))


def links():
    other = entry("rootfs/s", kind=b"2", link=b"a") + directory("rootfs/d") + entry("rootfs/f", kind=b"6")
    for target in (
        "rootfs/a", "rootfs/none", "rootfs/h", "rootfs/d", "rootfs/s", "rootfs/f", "manifest", "rootfs", "etc/passwd", "/etc/passwd",
        "/rootfs/a", "./rootfs/a", "rootfs//a", "rootfs/./a", "rootfs/x/../a", "../a", "a", "", "rootfs/a/", "rootfs/later", "rootfsEVIL/x",
    ):
        yield "hard link to %r" % target, good(A, other, entry("rootfs/h", kind=b"1", link=target.encode()), entry("rootfs/later"))
        yield "symbolic link to %r" % target, good(A, other, entry("rootfs/h", kind=b"2", link=target.encode()))
        yield "hard link to %r by pax" % target, good(A, other, pax(("linkpath", target)), entry("rootfs/h", kind=b"1", link=b"x"))
        yield "hard link to %r by GNU" % target, good(A, other, long_name(target.encode(), b"K"), entry("rootfs/h", kind=b"1", link=b"x", magic=GNU))
    yield "hard link to a hard link", good(A, entry("rootfs/h", kind=b"1", link=b"rootfs/a"), entry("rootfs/i", kind=b"1", link=b"rootfs/h"))
    for kind in b"1", b"2", b"3", b"5", b"6":
        yield "type %r with content" % kind, good(A, entry("rootfs/h", b"content", kind=kind, link=b"rootfs/a"))
        yield "type %r with a size and no content" % kind, good(A, entry("rootfs/h", kind=kind, link=b"rootfs/a", size=512), entry("rootfs/i"))
    for kind, what in (b"0", "a file"), (b"2", "a symbolic link"), (b"3", "a device"), (b"5", "a directory"), (b"1", "a hard link"):
        above = entry("rootfs/d", kind=kind, link=b"rootfs/a")
        yield "below " + what, good(A, above, entry("rootfs/d/x"))
        yield "above, but " + what, good(A, entry("rootfs/d/x"), above)


def kinds():
    for kind in b"0123456789ABCDEFKLMNSVXgxz \x01\xff":
        kind = bytes([kind])
        yield "type %r" % kind, good(A, entry("rootfs/k", kind=kind, link=b"rootfs/a"))
        yield "type %r with content" % kind, good(A, entry("rootfs/k", b"rootfs/content", kind=kind, magic=GNU))
    yield "type 0 with a slash", good(entry("rootfs/k/"), entry("rootfs/k/x"))
    yield "type 0 with a slash and content", good(entry("rootfs/k/", b"x" * 600))
    yield "type \\0 with a slash", good(entry("rootfs/k/", kind=b"\0"), entry("rootfs/k/x"))


def numbers():
    fields = {"mode": 8, "uid": 8, "gid": 8, "mtime": 12, "size": 12, "major": 8, "minor": 8}
    for field, width in fields.items():
        values = [
            b"", b"0", b"0" * width, b"7" * (width - 1) + b"\0", b"7" * width, b" " * width, b" 1 ".ljust(width), b"8".ljust(width, b"\0"),
            b"1x".ljust(width, b"\0"), b"-1".ljust(width, b"\0"), b"+1".ljust(width, b"\0"), b"1\0x".ljust(width, b"\0"), b"0x1".ljust(width, b"\0"),
            b"1 1".ljust(width, b"\0"), b"\0" + b"1" * (width - 1), base256(0, width), base256(1, width), base256(2**31, width), base256(2**32 - 1, width),
            base256(2**32, width), base256(-1, width), b"\x80" + b"\xff" * (width - 1), b"\xff" * width, b"\x81" + bytes(width - 1), b"\xc0" + bytes(width - 1),
        ]
        for value in values:
            for kind in (b"0", b"3") if field in ("major", "minor") else (b"0",):
                yield "%s of %r in type %r" % (field, value, kind), good(entry("rootfs/k", kind=kind, **{field: value}), A)
    for mode in 0o4755, 0o7777, 0o100644, 0o40755, 0o120777, 0o177777, 0o1000000:
        yield "mode %o" % mode, good(entry("rootfs/k", mode=mode))
    for uid in 65535, 2**21 - 1:
        yield "uid %d" % uid, good(entry("rootfs/k", uid=uid, gid=uid))
    for value in b"", b"0", b"x".ljust(8), b"\0" * 8, b" " * 8, b"0000000\0", b"777777\0 ":
        h = bytearray(entry("rootfs/k"))
        h[148:156] = value.ljust(8, b"\0")
        yield "checksum %r" % value, good(bytes(h))
    total = sum(with_checksum(header(b"rootfs/k"))) - sum(header(b"rootfs/k")[148:156]) + 8 * 32
    for text in b"%07o\0" % total, b"%o\0  " % total, b" %o\0 " % total, b"  %o " % total, b"%08o" % total, b"%o" % total:
        h = bytearray(header(b"rootfs/k"))
        h[148:156] = text.ljust(8, b"\0")
        yield "checksum written as %r" % text, good(bytes(h))
    yield "signed checksum", good(entry(b"rootfs/\xff", signed=True))
    for magic in b"", b"ustar\0", b"ustar\x0001", b"ustar  ", b"ustar", b"USTAR\x0000", b"ustar 00", GNU, b"tar\0", b"ustarxyz":
        yield "magic %r" % magic, good(entry("rootfs/k", magic=magic))
        yield "magic %r in the first header" % magic, entry("manifest", TEXT, magic=magic) + R + END
    yield "star", good(header(b"rootfs/k", prefix=b"".ljust(155, b"\0"))[:508] + b"tar\0")


def extended():
    for key, values in {
        "path": ["rootfs/p", "", "etc/p", "/rootfs/p", "rootfs/p/", "rootfs/../p", "rootfs/a", "rootfs/\0p"],
        "linkpath": ["rootfs/a", "", "x\0y"],
        "size": ["5", "0", "", "-1", "x", "1.5", " 5", "5 ", "05", "99999999999999999999", "+5"],
        "uid": ["1", "", "-1", "x", "4294967294", "4294967295", "4294967296", "1.5", "9223372036854775808"],
        "gid": ["1", "", "-1", "x", "4294967295"],
        "mtime": ["1", "", "1.5", "-1", "-1.5", "1.", ".5", "1.123456789123", "x", "1e5", "1,5", "99999999999999999999", "1.-5", "9223372036854775807"],
        "atime": ["1", "x", ""],
        "ctime": ["1.5", "x"],
        "uname": ["root", "", "a\0b"],
        "gname": ["\u00e9"],
        "comment": ["hello", ""],
        "hdrcharset": ["BINARY", "ISO-IR 10646 2000 UTF-8", "x"],
        "SCHILY.xattr.user.a": ["b", "", "b\0c", "x" * 70000],
        "SCHILY.xattr.trusted.a": ["b"],
        "SCHILY.xattr.": ["b"],
        "SCHILY.devmajor": ["1", "x"],
        "SCHILY.acl.access": ["user::rw-,group::r--,other::r--", "user::rw-", "x", "user::rw-,user:joe:r--,group::r--,mask::r--,other::r--"],
        "LIBARCHIVE.creationtime": ["1"],
        "VENDOR.unknown": ["1", ""],
        "GNU.sparse.major": ["1", "0", "2"],
        "GNU.sparse.size": ["5"],
        "GNU.sparse.map": ["0,5", "0,5,1"],
        "": ["x"],
    }.items():
        for value in values:
            yield "pax %s=%r" % (key, value[:20]), good(pax((key, value)), entry("rootfs/k", b"hello"))
            yield "pax, for all: %s=%r" % (key, value[:20]), M + R + pax((key, value), kind=b"g") + A + END
    for data in (
        b"", b"x", b"6 a=b\n", b"5 a=b\n", b"7 a=b\n", b"6 a=bx", b"6  a=b\n", b"06 a=b\n", b"-6 a=b\n", b"+6 a=b\n", b"4 a\n", b"6 a b\n", b"5 =b\n",
        b"99999999999999999999 a=b\n", b"\0" * 512, b"6 a=b\n\0\0", b"6 a=b\n\n", b" 6 a=b\n", b"0 a=b\n", b"6 a=b\n" * 2, b"3 a\n",
    ):
        yield "pax records %r" % data[:20], good(pax(data), A)
    yield "two extended headers", good(pax(("path", "rootfs/x")), pax(("path", "rootfs/y")), A)
    yield "extended header and nothing", good(A, pax(("path", "rootfs/x")))
    yield "extended header, then the end of the file", BEGIN + pax(("path", "rootfs/x"))
    yield "global header first", pax(("comment", "x"), kind=b"g") + good(A)
    yield "global and local", good(pax(("path", "rootfs/x"), kind=b"g"), pax(("path", "rootfs/y")), A)
    yield "pax twice the same key", good(pax(("path", "rootfs/x"), ("path", "rootfs/y")), A)
    yield "pax and GNU names", good(pax(("path", "rootfs/x")), long_name(b"rootfs/y"), entry("rootfs/z", magic=GNU))
    yield "GNU name twice", good(long_name(b"rootfs/x"), long_name(b"rootfs/y"), entry("rootfs/z", magic=GNU))
    yield "GNU name and nothing", good(long_name(b"rootfs/x"))
    yield "GNU name, empty", good(long_name(b""), entry("rootfs/z", magic=GNU))
    yield "GNU name without a zero", good(entry("././@LongLink", b"rootfs/x", kind=b"L", magic=GNU), entry("rootfs/z", magic=GNU))
    yield "GNU name with two zeros", good(long_name(b"rootfs/x\0y"), entry("rootfs/z", magic=GNU))
    yield "manifest by a GNU name", long_name(b"manifest") + entry("x", TEXT, magic=GNU) + R + END
    yield "manifest by pax", pax(("path", "manifest")) + entry("x", TEXT) + R + END


def sparse():
    def old(segments, real, data, extended=b"\0", more=b""):
        h = bytearray(header(b"rootfs/s", b"S", len(data), magic=GNU))
        fields = b"".join(octal(o, 12) + octal(n, 12) for o, n in segments)
        h[386:386 + 96] = fields.ljust(96, b"\0")
        h[482:483] = extended
        h[483:495] = octal(real, 12)
        return with_checksum(bytes(h)) + more + padded(data)

    yield "old GNU sparse", good(old([(0, 5), (1000, 5)], 1005, b"helloworld"))
    yield "old GNU sparse, a hole at the end", good(old([(0, 5), (2000, 0)], 2000, b"hello"))
    yield "old GNU sparse, backwards", good(old([(1000, 5), (0, 5)], 1005, b"helloworld"))
    yield "old GNU sparse, overlapping", good(old([(0, 6), (5, 4)], 1005, b"helloworld"))
    yield "old GNU sparse, beyond its size", good(old([(0, 5), (1000, 5)], 1000, b"helloworld"))
    yield "old GNU sparse, too little content", good(old([(0, 5), (1000, 500)], 1500, b"hello"))
    yield "old GNU sparse, too much content", good(old([(0, 5)], 5, b"hello" * 200))
    yield "old GNU sparse, more headers", good(old([(0, 5)] , 1005, b"helloworld", b"\1", (octal(1000, 12) + octal(5, 12)).ljust(512, b"\0")))
    yield "old GNU sparse, a header missing", BEGIN + old([(0, 5)], 5, b"", b"\1")
    for text in "0,5,1000,5", "0,5", "1000,5,0,5", "0,5,1000", "0,x", "", "0,5,1000,5,2000,0", "-1,5,10,5":
        p = pax(("GNU.sparse.major", "0"), ("GNU.sparse.minor", "1"), ("GNU.sparse.name", "rootfs/s"), ("GNU.sparse.size", "1005"),
                ("GNU.sparse.numblocks", "2"), ("GNU.sparse.map", text))
        yield "sparse 0.1 %r" % text, good(p, entry("rootfs/GNUSparseFile.0/s", b"helloworld"))
    pairs = [("GNU.sparse.offset", "0"), ("GNU.sparse.numbytes", "5"), ("GNU.sparse.offset", "1000"), ("GNU.sparse.numbytes", "5")]
    for n in range(5):
        p = pax(("GNU.sparse.size", "1005"), ("GNU.sparse.numblocks", "2"), *pairs[:n])
        yield "sparse 0.0 with %d of 4" % n, good(p, entry("rootfs/s", b"helloworld"))
    for text in b"2\n0\n5\n1000\n5\n", b"1\n0\n5\n", b"2\n0\n5\n", b"x\n", b"", b"2\n1000\n5\n0\n5\n", b"99999999999\n", b"2\n0\n5\n1000\n5", b"0\n":
        p = pax(("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.name", "rootfs/s"), ("GNU.sparse.realsize", "1005"))
        yield "sparse 1.0 %r" % text, good(p, entry("rootfs/GNUSparseFile.0/s", padded(text) + b"helloworld"))


def ends():
    body = BEGIN + A
    yield "no end", body
    yield "one block of zeros", body + bytes(512)
    yield "three blocks of zeros", body + bytes(1536)
    yield "20 blocks of zeros", body + bytes(10240)
    yield "a megabyte of zeros", body + bytes(1 << 20)
    yield "one block of zeros, then a file", body + bytes(512) + entry("rootfs/b") + END
    yield "the end, then a file", body + END + entry("rootfs/b") + END
    yield "the end, then something else", body + END + entry("etc/passwd") + END
    yield "the end, then a byte", body + END + b"x"
    yield "the end, then a zero", body + END + b"\0"
    yield "the end, then a block", body + END + b"x" * 512
    for n in 1, 100, 511:
        yield "the end without %d bytes" % n, (body + END)[:-n]
        yield "%d bytes of zeros" % n, body + bytes(n)
    for cut in 1, 100, 256, 511, 512, 513, 700, 1023:
        yield "cut off, %d bytes" % cut, body[:-cut]
    yield "no content for a large size", BEGIN + header(b"rootfs/k", size=2**33 - 1) + END
    yield "garbage between", BEGIN + b"g" * 512 + A + END
    yield "ends within the manifest", M[:520]


def all_plain():
    for cases in structure, twice, names, links, kinds, numbers, extended, sparse, ends:
        yield from cases()


# ---- compressed

COMPRESS = {
    "gzip": lambda b: gzip.compress(b, 6, mtime=0),
    "bzip2": lambda b: bz2.compress(b, 9),
    "xz": lambda b: lzma.compress(b, preset=0),
}


def gzip_member(data, flags=0, extra=b"", method=8, crc=None, size=None):
    c = zlib.compressobj(6, zlib.DEFLATED, -15)
    body = c.compress(data) + c.flush()
    crc = zlib.crc32(data) if crc is None else crc
    size = len(data) if size is None else size
    return bytes([0x1F, 0x8B, method, flags, 0, 0, 0, 0, 0, 3]) + extra + body + struct.pack("<II", crc, size & 0xFFFFFFFF)


def streams(rng):
    plain = good(A, entry("rootfs/b", bytes(rng.randrange(256) for _ in range(3000))))
    for name, compress in COMPRESS.items():
        whole = compress(plain)
        yield name, whole
        yield name + ", two members", compress(plain[:1000]) + compress(plain[1000:])
        yield name + ", an empty member first", compress(b"") + whole
        yield name + ", an empty member last", whole + compress(b"")
        yield name + ", the archive twice", whole + whole
        yield name + ", and zeros", compress(plain + bytes(100000))
        yield name + ", and something behind the tar", compress(plain + b"x" * 1000)
        yield name + " of nothing", compress(b"")
        yield name + " of text", compress(b"hello" * 1000)
        yield name + " of " + name, compress(whole)
        for tail in b"x", b"\0", bytes(4), bytes(512), b"\n", whole[:10], whole[:3], b"\x1f\x8b", b"BZ", b"BZh9", b"\xfd7zXZ\0":
            yield "%s, then %r" % (name, tail[:10]), whole + tail
        for cut in list(range(1, 30)) + [len(whole) * i // 12 for i in range(1, 12)]:
            yield "%s without the last %d bytes" % (name, cut), whole[:-cut]
        for at in list(range(0, 24)) + list(range(24, len(whole) - 24, max(1, len(whole) // 20))) + list(range(len(whole) - 24, len(whole))):
            b = bytearray(whole)
            b[at] ^= 1 << rng.randrange(8)
            yield "%s, byte %d of %d changed" % (name, at, len(whole)), bytes(b)
    for what, member in (
        ("crc", gzip_member(plain, crc=1)), ("size", gzip_member(plain, size=1)), ("method", gzip_member(plain, method=7)),
        ("a name", gzip_member(plain, 8, b"name\0")), ("a comment", gzip_member(plain, 16, b"comment\0")), ("an extra field", gzip_member(plain, 4, b"\2\0ab")),
        ("a crc of the header", gzip_member(plain, 2, struct.pack("<H", zlib.crc32(bytes([31, 139, 8, 2, 0, 0, 0, 0, 0, 3])) & 0xFFFF))),
        ("a wrong crc of the header", gzip_member(plain, 2, b"xx")), ("text", gzip_member(plain, 1)), ("flag 32", gzip_member(plain, 32)),
        ("flag 128", gzip_member(plain, 128)), ("a name in Latin 1", gzip_member(plain, 8, b"\xe9\0")), ("a long name", gzip_member(plain, 8, b"n" * 600 + b"\0")),
    ):
        yield "gzip: " + what, member
    for level in range(1, 10):
        yield "bzip2 -%d" % level, bz2.compress(plain, level)
    for check in lzma.CHECK_NONE, lzma.CHECK_CRC32, lzma.CHECK_CRC64, lzma.CHECK_SHA256:
        yield "xz with check %d" % check, lzma.compress(plain, check=check, preset=1)
    for filters in [{"id": lzma.FILTER_X86}], [{"id": lzma.FILTER_DELTA, "dist": 4}], [{"id": lzma.FILTER_ARM}]:
        chain = filters + [{"id": lzma.FILTER_LZMA2, "preset": 0}]
        yield "xz with filter %d" % filters[0]["id"], lzma.compress(plain, filters=chain)
    yield "lzma", lzma.compress(plain, format=lzma.FORMAT_ALONE, preset=0)
    yield "zlib", zlib.compress(plain)


# ---- at random


def changed_headers(rng, n):
    bodies = [good(A, entry("rootfs/h", kind=b"1", link=b"rootfs/a")), good(pax(("path", "rootfs/p"), ("mtime", "1.5")), entry("rootfs/k", b"hello"), A)]
    bodies += [good(long_name(b"rootfs/" + b"n" * 120), entry("rootfs/n", magic=GNU), directory("rootfs/d"), entry("rootfs/d/x", b"x" * 700))]
    for _ in range(n):
        b = bytearray(rng.choice(bodies))
        starts = [i for i in range(0, len(b), 512) if b[i + 257:i + 262] == b"ustar"]
        for _ in range(rng.randint(1, 2)):
            at = rng.choice(starts)
            i = at + rng.choice([rng.randrange(512), rng.randrange(100, 157), rng.randrange(124, 136), 156])
            b[i] = rng.choice([rng.randrange(256), rng.choice(b"01234567 \0/.x5gxLKS\x80\xff")])
            b[at:at + 512] = with_checksum(bytes(b[at:at + 512]))
        yield "headers changed", bytes(b)


def combined(rng, n):
    pieces = [directory("rootfs/d"), entry("rootfs/d/x", b"x"), entry("rootfs/d", kind=b"2", link=b"/"), entry("rootfs/h", kind=b"1", link=b"rootfs/a"), A]
    pieces += [entry("./rootfs/a"), entry("rootfs/a", kind=b"2", link=b"b"), pax(("path", "rootfs/p")), pax(("size", "3")), long_name(b"rootfs/l")]
    pieces += [entry("rootfs/dev", kind=b"3", major=1, minor=3), entry("rootfs/fifo", kind=b"6"), directory("rootfs"), entry("etc"), bytes(512)]
    pieces += [entry("rootfs/n%d" % i, b"n" * 200 * i) for i in range(6)] + [directory("rootfs/e%d/" % i) for i in range(6)]
    for _ in range(n):
        some = [M, R] + rng.sample(pieces, rng.randint(1, 6))
        if rng.random() < 0.5:
            rng.shuffle(some)
        yield "%d entries" % len(some), b"".join(some) + END


def all_cases(times):
    rng = random.Random(20160602)
    names = list(COMPRESS)
    plain = list(all_plain()) + list(changed_headers(rng, CHANGED * times)) + list(combined(rng, CHANGED * times))
    for i, (what, b) in enumerate(plain):
        yield what, b
        # a compressed one of some, and in the long test of all; xz is a process each time to the original
        if times > 1 or i % 4 == 0:
            name = names[i // 4 % 3]
            yield "%s, %s" % (what, name), COMPRESS[name](b)
    yield from streams(rng)


def main():
    where, times = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1
    for n, (what, data) in enumerate(all_cases(times)):
        path = os.path.join(where, "%05d" % n)
        with open(path, "wb") as f:
            f.write(data)
        print(path, what.encode("ascii", "backslashreplace").decode().replace("\t", " ").replace("\n", " "), sep="\t")


main()
