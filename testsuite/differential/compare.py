#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""compare.py - do two validators judge the same files alike, but for what original.py lists?

    compare.py ACTOOL VERDICTS manifests|archives LIST     LIST: lines of PATH<TAB>WHAT, as the script of that name prints

Prints each disagreement that original.py does not explain, and each line there of that kind of files that explains none;
then what was compared. Exits with 1 when there was one of either.
"""
import json
import subprocess
import sys

import original

AT_ONCE = 400  # files for one call of ours
VALIDATE = ["validate", "--profile=appc"]
SHOWN = 40


def judge_ours(actool, paths):
    """for each path: its errors, as "RULE: WHERE: TEXT" """
    verdicts = []
    for i in range(0, len(paths), AT_ONCE):
        some = paths[i:i + AT_ONCE]
        p = subprocess.run([actool, *VALIDATE, "--format=json", *some], stdout=subprocess.PIPE, check=False)
        if p.returncode not in (0, 1, 3):
            sys.exit("%s: status %d" % (actool, p.returncode))
        for f in json.loads(p.stdout):
            errors = ["%(rule)s: %(where)s: %(text)s" % x for x in f["findings"] if x["level"] == "error"]
            if bool(errors) == f["valid"]:
                sys.exit("%s: valid is %s with the errors %s" % (f["file"], f["valid"], errors))
            verdicts.append(errors)
        check_text(actool, some, verdicts[i:])
    return verdicts


def check_text(actool, paths, verdicts):
    """as lines it must be the same files that are invalid: then images are not hashed, and are read in another way"""
    p = subprocess.run([actool, *VALIDATE, *paths], stderr=subprocess.PIPE, check=False)
    told = {line.split(b": error: ")[0].decode() for line in p.stderr.split(b"\n") if b": error: " in line}
    invalid = {path for path, errors in zip(paths, verdicts) if errors}
    if told != invalid:
        sys.exit("as lines and as JSON other files are invalid: %s" % sorted(told ^ invalid)[:10])


def judge_theirs(program, paths):
    """for each path: None, or what the original says"""
    p = subprocess.run([program, "verdicts"], input="\n".join(paths).encode(), stdout=subprocess.PIPE, check=True)
    lines = p.stdout.decode("utf-8", "replace").split("\n")[:-1]
    if len(lines) != len(paths):
        sys.exit("%s: %d verdicts for %d files" % (program, len(lines), len(paths)))
    return [None if line.startswith("0\t") else line for line in lines]


def main():
    actool, program, kind, name = sys.argv[1:]
    with open(name) as f:
        cases = [line.rstrip("\n").split("\t", 1) for line in f]
    paths = [path for path, _ in cases]
    used, bad, n_valid, n_explained = set(), 0, 0, 0
    for (path, what), ours, theirs in zip(cases, judge_ours(actool, paths), judge_theirs(program, paths)):
        n_valid += not ours and not theirs
        if bool(ours) == bool(theirs):
            continue
        why = original.explain(kind, path, ours, theirs)
        if why:
            used.update(why)
            n_explained += 1
            continue
        bad += 1
        if bad <= SHOWN:
            print("%s: %s\n    rktbox: %s\n    original: %s" % (path, what, "; ".join(ours)[:300] or "valid", theirs or "valid"))
    for line in original.WRONG[kind]:
        if line["id"] not in used and not line["build"]:
            print("original.py: %s explains nothing any more" % line["id"])
            bad += 1
    print("%d files, %d valid to both, %d judged otherwise by the original for a reason on the list, %d without" %
          (len(cases), n_valid, n_explained, bad))
    sys.exit(bad > 0)


main()
