#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""treecmp.py A B [IGNORE...] - compares two trees entry by entry, and says each difference

Compared are: names, type and mode, owner, mtime in nanoseconds, device numbers, sizes, link targets, extended
attributes, which names are hard links of each other, content, and where the holes of sparse files are.
IGNORE: mtime, xattr, nlink, holes, owner, or xattr:PREFIX. Exit status 1 when something differs.
"""
import hashlib
import os
import stat
import sys

MAX_SHOWN = 40


def entries(root):
    found = {b".": os.lstat(root)}
    todo = [b""]
    while todo:
        at = todo.pop()
        with os.scandir(os.path.join(root, at)) as scan:
            for e in scan:
                path = os.path.join(at, e.name)
                found[path] = e.stat(follow_symlinks=False)
                if e.is_dir(follow_symlinks=False):
                    todo.append(path)
    return found


def xattrs(path, ignored):
    names = os.listxattr(path, follow_symlinks=False)
    return {n: os.getxattr(path, n, follow_symlinks=False) for n in names if not n.startswith(ignored)}


def extents(fd, size):
    """the data of a file between its holes, in whole pages"""
    found, at = [], 0
    while at < size:
        try:
            start = os.lseek(fd, at, os.SEEK_DATA)
        except OSError:
            break
        at = os.lseek(fd, start, os.SEEK_HOLE)
        found.append((start // 4096, (at + 4095) // 4096))
    return found


def content(path, size):
    """a digest of the pages that are not all zeros, wherever holes are, and the pages of data"""
    fd = os.open(path, os.O_RDONLY)
    try:
        data = extents(fd, size)
        h, done = hashlib.sha1(), 0
        for start, end in data:
            at = max(start, done) * 4096
            os.lseek(fd, at, os.SEEK_SET)
            while at < min(end * 4096, size):
                piece = os.read(fd, min(end * 4096, size, at + (1 << 20)) - at)
                if not piece:
                    raise OSError("%r: ends at %d" % (path, at))
                for n in range(0, len(piece), 4096):
                    page = piece[n : n + 4096]
                    if page.count(0) != len(page):
                        h.update(b"%d:" % (at + n) + page)
                at += len(piece)
            done = max(end, done)
        return h.hexdigest(), data
    finally:
        os.close(fd)


def links(found):
    groups = {}
    for path, st in found.items():
        if st.st_nlink > 1 and not stat.S_ISDIR(st.st_mode):
            groups.setdefault(st.st_ino, []).append(path)
    return {tuple(sorted(g)) for g in groups.values()}


def main():
    a_root, b_root = os.fsencode(sys.argv[1]), os.fsencode(sys.argv[2])
    ignore = set(sys.argv[3:])
    prefixes = tuple(i[6:] for i in ignore if i.startswith("xattr:")) or ("\0",)
    a, b = entries(a_root), entries(b_root)
    differences = []

    def differ(what, path, x, y):
        if what not in ignore and x != y:
            differences.append("%s: %s: %r, %r" % (os.fsdecode(path), what, x, y))

    for path in sorted(set(a) | set(b)):
        if path not in a or path not in b:
            differ("only in one", path, path in a, path in b)
            continue
        x, y = a[path], b[path]
        pa, pb = os.path.join(a_root, path), os.path.join(b_root, path)
        differ("mode", path, oct(x.st_mode), oct(y.st_mode))
        differ("owner", path, (x.st_uid, x.st_gid), (y.st_uid, y.st_gid))
        differ("mtime", path, x.st_mtime_ns, y.st_mtime_ns)
        if stat.S_IFMT(x.st_mode) != stat.S_IFMT(y.st_mode):
            continue
        if stat.S_ISCHR(x.st_mode) or stat.S_ISBLK(x.st_mode):
            differ("device", path, x.st_rdev, y.st_rdev)
        if not stat.S_ISDIR(x.st_mode):
            differ("size", path, x.st_size, y.st_size)
            differ("nlink", path, x.st_nlink, y.st_nlink)
        if "xattr" not in ignore:
            differ("attributes", path, xattrs(pa, prefixes), xattrs(pb, prefixes))
        if stat.S_ISLNK(x.st_mode):
            differ("target", path, os.readlink(pa), os.readlink(pb))
        if stat.S_ISREG(x.st_mode):
            (hash_a, data_a), (hash_b, data_b) = content(pa, x.st_size), content(pb, y.st_size)
            differ("content", path, hash_a, hash_b)
            # a hole may be written out, if it is small; a large one that became data is a lost hole
            pages = [sum(end - start for start, end in data) for data in (data_a, data_b)]
            differ("holes", path, abs(pages[0] - pages[1]) > 32, False)
    if "nlink" not in ignore:
        differ("hard links", b".", links(a) - links(b), links(b) - links(a))
    for line in differences[:MAX_SHOWN]:
        print(line)
    print("%d and %d entries, %d differences" % (len(a), len(b), len(differences)))
    return 1 if differences else 0


sys.exit(main())
