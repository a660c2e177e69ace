/* SPDX-License-Identifier: Apache-2.0
 * archive_tar_sparse - unit tests of core/archive/tar.h: sparse files, four forms of one map, and bad ones
 */
#include "testsuite/unit/archive_tar_kit.h"

static void sparse_gnu(struct buf *b, const uint64_t *map, size_t n, uint64_t real, uint64_t stored)
{
	size_t at = kit_header(b, "f", 'S', NULL, stored), used = 0;
	char *h = b->data + at;

	memcpy(h + H_MAGIC, "ustar  ", 8);
	for (; used < n && used < 4; used++) {
		kit_octal(h + H_SPARSE + used * 24, 11, map[2 * used]);
		kit_octal(h + H_SPARSE + used * 24 + 12, 11, map[2 * used + 1]);
	}
	h[H_EXTENDED] = used < n;
	kit_octal(h + H_REALSIZE, 11, real);
	kit_sum(b, at);
	while (used < n) {
		char more[512] = { 0 };
		size_t i = 0;
		for (; used < n && i < 21; i++, used++) {
			kit_octal(more + i * 24, 11, map[2 * used]);
			kit_octal(more + i * 24 + 12, 11, map[2 * used + 1]);
		}
		more[504] = used < n;
		buf_add(b, more, 512);
	}
}

static void sparse_pax(struct buf *b, int form, const uint64_t *map, size_t n, uint64_t real, uint64_t stored)
{
	struct buf r = { 0 }, text = { 0 };
	char num[32];

#define ADD(k, v) (snprintf(num, sizeof(num), "%llu", (unsigned long long)(v)), kit_record(&r, k, num, strlen(num)))
	if (form == 10) {
		ADD("GNU.sparse.major", 1);
		ADD("GNU.sparse.minor", 0);
		ADD("GNU.sparse.realsize", real);
		buf_fmt(&text, "%zu\n", n);
		for (size_t i = 0; i < 2 * n; i++)
			buf_fmt(&text, "%llu\n", (unsigned long long)map[i]);
		stored += (text.len + 511) / 512 * 512;
	} else {
		ADD("GNU.sparse.size", real);
		ADD("GNU.sparse.numblocks", n);
	}
	for (size_t i = 0; form == 0 && i < n; i++) {
		ADD("GNU.sparse.offset", map[2 * i]);
		ADD("GNU.sparse.numbytes", map[2 * i + 1]);
	}
	if (form == 1 && n) {
		for (size_t i = 0; i < 2 * n; i++)
			buf_fmt(&text, "%s%llu", i ? "," : "", (unsigned long long)map[i]);
		kit_record(&r, "GNU.sparse.map", text.data, text.len);
	}
	kit_record(&r, "GNU.sparse.name", "f", 1);
	kit_raw_pax(b, r.data, r.len);
	kit_header(b, "GNUSparseFile.1/f", '0', NULL, stored);
	if (form == 10)
		kit_data(b, text.data, text.len);
	buf_free(&r);
	buf_free(&text);
}

static void sparse(struct buf *b, int form, const uint64_t *map, size_t n, uint64_t real, uint64_t stored)
{
	if (form == 99)
		sparse_gnu(b, map, n, real, stored);
	else
		sparse_pax(b, form, map, n, real, stored);
	for (uint64_t i = 0; i < stored; i++)
		buf_add(b, "x", 1);
	while (b->len % 512)
		buf_add(b, "", 1);
}

static const int forms[] = { 99, 0, 1, 10 };
#define N_FORMS (sizeof(forms) / sizeof(*forms))

TEST(sparse_forms, "tar: sparse files in all forms read the same")
{
	static const uint64_t map[] = { 512, 512, 4096, 1024, 100000, 7, 200000, 0 };
	static const uint64_t many_n = 100;
	uint64_t many[200];

	for (uint64_t i = 0; i < many_n; i++) {
		many[2 * i] = i * 2048;
		many[2 * i + 1] = 512;
	}
	for (size_t i = 0; i < N_FORMS; i++) {
		struct buf b = { 0 };
		sparse(&b, forms[i], map, 4, 200000, 1543);
		{
			FIRST(b);
			CHECK_STR(en->path, "f");
			CHECK(en->sparse && en->size == 200000 && en->data_size == 1543);
			REQUIRE(en->n_segments == 3);
			CHECK(en->segments[1].offset == 4096 && en->segments[1].len == 1024);
			CHECK(en->segments[2].offset == 100000 && en->segments[2].len == 7);
			CHECK_INT(b.data[en->data_offset], 'x');
			CHECK_INT(en->data_offset % 512, 0);
			FIRST_END(b);
		}
		sparse(&b, forms[i], many, many_n, 100 * 2048, 100 * 512);
		{
			FIRST(b);
			CHECK_INT(en->n_segments, many_n);
			CHECK_INT(b.data[en->data_offset], 'x');
			CHECK_INT(en->data_size, 100 * 512);
			FIRST_END(b);
		}
		sparse(&b, forms[i], NULL, 0, 5000, 0); /* nothing but a hole */
		{
			FIRST(b);
			CHECK(en->sparse && en->size == 5000 && en->n_segments == 0);
			FIRST_END(b);
		}
	}
}

TEST(sparse_bad, "tar: maps that leave anything open are refused")
{
	static const struct {
		uint64_t    map[6], real, stored;
		size_t      n;
		const char *error;
	} v[] = {
		{ { 0, 512, 256, 512 }, 4096, 1024, 2, "overlap" }, { { 1024, 512, 0, 512 }, 4096, 1024, 2, "backwards" },
		{ { 0, 512, 4096, 512 }, 4096, 1024, 2, "leave the file" }, { { 0, 512 }, 4096, 1024, 1, "1024 are stored" },
		{ { 0, 1024 }, 4096, 512, 1, "512 are stored" }, { { 0, 100, 1024, 512 }, 4096, 612, 2, "begin on a block" },
		{ { INT64_MAX, 512 }, INT64_MAX, 512, 1, "leave the file" }, { { 0, 0, 8192, 0 }, 4096, 0, 2, "leave the file" },
	};
	for (size_t f = 0; f < N_FORMS; f++)
		for (size_t i = 0; i < sizeof(v) / sizeof(*v); i++) {
			struct buf b = { 0 };
			if (forms[f] == 99 && v[i].real == INT64_MAX)
				continue; /* does not fit into octal */
			sparse(&b, forms[f], v[i].map, v[i].n, v[i].real, v[i].stored);
			refused_ended(&b, v[i].error);
		}
}

TEST(sparse_malformed, "tar: malformed sparse headers")
{
	static const struct {
		const char *k[5], *v[5], *error;
	} p[] = {
		{ { "GNU.sparse.major" }, { "1" }, "without its size" },
		{ { "GNU.sparse.major", "GNU.sparse.realsize" }, { "2", "5" }, "unknown sparse format 2.0" },
		{ { "GNU.sparse.map" }, { "0,1" }, "without its size" },
		{ { "GNU.sparse.map", "GNU.sparse.size" }, { "0,", "5" }, "malformed sparse map" },
		{ { "GNU.sparse.map", "GNU.sparse.size" }, { "0,1,", "5" }, "malformed sparse map" },
		{ { "GNU.sparse.map", "GNU.sparse.size" }, { "0 1", "5" }, "malformed sparse map" },
		{ { "GNU.sparse.map", "GNU.sparse.size" }, { "0,99999999999999999999", "5" }, "malformed sparse map" },
		{ { "GNU.sparse.map", "GNU.sparse.size", "GNU.sparse.numblocks" }, { "0,0", "5", "2" }, "not the one given" },
		{ { "GNU.sparse.offset", "GNU.sparse.size" }, { "0", "5" }, "malformed sparse map" },
		{ { "GNU.sparse.numbytes", "GNU.sparse.size" }, { "0", "5" }, "malformed sparse map" },
		{ { "GNU.sparse.offset", "GNU.sparse.offset", "GNU.sparse.size" }, { "0", "1", "5" }, "malformed sparse map" },
		{ { "GNU.sparse.map", "GNU.sparse.size", "GNU.sparse.major" }, { "0,0", "5", "1" }, "several sparse maps" },
	};
	for (size_t i = 0; i < sizeof(p) / sizeof(*p); i++) {
		struct buf b = { 0 }, r = { 0 };
		for (size_t j = 0; j < 5 && p[i].k[j]; j++)
			kit_record(&r, p[i].k[j], p[i].v[j], strlen(p[i].v[j]));
		kit_raw_pax(&b, r.data, r.len);
		kit_file(&b, "f", "");
		buf_free(&r);
		refused_ended(&b, p[i].error);
	}
	struct buf b = { 0 };
	kit_pax(&b, 'x', "GNU.sparse.map", "0,0", "GNU.sparse.size", "5", NULL);
	kit_header(&b, "d", '5', NULL, 0);
	refused_ended(&b, "misplaced sparse map");
	static const char *const maps[] = { "x\n", "1\n0\n", "1\n0\n-5\n", "1\n0\n512\njunk", "\n", "1\n0\n512", "70000\n" };
	for (size_t i = 0; i < sizeof(maps) / sizeof(*maps); i++) {
		kit_pax(&b, 'x', "GNU.sparse.major", "1", "GNU.sparse.minor", "0", "GNU.sparse.realsize", "4096", NULL);
		kit_header(&b, "f", '0', NULL, 512);
		kit_data(&b, maps[i], strlen(maps[i]));
		refused_ended(&b, i == 6 ? "segments" : "malformed sparse map");
	}
}

UNIT_MAIN(sparse_forms, sparse_bad, sparse_malformed)
