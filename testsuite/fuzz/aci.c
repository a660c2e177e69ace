/* SPDX-License-Identifier: Apache-2.0
 * fuzz aci - whole images: decompression, hash, tar, rules, manifest
 */
#include <stdint.h>
#include <string.h>

#include "core/archive/aci.h"
#include "testsuite/unit/archive_kit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static int on_entry(void *ctx, const struct tar_entry *en, struct tar *t, struct err *e)
{
	const uint8_t *p;
	size_t n;
	int r;

	(void)ctx;
	if (en->path[0] == '/' || (en->type == TAR_HARDLINK && !en->link[0]))
		__builtin_trap();
	for (size_t i = 0; i < en->n_xattrs; i++)
		if (!strncmp(en->xattrs[i].name, "trusted.", 8))
			__builtin_trap();
	while ((r = tar_data(t, &p, &n, e)) > 0)
		;
	return r;
}

static int on_tap(void *ctx, const uint8_t *p, size_t len, struct err *e)
{
	(void)p;
	(void)e;
	*(uint64_t *)ctx += len;
	return 0;
}

static bool valid(const uint8_t *data, size_t len, size_t piece, enum aci_mode mode)
{
	const struct aci_bounds bounds = { .max_bytes = 8u << 20, .max_entries = 5000 };
	uint64_t tapped = 0;
	const struct aci_handler h = { .ctx = &tapped, .tap = on_tap, .entry = on_entry };
	struct aci_result r = { 0 };
	struct findings f = { 0 };
	struct err e;

	auto_source struct source *s = kit_source(data, len, piece);
	bool good = aci_read(s, &bounds, mode, &h, &r, &f, &e) == 0;
	if (good && (f.errors || tapped != r.tar_bytes || r.in_bytes != len || !r.manifest.name))
		__builtin_trap();
	aci_result_free(&r);
	findings_free(&f);
	return good;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (!len)
		return 0;
	auto_buf struct buf b = { 0 };
	buf_add(&b, data + 1, len - 1);
	if (data[0] % 4)
		kit_resum(&b);
	/* both modes and all pieces agree on what is an image */
	const uint8_t *p = (const uint8_t *)b.data;
	bool all = valid(p, b.len, 1 + data[0] * 7u, ACI_ALL);
	if (valid(p, b.len, 1u << 20, ACI_STRICT) != all)
		__builtin_trap();
	return 0;
}
