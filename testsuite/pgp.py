#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""pgp.py DIR - OpenPGP keys and signatures that no tool makes, each with what must be said of it

Writes DIR/data, DIR/NAME.sig and DIR/NAME.key, and DIR/cases: lines "GROUP NAME WANT TEXT" where WANT is "good" or
what testsuite/progs/sigcheck calls the error, and TEXT is a regular expression for its words. "Now" is NOW below.
Source: RFC 9580; the comment before each group of cases names the section.
"""
import base64
import hashlib
import os
import struct
import sys

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa, utils

NOW = 1800000000
BORN, SIGNED = NOW - 1000000, NOW - 1000
DATA = b"what is signed\n" * 20
HASHES = {  # OpenPGP's number, bytes of salt, cryptography's class
    "MD5": (1, 0, hashes.MD5), "SHA1": (2, 0, hashes.SHA1), "RIPEMD160": (3, 0, None),
    "SHA256": (8, 16, hashes.SHA256), "SHA384": (9, 24, hashes.SHA384), "SHA512": (10, 32, hashes.SHA512),
    "SHA224": (11, 16, hashes.SHA224), "SHA3_256": (12, 16, hashes.SHA3_256), "SHA3_512": (14, 32, hashes.SHA3_512),
}
INFO = {"MD5": "3020300c06082a864886f70d020505000410", "SHA1": "3021300906052b0e03021a05000414"}
for _n, (_len, _oid) in {"SHA256": (32, 1), "SHA384": (48, 2), "SHA512": (64, 3), "SHA224": (28, 4),
                         "SHA3_256": (32, 8), "SHA3_512": (64, 10)}.items():
    INFO[_n] = "30%02x300d060960864801650304020%x05000 4%02x".replace(" ", "") % (0x11 + _len, _oid, _len)

OIDS = {"secp256r1": "2a8648ce3d030107", "secp384r1": "2b81040022", "secp521r1": "2b81040023",
        "secp256k1": "2b8104000a", "brainpoolP256r1": "2b2403030208010107", "ed25519": "2b06010401da470f01"}


def mpi(n):
    if isinstance(n, bytes):
        n = int.from_bytes(n, "big")
    return struct.pack(">H", n.bit_length()) + n.to_bytes((n.bit_length() + 7) // 8, "big")


def packet(tag, body, form="new"):
    """form: new, new2 and new5 (longer lengths than needed where there is a way), old, partial, endless"""
    n = len(body)
    if form == "old":
        return (bytes([0x80 | tag << 2, n]) if n < 256 else bytes([0x81 | tag << 2]) + struct.pack(">H", n)) + body
    if form == "old4":
        return bytes([0x82 | tag << 2]) + struct.pack(">I", n) + body
    if form == "endless":
        return bytes([0x83 | tag << 2]) + body
    if form == "partial":
        return bytes([0xc0 | tag, 224 + 6]) + body[:64] + bytes([n - 64]) + body[64:]
    if form == "new5" or n >= 8384:
        return bytes([0xc0 | tag, 255]) + struct.pack(">I", n) + body
    if n < 192:
        return bytes([0xc0 | tag, n]) + body
    return bytes([0xc0 | tag, 192 + (n - 192 >> 8), n - 192 & 255]) + body


MADE = {}


def slowly_made(kind):
    """one RSA or DSA key of a size is enough: what differs is what is said about it"""
    if kind not in MADE:
        bits = int(kind[3:])
        MADE[kind] = rsa.generate_private_key(65537, bits) if kind.startswith("rsa") else dsa.generate_private_key(bits)
    return MADE[kind]


class Key:
    def __init__(self, kind, version=4, created=BORN, material=None, seed=None):
        self.version, self.created, self.kind = version, created, kind
        if kind.startswith("rsa"):
            self.alg, self.private = 1, slowly_made(kind)
            n = self.private.private_numbers()
            self.n, self.d = n.public_numbers.n, n.d
            self.material = mpi(self.n) + mpi(65537)
        elif kind.startswith("dsa"):
            self.alg, self.private = 17, slowly_made(kind)
            n = self.private.public_key().public_numbers()
            p = n.parameter_numbers
            self.material = mpi(p.p) + mpi(p.q) + mpi(p.g) + mpi(n.y)
        elif kind in ("ed25519", "27"):
            self.alg = 27 if kind == "27" else 22
            made = ed25519.Ed25519PrivateKey
            self.private = made.from_private_bytes(seed) if seed else made.generate()
            raw = self.private.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
            oid = bytes.fromhex(OIDS["ed25519"])
            self.material = raw if self.alg == 27 else bytes([len(oid)]) + oid + mpi(b"\x40" + raw)
        else:
            self.alg = 19
            curve = {"secp256r1": ec.SECP256R1, "secp384r1": ec.SECP384R1, "secp521r1": ec.SECP521R1,
                     "secp256k1": ec.SECP256K1, "brainpoolP256r1": ec.BrainpoolP256R1}[kind]
            self.private = ec.generate_private_key(curve())
            raw = self.private.public_key().public_bytes(serialization.Encoding.X962,
                                                         serialization.PublicFormat.UncompressedPoint)
            oid = bytes.fromhex(OIDS[kind])
            self.material = bytes([len(oid)]) + oid + mpi(raw)
        if material is not None:
            self.material = material

    def body(self):
        head = bytes([self.version]) + struct.pack(">I", self.created)
        if self.version == 3:
            return head + b"\0\0" + bytes([self.alg]) + self.material
        head += bytes([self.alg])
        return head + (struct.pack(">I", len(self.material)) if self.version == 6 else b"") + self.material

    def hashed(self):
        b = self.body()
        return (b"\x9b" + struct.pack(">I", len(b)) if self.version == 6 else b"\x99" + struct.pack(">H", len(b))) + b

    def fingerprint(self):
        return (hashlib.sha256 if self.version == 6 else hashlib.sha1)(self.hashed()).digest()

    def key_id(self):
        return self.fingerprint()[:8] if self.version == 6 else self.fingerprint()[-8:]

    def emsa(self, name, digest, info=None):
        t = bytes.fromhex(INFO[name] if info is None else info) + digest
        size = (self.n.bit_length() + 7) // 8
        return b"\0\1" + b"\xff" * (size - len(t) - 3) + b"\0" + t

    def raw_rsa(self, em):
        return pow(int.from_bytes(em, "big"), self.d, self.n)

    def numbers(self, name, digest):
        """what a signature packet ends with"""
        if self.alg == 1:
            return mpi(self.raw_rsa(self.emsa(name, digest)))
        if self.alg in (17, 19):
            # a class with a digest of that length, since only the length matters
            by_len = {16: hashes.MD5, 20: hashes.SHA1, 28: hashes.SHA224, 32: hashes.SHA256, 48: hashes.SHA384, 64: hashes.SHA512}
            how = utils.Prehashed(by_len[len(digest)]())
            der = self.private.sign(digest, how) if self.alg == 17 else self.private.sign(digest, ec.ECDSA(how))
            return b"".join(mpi(n) for n in utils.decode_dss_signature(der))
        raw = self.private.sign(digest)
        return raw if self.alg == 27 else mpi(raw[:32]) + mpi(raw[32:])


def sub(kind, data, critical=False):
    return bytes([len(data) + 1, kind | (0x80 if critical else 0)]) + data


def u32(n):
    return struct.pack(">I", n)


def notation(name, value=b"1", critical=False):
    return sub(20, b"\x80\0\0\0" + struct.pack(">HH", len(name), len(value)) + name + value, critical)


def signature(key, kind, what, name="SHA512", created=SIGNED, hashed=(), unhashed=None, issuer=True, version=None,
              salt=None, numbers=None, alg=None, number=None, left=None):
    """@numbers: a function of the digest, instead of what the key makes"""
    version = version or key.version
    alg = key.alg if alg is None else alg
    area = b"" if created is None else sub(2, u32(created))
    if issuer:
        area += sub(33, bytes([version]) + key.fingerprint())
    area += b"".join(hashed)
    if unhashed is None:
        unhashed = [sub(16, key.key_id())] if issuer and version == 4 else []
    rest = b"".join(unhashed)
    if salt is None:
        salt = os.urandom(HASHES[name][1]) if version == 6 else b""
    count = (lambda b: u32(len(b))) if version == 6 else (lambda b: struct.pack(">H", len(b)))
    head = bytes([version, kind, alg, number or HASHES[name][0]]) + count(area) + area
    digest = hashlib.new(name.lower())
    digest.update(salt + what + head + bytes([version, 0xff]) + u32(len(head)))
    digest = digest.digest()
    return (head + count(rest) + rest + (left or digest[:2]) + (bytes([len(salt)]) + salt if version == 6 else b"") +
            (numbers(digest) if numbers else key.numbers(name, digest)))


def v3_signature(key, name="SHA256"):
    head = b"\0" + u32(SIGNED)
    digest = hashlib.new(name.lower(), DATA + head).digest()
    return (b"\x03\x05" + head + key.key_id() + bytes([key.alg, HASHES[name][0]]) + digest[:2] + key.numbers(name, digest))


SIGN, CERTIFY = b"\x02", b"\x01"


def flags(f):
    return sub(27, f)


def uid_hashed(uid):
    return b"\xb4" + u32(len(uid)) + uid


def certify(key, uid, by=None, **more):
    more.setdefault("hashed", [flags(b"\x03")])
    more.setdefault("created", BORN)
    return packet(2, signature(by or key, more.pop("kind", 0x13), key.hashed() + uid_hashed(uid), **more))


def direct(key, **more):
    more.setdefault("hashed", [flags(b"\x03")])
    more.setdefault("created", BORN)
    return packet(2, signature(key, 0x1f, key.hashed(), **more))


def revoke(key, reason=None, by=None, **more):
    more.setdefault("hashed", [] if reason is None else [sub(29, bytes([reason]) + b"why")])
    return packet(2, signature(by or key, 0x20, key.hashed(), **more))


def public(key, tag=6):
    return packet(tag, key.body())


UID = b"a <a@example.com>"


def cert(key, *more, uid=UID, own=None, revocation=b""):
    """a key with a user id; @own: its signature, @more: packets after that"""
    if key.version == 6:
        return public(key) + revocation + (own if own is not None else direct(key)) + b"".join(more)
    return (public(key) + revocation + packet(13, uid) + (own if own is not None else certify(key, uid)) + b"".join(more))


def back(key, subkey, **more):
    more.setdefault("created", BORN)
    return signature(subkey, more.pop("kind", 0x19), key.hashed() + subkey.hashed(), **more)


def bind(key, subkey, embedded=True, by=None, use=SIGN, back_args=None, where="unhashed", extra=(), **more):
    b = back(key, subkey, **(back_args or {})) if embedded is True else embedded
    n = len(b) + 1 if b else 0
    sub_b = bytes([192 + (n - 192 >> 8), n - 192 & 255]) if n >= 192 else bytes([n])
    sub_b += b"\x20" + b if b else b""
    if not b:
        sub_b = b""
    more.setdefault("created", BORN)
    hashed = ([flags(use)] if use is not None else []) + list(extra) + ([sub_b] if where == "hashed" else [])
    unhashed = [sub(16, key.key_id())] + ([sub_b] if where == "unhashed" else [])
    return packet(14, subkey.body()) + packet(2, signature(by or key, 0x18, key.hashed() + subkey.hashed(), hashed=hashed,
                                                          unhashed=unhashed if key.version == 4 else unhashed[1:], **more))


class Cases:
    def __init__(self, where):
        self.where, self.list, self.group = where, [], ""

    def add(self, name, want, text, sig, key):
        for end, data in (("sig", sig), ("key", key)):
            with open(os.path.join(self.where, f"{name}.{end}"), "wb") as f:
                f.write(data)
        self.list.append(f"{self.group} {name} {want} {text}\n")

    def end(self):
        with open(os.path.join(self.where, "data"), "wb") as f:
            f.write(DATA)
        with open(os.path.join(self.where, "cases"), "w") as f:
            f.writelines(self.list)


def sign(key, **more):
    return packet(2, signature(key, more.pop("kind", 0), DATA, **more))


# A.3 and A.4: a version 6 key that others made, and its secret
RFC_CERT = base64.b64decode("""
xioGY4d/4xsAAAAg+U2nu0jWCmHlZ3BqZYfQMxmZu52JGggkLq2EVD34laPCsQYfGwoAAABCBYJjh3/jAwsJBwUVCg4IDAIWAAKbAwIeCSIhBssYbE8G
CaaX5NUt+mxyKwwfHifBilZwj2Ul7Ce62azJBScJAgcCAAAAAK0oIBA+LX0ifsDm185Ecds2v8lwgyU2kCcUmKfvBXbAf6rhRYWzuQOwEn7E/aLwIwRa
Lsdry0+VcallHhSu4RN6HWaEQsiPlR4zxP/TP7mhfVEe7XWPxtnMUMtf15OyA51YBM4qBmOHf+MZAAAAIIaTJINn+eUBXbki+PSAld2nhJh/LVmFsS+6
0WyvXkQ1wpsGGBsKAAAALAWCY4d/4wKbDCIhBssYbE8GCaaX5NUt+mxyKwwfHifBilZwj2Ul7Ce62azJAAAAAAQBIKbpGG2dWTX8j+VjFM21J0hqWlEg
+bdiojWnKfA5AQpWUWtnNwDEM0g12vYxoWM8Y81W+bHBw805I8kWVkXU6vFOi+HWvv/ira7ofJu16NnoUkhclkUrk0mXubZvyl4GBg==""")
RFC_SEED = bytes.fromhex("1972817b12be707e8d5f586ce61361201d344eb266a2c82fde6835762b65b0b7")
RFC_FINGERPRINT = "cb186c4f0609a697e4d52dfa6c722b0c1f1e27c18a56708f6525ec27bad9acc9"
# A.6: a signature of it over text
RFC_TEXT = base64.b64decode("""
wpgGARsKAAAAKQWCY5ijYyIhBssYbE8GCaaX5NUt+mxyKwwfHifBilZwj2Ul7Ce62azJAAAAAGk2IHZJX1AhiJD39eLuPBgiUU9wUA9VHYblySHkBONK
U/usJ9BvuAqo/FvLFuGWMbKAdA+epq7V4HOtAPlBWmU8QOd6aud+aSunHQaaEJ+iTFjP2OMW0KBrNK2ay45cX1IVAQ==""")


def digests(c, key):
    rfc = Key("27", 6, 0x63877fe3, seed=RFC_SEED)
    c.add("rfc-key", "good", RFC_FINGERPRINT, sign(rfc), RFC_CERT)
    c.add("rfc-text", "EKEYREJECTED", "over text", RFC_TEXT, RFC_CERT)
    for kind in ("27", "rsa2048", "secp256r1"):
        k = Key(kind, 6)
        for name in ("SHA224", "SHA256", "SHA384", "SHA512", "SHA3_256", "SHA3_512"):
            short = name == "SHA224" and kind != "rsa2048"
            c.add(f"v6-{kind}-{name}", "EKEYREJECTED" if short else "good", "too short" if short else "", sign(k, name=name), cert(k))
    r = Key("rsa2048")
    for name in ("SHA224", "SHA256", "SHA384", "SHA512", "SHA3_256", "SHA3_512"):
        c.add(f"v4-rsa-{name}", "good", "", sign(r, name=name), cert(r))
    for name in ("MD5", "SHA1"):
        c.add(f"weak-{name}", "EKEYREJECTED", f"over {name}, which is too weak", sign(r, name=name), cert(r))
    c.add("weak-RIPEMD160", "EKEYREJECTED", "over RIPEMD160, which is too weak", sign(r, number=3), cert(r))
    c.add("digest-99", "ENOTSUP", "digest that is not known here .99.", sign(r, number=99), cert(r))
    k = Key("27")
    c.add("v4-27", "good", "", sign(k), cert(k))
    k = Key("27", 6)
    for n in (0, 16, 31, 33):
        c.add(f"v6-salt-{n}", "EKEYREJECTED", f"{n} bytes of salt; SHA512 needs 32", sign(k, salt=os.urandom(n)), cert(k))
    c.add("v6-by-v4", "EKEYREJECTED", "contradicts itself", sign(key, version=6, salt=os.urandom(32)), cert(key))
    c.add("v4-by-v6", "EKEYREJECTED", "contradicts itself", sign(k, version=4), cert(k))
    c.add("v4-by-v6-hidden", "ENOKEY", "does not tell who", sign(k, version=4, issuer=False), cert(k))
    c.add("v3-signature", "ENOTSUP", "version 3", packet(2, v3_signature(r)), cert(r))
    c.add("v5-signature", "ENOKEY|ENOTSUP", "version 5", packet(2, b"\x05" + signature(key, 0, DATA)[1:]), cert(key))
    old = Key("rsa2048", 3)
    c.add("v3-key", "ENOKEY", "version 3; only 4 and 6", sign(r), cert(old, own=b""))
    c.add("v6-subkey-of-v4", "ENOKEY", "none of", sign(k), cert(key, bind(key, k)))


def packets(c, key):  # RFC 9580, 4.2 and 4.3
    body = signature(key, 0, DATA)
    for form in ("new", "new5", "old", "old4"):
        c.add(f"packet-{form}", "good", "", packet(2, body, form), cert(key))
    long = signature(key, 0, DATA, hashed=[notation(b"x@example.com", b"v" * 90), notation(b"y@example.com", b"v" * 90)])
    c.add("packet-new2", "good", "", packet(2, long), cert(key))
    c.add("packet-partial", "signature:", "type 2 in partial lengths, which only data", packet(2, body, "partial"), cert(key))
    c.add("packet-endless", "signature:", "type 2 and unknown length, which only data", packet(2, body, "endless"), cert(key))
    c.add("message-endless", "signature:", "but an OpenPGP message", packet(8, b"x", "endless"), cert(key))
    c.add("key-endless", "ENOKEY", "type 6 and unknown length", packet(2, body), packet(6, key.body(), "endless"))
    literal = packet(11, b"b\0\0\0\0\0" + b"x" * 100, "partial")
    c.add("message", "signature:", "not a detached signature, but an OpenPGP message", literal + packet(2, body), cert(key))
    c.add("key-as-signature", "signature:", "not a detached signature, but a key", cert(key), cert(key))
    c.add("key-partial", "ENOKEY", "type 6 in partial lengths", packet(2, body),
          packet(6, Key("rsa2048").body(), "partial"))
    for name, extra in (("marker", packet(10, b"PGP")), ("padding", packet(21, b"x" * 30)), ("unknown", packet(60, b"x"))):
        c.add(f"packet-{name}", "good", "", extra + packet(2, body) + extra, extra.join([public(key), packet(13, UID), certify(key, UID), b""]))
    c.add("packet-critical", "signature:", "OpenPGP", packet(2, body) + packet(30, b"x"), cert(key))
    c.add("packet-critical-key", "ENOKEY", "type 30 in a key", packet(2, body), cert(key, packet(30, b"x")))
    c.add("garbage-after", "signature:", "not an OpenPGP packet", packet(2, body) + b"\0", cert(key))
    c.add("empty", "signature:", "no OpenPGP signature", b"", cert(key))
    c.add("many-32", "good", "", packet(2, body) * 32, cert(key))
    c.add("many-33", "signature:", "more than 32 signatures", packet(2, body) * 33, cert(key))
    k = Key("27", 6)
    c.add("salts-8", "good", "", b"".join(sign(k) for _ in range(8)), cert(k))
    c.add("salts-9", "signature:", "more than 8 different digests", b"".join(sign(k) for _ in range(9)), cert(k))
    c.add("key-long-id", "ENOKEY", "user id of 5000 bytes", packet(2, body), cert(key, packet(13, b"x" * 5000)))
    ids = b"".join(packet(13, b"u%d" % i) for i in range(600))
    c.add("key-many-ids", "ENOKEY", "more than 512 subkeys and user ids", packet(2, body), cert(key) + ids)
    c.add("key-many-signatures", "ENOKEY", "more than 512 signatures of its own", packet(2, body), cert(key, *[certify(key, UID)] * 512))
    c.add("key-of-others", "good", "", packet(2, body), cert(key, *[certify(key, UID, by=Key("ed25519"))] * 600))
    c.add("key-large", "ENOKEY", "1048576 are the most", packet(2, body), cert(key, packet(60, b"x" * (1 << 20))))


def subpackets(c, key):  # RFC 9580, 5.2.3.7 and on
    good = cert(key)
    c.add("issuer-id-only", "good", "", sign(key, issuer=False, unhashed=[sub(16, key.key_id())]), good)
    c.add("issuer-none", "good", "", sign(key, issuer=False), good)
    c.add("issuer-none-other", "ENOKEY", "does not tell who made it", sign(Key("ed25519"), issuer=False), good)
    c.add("issuer-other", "ENOKEY", "none of", sign(Key("ed25519")), good)
    c.add("issuer-differs", "EKEYREJECTED", "contradicts itself", sign(key, unhashed=[sub(16, b"\1" * 8)]), good)
    c.add("issuer-lies", "EBADMSG", "does not match", sign(Key("ed25519"), issuer=False, hashed=[sub(33, b"\4" + key.fingerprint())]), good)
    c.add("critical-unknown", "EKEYREJECTED", "critical subpacket of type 100", sign(key, hashed=[sub(100, b"x", True)]), good)
    c.add("critical-recipient", "EKEYREJECTED", "critical subpacket of type 35", sign(key, hashed=[sub(35, b"\4" + b"x" * 20, True)]), good)
    c.add("unknown", "good", "", sign(key, hashed=[sub(100, b"x")]), good)
    c.add("critical-unhashed", "good", "", sign(key, unhashed=[sub(100, b"x", True)]), good)
    c.add("critical-flags", "good", "", sign(key, hashed=[sub(30, b"\1", True)]), good)
    c.add("notation", "good", "", sign(key, hashed=[notation(b"x@example.com")]), good)
    c.add("critical-notation", "EKEYREJECTED", "critical notation, which is not known here: x@example.com", sign(key, hashed=[notation(b"x@example.com", critical=True)]), good)
    c.add("critical-notation-dirty", "EKEYREJECTED", "known here: x[?].31m[?]$", sign(key, hashed=[notation(b"x\x1b[31m\n", critical=True)]), good)
    c.add("time-none", "EKEYREJECTED", "does not say when", sign(key, created=None), good)
    c.add("time-unhashed", "EKEYREJECTED", "does not say when", sign(key, created=None, unhashed=[sub(2, u32(SIGNED))]), good)
    c.add("time-future", "EKEYREJECTED", "from the future .2027-01-1", sign(key, created=NOW + 100000), good)
    c.add("time-skew", "good", "", sign(key, created=NOW + 60), good)
    c.add("time-before-key", "EKEYREJECTED", "older than its key", sign(key, created=BORN - 1), good)
    c.add("expired", "EKEYEXPIRED", "signature expired on 2027-01-15", sign(key, hashed=[sub(3, u32(500))]), good)
    c.add("expires-later", "good", "", sign(key, hashed=[sub(3, u32(2000))]), good)
    c.add("expires-never", "good", "", sign(key, hashed=[sub(3, u32(0))]), good)
    c.add("expires-unhashed", "good", "", sign(key, unhashed=[sub(3, u32(5))]), good)
    c.add("expires-short", "signature:", "malformed", sign(key, hashed=[sub(3, b"\0")]), good)
    c.add("subpacket-cut", "signature:", "malformed", sign(key, hashed=[b"\xff\xff\xff\xff\xff\2"]), good)
    c.add("subpacket-empty", "signature:", "malformed", sign(key, hashed=[b"\0"]), good)
    c.add("text", "EKEYREJECTED", "over text .gpg --textmode", sign(key, kind=1), good)
    c.add("standalone", "EKEYREJECTED", "of type 2, which is none over a file", sign(key, kind=2), good)


def numbers(c, key):  # RFC 9580, 3.2 and 5.2.3; RFC 8017, 8.2.2
    good, r = cert(key), Key("rsa2048")
    L = 2 ** 252 + 27742317777372353535851937790883648493

    def eddsa(change):
        def made(digest):
            raw = key.private.sign(digest)
            return change(raw[:32], raw[32:])
        return made
    c.add("ed25519-s-plus-l", "EBADMSG", "does not match",
          sign(key, numbers=eddsa(lambda R, S: mpi(R) + mpi((int.from_bytes(S, "little") + L).to_bytes(32, "little")))), good)
    c.add("ed25519-long", "EBADMSG", "does not match", sign(key, numbers=eddsa(lambda R, S: mpi(b"\1" + R) + mpi(S))), good)
    c.add("number-trailing", "EBADMSG", "does not match", sign(key, numbers=eddsa(lambda R, S: mpi(R) + mpi(S) + b"\0")), good)
    c.add("number-zeros", "EBADMSG", "does not match", sign(key, numbers=eddsa(lambda R, S: b"\x01\x08\0" + R + mpi(S))), good)
    c.add("number-cut", "EBADMSG", "does not match", sign(key, numbers=eddsa(lambda R, S: mpi(R) + mpi(S)[:-1])), good)
    c.add("number-none", "EBADMSG", "does not match", sign(key, numbers=lambda d: b""), good)
    c.add("left-bits", "EBADMSG", "does not match", sign(key, left=b"\0\0"), good)
    small = Key("27", 6, material=b"\1" + b"\0" * 31)  # the neutral element: every R = S*B would do
    c.add("ed25519-small-order", "EBADMSG", "does not match", sign(small, numbers=lambda d: b"\1" + b"\0" * 63),
          cert(small, own=direct(small, numbers=lambda d: b"\1" + b"\0" * 63)))
    for name, forge in (
            ("no-null", lambda d: r.emsa("SHA512", d, "304f300b0609608648016503040203" + "0440")),
            ("other-digest", lambda d: r.emsa("SHA512", d, INFO["SHA3_512"])),
            ("no-info", lambda d: r.emsa("SHA512", d, "")),
            ("short-padding", lambda d: (b"\0\1" + b"\xff" * 8 + b"\0" + bytes.fromhex(INFO["SHA512"]) + d).ljust(256, b"\0")),
            ("type-2", lambda d: b"\0\2" + r.emsa("SHA512", d)[2:]),
            ("zero-in-padding", lambda d: r.emsa("SHA512", d)[:50] + b"\0" + r.emsa("SHA512", d)[51:])):
        c.add(f"rsa-{name}", "EBADMSG", "does not match", sign(r, numbers=lambda d, f=forge: mpi(r.raw_rsa(f(d)))), cert(r))
    c.add("rsa-plus-n", "EBADMSG", "does not match", sign(r, numbers=lambda d: mpi(r.raw_rsa(r.emsa("SHA512", d)) + r.n)), cert(r))
    c.add("rsa-zero", "EBADMSG", "does not match", sign(r, numbers=lambda d: mpi(0)), cert(r))
    for kind in ("dsa2048", "secp256r1"):
        k = Key(kind)
        for a, b in ((0, 1), (1, 0), (0, 0), (1, 1)):
            c.add(f"{kind}-{a}-{b}", "EBADMSG", "does not match", sign(k, name="SHA256", numbers=lambda d, a=a, b=b: mpi(a) + mpi(b)), cert(k, own=certify(k, UID, name="SHA256")))


def algorithms(c, _):
    for bits in (1024, 2047):
        k = Key(f"rsa{bits}") if bits == 1024 else Key("rsa2048", material=mpi((1 << 2046) + 1) + mpi(65537))
        c.add(f"rsa-{bits}", "EKEYREJECTED", f"RSA key of {bits} bits; those from 2048 to 8192", sign(k), cert(k))
    for name, material, text in (("8193", mpi((1 << 8192) + 1) + mpi(65537), "RSA key of 8193 bits"),
                                 ("exponent-1", mpi((1 << 2047) + 1) + mpi(1), "unusable exponent"),
                                 ("exponent-even", mpi((1 << 2047) + 1) + mpi(65538), "unusable exponent"),
                                 ("exponent-long", mpi((1 << 2047) + 1) + mpi((1 << 2000) + 1), "unusable exponent")):
        k = Key("rsa2048", material=material)
        c.add(f"rsa-{name}", "EKEYREJECTED", text, sign(k), cert(k))
    k = Key("rsa2048", material=mpi(1 << 2047) + mpi(65537))
    c.add("rsa-modulus-even", "EBADMSG", "does not match", sign(k), cert(k))
    k = Key("rsa2048", material=mpi((1 << 2047) + 1))
    c.add("rsa-cut", "EINVAL", "malformed public key", sign(k), cert(k))
    k = Key("dsa1024")
    c.add("dsa-1024", "EKEYREJECTED", "DSA key of 1024 bits", sign(k), cert(k))
    k = Key("dsa2048", material=mpi((1 << 4096) + 1) + mpi((1 << 255) + 1) + mpi(2) + mpi(2))
    c.add("dsa-4097", "EKEYREJECTED", "DSA key of 4097 bits; those from 2048 to 4096", sign(k), cert(k))
    k = Key("dsa2048", material=mpi((1 << 2047) + 1) + mpi((1 << 159) + 1) + mpi(2) + mpi(2))
    c.add("dsa-q160", "EKEYREJECTED", "subgroup of 160 bits", sign(k), cert(k))
    k = Key("dsa2048")
    for name in ("SHA256", "SHA384", "SHA512"):
        c.add(f"dsa-{name}", "good", "", sign(k, name=name), cert(k))
    c.add("dsa-SHA224", "EKEYREJECTED", "SHA224 is too short a digest for the key, which needs 256", sign(k, name="SHA224"), cert(k))
    k = Key("secp384r1")
    c.add("ecdsa-short", "EKEYREJECTED", "SHA256 is too short a digest for the key, which needs 384", sign(k, name="SHA256"), cert(k))
    k = Key("secp256r1", material=Key("secp256r1").material[:-1] + b"\0")
    c.add("ecdsa-off-curve", "EBADMSG", "does not match", sign(k), cert(k))
    for kind in ("secp256k1", "brainpoolP256r1"):
        k = Key(kind)
        c.add(f"curve-{kind}", "ENOTSUP", f"curve {kind} is not supported", sign(k), cert(k))
    k = Key("secp256r1", material=b"\x03\1\2\3" + mpi(b"\4" + b"x" * 64))
    c.add("curve-unknown", "ENOTSUP", "curve that is not known", sign(k), cert(k))
    for alg, name in ((2, "RSA"), (16, "ElGamal"), (18, "ECDH"), (28, "Ed448"), (99, "unknown algorithm")):
        k = Key("rsa2048")
        k.alg = alg
        c.add(f"algorithm-{alg}", "ENOTSUP", f"{name} .algorithm {alg}. is not supported",
              sign(k, numbers=lambda d: mpi(5)), cert(k, own=certify(k, UID, numbers=lambda d: mpi(5))))


def keys(c, key):  # RFC 9580, 5.2.3.13 (expiration), 5.2.3.29 (flags), 10.1
    sig, other = sign(key), Key("ed25519")

    def add(name, want, text, packets_):
        c.add(f"key-{name}", want, text, sig, packets_)

    def lasts(seconds):
        return [flags(b"\x03"), sub(9, u32(seconds))]
    add("bare", "EKEYREJECTED", "over itself: there is none", public(key))
    add("id-unsigned", "EKEYREJECTED", "over itself: there is none", cert(key, own=b""))
    add("id-by-other", "EKEYREJECTED", "over itself: there is none", cert(key, own=certify(key, UID, by=other)))
    add("id-forged", "EKEYREJECTED", "over itself: the signature does not match",
        cert(key, own=certify(key, UID, by=other, issuer=False, unhashed=[sub(16, key.key_id())])))
    add("id-sha1", "EKEYREJECTED", "over itself: signature over SHA1", cert(key, own=certify(key, UID, name="SHA1")))
    add("id-critical", "EKEYREJECTED", "over itself: signature with a critical", cert(key, own=certify(key, UID, hashed=[flags(SIGN), sub(100, b"", True)])))
    add("id-future", "EKEYREJECTED", "over itself: signature from the future", cert(key, own=certify(key, UID, created=NOW + 100000)))
    add("id-expired", "EKEYREJECTED", "over itself: signature expired", cert(key, own=certify(key, UID, hashed=[flags(SIGN), sub(3, u32(5))])))
    add("id-sha1-and-sha256", "good", "", cert(key, certify(key, UID, name="SHA256"), own=certify(key, UID, name="SHA1")))
    add("direct", "good", "", public(key) + direct(key))
    add("direct-sha1", "EKEYREJECTED", "signature over SHA1", public(key) + direct(key, name="SHA1"))
    for kind in (0x10, 0x11, 0x12):
        add(f"id-kind-{kind}", "good", "", cert(key, own=certify(key, UID, kind=kind)))
    add("flags-none", "good", "", cert(key, own=certify(key, UID, hashed=[])))
    add("flags-certify", "EKEYREJECTED", "is not for signing", cert(key, own=certify(key, UID, hashed=[flags(CERTIFY)])))
    add("flags-empty", "EKEYREJECTED", "is not for signing", cert(key, own=certify(key, UID, hashed=[flags(b"")])))
    add("flags-unhashed", "EKEYREJECTED", "is not for signing",
        cert(key, own=certify(key, UID, hashed=[flags(CERTIFY)], unhashed=[sub(16, key.key_id()), flags(SIGN)])))
    add("expired", "EKEYEXPIRED", "^key [0-9a-f]*: expired on 2027-01-06", cert(key, own=certify(key, UID, hashed=lasts(200000))))
    add("expires-later", "good", "", cert(key, own=certify(key, UID, hashed=lasts(2000000))))
    add("expires-unhashed", "EKEYEXPIRED", "expired", cert(key, own=certify(key, UID, hashed=lasts(200000), unhashed=[sub(9, u32(0))])))
    add("renewed", "good", "", cert(key, certify(key, UID, hashed=lasts(2000000), created=BORN + 9), own=certify(key, UID, hashed=lasts(200000))))
    add("renewed-order", "good", "", cert(key, certify(key, UID, hashed=lasts(200000)), own=certify(key, UID, hashed=lasts(2000000), created=BORN + 9)))
    add("renewed-for-ever", "good", "", cert(key, certify(key, UID, created=BORN + 9), own=certify(key, UID, hashed=lasts(200000))))
    add("renewed-sha1", "EKEYEXPIRED", "expired", cert(key, certify(key, UID, created=BORN + 9, name="SHA1"), own=certify(key, UID, hashed=lasts(200000))))
    add("renewed-forged", "EKEYEXPIRED", "expired", cert(key, certify(key, UID, created=BORN + 9, by=other, issuer=False), own=certify(key, UID, hashed=lasts(200000))))
    add("shortened", "EKEYEXPIRED", "expired", cert(key, certify(key, UID, hashed=lasts(200000), created=BORN + 9)))
    two = packet(13, b"b") + certify(key, b"b", hashed=lasts(200000), created=BORN + 9)
    add("second-id-newer", "EKEYEXPIRED", "expired", cert(key) + two)
    add("second-id-primary", "EKEYEXPIRED", "expired", cert(key) + packet(13, b"b") + certify(key, b"b", hashed=lasts(200000) + [sub(25, b"\1")], created=BORN))
    add("first-id-primary", "good", "", cert(key, own=certify(key, UID, hashed=[flags(SIGN), sub(25, b"\1")])) + two)
    add("direct-newer", "EKEYEXPIRED", "expired", cert(key, revocation=direct(key, hashed=lasts(200000), created=BORN + 9)))
    add("direct-older", "good", "", cert(key, revocation=direct(key, hashed=lasts(200000), created=BORN - 9)))
    add("direct-silent", "EKEYEXPIRED", "expired", cert(key, own=certify(key, UID, hashed=lasts(200000)), revocation=direct(key, hashed=[], created=BORN + 9)))
    v6 = Key("27", 6)
    c.add("key-v6-bare", "EKEYREJECTED", "there is none", sign(v6), public(v6))
    c.add("key-v6-id-only", "EKEYREJECTED", "over itself", sign(v6), public(v6) + packet(13, UID) + certify(v6, UID))
    c.add("key-v6-expired", "EKEYEXPIRED", "expired", sign(v6), cert(v6, own=direct(v6, hashed=lasts(5))))
    add("secret", "ENOKEY", "secret key", packet(5, key.body() + b"\0"))
    add("secret-subkey", "ENOKEY", "secret key", cert(key) + packet(7, key.body() + b"\0"))
    add("none", "ENOKEY", "begin with a public key", packet(13, UID))
    add("attribute", "good", "", cert(key) + packet(17, b"\x02\1x"))


def revocations(c, key):  # RFC 9580, 5.2.3.31
    sig, other = sign(key), Key("ed25519")

    def add(name, want, text, packets_):
        c.add(f"revoked-{name}", want, text, sig, packets_)
    for reason, text in ((None, "no reason given"), (0, "no reason given"), (2, "compromised"), (32, "no reason given"), (100, "no reason given")):
        for when, at in (("before", SIGNED - 5), ("after", SIGNED + 5)):
            add(f"{reason}-{when}", "EKEYREVOKED", f"revoked on 2027-01-15 .{text}.", cert(key, revocation=revoke(key, reason, created=at)))
    for reason, text in ((1, "superseded"), (3, "retired")):
        add(f"{reason}-before", "EKEYREVOKED", f"revoked on 2027-01-15 .{text}.", cert(key, revocation=revoke(key, reason, created=SIGNED - 5)))
        add(f"{reason}-after", "good", "", cert(key, revocation=revoke(key, reason, created=SIGNED + 5)))
        add(f"{reason}-and-hard", "EKEYREVOKED", "compromised", cert(key, revocation=revoke(key, reason, created=SIGNED + 5) + revoke(key, 2)))
    add("sha1", "EKEYREVOKED", "compromised", cert(key, revocation=revoke(key, 2, name="SHA1")))
    add("critical", "EKEYREVOKED", "no reason", cert(key, revocation=revoke(key, hashed=[sub(100, b"", True)])))
    add("future", "EKEYREVOKED", "no reason", cert(key, revocation=revoke(key, created=NOW + 100000)))
    add("expired", "EKEYREVOKED", "no reason", cert(key, revocation=revoke(key, hashed=[sub(3, u32(1))])))
    add("at-the-end", "EKEYREVOKED", "no reason", cert(key, revoke(key)))
    add("by-other", "good", "", cert(key, revocation=revoke(key, by=other)))
    add("forged", "good", "", cert(key, revocation=revoke(key, by=other, issuer=False, unhashed=[sub(16, key.key_id())])))
    add("of-other", "good", "", cert(key, revocation=packet(2, signature(key, 0x20, other.hashed()))))

    def revoke_id(uid, created):
        return packet(2, signature(key, 0x30, key.hashed() + uid_hashed(uid), created=created))
    add("id", "EKEYREJECTED", "over itself: its user id is revoked", cert(key, revoke_id(UID, BORN + 9)))
    add("id-recertified", "good", "", cert(key, revoke_id(UID, BORN + 9), certify(key, UID, created=BORN + 10)))
    add("id-other", "good", "", cert(key, packet(13, b"b"), certify(key, b"b"), revoke_id(b"b", BORN + 9)))
    add("id-wrong", "good", "", cert(key, revoke_id(b"b", BORN + 9)))


def subkeys(c, key):
    s, other = Key("ed25519"), Key("ed25519")
    sig = sign(s)

    def add(name, want, text, *packets_):
        c.add(f"subkey-{name}", want, text, sig, cert(key, *packets_))
    add("bound", "good", "", bind(key, s))
    add("bound-hashed", "good", "", bind(key, s, where="hashed"))
    add("flags-none", "good", "", bind(key, s, use=None))
    add("not-signing", "EKEYREJECTED", "is not for signing", bind(key, s, use=b"\x0c"))
    add("unbound", "EKEYREJECTED", "not bound to the primary key: there is none", packet(14, s.body()))
    add("adopted", "EKEYREJECTED", "without a signature of its own", bind(key, s, embedded=None))
    add("adopted-forged", "EKEYREJECTED", "not bound to the primary key by itself: the signature does not match", bind(key, s, embedded=back(key, other)))
    add("adopted-from-other", "EKEYREJECTED", "by itself: the signature does not match", bind(key, s, embedded=back(other, s)))
    add("back-wrong-type", "EKEYREJECTED", "wrong type of signature", bind(key, s, back_args={"kind": 0x18}))
    add("back-sha1", "EKEYREJECTED", "by itself: signature over SHA1", bind(key, s, back_args={"name": "SHA1"}))
    add("back-expired", "EKEYREJECTED", "by itself: signature expired", bind(key, s, back_args={"hashed": [sub(3, u32(5))]}))
    add("back-malformed", "EKEYREJECTED", "by itself: malformed", bind(key, s, embedded=b"\4\x19"))
    add("binding-by-other", "EKEYREJECTED", "not bound to the primary key: there is none", bind(key, s, by=other))
    add("binding-sha1", "EKEYREJECTED", "not bound to the primary key: signature over SHA1", bind(key, s, name="SHA1"))
    add("expired", "EKEYEXPIRED", "^key [0-9a-f]* of [0-9a-f]*: expired", bind(key, s, extra=[sub(9, u32(50))]))
    add("newest-binding", "EKEYEXPIRED", "expired", bind(key, s), bind(key, s, extra=[sub(9, u32(50))], created=BORN + 9)[len(packet(14, s.body())):])

    def revoked(name, want, text, reason, at, by=key, digest="SHA512"):
        hashed = [] if reason is None else [sub(29, bytes([reason]))]
        add(name, want, text, bind(key, s),
            packet(2, signature(by, 0x28, key.hashed() + s.hashed(), digest, hashed=hashed, created=at)))
    revoked("revoked", "EKEYREVOKED", "no reason given", None, SIGNED + 5)
    revoked("revoked-hard", "EKEYREVOKED", "compromised", 2, SIGNED + 5)
    revoked("revoked-soft-before", "EKEYREVOKED", "retired", 3, SIGNED - 5)
    revoked("revoked-soft-after", "good", "", 3, SIGNED + 5)
    revoked("revoked-sha1", "EKEYREVOKED", "no reason given", None, SIGNED + 5, digest="SHA1")
    revoked("revoked-by-other", "good", "", None, SIGNED + 5, by=other)
    c.add("subkey-of-revoked", "EKEYREVOKED", "no reason", sig, cert(key, bind(key, s), revocation=revoke(key)))
    c.add("subkey-of-expired", "EKEYEXPIRED", "expired", sig, cert(key, bind(key, s), own=certify(key, UID, hashed=[sub(9, u32(5))])))
    c.add("subkey-of-certifier", "good", "", sig, cert(key, bind(key, s), own=certify(key, UID, hashed=[flags(CERTIFY)])))
    c.add("subkey-moved", "EKEYREJECTED", "not bound", sig, cert(other, bind(key, s)))
    late = Key("ed25519", created=SIGNED + 1)
    c.add("subkey-younger", "EKEYREJECTED", "older than its key", sign(late), cert(key, bind(key, late)))
    v6, s6 = Key("27", 6), Key("27", 6)
    c.add("subkey-v6", "good", "", sign(s6), cert(v6, bind(v6, s6)))
    rsub = Key("rsa2048")
    c.add("subkey-rsa", "good", "", sign(rsub), cert(key, bind(key, rsub)))


def main():
    c, key = Cases(sys.argv[1]), Key("ed25519")
    for group in digests, packets, subpackets, numbers, algorithms, keys, revocations, subkeys:
        c.group = group.__name__
        group(c, key)
    c.end()


main()
