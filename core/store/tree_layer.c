/* SPDX-License-Identifier: Apache-2.0
 * tree_layer - what OCI layers have beyond images: whiteouts, and parents that are symlinks
 *
 * Source: OCI image spec, layer.md, "Applying Changesets" and "Whiteouts"; which links are followed as chroot(2)
 * and the kernel would.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "core/store/tree_parts.h"

#define LINKS_MAX 40    /* as the kernel's */
#define STEPS_MAX 16384 /* names on the way, all links' targets counted */
#define WHITEOUT  ".wh."
#define OPAQUE    ".wh..wh..opq"
#define AUFS      ".wh..wh." /* of a file system that once made layers: nothing for us */

/* ---- links ---- */

struct walk {
	struct tree *t;
	bool         create;
	unsigned     links, steps;
};

static int follow(struct walk *w, struct tree_node **dir, const char *path, size_t len, struct err *e);

static int follow_link(struct walk *w, struct tree_node **dir, const struct tree_name *name, struct err *e)
{
	const struct tree_node *link = name->node;

	if (++w->links > LINKS_MAX)
		return err_set(e, ELOOP, "rootfs: \"%s\": too many symbolic links", name->s);
	if (*link->u.target == '/')
		*dir = w->t->root;
	return follow(w, dir, link->u.target, (size_t)link->size, e);
}

/* the name in *dir, made if that is wanted; *dir is NULL when there is none */
static int step(struct walk *w, struct tree_node **dir, const char *s, size_t len, struct err *e)
{
	struct tree_node *d = *dir;

	if (++w->steps > STEPS_MAX)
		return err_set(e, ELOOP, "rootfs: links lead on and on");
	if (len == 2 && !memcmp(s, "..", 2)) {
		*dir = d->u.dir.parent; /* the root's is the root */
		return 0;
	}
	if (len > TAR_NAME_MAX || d->path_len + 1u + len > TAR_PATH_MAX)
		return err_set(e, ENAMETOOLONG, "rootfs: \"%.100s\" leads too deep", s);
	struct tree_name *name = w->create ? name_put(w->t, d, s, len, e) : name_find(w->t, d, s, len);
	if (w->create && !name)
		return -1;
	if (!name || !name->node) {
		*dir = w->create ? tree_make_dir(w->t, d, name, e) : NULL;
		return w->create && !*dir ? -1 : 0;
	}
	if (S_ISLNK(name->node->mode))
		return follow_link(w, dir, name, e);
	if (!S_ISDIR(name->node->mode))
		return err_set(e, EINVAL, "rootfs: \"%s\" has entries below it, but is not a directory", name->s);
	*dir = name->node;
	return 0;
}

/* Recursion ends with the number of links. */
static int follow(struct walk *w, struct tree_node **dir, const char *path, size_t len, struct err *e)
{
	const char *end = path + len;

	while (*dir && path < end) {
		const char *slash = memchr(path, '/', (size_t)(end - path));
		size_t n = (size_t)((slash ? slash : end) - path);
		if (n && !(n == 1 && *path == '.') && step(w, dir, path, n, e) < 0)
			return -1;
		path += n + (slash ? 1 : 0);
	}
	return 0;
}

int layer_walk(struct tree *t, const char *path, size_t len, bool create, struct tree_node **dir, struct err *e)
{
	struct walk w = { .t = t, .create = create };

	*dir = t->root;
	return follow(&w, dir, path, len, e) < 0 ? err_wrap(e, "rootfs/%.*s", (int)len, path) : 0;
}

/* ---- whiteouts ---- */

/* an entry of this very pass is never hidden by it */
static bool is_older(const struct tree *t, const struct tree_name *n)
{
	return n->mark < t->pass;
}

/* it only is there for what this pass put into it */
static void forget_attributes(struct tree *t, struct tree_name *name)
{
	struct tree_node *n = name->node;

	n->mode = S_IFDIR | 0755;
	n->uid = n->gid = n->mtime_ns = 0;
	n->mtime_s = 0;
	n->more = NULL;
	n->implicit = true;
	name->mark = t->pass;
}

static void hide(struct tree *t, struct tree_name *n)
{
	if (!is_older(t, n))
		return;
	if (S_ISDIR(n->node->mode) && name_after(t, n->node, NULL, 0))
		forget_attributes(t, n);
	else
		tree_detach(t, n);
}

/* everything older below @top, deepest first */
static void hide_below(struct tree *t, struct tree_node *top)
{
	struct tree_node *dir = top;
	struct tree_name *n = name_after(t, dir, NULL, 0);

	while (n || dir != top) {
		if (n && S_ISDIR(n->node->mode)) {
			dir = n->node;
			n = name_after(t, dir, NULL, 0);
			continue;
		}
		if (!n) {
			n = dir->u.dir.self;
			dir = dir->u.dir.parent;
		}
		hide(t, n);
		n = name_after(t, dir, n->s, n->len);
	}
}

bool layer_whiteout(struct tree *t, struct tree_node *dir, const char *s, size_t len)
{
	if (len <= strlen(WHITEOUT) || strncmp(s, WHITEOUT, strlen(WHITEOUT)) != 0)
		return false;
	if (!strcmp(s, OPAQUE)) {
		hide_below(t, dir);
		return true;
	}
	if (!strncmp(s, AUFS, strlen(AUFS)))
		return true;
	struct tree_name *n = name_find(t, dir, s + strlen(WHITEOUT), len - strlen(WHITEOUT));
	if (n && n->node) {
		if (S_ISDIR(n->node->mode))
			hide_below(t, n->node);
		hide(t, n);
	}
	return true;
}
