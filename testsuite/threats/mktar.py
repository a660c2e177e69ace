#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""mktar.py - an image of a manifest and what is asked for, however odd

    mktar.py FILE KIND:PATH[:VALUE]...      KIND: file, dir, link (VALUE: its target), block (VALUE: MAJOR,MINOR)
                                            or xattr: a file with the attribute VALUE
"""
import io
import sys
import tarfile

MANIFEST = (
    b'{"acKind": "ImageManifest", "acVersion": "0.8.11", "name": "example.com/odd",'
    b' "labels": [{"name": "os", "value": "linux"}, {"name": "arch", "value": "amd64"}]}'
)


def entry(kind, path, value=""):
    i = tarfile.TarInfo(path)
    data = b""
    i.mode = 0o755
    if kind == "dir":
        i.type = tarfile.DIRTYPE
    elif kind == "link":
        i.type, i.linkname = tarfile.SYMTYPE, value
    elif kind == "block":
        i.type = tarfile.BLKTYPE
        i.devmajor, i.devminor = map(int, value.split(","))
    else:
        data = MANIFEST if path == "manifest" else b"evil"
        i.size = len(data)
    if kind == "xattr":
        i.pax_headers = {"SCHILY.xattr." + value: "1"}
    return i, io.BytesIO(data)


with tarfile.open(sys.argv[1], "w", format=tarfile.PAX_FORMAT) as t:
    for what in ["file:manifest", "dir:rootfs"] + sys.argv[2:]:
        t.addfile(*entry(*what.split(":")))
