/* SPDX-License-Identifier: Apache-2.0
 * ahead - what the first start of an image would do is done when it is fetched
 *
 * A mount costs half a millisecond and reading the executable from disk another one: little, but that is a fifth
 * of a start. Nothing here can fail in a way that matters: the start does what has not been done.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "core/base/sys.h"
#include "core/store/backend.h"
#include "core/store/internal.h"

/* Of mounts at one time. Beyond that, who has so many images will not run all of them. */
#define AHEAD_MAX   64
#define WARM_BYTES (1 << 20) /* of an executable */

static bool may_mount(struct store *st, const struct image_id *id)
{
	struct render_backend b;
	auto_dir_reader struct dir d;
	struct err ignored;
	unsigned n = 0;

	if (!store_has(st, "index", id->s) || backend_choose(st, false, &b, &ignored) < 0 || b.mode == RENDER_TREE)
		return false;
	if (store_read_dir(st, "mnt", &d) < 0)
		return true;
	while (n < AHEAD_MAX && dir_next(&d))
		n++;
	return n < AHEAD_MAX;
}

/* what every start looks for, there or not, and what it executes; the rest is read when it is asked for */
static void warm(int root_fd, const char *path)
{
	static const char *const looked_for[] = { "dev", "proc", "sys", "etc", "etc/passwd", "etc/group", "etc/hosts",
						  "etc/hostname", "etc/mtab" };
	struct stat st;

	for (size_t i = 0; i < sizeof(looked_for) / sizeof(*looked_for); i++)
		fstatat(root_fd, looked_for[i], &st, AT_SYMLINK_NOFOLLOW);
	auto_close int fd = sys_open_in(root_fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, SYS_IN_ROOT | SYS_NO_XDEV);

	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		posix_fadvise(fd, 0, WARM_BYTES, POSIX_FADV_WILLNEED);
}

void render_ahead(struct store *st, const struct image_id *id)
{
	struct image_manifest m;
	struct err ignored;

	if (!may_mount(st, id))
		return;
	auto_close int root_fd = render_image(st, id, NULL, &ignored);
	if (root_fd < 0 || store_read_manifest(st, id, &m, &ignored) < 0)
		return;
	if (m.app && m.app->exec.n)
		warm(root_fd, m.app->exec.v[0]);
	image_manifest_free(&m);
}
