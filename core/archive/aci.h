/* SPDX-License-Identifier: Apache-2.0
 * aci - one pass over an App Container Image: decompress, hash, keep, parse, check
 *
 * The same bytes serve all purposes: the tap sees every byte of the uncompressed tar to its very end, the
 * digest covers them, and manifest and entries are read from them.
 * Source: appc spec, spec/aci.md "Image Archives".
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/appc/finding.h"
#include "core/appc/manifest.h"
#include "core/archive/inflate.h"
#include "core/archive/tar.h"
#include "core/base/hash.h"

#define ACI_RATIO_MAX  1100u
#define ACI_RATIO_FROM (64u << 20) /* less output than this is harmless at any ratio */

/* Bounds of one image; beyond them it is refused (rule aci-bounds). 0 in a field: the default. */
struct aci_bounds {
	uint64_t max_bytes;   /* uncompressed; default 1 TiB */
	uint64_t max_entries; /* default 10 million */
	uint64_t max_ratio;   /* uncompressed : compressed above 64 MiB of output; default 1100 (deflate's own limit is 1032) */
	unsigned threads;     /* of this pass, the caller's own included; default: as many as there are processors */
};

struct aci_handler {
	void *ctx;
	/* every block of the uncompressed tar, in order (to store it); NULL: nobody */
	int (*tap)(void *ctx, const uint8_t *p, size_t len, struct err *e);
	/*
	 * every entry below rootfs/ that broke no rule; NULL: nobody. Path and target of hard links are relative to
	 * rootfs ("" is rootfs itself), attributes that belong to the host's kernel are gone; @t for tar_data().
	 * With more than 14,000 entries some duplicates and bad links are only found after the last one.
	 */
	int (*entry)(void *ctx, const struct tar_entry *entry, struct tar *t, struct err *e);
	/* progress: compressed bytes so far; NULL: nobody */
	void (*progress)(void *ctx, uint64_t in_bytes);
	/*
	 * nobody wants the digest, which then is all zero; and what nobody else wants either, the content of files in an
	 * archive that is not compressed and whose source can skip, is not read
	 */
	bool undigested;
	bool no_files; /* what otherwise goes into temporary files, the paths of many entries, is kept in memory */
};

/* the manifest's entry in the tar: its headers, text and padding; and what they say of the owner */
struct aci_place {
	uint64_t begin, end;
	uint32_t mode, uid, gid;
	int64_t  mtime_s;
};

struct aci_result {
	uint8_t               digest[HASH_SHA512_LEN]; /* sha512 of the uncompressed tar: the image ID */
	uint64_t              tar_bytes, in_bytes, n_entries;
	uint64_t              content_bytes;           /* sum of file sizes below rootfs */
	enum inflate_format   format;
	bool                  unread;                  /* the pass ended before its end, for no fault of the image */
	char                 *manifest_text;           /* as it is in the archive */
	size_t                manifest_len;
	struct aci_place      manifest_at;
	struct image_manifest manifest;
};

void aci_result_free(struct aci_result *r);

enum aci_mode {
	ACI_STRICT, /* stop at the first error (import) */
	ACI_ALL,    /* go on as long as the stream can be read and report everything, warnings too (validate) */
};

/**
 * aci_read() - reads @in (borrowed, compressed or not) to its end
 * @in: with several processors to run on, it is read, decompressed and hashed on other threads as well as the caller's;
 *      they end before this returns. Functions of @h are called on the caller's.
 * @f: receives all findings; a broken stream is a finding too (rules aci-stream, aci-tar)
 *
 * 0: read to the end and no finding of level error. -1: *e is the first error, @f has them all, and
 * *out may be partly filled (free it either way). Errors of handler functions, of @in and of this machine (memory,
 * temporary files) end the pass and are no findings: then *e is about them, and out->unread is set.
 */
int aci_read(struct source *in, const struct aci_bounds *bounds, enum aci_mode mode, const struct aci_handler *h,
	     struct aci_result *out, struct findings *f, struct err *e);

/** aci_read_manifest() - only as far as the manifest; no digest. Text and struct in *out. */
int aci_read_manifest(struct source *in, struct aci_result *out, struct findings *f, struct err *e);

/** aci_check_layout() - the same rules over an unpacked layout: manifest (regular file) and rootfs (directory), nothing else */
int aci_check_layout(int dir_fd, struct image_manifest *m, struct findings *f, struct err *e);

/** aci_audit_layout() - the warnings that aci_read() has about entries, over the rootfs of an unpacked layout
 * -1: something there could not be read */
int aci_audit_layout(int dir_fd, struct findings *f, struct err *e);

const struct appc_rule *aci_rules(void); /* of images beside those of manifests; ends with id NULL */
