/* SPDX-License-Identifier: Apache-2.0
 * tar_parts - what tar.c is made of: extended headers (pax.c), sparse maps (sparse.c), ACLs (acl.c)
 *
 * Only tar.c and these files include this. None of them reads from a source: they are handed bytes.
 */
#pragma once

#include "core/archive/tar.h"

#define TAR_BLOCK_SIZE 512u
#define TAR_END_MAX    (64u << 20) /* programs write up to some MiB of zeros at the end; a stream of them need not have one */

/* ---- sparse.c ---- */

struct segments {
	struct tar_segment *v;
	size_t              n, cap;
};

void segments_free(struct segments *s);
int segments_add(struct segments *s, uint64_t offset, uint64_t len, struct err *e);

/** segments_from_text() - the value of GNU.sparse.map: "offset,length,offset,length..." */
int segments_from_text(struct segments *s, const char *text, struct err *e);

/**
 * segments_finish() - checks the map against the file's size and the stored bytes, drops empty segments and
 * says of each where its bytes lie (`at`)
 */
int segments_finish(struct segments *s, uint64_t file_size, uint64_t data_size, struct err *e);

/* the map of format 1.0, which stands in front of the data, as decimal numbers on lines */
struct map_reader {
	uint64_t numbers; /* read so far, the count itself included */
	uint64_t count, offset, value;
	unsigned digits;
};

/** map_reader_feed() - one block of it; 1: the map ended in this block, 0: give me the next, -1 */
int map_reader_feed(struct map_reader *m, const uint8_t block[TAR_BLOCK_SIZE], struct segments *s,
		    struct err *e);

/* ---- pax.c ---- */

enum pax_key {
	PAX_OTHER, PAX_PATH, PAX_LINKPATH, PAX_SIZE, PAX_UID, PAX_GID, PAX_MTIME, PAX_ATIME, PAX_CTIME, PAX_UNAME,
	PAX_GNAME, PAX_DEVMAJOR, PAX_DEVMINOR,
	PAX_CHARSET, PAX_ACL_ACCESS, PAX_ACL_DEFAULT, PAX_SPARSE_MAJOR, PAX_SPARSE_MINOR, PAX_SPARSE_NAME,
	PAX_SPARSE_SIZE, PAX_SPARSE_REALSIZE, PAX_SPARSE_MAP, PAX_SPARSE_OFFSET, PAX_SPARSE_NUMBYTES,
	PAX_SPARSE_NUMBLOCKS, PAX_XATTR,
};

/* One extended header. Strings point into `text`. */
struct pax {
	char             *text; /* the owner's, whole records; cut into strings by pax_parse() */
	size_t            cap;
	uint32_t          has; /* bit 1 << enum pax_key: it was there */
	const char       *path, *linkpath, *sparse_name, *sparse_map, *acl_access, *acl_default;
	uint64_t          size, uid, gid, devmajor, devminor;
	int64_t           mtime_s;
	uint32_t          mtime_ns;
	uint64_t          sparse_major, sparse_minor, sparse_size, sparse_realsize, sparse_numblocks;
	uint64_t          sparse_offset; /* waits for its length */
	struct segments   segments; /* of format 0.0: pairs of GNU.sparse.offset and GNU.sparse.numbytes */
	struct tar_xattr *xattrs;   /* names and values in text */
	size_t            n_xattrs, cap_xattrs;
};

static inline bool pax_has(const struct pax *x, enum pax_key k)
{
	return x->has >> k & 1;
}

/** pax_room() - makes text at least @len + 1 bytes */
int pax_room(struct pax *x, size_t len, struct err *e);

/** pax_parse() - reads the @len bytes in text; @global: only what can be meant for all entries is allowed */
int pax_parse(struct pax *x, size_t len, bool global, struct err *e);
void pax_reset(struct pax *x); /* keeps the memory */
void pax_free(struct pax *x);

/* ---- acl.c ---- */

/* tags as the kernel numbers them, which is also the order it wants */
enum acl_tag {
	ACL_USER_OBJ = 1, ACL_USER = 2, ACL_GROUP_OBJ = 4, ACL_GROUP = 8, ACL_MASK = 16, ACL_OTHER = 32,
};
#define ACL_NO_ID UINT32_MAX

struct acl {
	struct acl_entry { uint16_t tag, perm; uint32_t id; } *v;
	size_t n, cap;
};

void acl_free(struct acl *a);

/** acl_from_text() - "user::rwx,user:NAME:r-x:1000,..." (star, libarchive), "user:1000:r-x" (GNU tar)
 * Errors: EBADMSG malformed; ESRCH somebody is only named, without a number */
int acl_from_text(struct acl *a, const char *text, struct err *e);

/** acl_from_xattr() - the kernel's form */
int acl_from_xattr(struct acl *a, const uint8_t *p, size_t len, struct err *e);

/**
 * acl_finish() - sorts, and checks that it is a whole ACL
 * @mode: what an access ACL must agree with, in and out; NULL: a default ACL, or one whose mode does not count
 *
 * The group's bits of a mode are the ACL's mask to the kernel, but libarchive writes the group's own: both are
 * taken, and the kernel's comes out.
 */
int acl_finish(struct acl *a, uint32_t *mode, struct err *e);
bool acl_is_mode(const struct acl *a); /* says no more than permission bits do */
size_t acl_xattr_len(const struct acl *a);
void acl_to_xattr(const struct acl *a, uint8_t *out);

/* ---- tar.c: the stream ---- */

/* Layout of a header, POSIX.1-2017, pax, "ustar Interchange Format"; the sparse fields as GNU tar has them. */
struct header {
	uint8_t name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100], magic[8],
		uname[32], gname[32], devmajor[8], devminor[8];
	union {
		uint8_t prefix[155];
		struct {
			uint8_t unused[41], sparse[4 * 24], extended, real_size[12];
		} gnu;
	} u;
	uint8_t pad[12];
};
_Static_assert(sizeof(struct header) == TAR_BLOCK_SIZE, "a header fills one block");

enum tar_variant { TAR_V7, TAR_USTAR, TAR_GNU };

struct tar {
	struct source   *in;
	const uint8_t   *p; /* what is left of the source's block */
	size_t           len;
	uint64_t         offset; /* of p in the stream */
	bool             in_end, failed, done;
	struct err       error;
	void           (*fault)(void *ctx, uint64_t offset, const struct err *e); /* NULL: nothing is forgiven */
	void            *fault_ctx;
	uint64_t         data_left, padding; /* of the current entry */
	uint64_t         at;                 /* of the header being read, for errors */
	struct pax       global, local;
	bool             has_local, has_name, has_link;
	struct segments  segments;
	struct tar_xattr *xattrs;
	uint8_t          *acls[2];
	struct tar_entry entry;
	uint8_t          block[TAR_BLOCK_SIZE];
	/* with room for a trailing slash */
	char             long_name[TAR_PATH_MAX + 2], long_link[TAR_PATH_MAX + 2];
	char             path[TAR_PATH_MAX + 1], link[TAR_PATH_MAX + 1];
};

/** tar_bad() - EBADMSG, with the offset of the header being read; tar_at() adds it to what *e says already */
__attribute__((format(printf, 3, 4))) int tar_bad(const struct tar *t, struct err *e, const char *fmt, ...);
int tar_at(const struct tar *t, struct err *e);
int tar_truncated(const struct tar *t, struct err *e);

static inline uint64_t tar_padding(uint64_t size)
{
	return -size & (TAR_BLOCK_SIZE - 1);
}

/** tar_block() - lends the next block: 1, 0 when the stream ends right here, -1 */
int tar_block(struct tar *t, const uint8_t **block, struct err *e);
bool tar_all_zero(const uint8_t *p, size_t len);

/* ---- tar_entry.c: what the headers of one entry amount to ---- */

/** tar_number() - a numeric field of a header; false when it is malformed or does not fit */
bool tar_number(const uint8_t *f, size_t len, bool required, int64_t *out);

/** tar_field() - the same with bounds and an error message; only a required field may not be empty */
int tar_field(const struct tar *t, const uint8_t *f, size_t len, bool required, int64_t max, const char *what,
	      uint64_t *out, struct err *e);
#define TAR_FIELD(t, f, required, max, what, out, e) tar_field(t, f, sizeof(f), required, max, what, out, e)

/** tar_entry_set() - fills t->entry from @h and what came before it; leaves the stream at the stored data */
int tar_entry_set(struct tar *t, const struct header *h, enum tar_variant v, uint64_t size, struct err *e);
