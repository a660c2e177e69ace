#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""oddtree.py DIR - fills DIR with one of everything that a root file system can have

Owners, modes with setuid, setgid and sticky bits, file capabilities, ACLs, attributes, hard links, long names,
names that are no text, sparse files, devices, FIFOs, links that lead everywhere, times with nanoseconds.
What the file system of DIR cannot have is left out and said. Needs root.
"""
import os
import struct
import sys

TIME = 1234567890_123456789


def put(path, data=b"", mode=0o644, owner=(0, 0)):
    os.makedirs(os.path.dirname(path) or b".", exist_ok=True)
    with open(path, "wb") as f:
        f.write(data)
    os.chown(path, *owner)
    os.chmod(path, mode)


def attribute(path, name, value):
    try:
        os.setxattr(path, name, value, follow_symlinks=False)
    except OSError as e:
        print("left out: %s of %s: %s" % (name, os.fsdecode(path), e.strerror))


def acl(entries):
    """the kernel's form: version 2, then tag, permissions, id"""
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *e) for e in entries)


NOBODY = 0xFFFFFFFF
ACL = acl([(1, 7, NOBODY), (2, 5, 1001), (4, 5, NOBODY), (8, 4, 1002), (16, 7, NOBODY), (32, 0, NOBODY)])
CAPABILITY = struct.pack("<IIIII", 0x02000001, 1 << 10, 0, 0, 0)  # cap_net_bind_service=ep


def files():
    put(b"plain", b"plain\n")
    put(b"empty")
    put(b"large", bytes(range(256)) * 4099)
    put(b"mode/setuid", b"x", 0o4755, (0, 0))
    put(b"mode/setuid-other", b"x", 0o4711, (1000, 1000))
    put(b"mode/setgid", b"x", 0o2755, (0, 50))
    put(b"mode/none", b"x", 0o000)
    put(b"mode/all", b"x", 0o7777, (1, 2))
    put(b"owner/high", b"x", 0o600, (3000000000, 4294967294))
    put(b"owner/octal-limit", b"x", 0o600, (2097151, 2097152))


def attributes():
    put(b"xattr/capable", b"x", 0o755)
    attribute(b"xattr/capable", "security.capability", CAPABILITY)
    put(b"xattr/capable-owned", b"x", 0o755, (1000, 1000))
    attribute(b"xattr/capable-owned", "security.capability", CAPABILITY)
    put(b"xattr/user", b"x")
    attribute(b"xattr/user", "user.text", b"text")
    attribute(b"xattr/user", "user.binary", bytes(range(256)))
    attribute(b"xattr/user", "user.empty", b"")
    attribute(b"xattr/user", "user.name with = and space", b"a=b\nc")
    put(b"xattr/acl", b"x", 0o750, (1000, 1000))
    attribute(b"xattr/acl", "system.posix_acl_access", ACL)
    os.mkdir(b"xattr/acl-dir")
    put(b"xattr/acl-dir/before", b"x", 0o640)
    attribute(b"xattr/acl-dir", "system.posix_acl_default", ACL)
    os.mkdir(b"xattr/acl-both")
    for kind in ("access", "default"):
        attribute(b"xattr/acl-both", "system.posix_acl_" + kind, ACL)
    os.mkdir(b"xattr/user-dir")
    attribute(b"xattr/user-dir", "user.dir", b"on a directory")


def links():
    put(b"hard/a", b"linked", 0o4755, (1000, 0))
    os.mkdir(b"hard/sub")
    os.link(b"hard/a", b"hard/sub/b")
    os.link(b"hard/a", b"hard/\xc3\xa9")
    put(b"hard/c")
    os.link(b"hard/c", b"hard/d")
    os.mkdir(b"sym")
    for name, target in ((b"relative", b"../plain"), (b"absolute", b"/etc/passwd"), (b"dangling", b"no/where"),
                         (b"loop", b"loop"), (b"up", b"../../../../../../.."), (b"long", b"x/" * 1500 + b"y")):
        os.symlink(target, b"sym/" + name)
    os.chown(b"sym/relative", 1000, 2000, follow_symlinks=False)


def names():
    put(b"names/" + b"n" * 255, b"x")
    deep = b"names/" + b"/".join(b"%03d" % i + b"d" * 90 for i in range(12))
    put(deep + b"/file", b"deep")
    for name in (b" ", b"new\nline", b"tab\t", b"back\\slash", b'"quoted"', b"\xff\xfe", b"\xe6\x97\xa5", b"-dash", b"*",
                 b"..dots", b"...", b"~", b"a" * 99, b"b" * 100, b"c" * 101, b"d" * 154 + b"/" + b"e" * 100,
                 b"d" * 155 + b"/" + b"e" * 101):
        put(b"names/" + name, name)
    for byte in set(range(1, 256)) - {ord("/")}:
        put(b"names/bytes/b" + bytes([byte]))


def sparse():
    os.mkdir(b"sparse")
    with open(b"sparse/some", "wb") as f:
        for at in (0, 1 << 20, 5 << 20, (9 << 20) + 123):
            f.seek(at)
            f.write(b"data at %d" % at)
        f.truncate(12 << 20)
    with open(b"sparse/hole", "wb") as f:
        f.truncate(3 << 30)
    with open(b"sparse/end", "wb") as f:
        f.seek(10 << 30)
        f.write(b"end")
    with open(b"sparse/many", "wb") as f:
        for at in range(200):
            f.seek(at * 65536)
            f.write(b"%d" % at)


def nodes():
    os.mkdir(b"dev")
    for name, kind, major, minor, mode in ((b"null", 0o020000, 1, 3, 0o666), (b"loop9", 0o060000, 7, 9, 0o660),
                                           (b"large", 0o020000, 300, 70000, 0o600), (b"pipe", 0o010000, 0, 0, 0o644)):
        try:
            os.mknod(b"dev/" + name, kind | 0o600, os.makedev(major, minor))
            os.chmod(b"dev/" + name, mode)
        except OSError as e:
            print("left out: device %s: %s" % (os.fsdecode(name), e.strerror))
    if os.path.lexists(b"dev/null"):
        os.chown(b"dev/null", 0, 5)


def dirs():
    for name, mode, owner in ((b"sticky", 0o1777, (0, 0)), (b"setgid", 0o2775, (0, 1000)),
                              (b"setuid", 0o4755, (1000, 0)), (b"closed", 0o000, (5, 5)),
                              (b"read-only", 0o555, (1000, 1000))):
        os.makedirs(b"dirs/" + name)
        put(b"dirs/" + name + b"/inside", name)
        os.mkdir(b"dirs/" + name + b"/sub")
        os.chown(b"dirs/" + name, *owner)
        os.chmod(b"dirs/" + name, mode)


def times():
    n = 0
    for top, subs, others in os.walk(b".", topdown=False):
        for name in others + subs:
            n += 1
            t = TIME + n * 1_000_000_007
            os.utime(os.path.join(top, name), ns=(t, t), follow_symlinks=False)
    os.utime(b"plain", ns=(0, 0))
    os.utime(b"empty", ns=(999999999, 999999999))
    os.utime(b"large", ns=(4294967296_000000001, 4294967296_000000001))
    os.utime(b".", ns=(TIME, TIME))


os.makedirs(sys.argv[1], exist_ok=True)
os.chdir(sys.argv[1])
os.umask(0o022)
for part in (files, attributes, links, names, sparse, nodes, dirs, times):
    part()
