#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""badweb.py - a web server that does what servers should not

usage: badweb.py PORT DIR LOG [CERT KEY]
Serves the files of DIR by http, or with CERT and KEY by https, on 127.0.0.1. The path says how:
/HOW[=ARG][,HOW[=ARG]...]/FILE. Each request is a line of LOG: its number for this path, the path, and its Range,
If-Range, If-None-Match and Authorization.
  cut=N        closes after N bytes of the body         cutonce=N  the first time only
  short        announces more than it sends             long       announces less than it sends
  endless      has no end                               endlesszip likewise, of zeros that gzip has compressed
  stall        sends half of it and then nothing        drip       a byte every quarter of a second
  fail=N       503 to the first N requests              after=S    with Retry-After: S
  status=N     answers that and a page                  head=TEXT  one more line in the head (%XX for what URLs lack)
  norange      does not know ranges                     noifrange  knows them, but not If-Range
  wrongrange   answers with another range               notag      no ETag
  nodate       no Last-Modified                         weak       a weak ETag
  change       from the second request on another file, of another ETag; changesilently: of the same ETag
  chunked      in chunks                                close      no length, closes in order
  rude         no length, closes without a word of TLS  bomb       a head without end
"""
import hashlib
import os
import socket
import ssl
import sys
import threading
import time
import urllib.parse
import zlib

counts = {}
lock = threading.Lock()


def read_head(c):
    head = b""
    while b"\r\n\r\n" not in head:
        more = c.recv(65536)
        if not more:
            return None, {}
        head += more
    lines = head.decode("latin-1").split("\r\n")
    fields = {}
    for line in lines[1:]:
        name, _, value = line.partition(":")
        fields[name.strip().lower()] = value.strip()
    return lines[0].split(" ")[1], fields


def note(path, fields):
    with lock:
        counts[path] = counts.get(path, 0) + 1
        n = counts[path]
        wanted = " ".join("%s=%s" % (k, fields.get(k, "-")) for k in ("range", "if-range", "if-none-match", "authorization"))
        with open(sys.argv[3], "a") as log:
            log.write("%d %s %s\n" % (n, path, wanted))
    return n


def send_for_ever(c, how):
    if "bomb" in how:
        c.sendall(b"HTTP/1.1 200 OK\r\n")
        while True:
            c.sendall(b"X-More: " + b"x" * 1000 + b"\r\n")
    c.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    z = zlib.compressobj(9, zlib.DEFLATED, 31)
    while True:
        c.sendall(z.compress(bytes(1 << 20)) if "endlesszip" in how else os.urandom(1 << 16))


def choose(how, n, path):
    with open(path, "rb") as f:
        data = f.read()
    if n > 1 and ("change" in how or "changesilently" in how):
        data = data[:512] + bytes(b ^ 1 for b in data[512:])
    tag = '"%s"' % hashlib.sha256(data if "changesilently" not in how else path.encode()).hexdigest()[:20]
    return data, tag


def answer(c, how, fields, n, path):
    """what is to be sent, or None when all was sent"""
    data, tag = choose(how, n, path)
    modified = "Sat, 01 Jan 2022 00:00:%02d GMT" % (n if "change" in how else 0)
    head = ["Date: Sun, 02 Jan 2022 00:00:00 GMT", "Connection: close"]
    if "notag" not in how:
        head.append("ETag: " + ("W/" if "weak" in how else "") + tag)
    if "nodate" not in how:
        head.append("Last-Modified: " + modified)
    if "head" in how:
        head.append(urllib.parse.unquote(how["head"]))
    if fields.get("if-none-match") == tag and "notag" not in how:
        return b"", "304 Not Modified", head
    status, wanted = "200 OK", fields.get("range", "")
    same = "if-range" not in fields or fields["if-range"] in ([] if "notag" in how else [tag]) + ([] if "nodate" in how else [modified])
    if wanted.startswith("bytes=") and "norange" not in how and (same or "noifrange" in how):
        at = int(wanted[6:].split("-")[0])
        if at >= len(data):
            return b"", "416 Range Not Satisfiable", head + ["Content-Length: 0"]
        at += "wrongrange" in how
        status = "206 Partial Content"
        head.append("Content-Range: bytes %d-%d/%d" % (at, len(data) - 1, len(data)))
        if "noifrange" in how:
            head = [h for h in head if not h.startswith("ETag")]
        data = data[at:]
    return data, status, head


def send_body(c, how, n, data):
    stop = len(data)
    for k in ("cut", "cutonce"):
        if k in how and (k == "cut" or n == 1):
            stop = min(stop, int(how[k]))
    if "stall" in how:
        stop = len(data) // 2
    if "drip" in how:
        for b in data:
            c.sendall(bytes([b]))
            time.sleep(0.25)
    if "chunked" in how:
        for at in range(0, stop, 50000):
            part = data[at:min(at + 50000, stop)]
            c.sendall(b"%x\r\n%s\r\n" % (len(part), part))
        if stop == len(data):
            c.sendall(b"0\r\n\r\n")
    else:
        c.sendall(data[:stop])
    if "stall" in how:
        time.sleep(3600)


def serve(c):
    path, fields = read_head(c)
    if not path:
        return False
    n = note(path, fields)
    _, hows, name = path.split("/", 2)
    how = dict(h.split("=", 1) if "=" in h else (h, "") for h in hows.split(","))
    if "bomb" in how or "endless" in how or "endlesszip" in how:
        send_for_ever(c, how)
    if "fail" in how and n <= int(how["fail"]):
        after = "Retry-After: %s\r\n" % how["after"] if "after" in how else ""
        c.sendall(("HTTP/1.1 503 No\r\n%sContent-Length: 5\r\nConnection: close\r\n\r\nsorry" % after).encode())
        return True
    if "status" in how:
        c.sendall(("HTTP/1.1 %s So\r\nContent-Length: 5\r\nConnection: close\r\n\r\nsorry" % how["status"]).encode())
        return True
    data, status, head = answer(c, how, fields, n, os.path.join(sys.argv[2], name))
    length = len(data) + (1000 if "short" in how else -len(data) // 2 if "long" in how else 0)
    if "chunked" in how:
        head.append("Transfer-Encoding: chunked")
    elif "close" not in how and "rude" not in how and status[0] == "2":
        head.append("Content-Length: %d" % length)
    c.sendall(("HTTP/1.1 %s\r\n%s\r\n\r\n" % (status, "\r\n".join(head))).encode())
    if status[0] == "2":
        send_body(c, how, n, data)
    return "rude" not in how


def handle(raw, context):
    try:
        c = context.wrap_socket(raw, server_side=True) if context else raw
        in_order = serve(c)
        if context and in_order:
            c = c.unwrap()
        elif context:
            c = socket.socket(fileno=c.detach())
        c.close()
    except (OSError, ValueError):
        raw.close()


def main():
    context = None
    if len(sys.argv) > 4:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[4], sys.argv[5])
    s = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=100)
    while True:
        raw, _ = s.accept()
        threading.Thread(target=handle, args=(raw, context), daemon=True).start()


main()
