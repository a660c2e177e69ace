/* SPDX-License-Identifier: Apache-2.0
 * elf_dirs - see elf_dirs.h
 *
 * Source: ld.so(8), ldconfig(8); musl's manual, "Dynamic Linker".
 */
#include "core/archive/elf_dirs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/fd.h"
#include "core/base/glob.h"
#include "core/base/sys.h"

#define CONF_MAX   (64u << 10) /* bytes of a configuration file */
#define DIRS_MAX   1024u
#define NESTED_MAX 8u          /* files that include each other */

struct finder {
	int              root_fd;
	struct elf_dirs *out;
};

void elf_dirs_free(struct elf_dirs *d)
{
	for (size_t i = 0; i < d->n; i++)
		free(d->v[i].path);
	free(d->v);
	*d = (struct elf_dirs){ 0 };
}

static int add(struct elf_dirs *d, const char *path, size_t len, bool builtin, struct err *e)
{
	while (len > 1 && path[len - 1] == '/')
		len--;
	if (!len || path[0] != '/')
		return 0; /* relative to wherever it is started: nothing to rely on */
	for (size_t i = 0; i < d->n; i++)
		if (strlen(d->v[i].path) == len && !memcmp(d->v[i].path, path, len)) {
			d->v[i].builtin = d->v[i].builtin || builtin;
			return 0;
		}
	if (d->n == DIRS_MAX)
		return err_set(e, E2BIG, "more than %u directories of libraries", DIRS_MAX);
	struct elf_dir *v = reallocarray(d->v, d->n + 1, sizeof(*v));
	if (v)
		d->v = v;
	if (!v || !(v[d->n].path = strndup(path, len)))
		return err_set(e, ENOMEM, "out of memory");
	v[d->n++].builtin = builtin;
	return 0;
}

/* a configuration file; NULL and 0 when it is not there */
static int read_conf(const struct finder *f, const char *path, char **text, struct err *e)
{
	auto_close int fd = sys_open_in(f->root_fd, path, O_RDONLY | O_NONBLOCK, SYS_IN_ROOT | SYS_NO_MAGICLINKS);
	struct stat st;

	*text = NULL;
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : err_sys(e, "%s: open", path);
	if (fstat(fd, &st) < 0)
		return err_sys(e, "%s: stat", path);
	if (!S_ISREG(st.st_mode) || st.st_size > (off_t)CONF_MAX)
		return err_set(e, EINVAL, "%s: is no file of at most %u bytes", path, CONF_MAX);
	char *p = malloc(CONF_MAX + 1);
	if (!p)
		return err_set(e, ENOMEM, "out of memory");
	ssize_t n = fd_read_full(fd, p, CONF_MAX);
	if (n < 0) {
		free(p);
		return err_sys(e, "%s: read", path);
	}
	p[n] = 0;
	*text = p;
	return 0;
}

/* ---- glibc ---- */

static int read_glibc(const struct finder *f, const char *path, unsigned depth, struct err *e);

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* the names in @fd that match, one after the other with a NUL behind each; returns how many, or -1 */
static int list_matches(int fd, const char *glob, struct buf *names)
{
	auto_dir DIR *d = fd_list(fd);
	struct dirent *de;
	int n = 0;

	if (!d)
		return -1;
	while (errno = 0, (de = readdir(d)))
		if (de->d_name[0] != '.' && glob_match(glob, de->d_name)) {
			buf_add(names, de->d_name, strlen(de->d_name) + 1);
			n++;
		}
	return errno || names->failed ? -1 : n;
}

static int include_sorted(const struct finder *f, const char *dir, const struct buf *names, int n, unsigned depth,
			  struct err *e)
{
	auto_free const char **v = calloc((size_t)n + 1, sizeof(*v));
	char path[ELF_STRING_MAX + 1];
	const char *name = names->data;

	if (!v)
		return err_set(e, ENOMEM, "out of memory");
	for (int i = 0; i < n; i++, name += strlen(name) + 1)
		v[i] = name;
	if (n)
		qsort(v, (size_t)n, sizeof(*v), by_name);
	for (int i = 0; i < n; i++)
		if (snprintf(path, sizeof(path), "%s/%s", dir, v[i]) < (int)sizeof(path) &&
		    read_glibc(f, path, depth + 1, e) < 0)
			return -1;
	return 0;
}

static int include_dir(const struct finder *f, const char *dir, const char *glob, unsigned depth, struct err *e)
{
	auto_buf struct buf names = { 0 };
	auto_close int fd = sys_open_in(f->root_fd, dir, O_RDONLY | O_DIRECTORY, SYS_IN_ROOT | SYS_NO_MAGICLINKS);

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : err_sys(e, "%s: open", dir);
	int n = glob_ok(glob) ? list_matches(fd, glob, &names) : 0;
	return n < 0 ? err_sys(e, "%s: read directory", dir) : include_sorted(f, dir, &names, n, depth, e);
}

/* "include PATTERN": the last component may be one; a relative one is from where the file is */
static int include(const struct finder *f, const char *from, const char *pattern, unsigned depth, struct err *e)
{
	char path[ELF_STRING_MAX + 1];
	int dir_len = *pattern == '/' ? 0 : (int)(strrchr(from, '/') - from) + 1;

	if (depth == NESTED_MAX)
		return err_set(e, ELOOP, "%s: more than %u files include each other", from, NESTED_MAX);
	if (snprintf(path, sizeof(path), "%.*s%s", dir_len, from, pattern) >= (int)sizeof(path))
		return err_set(e, ENAMETOOLONG, "%s: include: path too long", from);
	char *slash = strrchr(path, '/');
	*slash = 0;
	return include_dir(f, slash == path ? "/" : path, slash + 1, depth, e);
}

static int read_line(const struct finder *f, const char *from, char *line, unsigned depth, struct err *e)
{
	static const char blanks[] = " \t\r,:";
	bool includes = false;
	int r = 0;
	char *rest, *word;

	line[strcspn(line, "#")] = 0;
	for (word = strtok_r(line, blanks, &rest); word && r == 0; word = strtok_r(NULL, blanks, &rest)) {
		if (!strcmp(word, "hwcap"))
			return 0;
		if (!strcmp(word, "include"))
			includes = true;
		else if (includes)
			r = include(f, from, word, depth, e);
		else
			r = add(f->out, word, strcspn(word, "="), false, e);
	}
	return r;
}

static int read_glibc(const struct finder *f, const char *path, unsigned depth, struct err *e)
{
	auto_free char *text = NULL;
	char *rest, *line;
	int r = read_conf(f, path, &text, e);

	for (line = text ? strtok_r(text, "\n", &rest) : NULL; line && r == 0; line = strtok_r(NULL, "\n", &rest))
		r = read_line(f, path, line, depth, e);
	return r;
}

static int add_glibc(const struct finder *f, const struct elf *program, struct err *e)
{
	static const char *const bases[] = { "/lib", "/usr/lib" };
	const char *triplet = elf_triplet(program);
	char path[64];

	for (size_t i = 0; triplet && i < 2; i++) {
		int n = snprintf(path, sizeof(path), "%s/%s", bases[i], triplet);
		if (add(f->out, path, (size_t)n, true, e) < 0)
			return -1;
	}
	for (size_t i = 0; program->is_64 && i < 2; i++) {
		int n = snprintf(path, sizeof(path), "%s64", bases[i]);
		if (add(f->out, path, (size_t)n, true, e) < 0)
			return -1;
	}
	for (size_t i = 0; i < 2; i++)
		if (add(f->out, bases[i], strlen(bases[i]), true, e) < 0)
			return -1;
	return 0;
}

/* ---- musl ---- */

static const char *musl_name(const struct elf *program)
{
	const char *slash = program->interpreter ? strrchr(program->interpreter, '/') : NULL;

	return slash && !strncmp(slash + 1, "ld-musl-", 8) ? slash + 1 : NULL;
}

bool elf_is_musl(const struct elf *program)
{
	return musl_name(program) != NULL;
}

/* a configuration replaces what the loader knows; but that is not in the image, where it knows nothing else again */
static int add_musl(const struct finder *f, const struct elf *program, struct err *e)
{
	const char *name = musl_name(program);
	auto_free char *text = NULL;
	char path[ELF_STRING_MAX + 1], *rest;

	snprintf(path, sizeof(path), "/etc/%.*s.path", (int)strcspn(name, "."), name);
	if (read_conf(f, path, &text, e) < 0)
		return -1;
	for (char *dir = text ? strtok_r(text, ":\n", &rest) : NULL; dir; dir = strtok_r(NULL, ":\n", &rest))
		if (add(f->out, dir, strlen(dir), false, e) < 0)
			return -1;
	static const char *const known[] = { "/lib", "/usr/local/lib", "/usr/lib" };
	for (size_t i = 0; i < 3; i++)
		if (add(f->out, known[i], strlen(known[i]), true, e) < 0)
			return -1;
	return 0;
}

int elf_dirs_find(int root_fd, const struct elf *program, struct elf_dirs *out, struct err *e)
{
	const struct finder f = { root_fd, out };
	int r;

	*out = (struct elf_dirs){ 0 };
	if (elf_is_musl(program))
		r = add_musl(&f, program, e);
	else
		r = read_glibc(&f, "/etc/ld.so.conf", 0, e) < 0 ? -1 : add_glibc(&f, program, e);
	if (r < 0)
		elf_dirs_free(out);
	return r;
}
