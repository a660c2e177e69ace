#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""badtar.py - archives that must be refused, each for one reason

    badtar.py --list         NAME<TAB>a pattern that the message must match
    badtar.py NAME FILE

Every archive is a good image but for the one thing that its name says.
"""
import gzip
import io
import sys
import tarfile

MANIFEST = (
    b'{"acKind": "ImageManifest", "acVersion": "0.8.11", "name": "example.com/bad",'
    b' "labels": [{"name": "os", "value": "linux"}, {"name": "arch", "value": "amd64"}]}'
)
CASES = {}


def case(pattern):
    def add(fn):
        CASES[fn.__name__] = (fn, pattern)
        return fn

    return add


def entry(name, kind=tarfile.REGTYPE, data=b"", link="", mode=0o644, **pax):
    t = tarfile.TarInfo(name)
    t.type, t.linkname, t.mode, t.size = kind, link, mode, len(data)
    t.pax_headers = pax
    return t, data


def manifest(text=MANIFEST):
    return entry("manifest", data=text)


def rootfs():
    return entry("rootfs", tarfile.DIRTYPE, mode=0o755)


def pack(*entries, format=tarfile.PAX_FORMAT):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=format) as tar:
        for t, data in entries:
            tar.addfile(t, io.BytesIO(data))
    return out.getvalue()


def good(*more):
    return pack(manifest(), rootfs(), *more)


# ---- what an image consists of


@case("manifest")
def no_manifest():
    return pack(rootfs(), entry("rootfs/file", data=b"x"))


@case("rootfs")
def no_rootfs():
    return pack(manifest())


@case("manifest")
def two_manifests():
    return pack(manifest(), manifest(), rootfs())


@case("manifest")
def manifest_is_symlink():
    return pack(entry("manifest", tarfile.SYMTYPE, link="rootfs/m"), rootfs(), entry("rootfs/m", data=MANIFEST))


@case("manifest")
def manifest_is_hardlink():
    return pack(rootfs(), entry("rootfs/m", data=MANIFEST), entry("manifest", tarfile.LNKTYPE, link="rootfs/m"))


@case("manifest")
def manifest_is_directory():
    return pack(entry("manifest", tarfile.DIRTYPE), rootfs())


@case("manifest")
def manifest_too_big():
    return pack(manifest(MANIFEST + b" " * (5 << 20)), rootfs())


@case("rootfs")
def rootfs_is_symlink():
    return pack(manifest(), entry("rootfs", tarfile.SYMTYPE, link="/"), entry("rootfs/file", data=b"x"))


@case("rootfs")
def rootfs_is_file():
    return pack(manifest(), entry("rootfs", data=b"x"))


@case("stray")
def stray_file():
    return good(entry("stray", data=b"x"))


@case("rootfsEVIL")
def rootfs_prefix():
    return good(entry("rootfsEVIL/file", data=b"x"))


# ---- names


@case(r"\.\.")
def name_climbs():
    return good(entry("rootfs/../../evil", data=b"x"))


@case(r"\.\.")
def name_climbs_and_returns():
    return good(entry("rootfs/a/../b", data=b"x"))


@case("/etc/evil|absolute")
def name_absolute():
    return good(entry("/etc/evil", data=b"x"))


@case("rootfs/a|twice|duplicate")
def name_twice():
    return good(entry("rootfs/a", data=b"x"), entry("rootfs/a", data=b"y"))


@case("rootfs//./a")
def name_twice_spelled_otherwise():
    return good(entry("rootfs/a", data=b"x"), entry("./rootfs//./a", data=b"y"))


@case("long")
def component_too_long():
    return good(entry("rootfs/" + "n" * 256, data=b"x"))


@case("long")
def path_too_long():
    return good(entry("rootfs/" + "/".join(["d" * 200] * 30), data=b"x"))


@case("below an entry")
def below_a_symlink():
    return good(entry("rootfs/dir", tarfile.SYMTYPE, link="/tmp"), entry("rootfs/dir/evil", data=b"x"))


# ---- links and devices


@case("link")
def hardlink_climbs():
    return good(entry("rootfs/h", tarfile.LNKTYPE, link="rootfs/../../etc/passwd"))


@case("link")
def hardlink_absolute():
    return good(entry("rootfs/h", tarfile.LNKTYPE, link="/etc/passwd"))


@case("link")
def hardlink_to_nothing():
    return good(entry("rootfs/h", tarfile.LNKTYPE, link="rootfs/nothing"))


@case("link")
def hardlink_to_manifest():
    return good(entry("rootfs/h", tarfile.LNKTYPE, link="manifest"))


@case("link")
def hardlink_to_symlink():
    return good(entry("rootfs/s", tarfile.SYMTYPE, link="/etc"), entry("rootfs/h", tarfile.LNKTYPE, link="rootfs/s"))


@case("link")
def hardlink_to_directory():
    return good(entry("rootfs/d", tarfile.DIRTYPE), entry("rootfs/h", tarfile.LNKTYPE, link="rootfs/d"))


@case("link|data")
def hardlink_with_data():
    # tarfile writes no data for a link by itself
    t, _ = entry("rootfs/h", tarfile.LNKTYPE, link="rootfs/a")
    head = good(entry("rootfs/a", data=b"x"))
    end = head.rstrip(b"\0")
    end += b"\0" * (-len(end) % 512)
    t.size = 4
    return end + t.tobuf(tarfile.USTAR_FORMAT) + b"evil".ljust(512, b"\0") + bytes(10240)


@case("kind|type")
def unknown_kind():
    return good(entry("rootfs/what", b"Z"))


# ---- the stream


@case("after|trailing")
def bytes_after_tar():
    return good() + b"more" * 128


@case("after|trailing")
def bytes_after_gzip():
    return gzip.compress(good()) + b"more"


@case(".")
def second_gzip_member_broken():
    return gzip.compress(good()) + gzip.compress(b"x" * 1000)[:-9]


@case("filetype|truncated")
def empty():
    return b""


@case("filetype|checksum|truncated")
def text():
    return b"this is no archive\n" * 100


@case(".")
def no_end():
    return good().rstrip(b"\0")[:-100]


@case("checksum")
def header_checksum():
    b = bytearray(good(entry("rootfs/file", data=b"x" * 600)))
    at = b.index(b"rootfs/file")
    b[at] ^= 1
    return bytes(b)


@case(".")
def size_beyond_end():
    t, _ = entry("rootfs/big")
    t.size = (8 << 30) - 1
    return good().rstrip(b"\0").ljust(2048, b"\0") + t.tobuf(tarfile.USTAR_FORMAT) + bytes(1024)


@case("pax|long|header")
def pax_header_too_big():
    return good(entry("rootfs/x", **{"SCHILY.xattr.user.a": "x" * (32 << 20)}))


@case("atime")
def pax_time_no_number():
    return good(entry("rootfs/x", atime="yesterday"))


def with_field(b, name, offset, value):
    """the field at @offset of the header that begins with @name is another one, and its checksum right"""
    b = bytearray(b)
    at = b.index(name)
    b[at + offset:at + offset + len(value)] = value
    b[at + 148:at + 156] = b" " * 8
    b[at + 148:at + 155] = b"%06o\0" % sum(b[at:at + 512])
    return bytes(b)


@case("mode")
def number_in_front_of_extended_header():
    """of the extended header's own header, whose mode nobody uses"""
    return with_field(good(entry("rootfs/x", comment="x")), b"././@PaxHeader", 100, b"00006x4")


@case("device number")
def device_number_of_a_file():
    return with_field(good(entry("rootfs/x")), b"rootfs/x", 329, b"zero\0\0\0")


@case("sparse")
def sparse_map_backwards():
    t, data = entry("rootfs/s", data=b"x" * 512)
    t.pax_headers = {"GNU.sparse.major": "0", "GNU.sparse.minor": "1", "GNU.sparse.name": "rootfs/s",
                     "GNU.sparse.size": "4096", "GNU.sparse.map": "2048,256,0,256"}
    return good((t, data))


# ---- the manifest


def with_manifest(text):
    return pack(manifest(text), rootfs())


@case("JSON|json|manifest")
def manifest_no_json():
    return with_manifest(b"hello")


@case("duplicate|twice")
def manifest_duplicate_key():
    return with_manifest(MANIFEST[:-1] + b', "name": "example.com/other"}')


@case("after|trailing")
def manifest_trailing_bytes():
    return with_manifest(MANIFEST + b"x")


@case("UTF-8|utf")
def manifest_bad_utf8():
    return with_manifest(MANIFEST.replace(b"example.com/bad", b"example.com/b\xff"))


@case("acKind")
def manifest_wrong_kind():
    return with_manifest(MANIFEST.replace(b"ImageManifest", b"PodManifest"))


@case("acVersion")
def manifest_wrong_version():
    return with_manifest(MANIFEST.replace(b"0.8.11", b"zero"))


@case("name")
def manifest_bad_name():
    return with_manifest(MANIFEST.replace(b"example.com/bad", b"Example COM"))


@case("os")
def manifest_bad_os():
    return with_manifest(MANIFEST.replace(b'"linux"', b'"plan8"'))


@case("arch")
def manifest_bad_arch():
    return with_manifest(MANIFEST.replace(b'"amd64"', b'"vax"'))


@case("nest|deep")
def manifest_too_deep():
    return with_manifest(MANIFEST[:-1] + b', "x": ' + b"[" * 100000 + b"]" * 100000 + b"}")


@case("exec")
def manifest_exec_relative():
    return with_manifest(MANIFEST[:-1] + b', "app": {"exec": ["bin/x"], "user": "0", "group": "0"}}')


def main():
    if sys.argv[1:] == ["--list"]:
        for name, (_, pattern) in CASES.items():
            print(name, pattern, sep="\t")
    elif len(sys.argv) == 3 and sys.argv[1] in CASES:
        with open(sys.argv[2], "wb") as f:
            f.write(CASES[sys.argv[1]][0]())
    else:
        sys.exit(__doc__)


main()
