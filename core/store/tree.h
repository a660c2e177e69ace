/* SPDX-License-Identifier: Apache-2.0
 * tree - what an app sees of one or several archives: the one model that index and extraction are made from
 *
 * Fed with the entries of archives, one archive after the other. Each reading of an archive is a pass; an image
 * that others depend on in two ways has two of them. A pass is a tree of its own until it ends. Then its white-
 * lists prune it, and it is laid over what the passes before it left:
 *   - what is no directory replaces whatever was there;
 *   - a directory replaces what was there unless that is a directory: then only its attributes count, and those
 *     only if the archive has an entry for it. A link in its way is removed, not followed.
 * A directory without an entry has mode 0755, belongs to root and has time 0: the same tree gives the same bytes.
 *
 * As an OCI layer is applied (opts.layers) a pass has no tree of its own and no whitelists. A parent that is a
 * symlink is followed inside the root, ".wh.NAME" and ".wh..wh..opq" take away what earlier passes left, of two
 * entries of one path the later one counts.
 *
 * Only the model is here: content stays in the archives, and a node says where.
 * Source: appc spec, spec/ace.md "Filesystem Setup" and spec/aci.md "pathWhitelist"; OCI image spec, layer.md,
 * "Applying Changesets".
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/appc/manifest.h"
#include "core/archive/tar.h"
#include "core/base/err.h"

struct tree_opts {
	bool   layers;
	size_t mem_max;      /* bytes of anonymous memory, the rest goes to a file; 0: 4 MiB */
	size_t window;       /* bytes of that file that are mapped at a time, until tree_finish(); 0: all */
	int    spill_dir_fd; /* where that file is made (unlinked); borrowed; -1: all stays in memory */
};

/* file offset, length, offset in the stored data */
struct tree_segment { uint64_t offset, len, at; };

/* what few entries have */
struct tree_more {
	struct tar_xattr    *xattrs;   /* sorted by name; what belongs to the host's kernel is not among them */
	struct tree_segment *segments; /* of a sparse file: ordered, not empty, not touching, inside its size */
	uint32_t             n_xattrs, n_segments;
	bool                 sparse;
};

/* An inode: one for all names of a file. Only as much of the union as its type has is there. */
struct tree_node {
	uint64_t size;     /* of a file, as a reader sees it; of a symlink, the length of its target */
	int64_t  mtime_s;
	uint32_t mtime_ns;
	uint32_t uid, gid;
	uint32_t nlink;    /* as stat(2) says it: of a directory 2 and one for each in it. Since tree_finish() */
	uint16_t mode;     /* with its type, as stat(2) says it */
	uint16_t source;   /* number of the archive, as tree_pass() was told */
	uint16_t path_len; /* of a directory: from the root to here, without slashes around it */
	bool     implicit; /* a directory that no entry told of */
	union {            /* whoever walks the finished tree keeps here what it needs; 0 and NULL before */
		uint64_t          number;
		struct tree_name *name;
	} walk;
	struct tree_more *more; /* NULL: no attributes, not sparse */
	union {
		uint64_t    data;   /* file: where its stored data begins in the archive */
		const char *target; /* symlink */
		struct { uint32_t major, minor; } rdev;
		struct {
			struct tree_name *names;  /* those in it, see tree_names() */
			struct tree_node *parent; /* of the root: itself */
			struct tree_name *self;   /* its own name; of the root: NULL */
		} dir;
	} u;
};

/* A name in a directory. Before tree_finish() the names of one are a search tree, then a sorted list. */
struct tree_name {
	union { struct tree_name *right, *next; };
	union { struct tree_name *left; struct tree_node *dir; }; /* the directory that it is in */
	struct tree_node *node; /* NULL: gone (never in a finished tree) */
	uint32_t          prio;
	uint16_t          mark; /* the pass that it came in; while whitelists are applied: how many keep it */
	uint8_t           len;
	char              s[];  /* NUL-terminated */
};

struct tree;

/** tree_new() - an empty one: a root without an entry; @o is copied */
struct tree *tree_new(const struct tree_opts *o, struct err *e);
void tree_free(struct tree *t);

/**
 * tree_pass() - begins a pass
 * @source: number of the archive, which nodes carry; the same one in another pass means the same archive
 * @whitelists: of the image itself and of every image above it that leads to this pass; each must keep a path for it
 *	to stay. NULL and empty ones keep everything. Leading directories of what is listed stay too, and a hard link
 *	keeps its content though the name that it links to goes. Borrowed until tree_pass_end().
 *
 * Errors: EOVERFLOW after 65535 passes; EINVAL whitelists with layers; ENOMEM, and those of the spill file.
 */
int tree_pass(struct tree *t, uint16_t source, const struct appc_strings *const *whitelists, size_t n_whitelists,
	      struct err *e);

/**
 * tree_add() - an entry of the pass' archive; path and target of hard links relative to the tree's root
 *
 * Errors: EINVAL below something that is no directory, or a hard link to what is no regular file (layers: to a
 * directory), or a root that is no directory; EEXIST the path has an entry (not with layers); ENOENT hard link to
 * nothing; ELOOP, ENAMETOOLONG with layers, when links lead nowhere or paths get too long; ENOMEM, ENOSPC ... by
 * the spill file. After an error the tree is only good for tree_free().
 */
int tree_add(struct tree *t, const struct tar_entry *entry, struct err *e);
int tree_pass_end(struct tree *t, struct err *e);

/**
 * tree_strains() - whether the window is too small for the order in which the entries come
 *
 * Names of a directory in no order lie everywhere: with more of them than the window holds, each entry costs some
 * dozens of page faults. Who can do without the tree better does.
 */
bool tree_strains(const struct tree *t);

#define TREE_WINDOW (4u << 20)

/**
 * tree_finish() - sorts and counts; nothing can be added after it
 *
 * By then archives have been read, and what their decoders needed was given back: a window smaller than TREE_WINDOW
 * becomes that.
 * Takes time in proportion to the number of names, and no memory.
 */
void tree_finish(struct tree *t);

struct tree_totals { uint64_t nodes, names; };

/* ---- of a finished tree ---- */

/** tree_root() - nodes may be written to by who walks, in node->walk only */
struct tree_node *tree_root(const struct tree *t);
struct tree_totals tree_totals(const struct tree *t);

/** tree_names() - the first name in a directory, in order of bytes (NULL: none); then name->next */
static inline struct tree_name *tree_names(const struct tree_node *dir)
{
	return dir->u.dir.names;
}

/** tree_step() - for each name or node that is visited: keeps what is mapped of the tree's file small (arena.h) */
void tree_step(struct tree *t);

/**
 * tree_next_dir() - the directory after @dir, parents before what is in them; NULL: that was the last
 * From tree_root() on it visits all, without a stack: a tree may be 2048 levels deep.
 */
struct tree_node *tree_next_dir(struct tree *t, const struct tree_node *dir);

/** tree_path() - of a name: "usr/bin/x" and its length; at most TAR_PATH_MAX and the NUL */
size_t tree_path(const struct tree_name *name, char out[TAR_PATH_MAX + 1]);

/** tree_reset_walk() - sets walk of all nodes back to 0, for the next one who walks */
void tree_reset_walk(struct tree *t);
