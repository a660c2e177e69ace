/* SPDX-License-Identifier: Apache-2.0
 * actool cat-manifest - prints the manifest of an image file
 *
 * Only as much of the file is read as comes before the end of the manifest.
 */
#include <errno.h>
#include <fcntl.h>

#include "applets/actool/actool.h"
#include "applets/commands.h"
#include "applets/ui.h"
#include "core/archive/aci.h"
#include "core/base/fd.h"
#include "core/base/json.h"

struct cat_opts {
	struct actool_globals g;
	bool                  pretty;
};

static const struct opt cat_opts[] = {
	OPT_BOOL(0, "pretty-print", struct cat_opts, pretty, "indent the output"),
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

static int cat_file(const char *file, bool pretty, struct err *e)
{
	struct aci_result r = { 0 };
	struct findings f = { 0 };
	struct stat st;
	auto_close int fd = fd_open_input(file, &st, e);

	if (fd < 0)
		return err_wrap(e, "open");
	auto_source struct source *in = source_fd(fd, e);
	int status = !in || aci_read_manifest(in, &r, &f, e) < 0 ? -1 : print(&r, pretty, e);
	aci_result_free(&r);
	findings_free(&f);
	return status;
}

static int cat_run(void *opts, int argc, char **argv, struct err *e)
{
	const struct cat_opts *o = opts;

	if (argc != 1)
		return err_set(e, EINVAL, "must provide one image file (see --help)");
	return cat_file(argv[0], o->pretty, e) < 0 ? err_wrap(e, "%s", argv[0]) : 0;
}

const struct cmd actool_cat_manifest_cmd = {
	.name = "cat-manifest", .args = "FILE.aci", .summary = "Print the manifest of an image file.",
	.opts = cat_opts, .opts_size = sizeof(struct cat_opts), .inherits = true, .run = cat_run,
};
