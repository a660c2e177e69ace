/* SPDX-License-Identifier: Apache-2.0
 * tar_entry - one entry, from its header and the extended header or long names that came before it
 *
 * The reader hands out what all programs would agree on or nothing: where two places say different things, a
 * name could be read in two ways or a number is malformed, that is an error here.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/archive/tar_parts.h"
#include "core/base/defence.h"

/* ---- numbers ---- */

/* base 256, two's complement, marked by the highest bit: GNU tar's way for what octal cannot hold */
static bool read_binary(const uint8_t *f, size_t len, int64_t *out)
{
	bool negative = f[0] & 0x40;
	uint64_t v = negative ? UINT64_MAX : 0;
	uint64_t fill = v >> 56;

	for (size_t i = 0; i < len; i++) {
		uint8_t c = i ? f[i] : (uint8_t)((f[i] & 0x3f) | (negative ? 0xc0 : 0));
		if (v >> 56 != fill) /* a byte that counts would be pushed out */
			return false;
		v = v << 8 | c;
	}
	if (v >> 63 != (uint64_t)negative)
		return false;
	*out = (int64_t)v;
	return true;
}

/* Octal digits, blanks before them and blanks or NULs behind. Empty is 0, unless @required. */
bool tar_number(const uint8_t *f, size_t len, bool required, int64_t *out)
{
	size_t i = 0, digits = 0;
	int64_t v = 0;

	if (f[0] & 0x80)
		return read_binary(f, len, out);
	while (i < len && f[i] == ' ')
		i++;
	for (; i < len && f[i] >= '0' && f[i] <= '7'; i++, digits++)
		v = v << 3 | (f[i] - '0'); /* at most 12 digits: 36 bits */
	for (; i < len; i++)
		if (f[i] && f[i] != ' ')
			return false;
	*out = v;
	return digits || !required;
}

int tar_field(const struct tar *t, const uint8_t *f, size_t len, bool required, int64_t max, const char *what,
		      uint64_t *out, struct err *e)
{
	int64_t v;

	if (!tar_number(f, len, required, &v) || v < 0 || v > max)
		return tar_bad(t, e, "bad %s in a header", what);
	*out = (uint64_t)v;
	return 0;
}
/* ---- names ---- */

/*
 * @in without "." components and trailing slash. Everything that different programs might read differently is
 * refused instead. *slash: there was a trailing one (or nothing but "."): only a directory may be called that.
 */
static int normalise(struct tar *t, const char *what, const char *in, char out[TAR_PATH_MAX + 1], bool *slash,
		     struct err *e)
{
	size_t at = 0;

	*slash = false;
	if (!*in)
		return tar_bad(t, e, "empty %s", what);
	if (*in == '/')
		return tar_bad(t, e, "absolute %s \"%.200s\"", what, in);
	for (const char *p = in; *p;) {
		size_t n = strcspn(p, "/");
		if (!n)
			return tar_bad(t, e, "empty component in %s \"%.200s\"", what, in);
		if (n == 2 && p[0] == '.' && p[1] == '.' && DEFENCE("tar-climbs"))
			return tar_bad(t, e, "\"..\" in %s \"%.200s\"", what, in);
		if (n > TAR_NAME_MAX || at + n + 1 > TAR_PATH_MAX)
			return tar_bad(t, e, "%s too long: \"%.200s...\"", what, in);
		*slash = p[n] == '/';
		if (n == 1 && *p == '.') {
			*slash = true;
		} else {
			if (at)
				out[at++] = '/';
			memcpy(out + at, p, n);
			at += n;
		}
		p += n + (p[n] == '/');
	}
	out[at] = 0;
	return 0;
}

static void field_text(const uint8_t *f, size_t len, char *out)
{
	size_t n = strnlen((const char *)f, len);

	memcpy(out, f, n);
	out[n] = 0;
}

/* name and prefix of the header itself, into @out of 257 bytes */
static void header_name(const struct header *h, enum tar_variant v, char *out)
{
	if (v == TAR_USTAR && h->u.prefix[0]) {
		field_text(h->u.prefix, sizeof(h->u.prefix), out);
		out += strlen(out);
		*out++ = '/';
	}
	field_text(h->name, sizeof(h->name), out);
}

/* ---- what a header says ---- */

static const struct pax *says(const struct tar *t, enum pax_key k)
{
	return pax_has(&t->local, k) ? &t->local : pax_has(&t->global, k) ? &t->global : NULL;
}

/* ---- one entry ---- */

static int set_type(struct tar *t, const struct header *h, enum tar_variant v, bool slash, struct err *e)
{
	static const struct {
		char          flag;
		enum tar_type type;
	} types[] = {
		{ '0', TAR_FILE }, { '7', TAR_FILE }, { 'S', TAR_FILE }, { '1', TAR_HARDLINK },
		{ '2', TAR_SYMLINK }, { '3', TAR_CHAR }, { '4', TAR_BLOCK }, { '5', TAR_DIR }, { '6', TAR_FIFO },
	};
	/* V7 marks directories by the slash */
	char flag = (char)(h->type ? h->type : slash && v == TAR_V7 ? '5' : '0');
	size_t i = 0, n = sizeof(types) / sizeof(*types);

	while (i < n && types[i].flag != flag)
		i++;
	if (i == n || (flag == 'S' && v != TAR_GNU)) {
		bool printable = flag > 0x20 && flag < 0x7f;
		return tar_bad(t, e, printable ? "entry of unsupported type '%c'" :
						 "entry of unsupported type 0x%02x", (uint8_t)flag);
	}
	t->entry.type = types[i].type;
	if (slash && t->entry.type != TAR_DIR)
		return tar_bad(t, e, "trailing slash behind \"%.200s\", which is no directory", t->path);
	return 0;
}

static int set_path(struct tar *t, const struct header *h, enum tar_variant v, bool *slash, struct err *e)
{
	char own[sizeof(h->u.prefix) + sizeof(h->name) + 2];
	const char *path = own;

	header_name(h, v, own);
	if (pax_has(&t->local, PAX_PATH) && t->has_name)
		return tar_bad(t, e, "two names for one entry");
	if (t->has_name)
		path = t->long_name;
	if (pax_has(&t->local, PAX_PATH))
		path = t->local.path;
	if (pax_has(&t->local, PAX_SPARSE_NAME))
		path = t->local.sparse_name;
	t->entry.path = t->path;
	return normalise(t, "path", path, t->path, slash, e);
}

static int set_link(struct tar *t, const struct header *h, struct err *e)
{
	char own[sizeof(h->link) + 1];
	const char *link = own;
	bool slash, links = t->entry.type == TAR_HARDLINK || t->entry.type == TAR_SYMLINK;

	field_text(h->link, sizeof(h->link), own);
	if (pax_has(&t->local, PAX_LINKPATH) && t->has_link)
		return tar_bad(t, e, "two link targets for one entry");
	if (t->has_link)
		link = t->long_link;
	if (pax_has(&t->local, PAX_LINKPATH))
		link = t->local.linkpath;
	if (!links)
		return link == own ? 0 : tar_bad(t, e, "link target for \"%.200s\", which is no link", t->path);
	t->entry.link = t->link;
	if (t->entry.type == TAR_HARDLINK) {
		if (normalise(t, "link target", link, t->link, &slash, e) < 0)
			return -1;
		return slash ? tar_bad(t, e, "hard link to a directory: \"%.200s\"", link) : 0;
	}
	size_t n = strlen(link);
	if (!n || n > TAR_PATH_MAX)
		return tar_bad(t, e, "%s target of symlink \"%.200s\"", n ? "too long" : "empty", t->path);
	memcpy(t->link, link, n + 1);
	return 0;
}

static int set_owner(struct tar *t, const struct header *h, struct err *e)
{
	const struct pax *uid = says(t, PAX_UID), *gid = says(t, PAX_GID);
	uint64_t u = 0, g = 0;

	if (uid)
		u = uid->uid;
	else if (TAR_FIELD(t, h->uid, false, UINT32_MAX, "uid", &u, e) < 0)
		return -1;
	if (gid)
		g = gid->gid;
	else if (TAR_FIELD(t, h->gid, false, UINT32_MAX, "gid", &g, e) < 0)
		return -1;
	t->entry.uid = (uint32_t)u;
	t->entry.gid = (uint32_t)g;
	return 0;
}

static int set_mode_and_time(struct tar *t, const struct header *h, struct err *e)
{
	const struct pax *mtime = says(t, PAX_MTIME);
	uint64_t mode = 0;

	/* some writers put the file type there as well */
	if (TAR_FIELD(t, h->mode, true, 0177777, "mode", &mode, e) < 0)
		return -1;
	t->entry.mode = (uint32_t)mode & 07777;
	if (mtime) {
		t->entry.mtime_s = mtime->mtime_s;
		t->entry.mtime_ns = mtime->mtime_ns;
	} else if (!tar_number(h->mtime, sizeof(h->mtime), false, &t->entry.mtime_s)) {
		return tar_bad(t, e, "bad mtime in a header");
	}
	return 0;
}

/* as many bits as Linux has for each */
#define MAJOR_MAX 0xfff
#define MINOR_MAX 0xfffff

static int set_device(struct tar *t, const struct header *h, struct err *e)
{
	uint64_t major = t->local.devmajor, minor = t->local.devminor;

	if (t->entry.type != TAR_CHAR && t->entry.type != TAR_BLOCK)
		return 0;
	if (!pax_has(&t->local, PAX_DEVMAJOR) &&
	    TAR_FIELD(t, h->devmajor, true, MAJOR_MAX, "device number", &major, e) < 0)
		return -1;
	if (!pax_has(&t->local, PAX_DEVMINOR) &&
	    TAR_FIELD(t, h->devminor, true, MINOR_MAX, "device number", &minor, e) < 0)
		return -1;
	if (major > MAJOR_MAX || minor > MINOR_MAX)
		return tar_bad(t, e, "bad device number of \"%.200s\"", t->path);
	t->entry.rdev_major = (uint32_t)major;
	t->entry.rdev_minor = (uint32_t)minor;
	return 0;
}

/* ---- extended attributes ---- */

static const char *const acl_names[2] = { "system.posix_acl_access", "system.posix_acl_default" };

/* already in the kernel's form? */
static const struct tar_xattr *find_xattr(const struct tar *t, const char *name)
{
	for (size_t i = 0; i < t->entry.n_xattrs; i++)
		if (!strcmp(t->xattrs[i].name, name))
			return &t->xattrs[i];
	return NULL;
}

/* GNU tar writes an ACL twice when asked for ACLs and attributes: then both have to say the same */
static int keep_acl(struct tar *t, const struct acl *a, bool access, struct err *e)
{
	char *name = (char *)(uintptr_t)acl_names[!access]; /* never written to; other names lie in a buffer */
	size_t len = acl_xattr_len(a);
	uint8_t *value = malloc(len);

	if (!value)
		return err_set(e, ENOMEM, "out of memory");
	acl_to_xattr(a, value);
	const struct tar_xattr *twin = find_xattr(t, name);
	if (twin) {
		bool same = twin->len == len && !memcmp(twin->value, value, len);
		free(value);
		return same ? 0 : tar_bad(t, e, "two ACLs on \"%.200s\"", t->path);
	}
	free(t->acls[!access]);
	t->acls[!access] = value;
	t->xattrs[t->entry.n_xattrs++] = (struct tar_xattr){ name, value, len };
	return 0;
}

/* an ACL from either place; one that only repeats the mode is none */
static int add_acl(struct tar *t, struct acl *a, bool access, struct err *e)
{
	struct tar_entry *en = &t->entry;

	if (!a->n)
		return 0;
	if (en->type == TAR_SYMLINK || (!access && en->type != TAR_DIR))
		return tar_bad(t, e, "ACL on \"%.200s\", which cannot have one", t->path);
	if (acl_finish(a, access && en->type != TAR_HARDLINK ? &en->mode : NULL, e) < 0) {
		err_wrap(e, "\"%.200s\"", t->path);
		return tar_at(t, e);
	}
	return access && acl_is_mode(a) ? 0 : keep_acl(t, a, access, e);
}

static int add_text_acl(struct tar *t, const char *text, bool access, struct err *e)
{
	struct acl a = { 0 };
	int r = !text ? 0 : acl_from_text(&a, text, e);

	if (r < 0 && e->code == ESRCH && find_xattr(t, acl_names[!access]))
		r = 0; /* only names, but the kernel's form is there, which has the numbers */
	else
		r = r < 0 ? tar_at(t, e) : add_acl(t, &a, access, e);
	acl_free(&a);
	return r;
}

static int add_xattr(struct tar *t, const struct tar_xattr *x, struct err *e)
{
	bool access = !strcmp(x->name, acl_names[0]);
	struct acl a = { 0 };

	if (!access && strcmp(x->name, acl_names[1]) != 0) {
		t->xattrs[t->entry.n_xattrs++] = *x;
		return 0;
	}
	int r = acl_from_xattr(&a, x->value, x->len, e) < 0 ? tar_at(t, e) : add_acl(t, &a, access, e);
	acl_free(&a);
	return r;
}

static int set_xattrs(struct tar *t, struct err *e)
{
	const struct pax *x = &t->local;
	size_t max = x->n_xattrs + 2;

	if (!x->n_xattrs && !x->acl_access && !x->acl_default)
		return 0;
	struct tar_xattr *v = realloc(t->xattrs, max * sizeof(*v));
	if (!v)
		return err_set(e, ENOMEM, "out of memory");
	t->xattrs = t->entry.xattrs = v;
	for (size_t i = 0; i < x->n_xattrs; i++)
		if (add_xattr(t, &x->xattrs[i], e) < 0)
			return -1;
	return add_text_acl(t, x->acl_access, true, e) < 0 ? -1 : add_text_acl(t, x->acl_default, false, e);
}

/* ---- size, data and holes ---- */

static int pax_map_1_0(struct tar *t, struct err *e)
{
	struct map_reader m = { 0 };
	const uint8_t *block;

	for (;;) {
		if (t->entry.data_size < TAR_BLOCK_SIZE)
			return tar_bad(t, e, "malformed sparse map");
		int r = tar_block(t, &block, e);
		if (r <= 0)
			return r < 0 ? -1 : tar_truncated(t, e);
		t->entry.data_size -= TAR_BLOCK_SIZE;
		r = map_reader_feed(&m, block, &t->segments, e);
		if (r != 0)
			return r < 0 ? tar_at(t, e) : 0;
	}
}

/* up to n segments, 12 bytes for offset and 12 for length each; an unused one is all NUL */
static int gnu_segments(struct tar *t, const uint8_t *p, size_t n, struct err *e)
{
	for (; n; n--, p += 24) {
		uint64_t offset = 0, len = 0;
		if (tar_all_zero(p, 24))
			continue;
		if (tar_field(t, p, 12, true, INT64_MAX, "sparse map", &offset, e) < 0 ||
		    tar_field(t, p + 12, 12, true, INT64_MAX, "sparse map", &len, e) < 0)
			return -1;
		if (segments_add(&t->segments, offset, len, e) < 0)
			return tar_at(t, e);
	}
	return 0;
}

/* what the header of type 'S' has no room for follows in blocks of 21 segments and a flag each */
static int gnu_map(struct tar *t, const struct header *h, struct err *e)
{
	bool more = h->u.gnu.extended;

	if (TAR_FIELD(t, h->u.gnu.real_size, true, INT64_MAX, "file size", &t->entry.size, e) < 0 ||
	    gnu_segments(t, h->u.gnu.sparse, 4, e) < 0)
		return -1;
	while (more) {
		const uint8_t *block;
		int r = tar_block(t, &block, e);
		if (r <= 0)
			return r < 0 ? -1 : tar_truncated(t, e);
		if (gnu_segments(t, block, 21, e) < 0)
			return -1;
		more = block[21 * 24];
	}
	return 0;
}

static int pax_map(struct tar *t, struct err *e)
{
	struct pax *x = &t->local;
	bool by_keys = pax_has(x, PAX_SPARSE_NUMBYTES), by_text = pax_has(x, PAX_SPARSE_MAP);
	bool major_1 = pax_has(x, PAX_SPARSE_MAJOR) || pax_has(x, PAX_SPARSE_MINOR);

	if (by_keys + by_text + major_1 > 1)
		return tar_bad(t, e, "several sparse maps for one file");
	if (!pax_has(x, major_1 ? PAX_SPARSE_REALSIZE : PAX_SPARSE_SIZE))
		return tar_bad(t, e, "sparse file without its size");
	t->entry.size = major_1 ? x->sparse_realsize : x->sparse_size;
	if (major_1) {
		if (x->sparse_major != 1 || x->sparse_minor != 0)
			return tar_bad(t, e, "unknown sparse format %llu.%llu",
				       (unsigned long long)x->sparse_major, (unsigned long long)x->sparse_minor);
		return pax_map_1_0(t, e);
	}
	if (by_text && segments_from_text(&t->segments, x->sparse_map, e) < 0)
		return tar_at(t, e);
	for (size_t i = 0; by_keys && i < x->segments.n; i++)
		if (segments_add(&t->segments, x->segments.v[i].offset, x->segments.v[i].len, e) < 0)
			return tar_at(t, e);
	if (pax_has(x, PAX_SPARSE_NUMBLOCKS) && x->sparse_numblocks != t->segments.n)
		return tar_bad(t, e, "sparse map whose length is not the one given");
	return 0;
}

#define SPARSE_KEYS (1u << PAX_SPARSE_MAJOR | 1u << PAX_SPARSE_MINOR | 1u << PAX_SPARSE_NAME | \
	1u << PAX_SPARSE_SIZE | 1u << PAX_SPARSE_REALSIZE | 1u << PAX_SPARSE_MAP | 1u << PAX_SPARSE_NUMBYTES | \
	1u << PAX_SPARSE_NUMBLOCKS)

static int set_sparse(struct tar *t, const struct header *h, struct err *e)
{
	bool gnu = h->type == 'S', pax = t->local.has & SPARSE_KEYS;

	if (!gnu && !pax)
		return 0;
	if (t->entry.type != TAR_FILE || (gnu && pax))
		return tar_bad(t, e, "misplaced sparse map of \"%.200s\"", t->path);
	t->entry.sparse = true;
	if ((gnu ? gnu_map(t, h, e) : pax_map(t, e)) < 0)
		return -1;
	if (segments_finish(&t->segments, t->entry.size, t->entry.data_size, e) < 0)
		return tar_at(t, e);
	t->entry.segments = t->segments.v;
	t->entry.n_segments = t->segments.n;
	return 0;
}

static int set_data(struct tar *t, const struct header *h, uint64_t size, struct err *e)
{
	struct tar_entry *en = &t->entry;

	if (size && en->type != TAR_FILE)
		return tar_bad(t, e, "data behind \"%.200s\", which is no file", t->path);
	if (size > INT64_MAX - t->offset - TAR_BLOCK_SIZE)
		return tar_bad(t, e, "file beyond all bounds");
	en->size = en->data_size = size;
	if (set_sparse(t, h, e) < 0)
		return -1;
	en->data_offset = t->offset;
	t->data_left = en->data_size;
	t->padding = tar_padding(en->data_size);
	return 0;
}

int tar_entry_set(struct tar *t, const struct header *h, enum tar_variant v, uint64_t size, struct err *e)
{
	bool slash = false;

	if (set_path(t, h, v, &slash, e) < 0 || set_type(t, h, v, slash, e) < 0 || set_link(t, h, e) < 0 ||
	    set_mode_and_time(t, h, e) < 0 || set_owner(t, h, e) < 0 || set_device(t, h, e) < 0 ||
	    set_xattrs(t, e) < 0)
		return -1;
	/* last: it may read on, and then h, which is lent, is no more */
	return set_data(t, h, pax_has(&t->local, PAX_SIZE) ? t->local.size : size, e);
}
