/* SPDX-License-Identifier: Apache-2.0
 * rkt trust list, rkt trust rm - what is in the keystore, and how it goes
 */
#include <errno.h>
#include <string.h>

#include "applets/commands.h"
#include "applets/rkt/globals.h"
#include "applets/rkt/keys.h"
#include "applets/ui.h"
#include "core/base/fd.h"
#include "core/trust/keyring.h"
#include "core/trust/signature.h"

struct list_opts {
	struct rkt_globals g;
	const char        *format, *prefix;
	bool               no_legend;
};

static const struct opt list_opts[] = {
	OPT_TEXT(0, "prefix", "NAME", struct list_opts, prefix, "only keys that may vouch for images of that name"),
	OPT_TEXT(0, "format", "FORMAT", struct list_opts, format, "text, json or json-pretty"),
	OPT_BOOL(0, "no-legend", struct list_opts, no_legend, "leave the heading out"),
	OPT_PART("Global options", rkt_globals_opts, struct list_opts, g),
	OPT_END
};

static const char *state_of(int code)
{
	return code == 0 ? "valid" : code == EKEYEXPIRED ? "expired" : code == EKEYREVOKED ? "revoked" : "unusable";
}

/* ---- one key, out of its file ---- */

struct row {
	const struct keystore_entry *en;
	cJSON                       *json;
	struct ui_table             *table;
};

static void add_json(const struct row *r, const struct openpgp_key *k, int64_t expires_s, const struct err *why)
{
	cJSON *uids = cJSON_AddArrayToObject(r->json, "user_ids");

	for (size_t i = 0; i < k->n_uids; i++) {
		auto_buf struct buf id = { 0 };
		buf_clean(&id, k->uid[i].text, k->uid[i].len);
		cJSON_AddItemToArray(uids, cJSON_CreateString(id.data ? id.data : ""));
	}
	cJSON_AddStringToObject(r->json, "algorithm", pubkey_algorithm(k->algorithm));
	if (k->bits)
		cJSON_AddNumberToObject(r->json, "bits", k->bits);
	cJSON_AddNumberToObject(r->json, "created", k->created);
	if (expires_s)
		cJSON_AddNumberToObject(r->json, "expires", (double)expires_s);
	cJSON_AddStringToObject(r->json, "state", state_of(why->code));
	if (why->code)
		cJSON_AddStringToObject(r->json, "reason", why->msg);
}

static void add_row(const struct row *r, const struct openpgp_key *k, int64_t expires_s, const struct err *why)
{
	char kind[64], date[DATE_LEN];
	auto_buf struct buf id = { 0 };

	snprintf(kind, sizeof(kind), k->bits ? "%s %u" : "%s", pubkey_algorithm(k->algorithm), k->bits);
	ui_table_add(r->table, kind);
	ui_table_add(r->table, date_text(k->created, date));
	ui_table_add(r->table, why->code || !expires_s ? state_of(why->code) : date_text(expires_s, date));
	if (k->n_uids)
		buf_add(&id, k->uid[0].text, k->uid[0].len);
	ui_table_add(r->table, id.data);
}

static int add_key(void *ctx, const struct openpgp_key *k, struct err *e)
{
	const struct row *r = ctx;
	struct err why = { .code = 0 };
	int64_t expires_s;

	(void)e;
	if (keyring_usable(k, ui_now_ns() / 1000000000, &expires_s, &why) == 0)
		why.code = 0;
	(r->json ? add_json : add_row)(r, k, expires_s, &why);
	return 0;
}

static void add_damaged(const struct row *r, const struct err *why)
{
	ui_warn("%s: the key is not used", why->msg);
	if (r->json)
		cJSON_AddStringToObject(r->json, "state", "damaged");
	for (int i = 0; !r->json && i < 4; i++)
		ui_table_add(r->table, i == 2 ? "damaged" : NULL);
}

/* ---- all of them ---- */

static void add_entry(struct row *r)
{
	const struct keystore_entry *en = r->en;
	struct err why;

	if (r->json) {
		cJSON_AddStringToObject(r->json, "prefix", en->prefix ? en->prefix : "");
		cJSON_AddStringToObject(r->json, "fingerprint", en->fingerprint);
		cJSON_AddStringToObject(r->json, "path", en->path);
	} else {
		ui_table_add(r->table, en->prefix ? en->prefix : "(all images)");
		ui_table_add(r->table, en->fingerprint);
	}
	if (keyring_file(en->path, en->fingerprint, add_key, r, &why) < 0)
		add_damaged(r, &why);
	if (!r->json)
		ui_table_add(r->table, en->path);
}

static cJSON *list_json(const struct keystore_list *l)
{
	cJSON *all = cJSON_CreateArray();

	for (size_t i = 0; i < l->n; i++) {
		struct row r = { .en = &l->v[i] };
		if (r.en->masked)
			continue;
		r.json = cJSON_CreateObject();
		add_entry(&r);
		cJSON_AddItemToArray(all, r.json);
	}
	return all;
}

static int list_table(const struct keystore_list *l, bool legend, struct err *e)
{
	static const char *const heads[] = { "PREFIX", "FINGERPRINT", "ALGORITHM", "CREATED", "EXPIRES", "USER ID", "PATH" };
	struct ui_table t;

	ui_table_start(&t, 7);
	for (size_t i = 0; legend && i < 7; i++)
		ui_table_add(&t, heads[i]);
	for (size_t i = 0; i < l->n; i++) {
		struct row r = { .en = &l->v[i], .table = &t };
		if (!r.en->masked)
			add_entry(&r);
	}
	return ui_table_print(&t, e);
}

static int list_run(void *opts, int argc, char **argv, struct err *e)
{
	const struct list_opts *o = opts;
	const struct keystore_dirs d = keys_dirs(&o->g);
	struct keystore_list l;
	enum ui_format f;

	if (argc)
		return err_set(e, EINVAL, "list takes no arguments, got \"%s\"", argv[0]);
	if (ui_format(o->format, &f, e) < 0 || (o->prefix ? keystore_find(&d, o->prefix, &l, e) : keystore_list(&d, &l, e)) < 0)
		return -1;
	int r = f == UI_TEXT ? list_table(&l, !o->no_legend, e) : ui_json(list_json(&l), f, e);
	keystore_list_free(&l);
	return r;
}

const struct cmd rkt_trust_list_cmd = {
	.name = "list", .summary = "List the trusted keys.",
	.opts = list_opts, .opts_size = sizeof(struct list_opts), .inherits = true, .run = list_run,
};

/* ---- rkt trust rm ---- */

struct rm_opts {
	struct rkt_globals g;
	const char        *prefix;
	bool               root;
};

static const struct opt rm_opts[] = {
	OPT_TEXT(0, "prefix", "NAME", struct rm_opts, prefix, "the prefix that the keys are trusted for"),
	OPT_BOOL(0, "root", struct rm_opts, root, "keys that are trusted for all images"),
	OPT_PART("Global options", rkt_globals_opts, struct rm_opts, g),
	OPT_END
};

/* who ends trust for one prefix may have forgotten others */
static void warn_of_rest(const struct keystore_dirs *d, const char *end)
{
	struct keystore_list l;
	struct err unused;
	size_t n = strlen(end);

	if (keystore_list(d, &l, &unused) < 0)
		return;
	for (size_t i = 0; i < l.n; i++)
		if (!l.v[i].masked && n <= strlen(l.v[i].fingerprint) &&
		    !strcmp(l.v[i].fingerprint + strlen(l.v[i].fingerprint) - n, end))
			ui_info("%s is still trusted for %s", end, l.v[i].prefix ? l.v[i].prefix : "all images");
	keystore_list_free(&l);
}

static int rm_run(void *opts, int argc, char **argv, struct err *e)
{
	const struct rm_opts *o = opts;
	struct keystore_dirs d = keys_dirs(&o->g);
	struct buf b = { 0 };

	if (!o->prefix == !o->root)
		return err_set(e, EINVAL, "one of --prefix=NAME and --root is needed");
	if (!argc)
		return err_set(e, EINVAL, "no fingerprint given (rkt trust list shows them)");
	for (int i = 0; i < argc; i++) {
		if (keystore_remove(&d, o->prefix, argv[i], e) < 0)
			return -1;
		buf_fmt(&b, "Removed key %s\n", argv[i]);
		d.warn = NULL; /* once is enough */
		warn_of_rest(&d, argv[i]);
	}
	return ui_out(&b, e);
}

const struct cmd rkt_trust_rm_cmd = {
	.name = "rm", .args = "FINGERPRINT...", .summary = "Trust keys no longer.",
	.opts = rm_opts, .opts_size = sizeof(struct rm_opts), .inherits = true, .run = rm_run,
};
