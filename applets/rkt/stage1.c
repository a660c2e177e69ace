/* SPDX-License-Identifier: Apache-2.0
 * stage1 - see stage1.h
 */
#include "applets/rkt/stage1.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "applets.conf.h"
#include "applets/rkt/images_deps.h"
#include "applets/rkt/images_store.h"
#include "applets/ui.h"
#include "core/appc/types.h"
#include "core/base/defence.h"
#include "core/base/fd.h"
#include "core/base/num.h"
#include "core/base/sys.h"
#include "core/pod/appfs.h"
#include "core/store/render.h"

#define RKT_ANNOTATION "coreos.com/rkt/stage1/"

const struct opt stage1_opts_table[] = { OPT_TEXT(0, "stage1-path", "FILE", struct stage1_opts,
						 path, "image file to use as stage 1"),
	OPT_TEXT(0, "stage1-url", "URL", struct stage1_opts, url,
		"URL of an image to use as stage 1"),
	OPT_TEXT(0, "stage1-name", "NAME", struct stage1_opts, name,
		"name of an image to use as stage 1"),
	OPT_TEXT(0, "stage1-hash", "ID", struct stage1_opts, hash,
		"ID of an image in the store to use as stage 1"),
	OPT_TEXT(0, "stage1-from-dir", "FILE", struct stage1_opts, from_dir,
		"image file in the configured directory of stage 1 images"),
	{ .kind = OPT_KIND_TEXT,
		.name = "stage1-image",
		.arg = "IMAGE",
		.help = "file, URL or name of an image",
		.at = OPT_AT(struct stage1_opts, image, const char *),
		.hidden = true },
	OPT_END };

void stage1_free(struct stage1 *s)
{
	free(s->text);
	image_manifest_free(&s->manifest);
	*s = (struct stage1){ .builtin = false };
}

/* ---- choosing ---- */

/* an argument for images_resolve(), which the caller frees, and what kind it is */
struct wish { char *arg; enum images_kind kind; };

static char *in_images_dir(const struct conf *c, const char *file, struct err *e)
{
	if (!*file || strchr(file, '/')) {
		err_set(e, EINVAL,
			"--stage1-from-dir: \"%s\": want the name of a file, without directories",
			file);
		return NULL;
	}
	if (!c->stage1_images_dir) {
		err_set(e, EINVAL, "--stage1-from-dir: no directory of stage 1 images is configured: set "
			"\"stage1-images\" in a file of paths.d, or use --stage1-path");
		return NULL;
	}
	return xasprintf("%s/%s", c->stage1_images_dir, file);
}

/* 1: *w is filled, 0: the options ask for nothing */
static int wish_of_options(const struct stage1_opts *o, const struct conf *c, struct wish *w, struct err *e)
{
	const struct { const char *arg; enum images_kind kind;
	} given[] = {
		{ o->path, IMAGES_PATH },
		{ o->url, IMAGES_URL },
		{ o->name, IMAGES_NAME },
		{ o->hash, IMAGES_ID },
		{ o->from_dir, IMAGES_PATH },
		{ o->image, IMAGES_GUESS },
	};
	const char *arg = NULL;

	for (size_t i = 0; i < sizeof(given) / sizeof(*given); i++) {
		if (!given[i].arg)
			continue;
		if (arg)
			return err_set(e, EINVAL,
				"a pod has one stage 1: give only one of the --stage1-* options");
		arg = given[i].arg;
		w->kind = given[i].kind;
	}
	if (!arg)
		return 0;
	w->arg = arg == o->from_dir ? in_images_dir(c, arg, e) : xstrdup(arg);
	return w->arg ? 1 : -1;
}

/* Configuration names an image, and where it can be had from when the store has none of that name. */
static int resolve_configured(struct store *st, const struct rkt_globals *g, const struct conf *c,
			      enum images_pull pull, struct image_id *id, struct err *e)
{
	const char *version = c->stage1_version;
	struct images_policy by_name = { .kind = IMAGES_NAME,
		.pull = c->stage1_location ? IMAGES_PULL_NEVER : pull };

	if (c->stage1_name && (pull != IMAGES_PULL_UPDATE || !c->stage1_location)) {
		auto_free char *name = xasprintf(
			"%s%s%s", c->stage1_name, version ? ":" : "", version ? version : "");
		int r = images_resolve(st, g, name, &by_name, id, e);
		if (r == 0 || !c->stage1_location || e->code != ENOENT)
			return r;
	}
	struct images_policy by_place = {
		.kind = strstr(c->stage1_location, "://") ? IMAGES_URL : IMAGES_PATH,
		.pull = pull,
	};
	return images_resolve(st, g, c->stage1_location, &by_place, id, e);
}

static int builtin(struct stage1 *out, struct err *e)
{
#if RKTBOX_WITH_STAGE1_INIT
	out->builtin = true;
	out->text = xasprintf("{\"acKind\":\"ImageManifest\",\"acVersion\":\"" APPC_VERSION "\","
			      "\"name\":\"rktbox/stage1-init\",\"labels\":["
			      "{\"name\":\"version\",\"value\":\"" RKTBOX_VERSION "\"},"
			      "{\"name\":\"os\",\"value\":\"linux\"},"
			      "{\"name\":\"arch\",\"value\":\"%s\"}],\"annotations\":["
			      "{\"name\":\"" STAGE1_ANNOTATION "\",\"value\":\"built-in\"}]}\n",
		ac_host_arch());
	out->text_len = strlen(out->text);
	return 0;
#else
	return err_set(e, ENOTSUP,
		"this rktbox was built without stage1-init: name another stage 1 with "
		"--stage1-path");
#endif
}

static int parse(struct stage1 *s, struct err *e)
{
	struct findings f = { 0 };

	bool ok = image_manifest_parse(s->text, s->text_len, &s->manifest, &f);
	if (!ok)
		findings_err(&f, e);
	findings_free(&f);
	return ok ? 0 : err_wrap(e, "manifest of the stage 1");
}

static int load_image(struct store *st, const struct rkt_globals *g, const struct images_policy *p, struct stage1 *s,
		      struct err *e)
{
	if (store_manifest_text(st, &s->id, &s->text, &s->text_len, e) < 0 || parse(s, e) < 0 ||
	    (s->manifest.dependencies.n && images_deps(st, g, &s->id, p, e) < 0))
		return -1;
	if (!stage1_entry(s, "run"))
		return err_set(e, ENOEXEC,
			"%s is no stage 1 image: its manifest lacks the annotation " RKT_ANNOTATION
			"run",
			s->manifest.name);
	return 0;
}

int stage1_choose(struct store *st, const struct rkt_globals *g, const struct conf *c,
	const struct stage1_opts *o, enum images_pull pull, struct stage1 *out, struct err *e)
{
	struct wish w = { 0 };

	*out = (struct stage1){ .builtin = false };
	int r = wish_of_options(o, c, &w, e);
	if (r < 0)
		return -1;
	if (!r && !c->stage1_name && !c->stage1_location)
		return builtin(out, e);
	struct images_policy policy = { .kind = w.kind, .pull = pull };
	r = r ? images_resolve(st, g, w.arg, &policy, &out->id, e)
	      : resolve_configured(st, g, c, pull, &out->id, e);
	free(w.arg);
	return r < 0 || load_image(st, g, &policy, out, e) < 0 ? err_wrap(e, "stage 1") : 0;
}

/* Others expect trees in which all files were given other owners, which nobody wants to wait for. */
int stage1_check_users(const struct stage1 *s, struct err *e)
{
	const char *mapped = appc_pair_find(&s->manifest.annotations, STAGE1_MAPPED);

	if (s->builtin || (mapped && !strcmp(mapped, "true")))
		return 0;
	return err_set(e, ENOTSUP, "--private-users: the stage 1 %s does not know mounts with mapped owners "
		"(annotation " STAGE1_MAPPED "): use the built-in one", s->manifest.name);
}

int stage1_load(const struct pod *p, struct stage1 *out, struct err *e)
{
	auto_free char *id = NULL;
	struct err why;

	*out = (struct stage1){ .builtin = false };
	if (fd_read_file(p->dir_fd, "stage1/manifest", APPC_MANIFEST_MAX, &out->text, &out->text_len, e) < 0 ||
	    parse(out, e) < 0)
		return err_wrap(e, "pod %s", p->uuid);
	const char *kind = appc_pair_find(&out->manifest.annotations, STAGE1_ANNOTATION);
	out->builtin = kind && !strcmp(kind, "built-in");
	if (out->builtin || fd_read_file(p->dir_fd, STAGE1_TREE_ID, sizeof(out->root.s), &id, NULL, &why) < 0)
		return 0;
	snprintf(out->root.s, sizeof(out->root.s), "%.*s", (int)strcspn(id, "\n"), id);
	return 0;
}

unsigned stage1_version(const struct stage1 *s)
{
	const char *text = appc_pair_find(&s->manifest.annotations, RKT_ANNOTATION "interface-version");
	struct err unused;
	uint64_t v;

	return text && num_u64(text, 1000, &v, &unused) == 0 ? (unsigned)v : 1;
}

const char *stage1_entry(const struct stage1 *s, const char *entry)
{
	char name[sizeof(RKT_ANNOTATION) + 32];

	snprintf(name, sizeof(name), RKT_ANNOTATION "%s", entry);
	return appc_pair_find(&s->manifest.annotations, name);
}

/* ---- executing ---- */

static int copy_all(int from_fd, int to_fd)
{
	struct stat st;

	if (fstat(from_fd, &st) < 0)
		return -1;
	for (off_t left = st.st_size; left > 0;) {
		ssize_t n = sendfile(to_fd, from_fd, NULL, (size_t)left);
		if (n <= 0) {
			errno = n < 0 ? errno : EIO;
			return -1;
		}
		left -= n;
	}
	return 0;
}

/* for kernels that cannot make a mount read-only before anybody sees it (before 5.12) */
static int sealed_copy(struct err *e)
{
	auto_close int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	auto_close int copy = self < 0 ? -1 : memfd_create("stage1-init", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (copy < 0 || copy_all(self, copy) < 0 ||
	    fcntl(copy, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
		return err_needs(e, "proc mount-setattr", "seal a copy of /proc/self/exe");
	return take_fd(&copy);
}

int stage1_self(struct err *e)
{
	auto_close int fd = sys_open_tree(AT_FDCWD, "/proc/self/exe", SYS_TREE_CLONE);

	if (!DEFENCE("exe-read-only"))
		return open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && sys_restrict(fd, "", SYS_ATTR_RDONLY) == 0)
		return take_fd(&fd);
	return sealed_copy(e);
}

static char **make_argv(const char *first, const char *second, char *const args[])
{
	size_t n = 0, at = 0;

	while (args[n])
		n++;
	char **argv = xmalloc((n + 3) * sizeof(*argv));
	argv[at++] = xstrdup(first);
	if (second)
		argv[at++] = xstrdup(second);
	memcpy(argv + at, args, n * sizeof(*argv));
	return argv;
}

/*
 * Where the entry point is in the host's file system. Links in the image lead inside the image; the path that
 * comes out is what gets executed, so that scripts find themselves.
 */
static int locate(const char *entry, char *path, size_t size, struct err *e)
{
	char link[40];

	auto_close int root = open("stage1/rootfs", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (root < 0)
		return err_sys(e, "open stage1/rootfs");
	auto_close int fd = sys_open_in(root, entry, O_PATH, SYS_IN_ROOT | SYS_NO_MAGICLINKS);
	if (fd < 0)
		return err_sys(e, "%s in the stage 1 image", entry);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, path, size);
	if (n < 0 || (size_t)n >= size)
		return err_sys(e, "path of %s in the stage 1 image", entry);
	path[n] = 0;
	return 0;
}

int stage1_become(const struct stage1 *s, int self_fd, const char *entry, char *const args[], struct err *e)
{
	char path[PATH_MAX];

	if (s->builtin) {
		char **argv = make_argv("stage1-init", entry, args);
		fexecve(self_fd, argv, environ);
		return err_sys(e, "execute the built-in stage 1");
	}
	const char *inside = stage1_entry(s, entry);
	if (!inside)
		return err_set(e, ENOSYS, "the pod's stage 1 (%s) has no entry point \"%s\"",
			s->manifest.name, entry);
	if (locate(inside, path, sizeof(path), e) < 0)
		return -1;
	execv(path, make_argv(path, NULL, args));
	return err_sys(e, "execute %s of the stage 1 image", inside);
}

/* the data directory is three levels above a pod directory: DIR/pods/run/UUID */
static int render_own(const struct pod *p, const struct stage1 *s, struct err *e)
{
	char link[48], dir[PATH_MAX];

	snprintf(link, sizeof(link), "/proc/self/fd/%d/../../..", p->dir_fd);
	if (!realpath(link, dir))
		return err_sys(e, "data directory of pod %s", p->uuid);
	struct store *st = images_open(NULL, NULL, dir, false, e);
	if (!st)
		return -1;
	int fd = render_again(st, &s->root, e);
	store_close(st);
	return fd < 0 ? err_wrap(e, "stage 1 image of pod %s", p->uuid) : fd;
}

/* As the pod's processes see it, but read-only, and only for us. A copy is in place already. */
static int mount_again(struct pod *p, const struct stage1 *s, struct err *e)
{
	if (!*s->root.s)
		return 0;
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return err_needs(e, "ns-mnt", "new mount namespace");
	/* opened after that, since overlayfs takes layers only from its own mount namespace */
	auto_close int lower_fd = render_own(p, s, e);
	auto_close int pod_fd = lower_fd < 0 ? -1 : open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (lower_fd < 0)
		return -1;
	/* status and environment files lie beside the mount, where everybody sees them */
	auto_close int rkt_fd = sys_open_tree(AT_FDCWD, "stage1/rootfs/rkt", SYS_TREE_CLONE);
	auto_close int tree_fd = appfs_mount_ro(pod_fd, APPFS_STAGE1, lower_fd, e);
	if (tree_fd < 0)
		return -1;
	if (rkt_fd < 0 || sys_attach(tree_fd, AT_FDCWD, "stage1/rootfs") < 0 ||
	    sys_attach(rkt_fd, AT_FDCWD, "stage1/rootfs/rkt") < 0)
		return err_needs(e, "open-tree move-mount", "mount the stage 1 image");
	return 0;
}

int stage1_exec(struct pod *p, const char *entry, char *const args[], struct err *e)
{
	auto_stage1 struct stage1 s = { .builtin = false };
	auto_close int self_fd = -1;

	if (stage1_load(p, &s, e) < 0)
		return -1;
	if (!s.builtin && !stage1_entry(&s, entry))
		return err_set(e, ENOSYS, "the pod's stage 1 (%s) has no entry point \"%s\"",
			s.manifest.name, entry);
	if (fchdir(p->dir_fd) < 0)
		return err_sys(e, "enter the directory of pod %s", p->uuid);
	if (s.builtin && (self_fd = stage1_self(e)) < 0)
		return -1;
	if (!s.builtin && mount_again(p, &s, e) < 0)
		return -1;
	return stage1_become(&s, self_fd, entry, args, e);
}

int stage1_run(struct pod *p, const char *entry, char *const args[], int *status, struct err *e)
{
	int report[2], st;

	if (pipe2(report, O_CLOEXEC) < 0)
		return err_sys(e, "pipe");
	pid_t pid = fork();
	if (pid == 0) {
		struct err why = { .code = 0 };
		stage1_exec(p, entry, args, &why);
		/* a struct err fits into one write; when the reader is gone there is nobody to tell */
		if (write(report[1], &why, sizeof(why)) < 0)
			_exit(126);
		_exit(127);
	}
	fd_cleanup(&report[1]);
	if (pid < 0) {
		fd_cleanup(&report[0]);
		return err_sys(e, "fork");
	}
	struct err why;
	/* end of file without a message: the pipe was closed by a successful exec */
	bool failed = fd_read_full(report[0], &why, sizeof(why)) == (ssize_t)sizeof(why);
	fd_cleanup(&report[0]);
	while (waitpid(pid, &st, 0) < 0)
		if (errno != EINTR)
			return err_sys(e, "wait for stage 1");
	if (failed) {
		*e = why;
		return -1;
	}
	*status = WIFSIGNALED(st) ? 128 + WTERMSIG(st) : WEXITSTATUS(st);
	return 0;
}
