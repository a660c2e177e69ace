/* SPDX-License-Identifier: Apache-2.0
 * audit - see audit.h
 */
#include "core/archive/audit.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/archive/aci_parts.h"

/* ---- kinds and modes ---- */

static void check_device(struct audit *a, const struct tar_entry *en)
{
	if (en->type == TAR_CHAR || en->type == TAR_BLOCK)
		aci_report(a->f, FINDING_WARNING, "aci-device", en,
			   "is a device node (%s %u:%u), which apps cannot use",
			   en->type == TAR_CHAR ? "character" : "block", en->rdev_major, en->rdev_minor);
}

/* A hard link has no mode of its own. A set-group-ID directory only hands its group on. */
static void check_mode(struct audit *a, const struct tar_entry *en)
{
	bool uid = en->mode & 04000, gid = en->mode & 02000;

	if (en->type == TAR_FILE && (uid || gid))
		aci_report(a->f, FINDING_WARNING, "aci-setuid", en, "has the set-%s-ID bit (mode %04o, owner %u:%u)",
			   uid && gid ? "user-ID and set-group" : uid ? "user" : "group", en->mode, en->uid, en->gid);
	if (!(en->mode & 0002))
		return;
	if (en->type == TAR_FILE || (en->type == TAR_DIR && !(en->mode & 01000)))
		aci_report(a->f, FINDING_WARNING, "aci-world-writable", en, "can be written by all (mode %04o)%s",
			   en->mode, en->type == TAR_DIR ? ", and has no sticky bit" : "");
}

/* ---- links ---- */

static size_t n_components(const char *path)
{
	size_t n = *path != 0;

	for (; *path; path++)
		n += *path == '/';
	return n;
}

/*
 * By the words alone: what components that are links themselves lead to is not looked at. An absolute target begins in
 * the app's root, where it cannot leave; but one that climbs from there was meant for another tree.
 */
static bool climbs_out(const char *path, const char *target)
{
	/* of "rootfs/dir/link" one component is above the link, below rootfs */
	size_t depth = *target == '/' ? 0 : n_components(path) - 2;

	while (*target) {
		size_t n = strcspn(target, "/");
		if (n == 2 && target[0] == '.' && target[1] == '.') {
			if (!depth--)
				return true;
		} else if (n && !(n == 1 && *target == '.')) {
			depth++;
		}
		target += n + (target[n] == '/');
	}
	return false;
}

static void check_symlink(struct audit *a, const struct tar_entry *en)
{
	if (en->type == TAR_SYMLINK && strchr(en->path, '/') && climbs_out(en->path, en->link))
		aci_report(a->f, FINDING_WARNING, "aci-symlink", en, "points to \"%.200s\", which is above rootfs",
			   en->link);
}

/* ---- attributes ---- */

static bool begins(const char *s, const char *with)
{
	return !strncmp(s, with, strlen(with));
}

enum xattr_class xattr_class(const char *name)
{
	if (begins(name, "user.overlay.") || begins(name, "trusted.overlay."))
		return XATTR_OVERLAY;
	if (begins(name, "trusted."))
		return XATTR_TRUSTED;
	if (!strcmp(name, "security.capability"))
		return XATTR_CAPABILITY;
	if (begins(name, "security."))
		return strcmp(name, "security.selinux") ? XATTR_SECURITY : XATTR_SELINUX;
	return begins(name, "user.") || begins(name, "system.posix_acl_") ? XATTR_KEPT : XATTR_OTHER;
}

static void tally(struct audit_tally *t, const struct tar_entry *en)
{
	if (t->n++)
		return;
	t->first = strdup(en->path);
	t->offset = en->header_offset;
}

static void check_classes(struct audit *a, const struct tar_entry *en, unsigned classes)
{
	for (unsigned i = 0; i < XATTR_FOREIGN; i++)
		if (classes >> i & 1)
			tally(&a->foreign[i], en);
	if (classes >> XATTR_CAPABILITY & 1)
		aci_report(a->f, FINDING_WARNING, "aci-capability", en,
			   "has capabilities: whoever starts it gains them");
}

void audit_xattrs(struct audit *a, const struct tar_entry *en, const char *names, size_t len)
{
	unsigned classes = 0;

	for (size_t at = 0; at < len; at += strlen(names + at) + 1)
		classes |= 1u << xattr_class(names + at);
	check_classes(a, en, classes);
}

void audit_entry(struct audit *a, const struct tar_entry *en)
{
	unsigned classes = 0;

	check_device(a, en);
	check_mode(a, en);
	check_symlink(a, en);
	for (size_t i = 0; i < en->n_xattrs; i++)
		classes |= 1u << xattr_class(en->xattrs[i].name);
	check_classes(a, en, classes);
}

/* ---- the end ---- */

void audit_finish(struct audit *a)
{
	static const struct { const char *rule, *words; } classes[XATTR_FOREIGN] = {
		[XATTR_TRUSTED] = { "aci-xattr", "trusted.*" },
		[XATTR_OVERLAY] = { "aci-overlay", "overlayfs (trusted.overlay.*, user.overlay.*)" },
		[XATTR_SELINUX] = { "aci-selinux", "SELinux (security.selinux)" },
		[XATTR_SECURITY] = { "aci-xattr", "security.* other than security.capability" },
		[XATTR_OTHER] = { "aci-xattr", "an unknown kind" },
	};

	for (size_t i = 0; i < XATTR_FOREIGN; i++) {
		const struct audit_tally *t = &a->foreign[i];
		const struct tar_entry first = { .path = t->first ? t->first : "", .header_offset = t->offset };
		if (t->n)
			aci_report(a->f, FINDING_WARNING, classes[i].rule, &first,
				   "extended attributes of %s are not kept (in %llu %s)", classes[i].words,
				   (unsigned long long)t->n, t->n == 1 ? "entry" : "entries");
	}
	audit_free(a);
}

void audit_free(struct audit *a)
{
	for (size_t i = 0; i < XATTR_FOREIGN; i++)
		free(a->foreign[i].first);
	*a = (struct audit){ .f = a->f };
}
