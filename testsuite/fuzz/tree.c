/* SPDX-License-Identifier: Apache-2.0
 * fuzz tree - archives of any kind into the tree, and from there into an index
 *
 * The first byte says how: layers or images, with a whitelist or not, in how many passes, and whether checksums
 * are made right before. The tree must hold what tree.h promises, the index must be whole and the same twice.
 */
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "core/store/erofs.h"
#include "testsuite/unit/archive_kit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(bool good)
{
	if (!good)
		__builtin_trap();
}

/* ---- in ---- */

static int read_pass(struct tree *t, const struct buf *b, uint16_t source, bool filtered, struct err *e)
{
	static char paths[][8] = { "/a/b", "/c", "rootfs" };
	static char *v[] = { paths[0], paths[1], paths[2] };
	static const struct appc_strings list = { v, 3 };
	const struct appc_strings *lists[] = { &list };
	auto_source struct source *in = kit_source(b->data, b->len, 1 << 20);
	struct tar *tar = tar_open(in, e);
	const struct tar_entry *en;
	int r = tree_pass(t, source, lists, filtered, e);

	while (r == 0 && tar_next(tar, &en, e) > 0) /* a cut-off archive is as good as a short one */
		r = tree_add(t, en, e);
	tar_free(tar);
	return r < 0 ? -1 : tree_pass_end(t, e);
}

/* ---- the tree ---- */

static void check_names(const struct tree_node *dir)
{
	const struct tree_name *before = NULL;
	uint32_t subdirs = 0;

	for (const struct tree_name *n = tree_names(dir); n; before = n, n = n->next) {
		must(n->len && n->len == strlen(n->s) && !strchr(n->s, '/') && n->dir == dir && n->node);
		must(strcmp(n->s, ".") != 0 && strcmp(n->s, "..") != 0);
		must(!before || strcmp(before->s, n->s) < 0);
		must(n->node->nlink > 0);
		if (S_ISDIR(n->node->mode)) {
			subdirs++;
			must(n->node->u.dir.self == n && n->node->u.dir.parent == dir);
		}
	}
	must(dir->nlink == 2 + subdirs);
}

static void check_tree(struct tree *t)
{
	char path[TAR_PATH_MAX + 1];
	uint64_t names = 0;

	for (const struct tree_node *d = tree_root(t); d; d = tree_next_dir(t, d)) {
		check_names(d);
		for (const struct tree_name *n = tree_names(d); n; n = n->next, names++)
			must(tree_path(n, path) == strlen(path));
	}
	must(names == tree_totals(t).names);
}

/* ---- the index ---- */

static int write_index(struct tree *t, const struct buf *b, struct err *e)
{
	const int tar = memfd_create("tar", MFD_CLOEXEC);
	const int fds[2] = { tar, tar };
	const struct erofs_source s = { { "sha512-" }, b->len & ~511u }, sources[2] = { s, s };
	const struct erofs_opts o = { "sha512-0123456789abcdef0123456789abcdef", sources, fds, 2 };
	int fd = memfd_create("index", MFD_CLOEXEC);

	must(fd_write_all(tar, b->data, b->len) == 0);
	if (erofs_write(t, &o, fd, NULL, e) < 0)
		fd_cleanup(&fd);
	close(tar);
	return fd;
}

static void check_index(struct tree *t, const struct buf *b)
{
	struct err e;
	struct stat st, st2;
	auto_close int fd = write_index(t, b, &e), again = write_index(t, b, &e);

	must((fd < 0) == (again < 0));
	if (fd < 0)
		return;
	must(erofs_check(fd, &e) == 0);
	must(fstat(fd, &st) == 0 && fstat(again, &st2) == 0 && st.st_size == st2.st_size);
	void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	void *q = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, again, 0);
	must(p != MAP_FAILED && q != MAP_FAILED && !memcmp(p, q, (size_t)st.st_size));
	munmap(p, (size_t)st.st_size);
	munmap(q, (size_t)st.st_size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (!len)
		return 0;
	const struct tree_opts o = { .layers = data[0] & 1, .spill_dir_fd = -1 };
	bool filtered = !o.layers && data[0] & 2;
	struct err e;
	auto_buf struct buf b = { 0 };
	buf_add(&b, data + 1, len - 1);
	if (data[0] & 0xf0)
		kit_resum(&b);

	struct tree *t = tree_new(&o, &e);
	int r = 0;
	for (uint16_t i = 0; r == 0 && i <= (data[0] >> 2 & 1); i++)
		r = read_pass(t, &b, i, filtered && !i, &e);
	if (r == 0) {
		tree_finish(t);
		check_tree(t);
		check_index(t, &b);
	}
	tree_free(t);
	return 0;
}
