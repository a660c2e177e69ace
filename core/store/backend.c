/* SPDX-License-Identifier: Apache-2.0
 * backend - see backend.h
 */
#include "core/store/backend.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "core/base/json.h"
#include "core/store/blob.h"
#include "core/store/erofs.h"
#include "core/store/internal.h"
#include "core/store/mount.h"

#define CACHE     "backend"
#define CACHE_MAX (64u << 10)
#define BLOCK     512
#define CAP_SYS_ADMIN_BIT 21

static const char *const mode_names[] = {
	[RENDER_AUTO] = "auto", [RENDER_EROFS] = "erofs", [RENDER_LOOP] = "loop", [RENDER_TREE] = "tree",
};
#define N_MODES (sizeof(mode_names) / sizeof(*mode_names))

const char *render_mode_name(enum render_mode m)
{
	return mode_names[m];
}

bool render_mode_from(const char *name, enum render_mode *out)
{
	for (size_t i = 0; i < N_MODES; i++)
		if (!strcmp(mode_names[i], name)) {
			*out = (enum render_mode)i;
			return true;
		}
	return false;
}

/* ---- what the answer depends on ---- */

struct world {
	char kernel[sizeof(((struct utsname *)0)->release)];
	char boot[40];   /* modules, loop devices and mount options change with it */
	char store[64];  /* type and device of the file system */
	char caller[16]; /* "privileged" or not */
};

/* the first line; "" when it cannot be read */
static void read_line(const char *path, char *out, size_t size)
{
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : fd_read_full(fd, out, size - 1);

	out[n < 0 ? 0 : n] = 0;
	out[strcspn(out, "\n")] = 0;
}

/* "         0          0 4294967295": all users, each as itself */
static bool is_first_user_ns(void)
{
	char map[64], *p, *end;

	read_line("/proc/self/uid_map", map, sizeof(map));
	if (!*map) /* a kernel without user namespaces */
		return true;
	unsigned long long inside = strtoull(map, &end, 10), outside = strtoull(end, &p, 10), n = strtoull(p, NULL, 10);
	return !inside && !outside && n == UINT32_MAX;
}

/* CAP_SYS_ADMIN, and in the first user namespace: in another one EROFS cannot be mounted at all */
static bool is_admin(void)
{
	char text[4096];
	auto_close int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : fd_read_full(fd, text, sizeof(text) - 1);

	text[n < 0 ? 0 : n] = 0;
	const char *caps = strstr(text, "\nCapEff:");
	if (!caps)
		return geteuid() == 0;
	return is_first_user_ns() && (strtoull(caps + strlen("\nCapEff:"), NULL, 16) >> CAP_SYS_ADMIN_BIT & 1);
}

static int look(const struct store *st, struct world *w, struct err *e)
{
	struct utsname u;
	struct statfs fs;
	struct stat sb;

	*w = (struct world){ .kernel = "" };
	if (fstatfs(st->cas_fd, &fs) < 0 || fstat(st->cas_fd, &sb) < 0)
		return err_sys(e, "file system of the store");
	if (uname(&u) == 0)
		memcpy(w->kernel, u.release, sizeof(w->kernel));
	read_line("/proc/sys/kernel/random/boot_id", w->boot, sizeof(w->boot));
	snprintf(w->store, sizeof(w->store), "%lx on %u:%u", (unsigned long)fs.f_type & 0xfffffffful,
		 major(sb.st_dev), minor(sb.st_dev));
	snprintf(w->caller, sizeof(w->caller), is_admin() ? "privileged" : "unprivileged");
	return 0;
}

/* ---- the probe ---- */

/* An archive of two blocks; the file is the second one, which lies where no page begins. */
static void fill(uint8_t data[2 * BLOCK])
{
	for (size_t i = 0; i < (size_t)2 * BLOCK; i++)
		data[i] = (uint8_t)(i * 7 + i / BLOCK);
}

static struct tree *tiny_tree(struct err *e)
{
	const struct tree_opts o = { .spill_dir_fd = -1 };
	const struct tar_entry t = {
		.type = TAR_FILE, .path = "probe", .mode = 0400, .size = BLOCK,
		.header_offset = 0, .data_offset = BLOCK, .data_size = BLOCK,
	};
	struct tree *tree = tree_new(&o, e);

	if (!tree)
		return NULL;
	if (tree_pass(tree, 0, NULL, 0, e) < 0 || tree_add(tree, &t, e) < 0 || tree_pass_end(tree, e) < 0) {
		tree_free(tree);
		return NULL;
	}
	tree_finish(tree);
	return tree;
}

static int write_tiny(struct blob *index, struct blob *tar, struct err *e)
{
	struct erofs_source source = { .bytes = (uint64_t)2 * BLOCK };
	struct erofs_opts o = { .id = source.id.s, .sources = &source, .fds = &tar->fd, .n_sources = 1 };
	uint8_t data[2 * BLOCK];

	fill(data);
	if (blob_write(tar, data, sizeof(data), e) < 0)
		return -1;
	memset(source.id.s, '0', IMAGE_ID_LEN);
	memcpy(source.id.s, IMAGE_ID_PREFIX, strlen(IMAGE_ID_PREFIX));
	struct tree *tree = tiny_tree(e);
	int r = tree ? erofs_write(tree, &o, index->fd, NULL, e) : -1;
	tree_free(tree);
	return r;
}

static int read_back(int mount_fd, struct err *e)
{
	uint8_t want[2 * BLOCK], got[BLOCK + 1];
	auto_close int fd = openat(mount_fd, "probe", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : fd_read_full(fd, got, sizeof(got));

	if (n < 0)
		return err_sys(e, "read a mounted file");
	fill(want);
	if (n != BLOCK || memcmp(got, want + BLOCK, BLOCK))
		return err_set(e, EIO, "a mounted file has other content than its archive");
	return 0;
}

/* the archive and its index, while they are tried out */
struct trial { struct blob index, tar; };

static int trial_make(struct trial *t, int dir_fd, struct err *e)
{
	*t = (struct trial){ .index = { .fd = -1 }, .tar = { .fd = -1 } };
	if (blob_create(&t->index, dir_fd, false, e) < 0 || blob_create(&t->tar, dir_fd, false, e) < 0)
		return -1;
	return write_tiny(&t->index, &t->tar, e);
}

static void trial_drop(struct trial *t)
{
	blob_drop(&t->index);
	blob_drop(&t->tar);
}

/* never attached: it goes when we close it */
static int try_mode(const struct trial *t, enum render_mode m, bool direct, struct err *e)
{
	const struct mount_opts o = { .loop = m == RENDER_LOOP, .direct = direct };
	auto_close int fd = mount_index(t->index.fd, &t->tar.fd, 1, &o, e);

	return fd < 0 ? -1 : read_back(fd, e);
}

int render_try(int dir_fd, enum render_mode m, bool direct, struct err *e)
{
	struct trial t;
	int r = trial_make(&t, dir_fd, e) < 0 ? -1 : try_mode(&t, m, direct, e);

	trial_drop(&t);
	return r;
}

static void add_reason(struct render_backend *b, enum render_mode m, const struct err *why)
{
	size_t n = strlen(b->reason);

	snprintf(b->reason + n, sizeof(b->reason) - n, "%s%s: %.200s", n ? "; " : "", mode_names[m], why->msg);
}

static int try_mounts(const struct store *st, int dir_fd, struct render_backend *b, struct err *e)
{
	struct trial t;
	struct err why;
	int r = trial_make(&t, dir_fd, e);

	for (b->mode = RENDER_EROFS; r == 0 && b->mode < RENDER_TREE; b->mode++) {
		if (try_mode(&t, b->mode, st->render.direct, &why) == 0)
			break;
		add_reason(b, b->mode, &why);
	}
	trial_drop(&t);
	return r;
}

static int probe(const struct store *st, struct render_backend *b, struct err *e)
{
	struct err why;

	*b = (struct render_backend){ .mode = RENDER_TREE };
	if (!is_admin()) {
		err_set(&why, EPERM, "needs CAP_SYS_ADMIN in the first user namespace");
		add_reason(b, RENDER_EROFS, &why);
		add_reason(b, RENDER_LOOP, &why);
		return 0;
	}
	auto_close int dir_fd = store_open_file(st, "blob/sha512", O_RDONLY | O_DIRECTORY);
	if (dir_fd < 0)
		return err_sys(e, "open the store's blobs");
	return try_mounts(st, dir_fd, b, e) < 0 ? err_wrap(e, "try out mounts") : 0;
}

/* ---- the cache ---- */

static bool is_same(const cJSON *j, const char *key, const char *value)
{
	const char *s = json_str(j, key);

	return s && !strcmp(s, value);
}

/* whatever is wrong with it: a probe costs little */
static bool read_cache(const struct store *st, const struct world *w, struct render_backend *b)
{
	auto_free char *text = NULL;
	struct err ignored;
	size_t len;

	if (fd_read_file(st->cas_fd, CACHE, CACHE_MAX, &text, &len, &ignored) < 0)
		return false;
	auto_json cJSON *j = json_parse_err(text, len, &ignored);
	const char *mode = j ? json_str(j, "render") : NULL, *reason = j ? json_str(j, "reason") : NULL;
	if (!mode || !reason || !is_same(j, "kernel", w->kernel) || !is_same(j, "boot", w->boot) ||
	    !is_same(j, "store", w->store) || !is_same(j, "caller", w->caller))
		return false;
	*b = (struct render_backend){ .mode = RENDER_AUTO };
	snprintf(b->reason, sizeof(b->reason), "%s", reason);
	return render_mode_from(mode, &b->mode) && b->mode != RENDER_AUTO;
}

/* Who cannot write it has to probe each time, nothing worse. */
static void write_cache(const struct store *st, const struct world *w, const struct render_backend *b)
{
	auto_json cJSON *j = cJSON_CreateObject();
	auto_buf struct buf text = { 0 };
	struct err ignored;

	cJSON_AddStringToObject(j, "render", mode_names[b->mode]);
	cJSON_AddStringToObject(j, "reason", b->reason);
	cJSON_AddStringToObject(j, "kernel", w->kernel);
	cJSON_AddStringToObject(j, "boot", w->boot);
	cJSON_AddStringToObject(j, "store", w->store);
	cJSON_AddStringToObject(j, "caller", w->caller);
	json_print(j, true, &text);
	if (!text.failed)
		fd_publish(st->cas_fd, CACHE, text.data, text.len, store_file_mode(st), false, &ignored);
}

int backend_choose(struct store *st, bool fresh, struct render_backend *out, struct err *e)
{
	struct world w;

	if (st->render.mode != RENDER_AUTO) {
		*out = (struct render_backend){ .mode = st->render.mode, .forced = true };
		return 0;
	}
	if (st->cas_fd < 0)
		return err_set(e, ENOENT, "there is no store yet");
	if (look(st, &w, e) < 0)
		return -1;
	if (!fresh && read_cache(st, &w, out))
		return 0;
	if (probe(st, out, e) < 0)
		return -1;
	/* what others than root can do takes no probe to know, and is not what root wants to find there */
	if (is_admin())
		write_cache(st, &w, out);
	return 0;
}

int render_backend(struct store *st, struct render_backend *out, struct err *e)
{
	return backend_choose(st, true, out, e);
}

void render_set_how(struct store *st, const struct render_how *o)
{
	st->render = *o;
}
