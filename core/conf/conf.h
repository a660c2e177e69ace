/* SPDX-License-Identifier: Apache-2.0
 * conf - rkt's configuration directories: system, then local, then user; later ones override
 *
 * Files *.json in DIR/{paths.d,stage1.d,...}, each {"rktKind": ..., "rktVersion": "v1", ...}; an unknown kind or
 * version is an error that names the file. Source: rkt Documentation/configuration.md.
 */
#pragma once

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/base/err.h"

struct conf_opts { const char *system_dir, *local_dir, *user_dir; }; /* NULL: /usr/lib/rkt, /etc/rkt, none */

struct conf {
	char *data_dir;         /* paths: "data", default /var/lib/rkt */
	char *stage1_images_dir; /* paths: "stage1-images"; NULL: not set */
	char *render;           /* store: how images are rendered; NULL: not set */
	char *direct_io;        /* store: "directio": "true" or "false"; NULL: not set */
	char *verify;           /* store: "always", "never", "changed"; NULL: not set */
	char *max_size;         /* store: a quantity for num_quantity(): what image gc lets images take; NULL: not set */
	char *stage1_name, *stage1_version, *stage1_location; /* stage1: NULL: the built-in one */
};

int conf_read(const struct conf_opts *o, struct conf *c, struct err *e);
void conf_free(struct conf *c);

/**
 * conf_parse() - one file's text, as found in DIR/@kind.d, merged into @c; a value that is there already is an error
 * (two files of one directory that disagree); *c is unchanged on errors
 */
int conf_parse(const char *kind, const char *text, size_t len, struct conf *c, struct err *e);

/* ---- for kinds with more than a few fields, which are read when they are needed: auth.h ---- */

#define CONF_DIRS 3
/** conf_dirs() - system, local and user directory, the one that counts least first; NULL: none */
void conf_dirs(const struct conf_opts *o, const char *dirs[CONF_DIRS]);

typedef int conf_file(void *ctx, const char *name, const char *text, size_t len, struct err *e);
/** conf_each_file() - the files *.json of DIR/@sub, by name; errors of @fn get the path in front. No directory: no files */
int conf_each_file(const char *dir, const char *sub, conf_file *fn, void *ctx, struct err *e);
/** conf_each_file_of() - the same for those files whose names @wanted takes */
int conf_each_file_of(const char *dir, const char *sub, bool (*wanted)(const char *name), conf_file *fn, void *ctx,
		      struct err *e);
/** conf_check_head() - an object with that rktKind and rktVersion v1 */
int conf_check_head(const cJSON *j, const char *kind, struct err *e);
