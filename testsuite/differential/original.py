# SPDX-License-Identifier: Apache-2.0
"""original.py - where the original actool 0.8.11 judges otherwise than rktbox, and why that is so

MANIFESTS and IN_ARCHIVES are the lists. A line explains a file when
    ours    matches "RULE: WHERE: TEXT" of an error that rktbox reports, where the original finds the file valid; or
    theirs  matches what the original says where rktbox finds it valid,
and, where there is one, `when` is true of the file's bytes. Every error of ours must be explained.

`build` says that this depends on how rktbox was built, so that the line may explain nothing.

kind is
    wrong   the original is wrong by the sentence of the specification (or of what it refers to) that stands in `says`
    free    the sentence leaves it to the implementation
    silent  the specification has no sentence about it: `says` tells why rktbox refuses it
"""
import bz2
import gzip
import json
import lzma
import re


def unpacked(b):
    try:
        if b[:2] == b"\x1f\x8b":
            return gzip.decompress(b)
        if b[:3] == b"BZh":
            return bz2.decompress(b)
        if b[:6] == b"\xfd7zXZ\0":
            return lzma.decompress(b)
    except (OSError, EOFError, lzma.LZMAError, ValueError):
        pass
    return b


def headers(b, test):
    """of how many headers of the tar is it true?"""
    tar = unpacked(b)
    return sum(test(tar[i:i + 512]) for i in range(0, len(tar), 512) if tar[i + 257:i + 262] == b"ustar")


NAMES = """acKind acVersion annotations app appVolume apps count default dependencies environment errno eventHandlers exec gid
group hostIP hostPort id image imageID imageName isolators kind labels level limit mode mountPoints mounts name path pathWhitelist
podPort port ports protocol readOnly readOnlyRootFS recursive request role set size socketActivated source supplementaryGIDs type
uid user userAnnotations userLabels value volume volumes workingDirectory""".split()
# Go takes these for the letters that they look like, too
FOLDED = {n.lower(): n for n in NAMES}


def other_case(b):
    """is a member called as one of the schema but for capitals?"""
    for quoted in re.findall(rb'("(?:[^"\\]|\\.)*")\s*:', b):
        try:
            name = json.loads(quoted)
        except ValueError:
            continue
        folded = name.lower().replace("\u017f", "s").replace("\u212a", "k")
        if name not in NAMES and folded in FOLDED:
            return True
    return False


ARCHIVES = "spec/aci.md, Image Archives"
MANIFEST = "spec/aci.md, Image Manifest Schema"
PODS = "spec/pods.md, Pod Manifest Schema"
TYPES = "spec/types.md"
ACE = "spec/ace.md"
JSON_LIMITS = "RFC 4627, 4 (spec/aci.md: conforming to RFC4627)"
A_TAR = "Image archives MUST be a tar formatted file with no duplicate entries."
COMPRESSED = "Image archives MAY be compressed with `gzip`, `bzip2`, or `xz`."
QUANTITIES = (
    "For convenience, when specified by users quantities may either be unsuffixed, have metric suffices (E, P, T, G, M, K)"
    " or binary (power-of-two) suffices (Ei, Pi, Ti, Gi, Mi, Ki)."
)


def wrong(id_, file, says, ours=None, theirs=None, when=None, kind="wrong", build=False):
    return {"id": id_, "kind": kind, "file": file, "says": says, "ours": ours and re.compile(ours, re.S), "theirs": theirs and re.compile(theirs), "when": when, "build": build}


def free(*args, **more):
    return wrong(*args, kind="free", **more)


def silent(id_, says, **more):
    return wrong(id_, None, says, kind="silent", **more)


# An identifier or a name of any of the lists.
NAME_RULES = "image-name|label-name|annotation|isolator-name|mount-point|port|volume|mount|pod-app-name|exposed-port"

MANIFESTS = [
    # ---- JSON
    wrong("case-of-members", MANIFEST, "**acKind** (string, required) must be an AC Kind of value \"ImageManifest\"",
          theirs=r".", when=other_case),
    wrong("case-of-members-missing", MANIFEST, "**name** (string, required) a human-readable name for this App Container Image",
          ours=r"^(member-required|app-exec|pod-apps|isolator-value|exposed-port|volume|mount|annotation|quantity): ", when=other_case),
    wrong("json-unicode", "RFC 4627, 3", "JSON text SHALL be encoded in Unicode.", ours=r"^json: .*is not UTF-8"),
    wrong("json-surrogates", "RFC 4627, 1", "A string is a sequence of zero or more Unicode characters.",
          ours=r"^json: .*(half of a surrogate pair|is not a surrogate pair)"),
    wrong("json-duplicates", "RFC 4627, 2.2", "The names within an object SHOULD be unique.", ours=r"^json: .*duplicate key"),
    free("json-depth", JSON_LIMITS, "An implementation may set limits on the maximum depth of nesting.", ours=r"^json: .*nested more than"),
    free("json-numbers", JSON_LIMITS, "An implementation may set limits on the range of numbers.",
         ours=r"^json: .*(number .* is out of range|number of \d+ characters)|^json-type: .*want a whole number between -2\^53 and 2\^53, got [-0-9.]+e\+"),
    free("json-characters", JSON_LIMITS, "An implementation may set limits on the length and character contents of strings.",
         ours=r"^json: .*\\u0000 is not allowed"),
    wrong("json-integers", "RFC 4627, 2.4", "A number contains an integer component that may be prefixed with an optional minus sign, which may be"
          " followed by a fraction part and/or an exponent part.", theirs=r"cannot unmarshal number (-?[0-9.]+[eE][-+0-9]+|-0|[0-9]+\.0+) into"),
    wrong("json-null", MANIFEST, "The listed objects must have two key-value pairs: *name* is restricted to the AC Identifier formatting and *value* is"
          " an arbitrary string.", ours=r"^json-type: .*want (an object|a string|a number), got null"),
    # ---- types
    wrong("required", MANIFEST, "**user**, **group** (string, required)", ours=r"^member-required: "),
    wrong("identifiers", TYPES, "An AC Identifier Type will match the following RE2 regular expression: `^[a-z0-9]+([-._~/][a-z0-9]+)*$`",
          ours=r"^(%s): .* is not an AC Identifier" % NAME_RULES),
    wrong("names", TYPES, "An AC Name Type will match the following RE2 regular expression: `^[a-z0-9]+([-][a-z0-9]+)*$`",
          ours=r"^(%s): .* is not an AC Name" % NAME_RULES),
    wrong("version-format", TYPES, "An AC Version cannot be an empty string and must be in SemVer v2.0.0 format.",
          ours=r"^ac-version: .*is not a semantic version"),
    wrong("version-later", TYPES, "An AC Version must reference a tagged version of the App Container specification, not exceeding the version of"
          " its greatest compliance.", ours=r"^ac-version: .*is not supported"),
    wrong("image-id", TYPES, "An Image ID Type must be a string of the format \"hash-value\", where \"hash\" is the hash algorithm used and \"value\" is the"
          " hex encoded string of the digest.", ours=r"^image-id: "),
    wrong("timestamp", TYPES, "Timestamps will be formatted to RFC3339.", ours=r"^annotation-created: "),
    wrong("leap-second", TYPES, "Timestamps will be formatted to RFC3339.", theirs=r"bad Date: .*:60.*second out of range"),
    # ---- the image manifest
    wrong("exec", MANIFEST, "must be non-empty; the executable must be an absolute path within the app rootfs", ours=r"^app-exec: "),
    wrong("environment", MANIFEST, "The **name** must consist solely of letters, digits, and underscores '_' as outlined in IEEE Std 1003.1-2001.",
          ours=r"^app-environment: environment name|^app-environment: .*is not made of letters"),
    wrong("port-range", MANIFEST, "specifies a range of ports, starting with \"port\" and ending with \"port\" + \"count\" - 1", ours=r"^port: .*(count|range|beyond|65535)"),
    wrong("port-protocol", MANIFEST, "**protocol** (string, required) protocol that will be used on this port.", ours=r"^port: .*protocol is empty"),
    wrong("whitelist", MANIFEST, "whitelist of absolute paths that will exist in the app's rootfs after rendering", ours=r"^path-whitelist: "),
    wrong("urls", MANIFEST, "URL to find more information on the image (string, must be a URL with scheme HTTP or HTTPS)", ours=r"^annotation-url: "),
    free("os-arch", MANIFEST, "Currently supported combinations are listed in the `types.ValidOSArch` variable, which can be updated by an implementation that"
         " supports other combinations.", theirs=r'bad arch "(riscv64|loongarch64)" for linux'),
    # ---- isolators
    wrong("isolator-unknown", TYPES, "\"value\" may be an arbitrary JSON value.",
          theirs=r"invalid isolator$"),
    wrong("quantity-suffix", ACE, QUANTITIES, ours=r"^quantity: .*(is not a quantity|a quantity is a string)"),
    wrong("quantity-kilo", ACE, QUANTITIES, theirs=r"unable to parse quantity's suffix", when=lambda b: b'K"' in b),
    wrong("capabilities", ACE, "**set** list of capabilities that will be retained in the process's capabilities bounding set, all others will be removed.",
          ours=r"^capability: "),
    wrong("capabilities-both", ACE, "The retain set cannot be used in conjunction with the remove set.",
          ours=r"^isolator-list: .*capabilities-(retain|remove)-set cannot be used together"),
    wrong("seccomp-both", ACE, "Only a single `os/linux/seccomp-retain-set` isolator can be specified per-app, and it cannot be used in conjunction with the"
          " `os/linux/seccomp-remove-set` isolator.", ours=r"^isolator-list: .*seccomp-"),
    wrong("selinux-once", ACE, "Only a single `os/linux/selinux-context` isolator can be specified per-pod.", ours=r"^isolator-list: .*only one os/linux/selinux-context"),
    wrong("sysctl-once", ACE, "Only a single `os/unix/sysctl` isolator can be specified per-pod.", ours=r"^isolator-list: .*only one os/unix/sysctl"),
    silent("once", "cpu-shares and oom-score-adj are of the reference schema alone, which has no two of them in an app; a pod is judged alike",
           ours=r"^isolator-list: .*only one os/linux/(cpu-shares|oom-score-adj)"),
    wrong("seccomp-names", ACE, "**set** case-sensitive list of syscall names that will be blacklisted (ie. blocked); values starting with `@` MUST be handled as"
          " scoped special values", ours=r"^seccomp: .*(is not the name of a system call|has no meaning here)"),
    wrong("seccomp-errno", ACE, "**errno** all-uppercase name of a single errno code that will be returned by blocked system calls, instead of terminating.",
          ours=r"^seccomp: .*errno"),
    wrong("selinux", ACE, "**user** case-sensitive string containing the user portion of the SELinux security context", ours=r"^isolator-value: .*of a context"),
    wrong("sysctl", ACE, "dictionary of `sysctl(8)` key-value entries to set kernel runtime parameters.",
          ours=r"^isolator-value: .*(sysctl key|must be one line)|^isolator-value: .*/value/[^/]*: must be a string"),
    wrong("set-of-null", ACE, "**set** list of capabilities that will be removed from the process's capabilities bounding set", ours=r"^isolator-value: .*/set/\d+: must be a string"),
    wrong("limit-missing", ACE, "**limit** read/write bytes per second", ours=r"^isolator-value: .*limit is missing"),
    # ---- the pod manifest
    wrong("pod-apps", PODS, "**apps** (list of objects, required) list of apps that will execute inside of this pod.", ours=r"^pod-apps: "),
    wrong("host-port", PODS, "**hostPort** (integer, required) port number on the host that will be mapped to the application port.",
          ours=r"^exposed-port: .*host port -?\d+ is not between"),
    wrong("ports-refer", PODS, "This field is a key referencing by name ports specified in the Image Manifest(s) of the app(s) within this Pod Manifest;"
          " consequently, port names MUST be unique among apps within a pod.", ours=r"^exposed-port: .*(no app of the pod has|several apps of the pod have)"),
    wrong("mounts-overlap", ACE, "If multiple targets have overlapping target `path`s (for example, if one is nested within another), the ACE SHOULD consider"
          " this an error.", ours=r"^mount: .*is the target of another mount"),
]

IN_ARCHIVES = [
    wrong("duplicates", ARCHIVES, A_TAR, ours=r"^aci-duplicate: "),
    wrong("toplevel", ARCHIVES, "Image archives with additional files outside of `rootfs` are not valid.", ours=r"^aci-toplevel: "),
    wrong("both-there", ARCHIVES, "Image archives MUST have only two top-level pathnames, `manifest` (a regular file) and `rootfs` (a directory).",
          ours=r"^aci-(manifest|rootfs): .*there is no"),
    wrong("manifest-once", ARCHIVES, A_TAR, ours=r"^json: ", when=lambda b: headers(b, lambda h: h[:9] == b"manifest\0") > 1),
    wrong("whole-stream", ARCHIVES, COMPRESSED, ours=r"^aci-stream: .*(truncated|corrupt|incorrect data|bytes after the end|unknown header flags|invalid|header crc|data check)"),
    wrong("gzip-name", "RFC 1952, 2.3.1", "an original file name is present, terminated by a zero byte", theirs=r"error decompressing file: gzip: invalid header"),
    silent("xz-filter", "liblzma is built with those of its filters that image builders use, so as to be small; the system's has all",
           ours=r"^aci-stream: .*unknown filter or option", build=True),
    wrong("tar-end", ARCHIVES, A_TAR, ours=r"^aci-(tar|entry): .*(truncated at byte|data after the end of the archive)"),
    wrong("tar-kind", ARCHIVES, A_TAR, ours=r"^aci-(tar|entry): .*header of an unknown kind of tar"),
    wrong("tar-numbers", ARCHIVES, A_TAR, ours=r"^aci-(tar|entry): .*(bad (mode|uid|gid|mtime|size|file size|device number|checksum)|bad value of)"),
    wrong("tar-extended", ARCHIVES, A_TAR,
          ours=r"^aci-(tar|entry): .*(extended header or long name without an entry|two (extended headers|names|long names) for one entry|malformed (record|long name)|stands twice)"),
    wrong("tar-global", "POSIX.1-2017, pax (spec/aci.md: a tar formatted file)", "Represents global extended header records for the following files in the archive.",
          theirs=r"unrecognized file path in layout", when=lambda b: headers(b, lambda h: h[156:157] == b"g")),
    wrong("tar-global-path", ARCHIVES, A_TAR, ours=r"^aci-(tar|entry): .*in a global header cannot be meant for all entries|global header between"),
    wrong("tar-gnu-prefix", ARCHIVES, A_TAR, # where POSIX has a prefix, GNU tar's headers have times
          theirs=r"unrecognized file path in layout", when=lambda b: headers(b, lambda h: h[257:265] == b"ustar  \0" and h[345:346] != b"\0")),
    wrong("tar-names", ARCHIVES, "All files in the image MUST maintain all of their original properties, including timestamps, Unix modes, and extended attributes (xattrs).",
          ours=r"^aci-(tar|entry): .*(path too long|long name of|empty path|name too long|trailing slash behind|target too long)"),
    silent("tar-ways", "what different programs read as different paths is refused, so that an image is the same wherever it is unpacked",
           ours=r'^aci-(tar|entry): .*(empty component in|"\.\." in|absolute link target|absolute path)'),
    wrong("tar-links", ARCHIVES, A_TAR, ours=r"^aci-(tar|entry): .*(data behind|link target for|empty link target|empty target of|hard link to a directory)"),
    wrong("tar-types", ARCHIVES, "All files in the image MUST maintain all of their original properties, including timestamps, Unix modes, and extended attributes (xattrs).",
          ours=r"^aci-(tar|entry): .*entry of unsupported type"),
    wrong("tar-sparse", ARCHIVES, A_TAR, ours=r"^aci-(tar|entry): .*sparse"),
    wrong("tar-attributes", ARCHIVES, "All files in the image MUST maintain all of their original properties, including timestamps, Unix modes, and extended attributes (xattrs).",
          ours=r"^aci-(tar|entry): .*(extended attribute|ACL)"),
]

WRONG = {"manifests": MANIFESTS, "archives": IN_ARCHIVES}


def explains(line, data, ours, theirs):
    if line["when"] and not line["when"](data):
        return False
    if theirs is not None:
        return line["theirs"] is not None and line["theirs"].search(theirs) is not None
    return line["ours"] is not None and line["ours"].search(ours) is not None


def explain(kind, path, ours, theirs):
    """the ids of what explains that the two verdicts differ, or None"""
    with open(path, "rb") as f:
        data = f.read()
    if not ours:
        ids = [next((w["id"] for w in WRONG[kind] if explains(w, data, None, theirs)), None)]
    else:
        ids = [next((w["id"] for w in WRONG[kind] if explains(w, data, error, None)), None) for error in ours]
    return None if None in ids else ids
