/* SPDX-License-Identifier: Apache-2.0
 * btf - see btf.h
 *
 * Source: Documentation/bpf/btf.rst of Linux.
 */
#include "core/host/btf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <linux/btf.h>

#include "core/base/fd.h"

#define BTF_FILE "/sys/kernel/btf/vmlinux"
#define BTF_MAX  (64 << 20)

struct text { const char *at; uint32_t len; };

/* behind a type stand as many bytes; those of kinds that are newer than this program are not known */
static int64_t behind(uint32_t kind, uint32_t n)
{
	switch (kind) {
	case 1 /* INT */: case 14 /* VAR */: case 17 /* DECL_TAG */:
		return 4;
	case 3 /* ARRAY */:
		return sizeof(struct btf_array);
	case BTF_KIND_STRUCT: case BTF_KIND_UNION: case 15 /* DATASEC */: case 19 /* ENUM64 */:
		return (int64_t)n * 12;
	case 6 /* ENUM */: case 13 /* FUNC_PROTO */:
		return (int64_t)n * 8;
	case 2: case 7: case 8: case 9: case 10: case 11: case 12: case 16: case 18:
		return 0; /* pointers, names, qualifiers, functions */
	default:
		return -1;
	}
}

/* both texts end with a NUL, the kernel's all */
static bool is(const struct text *s, uint32_t off, const char *name)
{
	return off < s->len && !strcmp(s->at + off, name);
}

static void look_into(const struct btf_type *t, const struct text *s, struct btf_place *v, size_t n)
{
	const struct btf_member *m = (const void *)(t + 1);
	/* with bit fields in it the upper byte is a length in bits */
	uint32_t mask = t->info >> 31 ? 0xffffff : ~0U;

	for (size_t i = 0; i < n; i++)
		for (uint32_t j = 0; is(s, t->name_off, v[i].type) && j < BTF_INFO_VLEN(t->info); j++)
			if (is(s, m[j].name_off, v[i].name))
				v[i].offset = (m[j].offset & mask) / 8;
}

static int walk(const char *types, uint32_t len, const struct text *s, struct btf_place *v, size_t n, struct err *e)
{
	for (uint32_t at = 0; at + sizeof(struct btf_type) <= len;) {
		const struct btf_type *t = (const void *)(types + at);
		uint32_t kind = BTF_INFO_KIND(t->info);
		int64_t more = behind(kind, BTF_INFO_VLEN(t->info));
		if (more < 0 || (uint64_t)more > len - at - sizeof(*t))
			return err_set(e, EINVAL, BTF_FILE ": a kind of types that is not known (%u)", kind);
		if (kind == BTF_KIND_STRUCT)
			look_into(t, s, v, n);
		at += (uint32_t)sizeof(*t) + (uint32_t)more;
	}
	for (size_t i = 0; i < n; i++)
		if (v[i].offset == UINT32_MAX)
			return err_set(e, ENOENT, "this kernel has no %s.%s", v[i].type, v[i].name);
	return 0;
}

int btf_find(struct btf_place *v, size_t n, struct err *e)
{
	auto_free char *file = NULL;
	size_t size;

	for (size_t i = 0; i < n; i++)
		v[i].offset = UINT32_MAX;
	if (fd_read_file(AT_FDCWD, BTF_FILE, BTF_MAX, &file, &size, e) < 0)
		return err_wrap(e, BTF_FILE);
	const struct btf_header *h = (const void *)file;
	if (size < sizeof(*h) || h->magic != BTF_MAGIC || h->hdr_len > size || h->type_off > size - h->hdr_len ||
	    h->type_len > size - h->hdr_len - h->type_off || h->str_off > size - h->hdr_len ||
	    h->str_len > size - h->hdr_len - h->str_off || h->type_off % 4 || h->hdr_len % 4)
		return err_set(e, EINVAL, BTF_FILE ": not in a form that is known");
	const struct text s = { file + h->hdr_len + h->str_off, h->str_len };
	if (!s.len || s.at[s.len - 1])
		return err_set(e, EINVAL, BTF_FILE ": not in a form that is known");
	return walk(file + h->hdr_len + h->type_off, h->type_len, &s, v, n, e);
}
