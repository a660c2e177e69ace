/* SPDX-License-Identifier: Apache-2.0
 * verify - whether the blob of an image is still what was imported
 *
 * info/ records a seal of every blob: its inode, change and modification time and, where the file system has
 * fs-verity, the digest that makes the kernel check every page that is read. A blob that bears its seal is taken
 * as it is; any other is hashed once more, and gets a new seal when it is right. One that is not right is marked
 * in info/, is not used any more, and is replaced by the next import of the image.
 * The index that was written with it has a seal as well, which spares the first mount its checksum.
 */
#pragma once

#include "core/store/store.h"

enum verify_policy {
	VERIFY_CHANGED, /* what does not bear its seal is hashed */
	VERIFY_ALWAYS,  /* everything is hashed */
	VERIFY_NEVER,   /* nothing is; what is known to be damaged is refused all the same */
};

/** verify_policy_parse() - "changed", "always" or "never"; EINVAL */
int verify_policy_parse(const char *s, enum verify_policy *out, struct err *e);

struct verify_opts {
	enum verify_policy policy;
	void *ctx;
	/* of a blob that is being hashed: first with @done 0, last with @done == @total, also when it fails */
	void (*progress)(void *ctx, uint64_t done, uint64_t total);
};
/** store_on_verify() - how verify_image() goes about it; without this: VERIFY_CHANGED and nobody is told */
void store_on_verify(struct store *st, const struct verify_opts *o);

/**
 * verify_image() - asked before the content of a blob is served to anybody, by render_image() for one
 *
 * An image that was found to be good is not looked at again through this @st.
 * Errors: ENOENT no such image; EBADMSG it is damaged: the message names image, file and remedy, and info/ has a mark.
 */
int verify_image(struct store *st, const struct image_id *id, struct err *e);

/** verify_unchanged() - whether the blob bears its seal and has no mark; reads nothing of it */
bool verify_unchanged(struct store *st, const struct image_info *i);
/** verify_index_unchanged() - whether the index of this image bears its seal, and that is enough by the policy */
bool verify_index_unchanged(struct store *st, const struct image_id *id, int index_fd);

/** verify_is_digest() - whether a SHA-512 is the one that the ID stands for */
bool verify_is_digest(const struct image_id *id, const uint8_t digest[64]);

/**
 * verify_damage() - for whoever finds wrong content on another way: leaves the mark, fills *e, returns -1
 * @what: "hashes to sha512-..."
 */
int verify_damage(struct store *st, const struct image_id *id, const char *what, struct err *e);
