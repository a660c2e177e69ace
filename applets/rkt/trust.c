/* SPDX-License-Identifier: Apache-2.0
 * rkt trust - which keys may vouch for images: add, list, remove
 *
 * Adding asks, with fingerprint and user ids on the terminal, unless --skip-fingerprint-review.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "applets/commands.h"
#include "applets/rkt/globals.h"
#include "applets/ui.h"
#include "core/base/fd.h"
#include "core/trust/armor.h"
#include "core/trust/keystore.h"
#include "core/trust/openpgp.h"

#define KEY_FILE_MAX (1u << 20)

struct trust_opts {
	struct rkt_globals g;
	const char        *prefix;
	bool               root, skip_review;
};

static const struct opt trust_opts[] = {
	OPT_TEXT(0, "prefix", "NAME", struct trust_opts, prefix, "trust the keys for images whose names begin with NAME"),
	OPT_BOOL(0, "root", struct trust_opts, root, "trust the keys for all images"),
	OPT_BOOL(0, "skip-fingerprint-review", struct trust_opts, skip_review, "do not ask"),
	OPT_PART("Global options", rkt_globals_opts, struct trust_opts, g),
	OPT_END
};

static void show_key(const struct trust_opts *o, const char *file, const struct openpgp_key *k, struct buf *b)
{
	if (o->root)
		buf_str(b, "prefix: \"\" (all images)\n");
	else
		buf_fmt(b, "prefix: \"%s\"\n", o->prefix);
	buf_str(b, "key: \"");
	buf_clean(b, file, strlen(file));
	buf_str(b, "\"\ngpg key fingerprint is:");
	for (size_t i = 0; k->fingerprint[i]; i++)
		buf_fmt(b, "%s%c", i % 4 ? "" : " ", k->fingerprint[i] >= 'a' ? k->fingerprint[i] - 32 : k->fingerprint[i]);
	buf_fmt(b, "\n\t%s", openpgp_algorithm(k->algorithm));
	if (k->bits)
		buf_fmt(b, " %u", k->bits);
	for (size_t i = 0; i < k->n_uids; i++) {
		buf_str(b, "\n\t");
		buf_clean(b, k->uid[i].text, k->uid[i].len);
	}
	buf_str(b, "\n");
}

static int trust_key(const struct trust_opts *o, const char *file, const struct openpgp_key *k, struct err *e)
{
	struct buf b = { 0 };
	char *path;

	show_key(o, file, k, &b);
	if (ui_out(&b, e) < 0)
		return -1;
	if (!o->skip_review && !ui_ask("Are you sure you want to trust this key (yes/no)?"))
		return err_set(e, ECANCELED, "key %s was not accepted", k->fingerprint);
	if (keystore_add(o->g.local_config, o->root ? NULL : o->prefix, k->fingerprint, k->data, k->data_len,
			 &path, e) < 0)
		return -1;
	if (o->root)
		buf_fmt(&b, "Added root key at \"%s\"\n", path);
	else
		buf_fmt(&b, "Added key for prefix \"%s\" at \"%s\"\n", o->prefix, path);
	free(path);
	return ui_out(&b, e);
}

static int trust_block(const struct trust_opts *o, const char *file, const struct buf *block, struct err *e)
{
	const uint8_t *p = (const uint8_t *)block->data;
	size_t len = block->len;
	struct openpgp_key k;
	int r;

	while ((r = openpgp_key(&p, &len, &k, e)) > 0)
		if (trust_key(o, file, &k, e) < 0)
			return -1;
	return r;
}

static int trust_file(const struct trust_opts *o, const char *file, struct err *e)
{
	auto_free char *text = NULL;
	const char *p;
	size_t len;
	int r, n = 0;

	if (strstr(file, "://"))
		return err_set(e, ENOTSUP, "keys from URLs are not fetched by this version; download %s and name the file",
			       file);
	if (fd_read_file(AT_FDCWD, file, KEY_FILE_MAX, &text, &len, e) < 0)
		return -1;
	p = text;
	do {
		auto_buf struct buf block = { 0 };
		r = armor_decode(&p, &len, "PUBLIC KEY BLOCK", &block, e);
		if (r > 0 && trust_block(o, file, &block, e) < 0)
			r = -1;
		n += r > 0;
	} while (r > 0);
	if (r == 0 && !n)
		return err_set(e, EINVAL, "%s: no armored public key in it (gpg --armor --export KEY writes one)", file);
	return r < 0 ? err_wrap(e, "%s", file) : 0;
}

static int trust_run(void *opts, int argc, char **argv, struct err *e)
{
	const struct trust_opts *o = opts;

	if (!o->prefix && !o->root)
		return err_set(e, EINVAL, "--prefix=NAME or --root is needed: what shall the keys be trusted for?");
	if (o->prefix && o->root)
		return err_set(e, EINVAL, "--prefix and --root exclude each other");
	if (!argc)
		return err_set(e, EINVAL, "no key file given (keys are not discovered by this version)");
	for (int i = 0; i < argc; i++)
		if (trust_file(o, argv[i], e) < 0)
			return -1;
	return 0;
}

/* ---- rkt trust list ---- */

struct trust_list_opts {
	struct rkt_globals g;
	const char        *format;
	bool               no_legend;
};

static const struct opt trust_list_opts[] = {
	OPT_TEXT(0, "format", "FORMAT", struct trust_list_opts, format, "text, json or json-pretty"),
	OPT_BOOL(0, "no-legend", struct trust_list_opts, no_legend, "leave the heading out"),
	OPT_PART("Global options", rkt_globals_opts, struct trust_list_opts, g),
	OPT_END
};

static void warn(void *ctx, const char *text)
{
	(void)ctx;
	ui_warn("%s", text);
}

static struct keystore_dirs dirs_of(const struct rkt_globals *g)
{
	return (struct keystore_dirs){ g->system_config, g->local_config, g->user_config, .warn = warn };
}

static cJSON *list_json(const struct keystore_list *l)
{
	cJSON *all = cJSON_CreateArray();

	for (size_t i = 0; i < l->n; i++) {
		cJSON *j = cJSON_CreateObject();
		if (l->v[i].masked) {
			cJSON_Delete(j);
			continue;
		}
		cJSON_AddStringToObject(j, "prefix", l->v[i].prefix ? l->v[i].prefix : "");
		cJSON_AddStringToObject(j, "fingerprint", l->v[i].fingerprint);
		cJSON_AddStringToObject(j, "path", l->v[i].path);
		cJSON_AddItemToArray(all, j);
	}
	return all;
}

static int list_table(const struct keystore_list *l, bool legend, struct err *e)
{
	struct ui_table t;

	ui_table_start(&t, 3);
	if (legend) {
		ui_table_add(&t, "PREFIX");
		ui_table_add(&t, "FINGERPRINT");
		ui_table_add(&t, "PATH");
	}
	for (size_t i = 0; i < l->n; i++) {
		if (l->v[i].masked)
			continue;
		ui_table_add(&t, l->v[i].prefix ? l->v[i].prefix : "(all images)");
		ui_table_add(&t, l->v[i].fingerprint);
		ui_table_add(&t, l->v[i].path);
	}
	return ui_table_print(&t, e);
}

static int trust_list_run(void *opts, int argc, char **argv, struct err *e)
{
	const struct trust_list_opts *o = opts;
	struct keystore_dirs d = dirs_of(&o->g);
	struct keystore_list l;
	enum ui_format f;

	if (argc)
		return err_set(e, EINVAL, "list takes no arguments, got \"%s\"", argv[0]);
	if (ui_format(o->format, &f, e) < 0 || keystore_list(&d, &l, e) < 0)
		return -1;
	int r = f == UI_TEXT ? list_table(&l, !o->no_legend, e) : ui_json(list_json(&l), f, e);
	keystore_list_free(&l);
	return r;
}

const struct cmd rkt_trust_list_cmd = {
	.name = "list", .summary = "List the trusted keys.",
	.opts = trust_list_opts, .opts_size = sizeof(struct trust_list_opts), .inherits = true, .run = trust_list_run,
};

/* ---- rkt trust rm ---- */

static const struct opt trust_rm_opts[] = {
	OPT_TEXT(0, "prefix", "NAME", struct trust_opts, prefix, "the prefix that the keys are trusted for"),
	OPT_BOOL(0, "root", struct trust_opts, root, "keys that are trusted for all images"),
	OPT_PART("Global options", rkt_globals_opts, struct trust_opts, g),
	OPT_END
};

static int trust_rm_run(void *opts, int argc, char **argv, struct err *e)
{
	const struct trust_opts *o = opts;
	struct keystore_dirs d = dirs_of(&o->g);
	struct buf b = { 0 };

	if (!o->prefix == !o->root)
		return err_set(e, EINVAL, "one of --prefix=NAME and --root is needed");
	if (!argc)
		return err_set(e, EINVAL, "no fingerprint given (rkt trust list shows them)");
	for (int i = 0; i < argc; i++) {
		if (keystore_remove(&d, o->prefix, argv[i], e) < 0)
			return -1;
		buf_fmt(&b, "Removed key %s\n", argv[i]);
	}
	return ui_out(&b, e);
}

const struct cmd rkt_trust_rm_cmd = {
	.name = "rm", .args = "FINGERPRINT...", .summary = "Trust keys no longer.",
	.opts = trust_rm_opts, .opts_size = sizeof(struct trust_opts), .inherits = true, .run = trust_rm_run,
};

static const struct cmd *const trust_sub[] = { RKT_TRUST_COMMANDS(COMMAND_ENTRY) NULL };

const struct cmd rkt_trust_cmd = {
	.name = "trust", .args = "[KEYFILE...]", .summary = "Trust keys to vouch for images.",
	.opts = trust_opts, .opts_size = sizeof(struct trust_opts), .inherits = true,
	.sub = trust_sub, .run = trust_run,
};
