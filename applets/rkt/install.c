/* SPDX-License-Identifier: Apache-2.0
 * rkt install - prepares the data directory for the members of a group
 *
 * What is as it should be is left alone, so it can be run again at any time, and mends what has come out of order.
 * Source: rkt Documentation/subcommands/install.md, dist/scripts/setup-data-dir.sh.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>

#include "applets/commands.h"
#include "applets/rkt/globals.h"
#include "applets/ui.h"
#include "core/base/fd.h"
#include "core/pod/share.h"
#include "core/store/share.h"

#define GROUP       "rkt"
#define ADMIN_GROUP "rkt-admin"

struct install_opts {
	struct rkt_globals g;
	const char        *group, *admin_group;
};

static const struct opt install_opts[] = {
	OPT_TEXT(0, "group", "NAME", struct install_opts, group, "whose members fetch images and look at pods (default " GROUP ")"),
	OPT_TEXT(0, "admin-group", "NAME", struct install_opts, admin_group,
		 "whose members change the local configuration (default " ADMIN_GROUP ")"),
	OPT_PART("Global options", rkt_globals_opts, struct install_opts, g),
	OPT_END
};

static void install_init(void *opts)
{
	struct install_opts *o = opts;

	o->group = GROUP;
	o->admin_group = ADMIN_GROUP;
}

static void changed(void *ctx, const char *what)
{
	ui_info("%s/%s", (const char *)ctx, what);
}

/* of the host's, so by the C library */
static int look_up(const char *name, gid_t *gid, struct err *e)
{
	errno = 0;
	const struct group *g = *name ? getgrnam(name) : NULL;

	if (g) {
		*gid = g->gr_gid;
		return 0;
	}
	if (errno && errno != ENOENT && errno != ESRCH)
		return err_sys(e, "group %s", name);
	return err_set(e, ENOENT, "there is no group \"%s\": make it with \"groupadd --system %s\" (BusyBox: \"addgroup -S %s\"), "
		       "then run rkt install again", name, name, name);
}

/* trustedkeys and what is in it: who may write in one of these directories may in all of them */
static int share_config(struct group_set *s, int at_fd, const char *name, int depth, struct err *e)
{
	struct err ignored;
	auto_close int fd = group_dir(s, at_fd, name, 02775, e);
	auto_dir DIR *d = fd < 0 ? NULL : fd_list(fd);
	const struct dirent *de;

	if (!d)
		return fd < 0 ? -1 : err_sys(e, "read %s", name);
	while (depth && (de = readdir(d)))
		if (de->d_type == DT_DIR && de->d_name[0] != '.' && share_config(s, fd, de->d_name, depth - 1, &ignored) < 0)
			ui_warn("%s", ignored.msg);
	return 0;
}

static int install_config(const struct install_opts *o, struct err *e)
{
	const char *dir = o->g.local_config;
	struct group_set s = { .changed = changed, .ctx = (void *)(uintptr_t)dir };
	struct err none;

	if (!dir || !*dir)
		return 0;
	if (look_up(o->admin_group, &s.gid, &none) < 0) {
		ui_info("%s is left to root: %s", dir, none.msg);
		return 0;
	}
	if (fd_mkdirs(AT_FDCWD, dir, 0755, e) < 0)
		return -1;
	auto_close int at = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (at < 0)
		return err_sys(e, "open %s", dir);
	auto_close int self = group_dir(&s, at, ".", 02775, e);
	return self < 0 || share_config(&s, at, "trustedkeys", 16, e) < 0 ? err_wrap(e, "%s", dir) : 0;
}

static int install_data(const struct install_opts *o, const char *dir, struct err *e)
{
	struct group_set s = { .changed = changed, .ctx = (void *)(uintptr_t)dir };

	if (look_up(o->group, &s.gid, e) < 0 || store_share(dir, &s, e) < 0 || pods_share(dir, &s, e) < 0)
		return -1;
	if (s.n_files)
		ui_info("%s: group and mode of %zu files and pods", dir, s.n_files);
	return 0;
}

static int install_run(void *opts, int argc, char **argv, struct err *e)
{
	const struct install_opts *o = opts;
	struct buf out = { 0 };
	struct conf c;

	if (argc)
		return err_set(e, EINVAL, "\"%s\" is too much (see --help)", argv[0]);
	if (globals_need_root(e) < 0 || globals_conf(&o->g, &c, e) < 0)
		return -1;
	int r = install_data(o, globals_dir(&o->g, &c), e);
	if (r == 0)
		r = install_config(o, e);
	conf_free(&c);
	if (r < 0)
		return -1;
	/* as rkt says it */
	buf_str(&out, "rkt directory structure successfully created.\n");
	return ui_out(&out, e);
}

const struct cmd rkt_install_cmd = {
	.name = "install", .summary = "Prepare the data directory for the members of a group.",
	.more = "Members of the group fetch, list and remove images, and look at pods, without being\n"
		"root. Can be run again at any time, and mends groups and modes then.\n",
	.opts = install_opts, .opts_size = sizeof(struct install_opts), .init = install_init, .inherits = true,
	.run = install_run,
};
