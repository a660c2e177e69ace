/* SPDX-License-Identifier: Apache-2.0
 * actool diff - what differs between two images: manifests member by member, trees entry by entry
 *
 * How an image is packed does not count: compression, order of entries, kind of tar, holes, and which name of a
 * file came first.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "applets/actool/actool.h"
#include "applets/actool/changes.h"
#include "applets/actool/report.h"
#include "applets/actool/side.h"
#include "applets/commands.h"
#include "applets/ui.h"
#include "core/base/fd.h"
#include "core/base/json.h"

enum { SAME = 0, DIFFERENT = 1, UNREADABLE = 3 };

struct diff_opts {
	struct actool_globals g;
	const char           *format, *ignore;
	struct passphrase_opts passphrase;
};

static const struct opt diff_opts[] = {
	OPT_TEXT(0, "ignore", "WHAT,...", struct diff_opts, ignore,
		 "manifest, content, mode, owner, mtime, xattr or hardlink: what may differ"),
	OPT_TEXT(0, "format", "FORMAT", struct diff_opts, format, "json or json-pretty"),
	OPT_PART("Encrypted images", passphrase_opts, struct diff_opts, passphrase),
	OPT_PART("Global options", actool_globals_opts, struct diff_opts, g),
	OPT_END
};

/* ---- what may differ ---- */

enum what { MANIFEST, CONTENT, MODE, OWNER, MTIME, XATTR, HARDLINK, N_WHAT };
static const char *const names[N_WHAT] = { "manifest", "content", "mode", "owner", "mtime", "xattr", "hardlink" };

static int read_ignore(const char *list, bool ignore[N_WHAT], struct err *e)
{
	for (const char *p = list; p && *p; p += *p == ',') {
		size_t n = strcspn(p, ","), i = 0;
		while (i < N_WHAT && (strlen(names[i]) != n || strncmp(names[i], p, n) != 0))
			i++;
		if (i == N_WHAT)
			return err_set(e, EINVAL, "--ignore: unknown \"%.*s\"; known: manifest, content, mode, owner, mtime, "
				       "xattr, hardlink", (int)n, p);
		ignore[i] = true;
		p += n;
	}
	return 0;
}

/* ---- entries ---- */

struct diff {
	struct changes changes;
	bool           ignore[N_WHAT];
};

static const char *type_name(enum tar_type t)
{
	static const char *const types[] = {
		[TAR_FILE] = "file", [TAR_HARDLINK] = "hard link", [TAR_SYMLINK] = "symbolic link",
		[TAR_CHAR] = "character device", [TAR_BLOCK] = "block device", [TAR_DIR] = "directory",
		[TAR_FIFO] = "FIFO",
	};

	return types[t];
}

static void differs(struct diff *d, const struct listing_entry *x, const char *field, const char *a, const char *b)
{
	changes_value(&d->changes, x->path, field, a ? cJSON_CreateString(a) : NULL, b ? cJSON_CreateString(b) : NULL);
}

static void compare_content(struct diff *d, const struct listing_entry *a, const struct listing_entry *b)
{
	char x[24], y[24];

	if (a->size != b->size) {
		snprintf(x, sizeof(x), "%llu", (unsigned long long)a->size);
		snprintf(y, sizeof(y), "%llu", (unsigned long long)b->size);
		changes_value(&d->changes, a->path, "size", cJSON_CreateRaw(x), cJSON_CreateRaw(y));
	} else if (memcmp(a->content, b->content, LISTING_DIGEST) != 0) {
		differs(d, a, "content", NULL, NULL);
	}
}

static void compare_device(struct diff *d, const struct listing_entry *a, const struct listing_entry *b)
{
	char x[32], y[32];

	if (a->rdev_major == b->rdev_major && a->rdev_minor == b->rdev_minor)
		return;
	snprintf(x, sizeof(x), "%u:%u", a->rdev_major, a->rdev_minor);
	snprintf(y, sizeof(y), "%u:%u", b->rdev_major, b->rdev_minor);
	differs(d, a, "device", x, y);
}

/* what only entries of one type have */
static void compare_kind(struct diff *d, const struct listing_entry *a, const struct listing_entry *b)
{
	static const char none[] = "";
	const char *x = a->first_name ? a->first_name : none, *y = b->first_name ? b->first_name : none;

	if (a->type == TAR_FILE && !d->ignore[CONTENT])
		compare_content(d, a, b);
	if (a->type == TAR_FILE && !d->ignore[HARDLINK] && strcmp(x, y) != 0)
		differs(d, a, "hardlink", a->first_name, b->first_name);
	if (a->type == TAR_SYMLINK && strcmp(a->target, b->target) != 0)
		differs(d, a, "target", a->target, b->target);
	if (a->type == TAR_CHAR || a->type == TAR_BLOCK)
		compare_device(d, a, b);
}

static void compare_attributes(struct diff *d, const struct listing_entry *a, const struct listing_entry *b)
{
	char x[48], y[48];

	if (!d->ignore[MODE] && a->mode != b->mode) {
		snprintf(x, sizeof(x), "%04o", a->mode);
		snprintf(y, sizeof(y), "%04o", b->mode);
		differs(d, a, "mode", x, y);
	}
	if (!d->ignore[OWNER] && (a->uid != b->uid || a->gid != b->gid)) {
		snprintf(x, sizeof(x), "%u:%u", a->uid, a->gid);
		snprintf(y, sizeof(y), "%u:%u", b->uid, b->gid);
		differs(d, a, "owner", x, y);
	}
	if (!d->ignore[MTIME] && (a->mtime_s != b->mtime_s || a->mtime_ns != b->mtime_ns)) {
		snprintf(x, sizeof(x), "%lld.%09u", (long long)a->mtime_s, a->mtime_ns);
		snprintf(y, sizeof(y), "%lld.%09u", (long long)b->mtime_s, b->mtime_ns);
		differs(d, a, "mtime", x, y);
	}
}

static cJSON *xattr_value(const struct listing_xattr *x)
{
	char text[2 * LISTING_DIGEST + 1], all[sizeof(text) + 48];

	if (!x)
		return NULL;
	hash_hex(x->digest, LISTING_DIGEST, text);
	snprintf(all, sizeof(all), "%llu bytes, sha512-%s", (unsigned long long)x->len, text);
	return cJSON_CreateString(all);
}

static void compare_xattr(struct diff *d, const struct listing_entry *at, const char *name,
			  const struct listing_xattr *a, const struct listing_xattr *b)
{
	if (a && b && a->len == b->len && !memcmp(a->digest, b->digest, LISTING_DIGEST))
		return;
	auto_free char *field = xasprintf("xattr %s", name);
	changes_value(&d->changes, at->path, field, xattr_value(a), xattr_value(b));
}

static void compare_xattrs(struct diff *d, const struct listing_entry *a, const struct listing_entry *b)
{
	for (size_t i = 0, k = 0; i < a->n_xattrs || k < b->n_xattrs;) {
		int order = i == a->n_xattrs ? 1 : k == b->n_xattrs ? -1 : strcmp(a->xattrs[i].name, b->xattrs[k].name);
		compare_xattr(d, a, order <= 0 ? a->xattrs[i].name : b->xattrs[k].name, order <= 0 ? &a->xattrs[i] : NULL,
			      order >= 0 ? &b->xattrs[k] : NULL);
		i += order <= 0;
		k += order >= 0;
	}
}

static void compare_entry(struct diff *d, const struct listing_entry *a, const struct listing_entry *b)
{
	if (a->type != b->type)
		differs(d, a, "type", type_name(a->type), type_name(b->type));
	else
		compare_kind(d, a, b);
	compare_attributes(d, a, b);
	if (!d->ignore[XATTR])
		compare_xattrs(d, a, b);
}

static void compare_entries(struct diff *d, const struct listing *a, const struct listing *b)
{
	for (size_t i = 0, k = 0; i < a->n || k < b->n;) {
		int order = i == a->n ? 1 : k == b->n ? -1 : strcmp(a->v[i]->path, b->v[k]->path);
		if (order < 0)
			changes_only(&d->changes, a->v[i]->path, true, type_name(a->v[i]->type));
		else if (order > 0)
			changes_only(&d->changes, b->v[k]->path, false, type_name(b->v[k]->type));
		else
			compare_entry(d, a->v[i], b->v[k]);
		i += order <= 0;
		k += order >= 0;
	}
}

/* ---- the two ---- */

static int compare_manifests(struct diff *d, const struct aci_result *a, const struct aci_result *b, struct err *e)
{
	auto_json cJSON *x = json_parse_err(a->manifest_text, a->manifest_len, e);
	auto_json cJSON *y = x ? json_parse_err(b->manifest_text, b->manifest_len, e) : NULL;

	if (!y)
		return -1;
	changes_manifest(&d->changes, x, y);
	return 0;
}

static int read_side(const char *name, const struct passphrase_opts *o, struct listing *l, struct err *e)
{
	struct findings f = { 0 };
	int r = side_read(name, o, l, &f, e);

	if (r < 0 && f.errors) {
		actool_report(name, &f);
		err_set(e, EINVAL, "the image is not valid: %zu error%s", f.errors, f.errors == 1 ? "" : "s");
	}
	findings_free(&f);
	return r < 0 ? err_wrap(e, "%s", name) : 0;
}

static int compare_all(struct diff *d, const struct passphrase_opts *o, struct listing *a, struct listing *b, struct err *e)
{
	if (read_side(d->changes.a, o, a, e) < 0 || read_side(d->changes.b, o, b, e) < 0)
		return -1;
	if (!d->ignore[MANIFEST] && compare_manifests(d, &a->res, &b->res, e) < 0)
		return -1;
	compare_entries(d, a, b);
	return changes_end(&d->changes, e);
}

static int diff_run(void *opts, int argc, char **argv, struct err *e)
{
	const struct diff_opts *o = opts;
	struct diff d = { 0 };
	struct listing a = { 0 }, b = { 0 };

	if (argc != 2)
		return err_set(e, EINVAL, "must provide two images (see --help)"), CMD_USAGE;
	if (!strcmp(argv[0], "-") && !strcmp(argv[1], "-"))
		return err_set(e, EINVAL, "only one of the two can be the standard input"), CMD_USAGE;
	if (passphrase_check(&o->passphrase, argv[0], e) < 0 || passphrase_check(&o->passphrase, argv[1], e) < 0)
		return CMD_USAGE;
	if (ui_format(o->format, &d.changes.format, e) < 0 || read_ignore(o->ignore, d.ignore, e) < 0)
		return CMD_USAGE;
	d.changes.a = argv[0];
	d.changes.b = argv[1];
	int r = compare_all(&d, &o->passphrase, &a, &b, e);
	listing_free(&a);
	listing_free(&b);
	if (r == 0)
		return d.changes.n ? DIFFERENT : SAME;
	ui_error(e);
	return UNREADABLE;
}

const struct cmd actool_diff_cmd = {
	.name = "diff", .args = "A B", .summary = "Say what differs between two images.",
	.more = "A and B are image files, image layouts, or - for the standard input. Exit status: 0 if\n"
		"they are equal, 1 if they differ, 2 for wrong usage, 3 if one cannot be read.\n",
	.opts = diff_opts, .opts_size = sizeof(struct diff_opts), .inherits = true, .run = diff_run,
};
