/* SPDX-License-Identifier: Apache-2.0
 * volume - see volume.h
 */
#include "core/pod/volume.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/fd.h"
#include "core/base/sys.h"

/*
 * What writes to the node of a device that is not there makes a file of it, and then everything seems to work, in
 * memory. Nothing else makes files there, other than in /dev/shm.
 */
static int check_device(int fd, const char *source, struct err *e)
{
	struct stat st, dev;

	if (strncmp(source, "/dev/", 5) || !strncmp(source, "/dev/shm/", 9) || fstat(fd, &st) < 0 ||
	    !S_ISREG(st.st_mode) || stat("/dev", &dev) < 0 || dev.st_dev != st.st_dev)
		return 0;
	return err_set(e, ENODEV, "source %s: a regular file, and no device: remove it, and find out where the device is",
		       source);
}

int volume_source(const struct appc_volume *v, bool *missing, struct err *e)
{
	char real[PATH_MAX];

	if (!v->source || *v->source != '/')
		return err_set(e, EINVAL, "source must be an absolute path");
	auto_close int fd = sys_open_in(AT_FDCWD, v->source, O_PATH, SYS_NO_SYMLINKS | SYS_NO_MAGICLINKS);
	if (fd >= 0)
		return check_device(fd, v->source, e) < 0 ? -1 : take_fd(&fd);
	if (errno == ELOOP && realpath(v->source, real))
		return err_set(e, ELOOP, "source %s: a symbolic link is on the way; use %s", v->source, real);
	*missing = true;
	return err_sys(e, "Failed to stat %s", v->source);
}

static int check_source(const struct appc_volume *v, bool *missing, struct err *e)
{
	auto_close int fd = volume_source(v, missing, e);

	if (fd >= 0)
		return 0;
	/* what scripts look for begins the message */
	return *missing ? -1 : err_wrap(e, "volume %s", v->name);
}

int volume_check_sources(const struct pod_manifest *m, bool *missing, struct err *e)
{
	for (size_t i = 0; i < m->apps.n; i++) {
		const struct appc_mounts *l = &m->apps.v[i].mounts;
		for (size_t j = 0; j < l->n; j++) {
			const struct appc_volume *v = appc_mount_volume(m, &l->v[j]);
			if (v && !strcmp(v->kind, "host") && check_source(v, missing, e) < 0)
				return -1;
		}
	}
	return 0;
}
