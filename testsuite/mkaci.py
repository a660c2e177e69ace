#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""mkaci.py - archives that the tests of the image tools read, the same bytes at every run

    mkaci.py seeds DIR          small archives for the fuzzers: DIR/tar, DIR/aci, DIR/inflate
    mkaci.py many N FILE        an image with N empty files
    mkaci.py crowd N FILE       an image with N empty files and directories in one directory, in no order
    mkaci.py heavy N FILE       an image with N files that have as many attributes and holes as there may be
    mkaci.py zeros BYTES FILE   an image with one file of so many zeros
    mkaci.py list FILE          what Python's tarfile says of an archive, in the format of archive_list.h
"""
import bz2
import gzip
import io
import lzma
import os
import subprocess
import sys
import tarfile
import urllib.parse
import zlib
from decimal import Decimal

MANIFEST = (
    b'{"acKind":"ImageManifest","acVersion":"0.8.11","name":"example.com/made",'
    b'"labels":[{"name":"os","value":"linux"},{"name":"arch","value":"amd64"}]}'
)

# ---- images


def info(name, kind=tarfile.REGTYPE, size=0, **more):
    t = tarfile.TarInfo(name)
    t.type, t.size, t.mode = kind, size, 0o755 if kind == tarfile.DIRTYPE else 0o644
    for key, value in more.items():
        setattr(t, key, value)
    return t


def begin(tar):
    tar.addfile(info("manifest", size=len(MANIFEST)), io.BytesIO(MANIFEST))
    tar.addfile(info("rootfs", tarfile.DIRTYPE))


class Zeros:
    def __init__(self, n):
        self.left = n

    def read(self, n):
        n = min(n, self.left)
        self.left -= n
        return bytes(n)


def many(n, file):
    with tarfile.open(file, "w", format=tarfile.USTAR_FORMAT) as tar:
        begin(tar)
        for i in range(n):
            tar.addfile(info("rootfs/dir%d/file%d" % (i // 100, i)))


def crowd(n, file):
    kinds = (tarfile.REGTYPE, tarfile.DIRTYPE)
    with tarfile.open(file, "w", format=tarfile.USTAR_FORMAT) as tar:
        begin(tar)
        for i in range(n):
            tar.addfile(info("rootfs/name%d" % (i * 7919 % n), kinds[i % 2]))


def heavy(n, file):
    """1 MiB of attributes and 65,536 segments of 512 bytes each"""
    pieces = b"65536\n" + b"".join(b"%d\n512\n" % (8192 * i) for i in range(65536))
    data = pieces + bytes(-len(pieces) % 512) + b"d" * 512 * 65536
    with tarfile.open(file, "w", format=tarfile.PAX_FORMAT) as tar:
        begin(tar)
        for i in range(n):
            t = info("rootfs/GNUSparseFile.0/heavy%d" % i, size=len(data))
            t.pax_headers = {"SCHILY.xattr.user.a%d" % k: "x" * 64900 for k in range(16)}
            t.pax_headers.update({
                "GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": str(8192 * 65536),
                "GNU.sparse.name": "rootfs/heavy%d" % i,
            })
            tar.addfile(t, io.BytesIO(data))


def zeros(n, file):
    with tarfile.open(file, "w", format=tarfile.PAX_FORMAT) as tar:
        begin(tar)
        tar.addfile(info("rootfs/zeros", size=n), Zeros(n))


# ---- seeds


def packed(fill, format=tarfile.PAX_FORMAT, **more):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=format, **more) as tar:
        fill(tar)
    # two blocks of zeros are enough of an end
    data = out.getvalue().rstrip(b"\0")
    return data + bytes(-len(data) % 512 + 1024)


def everything(tar):
    begin(tar)
    tar.addfile(info("rootfs/f", size=5, mtime=1.25, uid=3000000, mode=0o4755), io.BytesIO(b"hello"))
    tar.addfile(info("rootfs/hard", tarfile.LNKTYPE, linkname="rootfs/f"))
    tar.addfile(info("rootfs/sym", tarfile.SYMTYPE, linkname="../x" * 40))
    tar.addfile(info("rootfs/dev", tarfile.CHRTYPE, devmajor=1, devminor=3))
    tar.addfile(info("rootfs/fifo", tarfile.FIFOTYPE))
    tar.addfile(info("rootfs/" + "long/" * 30 + "name"))


def attributes(tar):
    begin(tar)
    t = info("rootfs/x")
    t.pax_headers = {
        "SCHILY.xattr.user.a": "value",
        "SCHILY.xattr.trusted.b": "v",
        "SCHILY.acl.access": "user::rw-,user:1:r--:1,group::r--,mask::r--,other::r--",
        "mtime": "-1.5",
    }
    tar.addfile(t)


def sparse(version):
    def fill(tar):
        begin(tar)
        t = info("rootfs/GNUSparseFile.0/s", size=512)
        t.pax_headers = {"GNU.sparse.name": "rootfs/s"}
        data = b"d" * 512
        if version == "1.0":
            t.pax_headers.update({"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "9000"})
            data = b"1\n4096\n512\n".ljust(512, b"\0") + data
            t.size = 1024
        else:
            t.pax_headers.update({"GNU.sparse.size": "9000", "GNU.sparse.numblocks": "1", "GNU.sparse.map": "4096,512"})
        tar.addfile(t, io.BytesIO(data))

    return fill


def gnu_sparse(tar):
    begin(tar)
    h = bytearray(info("rootfs/s", b"S", size=512).tobuf(tarfile.GNU_FORMAT))
    h[386:410] = b"%011o\0%011o\0" % (4096, 512)
    h[483:495] = b"%011o\0" % 9000
    h[148:156] = b"        "
    h[148:156] = b"%06o\0 " % sum(h)
    tar.fileobj.write(bytes(h) + b"d" * 512)
    tar.offset += 1024


def global_header(tar):
    begin(tar)
    tar.addfile(info("rootfs/g"))


def zstd(data):
    return subprocess.run(["zstd", "-q", "-c"], input=data, stdout=subprocess.PIPE, check=True).stdout


def compressed():
    text = b"".join(b"line %d\n" % (i * i) for i in range(200))
    return {
        "gzip": gzip.compress(text, mtime=0),
        "gzip2": gzip.compress(b"one", mtime=0) + gzip.compress(b"two", mtime=0),
        "bzip2": bz2.compress(text, 1),
        "xz": lzma.compress(text, preset=0),
        "xz-padded": lzma.compress(b"one") + bytes(4) + lzma.compress(b"two"),
        "xz-bcj": lzma.compress(text, filters=[{"id": lzma.FILTER_X86}, {"id": lzma.FILTER_LZMA2, "preset": 0}]),
        "zstd": zstd(text),
        "zstd-skip": b"\x50\x2a\x4d\x18\x04\0\0\0skip" + zstd(b"two"),
        "plain": b"plain",
    }


def seeds(top):
    tars = {
        "pax": packed(everything),
        "gnu": packed(everything, tarfile.GNU_FORMAT),
        "ustar": packed(begin, tarfile.USTAR_FORMAT),
        "attributes": packed(attributes),
        "sparse-0.1": packed(sparse("0.1")),
        "sparse-1.0": packed(sparse("1.0")),
        "sparse-gnu": packed(gnu_sparse),
        "global": packed(global_header, pax_headers={"comment": "seed", "uid": "7"}),
    }
    images = dict(tars)
    images["gzip"] = gzip.compress(tars["pax"], mtime=0)
    images["bzip2"] = bz2.compress(tars["gnu"], 1)
    images["xz"] = lzma.compress(tars["attributes"], preset=0)
    images["zstd"] = zstd(tars["sparse-1.0"])
    for kind, files in (("tar", tars), ("aci", images), ("inflate", compressed())):
        os.makedirs(os.path.join(top, kind), exist_ok=True)
        for name, data in files.items():
            with open(os.path.join(top, kind, name), "wb") as f:
                f.write(b"\x21" + data)  # the first byte says how the fuzzer treats the rest


# ---- the other reader

TYPES = {
    tarfile.REGTYPE: "file", tarfile.AREGTYPE: "file", tarfile.CONTTYPE: "file", tarfile.GNUTYPE_SPARSE: "file",
    tarfile.LNKTYPE: "hardlink", tarfile.SYMTYPE: "symlink", tarfile.CHRTYPE: "char", tarfile.BLKTYPE: "block",
    tarfile.DIRTYPE: "dir", tarfile.FIFOTYPE: "fifo",
}


def quoted(data):
    return "".join(chr(c) if 0x20 < c < 0x7F and c != 0x5C else "\\x%02x" % c for c in data)


def raw(text):
    return text.encode("utf-8", "surrogateescape")


def clean(name):
    parts = [p for p in name.split("/") if p not in ("", ".")]
    return "/".join(parts)


def content_crc(tar, member):
    crc = 0
    f = tar.extractfile(member)
    while block := f.read(65536):
        crc = zlib.crc32(block, crc)
    return crc


def list_file(file):
    with tarfile.open(file, encoding="utf-8", errors="surrogateescape") as tar:
        for m in tar:
            kind = TYPES[m.type]
            link = clean(m.linkname) if kind == "hardlink" else m.linkname if kind == "symlink" else ""
            ns = int(Decimal(m.pax_headers.get("mtime", str(int(m.mtime)))) * 10**9)
            device = kind in ("char", "block")
            line = [
                kind, quoted(raw(clean(m.name))), quoted(raw(link)), "%04o" % (m.mode & 0o7777), str(m.uid), str(m.gid),
                str(m.size if kind == "file" else 0), "%s%d%09d" % ("-" * (ns < 0), abs(ns) // 10**9, abs(ns) % 10**9),
                str(m.devmajor if device else 0), str(m.devminor if device else 0),
                "%08x" % (content_crc(tar, m) if kind == "file" else 0),
            ]
            for key, value in m.pax_headers.items():
                if key.startswith("SCHILY.xattr."):
                    line.append(quoted(urllib.parse.unquote_to_bytes(raw(key[13:]))) + "=" + raw(value).hex())
            print("\t".join(line))


def main(argv):
    if len(argv) == 2 and argv[0] == "seeds":
        seeds(argv[1])
    elif len(argv) == 3 and argv[0] in ("many", "crowd", "heavy", "zeros"):
        {"many": many, "crowd": crowd, "heavy": heavy, "zeros": zeros}[argv[0]](int(argv[1]), argv[2])
    elif len(argv) == 2 and argv[0] == "list":
        list_file(argv[1])
    else:
        sys.exit(__doc__.strip())


if __name__ == "__main__":
    main(sys.argv[1:])
