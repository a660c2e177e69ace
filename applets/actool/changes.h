/* SPDX-License-Identifier: Apache-2.0
 * changes - the differences between two images as diff prints them, one after the other as they are found
 */
#pragma once

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "applets/ui.h"
#include "core/base/buf.h"

struct changes {
	const char    *a, *b; /* what the two are called */
	enum ui_format format;
	size_t         n;     /* how many so far */
	struct buf     out;
	bool           failed;
	struct err     error; /* of the output */
};

/**
 * changes_value() - something has the value @a on one side and @b on the other
 * @path: of an entry; NULL: it is about the manifest
 * @field: of the entry; a JSON pointer into the manifest
 * @a, @b: taken over; NULL: not there
 */
void changes_value(struct changes *c, const char *path, const char *field, cJSON *a, cJSON *b);

/** changes_only() - an entry of type @type is only in a, or only in b */
void changes_only(struct changes *c, const char *path, bool in_a, const char *type);

/** changes_end() - prints what is left; -1 and *e when output failed, now or before */
int changes_end(struct changes *c, struct err *e);

/** changes_manifest() - all members that differ; borrowed */
void changes_manifest(struct changes *c, const cJSON *a, const cJSON *b);
