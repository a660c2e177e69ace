# SPDX-License-Identifier: Apache-2.0
"""oci.py LAYER.tar.gz DIR - an OCI image layout of one layer, named "usr", for peers that read nothing else"""
import gzip
import hashlib
import json
import os
import sys

layer, out = sys.argv[1:]
blobs = os.path.join(out, "blobs/sha256")
os.makedirs(blobs)


def sha256_of(f):
    h = hashlib.sha256()
    while block := f.read(1 << 20):
        h.update(block)
    return h.hexdigest()


def described(kind, digest, size):
    return {"mediaType": "application/vnd.oci.image." + kind, "digest": "sha256:" + digest, "size": size}


def put_json(kind, value):
    text = json.dumps(value).encode()
    digest = hashlib.sha256(text).hexdigest()
    with open(os.path.join(blobs, digest), "wb") as f:
        f.write(text)
    return described(kind, digest, len(text))


with open(layer, "rb") as f:
    digest = sha256_of(f)
with gzip.open(layer) as f:
    diff_id = "sha256:" + sha256_of(f)
size = os.path.getsize(layer)
os.link(layer, os.path.join(blobs, digest))
config = put_json("config.v1+json", {
    "architecture": "amd64", "os": "linux", "config": {"Cmd": ["/noop"]},
    "rootfs": {"type": "layers", "diff_ids": [diff_id]}})
manifest = put_json("manifest.v1+json", {
    "schemaVersion": 2, "config": config, "layers": [described("layer.v1.tar+gzip", digest, size)]})
manifest["annotations"] = {"org.opencontainers.image.ref.name": "usr"}
for name, value in (("index.json", {"schemaVersion": 2, "manifests": [manifest]}),
                    ("oci-layout", {"imageLayoutVersion": "1.0.0"})):
    with open(os.path.join(out, name), "w", encoding="utf-8") as f:
        json.dump(value, f)
