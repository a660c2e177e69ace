#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""lockstop.py - stops a command for good while it has a lock

	lockstop.py PATH N COMMAND...

Runs COMMAND until it has a flock(2) of the file or directory PATH, and stops it (SIGSTOP) at the N-th beginning or end of
a system call after that, 0 being the first. Prints its PID and leaves it there. Status 3: it gave the lock back before.
What it prints goes to ./stopped.out and ./stopped.err.
"""
import ctypes
import os
import signal
import sys

TRACEME, SYSCALL, DETACH, SETOPTIONS, SYSGOOD = 0, 24, 17, 0x4200, 1
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


def ptrace(what, pid, data=0):
    if libc.ptrace(what, pid, None, data) < 0:
        raise OSError(ctypes.get_errno(), "ptrace %d" % what)


def has_lock(pid, inode):
    with open("/proc/locks") as f:
        for line in f:
            w = line.split()
            if w[1] == "FLOCK" and w[4] == str(pid) and w[5].endswith(":%d" % inode):
                return True
    return False


def main():
    inode, n, command = os.stat(sys.argv[1]).st_ino, int(sys.argv[2]), sys.argv[3:]
    pid = os.fork()
    if not pid:
        os.dup2(os.open("/dev/null", os.O_RDWR), 0)
        os.dup2(os.open("stopped.out", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 1)
        os.dup2(os.open("stopped.err", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
        ptrace(TRACEME, 0)
        os.execv(command[0], command)
    os.waitpid(pid, 0)
    ptrace(SETOPTIONS, pid, SYSGOOD)
    had, sig = False, 0
    while True:
        ptrace(SYSCALL, pid, sig)
        _, status = os.waitpid(pid, 0)
        if not os.WIFSTOPPED(status):
            sys.exit(3 if had else 4)
        sig = os.WSTOPSIG(status)
        if sig != signal.SIGTRAP | 0x80:
            continue
        sig = 0
        has = has_lock(pid, inode)
        if had and not has:
            ptrace(DETACH, pid)
            os.waitpid(pid, 0)
            sys.exit(3)
        had = has
        if has and not n:
            ptrace(DETACH, pid, signal.SIGSTOP)
            print(pid)
            return
        n -= has


main()
