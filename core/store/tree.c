/* SPDX-License-Identifier: Apache-2.0
 * tree - see tree.h: one entry after the other
 */
#include "core/store/tree.h"

#include <errno.h>
#include <linux/limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "core/base/defence.h"
#include "core/store/tree_parts.h"

#define MEM_MAX     (4u << 20)
#define ACL_ACCESS  "system.posix_acl_access"
#define ACL_DEFAULT "system.posix_acl_default"

/* ---- nodes ---- */

static size_t node_size(unsigned type)
{
	const struct tree_node *n = NULL;

	return offsetof(struct tree_node, u) + (type == S_IFDIR ? sizeof(n->u.dir) : sizeof(n->u.data));
}

static struct tree_node *new_node(struct tree *t, unsigned type, struct err *e)
{
	struct tree_node *n = arena_alloc(&t->arena, node_size(type), e);

	if (!n)
		return NULL;
	n->mode = (uint16_t)type;
	n->source = t->source;
	return n;
}

/* as any two readers of the same archives must have it */
static struct tree_node *new_dir(struct tree *t, struct err *e)
{
	struct tree_node *n = new_node(t, S_IFDIR, e);

	if (n) {
		n->mode |= 0755;
		n->implicit = true;
	}
	return n;
}

static struct tree_node *new_root(struct tree *t, struct err *e)
{
	struct tree_node *n = new_dir(t, e);

	if (n)
		n->u.dir.parent = n;
	return n;
}

void tree_attach(struct tree *t, struct tree_node *dir, struct tree_name *name, struct tree_node *node)
{
	if (name->node && name->node != node)
		t->last_dir = NULL; /* it may have led there */
	name->node = node;
	name->mark = t->layers ? t->pass : 0;
	if (S_ISDIR(node->mode)) {
		node->u.dir.parent = dir;
		node->u.dir.self = name;
	}
}

void tree_detach(struct tree *t, struct tree_name *name)
{
	t->last_dir = NULL;
	name->node = NULL;
}

static size_t path_len(const struct tree_node *dir, size_t len)
{
	return dir->path_len + (dir->path_len ? 1u : 0u) + len;
}

static bool is_name(const char *s, size_t len)
{
	return len && !(len <= 2 && !memcmp(s, "..", len));
}

/* tar.h bounds what archives say; links that are followed make paths longer than that */
static struct tree_name *put_name(struct tree *t, struct tree_node *dir, const char *s, size_t len, struct err *e)
{
	if (!is_name(s, len)) {
		err_set(e, EINVAL, "rootfs: \"%.*s\" is no name", (int)len, s);
		return NULL;
	}
	if (len <= TAR_NAME_MAX && path_len(dir, len) <= TAR_PATH_MAX)
		return name_put(t, dir, s, len, e);
	err_set(e, ENAMETOOLONG, "rootfs: \"%.*s...\" lies too deep", 100, s);
	return NULL;
}

struct tree_node *tree_make_dir(struct tree *t, struct tree_node *dir, struct tree_name *name, struct err *e)
{
	struct tree_node *n = new_dir(t, e);

	if (n) {
		n->path_len = (uint16_t)path_len(dir, name->len);
		tree_attach(t, dir, name, n);
	}
	return n;
}

/* ---- parents ---- */

static int below_other(const char *path, size_t len, struct err *e)
{
	return err_set(e, EINVAL, "rootfs/%.*s: has entries below it, but is not a directory", (int)len, path);
}

/* the directory @path, as it stands there; *dir is NULL when it is missing and not to be made */
static int plain_walk(struct tree *t, const char *path, size_t len, bool create, struct tree_node **dir, struct err *e)
{
	struct tree_node *d = t->at;

	for (size_t at = 0; d && at < len;) {
		size_t n = strcspn(path + at, "/");
		struct tree_name *name = create ? put_name(t, d, path + at, n, e) : name_find(t, d, path + at, n);
		if (create && !name)
			return -1;
		at += n;
		if (name && name->node && !S_ISDIR(name->node->mode))
			return below_other(path, at, e);
		d = name && name->node ? name->node : create ? tree_make_dir(t, d, name, e) : NULL;
		if (create && !d)
			return -1;
		at++;
	}
	*dir = d;
	return 0;
}

static int walk_to(struct tree *t, const char *path, size_t len, bool create, struct tree_node **dir, struct err *e)
{
	return t->layers ? layer_walk(t, path, len, create, dir, e) : plain_walk(t, path, len, create, dir, e);
}

/* *name points into @path, behind its last slash */
static struct tree_node *parent_of(struct tree *t, const char *path, const char **name, struct err *e)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 0;

	*name = slash ? slash + 1 : path;
	if (t->last_dir && t->last_len == len && !memcmp(t->last, path, len))
		return t->last_dir;
	t->last_dir = NULL;
	if (walk_to(t, path, len, true, &t->last_dir, e) < 0)
		return NULL;
	memcpy(t->last, path, len);
	t->last_len = len;
	return t->last_dir;
}

/* ---- attributes ---- */

static bool begins(const char *s, const char *with)
{
	return !strncmp(s, with, strlen(with));
}

/*
 * What the kernel lets a file of that type have, and what does not belong to the host's kernel: an index could
 * say more than a tree of real files, and apps must not see which of them they run on.
 */
static bool is_kept(const char *attr, unsigned type)
{
	if (strlen(attr) > XATTR_NAME_MAX)
		return false;
	if (!strcmp(attr, ACL_ACCESS))
		return type != S_IFLNK;
	if (!strcmp(attr, ACL_DEFAULT))
		return type == S_IFDIR;
	if (!strcmp(attr, "security.capability"))
		return type == S_IFREG;
	if (!DEFENCE("xattrs"))
		return true;
	return begins(attr, "user.") && !begins(attr, "user.overlay.") && (type == S_IFREG || type == S_IFDIR);
}

static void *keep(struct tree *t, const void *data, size_t len, struct err *e)
{
	void *p = arena_alloc(&t->arena, len, e);

	return p ? memcpy(p, data, len) : NULL;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct tar_xattr *)a)->name, ((const struct tar_xattr *)b)->name);
}

static int keep_xattrs(struct tree *t, struct tree_more *m, const struct tar_entry *en, size_t n, unsigned type,
		       struct err *e)
{
	m->xattrs = arena_alloc(&t->arena, n * sizeof(*m->xattrs), e);
	if (!m->xattrs)
		return -1;
	for (size_t i = 0; i < en->n_xattrs; i++) {
		const struct tar_xattr *from = &en->xattrs[i];
		struct tar_xattr *to = &m->xattrs[m->n_xattrs];
		if (!is_kept(from->name, type))
			continue;
		to->len = from->len;
		to->name = keep(t, from->name, strlen(from->name) + 1, e);
		to->value = to->name ? keep(t, from->value, from->len, e) : NULL;
		if (!to->value)
			return -1;
		m->n_xattrs++;
	}
	qsort(m->xattrs, m->n_xattrs, sizeof(*m->xattrs), by_name);
	return 0;
}

/* without those that only go on where the one before ends */
static int keep_segments(struct tree *t, struct tree_more *m, const struct tar_entry *en, struct err *e)
{
	m->sparse = true;
	m->segments = arena_alloc(&t->arena, en->n_segments * sizeof(*m->segments), e);
	if (!m->segments)
		return -1;
	uint64_t at = 0;
	for (size_t i = 0; i < en->n_segments; i++) {
		const struct tar_segment *s = &en->segments[i];
		struct tree_segment *last = m->n_segments ? &m->segments[m->n_segments - 1] : NULL;
		if (last && last->offset + last->len == s->offset)
			last->len += s->len;
		else
			m->segments[m->n_segments++] = (struct tree_segment){ s->offset, s->len, at };
		at += s->len;
	}
	return 0;
}

static int set_more(struct tree *t, struct tree_node *node, const struct tar_entry *en, struct err *e)
{
	unsigned type = node->mode & S_IFMT;
	size_t n = 0;

	node->more = NULL;
	for (size_t i = 0; i < en->n_xattrs; i++)
		n += is_kept(en->xattrs[i].name, type);
	bool holes = en->sparse && en->size && (en->n_segments != 1 || en->segments[0].len != en->size);
	if (!n && !holes)
		return 0;
	struct tree_more *m = arena_alloc(&t->arena, sizeof(*m), e);
	if (!m || (n && keep_xattrs(t, m, en, n, type, e) < 0) || (holes && keep_segments(t, m, en, e) < 0))
		return -1;
	node->more = m;
	return 0;
}

static int set_attributes(struct tree *t, struct tree_node *node, const struct tar_entry *en, struct err *e)
{
	node->mode = (uint16_t)((node->mode & S_IFMT) | en->mode);
	node->uid = en->uid;
	node->gid = en->gid;
	node->mtime_s = en->mtime_s;
	node->mtime_ns = en->mtime_ns;
	node->source = t->source;
	node->implicit = false;
	return set_more(t, node, en, e);
}

/* ---- entries ---- */

static int set_target(struct tree *t, struct tree_node *node, const char *target, struct err *e)
{
	node->size = strlen(target);
	node->u.target = keep(t, target, node->size + 1, e);
	return node->u.target ? 0 : -1;
}

static int add_other(struct tree *t, struct tree_node *dir, struct tree_name *name, const struct tar_entry *en,
		     struct err *e)
{
	static const unsigned types[] = {
		[TAR_FILE] = S_IFREG, [TAR_SYMLINK] = S_IFLNK, [TAR_CHAR] = S_IFCHR,
		[TAR_BLOCK] = S_IFBLK, [TAR_FIFO] = S_IFIFO,
	};
	struct tree_node *node = new_node(t, types[en->type], e);

	if (!node || set_attributes(t, node, en, e) < 0)
		return -1;
	if (en->type == TAR_SYMLINK) {
		if (set_target(t, node, en->link, e) < 0)
			return -1;
		node->mode |= 0777; /* all that a symlink can have */
	} else if (en->type == TAR_FILE) {
		node->size = en->size;
		node->u.data = en->data_offset;
	} else if (en->type != TAR_FIFO) {
		node->u.rdev.major = en->rdev_major;
		node->u.rdev.minor = en->rdev_minor;
	}
	tree_attach(t, dir, name, node);
	return 0;
}

static int add_dir(struct tree *t, struct tree_node *dir, struct tree_name *name, const struct tar_entry *en,
		   struct err *e)
{
	struct tree_node *node = name->node && S_ISDIR(name->node->mode) ? name->node : tree_make_dir(t, dir, name, e);

	if (!node)
		return -1;
	name->mark = t->layers ? t->pass : 0;
	return set_attributes(t, node, en, e);
}

static int link_to(const struct tar_entry *en, int why, const char *what, struct err *e)
{
	return err_set(e, why, "rootfs/%s: hard link to rootfs/%s, which is %s", en->path, en->link, what);
}

static int add_link(struct tree *t, struct tree_node *dir, struct tree_name *name, const struct tar_entry *en,
		    struct err *e)
{
	const char *slash = strrchr(en->link, '/'), *last = slash ? slash + 1 : en->link;
	struct tree_node *from;

	if (walk_to(t, en->link, slash ? (size_t)(slash - en->link) : 0, false, &from, e) < 0)
		return err_wrap(e, "rootfs/%s: hard link", en->path);
	struct tree_name *target = from && *last ? name_find(t, from, last, strlen(last)) : NULL;
	if (!target || !target->node)
		return link_to(en, ENOENT, "not there", e);
	if (t->layers ? S_ISDIR(target->node->mode) : !S_ISREG(target->node->mode))
		return link_to(en, EINVAL, t->layers ? "a directory" : "no regular file", e);
	tree_attach(t, dir, name, target->node);
	return 0;
}

static int add_root(struct tree *t, const struct tar_entry *en, struct err *e)
{
	if (en->type != TAR_DIR)
		return err_set(e, EINVAL, "rootfs: is not a directory");
	if (!t->at->implicit && !t->layers)
		return err_set(e, EEXIST, "rootfs: is in the image twice");
	return set_attributes(t, t->at, en, e);
}

int tree_add(struct tree *t, const struct tar_entry *en, struct err *e)
{
	const char *last;

	t->n_added++;
	if (!*en->path)
		return add_root(t, en, e);
	struct tree_node *dir = parent_of(t, en->path, &last, e);
	if (!dir)
		return -1;
	if (t->layers && layer_whiteout(t, dir, last, strlen(last)))
		return 0;
	struct tree_name *name = put_name(t, dir, last, strlen(last), e);
	if (!name)
		return -1;
	/* it may be there already for something in it that the archive lists first */
	if (name->node && !t->layers && (en->type != TAR_DIR || !name->node->implicit))
		return err_set(e, EEXIST, "rootfs/%s: is in the image twice", en->path);
	if (en->type == TAR_HARDLINK)
		return add_link(t, dir, name, en, e);
	return en->type == TAR_DIR ? add_dir(t, dir, name, en, e) : add_other(t, dir, name, en, e);
}

/* one for three entries is usual; of archives in the order of a file system's directories two to five for each */
#define STRAIN_FAULTS  8
#define STRAIN_ENTRIES 4096

bool tree_strains(const struct tree *t)
{
	return t->arena.n_faults > (t->n_added + STRAIN_ENTRIES) * STRAIN_FAULTS;
}

/* ---- begin and end ---- */

struct tree *tree_new(const struct tree_opts *o, struct err *e)
{
	struct tree *t = calloc(1, sizeof(*t));

	if (!t) {
		err_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	arena_init(&t->arena, o->mem_max ? o->mem_max : MEM_MAX, o->spill_dir_fd);
	t->arena.window = o->window;
	t->layers = o->layers;
	if (getrandom(&t->random, sizeof(t->random), 0) != (ssize_t)sizeof(t->random))
		t->random = (uintptr_t)t;
	t->random |= 1; /* all zeros would stay so */
	t->root = new_root(t, e);
	if (t->root)
		return t;
	tree_free(t);
	return NULL;
}

void tree_free(struct tree *t)
{
	if (t)
		arena_free(&t->arena);
	free(t);
}

static bool any_whitelist(const struct appc_strings *const *whitelists, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (whitelists[i] && whitelists[i]->n)
			return true;
	return false;
}

int tree_pass(struct tree *t, uint16_t source, const struct appc_strings *const *whitelists, size_t n_whitelists,
	      struct err *e)
{
	bool filtered = any_whitelist(whitelists, n_whitelists);

	if (filtered && t->layers)
		return err_set(e, EINVAL, "layers have no path whitelists");
	if (t->pass == UINT16_MAX || n_whitelists >= UINT16_MAX)
		return err_set(e, EOVERFLOW, "too many images in one");
	t->source = source;
	t->whitelists = whitelists;
	t->n_whitelists = filtered ? n_whitelists : 0;
	t->last_dir = NULL;
	t->at = t->layers || (!t->pass && !filtered) ? t->root : new_root(t, e);
	if (!t->at)
		return -1;
	t->pass++;
	return 0;
}
