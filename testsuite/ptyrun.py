#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""ptyrun.py - runs a command on a terminal of its own

usage: ptyrun.py ROWSxCOLS [STEP...] -- COMMAND [ARG...]
A step is wait:TEXT (until the command has printed TEXT), send:TEXT, size:ROWSxCOLS; in texts \\n and \\xNN mean
what they mean in C. Prints what the command printed, and ends with its status (128 + signal).
"""
import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time


def set_size(fd, text):
    rows, cols = text.split("x")
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", int(rows), int(cols), 0, 0))


def do_steps(fd, steps, out, seen):
    """as many steps as can be done now; returns how much of the output is behind them"""
    while steps:
        kind, _, text = steps[0].partition(":")
        data = text.encode().decode("unicode_escape").encode("latin-1")
        if kind == "wait":
            at = out.find(data, seen)
            if at < 0:
                break
            seen = at + len(data)
        elif kind == "send":
            os.write(fd, data)
        elif kind == "size":
            set_size(fd, text)
        steps.pop(0)
    return seen


def main():
    split = sys.argv.index("--")
    size, steps, command = sys.argv[1], sys.argv[2:split], sys.argv[split + 1:]
    go, ready = os.pipe()
    pid, fd = pty.fork()
    if pid == 0:
        os.read(go, 1)  # until the size is set
        os.execvp(command[0], command)
    set_size(fd, size)
    os.write(ready, b"x")
    out, seen, end, timed_out = b"", 0, time.monotonic() + 120, True
    while time.monotonic() < end:
        seen = do_steps(fd, steps, out, seen)
        if not select.select([fd], [], [], 0.2)[0]:
            continue
        try:
            data = os.read(fd, 65536)
        except OSError:  # the last process that had the terminal is gone
            data = b""
        if not data:
            timed_out = False
            break
        out += data
    sys.stdout.write(out.decode("utf-8", "replace"))
    if timed_out:
        os.kill(pid, signal.SIGKILL)
        print("ptyrun: timed out, still to do:", steps)
    status = os.waitpid(pid, 0)[1]
    sys.exit(128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status))


main()
