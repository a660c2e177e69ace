#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""nameserver.py - answers on ADDRESS port 53: NAME is IP, all other names do not exist

usage: nameserver.py ADDRESS NAME=IP...
Prints "ready", then each name that it is asked for.
"""
import socket
import struct
import sys


def name_at(data, at):
    labels = []
    while data[at]:
        labels.append(data[at + 1:at + 1 + data[at]].decode())
        at += 1 + data[at]
    return ".".join(labels), at + 1


def answer(query, known):
    ident, flags = struct.unpack_from(">HH", query)
    name, end = name_at(query, 12)
    kind, = struct.unpack_from(">H", query, end)
    print(name, flush=True)
    ip = known.get(name.lower())
    found = ip and kind == 1
    head = struct.pack(">HHHHHH", ident, 0x8180 | (flags & 0x0100) | (0 if ip else 3), 1, int(bool(found)), 0, 0)
    record = struct.pack(">HHHIH", 0xC00C, 1, 1, 60, 4) + socket.inet_aton(ip) if found else b""
    return head + query[12:end + 4] + record


def main():
    known = dict(arg.lower().split("=") for arg in sys.argv[2:])
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((sys.argv[1], 53))
    print("ready", flush=True)
    while True:
        query, sender = s.recvfrom(4096)
        s.sendto(answer(query, known), sender)


main()
