/* SPDX-License-Identifier: Apache-2.0
 * elf_closure - see elf_closure.h
 *
 * Source: ld.so(8), "Dynamic string tokens" and the order in which it looks.
 */
#include "core/archive/elf_closure.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/archive/elf_dirs.h"
#include "core/base/buf.h"
#include "core/base/fd.h"
#include "core/base/sys.h"

struct search {
	int                 root_fd;
	struct elf_closure *c;
	struct elf_dirs     dirs;
	struct buf          library_path;
	/* for the message about what was not found */
	struct buf          tried;
	unsigned            other_machine;
};

/* where a file may be, and where it would be in the image */
struct place {
	int  at_fd;
	char from[2 * ELF_STRING_MAX], to[2 * ELF_STRING_MAX];
};

/* ---- paths ---- */

/* "/a/./b//../c" -> "/a/c"; "/.." is "/", as it is to the kernel. There are no links on the way in the image. */
static void normalise(char *path)
{
	char *out = path;

	for (const char *p = path; *p;) {
		size_t n = strcspn(p + 1, "/");
		if (n == 2 && p[1] == '.' && p[2] == '.') {
			while (out > path && *--out != '/')
				;
		} else if (n && !(n == 1 && p[1] == '.')) {
			memmove(out, p, n + 1);
			out += n + 1;
		}
		p += n + 1;
	}
	*out = 0;
}

static int dir_len(const char *path)
{
	return (int)(strrchr(path, '/') - path);
}

static const char *base(const char *path)
{
	return strrchr(path, '/') + 1;
}

/* @dir: one element of a search path of @o, without tokens but $ORIGIN at its begin */
static bool make_place(const struct search *s, const struct elf_object *o, const char *dir, size_t len,
		       const char *name, struct place *p)
{
	static const char *const origins[] = { "$ORIGIN", "${ORIGIN}" };
	size_t n = 0;
	bool fits;

	for (int i = 0; i < 2 && !n; i++)
		if (len >= strlen(origins[i]) && !strncmp(dir, origins[i], strlen(origins[i])))
			n = strlen(origins[i]);
	if (memchr(dir + n, '$', len - n) || (n && n < len && dir[n] != '/') || (!n && (!len || *dir != '/')))
		return false; /* other tokens, or relative to wherever it is started */
	if (n) {
		p->at_fd = o->origin_fd;
		fits = snprintf(p->from, sizeof(p->from), "%.*s%.*s/%s", dir_len(o->found), o->found, (int)(len - n), dir + n,
			name) < (int)sizeof(p->from) &&
		       snprintf(p->to, sizeof(p->to), "%.*s%.*s/%s", dir_len(o->path), o->path, (int)(len - n), dir + n,
			name) < (int)sizeof(p->to);
	} else {
		p->at_fd = s->root_fd;
		fits = snprintf(p->from, sizeof(p->from), "%.*s/%s", (int)len, dir, name) < (int)sizeof(p->from) &&
		       snprintf(p->to, sizeof(p->to), "%s", p->from) < (int)sizeof(p->to);
	}
	if (fits)
		normalise(p->to);
	return fits;
}

/* @path: of the interpreter or a library, up to ELF_STRING_MAX bytes; the same in the image */
static struct place make_absolute(const struct search *s, const char *path)
{
	struct place p = { .at_fd = s->root_fd };

	snprintf(p.from, sizeof(p.from), "%s", path);
	snprintf(p.to, sizeof(p.to), "%s", path);
	normalise(p.to);
	return p;
}

/* ---- objects ---- */

static struct elf_object *add_object(struct search *s, const char *path, const char *found, int fd, int origin_fd,
				     size_t parent, struct err *e)
{
	struct elf_closure *c = s->c;
	struct elf_object *v = reallocarray(c->v, c->n + 1, sizeof(*v));
	struct elf_object o = { .path = strdup(path), .found = strdup(found), .fd = fd, .origin_fd = origin_fd,
		.parent = parent };

	if (v)
		c->v = v;
	if (!v || !o.path || !o.found) {
		free(o.path);
		free(o.found);
		fd_cleanup(&fd);
		err_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	v[c->n] = o;
	return &v[c->n++];
}

static bool is_there(const struct elf_closure *c, const char *name)
{
	for (size_t i = 0; i < c->n; i++)
		if (!strcmp(strchr(name, '/') ? c->v[i].path : base(c->v[i].path), name))
			return true;
	return false;
}

/* 1: taken; 0: nothing there that the loader would take; -1 */
static int try_place(struct search *s, const struct place *p, size_t parent, struct err *e)
{
	auto_close int fd = sys_open_in(p->at_fd, p->from, O_RDONLY | O_NONBLOCK, SYS_IN_ROOT | SYS_NO_MAGICLINKS);
	struct elf elf;
	struct err why;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || elf_read(fd, &elf, &why) < 0)
		return 0;
	if (!elf_same_machine(&elf, &s->c->v[0].elf)) {
		s->other_machine++;
		elf_free(&elf);
		return 0;
	}
	struct elf_object *o = NULL;
	if (s->c->n == ELF_OBJECTS_MAX)
		err_set(e, E2BIG, "%s: needs more than %u libraries", s->c->v[0].path, ELF_OBJECTS_MAX);
	else
		o = add_object(s, p->to, p->from, take_fd(&fd), p->at_fd, parent, e);
	if (!o) {
		elf_free(&elf);
		return -1;
	}
	o->elf = elf;
	return 1;
}

/* ---- looking for a library ---- */

static void note_tried(struct search *s, const char *dir, size_t len)
{
	buf_fmt(&s->tried, "%s%.*s", s->tried.len ? ", " : "", (int)len, dir);
}

/* a search path of @owner, for @parent's library */
static int try_path(struct search *s, size_t owner, const char *path, size_t parent, const char *name, struct err *e)
{
	for (const char *p = path;; p++) {
		struct place place;
		size_t n = strcspn(p, ":");
		if (make_place(s, &s->c->v[owner], p, n, name, &place)) {
			int r = try_place(s, &place, parent, e);
			if (r)
				return r;
			note_tried(s, p, n);
		}
		p += n;
		if (!*p)
			return 0;
	}
}

/* what is found where only a configuration leads would not be found in the image, which has none */
static void note_library_path(struct search *s, const struct elf_dir *d)
{
	size_t n = strlen(d->path);

	if (d->builtin)
		return;
	for (const char *p = s->library_path.data; p; p = strchr(p, ':') ? strchr(p, ':') + 1 : NULL)
		if (!strncmp(p, d->path, n) && (!p[n] || p[n] == ':'))
			return;
	buf_fmt(&s->library_path, "%s%s", s->library_path.len ? ":" : "", d->path);
}

static int try_dirs(struct search *s, size_t parent, const char *name, struct err *e)
{
	for (size_t i = 0; i < s->dirs.n; i++) {
		const struct elf_dir *d = &s->dirs.v[i];
		struct place place;
		int r = 0;
		if (make_place(s, &s->c->v[0], d->path, strlen(d->path), name, &place))
			r = try_place(s, &place, parent, e);
		if (r > 0)
			note_library_path(s, d);
		if (r)
			return r;
		note_tried(s, d->path, strlen(d->path));
	}
	return 0;
}

/* DT_RPATH is heeded along the line of those who loaded, but not next to DT_RUNPATH, which is about one file only */
static int try_all(struct search *s, size_t parent, const char *name, struct err *e)
{
	const struct elf_object *v = s->c->v;
	int r = 0;

	for (size_t i = parent; !v[parent].elf.runpath && !r; i = v[i].parent) {
		if (v[i].elf.rpath && !v[i].elf.runpath)
			r = try_path(s, i, v[i].elf.rpath, parent, name, e);
		v = s->c->v;
		if (!i)
			break;
	}
	if (!r && v[parent].elf.runpath)
		r = try_path(s, parent, v[parent].elf.runpath, parent, name, e);
	return r ? r : try_dirs(s, parent, name, e);
}

static int not_found(struct search *s, size_t parent, const char *name, struct err *e)
{
	return err_set(e, ENOENT, "library %s, which %s needs, is not there%s; looked in %.300s", name,
		s->c->v[parent].found, s->other_machine ? " for this machine" : "",
		s->tried.len && !s->tried.failed ? s->tried.data : "no directory");
}

static int find_library(struct search *s, size_t parent, const char *name, struct err *e)
{
	int r;

	buf_free(&s->tried);
	s->other_machine = 0;
	if (*name == '/') {
		struct place p = make_absolute(s, name);
		r = try_place(s, &p, parent, e);
	} else if (strchr(name, '/')) {
		return err_set(e, EINVAL, "library %s, which %s needs, would be looked for from where it is started", name,
			s->c->v[parent].found);
	} else {
		r = try_all(s, parent, name, e);
	}
	return r ? r : not_found(s, parent, name, e);
}

/* musl's loader is these libraries itself */
static bool is_musl_itself(const char *name)
{
	static const char *const parts[] = { "c.", "pthread.", "rt.", "m.", "dl.", "util.", "xnet." };

	if (strncmp(name, "lib", 3) != 0)
		return false;
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		if (!strncmp(name + 3, parts[i], strlen(parts[i])))
			return true;
	return false;
}

static int find_needed(struct search *s, size_t i, struct err *e)
{
	bool musl = elf_is_musl(&s->c->v[0].elf);

	for (size_t k = 0; k < s->c->v[i].elf.n_needed; k++) {
		const char *name = s->c->v[i].elf.needed[k];
		if (is_there(s->c, name) || (musl && is_musl_itself(name)))
			continue;
		if (find_library(s, i, name, e) < 0)
			return -1;
	}
	return 0;
}

/* ---- the program ---- */

static int find_interpreter(struct search *s, struct err *e)
{
	const struct elf_object *program = &s->c->v[0];
	const char *name = program->elf.interpreter;
	struct place p = make_absolute(s, name);
	int r = try_place(s, &p, 0, e);
	if (r)
		return r < 0 ? -1 : 0;
	return err_set(e, ENOENT, "interpreter %s, which %s needs, is not there%s", name, program->found,
		s->other_machine ? " for this machine" : "");
}

static int check_program(const struct elf *f, struct err *e)
{
	if (!f->executable)
		return err_set(e, EINVAL, "is an ELF file, but no program (an object file or a core dump?)");
	if (!elf_is_linux(f))
		return err_set(e, EINVAL, "is a program for another system than Linux (ELF OS/ABI %u)", f->os_abi);
	if (!f->interpreter && f->n_needed)
		return err_set(e, EINVAL, "needs libraries and names no interpreter: is it a library itself?");
	return 0;
}

static int find_all(struct search *s, struct err *e)
{
	const struct elf *f = &s->c->v[0].elf;

	if (!f->interpreter)
		return 0;
	if (elf_dirs_find(s->root_fd, f, &s->dirs, e) < 0 || find_interpreter(s, e) < 0)
		return -1;
	for (size_t i = 0; i < s->c->n; i++)
		if (find_needed(s, i, e) < 0)
			return -1;
	s->c->library_path = take_ptr(s->library_path.data);
	return s->library_path.failed ? err_set(e, ENOMEM, "out of memory") : 0;
}

int elf_closure_find(int root_fd, int program_fd, int origin_fd, const char *found, const char *path,
		     struct elf_closure *out, struct err *e)
{
	struct search s = { .root_fd = root_fd, .c = out };
	struct elf elf;

	*out = (struct elf_closure){ 0 };
	if (elf_read(program_fd, &elf, e) < 0) {
		fd_cleanup(&program_fd);
		return -1;
	}
	struct elf_object *o = add_object(&s, path, found, program_fd, origin_fd, 0, e);
	if (!o) {
		elf_free(&elf);
		return -1;
	}
	o->elf = elf;
	int r = check_program(&elf, e) < 0 ? -1 : find_all(&s, e);
	elf_dirs_free(&s.dirs);
	buf_free(&s.tried);
	buf_free(&s.library_path);
	if (r < 0)
		elf_closure_free(out);
	return r;
}

void elf_closure_free(struct elf_closure *c)
{
	for (size_t i = 0; i < c->n; i++) {
		free(c->v[i].path);
		free(c->v[i].found);
		fd_cleanup(&c->v[i].fd);
		elf_free(&c->v[i].elf);
	}
	free(c->v);
	free(c->library_path);
	*c = (struct elf_closure){ 0 };
}
