#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""mkpgp.py - encrypted messages that no program makes, or none any more

usage: mkpgp.py IMAGE DIR      makes DIR/NAME.aci, all with the passphrase "secret", and prints NAME<TAB>REASON: what
                               is to be said of it, or nothing if it is to be read
       mkpgp.py flip FILE DIR STEP  makes DIR/flip.N with byte N changed, and DIR/cut.N that ends before it, for each
                               STEPth byte
AES is openssl's.
"""
import bz2
import hashlib
import os
import random
import subprocess
import sys
import zlib

SALT = b"saltsalt"
AES128, AES256, CAST5 = 7, 9, 3
KEY_LEN = {AES128: 16, AES256: 32, CAST5: 16}


def cfb(key, data):
    return subprocess.run(["openssl", "enc", "-aes-%d-cfb" % (8 * len(key)), "-K", key.hex(), "-iv", "0" * 32],
                          input=data, stdout=subprocess.PIPE, check=True).stdout


def packet(tag, body):
    n = len(body)
    if n < 192:
        return bytes([0xc0 | tag, n]) + body
    return bytes([0xc0 | tag, 255]) + n.to_bytes(4, "big") + body


def old(tag, body):
    return bytes([0x80 | tag << 2 | 2]) + len(body).to_bytes(4, "big") + body


def endless(tag, body):
    return bytes([0x80 | tag << 2 | 3]) + body


def parts(tag, body, power):
    """parts of 2^power bytes, and what is left with a length of its own"""
    out, size = bytes([0xc0 | tag]), 1 << power
    while len(body) > size:
        out += bytes([224 + power]) + body[:size]
        body = body[size:]
    return out + (bytes([255]) + len(body).to_bytes(4, "big")) + body


def s2k(passphrase, key_len, how=3):
    text = SALT + passphrase.encode()
    if how == 3:
        text = (text * (1024 // len(text) + 1))[:max(1024, len(text))]
    return hashlib.sha256(text).digest()[:key_len]


def skesk(passphrase="secret", cipher=AES128, how=3, session=None, session_cipher=AES128, wrap=packet):
    spec = bytes([how, 8]) + SALT + (b"\0" if how == 3 else b"")
    esk = b"" if session is None else cfb(s2k(passphrase, KEY_LEN[cipher], how), bytes([session_cipher]) + session)
    return wrap(3, bytes([4, cipher]) + spec + esk)


def sealed(inner, key=None, mdc=None, version=1, wrap=packet):
    prefix = bytes(range(100, 116)) + bytes([114, 115])
    plain = prefix + inner + b"\xd3\x14"
    plain += hashlib.sha1(plain).digest() if mdc is None else mdc
    return wrap(18, bytes([version]) + cfb(key or s2k("secret", 16), plain))


def literal(data, kind=b"b", name=b"", wrap=packet):
    return wrap(11, kind + bytes([len(name)]) + name + bytes(4) + data)


def raw_deflate(data):
    z = zlib.compressobj(9, zlib.DEFLATED, -15)
    return z.compress(data) + z.flush()


def compressed(algorithm, data, wrap=packet):
    how = {0: bytes, 1: raw_deflate, 2: zlib.compress, 3: bz2.compress, 4: bytes}
    return wrap(8, bytes([algorithm]) + how[algorithm](data))


MARKER, PADDING = packet(10, b"PGP"), packet(21, os.urandom(300))
ONE_PASS, SIGNATURE = packet(4, b"\3" + bytes(12)), packet(2, b"\4" + bytes(40))
PUBLIC = packet(1, b"\3" + bytes(8) + b"\1\0\0")
ARGON2 = packet(3, bytes([4, AES128, 4]) + bytes(16) + bytes([1, 4, 21]))


def good(image):
    inner, key = literal(image), bytes(16)
    yield "plain", skesk() + sealed(inner)
    yield "old-headers", skesk(wrap=old) + sealed(literal(image, wrap=old))
    yield "salted", skesk(how=1) + sealed(inner, s2k("secret", 16, 1))
    session = bytes(range(32))
    yield "session-key", skesk(session=session, session_cipher=AES256) + sealed(inner, session)
    yield "second-key", (skesk("other", session=bytes(32), session_cipher=AES256) +
                         skesk(session=session, session_cipher=AES256) + sealed(inner, session))
    yield "after-others", MARKER + PADDING + PUBLIC + ARGON2 + skesk("other", session=key) + skesk() + sealed(inner) + PADDING + MARKER
    for algorithm in 1, 2, 3:
        yield "compressed-%d" % algorithm, skesk() + sealed(compressed(algorithm, inner))
    yield "endless", skesk() + sealed(compressed(1, literal(image, wrap=endless), endless))
    yield "padded-deflate", skesk() + sealed(packet(8, b"\1" + raw_deflate(inner) + b"padding"))
    for power in 0, 1, 5, 9:
        p = lambda tag, body: parts(tag, body, power)
        yield "parts-%d" % power, skesk() + sealed(compressed(2, literal(image, wrap=p), p), wrap=p)
    yield "signed", skesk() + sealed(ONE_PASS + inner + SIGNATURE)
    yield "old-signed", skesk() + sealed(compressed(1, SIGNATURE + PADDING + inner + MARKER) + PADDING)
    yield "long-name", skesk() + sealed(literal(image, name=b"n" * 255))
    yield "empty-part", skesk() + sealed(parts(11, b"b\0" + bytes(4) + image, 9) if len(image) % 512 else inner)


def bad(image):
    inner = literal(image)
    key = s2k("secret", 16)
    yield "unprotected", skesk() + packet(9, cfb(key, bytes(18) + inner)), "has no integrity protection"
    yield "no-mdc", skesk() + packet(18, b"\1" + cfb(key, bytes(range(16)) + b"\x0e\x0f" + inner)), "is damaged"
    yield "wrong-mdc", skesk() + sealed(inner, mdc=bytes(20)), "is damaged"
    yield "version", skesk() + sealed(inner, version=3), "version 3 of packet 18"
    yield "nothing", skesk() + sealed(b""), "no data in it"
    yield "nested", skesk() + sealed(skesk() + sealed(inner)), "packet 3 has no business"
    yield "nested-data", skesk() + sealed(sealed(inner)), "packet 18 has no business"
    yield "compressed-twice", skesk() + sealed(compressed(1, compressed(1, inner))), "packet 8 has no business"
    yield "compressed-0", skesk() + sealed(compressed(0, inner)), "compressed with algorithm 0"
    yield "compressed-4", skesk() + sealed(compressed(4, inner)), "compressed with algorithm 4"
    yield "compressed-cut", skesk() + sealed(packet(8, b"\2" + zlib.compress(inner)[:-9])), "compressed data is cut off"
    yield "compressed-wrong", skesk() + sealed(packet(8, b"\1" + b"\xff" * 90)), "compressed data: "
    yield "two", skesk() + sealed(inner + inner), "packet 11 has no business"
    yield "two-compressed", skesk() + sealed(compressed(1, inner + inner)), "packet 11 has no business"
    yield "two-messages", skesk() + sealed(inner) + skesk() + sealed(inner), "packet 3 has no business"
    yield "plain-behind", skesk() + sealed(inner) + inner, "packet 11 has no business"
    yield "garbage-behind", skesk() + sealed(inner) + b"garbage", "no OpenPGP packet"
    yield "garbage-inside", skesk() + sealed(inner + b"garbage"), "no OpenPGP packet"
    yield "text", skesk() + sealed(literal(image, b"t")), "encrypted as text"
    yield "short-literal", skesk() + sealed(packet(11, b"b\0")), "packet 11 is too short"
    yield "lying-literal", skesk() + sealed(bytes([0xcb, 255]) + b"\0\xff\0\0b\0" + bytes(4) + image), "is cut off"
    yield "user-id", skesk() + sealed(packet(13, b"me") + inner), "packet 13 has no business"
    yield "parted-key", parts(3, bytes([4, AES128, 3, 8]) + SALT + b"\0", 3) + sealed(inner), "no OpenPGP packet"
    yield "cast5", skesk(cipher=CAST5) + sealed(inner), "encrypted with CAST5"
    yield "simple", packet(3, bytes([4, AES128, 0, 8])) + sealed(inner), "hashed without salt"
    yield "argon2", ARGON2 + sealed(inner), "hashed with Argon2"
    yield "public", PUBLIC + sealed(inner), "public keys only"
    yield "no-key", sealed(inner), "no key that a passphrase could give"
    yield "long-key", packet(3, bytes([4, AES128, 3, 8]) + SALT + b"\0" + bytes(300)) + sealed(inner), "malformed"
    yield "other-key", skesk() + PUBLIC + sealed(inner, s2k("other", 16)), "passphrase does not fit.*public keys"
    yield "session-cipher", skesk(session=bytes(16), session_cipher=CAST5) + sealed(inner, bytes(16)), "CAST5"


def flip(name, to, step):
    data = open(name, "rb").read()
    rng = random.Random(1)
    for i in range(0, len(data), int(step)):
        changed = bytearray(data)
        changed[i] ^= rng.randrange(1, 256)
        open("%s/flip.%d" % (to, i), "wb").write(changed)
        open("%s/cut.%d" % (to, i), "wb").write(data[:i])


def main():
    if sys.argv[1] == "flip":
        flip(*sys.argv[2:])
        return
    image = open(sys.argv[1], "rb").read()
    for case in list(good(image)) + list(bad(image)):
        with open(os.path.join(sys.argv[2], case[0] + ".aci"), "wb") as f:
            f.write(case[1])
        print(case[0], case[2] if len(case) > 2 else "", sep="\t")


if __name__ == "__main__":
    main()
