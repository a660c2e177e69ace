#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""manifests.py - image and pod manifests, good and bad, for the differential test

    manifests.py DIR [TIMES]     DIR/00000 ..., and on stdout for each: its path, a tab, what was done to it

The same files at every run. First what the schema suggests: every member of a full manifest is left out, given every
JSON type, and every value at the edge of what its type allows; then oddities of JSON; then several such changes at
once and changed bytes, TIMES times as many.
"""
import copy
import json
import os
import random
import re
import sys

COMBINED = 700  # of several changes at once, and as many with changed bytes, for each of TIMES


class Raw(str):
    """JSON text that json.dumps() would not write"""


class Pairs(list):
    """an object as a list of (name, value), so that a name may be there twice"""


def dump(v):
    if isinstance(v, Raw):
        return str(v)
    if isinstance(v, dict):
        v = Pairs(v.items())
    if isinstance(v, Pairs):
        return "{" + ",".join((k if isinstance(k, Raw) else json.dumps(k)) + ":" + dump(x) for k, x in v) + "}"
    if isinstance(v, list):
        return "[" + ",".join(map(dump, v)) + "]"
    return json.dumps(v, ensure_ascii=False)


# ---- manifests that are good and have everything in them

ID = "sha512-277205b3ae3eb3a8e042a62ae46934b470e431ac277205b3ae3eb3a8e042a62a"

APP = {
    "exec": ["/bin/a", "b"],
    "user": "0",
    "group": "g",
    "supplementaryGIDs": [5],
    "eventHandlers": [{"exec": ["/h"], "name": "pre-start"}, {"name": "post-stop", "exec": ["/h"]}],
    "workingDirectory": "/w",
    "environment": [{"name": "A", "value": "b"}, {"name": "_b1", "value": ""}],
    "isolators": [
        {"name": "resource/memory", "value": {"request": "1G", "limit": "2G"}},
        {"name": "os/linux/capabilities-retain-set", "value": {"set": ["CAP_KILL"]}},
    ],
    "mountPoints": [{"name": "work", "path": "/m", "readOnly": False}],
    "ports": [{"name": "http", "port": 80, "protocol": "tcp", "count": 2, "socketActivated": True}],
    "userAnnotations": {"a": "b"},
    "userLabels": {"c": "d"},
}
IMAGE = {
    "acKind": "ImageManifest",
    "acVersion": "0.8.11",
    "name": "example.com/a",
    "labels": [{"name": "os", "value": "linux"}, {"name": "arch", "value": "amd64"}, {"name": "version", "value": "1"}],
    "app": APP,
    "dependencies": [
        {"imageName": "example.com/d", "imageID": ID, "labels": [{"name": "x", "value": "y"}], "size": 7}
    ],
    "pathWhitelist": ["/a"],
    "annotations": [
        {"name": "created", "value": "2014-10-27T19:32:27.67021798Z"},
        {"name": "homepage", "value": "https://example.com"},
        {"name": "documentation", "value": "http://example.com/d"},
        {"name": "authors", "value": "A"},
    ],
}
POD = {
    "acVersion": "0.8.11",
    "acKind": "PodManifest",
    "apps": [
        {
            "name": "one",
            "image": {"name": "example.com/a", "id": ID, "labels": [{"name": "version", "value": "1"}]},
            "app": {
                "exec": ["/bin/a"],
                "user": "0",
                "group": "0",
                "mountPoints": [{"name": "work", "path": "/m"}],
                "ports": [{"name": "http", "port": 80, "protocol": "tcp"}],
                "isolators": [{"name": "resource/cpu", "value": {"limit": "500m"}}],
            },
            "readOnlyRootFS": True,
            "mounts": [
                {"volume": "work", "path": "/m"},
                {"volume": "own", "path": "/o", "appVolume": {"name": "own", "kind": "empty"}},
            ],
            "annotations": [{"name": "n", "value": "v"}],
        },
        {"name": "two", "image": {"id": ID}},
    ],
    "volumes": [
        {"name": "work", "kind": "host", "source": "/s", "readOnly": True, "recursive": True},
        {"name": "empty", "kind": "empty", "mode": "0755", "uid": 1, "gid": 2},
    ],
    "isolators": [{"name": "resource/memory", "value": {"limit": "4G"}}],
    "annotations": [{"name": "ip-address", "value": "10.1.2.3"}],
    "ports": [
        {"name": "http", "hostPort": 8080, "hostIP": "127.0.0.1"},
        {"name": "own", "hostPort": 1, "podPort": {"name": "own", "protocol": "udp", "port": 53}},
    ],
    "userAnnotations": {"a": "b"},
    "userLabels": {"c": "d"},
}
MINIMAL = [
    {"acKind": "ImageManifest", "acVersion": "0.8.11", "name": "a"},
    {
        "acVersion": "0.8.11",
        "acKind": "PodManifest",
        "apps": [{"name": "a", "image": {"id": ID}}],
        "volumes": [],
        "isolators": [],
        "annotations": [],
        "ports": [],
    },
]

# ---- values

ABSENT = object()
ANY = [ABSENT, None, "", "x", "X y", 0, 1, -1, 1.5, True, False, [], {}, [None], [""], ["a", "a"], [{}], [[]], {"a": 1}]
NUMBERS = [2, 255, 65535, 65536, 2**31, 2**32 - 2, 2**32 - 1, 2**32, 2**53, 2**53 + 2, 2**63 - 1, 2**63, 2**64, -(2**63)]
NUMBERS += [Raw(s) for s in ("1.0", "1e0", "1E2", "-0", "0.0", "1e400", "1e-400", "0.1e1", "1" + "0" * 100)]
WORDS = [
    "a", "A", "a-b", "-a", "a-", "a--b", "a.b", "a_b", "a~b", "a/b", "/a", "a/", "a//b", "a-.b", "\u00e9", "a b", "a\n",
    " a", "0", "example.com/a", "name", "a" * 300, "a:b", "a%20b", "a+b", "a@b", "\u212a",
]
VERSIONS = [
    "0.8.11", "0.8.12", "0.9.0", "1.0.0", "0.0.0", "0.8", "1", "0.8.11-rc1", "0.8.11+git", "0.8.11-rc.1+g-1", "0.8.11-01",
    "0.8.11-0", "0.8.11-0a", "0.8.11+01", "v0.8.11", "0.08.1", "00.8.1", "0.8.011", "0.8.11 ", " 0.8.11", "0.8.11.1", "0.8.x",
    "99999999999999999999.0.0", "0.99999999999999999999.0", "0.8.11-", "0.8.11+", "0.8.11-a..b", "0.8.11-a_b", "0.8.11+a+b",
    "-1.0.0", "+0.8.11", "0.-8.11", "0.8.11-.a", "0.8.11-\u00e9", "1.0.0-rc1", "0.+8.1", "2.0.0",
]
IDS = [
    "sha512-", "sha512-a", "sha512-" + "0" * 64, "sha512-" + "0" * 128, "sha512-" + "0" * 129, "sha512-" + "0" * 127,
    "sha512-" + "AB" * 64, "sha256-" + "0" * 64, "sha512", "sha512_ab", "sha512-xy", "SHA512-ab", "sha512-ab-cd", "-ab",
    "sha512-...", "sha512-ab ", "sha512--ab", "ab",
]
PATHS = ["/", "/a", "a", "./a", "../a", "/a/../b", "/a//b", "/..", "//", "/a\n", "/a b", "/\u00e9", " /a", "/a/", "~/a", "\\a"]
USERS = [
    "0", "root", "4294967294", "4294967295", "4294967296", "-1", "+0", "00", "1e3", " 0", "0x0", "9" * 20, "/bin/x", "/", "/../x",
    "\u00e9", "a:b", "a b",
]
DATES = [
    "2014-10-27T19:32:27Z", "2014-10-27T19:32:27+01:00", "2014-10-27T19:32:27-23:59", "2014-10-27 19:32:27Z", "2014-10-27",
    "2014-10-27t19:32:27z", "2014-02-29T00:00:00Z", "2016-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2014-13-01T00:00:00Z",
    "2014-00-01T00:00:00Z", "2014-01-32T00:00:00Z", "2014-01-00T00:00:00Z", "2014-06-31T00:00:00Z", "2014-01-01T24:00:00Z",
    "2014-01-01T23:60:00Z", "2016-12-31T23:59:60Z", "2014-01-01T23:59:61Z", "2014-01-01T00:00:00.Z", "2014-01-01T00:00:00,5Z",
    "2014-01-01T00:00:00.123456789123Z", "2014-01-01T00:00:00", "2014-01-01T00:00:00+24:00", "2014-01-01T00:00:00+00:60",
    "2014-01-01T00:00:00+0000", "2014-1-1T00:00:00Z", "0000-01-01T00:00:00Z", "10000-01-01T00:00:00Z", "2014-01-01T0:00:00Z",
    " 2014-01-01T00:00:00Z", "2014-01-01T00:00:00Z ", "2014-01-01T00:00Z",
]
URLS = [
    "http://a", "https://a/b?c#d", "HTTP://a", "ftp://a", "a", "//a", "http:", "http:/", "http://", "http:///a", "http://a:80",
    "http://a:", "http://:80", "http://a:x", "http://a b", "http://a/b c", "http://u@a", "http://u:p@a", "http://[::1]/", "http://[::1",
    "http://a/%zz", "http://a/%20", "http://a/\u00e9", "http://a\n", " http://a", "http://a?", "mailto:a@b", "http:a", "https",
    "http://a%zz/", "http://@/", "http://a/\u007f", "http://\u00e9/",
]
ENV_NAMES = ["A", "_A", "1A", "A-B", "a b", "\u00e9", "A=", "A.B", "a1", "A\n", "_", "9", "A" * 300, "a\u0661"]
QUANTITIES = [
    "1", "0", "-1", "1.5", "100m", "1500m", "1K", "1k", "1Ki", "1ki", "1M", "1Mi", "1G", "1Gi", "1T", "1Ti", "1P", "1Pi", "1E", "1Ei",
    "1Z", "1Zi", "1e3", "1E3", "1e-3", "1e+3", ".5", "5.", "0.5Mi", "1 K", " 1", "1 ", "K", "+1", "-0", "01", "1.5.5", "0x10", "1_0", "m",
    "9223372036854775807", "9223372036854775808", "9223372036854775806", "1e30", "0.0000000001", "0.000000001", "1u", "1n", "7Ei",
    "8Ei", "9E", "10E", "1mi", "1.m", "0.3", "1,5", "\u0661", "1KiB", "1B", "1MM", "0.1m", "-1m", "123456789.123456789",
    1, 0, -1, 1.5, 2**53, 2**63, True, None, [], {}, "",
]
MODES = ["0755", "755", "7777", "8", "", "0o7", "01777", "10000", "-1", "77777", "0", "00000755", "0x1f", " 755", "+755"]
CAPS = ["CAP_CHOWN", "CHOWN", "chown", "cap_chown", "CAP_NOPE", "", "CAP_", "CAP_AUDIT_READ", "CAP_BPF", "CAP_SYS_ADMIN", "CAP CHOWN"]
SYSCALLS = [
    "reboot", "READ", "_sysctl", "a b", "", "@appc.io/all", "@appc.io/empty", "@appc.io/x", "@x/y", "@x", "@/y", "@x/", "@",
    "@appc.io/", "a-b", "io_uring_setup", "nosuchcall", "1", "\u00e9", "@x/y/z", "a@b",
]
ERRNOS = ["EPERM", "eperm", "ENOPE", "", "ENOTSUP", "EWOULDBLOCK", "E", "PERM", "1", "EPERM ", "E2BIG", "EHWPOISON", "ENOTSUPP"]
IPS = ["127.0.0.1", "::1", "::ffff:1.2.3.4", "1.2.3", "256.1.1.1", "01.2.3.4", "localhost", "1.2.3.4/8", "fe80::1%lo", "[::1]", " 1.1.1.1", "::", "0"]

# what a string at the end of a pointer should be; the first that matches counts
POOLS = [
    (r"/acKind$", ["ImageManifest", "PodManifest", "imagemanifest", "ImageManifest ", "ContainerRuntimeManifest"]),
    (r"/acVersion$", VERSIONS),
    (r"/(imageID|id)$", IDS),
    (r"/annotations/0/name$", WORDS + ["created"]),
    (r"/(name|imageName|volume)$", WORDS + ["os", "created", "homepage", "pre-start", "post-stop", "work", "http", "two"] + ENV_NAMES),
    (r"/(user|group)$", USERS),
    (r"/exec/\d+$|/pathWhitelist/\d+$|/(path|source|workingDirectory)$", PATHS),
    (r"^/labels/[01]/value$", ["linux", "freebsd", "darwin", "windows", "amd64", "i386", "x86_64", "arm", "LINUX", "linux "]),
    (r"^/annotations/0/value$", DATES),
    (r"^/annotations/[12]/value$", URLS),
    (r"/kind$", ["host", "empty", "Host", "other", " host"]),
    (r"/mode$", MODES),
    (r"/hostIP$", IPS),
    (r"/protocol$", ["tcp", "TCP", "tcp udp", "17", "sctp/ipv4"]),
    (r"/(limit|request)$", QUANTITIES),
    (r"/set/\d+$", CAPS),
    (r"", ["\u00e9\U0001f600", "\u2028", "\ufffd", "\x7f", "a" * 5000]),
]

QUANTITY_ISOLATORS = ["resource/memory", "resource/cpu"]
DEFAULT_ISOLATORS = ["resource/block-bandwidth", "resource/block-iops", "resource/network-bandwidth"]
SET_ISOLATORS = ["os/linux/capabilities-retain-set", "os/linux/capabilities-remove-set"]
SECCOMP_ISOLATORS = ["os/linux/seccomp-retain-set", "os/linux/seccomp-remove-set"]
SELINUX = {"user": "system_u", "role": "system_r", "type": "dhcpc_t", "level": "s0"}


def isolators():
    """(name, value) of each isolator, good and bad"""
    for name in QUANTITY_ISOLATORS + DEFAULT_ISOLATORS:
        base = {"default": True} if name in DEFAULT_ISOLATORS else {}
        for q in QUANTITIES:
            yield name, dict(base, limit=q)
        for more in ({}, {"request": "1"}, {"limit": "1", "request": "2"}, {"limit": "1", "other": 1}, {"limit": "1", "default": "x"}):
            yield name, dict(base, **more)
        for default in (ABSENT, True, False, None, "true", 1):
            value = {"default": default, "limit": "1"}
            yield name, {k: v for k, v in value.items() if v is not ABSENT}
    for name in SET_ISOLATORS:
        for c in CAPS:
            yield name, {"set": [c]}
        for s in (["CAP_KILL", "CAP_KILL"], ["CAP_KILL", "CAP_CHOWN"], [], None, "CAP_KILL", [1], {}):
            yield name, {"set": s}
    for name in SECCOMP_ISOLATORS:
        for s in SYSCALLS:
            yield name, {"set": [s]}
            yield name, {"set": ["read", s]}
        for s in ([], None, "read", [1], {}, ["read", "read"]):
            yield name, {"set": s}
        for e in ERRNOS + [None, 1, []]:
            yield name, {"set": ["read"], "errno": e}
    for part in SELINUX:
        for v in ("", "a:b", "a b", None, 1, ABSENT, "a\n"):
            yield "os/linux/selinux-context", {k: x for k, x in dict(SELINUX, **{part: v}).items() if x is not ABSENT}
    yield "os/linux/selinux-context", SELINUX
    for v in (True, False, None, "true", 0, 1, {}):
        yield "os/linux/no-new-privileges", v
    for name in ("os/linux/cpu-shares", "os/linux/oom-score-adj"):
        for v in (0, 1, 2, 1024, 262144, 262145, -1, -1000, -1001, 1000, 1001, "2", 2.5, 1e10, Raw("2.0"), None, True, {}):
            yield name, v
    for key in ("net.core.somaxconn", "net/core", "a", "", "a..b", ".a", "a.", "../a", "a b", "\u00e9"):
        yield "os/unix/sysctl", {key: "1"}
    for v in ("", "a\n", 1, None, True, [], {}):
        yield "os/unix/sysctl", {"net.a": v}
    yield "os/unix/sysctl", {}
    for name in ("example.com/unknown", "x", "X", ""):
        for v in ABSENT, None, 1, {}:
            yield name, v
    for name in ALL_ISOLATORS:
        for v in (ABSENT, None, "", "x", 1, [], {}, True, [1]):
            yield name, v


ALL_ISOLATORS = QUANTITY_ISOLATORS + DEFAULT_ISOLATORS + SET_ISOLATORS + SECCOMP_ISOLATORS
ALL_ISOLATORS += ["os/linux/selinux-context", "os/linux/no-new-privileges", "os/linux/cpu-shares", "os/linux/oom-score-adj"]
ALL_ISOLATORS += ["os/unix/sysctl"]
GOOD_ISOLATOR = {
    **{n: {"limit": "1"} for n in QUANTITY_ISOLATORS},
    **{n: {"default": True, "limit": "1"} for n in DEFAULT_ISOLATORS},
    **{n: {"set": ["CAP_KILL"]} for n in SET_ISOLATORS},
    **{n: {"set": ["read"]} for n in SECCOMP_ISOLATORS},
    "os/linux/selinux-context": SELINUX,
    "os/linux/no-new-privileges": True,
    "os/linux/cpu-shares": 2,
    "os/linux/oom-score-adj": 0,
    "os/unix/sysctl": {"net.a": "1"},
}


def isolator(name, value):
    return {"name": name} if value is ABSENT else {"name": name, "value": value}


# ---- places in a manifest: tuples of keys


def places(v, at=()):
    if at:
        yield at
    for k in list(v) if isinstance(v, dict) else range(len(v)) if isinstance(v, list) else ():
        yield from places(v[k], at + (k,))


def pointer(at):
    return "".join("/%s" % k for k in at)


def get(v, at):
    for k in at:
        v = v[k]
    return v


def put(doc, at, value):
    """changes @doc; what is no longer there is left alone"""
    try:
        parent = get(doc, at[:-1])
        if value is ABSENT:
            del parent[at[-1]]
        else:
            parent[at[-1]] = value
    except (KeyError, IndexError, TypeError):
        pass


def changed(base, at, value):
    doc = copy.deepcopy(base)
    put(doc, at, copy.deepcopy(value) if value is not ABSENT else value)
    return doc


def pool(at):
    return next(values for pattern, values in POOLS if re.search(pattern, pointer(at)))


def values_for(base, at):
    """all that is put into this place: every type, and the edges of its own"""
    is_ = get(base, at)
    yield from ANY
    if isinstance(is_, str):
        yield from pool(at)
    elif isinstance(is_, int):
        yield from NUMBERS


# ---- one change at a time


def single_changes():
    for what, base in ("image", IMAGE), ("pod", POD):
        yield what, base
        for at in places(base):
            for value in values_for(base, at):
                text = "-" if value is ABSENT else dump(value)
                yield "%s %s = %s" % (what, pointer(at), text[:60]), changed(base, at, value)
    for base in MINIMAL:
        yield "minimal", base
        for at in places(base):
            yield "minimal without " + pointer(at), changed(base, at, ABSENT)


def duplicates():
    """each element of a list twice, once as it is and once with something else in it"""
    for what, base in ("image", IMAGE), ("pod", POD):
        for at in places(base):
            if not isinstance(at[-1], int):
                continue
            doc = copy.deepcopy(base)
            get(doc, at[:-1]).append(copy.deepcopy(get(base, at)))
            yield "%s %s twice" % (what, pointer(at)), doc
            if isinstance(get(base, at), dict):
                doc = copy.deepcopy(doc)
                get(doc, at[:-1])[-1]["other"] = "x"
                yield "%s %s twice, with something else" % (what, pointer(at)), doc


def os_arch():
    oses = ["linux", "freebsd", "darwin", "windows", "", "Linux"]
    arches = "amd64 i386 x86_64 arm arm64 aarch64 aarch64_be armv6l armv7l armv7b ppc64 ppc64le s390x riscv64 mips".split() + [""]
    for os_ in [ABSENT] + oses:
        for arch in [ABSENT] + arches:
            labels = [{"name": n, "value": v} for n, v in (("os", os_), ("arch", arch)) if v is not ABSENT]
            yield "os/arch %s" % labels, dict(MINIMAL[0], labels=labels)


def with_isolators(list_, pod):
    if pod:
        return dict(MINIMAL[1], isolators=list_)
    return dict(MINIMAL[0], app={"exec": ["/a"], "user": "0", "group": "0", "isolators": list_})


def isolator_cases():
    for name, value in isolators():
        text = "%s %s" % (name, "-" if value is ABSENT else dump(value))
        yield "isolator " + text, with_isolators([isolator(name, value)], False)
        if name in ALL_ISOLATORS and value is not ABSENT and name.startswith(("os/unix", "os/linux/se", "resource/m")):
            yield "pod isolator " + text, with_isolators([isolator(name, value)], True)
    for pod in False, True:
        for a in ALL_ISOLATORS:
            for b in ALL_ISOLATORS:
                list_ = [isolator(n, GOOD_ISOLATOR[n]) for n in (a, b)]
                yield "isolators %s, %s%s" % (a, b, " of a pod" if pod else ""), with_isolators(list_, pod)


def references():
    """what refers to what in a pod"""
    app = {"exec": ["/a"], "user": "0", "group": "0"}
    port = {"name": "p", "port": 1, "protocol": "tcp"}
    for n in range(3):
        for exposed in ("p", "q"):
            for known in (True, False):
                apps = [
                    {"name": "a%d" % i, "image": {"id": ID}, **({"app": dict(app, ports=[port])} if known or i else {})} for i in range(n)
                ]
                ports = [{"name": exposed, "hostPort": 1}]
                yield "%d apps, port %s" % (n, exposed), dict(MINIMAL[1], apps=apps, ports=ports)
    for volume in ("v", "w"):
        for paths in (["/m"], ["/m", "/m"], ["/m", "/m/"], ["/m", "/m/n"], ["/m", "/n"], ["/", "/m"]):
            mounts = [{"volume": volume, "path": p} for p in paths]
            a = {"name": "a", "image": {"id": ID}, "mounts": mounts}
            yield "mounts %s of %s" % (paths, volume), dict(MINIMAL[1], apps=[a], volumes=[{"name": "v", "kind": "empty"}])
    for kind in ("host", "empty", "x", ABSENT):
        for source in (ABSENT, "", "/s", "s"):
            for more in ({}, {"mode": "0700"}, {"uid": 0}, {"gid": 0}, {"readOnly": True}, {"recursive": True}):
                v = {k: x for k, x in {"name": "v", "kind": kind, "source": source, **more}.items() if x is not ABSENT}
                yield "volume %s" % v, dict(MINIMAL[1], volumes=[v])
    for start, count in (65535, 1), (65535, 2), (65534, 2), (1, 65535), (1, 65536), (1, 0), (0, 1), (1, -1):
        p = dict(port, port=start, count=count)
        yield "port %d count %d" % (start, count), dict(MINIMAL[0], app=dict(app, ports=[p]))


# ---- JSON itself: functions of a manifest's text


def names_changed(text):
    for name in sorted(set(re.findall(r'"(\w+)":', text))):
        yield "name %s in capitals" % name, text.replace('"%s":' % name, '"%s":' % name.upper())
        escaped = "\\u%04x" % ord(name[0]) + name[1:]
        yield "name %s escaped" % name, text.replace('"%s":' % name, '"%s":' % escaped)
        yield "name %s with a blank" % name, text.replace('"%s":' % name, '"%s ":' % name)
    for name, value in (("acKind", "x"), ("name", "B B"), ("app", None), ("labels", []), ("x", 1)):
        yield "%s twice" % name, text[:-1] + ",%s:%s}" % (json.dumps(name), json.dumps(value))
        yield "%s twice, first" % name, "{%s:%s," % (json.dumps(name), json.dumps(value)) + text[1:]
        yield "%s in capitals too" % name, text[:-1] + ",%s:%s}" % (json.dumps(name.upper()), json.dumps(value))
    yield "Kelvin sign", text[:-1] + ',"ac\u212aind":"x"}'
    yield "long s", text[:-1] + ',"label\u017f":1}'


WHITE = [" ", "\t", "\n", "\r", "\f", "\v", "\u00a0", "\u2028", "\ufeff", "\0", "//c\n", "/*c*/", "#c\n", ","]
BAD_STRINGS = [
    b"\xff", b"\xc3", b"\xc3\x28", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc0\xaf", b"\xe2\x82", b"\x00", b"\x01", b"\x1f", b"\x7f", b"\n",
    b"\t", b"\\x41", b"\\", b"\\u12", b"\\u00e9", b"\\uD83D\\uDE00", b"\\uD83D", b"\\uDE00", b"\\uDE00\\uD83D", b"\\uD83Dx", b"\\u0000", b"\\/",
    b"\\b\\f\\n\\r\\t\\\"\\\\", b"\\'", b"\\0", b"\\U00000041", b"\xef\xbf\xbf", b"\xf0\x9f\x98\x80", b"\xef\xbb\xbf", b"\\ud800\\udbff",
]
BAD_VALUES = [
    "NaN", "Infinity", "-Infinity", "nan", "True", "TRUE", "None", "undefined", "nul", "nulll", "01", "+1", "-", "1.", ".1", "1e", "1e+", "0x1",
    "--1", "1 2", "'x'", "x", "[1,]", "[,1]", "{,}", '{"a"}', '{"a":}', '{"a":1,}', '{a:1}', "{'a':1}", "[1 2]", '{"a" 1}', "[", "{", '"', "",
    "-0", "-0.0", "1E+2", "1e-2", "[[[]]]", "1" * 70, "1." + "1" * 70, "1e99999", "-1e99999", "\"\\\"",
]


def json_cases():
    for what, base in ("image", MINIMAL[0]), ("full image", IMAGE), ("pod", POD):
        text = dump(base)
        yield from (("%s: %s" % (what, w), t.encode()) for w, t in names_changed(text))
        for w in WHITE:
            for where, t in ("before", w + text), ("after", text + w), ("inside", text.replace(":", ":" + w, 1)):
                yield "%s: %r %s" % (what, w, where), t.encode()
        for tail in "x", "{}", "}", "]", "1", "null", text:
            yield "%s: then %s" % (what, tail[:9]), (text + tail).encode()
        for encoding in "utf-16", "utf-16-le", "utf-32-be", "utf-8-sig":
            yield "%s in %s" % (what, encoding), text.encode(encoding)
        for depth in 10, 100, 1000, 9990, 9996, 10010, 100000:
            for a, b in ("[", "]"), ('{"a":', "}"):
                inner = "1" if a != "[" else ""
                yield "%s: %d deep in %s" % (what, depth, a), (text[:-1] + ',"x":' + a * depth + inner + b * depth + "}").encode()
        yield what + " in an array", ("[" + text + "]").encode()
        yield what + " with indent", json.dumps(base, indent=4).encode()
        yield what + ", all escaped", json.dumps(base, ensure_ascii=True).encode()
        for bad in BAD_VALUES:
            yield "%s: unknown member %s" % (what, bad[:20]), (text[:-1] + ',"x":' + bad + "}").encode()
            yield "%s: acVersion %s" % (what, bad[:20]), re.sub('("acVersion":)"[^"]*"', lambda m: m[1] + bad, text).encode()
    for value in BAD_STRINGS:
        for member in b"x", b"name", b"acKind":
            yield "%s is %r" % (member, value), dump(MINIMAL[0]).encode()[:-1] + b',"' + member + b'2":"a' + value + b'"}'
        label = b',"labels":[{"name":"l","value":"a' + value + b'b"}]}'
        yield "label is %r" % value, dump(MINIMAL[0]).encode()[:-1] + label
        yield "name of member is %r" % value, dump(MINIMAL[0]).encode()[:-1] + b',"a' + value + b'":1}'
        image_name = dump(MINIMAL[0]).encode().replace(b'"name":"a"', b'"name":"a' + value + b'"')
        yield "name is %r" % value, image_name
    for text in "", " ", "{}", "null", "[]", "1", '"x"', "true", "{", "}", "\n\n", '{"acKind"', '{"acKind":', "x":
        yield "text %r" % text, text.encode()


# ---- many changes


def combined(rng, n):
    bases = [("image", IMAGE), ("pod", POD), ("image", MINIMAL[0]), ("pod", MINIMAL[1])]
    where = {id(b): list(places(b)) for _, b in bases}
    all_isolators = list(isolators())
    for _ in range(n):
        what, base = rng.choice(bases)
        doc, done = copy.deepcopy(base), []
        for _ in range(rng.randint(1, 4)):
            at = rng.choice(where[id(base)])
            # mostly what may well be good, for two bad things hide each other
            is_ = get(base, at)
            value = rng.choice(pool(at)) if isinstance(is_, str) and rng.random() < 0.8 else rng.choice(ANY)
            if pointer(at).endswith("isolators"):
                value = [isolator(*i) for i in rng.sample(all_isolators, rng.randint(0, 3))]
            put(doc, at, value if value is ABSENT else copy.deepcopy(value))
            done.append("%s = %s" % (pointer(at), "-" if value is ABSENT else dump(value)[:40]))
        yield "%s: %s" % (what, ", ".join(done)), dump(doc).encode()


def byte_changes(rng, n):
    texts = [("image", dump(IMAGE).encode()), ("pod", dump(POD).encode()), ("minimal", dump(MINIMAL[0]).encode())]
    interesting = b'"\\{}[]:,0-.eE \n\0\xff\xc3/ntfaA'
    for _ in range(n):
        what, text = rng.choice(texts)
        b = bytearray(text)
        how = rng.randrange(6)
        for _ in range(rng.randint(1, 2)):
            i = rng.randrange(len(b))
            j = min(len(b), i + rng.randint(1, 40))
            if how == 0:
                b[i] ^= 1 << rng.randrange(8)
            elif how == 1:
                b[i] = rng.choice(interesting)
            elif how == 2:
                b.insert(i, rng.choice(interesting))
            elif how == 3:
                del b[i]
            elif how == 4:
                b[i:i] = b[i:j]
            else:
                del b[i:j]
        if rng.random() < 0.1:
            del b[rng.randrange(len(b) + 1):]
        yield "%s, bytes changed (%d)" % (what, how), bytes(b)


def members_swapped(rng, n):
    """the order of members says nothing, but what is swapped between places may"""
    for _ in range(n):
        what, base = rng.choice([("image", IMAGE), ("pod", POD)])
        doc = copy.deepcopy(base)
        a, b = rng.sample(list(places(doc)), 2)
        va, vb = copy.deepcopy(get(doc, a)), copy.deepcopy(get(doc, b))
        put(doc, a, vb)
        put(doc, b, va)
        yield "%s: %s and %s swapped" % (what, pointer(a), pointer(b)), dump(doc).encode()


def all_cases(times):
    rng = random.Random(20160601)
    for cases in single_changes(), duplicates(), os_arch(), isolator_cases(), references():
        for what, doc in cases:
            yield what, dump(doc).encode("utf-8", "surrogatepass")
    yield from json_cases()
    yield from combined(rng, COMBINED * times)
    yield from byte_changes(rng, COMBINED * times)
    yield from members_swapped(rng, COMBINED // 2 * times)


def main():
    where, times = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1
    for n, (what, text) in enumerate(all_cases(times)):
        path = os.path.join(where, "%05d" % n)
        with open(path, "wb") as f:
            f.write(text)
        print(path, what.encode("ascii", "backslashreplace").decode().replace("\t", " ").replace("\n", " "), sep="\t")


main()
