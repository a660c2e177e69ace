#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""many.py - images and pods by the thousand, for many.sh

	many.py images N DIR         N small ACIs DIR/1.aci ..., ten versions of each name
	many.py pods N POD           N copies of a pod directory beside it, with UUIDs and manifests of their own
"""
import io
import json
import os
import shutil
import sys
import tarfile
import uuid


def image(n, arch):
    manifest = {
        "acKind": "ImageManifest", "acVersion": "0.8.11", "name": "example.com/many/%d" % (n // 10),
        "labels": [{"name": "version", "value": "1.%d" % (n % 10)}, {"name": "os", "value": "linux"},
                   {"name": "arch", "value": arch}],
        "app": {"exec": ["/x"], "user": "0", "group": "0"},
    }
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, data in (("manifest", json.dumps(manifest).encode()), ("rootfs/x", b"%d\n" % n)):
            if name != "manifest":
                top = tarfile.TarInfo("rootfs")
                top.type, top.mode = tarfile.DIRTYPE, 0o755
                tar.addfile(top)
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return out.getvalue()


def images(count, to):
    arch = {"x86_64": "amd64"}.get(os.uname().machine, os.uname().machine)
    for n in range(count):
        with open(os.path.join(to, "%d.aci" % n), "wb") as f:
            f.write(image(n, arch))


def pods(count, pod):
    with open(os.path.join(pod, "pod")) as f:
        manifest = json.load(f)
    for n in range(count):
        to = os.path.join(os.path.dirname(pod), str(uuid.uuid4()))
        shutil.copytree(pod, to, symlinks=True)
        manifest["annotations"] = [{"name": "number", "value": str(n)}]
        with open(os.path.join(to, "pod"), "w") as f:
            json.dump(manifest, f, separators=(",", ":"))


if __name__ == "__main__":
    {"images": images, "pods": pods}[sys.argv[1]](int(sys.argv[2]), sys.argv[3])
