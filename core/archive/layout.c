/* SPDX-License-Identifier: Apache-2.0
 * layout - the rules of aci.c over an image that lies unpacked in a directory
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "core/archive/aci.h"
#include "core/archive/aci_parts.h"
#include "core/base/fd.h"

static void error(struct findings *f, const char *rule, const char *where, const char *text)
{
	findings_add(f, FINDING_ERROR, rule, ACI_LAYOUT, where, FINDING_NO_OFFSET, "%s", text);
}

static void check_dir(int dir_fd, struct findings *f)
{
	struct stat st;

	if (fstatat(dir_fd, "rootfs", &st, AT_SYMLINK_NOFOLLOW) < 0)
		error(f, "aci-rootfs", "", "there is no rootfs");
	else if (!S_ISDIR(st.st_mode))
		error(f, "aci-rootfs", "rootfs", "is not a directory");
}

static int check_manifest(int dir_fd, struct image_manifest *m, struct findings *f, struct err *e)
{
	auto_free char *text = NULL;
	struct stat st;
	size_t len;

	if (fstatat(dir_fd, "manifest", &st, AT_SYMLINK_NOFOLLOW) < 0) {
		error(f, "aci-manifest", "", "there is no manifest");
		return 0;
	}
	if (!S_ISREG(st.st_mode)) {
		error(f, "aci-manifest", "manifest", "is not a regular file");
		return 0;
	}
	if (fd_read_file(dir_fd, "manifest", APPC_MANIFEST_MAX, &text, &len, e) < 0) {
		if (e->code != EFBIG)
			return -1;
		error(f, "aci-manifest", "", e->msg);
		return 0;
	}
	size_t before = f->n;
	image_manifest_parse(text, len, m, f);
	manifest_locate(text, len, f, before, 0);
	return 0;
}

static int check_names(int dir_fd, struct findings *f, struct err *e)
{
	auto_dir DIR *d = fd_list(dir_fd);
	struct dirent *de;

	if (!d)
		return err_sys(e, "read directory");
	while (errno = 0, (de = readdir(d))) {
		const char *n = de->d_name;
		if (strcmp(n, ".") && strcmp(n, "..") && strcmp(n, "manifest") && strcmp(n, "rootfs"))
			error(f, "aci-toplevel", n, "is neither manifest nor rootfs");
	}
	return errno ? err_sys(e, "read directory") : 0;
}

int aci_check_layout(int dir_fd, struct image_manifest *m, struct findings *f, struct err *e)
{
	*m = (struct image_manifest){ 0 };
	if (check_manifest(dir_fd, m, f, e) < 0 || check_names(dir_fd, f, e) < 0)
		return -1;
	check_dir(dir_fd, f);
	return findings_err(f, e);
}
