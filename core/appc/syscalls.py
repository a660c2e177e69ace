#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""syscalls.py MUSL - makes syscall_table.h and syscall_list.h; run by hand when Linux has new calls

MUSL is the source of musl, in the version of deps/musl.dep: its arch/*/bits/syscall.h.in name the calls of
each architecture as the kernel's headers do, but for those with 32-bit times. syscalls.txt beside this file
has what is newer, and the groups. A test compares what comes out with the kernel headers of the machine.

One sorted list of names serves all architectures and groups, and a call is known by its place in it: an
architecture is an array of numbers beside it (0xffff: not there; from 0xf000: the private calls of ARM), a group
a string of bits."""
import os
import pathlib
import re
import sys
import textwrap

ARCHES = "x86_64", "aarch64", "i386", "arm", "riscv64"  # as musl calls them
ABSENT, PRIVATE, ARM_BASE = 0xffff, 0xf000, 0xf0000
OURS = {"clock_settime32", "clock_gettime32", "timer_settime32", "timer_gettime32", "timerfd_settime32", "timerfd_gettime32"}


def kernel_name(name):
    if name in OURS:
        return name[:-2]
    return name[:-7] if name.endswith("_time32") else name


def read_arch(path):
    numbers = {}
    for prefix, name, value in re.findall(r"^#define (__NR_|__ARM_NR_)(\w+)\s+(.+)$", path.read_text(), re.M):
        value = re.sub(r"__NR_(\w+)", lambda m: str(numbers.get(m[1], m[0])), value)
        if re.fullmatch(r"[\d\sxa-fA-F()+]+", value):
            numbers[name] = eval(value)  # sums of numbers only
    return {kernel_name(n): v for n, v in numbers.items() if n not in ("sysriscv", "arch_specific_syscall")}


def read_words(path):
    text = re.sub(r"#.*", "", path.read_text())
    return [entry.split() for entry in re.split(r"\n(?=\S)", text) if entry.strip()]


def expand(words, groups, everything):
    found = set()
    for word in words:
        name = word.lstrip("-")
        members = everything if name == "@appc.io/all" else groups[name] if name[0] == "@" else {name}
        found = found - members if word[0] == "-" else found | members
    return found


def c_bytes(values):
    return ", ".join(str(v) for v in values)


HEAD = "/* SPDX-License-Identifier: Apache-2.0 */\n/* made by syscalls.py; do not edit */"


def print_list(names, out):
    print(HEAD + "\n#pragma once\n\nenum syscall_call {", file=out)
    calls = ", ".join("CALL_" + n for n in names)
    print(textwrap.fill(calls, 100, initial_indent="\t", subsequent_indent="\t", break_long_words=False, break_on_hyphens=False), end=",\n", file=out)
    print("\tN_CALLS\n};", file=out)


def print_table(names, arches, groups, out):
    print(HEAD, file=out)
    print("/* each: how many bytes it shares with the one before, and the others */", file=out)
    print("static const char names[] =", file=out)
    for before, n in zip([""] + names, names):
        same = len(os.path.commonprefix([before, n]))
        print(f'\t"\\{same:03o}" "{n[same:]}\\0" /* {n} */', file=out)
    print(";", file=out)
    print(f"#define NAME_MAX_LEN {max(map(len, names))}\n", file=out)
    for a in ARCHES:
        v = [arches[a].get(n, ABSENT) for n in names]
        v = [n - ARM_BASE + PRIVATE if ARM_BASE < n < ARM_BASE + 16 else n for n in v]
        print(f"static const uint16_t numbers_{a}[N_CALLS] = {{ {c_bytes(v)} }};", file=out)
    print("\nstatic const struct group groups[] = {", file=out)
    for g, members in groups.items():
        bits = bytearray((len(names) + 7) // 8)
        for m in members:
            bits[names.index(m) // 8] |= 1 << names.index(m) % 8
        print(f'\t{{ "{g}", {{ {c_bytes(bits)} }} }},', file=out)
    print("};", file=out)


def main():
    here, musl = pathlib.Path(__file__).parent, pathlib.Path(sys.argv[1])
    arches = {a: read_arch(musl / "arch" / a / "bits" / "syscall.h.in") for a in ARCHES}
    entries = read_words(here / "syscalls.txt")
    for words in entries:
        if words[0] == "+":
            for a in words[3:] or ARCHES:
                arches[a][words[1]] = int(words[2])
    names = sorted(set().union(*arches.values()))
    groups = {}
    for words in entries:
        if words[0] != "+":
            groups[words[0]] = expand(words[1:], groups, set(names)) & set(names)

    with open(here / "syscall_list.h", "w") as out:
        print_list(names, out)
    with open(here / "syscall_table.h", "w") as out:
        print_table(names, arches, groups, out)


main()
