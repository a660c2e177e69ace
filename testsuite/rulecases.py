#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""rulecases.py - for every rule of actool validate something that breaks this rule and no other

    rulecases.py DIR        makes DIR/KIND-RULE[.WHAT] for each; prints RULE<TAB>LEVEL<TAB>PATH

KIND is image, manifest or layout: what a rule says of one it has to say of the others. LEVEL is the one that the
finding has under the security profile.
"""
import bz2
import copy
import gzip
import io
import json
import lzma
import os
import stat
import subprocess
import sys
import tarfile

IMAGE = {
    "acKind": "ImageManifest", "acVersion": "0.8.11", "name": "example.com/case",
    "labels": [{"name": "os", "value": "linux"}, {"name": "arch", "value": "amd64"}],
    "app": {"exec": ["/x"], "user": "0", "group": "0"},
}
POD = {
    "acKind": "PodManifest", "acVersion": "0.8.11",
    "apps": [{"name": "a", "image": {"id": "sha512-ab"}, "app": {
        "exec": ["/x"], "user": "0", "group": "0", "ports": [{"name": "web", "protocol": "tcp", "port": 80}]}}],
    "volumes": [{"name": "v", "kind": "empty"}], "isolators": [], "annotations": [], "ports": [],
}


# ---- manifests: RULE, LEVEL, KIND, pointer, value

NONE = object()
MANIFESTS = [
    ("manifest-size", "error", IMAGE, "/annotations", [{"name": "n", "value": "v"}] * 10001),
    ("json-type", "error", IMAGE, "/name", 7),
    ("member-required", "error", IMAGE, "/acVersion", NONE),
    ("ac-kind", "error", IMAGE, "/acKind", "Manifest"),
    ("ac-version", "error", IMAGE, "/acVersion", "1"),
    ("image-name", "error", IMAGE, "/name", "A B"),
    ("image-id", "error", POD, "/apps/0/image/id", "sha256-ab"),
    ("label-name", "error", IMAGE, "/labels", IMAGE["labels"] + [{"name": "O S", "value": ""}]),
    ("label-os-arch", "error", IMAGE, "/labels/0/value", "plan9"),
    ("label-os-arch", "warning", IMAGE, "/labels/0/name", "not-os"),
    ("app-exec", "error", IMAGE, "/app/exec/0", "x"),
    ("app-user", "error", IMAGE, "/app/user", ""),
    ("app-user-id", "error", IMAGE, "/app/user", "4294967295"),
    ("app-user-id", "error", IMAGE, "/app/group", "4294967295"),
    ("app-gids", "error", IMAGE, "/app/supplementaryGIDs", [4294967295]),
    ("app-handler", "error", IMAGE, "/app/eventHandlers", [{"name": "start", "exec": ["/x"]}]),
    ("app-workdir", "error", IMAGE, "/app/workingDirectory", "x"),
    ("app-workdir-proc", "warning", IMAGE, "/app/workingDirectory", "/proc/self/fd/7"),
    ("app-environment", "error", IMAGE, "/app/environment", [{"name": "A B", "value": ""}]),
    ("app-environment-control", "warning", IMAGE, "/app/environment", [{"name": "A", "value": "\x1b[2J"}]),
    ("mount-point", "error", IMAGE, "/app/mountPoints", [{"name": "A", "path": "/a"}]),
    ("mount-point", "warning", IMAGE, "/app/mountPoints", [{"name": "a", "path": "/a"}, {"name": "a", "path": "/b"}]),
    ("path-plain", "warning", IMAGE, "/app/mountPoints", [{"name": "a", "path": "/a/../b"}]),
    ("port", "error", IMAGE, "/app/ports", [{"name": "a", "protocol": "tcp", "port": 65536}]),
    ("port-unique", "warning", IMAGE, "/app/ports", [{"name": "a", "protocol": p, "port": 53} for p in ("tcp", "udp")]),
    ("isolator-name", "error", IMAGE, "/app/isolators", [{"name": "A", "value": {}}]),
    ("isolator-value", "error", IMAGE, "/app/isolators", [{"name": "os/linux/cpu-shares", "value": "x"}]),
    ("isolator-value", "warning", IMAGE, "/app/isolators", [{"name": "resource/memory", "value": {}}]),
    ("isolator-list", "error", IMAGE, "/app/isolators", [{"name": "os/linux/cpu-shares", "value": 9}] * 2),
    ("isolator-list", "warning", IMAGE, "/app/isolators", [{"name": "os/unix/sysctl", "value": {}}]),
    ("capability", "error", IMAGE, "/app/isolators",
     [{"name": "os/linux/capabilities-retain-set", "value": {"set": ["CAP_X"]}}]),
    ("seccomp", "error", IMAGE, "/app/isolators", [{"name": "os/linux/seccomp-retain-set", "value": {"set": ["@x"]}}]),
    ("seccomp-name", "warning", IMAGE, "/app/isolators", [{"name": "os/linux/seccomp-retain-set", "value": {"set": ["reed"]}}]),
    ("quantity", "error", IMAGE, "/app/isolators", [{"name": "resource/memory", "value": {"limit": "1Q"}}]),
    ("dependency", "error", IMAGE, "/dependencies", [{"imageName": "a", "size": -1}]),
    ("path-whitelist", "error", IMAGE, "/pathWhitelist", ["x"]),
    ("annotation", "error", IMAGE, "/annotations", [{"name": "A", "value": ""}]),
    ("annotation-created", "error", IMAGE, "/annotations", [{"name": "created", "value": "now"}]),
    ("annotation-url", "error", IMAGE, "/annotations", [{"name": "homepage", "value": "x"}]),
    ("pod-app-name", "error", POD, "/apps/0/name", "A"),
    ("pod-apps", "error", POD, "/apps", []),
    ("volume", "error", POD, "/volumes/0/kind", "full"),
    ("volume", "error", POD, "/volumes/0", {"name": "v", "kind": "host", "source": "/s", "mode": "0755"}),
    ("volume-owner", "error", POD, "/volumes/0", {"name": "v", "kind": "empty", "mode": "0999"}),
    ("mount", "error", POD, "/apps/0/mounts", [{"volume": "v", "path": "/a"}, {"volume": "v", "path": "/a"}]),
    ("pod-reified", "warning", POD, "/apps/0/mounts", [{"volume": "w", "path": "/a"}]),
    ("mount", "warning", POD, "/apps/0/mounts", [{"volume": "v", "path": p} for p in ("/a", "/a/b")]),
    ("pod-reified", "warning", POD, "/apps/0/app/mountPoints", [{"name": "a", "path": "/a"}]),
    ("exposed-port", "error", POD, "/ports", [{"name": "other", "hostPort": 80}]),
]


def changed(base, pointer, value):
    j = at = copy.deepcopy(base)
    *above, last = pointer.split("/")[1:]
    for name in above:
        at = at[int(name) if isinstance(at, list) else name]
    key = int(last) if isinstance(at, list) else last
    if value is NONE:
        del at[key]
    else:
        at[key] = value
    return json.dumps(j).encode()


def manifests():
    yield "json", "error", b'{"acKind": "ImageManifest",}'
    for rule, level, base, pointer, value in MANIFESTS:
        yield rule, level, changed(base, pointer, value)


# ---- archives

GOOD = json.dumps(IMAGE).encode()


def entry(name, kind=tarfile.REGTYPE, data=b"", link="", mode=None, uid=0, **pax):
    t = tarfile.TarInfo(name)
    t.type, t.linkname, t.size, t.uid = kind, link, len(data), uid
    t.mode = mode if mode is not None else 0o755 if kind == tarfile.DIRTYPE else 0o644
    t.devmajor, t.devminor = 1, 3
    t.pax_headers = {"SCHILY.xattr." + k.replace("__", "."): v for k, v in pax.items()}
    return t, data


def pack(*entries):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for t, data in entries:
            tar.addfile(t, io.BytesIO(data))
    return out.getvalue()


def good(*more):
    return pack(entry("manifest", data=GOOD), entry("rootfs", tarfile.DIRTYPE), *more)


def zstd(data):
    return subprocess.run(["zstd", "-q", "-c"], input=data, stdout=subprocess.PIPE, check=True).stdout


# what an entry of an archive and a file of a layout can have in common: RULE, entry
ENTRIES = [
    ("aci-device", entry("rootfs/e", tarfile.CHRTYPE)),
    ("aci-device", entry("rootfs/e", tarfile.BLKTYPE)),
    ("aci-setuid", entry("rootfs/e", mode=0o4755)),
    ("aci-setuid", entry("rootfs/e", mode=0o2755)),
    ("aci-world-writable", entry("rootfs/e", mode=0o666)),
    ("aci-world-writable", entry("rootfs/e", tarfile.DIRTYPE, mode=0o777)),
    ("aci-capability", entry("rootfs/e", security__capability="\1\0\0\2\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0")),
    ("aci-symlink", entry("rootfs/e", tarfile.SYMTYPE, link="../e")),
    ("aci-symlink", entry("rootfs/e", tarfile.SYMTYPE, link="a/../../e")),
    ("aci-symlink", entry("rootfs/e", tarfile.SYMTYPE, link="/../e")),
    ("aci-overlay", entry("rootfs/e", tarfile.DIRTYPE, trusted__overlay__opaque="y")),
    ("aci-overlay", entry("rootfs/e", user__overlay__redirect="/")),
    ("aci-selinux", entry("rootfs/e", security__selinux="system_u:object_r:x:s0")),
    ("aci-xattr", entry("rootfs/e", trusted__mine="x")),
]


def archives():
    yield "aci-stream", "error", gzip.compress(good())[:-3]
    yield "aci-tar", "error", good() + b"more" * 128
    yield "aci-entry", "error", good(entry("rootfs/a/../b", data=b"x" * 1000))
    yield "aci-entry", "error", good(entry("/etc/a"))
    yield "aci-entry", "error", good(entry("rootfs/z", b"Z"))
    yield "aci-entry", "error", good(entry("rootfs/a", tarfile.LNKTYPE, link="/b"))
    yield "aci-manifest", "error", pack(entry("rootfs", tarfile.DIRTYPE))
    yield "aci-rootfs", "error", pack(entry("manifest", data=GOOD))
    yield "aci-toplevel", "error", good(entry("rootfsx/y"))
    yield "aci-duplicate", "error", good(entry("rootfs/a"), entry("./rootfs/a"))
    yield "aci-parent", "error", good(entry("rootfs/a", tarfile.SYMTYPE, link="/b"), entry("rootfs/a/c"))
    yield "aci-link", "error", good(entry("rootfs/a", tarfile.LNKTYPE, link="manifest"))
    yield "aci-owner", "error", good(entry("rootfs/a", uid=4294967295))
    zeros = good(entry("rootfs/zeros", data=bytes(100 << 20)))
    yield "aci-bounds", "error", lzma.compress(zeros, preset=0)
    yield "aci-ratio", "warning", gzip.compress(zeros, 1)
    yield "aci-compression", "ignored", zstd(good())
    for rule, e in ENTRIES:
        yield rule, "warning", good(e)


# ---- layouts

def put(dir_name, t, data):
    path = os.path.join(dir_name, t.name)
    if t.type == tarfile.DIRTYPE:
        os.mkdir(path)
    elif t.type == tarfile.SYMTYPE:
        os.symlink(t.linkname, path)
    elif t.type in (tarfile.CHRTYPE, tarfile.BLKTYPE):
        kind = stat.S_IFCHR if t.type == tarfile.CHRTYPE else stat.S_IFBLK
        os.mknod(path, kind | 0o600, os.makedev(t.devmajor, t.devminor))
    else:
        with open(path, "wb") as f:
            f.write(data)
    for name, value in t.pax_headers.items():
        os.setxattr(path, name[len("SCHILY.xattr."):], value.encode("latin-1"), follow_symlinks=False)
    if t.type != tarfile.SYMTYPE:
        os.chmod(path, t.mode)


def layout(path, manifest=GOOD, rootfs=True, *entries):
    os.mkdir(path, 0o755)
    if manifest is not None:
        with open(os.path.join(path, "manifest"), "wb") as f:
            f.write(manifest)
    if rootfs:
        os.mkdir(os.path.join(path, "rootfs"), 0o755)
    for t, data in entries:
        put(path, t, data)


def layouts(top):
    """Each makes a directory; what this file system cannot have is said on stderr."""
    n = 0

    def made(rule, level, *args):
        nonlocal n
        n += 1
        path = os.path.join(top, "layout-%s.%d" % (rule, n))
        try:
            layout(path, *args)
        except OSError as e:
            print("no %s here: %s" % (path, e), file=sys.stderr)
            return []
        return [(rule, level, path)]

    yield from made("aci-manifest", "error", None)
    yield from made("aci-rootfs", "error", GOOD, False)
    yield from made("aci-toplevel", "error", GOOD, True, entry("extra"))
    for rule, e in ENTRIES:
        yield from made(rule, "warning", GOOD, True, e)
    for rule, level, text in manifests():
        if b"PodManifest" not in text:
            yield from made(rule, level, text)


def main(top):
    os.umask(0o022)
    for kind, cases in (("manifest", manifests()), ("image", archives())):
        for i, (rule, level, data) in enumerate(cases):
            path = os.path.join(top, "%s-%s.%d" % (kind, rule, i))
            with open(path, "wb") as f:
                f.write(data)
            print(rule, level, path, sep="\t")
    for i, (rule, level, text) in enumerate(manifests()):
        if b"PodManifest" not in text:
            path = os.path.join(top, "image-%s.m%d" % (rule, i))
            with open(path, "wb") as f:
                f.write(bz2.compress(pack(entry("manifest", data=text), entry("rootfs", tarfile.DIRTYPE)), 1))
            print(rule, level, path, sep="\t")
    for rule, level, path in layouts(top):
        print(rule, level, path, sep="\t")


if len(sys.argv) != 2:
    sys.exit(__doc__)
main(sys.argv[1])
