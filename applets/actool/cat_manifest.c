/* SPDX-License-Identifier: Apache-2.0
 * actool cat-manifest - prints the manifest of an image file
 *
 * Only as much of the file is read as comes before the end of the manifest, unless it is encrypted: that all is as it
 * was, only the end says. One that is not valid is printed too:
 * who wants to know why needs to see it.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "applets/actool/actool.h"
#include "applets/actool/report.h"
#include "applets/commands.h"
#include "applets/passphrase.h"
#include "applets/ui.h"
#include "core/archive/aci.h"
#include "core/base/fd.h"
#include "core/base/json.h"
#include "core/trust/decrypt.h"

struct cat_opts {
	struct actool_globals g;
	bool                  pretty;
	struct passphrase_opts passphrase;
};

static const struct opt cat_opts[] = {
	OPT_BOOL(0, "pretty-print", struct cat_opts, pretty, "indent the output"),
	OPT_PART("Encrypted images", passphrase_opts, struct cat_opts, passphrase),
	OPT_PART("Global options", actool_globals_opts, struct cat_opts, g),
	OPT_END
};

/* Not the struct printed again: what the file says is what is wanted, member for member. */
static int print(const struct aci_result *r, bool pretty, struct err *e)
{
	struct buf out = { 0 };
	auto_json cJSON *j = json_parse_err(r->manifest_text, r->manifest_len, e);

	if (!j)
		return -1;
	json_print(j, pretty, &out);
	if (!pretty)
		buf_str(&out, "\n");
	return ui_out(&out, e);
}

/* several things that are wrong are told one by one; the error is the sum of them */
static int refuse(const char *file, const struct findings *f, struct err *e)
{
	if (f->errors < 2)
		return -1; /* *e is the one */
	actool_report(file, f);
	return err_set(e, EINVAL, "manifest failed validation: %zu errors", f->errors);
}

static int cat_image(const char *file, int fd, const struct cat_opts *o, struct err *e)
{
	struct aci_result r = { 0 };
	struct findings f = { 0 };
	struct err not_json;
	struct source *bottom = source_fd(fd, e);
	auto_source struct source *in = bottom ? passphrase_source(bottom, &o->passphrase, e) : NULL;

	int status = in ? aci_read_manifest(in, &r, &f, e) : -1;
	if (in && !r.unread && decrypt_is(in) && source_drain(in, e) < 0)
		status = -1;
	else if (status == 0)
		status = print(&r, o->pretty, e);
	else if (r.manifest_text && print(&r, o->pretty, &not_json) == 0)
		status = refuse(file, &f, e);
	aci_result_free(&r);
	findings_free(&f);
	return status;
}

static int cat_run(void *opts, int argc, char **argv, struct err *e)
{
	const struct cat_opts *o = opts;
	struct stat st;

	if (argc != 1)
		return err_set(e, EINVAL, "must provide one image file (see --help)");
	if (passphrase_check(&o->passphrase, argv[0], e) < 0)
		return -1;
	bool standard = !strcmp(argv[0], "-");
	const char *file = standard ? "standard input" : argv[0];
	auto_close int fd = standard ? -1 : fd_open_input(file, &st, e);
	if (!standard && fd < 0)
		return err_wrap(e, "%s: open", file);
	return cat_image(file, standard ? 0 : fd, o, e) < 0 ? err_wrap(e, "%s", file) : 0;
}

const struct cmd actool_cat_manifest_cmd = {
	.name = "cat-manifest", .args = "FILE.aci", .summary = "Print the manifest of an image file.",
	.more = "FILE.aci may be - for the standard input. A manifest that is not valid is printed\n"
		"too, with what is wrong on stderr and exit status 1.\n",
	.opts = cat_opts, .opts_size = sizeof(struct cat_opts), .inherits = true, .run = cat_run,
};
