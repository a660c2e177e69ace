/* SPDX-License-Identifier: Apache-2.0
 * fuzz tar - the tar reader on any bytes, handed out in pieces of any size
 *
 * What it lets through must hold what tar.h promises: trap otherwise.
 */
#include <stdint.h>
#include <string.h>

#include "testsuite/unit/archive_kit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(bool good)
{
	if (!good)
		__builtin_trap();
}

static void check_path(const char *p)
{
	must(strlen(p) <= TAR_PATH_MAX);
	while (*p) {
		size_t n = strcspn(p, "/");
		must(n > 0 && n <= TAR_NAME_MAX && strncmp(p, ".", n < 1 ? 1 : n) != 0);
		must(n != 2 || memcmp(p, "..", 2) != 0);
		must(!p[n] || p[n + 1]);
		p += n + (p[n] == '/');
	}
}

static void check_entry(const struct tar_entry *en)
{
	uint64_t end = 0, at = 0;

	check_path(en->path);
	must((en->type == TAR_HARDLINK || en->type == TAR_SYMLINK) == (en->link != NULL));
	if (en->type == TAR_HARDLINK)
		check_path(en->link);
	must(en->mode <= 07777 && en->uid != UINT32_MAX && en->gid != UINT32_MAX && en->mtime_ns < 1000000000);
	must(en->type == TAR_FILE || (!en->size && !en->data_size));
	must(en->sparse || en->size == en->data_size);
	must(en->header_offset % 512 == 0 && en->data_offset % 512 == 0 && en->data_offset > en->header_offset);
	for (size_t i = 0; i < en->n_segments; i++) {
		const struct tar_segment *s = &en->segments[i];
		must(s->offset >= end && s->len && s->len <= en->size && s->offset <= en->size - s->len);
		end = s->offset + s->len;
		at += s->len;
	}
	must(!en->sparse || at == en->data_size);
	for (size_t i = 0; i < en->n_xattrs; i++)
		must(*en->xattrs[i].name && en->xattrs[i].len <= TAR_XATTR_MAX && en->xattrs[i].value);
}

static void read_data(struct tar *t, const struct tar_entry *en, struct err *e)
{
	uint64_t left = en->data_size;
	const uint8_t *p;
	size_t len;

	while (tar_data(t, &p, &len, e) > 0) {
		must(len > 0 && len <= left);
		left -= len;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const struct tar_entry *en;
	struct err e;
	size_t n = 0;
	int r;

	if (!len)
		return 0;
	size_t piece = data[0] < 250 ? 1 + data[0] * 16u : 1u << 20;
	auto_buf struct buf b = { 0 };
	buf_add(&b, data + 1, len - 1);
	if (data[0] % 4)
		kit_resum(&b);
	auto_source struct source *s = kit_source(b.data, b.len, piece);
	struct tar *t = tar_open(s, &e);
	while ((r = tar_next(t, &en, &e)) > 0) {
		check_entry(en);
		if (n++ % 2)
			read_data(t, en, &e);
	}
	must(r < 0 || tar_offset(t) == len - 1);
	tar_free(t);
	return 0;
}
