/* SPDX-License-Identifier: Apache-2.0
 * pax - extended headers: records of "LENGTH KEY=VALUE\n"
 *
 * A key that comes twice is an error: readers differ in which one counts. Keys that nobody here knows are
 * left alone, as POSIX wants; the owner's name, which only a passwd file could explain, is among them.
 * Source: POSIX.1-2017, pax, "pax Extended Header"; GNU tar manual, "Sparse Formats"; star(4) for SCHILY.*.
 */
#include "core/archive/tar_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/fd.h"
#include "core/base/num.h"

#define RECORDS_MAX  16384   /* in one header */
#define XATTR_NAME   "SCHILY.xattr."
#define XATTR_LEN    (sizeof(XATTR_NAME) - 1)
#define NAMES_MAX    65536u  /* all names of one file's xattrs; XATTR_LIST_MAX */

static const struct key {
	const char  *name;
	enum pax_key key;
	bool         global; /* may be meant for all entries that follow */
} keys[] = {
	{ "path", PAX_PATH, false },
	{ "linkpath", PAX_LINKPATH, false },
	{ "size", PAX_SIZE, false },
	{ "uid", PAX_UID, true },
	{ "gid", PAX_GID, true },
	{ "mtime", PAX_MTIME, true },
	{ "atime", PAX_ATIME, true }, /* from here to gname: they are only looked at */
	{ "ctime", PAX_CTIME, true },
	{ "uname", PAX_UNAME, true },
	{ "gname", PAX_GNAME, true },
	{ "hdrcharset", PAX_CHARSET, true },
	{ "SCHILY.devmajor", PAX_DEVMAJOR, false },
	{ "SCHILY.devminor", PAX_DEVMINOR, false },
	{ "SCHILY.acl.access", PAX_ACL_ACCESS, false },
	{ "SCHILY.acl.default", PAX_ACL_DEFAULT, false },
	{ "GNU.sparse.major", PAX_SPARSE_MAJOR, false },
	{ "GNU.sparse.minor", PAX_SPARSE_MINOR, false },
	{ "GNU.sparse.name", PAX_SPARSE_NAME, false },
	{ "GNU.sparse.size", PAX_SPARSE_SIZE, false },
	{ "GNU.sparse.realsize", PAX_SPARSE_REALSIZE, false },
	{ "GNU.sparse.map", PAX_SPARSE_MAP, false },
	{ "GNU.sparse.offset", PAX_SPARSE_OFFSET, false },
	{ "GNU.sparse.numbytes", PAX_SPARSE_NUMBYTES, false },
	{ "GNU.sparse.numblocks", PAX_SPARSE_NUMBLOCKS, false },
};

struct record {
	char  *key, *value; /* NUL-terminated in place */
	size_t value_len;
};

int pax_room(struct pax *x, size_t len, struct err *e)
{
	if (len < x->cap)
		return 0;
	char *p = realloc(x->text, len + 1);
	if (!p)
		return err_set(e, ENOMEM, "out of memory");
	x->text = p;
	x->cap = len + 1;
	return 0;
}

void pax_reset(struct pax *x)
{
	*x = (struct pax){
		.text = x->text, .cap = x->cap, .segments = { .v = x->segments.v, .cap = x->segments.cap },
		.xattrs = x->xattrs, .cap_xattrs = x->cap_xattrs,
	};
}

void pax_free(struct pax *x)
{
	free(x->text);
	segments_free(&x->segments);
	free(x->xattrs);
	*x = (struct pax){ 0 };
}

/* cuts the record at *p into strings and moves *p behind it */
static int cut_record(char **p, size_t *left, struct record *r, struct err *e)
{
	char *s = *p;
	size_t len = 0, i = 0;

	while (i < *left && i < 8 && s[i] >= '0' && s[i] <= '9')
		len = len * 10 + (size_t)(s[i++] - '0');
	if (!i || *s == '0' || i >= *left || s[i] != ' ' || len > *left || len < i + 3 || s[len - 1] != '\n')
		return err_set(e, EBADMSG, "malformed record in an extended header");
	r->key = s + i + 1;
	char *eq = memchr(r->key, '=', len - i - 2);
	if (!eq || eq == r->key || memchr(r->key, 0, (size_t)(eq - r->key)))
		return err_set(e, EBADMSG, "malformed record in an extended header");
	r->value = eq + 1;
	r->value_len = (size_t)(s + len - 1 - r->value);
	*eq = 0;
	s[len - 1] = 0;
	*p += len;
	*left -= len;
	return 0;
}

/* [-]digits[.digits], to whole nanoseconds; digits beyond those are cut off */
static int read_time(const char *s, int64_t *sec, uint32_t *ns)
{
	bool negative = *s == '-';
	char digits[20];
	uint64_t v;
	struct err ignored;

	s += negative;
	size_t n = strcspn(s, ".");
	if (n >= sizeof(digits))
		return -1;
	memcpy(digits, s, n);
	digits[n] = 0;
	if (num_u64(digits, INT64_MAX / 4, &v, &ignored) < 0)
		return -1;
	s += n;
	*ns = 0;
	if (*s == '.') {
		size_t fraction = strspn(++s, "0123456789");
		if (s[fraction])
			return -1;
		for (size_t i = 0; i < 9; i++)
			*ns = *ns * 10 + (i < fraction ? (uint32_t)(s[i] - '0') : 0);
	}
	*sec = negative ? -(int64_t)v : (int64_t)v;
	if (negative && *ns) { /* -1.25 is a quarter before -1: three quarters after -2 */
		*sec -= 1;
		*ns = 1000000000 - *ns;
	}
	return 0;
}

/* names are written with '%' and '=' (GNU tar) or all unusual characters (libarchive) as %XX */
static bool decode_name(char *name)
{
	static const char hex[] = "0123456789abcdef0123456789ABCDEF";
	char *out = name;

	for (const char *p = name; *p; p++) {
		const char *hi = *p == '%' && p[1] ? strchr(hex, p[1]) : NULL;
		const char *lo = hi && p[2] ? strchr(hex, p[2]) : NULL;
		*out = *p;
		if (lo) {
			*out = (char)((hi - hex) % 16 << 4 | (lo - hex) % 16);
			p += 2;
		}
		if (!*out++)
			return false;
	}
	*out = 0;
	return true;
}

static int add_xattr(struct pax *x, const struct record *r, struct err *e)
{
	char *name = r->key + XATTR_LEN;

	if (!decode_name(name) || !*name || strlen(name) > TAR_NAME_MAX)
		return err_set(e, EBADMSG, "malformed name of an extended attribute");
	if (r->value_len > TAR_XATTR_MAX)
		return err_set(e, EFBIG, "extended attribute of %zu bytes, %u are allowed", r->value_len,
			       TAR_XATTR_MAX);
	if (x->n_xattrs == x->cap_xattrs) {
		size_t cap = x->cap_xattrs ? x->cap_xattrs * 2 : 8;
		struct tar_xattr *v = realloc(x->xattrs, cap * sizeof(*v));
		if (!v)
			return err_set(e, ENOMEM, "out of memory");
		x->xattrs = v;
		x->cap_xattrs = cap;
	}
	x->xattrs[x->n_xattrs++] = (struct tar_xattr){ name, (uint8_t *)r->value, r->value_len };
	x->has |= 1u << PAX_XATTR;
	return 0;
}

static int bad_value(const struct record *r, struct err *e)
{
	return err_set(e, EBADMSG, "bad value of %s in an extended header: \"%.40s\"", r->key, r->value);
}

static int set_number(uint64_t *field, uint64_t max, const struct record *r, struct err *e)
{
	return num_u64(r->value, max, field, e) < 0 ? bad_value(r, e) : 0;
}

static int set_text(const char **field, const struct record *r)
{
	*field = r->value;
	return 0;
}

/* GNU.sparse 0.0 is the one case of keys that repeat: offset, numbytes, offset, numbytes ... */
static int set_sparse_pair(struct pax *x, enum pax_key k, const struct record *r, struct err *e)
{
	uint64_t v;
	bool want_len = pax_has(x, PAX_SPARSE_OFFSET);

	if (set_number(&v, INT64_MAX, r, e) < 0)
		return -1;
	if (want_len != (k == PAX_SPARSE_NUMBYTES))
		return err_set(e, EBADMSG, "malformed sparse map");
	x->has |= 1u << PAX_SPARSE_NUMBYTES;
	x->has ^= 1u << PAX_SPARSE_OFFSET; /* there: one that waits for its length */
	if (!want_len) {
		x->sparse_offset = v;
		return 0;
	}
	return segments_add(&x->segments, x->sparse_offset, v, e);
}

/* keys for which a value may be empty */
#define MAY_BE_EMPTY (1u << PAX_ACL_ACCESS | 1u << PAX_ACL_DEFAULT | 1u << PAX_UNAME | 1u << PAX_GNAME)

static int set(struct pax *x, enum pax_key k, const struct record *r, struct err *e)
{
	uint32_t ns;
	int64_t s;

	if (!r->value_len && !(MAY_BE_EMPTY >> k & 1))
		return bad_value(r, e);
	if (k == PAX_SPARSE_OFFSET || k == PAX_SPARSE_NUMBYTES)
		return set_sparse_pair(x, k, r, e);
	x->has |= 1u << k;
	switch (k) {
	case PAX_PATH:
		return set_text(&x->path, r);
	case PAX_LINKPATH:
		return set_text(&x->linkpath, r);
	case PAX_SPARSE_NAME:
		return set_text(&x->sparse_name, r);
	case PAX_SPARSE_MAP:
		return set_text(&x->sparse_map, r);
	case PAX_ACL_ACCESS:
		return set_text(&x->acl_access, r);
	case PAX_ACL_DEFAULT:
		return set_text(&x->acl_default, r);
	case PAX_SIZE:
		return set_number(&x->size, INT64_MAX, r, e);
	case PAX_UID:
		return set_number(&x->uid, UINT32_MAX, r, e);
	case PAX_GID:
		return set_number(&x->gid, UINT32_MAX, r, e);
	case PAX_DEVMAJOR:
		return set_number(&x->devmajor, UINT32_MAX, r, e);
	case PAX_DEVMINOR:
		return set_number(&x->devminor, UINT32_MAX, r, e);
	case PAX_SPARSE_MAJOR:
		return set_number(&x->sparse_major, UINT32_MAX, r, e);
	case PAX_SPARSE_MINOR:
		return set_number(&x->sparse_minor, UINT32_MAX, r, e);
	case PAX_SPARSE_SIZE:
		return set_number(&x->sparse_size, INT64_MAX, r, e);
	case PAX_SPARSE_REALSIZE:
		return set_number(&x->sparse_realsize, INT64_MAX, r, e);
	case PAX_SPARSE_NUMBLOCKS:
		return set_number(&x->sparse_numblocks, TAR_SPARSE_MAX, r, e);
	case PAX_MTIME:
		return read_time(r->value, &x->mtime_s, &x->mtime_ns) < 0 ? bad_value(r, e) : 0;
	case PAX_ATIME:
	case PAX_CTIME:
		return read_time(r->value, &s, &ns) < 0 ? bad_value(r, e) : 0;
	case PAX_CHARSET: /* names are bytes here, so both are the same; others would need conversion */
		return strcmp(r->value, "BINARY") && strcmp(r->value, "ISO-IR 10646 2000 UTF-8") ?
			bad_value(r, e) : 0;
	default:
		return 0;
	}
}

static const struct key *find_key(const char *name)
{
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (!strcmp(keys[i].name, name))
			return &keys[i];
	return NULL;
}

static int take_record(struct pax *x, struct record *r, bool global, struct err *e)
{
	bool xattr = !strncmp(r->key, XATTR_NAME, XATTR_LEN);
	const struct key *k = find_key(r->key);

	if (!k && !xattr)
		return 0;
	if (global && (xattr || !k->global))
		return err_set(e, EBADMSG, "%s in a global header cannot be meant for all entries", r->key);
	if (xattr)
		return add_xattr(x, r, e);
	if (memchr(r->value, 0, r->value_len))
		return err_set(e, EBADMSG, "NUL in the value of %s in an extended header", r->key);
	return set(x, k->key, r, e);
}

static bool may_repeat(const char *key)
{
	return !strcmp(key, "comment") || !strcmp(key, "GNU.sparse.offset") ||
	       !strcmp(key, "GNU.sparse.numbytes");
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int check_twice(char **names, size_t n, struct err *e)
{
	if (n)
		qsort(names, n, sizeof(*names), by_text);
	for (size_t i = 1; i < n; i++)
		if (!strcmp(names[i - 1], names[i]))
			return err_set(e, EBADMSG, "%.100s stands twice in an extended header", names[i]);
	return 0;
}

static int check_xattr_names(const struct pax *x, struct err *e)
{
	size_t total = 0;

	for (size_t i = 0; i < x->n_xattrs; i++)
		total += strlen(x->xattrs[i].name) + 1;
	return total > NAMES_MAX ? err_set(e, EFBIG, "too many extended attributes for one file") : 0;
}

int pax_parse(struct pax *x, size_t len, bool global, struct err *e)
{
	char *p = x->text;
	size_t n = 0;
	/* no record is shorter than 5 bytes */
	size_t max = len / 5 < RECORDS_MAX ? len / 5 : RECORDS_MAX;
	auto_free char **names = malloc((max + 1) * sizeof(*names));

	if (!names)
		return err_set(e, ENOMEM, "out of memory");
	p[len] = 0;
	while (len) {
		struct record r = { 0 };
		if (cut_record(&p, &len, &r, e) < 0)
			return -1;
		if (n == max)
			return err_set(e, EFBIG, "extended header of more than %u records", RECORDS_MAX);
		if (!may_repeat(r.key))
			names[n++] = r.key;
		/* decodes the name of an xattr in place, so that what is compared below is what is meant */
		if (take_record(x, &r, global, e) < 0)
			return -1;
	}
	if (pax_has(x, PAX_SPARSE_OFFSET))
		return err_set(e, EBADMSG, "malformed sparse map");
	return check_twice(names, n, e) < 0 ? -1 : check_xattr_names(x, e);
}
