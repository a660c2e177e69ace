/* SPDX-License-Identifier: Apache-2.0
 * tree - drives the tree and what is made from it, without an image store around them
 *
 *	tree [--layers] [--rootfs] index FILE PASS...   writes an index; prints bytes and inodes
 *	tree [--layers] [--rootfs] extract DIR PASS...  into an empty directory
 *	tree [--layers] [--rootfs] list PASS...         PATH MODE SOURCE, one line each
 *	tree check FILE                                 prints what an index says of itself, and checks it
 *	tree mount FILE DIR TAR...                      mounts an index on plain files or loop devices
 * PASS: TAR[?PATH[,PATH...]]...   each ? begins a whitelist; the same TAR again is another pass of it
 * --rootfs: only what is below rootfs/, as in an image; otherwise the archive's root is the tree's
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/archive/inflate.h"
#include "core/base/fd.h"
#include "core/store/erofs.h"
#include "core/store/internal.h"
#include "core/store/tree.h"

#define PASSES_MAX 1200
#define LISTS_MAX  8

struct run {
	bool                layers, rootfs;
	struct tree        *tree;
	const char         *names[PASSES_MAX];
	struct erofs_source sources[PASSES_MAX];
	int                 fds[PASSES_MAX];
	size_t              n;
};

static int die(const char *what, const char *why)
{
	fprintf(stderr, "tree: %s: %s\n", what, why);
	exit(1);
}

/* ---- passes ---- */

static uint16_t source_of(struct run *r, const char *name)
{
	struct stat st;

	for (size_t i = 0; i < r->n; i++)
		if (!strcmp(r->names[i], name))
			return (uint16_t)i;
	if (r->n == PASSES_MAX)
		die(name, "too many");
	struct erofs_source *s = &r->sources[r->n];
	r->names[r->n] = name;
	r->fds[r->n] = open(name, O_RDONLY | O_CLOEXEC);
	if (r->fds[r->n] < 0 || fstat(r->fds[r->n], &st) < 0)
		die(name, strerror(errno));
	s->bytes = (uint64_t)st.st_size;
	snprintf(s->id.s, sizeof(s->id.s), "sha512-%0128zx", 0xabc000 + r->n);
	return (uint16_t)r->n++;
}

static struct appc_strings split(char *list)
{
	struct appc_strings s = { .v = calloc(strlen(list) + 2, sizeof(char *)) };

	for (char *save, *w = strtok_r(list, ",", &save); w; w = strtok_r(NULL, ",", &save))
		s.v[s.n++] = w;
	return s;
}

/* "rootfs/a" -> "a", "rootfs" -> ""; NULL: not below it */
static const char *below(const struct run *r, const char *path)
{
	if (!r->rootfs || !path)
		return path;
	if (strncmp(path, "rootfs", 6) != 0 || (path[6] && path[6] != '/'))
		return NULL;
	return path[6] ? path + 7 : path + 6;
}

static int read_tar(struct run *r, int fd, struct err *e)
{
	auto_source struct source *in = lseek(fd, 0, SEEK_SET) < 0 ? NULL : source_fd(fd, e);
	struct tar *t = in ? tar_open(in, e) : NULL;
	const struct tar_entry *en;
	int more;

	if (!t)
		return -1;
	while ((more = tar_next(t, &en, e)) > 0) {
		struct tar_entry inner = *en;
		inner.path = below(r, en->path);
		if (en->type == TAR_HARDLINK)
			inner.link = below(r, en->link);
		if (inner.path && tree_add(r->tree, &inner, e) < 0) {
			more = -1;
			break;
		}
	}
	tar_free(t);
	return more;
}

static void add_pass(struct run *r, const char *spec)
{
	struct appc_strings lists[LISTS_MAX] = { 0 };
	const struct appc_strings *of[LISTS_MAX];
	size_t n = 0;
	char *text = strdup(spec), *name = strsep(&text, "?");
	struct err e;

	for (char *list; text && n < LISTS_MAX && (list = strsep(&text, "?")); n++) {
		lists[n] = split(list);
		of[n] = &lists[n];
	}
	uint16_t source = source_of(r, name);
	if (tree_pass(r->tree, source, of, n, &e) < 0 || read_tar(r, r->fds[source], &e) < 0 ||
	    tree_pass_end(r->tree, &e) < 0)
		die(name, e.msg);
	while (n)
		free(lists[--n].v);
}

static void read_all(struct run *r, char **passes)
{
	const char *tmp = getenv("TMPDIR");
	const struct tree_opts o = { .layers = r->layers,
				     .spill_dir_fd = open(tmp ? tmp : "/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC) };
	struct err e;

	r->tree = tree_new(&o, &e);
	if (!r->tree)
		die("tree", e.msg);
	for (; *passes; passes++)
		add_pass(r, *passes);
	tree_finish(r->tree);
}

/* ---- commands ---- */

/* to stderr, for who measures: CPU time and the most memory that was its own at one time */
static void say_costs(void)
{
	char line[128];
	struct rusage u;
	FILE *f = fopen("/proc/self/status", "re");

	getrusage(RUSAGE_SELF, &u);
	fprintf(stderr, "%ld.%06ld s user, %ld.%06ld s system\n", (long)u.ru_utime.tv_sec, (long)u.ru_utime.tv_usec,
		(long)u.ru_stime.tv_sec, (long)u.ru_stime.tv_usec);
	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, "RssAnon", 7) || !strncmp(line, "VmHWM", 5))
			fputs(line, stderr);
	if (f)
		fclose(f);
}

static int cmd_index(struct run *r, char **argv)
{
	uint64_t bytes;
	struct err e;

	read_all(r, argv + 1);
	auto_close int fd = open(argv[0], O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		die(argv[0], strerror(errno));
	const struct erofs_opts o = { r->n ? r->sources[0].id.s : "sha512-0123456789abcdef0123456789abcdef",
				      r->sources, r->fds, r->n };
	if (erofs_write(r->tree, &o, fd, &bytes, &e) < 0)
		die(argv[0], e.msg);
	printf("%llu bytes, %llu inodes\n", (unsigned long long)bytes,
	       (unsigned long long)tree_totals(r->tree).nodes);
	say_costs();
	return 0;
}

static void warn(void *ctx, const char *text)
{
	(void)ctx;
	fprintf(stderr, "tree: warning: %s\n", text);
}

static int cmd_extract(struct run *r, char **argv)
{
	struct err e;

	read_all(r, argv + 1);
	const struct extract_opts o = { .fds = r->fds, .n_fds = r->n, .warn = warn };
	auto_close int fd = open(argv[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		die(argv[0], strerror(errno));
	if (extract_tree(r->tree, fd, &o, &e) < 0)
		die(argv[0], e.msg);
	return 0;
}

static int cmd_list(struct run *r, char **argv)
{
	char path[TAR_PATH_MAX + 1];

	read_all(r, argv);
	for (const struct tree_node *d = tree_root(r->tree); d; d = tree_next_dir(r->tree, d))
		for (const struct tree_name *n = tree_names(d); n; n = n->next) {
			tree_path(n, path);
			printf("%s %o %u\n", path, n->node->mode, n->node->source);
		}
	return 0;
}

static int cmd_check(char **argv)
{
	auto_close int fd = open(argv[0], O_RDONLY | O_CLOEXEC);
	struct erofs_info i;
	struct err e;

	if (erofs_open(fd, &i, &e) < 0)
		die(argv[0], e.msg);
	printf("version %u, %llu bytes, %zu sources\n", i.version, (unsigned long long)i.bytes, i.n_sources);
	for (size_t k = 0; k < i.n_sources; k++)
		printf("%s %llu\n", i.sources[k].id.s, (unsigned long long)i.sources[k].bytes);
	erofs_info_free(&i);
	if (erofs_check(fd, &e) < 0)
		die(argv[0], e.msg);
	return 0;
}

static int cmd_mount(char **argv)
{
	char opts[4096] = "";

	for (char **tar = argv + 2; *tar; tar++) {
		size_t n = strlen(opts);
		if (snprintf(opts + n, sizeof(opts) - n, "%sdevice=%s", n ? "," : "", *tar) >= (int)(sizeof(opts) - n))
			die("mount", "too many");
	}
	if (mount(argv[0], argv[1], "erofs", MS_RDONLY | MS_NODEV | MS_NOSUID, opts) < 0)
		die("mount", strerror(errno));
	return 0;
}

int main(int argc, char **argv)
{
	static struct run r;
	int i = 1;

	for (; i < argc && !strncmp(argv[i], "--", 2); i++) {
		r.layers |= !strcmp(argv[i], "--layers");
		r.rootfs |= !strcmp(argv[i], "--rootfs");
	}
	argv += i;
	argc -= i;
	if (argc > 1 && !strcmp(argv[0], "index"))
		return cmd_index(&r, argv + 1);
	if (argc > 1 && !strcmp(argv[0], "extract"))
		return cmd_extract(&r, argv + 1);
	if (argc > 0 && !strcmp(argv[0], "list"))
		return cmd_list(&r, argv + 1);
	if (argc > 1 && !strcmp(argv[0], "check"))
		return cmd_check(argv + 1);
	if (argc > 2 && !strcmp(argv[0], "mount"))
		return cmd_mount(argv + 1);
	fprintf(stderr, "usage: tree [--layers] [--rootfs] index FILE PASS... | extract DIR PASS... | list PASS... | check FILE | "
			"mount FILE DIR TAR...\n");
	return 2;
}
