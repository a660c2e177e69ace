/* SPDX-License-Identifier: Apache-2.0
 * build_binary - see build_binary.h
 */
#include "applets/actool/build_binary.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "applets/actool/build_manifest.h"
#include "applets/ui.h"
#include "core/archive/elf_closure.h"
#include "core/base/fd.h"

#define BIN "/bin/" /* where the program will be */

const struct opt build_binary_opts[] = {
	OPT_TEXT(0, "from-binary", "FILE", struct build_binary, file,
		 "pack this program, and what its loader needs, instead of a layout"),
	OPT_TEXT(0, "sysroot", "DIR", struct build_binary, sysroot, "look for libraries in DIR instead of /"),
	OPT_TEXT(0, "name", "NAME", struct build_binary, name, "the image's name (default: the program's)"),
	OPT_LIST(0, "label", "NAME=VALUE", struct build_binary, labels, "such as version=1.0.0; may be repeated"),
	OPT_LIST(0, "exec-arg", "ARG", struct build_binary, exec_args,
		 "an argument for the program; may be repeated; those after -- are more of them"),
	OPT_TEXT(0, "user", "USER", struct build_binary, user, "who runs it: a number, or a name (default: 0)"),
	OPT_TEXT(0, "group", "GROUP", struct build_binary, group, "in which group (default: 0)"),
	OPT_LIST(0, "env", "NAME=VALUE", struct build_binary, env, "an environment variable; may be repeated"),
	OPT_TEXT(0, "working-dir", "PATH", struct build_binary, working_dir, "where it starts (default: /)"),
	OPT_LIST(0, "port", "NAME,port=N[,protocol=P]", struct build_binary, ports,
		 "also count=N, socketActivated=true; protocol is tcp if not said; may be repeated"),
	OPT_LIST(0, "mount", "NAME,path=PATH", struct build_binary, mounts,
		 "a mount point; also readOnly=true; may be repeated"),
	OPT_LIST(0, "annotation", "NAME=VALUE", struct build_binary, annotations,
		 "such as homepage=https://example.com; may be repeated"),
	OPT_END
};

int binary_none_of(const struct build_binary *b, struct err *e)
{
	const struct { bool given; const char *name; } v[] = {
		{ b->sysroot, "sysroot" }, { b->name, "name" }, { b->labels.n, "label" }, { b->exec_args.n, "exec-arg" },
		{ b->user, "user" }, { b->group, "group" }, { b->env.n, "env" }, { b->working_dir, "working-dir" },
		{ b->ports.n, "port" }, { b->mounts.n, "mount" }, { b->annotations.n, "annotation" },
	};

	for (size_t i = 0; i < sizeof(v) / sizeof(*v); i++)
		if (v[i].given)
			return err_set(e, EINVAL, "--%s is only for --from-binary; a layout has a manifest of its own",
				v[i].name);
	return 0;
}

/* ---- the files ---- */

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct write_file *)a)->path, ((const struct write_file *)b)->path);
}

static int pack(const struct elf_closure *c, const struct buf *manifest, int out_fd, const struct write_opts *w,
		struct err *e)
{
	struct write_file *v = xmalloc(c->n * sizeof(*v));

	for (size_t i = 0; i < c->n; i++)
		v[i] = (struct write_file){ .path = c->v[i].path + 1, .fd = c->v[i].fd, .mode = 0755 };
	qsort(v, c->n, sizeof(*v), by_path);
	int r = write_aci_files(out_fd, manifest->data, manifest->len, v, c->n, w, e);
	free(v);
	return r;
}

static int pack_closure(const struct build_binary *b, const struct elf_closure *c, int argc, char **argv, int out_fd,
			const struct write_opts *w, struct err *e)
{
	auto_buf struct buf manifest = { 0 };
	const struct binary_facts facts = {
		.path = c->v[0].path, .arch = elf_arch(&c->v[0].elf), .machine = c->v[0].elf.machine,
		.library_path = c->library_path, .argc = argc, .argv = argv,
	};

	for (size_t i = 0; i < c->n; i++)
		ui_debug("%s: %s", c->v[i].path, c->v[i].found);
	if (binary_manifest(b, &facts, &manifest, e) < 0)
		return -1;
	return pack(c, &manifest, out_fd, w, e);
}

/* ---- the program's place ---- */

struct place {
	int   root_fd, host_fd; /* what --sysroot names; / */
	char *real;             /* the program's path, without links */
	char *root;             /* the root's; "" for / */
};

static int open_place(const struct build_binary *b, struct place *p, struct err *e)
{
	p->host_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	p->root_fd = open(b->sysroot ? b->sysroot : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (p->host_fd < 0 || p->root_fd < 0)
		return err_sys(e, "%s: open", b->sysroot ? b->sysroot : "/");
	p->real = realpath(b->file, NULL);
	p->root = realpath(b->sysroot ? b->sysroot : "/", NULL);
	if (!p->real || !p->root)
		return err_sys(e, "%s: find", p->real ? b->sysroot : b->file);
	if (!strcmp(p->root, "/"))
		*p->root = 0;
	return 0;
}

static void close_place(struct place *p)
{
	fd_cleanup(&p->host_fd);
	fd_cleanup(&p->root_fd);
	free(p->real);
	free(p->root);
}

static int find(const struct build_binary *b, const struct place *p, struct elf_closure *c, struct err *e)
{
	struct stat st;
	size_t n = strlen(p->root);
	bool inside = !strncmp(p->real, p->root, n) && p->real[n] == '/';
	const char *slash = strrchr(b->file, '/');
	auto_free char *path = xasprintf("%s%s", BIN, slash ? slash + 1 : b->file);
	auto_close int fd = fd_open_input(b->file, &st, e);

	if (fd < 0)
		return -1;
	if (!S_ISREG(st.st_mode))
		return err_set(e, EINVAL, "is not a regular file");
	return elf_closure_find(p->root_fd, take_fd(&fd), inside ? p->root_fd : p->host_fd, inside ? p->real + n : p->real,
		path, c, e);
}

int binary_pack(const struct build_binary *b, int argc, char **argv, int out_fd, const struct write_opts *w,
		struct err *e)
{
	struct place p = { .root_fd = -1, .host_fd = -1 };
	struct elf_closure c = { 0 };
	int r = open_place(b, &p, e);

	if (r == 0)
		r = find(b, &p, &c, e) < 0 ? err_wrap(e, "%s", b->file) : 0;
	if (r == 0)
		r = pack_closure(b, &c, argc, argv, out_fd, w, e);
	elf_closure_free(&c);
	close_place(&p);
	return r;
}
