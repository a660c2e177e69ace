/* SPDX-License-Identifier: Apache-2.0
 * rules - what is asked of images beside their manifests
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/archive/aci.h"
#include "core/archive/aci_parts.h"
#include "core/base/defence.h"

static const struct appc_rule rules[] = {
	{ "file-read", ACI_OURS, RULE_ERRORS | RULE_FINAL,
	  "the file can be opened and read to its end (exit status 3)",
	  "look for the name, the permissions or the disk" },
	{ "file-type", ACI_OURS, RULE_ERRORS | RULE_FINAL,
	  "the file is an image, a layout or a manifest, and what --type says",
	  "name another file, or say with --type what it is" },
	{ "aci-stream", ACI_ARCHIVES, RULE_ERRORS | RULE_FINAL,
	  "the file is whole: plain, or compressed with gzip, bzip2, xz or zstd",
	  "fetch or build the file again; what stands behind its end must go" },
	{ "aci-encryption", ACI_ARCHIVES, RULE_ERRORS | RULE_FINAL,
	  "an encrypted file is whole, protects its integrity, and is read by its passphrase (exit status 3 if not)",
	  "give --passphrase-file, or encrypt the image anew, with AES: actool build --encrypt" },
	{ "aci-compression", ACI_ARCHIVES, RULE_WARNINGS | RULE_SPEC_ONLY,
	  "the file is compressed with gzip, bzip2 or xz, or not at all: the specification has no zstd",
	  "compress with gzip if other programs are to read the image" },
	{ "aci-tar", ACI_ARCHIVES, RULE_ERRORS | RULE_FINAL,
	  "the archive is a well-formed tar, without anything after its end",
	  "pack it again, with actool build or GNU tar" },
	{ "aci-entry", ACI_ARCHIVES, RULE_ERRORS,
	  "each entry can be read in one way only: a path without \"..\" that is not absolute, a known type, numbers in bounds",
	  "pack it again, with actool build or GNU tar; do not unpack it" },
	{ "aci-manifest", "spec/aci.md, Image Manifest", RULE_ERRORS,
	  "there is one entry \"manifest\", a regular file of at most 4 MiB",
	  "put the manifest beside rootfs, as a plain file" },
	{ "aci-rootfs", ACI_ARCHIVES, RULE_ERRORS,
	  "there is one entry \"rootfs\", a directory",
	  "put the files into a directory rootfs, and pack the directory itself too" },
	{ "aci-toplevel", ACI_ARCHIVES, RULE_ERRORS,
	  "there is nothing beside manifest and rootfs",
	  "move it below rootfs, or leave it out" },
	{ "aci-duplicate", ACI_ARCHIVES, RULE_ERRORS,
	  "no path has two entries",
	  "pack it once; archives that were appended to have to be packed anew" },
	{ "aci-parent", ACI_OURS, RULE_ERRORS | RULE_OURS,
	  "what an entry lies below is a directory",
	  "pack the directory in place of the link or file above it" },
	{ "aci-link", ACI_OURS, RULE_ERRORS | RULE_OURS,
	  "a hard link points to a regular file in rootfs that came before it",
	  "pack the file before its links, or as a file of its own" },
	{ "aci-owner", ACI_OURS, RULE_ERRORS | RULE_OURS,
	  "nothing belongs to user or group 4294967295, which stands for \"nobody asked\"",
	  "give it another owner, or build with --owner-root" },
	{ "aci-bounds", ACI_OURS, RULE_ERRORS | RULE_OURS | RULE_FINAL,
	  "size, number of entries and compression ratio stay within bounds",
	  "split the image; if it was not meant to be that large, do not unpack it" },
	{ "aci-ratio", ACI_OURS, RULE_WARNINGS | RULE_OURS,
	  "what comes out is at most 200 times as large as the file (from 64 MiB on)",
	  "see whether the large files are meant, and pack holes as holes" },
	{ "aci-device", ACI_OURS, RULE_WARNINGS | RULE_OURS,
	  "there are no device nodes: apps cannot use them",
	  "leave it out: what apps may use of /dev they get where they run" },
	{ "aci-setuid", ACI_OURS, RULE_WARNINGS | RULE_OURS,
	  "no file has the set-user-ID or set-group-ID bit",
	  "chmod u-s,g-s, unless users of the app are to gain what the owner may do" },
	{ "aci-world-writable", ACI_OURS, RULE_WARNINGS | RULE_OURS,
	  "no file can be written by all; nor a directory, unless it has the sticky bit",
	  "chmod o-w, or chmod +t for a directory like /tmp" },
	{ "aci-capability", ACI_OURS, RULE_WARNINGS | RULE_OURS,
	  "no file has capabilities of its own (attribute security.capability)",
	  "setcap -r, unless users of the app are to gain them; else use an isolator" },
	{ "aci-symlink", ACI_OURS, RULE_WARNINGS | RULE_OURS,
	  "no symbolic link climbs above rootfs (absolute ones begin in the app's root)",
	  "point it to a path within the image" },
	{ "aci-overlay", ACI_OURS, RULE_WARNINGS | RULE_OURS,
	  "no attributes of overlayfs (trusted.overlay.*, user.overlay.*), which could uncover other files",
	  "pack the merged tree, not the upper directory of an overlay" },
	{ "aci-selinux", ACI_OURS, RULE_WARNINGS | RULE_OURS,
	  "no SELinux labels (security.selinux), which belong to the host's policy",
	  "pack without them: tar --no-selinux" },
	{ "aci-xattr", ACI_OURS, RULE_WARNINGS | RULE_OURS,
	  "no other attributes that belong to the host's kernel: they are not kept",
	  "pack without them; user.*, ACLs and security.capability are kept" },
	{ .id = NULL },
};

const struct appc_rule *aci_rules(void)
{
	return rules;
}

const struct appc_rule *aci_rule(const char *id)
{
	const struct appc_rule *r = rules;

	while (strcmp(r->id, id) != 0)
		r++;
	return r;
}

void aci_report(struct findings *f, enum finding_level level, const char *rule, const struct tar_entry *en,
		const char *fmt, ...)
{
	const struct appc_rule *r = aci_rule(rule);
	char text[300];
	va_list ap;

	if (!DEFENCE(rule))
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	findings_add(f, level, r->id, r->section, en ? en->path : "", en ? en->header_offset : FINDING_NO_OFFSET,
		     "%s", text);
}
