/* SPDX-License-Identifier: Apache-2.0
 * acl - POSIX.1e ACLs from the text that tar archives carry to the form that the kernel keeps in xattrs
 *
 * Names are never looked up: whose passwd would that be? Numbers come as a fourth field (star, libarchive) or
 * in place of the name (GNU tar, for those that have no name where it runs).
 * Source: acl(5), "Long text form"; linux/posix_acl_xattr.h.
 */
#include "core/archive/tar_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/num.h"

#define VERSION    2
#define ENTRIES_MAX ((TAR_XATTR_MAX - 4) / 8)

void acl_free(struct acl *a)
{
	free(a->v);
	*a = (struct acl){ 0 };
}

static int add(struct acl *a, uint16_t tag, uint16_t perm, uint32_t id, struct err *e)
{
	if (a->n == ENTRIES_MAX)
		return err_set(e, EFBIG, "ACL of more than %u entries", ENTRIES_MAX);
	if (a->n == a->cap) {
		size_t cap = a->cap ? a->cap * 2 : 8;
		struct acl_entry *v = realloc(a->v, cap * sizeof(*v));
		if (!v)
			return err_set(e, ENOMEM, "out of memory");
		a->v = v;
		a->cap = cap;
	}
	a->v[a->n++] = (struct acl_entry){ tag, perm, id };
	return 0;
}

/* ---- text ---- */

struct field {
	const char *p;
	size_t      len;
};

static bool field_is(struct field f, const char *word)
{
	return (f.len == 1 || f.len == strlen(word)) && !memcmp(f.p, word, f.len);
}

static uint16_t tag_of(struct field kind, bool named)
{
	if (field_is(kind, "user"))
		return named ? ACL_USER : ACL_USER_OBJ;
	if (field_is(kind, "group"))
		return named ? ACL_GROUP : ACL_GROUP_OBJ;
	return field_is(kind, "mask") && !named ? ACL_MASK : field_is(kind, "other") && !named ? ACL_OTHER : 0;
}

static bool read_perm(struct field f, uint16_t *perm)
{
	*perm = 0;
	for (size_t i = 0; i < f.len; i++) {
		uint16_t bit = f.p[i] == 'r' ? 4 : f.p[i] == 'w' ? 2 : f.p[i] == 'x' ? 1 : 0;
		if ((!bit && f.p[i] != '-') || (*perm & bit))
			return false;
		*perm |= bit;
	}
	return f.len > 0 && f.len <= 3;
}

static int read_id(struct field f, uint32_t *id, struct err *e)
{
	char digits[16] = "";

	if (f.len < sizeof(digits))
		memcpy(digits, f.p, f.len);
	if (num_id(digits, id, e) == 0)
		return 0;
	return err_set(e, ESRCH,
		       "ACL for \"%.*s\" gives no number (GNU tar writes names; actool build and bsdtar write both)",
		       (int)(f.len > 64 ? 64 : f.len), f.p);
}

/* kind:[name]:perm[:id], or kind:perm for mask and other */
static int add_line(struct acl *a, const char *p, size_t len, struct err *e)
{
	struct field f[4] = { { p, 0 } };
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		if (p[i] != ':') {
			f[n].len++;
			continue;
		}
		if (++n == 4)
			return err_set(e, EBADMSG, "malformed ACL");
		f[n].p = p + i + 1;
	}
	if (n == 1) { /* no name, and no colon for it */
		f[2] = f[1];
		f[1].len = 0;
	}
	uint16_t tag = n ? tag_of(f[0], f[1].len > 0) : 0, perm;
	uint32_t id = ACL_NO_ID;
	if (!tag || !read_perm(f[2], &perm))
		return err_set(e, EBADMSG, "malformed ACL");
	if ((tag == ACL_USER || tag == ACL_GROUP) && read_id(f[3].len ? f[3] : f[1], &id, e) < 0)
		return -1;
	return add(a, tag, perm, id, e);
}

int acl_from_text(struct acl *a, const char *text, struct err *e)
{
	const char *p = text;

	while (*p) {
		p += strspn(p, " \t");
		size_t len = strcspn(p, ",\n#"), used = len;
		while (used && (p[used - 1] == ' ' || p[used - 1] == '\t'))
			used--;
		if (used && add_line(a, p, used, e) < 0)
			return -1;
		p += len;
		if (*p == '#')
			p += strcspn(p, "\n");
		p += *p != 0;
	}
	return 0;
}

/* ---- the kernel's form: little endian, version, then tag, permissions and id of each entry ---- */

static uint32_t get(const uint8_t *p, size_t n)
{
	uint32_t v = 0;

	while (n--)
		v = v << 8 | p[n];
	return v;
}

static uint8_t *put(uint8_t *p, size_t n, uint32_t v)
{
	for (; n; n--, v >>= 8)
		*p++ = (uint8_t)v;
	return p;
}

int acl_from_xattr(struct acl *a, const uint8_t *p, size_t len, struct err *e)
{
	if (len < 4 || len % 8 != 4 || get(p, 4) != VERSION)
		return err_set(e, EBADMSG, "malformed ACL");
	for (p += 4, len -= 4; len; p += 8, len -= 8) {
		uint16_t tag = (uint16_t)get(p, 2), perm = (uint16_t)get(p + 2, 2);
		uint32_t id = get(p + 4, 4);
		bool named = tag == ACL_USER || tag == ACL_GROUP;
		bool known = named || tag == ACL_USER_OBJ || tag == ACL_GROUP_OBJ || tag == ACL_MASK ||
			     tag == ACL_OTHER;
		if (!known || perm > 7 || (named && id == ACL_NO_ID))
			return err_set(e, EBADMSG, "malformed ACL");
		if (add(a, tag, perm, named ? id : ACL_NO_ID, e) < 0)
			return -1;
	}
	return 0;
}

size_t acl_xattr_len(const struct acl *a)
{
	return 4 + 8 * a->n;
}

void acl_to_xattr(const struct acl *a, uint8_t *out)
{
	out = put(out, 4, VERSION);
	for (size_t i = 0; i < a->n; i++) {
		out = put(out, 2, a->v[i].tag);
		out = put(out, 2, a->v[i].perm);
		out = put(out, 4, a->v[i].id);
	}
}

/* ---- what makes it an ACL ---- */

static int by_tag_and_id(const void *x, const void *y)
{
	const struct acl_entry *a = x, *b = y;

	if (a->tag != b->tag)
		return a->tag < b->tag ? -1 : 1;
	return a->id < b->id ? -1 : a->id > b->id;
}

static const struct acl_entry *entry_of(const struct acl *a, uint16_t tag)
{
	for (size_t i = 0; i < a->n; i++)
		if (a->v[i].tag == tag)
			return &a->v[i];
	return NULL;
}

bool acl_is_mode(const struct acl *a)
{
	return a->n == 3;
}

/* Two modes for one file: which would be meant? (acl(5), "Correspondence between ACL entries ...") */
static int agree_with_mode(const struct acl *a, uint32_t *mode, struct err *e)
{
	const struct acl_entry *group = entry_of(a, ACL_GROUP_OBJ), *mask = entry_of(a, ACL_MASK);
	uint32_t bits = (uint32_t)entry_of(a, ACL_USER_OBJ)->perm << 6 | entry_of(a, ACL_OTHER)->perm;
	uint32_t real = bits | (uint32_t)(mask ? mask : group)->perm << 3, is = *mode & 0777;

	if (is != real && is != (bits | (uint32_t)group->perm << 3))
		return err_set(e, EBADMSG, "ACL says %03o, the mode %03o", real, is);
	*mode = (*mode & ~0777u) | real;
	return 0;
}

int acl_finish(struct acl *a, uint32_t *mode, struct err *e)
{
	if (a->n)
		qsort(a->v, a->n, sizeof(*a->v), by_tag_and_id);
	for (size_t i = 1; i < a->n; i++)
		if (!by_tag_and_id(&a->v[i - 1], &a->v[i]))
			return err_set(e, EBADMSG, "ACL with two entries for the same");
	if (!entry_of(a, ACL_USER_OBJ) || !entry_of(a, ACL_GROUP_OBJ) || !entry_of(a, ACL_OTHER) ||
	    (a->n > 3 && !entry_of(a, ACL_MASK)))
		return err_set(e, EBADMSG, "ACL without user, group, other or mask");
	return mode ? agree_with_mode(a, mode, e) : 0;
}
