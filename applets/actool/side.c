/* SPDX-License-Identifier: Apache-2.0
 * side - see side.h
 *
 * A layout is packed by a thread into a pipe, and so read by the same code as an image file.
 */
#include "applets/actool/side.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "applets/ui.h"
#include "core/archive/write.h"
#include "core/base/fd.h"
#include "core/base/thread.h"

#define STACK_BYTES (8u << 20) /* the walk is recursive; only what is used of it is there */

struct packer {
	int         dir_fd, to_fd;
	int         r;
	struct err  e;
};

static int pack(const struct packer *p, struct err *e)
{
	const struct write_opts o = { .compression = NULL };
	auto_free char *manifest = NULL;
	size_t len;

	auto_close int rootfs_fd = fd_open_dir(p->dir_fd, "rootfs", e);
	if (rootfs_fd < 0 || fd_read_file(p->dir_fd, "manifest", APPC_MANIFEST_MAX, &manifest, &len, e) < 0)
		return -1;
	return write_aci(p->to_fd, manifest, len, rootfs_fd, &o, e);
}

static void *run_packer(void *arg)
{
	struct packer *p = arg;

	p->r = pack(p, &p->e);
	fd_cleanup(&p->to_fd);
	return NULL;
}

static int read_source(struct source *from, const char *name, uint64_t size, struct listing *l, struct findings *f,
		       struct err *e)
{
	struct ui_progress progress;
	auto_source struct source *in = from;

	if (!in)
		return -1;
	ui_progress_start(&progress, name, size);
	int r = listing_read(l, in, ui_progress_at, &progress, f, e);
	ui_progress_end(&progress);
	return r;
}

static int read_layout(int dir_fd, const char *name, struct listing *l, struct findings *f, struct err *e)
{
	struct packer p = { .dir_fd = dir_fd, .to_fd = -1 };
	struct image_manifest m = { 0 };
	pthread_t thread;
	int pipe_fd[2];

	int r = aci_check_layout(dir_fd, &m, f, e);
	image_manifest_free(&m);
	if (r < 0)
		return -1;
	if (pipe2(pipe_fd, O_CLOEXEC) < 0)
		return err_sys(e, "pipe");
	auto_close int from_fd = pipe_fd[0];
	p.to_fd = pipe_fd[1];
	int why = thread_start(&thread, NULL, STACK_BYTES, run_packer, &p);
	if (why) {
		fd_cleanup(&p.to_fd);
		errno = why;
		return err_sys(e, "start a thread");
	}
	r = read_source(source_fd(from_fd, e), name, 0, l, f, e);
	fd_cleanup(&from_fd); /* who writes on gets EPIPE, and ends */
	pthread_join(thread, NULL);
	if (p.r == 0 || p.e.code == EPIPE)
		return r;
	findings_free(f); /* only that it is cut off */
	*e = p.e;
	return -1;
}

static int read_file(int fd, const char *name, uint64_t size, const struct passphrase_opts *o, struct listing *l,
		     struct findings *f, struct err *e)
{
	struct source *in = source_fd(fd, e);

	return read_source(in ? passphrase_source(in, o, e) : NULL, name, size, l, f, e);
}

int side_read(const char *name, const struct passphrase_opts *o, struct listing *l, struct findings *f, struct err *e)
{
	struct stat st;

	if (!strcmp(name, "-"))
		return read_file(0, "standard input", 0, o, l, f, e);
	auto_close int fd = fd_open_input(name, &st, e);
	if (fd < 0)
		return err_wrap(e, "open");
	if (S_ISDIR(st.st_mode))
		return read_layout(fd, name, l, f, e);
	return read_file(fd, name, (uint64_t)st.st_size, o, l, f, e);
}
