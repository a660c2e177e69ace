/* SPDX-License-Identifier: Apache-2.0
 * patch - an image's tar with another manifest in it, byte for byte the same before and behind it
 */
#pragma once

#include "core/archive/aci.h"
#include "core/archive/source.h"
#include "core/base/buf.h"

struct patch {
	uint64_t   begin, end; /* of the entry that goes, in the tar */
	struct buf entry;      /* what comes there: a header, the text, padding */
};

/**
 * patch_make() - an entry for @text in the place that @at tells of
 *
 * Mode, owner and time are kept as far as a header without extensions can hold them: other owners become 0:0, other
 * times 1970. They mean nothing, since the manifest is not part of the root file system.
 * -1 and ENOMEM in *e. buf_free(&p->entry) either way.
 */
int patch_make(struct patch *p, const struct aci_place *at, const char *text, size_t len, struct err *e);

/**
 * patch_source() - the new tar
 * @in: the old one, made by inflate_open(); taken over, also on failure. It must be the tar that @p was made for.
 * @p: borrowed, until the source is closed
 *
 * Who reads the new tar does not see how small the file is that it comes from: so the ratio is watched here.
 */
struct source *patch_source(const struct patch *p, struct source *in, struct err *e);
