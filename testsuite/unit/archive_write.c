/* SPDX-License-Identifier: Apache-2.0
 * archive_write - unit tests of core/archive/write.h: what is packed is what our own reader finds again
 */
#include "testsuite/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "core/archive/aci.h"
#include "core/archive/write.h"
#include "core/archive/zeros.h"
#include "core/base/fd.h"

static const char manifest[] = "{\"acKind\":\"ImageManifest\",\"acVersion\":\"0.8.11\",\"name\":\"example.com/a\"}";

/* a directory to pack */
struct tree {
	char dir[64];
	int  fd;
};

static struct tree tree_new(void)
{
	struct tree t;

	strcpy(t.dir, "/var/tmp/archive_write.XXXXXX"); /* xattrs, holes and devices are not for every /tmp */
	if (!mkdtemp(t.dir) || (t.fd = open(t.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		abort();
	return t;
}

static void tree_free(struct tree *t)
{
	struct err e;

	fd_cleanup(&t->fd);
	CHECK_INT(fd_remove_tree(AT_FDCWD, t->dir, &e), 0);
}

static int put(const struct tree *t, const char *name, const char *text)
{
	int fd = openat(t->fd, name, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	const struct timespec times[2] = { { 1000000000, 123456789 }, { 1000000000, 123456789 } };

	CHECK(fd >= 0 && fd_write_all(fd, text, strlen(text)) == 0);
	CHECK_INT(futimens(fd, times), 0);
	return fd;
}

static void put_closed(const struct tree *t, const char *name, const char *text)
{
	auto_close int fd = put(t, name, text);

	CHECK(fd >= 0);
}

/* a memory file with the image in it, or -1 */
static int pack(const struct tree *t, const struct write_opts *o, struct err *e)
{
	int fd = memfd_create("aci", MFD_CLOEXEC);

	if (write_aci(fd, manifest, strlen(manifest), t->fd, o, e) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* ---- what came out ---- */

struct found {
	char     path[TAR_PATH_MAX + 1], link[TAR_PATH_MAX + 1];
	struct tar_entry en;
	char     xattrs[256]; /* "name=length " */
	char     start[32];   /* of the stored content */
};

struct listing {
	struct found *v;
	size_t        n;
	uint8_t       digest[64];
};

static int on_entry(void *ctx, const struct tar_entry *en, struct tar *t, struct err *e)
{
	struct listing *l = ctx;
	const uint8_t *p;
	size_t len;

	l->v = realloc(l->v, (l->n + 1) * sizeof(*l->v));
	struct found *f = &l->v[l->n++];
	memset(f, 0, sizeof(*f));
	strcpy(f->path, en->path);
	strcpy(f->link, en->link ? en->link : "");
	f->en = *en;
	for (size_t i = 0; i < en->n_xattrs; i++) {
		size_t n = strlen(f->xattrs);
		snprintf(f->xattrs + n, sizeof(f->xattrs) - n, "%s=%zu ", en->xattrs[i].name, en->xattrs[i].len);
	}
	if (tar_data(t, &p, &len, e) > 0)
		memcpy(f->start, p, len < 31 ? len : 31);
	return 0;
}

static void read_back(int fd, struct listing *l)
{
	static const struct aci_bounds none = { 0 };
	const struct aci_handler h = { .ctx = l, .entry = on_entry };
	struct aci_result r = { 0 };
	struct findings f = { 0 };
	struct err e = { .code = 0 };

	CHECK_INT(lseek(fd, 0, SEEK_SET), 0);
	auto_source struct source *s = source_fd(fd, &e);
	if (aci_read(s, &none, ACI_STRICT, &h, &r, &f, &e) < 0) {
		printf("# %s\n", e.msg);
		CHECK(!"reads back");
	}
	CHECK_STR(r.manifest_text, manifest);
	memcpy(l->digest, r.digest, sizeof(l->digest));
	aci_result_free(&r);
	findings_free(&f);
}

static void listing_free(struct listing *l)
{
	free(l->v);
	*l = (struct listing){ 0 };
}

static const struct found *entry_of(const struct listing *l, const char *path)
{
	static const struct found none;

	for (size_t i = 0; i < l->n; i++)
		if (!strcmp(l->v[i].path, path))
			return &l->v[i];
	printf("# no entry \"%s\"\n", path);
	CHECK(!"entry is there");
	return &none;
}

static void pack_and_read(const struct tree *t, const struct write_opts *o, struct listing *l)
{
	struct err e = { .code = 0 };
	auto_close int fd = pack(t, o, &e);

	*l = (struct listing){ 0 };
	if (fd < 0) {
		printf("# %s\n", e.msg);
		CHECK(!"packs");
		return;
	}
	read_back(fd, l);
}

/* ---- cases ---- */

TEST(order, "write: entries in byte order, depth first")
{
	static const char *const want[] = { "", "B", "a", "a/x", "a/z", "a-b", "a.txt", "b" };
	const struct write_opts o = { .level = 0 };
	struct tree t = tree_new();
	struct listing l;

	mkdirat(t.fd, "a", 0755);
	put_closed(&t, "b", "");
	put_closed(&t, "a/z", "");
	put_closed(&t, "a/x", "");
	put_closed(&t, "a.txt", "");
	put_closed(&t, "a-b", "");
	put_closed(&t, "B", "");
	pack_and_read(&t, &o, &l);
	CHECK_INT(l.n, 8);
	for (size_t i = 0; i < l.n && i < 8; i++)
		CHECK_STR(l.v[i].path, want[i]);
	listing_free(&l);
	tree_free(&t);
}

TEST(attributes, "write: mode, owner, time to the nanosecond")
{
	const struct write_opts o = { .compression = &encoder_gzip, .level = 6 }, root = { .owner = true },
				clamp = { .mtime = WRITE_MTIME_CLAMP, .mtime_s = 1000000000 };
	struct tree t = tree_new();
	struct listing l;

	put_closed(&t, "f", "text");
	fchmodat(t.fd, "f", 04751, 0);
	bool chowned = fchownat(t.fd, "f", 2097152, 4294967294, 0) == 0;
	fchmodat(t.fd, "f", 04751, 0);
	CHECK_INT(symlinkat("target", t.fd, "l"), 0);
	const struct timespec old[2] = { { -2, 250000000 }, { -2, 250000000 } };
	CHECK_INT(utimensat(t.fd, "l", old, AT_SYMLINK_NOFOLLOW), 0);
	pack_and_read(&t, &o, &l);
	const struct found *f = entry_of(&l, "f");
	CHECK_INT(f->en.mode, 04751);
	CHECK(!chowned || (f->en.uid == 2097152 && f->en.gid == 4294967294));
	CHECK_INT(f->en.mtime_s, 1000000000);
	CHECK_INT(f->en.mtime_ns, 123456789);
	CHECK_STR(f->start, "text");
	f = entry_of(&l, "l");
	CHECK(f->en.type == TAR_SYMLINK && !strcmp(f->link, "target"));
	CHECK_INT(f->en.mtime_s, -2);
	CHECK_INT(f->en.mtime_ns, 0);
	listing_free(&l);
	pack_and_read(&t, &root, &l);
	f = entry_of(&l, "f");
	CHECK(f->en.uid == 0 && f->en.gid == 0);
	listing_free(&l);
	pack_and_read(&t, &clamp, &l);
	f = entry_of(&l, "f");
	CHECK(f->en.mtime_s == 1000000000 && f->en.mtime_ns == 0);
	CHECK_INT(entry_of(&l, "l")->en.mtime_s, -2);
	listing_free(&l);
	tree_free(&t);
}

TEST(any_names, "write: names are bytes, whatever the locale")
{
	static const char *const names[] = { "\xc3\xa9", "latin\xe9", "new\nline", "\xed\xa0\x80", "sp ace", "\x01" };
	const struct write_opts o = { .level = 0 };
	char long_name[256];
	struct tree t = tree_new();
	struct listing l;

	memset(long_name, 'n', 255);
	memcpy(long_name, "\xc3\xa9", 2);
	long_name[255] = 0;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		put_closed(&t, names[i], names[i]);
		char link[64];
		snprintf(link, sizeof(link), "l%zu", i);
		CHECK_INT(symlinkat(names[i], t.fd, link), 0);
	}
	put_closed(&t, long_name, "long");
	pack_and_read(&t, &o, &l);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char link[64];
		snprintf(link, sizeof(link), "l%zu", i);
		CHECK_STR(entry_of(&l, names[i])->start, names[i]);
		CHECK_STR(entry_of(&l, link)->link, names[i]);
	}
	CHECK_STR(entry_of(&l, long_name)->start, "long");
	CHECK_STR(setlocale(LC_CTYPE, NULL), "C"); /* and it is as it was */
	listing_free(&l);
	tree_free(&t);
}

TEST(deep, "write: as deep as a path can be, with few descriptors")
{
	const struct write_opts o = { .level = 0 };
	struct tree t = tree_new();
	struct listing l;
	struct err e;
	char path[TAR_PATH_MAX + 1] = "";
	auto_close int at = openat(t.fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (int i = 0; i < 2040; i++) { /* "rootfs" and 2040 times "/d" are 4086 bytes */
		CHECK_INT(mkdirat(at, "d", 0755), 0);
		int next = openat(at, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		close(at);
		at = next;
		strcat(path, i ? "/d" : "d");
	}
	pack_and_read(&t, &o, &l);
	CHECK_INT(l.n, 2041);
	CHECK_STR(l.n ? l.v[l.n - 1].path : "", path);
	listing_free(&l);
	CHECK_INT(mkdirat(at, "0123456789", 0755), 0);
	CHECK_INT(pack(&t, &o, &e), -1);
	CHECK_HAS(e.msg, "path of more than 4095 bytes");
	tree_free(&t);
}

TEST(hard_links, "write: hard links to the first name in order")
{
	const struct write_opts o = { .level = 0 };
	struct tree t = tree_new();
	struct listing l;

	mkdirat(t.fd, "a", 0755);
	put_closed(&t, "z", "text");
	linkat(t.fd, "z", t.fd, "a/first", 0);
	linkat(t.fd, "z", t.fd, "b", 0);
	pack_and_read(&t, &o, &l);
	CHECK_INT(entry_of(&l, "a/first")->en.type, TAR_FILE);
	CHECK_STR(entry_of(&l, "a/first")->start, "text");
	CHECK_STR(entry_of(&l, "b")->link, "a/first");
	CHECK_STR(entry_of(&l, "z")->link, "a/first");
	listing_free(&l);
	tree_free(&t);
}

TEST(sparse, "write: holes are not packed, also in files beyond 8 GiB")
{
	const struct write_opts o = { .level = 0 };
	struct tree t = tree_new();
	struct listing l;
	auto_close int fd = put(&t, "f", "start"), empty = put(&t, "hole", ""), big = put(&t, "big", "");

	CHECK(pwrite(fd, "middle", 6, 2 << 20) == 6 && ftruncate(fd, 4 << 20) == 0);
	CHECK(ftruncate(empty, ZEROS_MIN + 1) == 0);
	CHECK(ftruncate(big, 9LL << 30) == 0 && pwrite(big, "end", 3, (9LL << 30) - 3) == 3);
	pack_and_read(&t, &o, &l);
	const struct found *f = entry_of(&l, "f");
	CHECK(f->en.sparse && f->en.size == 4 << 20 && f->en.data_size == 2 * ZEROS_BLOCK && f->en.n_segments == 2);
	CHECK_STR(f->start, "start");
	f = entry_of(&l, "hole");
	CHECK(f->en.sparse && f->en.size == ZEROS_MIN + 1 && f->en.data_size == 0);
	f = entry_of(&l, "big");
	CHECK(f->en.sparse && f->en.size == 9ULL << 30 && f->en.data_size < 200000 && f->en.n_segments == 1);
	listing_free(&l);
	tree_free(&t);
}

/* data begins and ends on every kind of place around the least hole; what is between is written, or never was */
static void put_pieces(const struct tree *t, bool dense)
{
	static const struct { const char *name; off_t gap, size; } files[] = {
		{ "exact", ZEROS_MIN, 0 }, { "less", ZEROS_MIN - 1, 0 }, { "shifted", ZEROS_MIN + ZEROS_BLOCK - 1, 0 },
		{ "many", 3 * ZEROS_MIN, 0 }, { "end", 100, ZEROS_MIN + 99999 }, { "short-end", 100, ZEROS_MIN + 99 }, { "large", 5 << 20, 7 << 20 },
	};
	static const char zeros[7 << 20];

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		for (off_t begin = 1; begin < 3 * ZEROS_BLOCK; begin += ZEROS_BLOCK - 1) {
			char name[32];
			off_t end = begin + files[i].gap, size = files[i].size ? files[i].size : end + 1;
			snprintf(name, sizeof(name), "%s.%d", files[i].name, (int)begin);
			auto_close int fd = put(t, name, "");
			CHECK(!dense || pwrite(fd, zeros, (size_t)size, 0) == size);
			CHECK(ftruncate(fd, size) == 0 && pwrite(fd, "x", 1, begin - 1) == 1 && pwrite(fd, "y", 1, end) == 1);
			const struct timespec times[2] = { { 1, 0 }, { 1, 0 } };
			CHECK_INT(futimens(fd, times), 0);
		}
}

TEST(zeros_are_holes, "write: what is a hole is told by what is in a file, whatever takes up space")
{
	const struct write_opts o = { .level = 0, .mtime = WRITE_MTIME_ALL, .mtime_s = 1 };
	static char archives[2][64 << 20];
	ssize_t n[2];

	for (int i = 0; i < 2; i++) {
		struct tree t = tree_new();
		struct err e;
		put_pieces(&t, i);
		auto_close int fd = pack(&t, &o, &e);
		n[i] = pread(fd, archives[i], sizeof(archives[i]), 0);
		if (!i) {
			struct listing l;
			pack_and_read(&t, &o, &l);
			/* blocks of 4096: the hole is between the first one that is empty and the one with the "y" */
			CHECK(!entry_of(&l, "exact.1")->en.sparse && !entry_of(&l, "less.4096")->en.sparse);
			CHECK(entry_of(&l, "exact.4096")->en.sparse && entry_of(&l, "shifted.1")->en.sparse);
			CHECK_INT(entry_of(&l, "exact.4096")->en.data_size, ZEROS_BLOCK + 1);
			CHECK(entry_of(&l, "end.1")->en.sparse && !entry_of(&l, "short-end.1")->en.sparse);
			CHECK(entry_of(&l, "large.1")->en.data_size <= 2 * ZEROS_BLOCK);
			listing_free(&l);
		}
		tree_free(&t);
	}
	CHECK(n[0] > 0 && n[0] == n[1] && n[0] < (ssize_t)sizeof(archives[0]) && !memcmp(archives[0], archives[1], (size_t)n[0]));
}

TEST(xattrs, "write: attributes and ACLs that an image may keep, in order")
{
	static const uint8_t acl[] = { 2, 0, 0, 0, 1, 0, 6, 0, 255, 255, 255, 255, 2, 0, 4, 0, 0xe8, 3, 0, 0, 4, 0, 4, 0, 255,
		255, 255, 255, 16, 0, 4, 0, 255, 255, 255, 255, 32, 0, 0, 0, 255, 255, 255, 255 };
	static const uint8_t cap[] = { 1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
	const struct write_opts o = { .level = 0 };
	struct tree t = tree_new();
	struct listing l;
	auto_close int fd = put(&t, "f", "");
	bool user = fsetxattr(fd, "user.b", "\0\n", 2, 0) == 0;

	fsetxattr(fd, "user.a=\xc3\xa9", "", 0, 0);
	fsetxattr(fd, "user.overlay.opaque", "y", 1, 0);
	fsetxattr(fd, "trusted.x", "y", 1, 0);
	bool with_acl = fsetxattr(fd, "system.posix_acl_access", acl, sizeof(acl), 0) == 0;
	bool with_cap = fsetxattr(fd, "security.capability", cap, sizeof(cap), 0) == 0;
	mkdirat(t.fd, "d", 0755);
	auto_close int d = openat(t.fd, "d", O_RDONLY | O_CLOEXEC);
	bool with_default = fsetxattr(d, "system.posix_acl_default", acl, sizeof(acl), 0) == 0;
	if (!user) {
		tree_free(&t);
		SKIP("no user attributes on this file system");
	}
	pack_and_read(&t, &o, &l);
	char want[256];
	snprintf(want, sizeof(want), "%suser.a=\xc3\xa9=0 user.b=2 %s", with_cap ? "security.capability=20 " : "",
		 with_acl ? "system.posix_acl_access=44 " : "");
	CHECK_STR(entry_of(&l, "f")->xattrs, want);
	CHECK(!with_acl || entry_of(&l, "f")->en.mode == 0640);
	CHECK_STR(entry_of(&l, "d")->xattrs, with_default ? "system.posix_acl_default=44 " : "");
	listing_free(&l);
	tree_free(&t);
}

TEST(nodes, "write: fifos and devices are packed, sockets are not")
{
	const struct write_opts o = { .level = 0 };
	struct tree t = tree_new();
	struct listing l;
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	snprintf(un.sun_path, sizeof(un.sun_path), "%s/sock", t.dir);
	auto_close int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK_INT(bind(s, (struct sockaddr *)&un, sizeof(un)), 0);
	CHECK_INT(mkfifoat(t.fd, "fifo", 0600), 0);
	bool dev = mknodat(t.fd, "dev", S_IFBLK | 0640, makedev(259, 1000000)) == 0;
	pack_and_read(&t, &o, &l);
	CHECK_INT(l.n, dev ? 3 : 2);
	CHECK_INT(entry_of(&l, "fifo")->en.type, TAR_FIFO);
	if (dev) {
		const struct found *f = entry_of(&l, "dev");
		CHECK(f->en.type == TAR_BLOCK && f->en.rdev_major == 259 && f->en.rdev_minor == 1000000);
	}
	listing_free(&l);
	tree_free(&t);
}

TEST(reproducible, "write: equal trees give equal bytes")
{
	const struct write_opts o = { .compression = &encoder_gzip, .level = 6, .mtime = WRITE_MTIME_CLAMP, .mtime_s = 1 };
	static char a[65536], b[65536];
	ssize_t n[2];

	for (int i = 0; i < 2; i++) {
		struct tree t = tree_new();
		struct err e;
		/* made in another order */
		put_closed(&t, i ? "x" : "y", "text");
		put_closed(&t, i ? "y" : "x", "text");
		mkdirat(t.fd, "d", 0755);
		auto_close int fd = pack(&t, &o, &e);
		n[i] = pread(fd, i ? b : a, sizeof(a), 0);
		tree_free(&t);
		sleep(i ? 0 : 1);
	}
	CHECK(n[0] > 0 && n[0] == n[1] && !memcmp(a, b, (size_t)n[0]));
	/* no time and no name in the gzip header */
	CHECK(!memcmp(a, "\x1f\x8b\x08\0\0\0\0\0", 8));
}

/* in a child, for its mount namespace; 0: as wanted */
static int with_mounts(struct tree *t)
{
	const struct write_opts o = { .level = 0 };
	struct listing l;
	struct err e;

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return 77;
	fd_cleanup(&t->fd); /* it belongs to the other namespace, where nothing will be mounted */
	t->fd = open(t->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char m[128], f[128];
	snprintf(m, sizeof(m), "%s/m", t->dir);
	snprintf(f, sizeof(f), "%s/f", t->dir);
	if (mount("none", m, "tmpfs", 0, NULL) < 0)
		return 77;
	strcat(m, "/inside");
	close(open(m, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
	pack_and_read(t, &o, &l);
	size_t n = l.n; /* rootfs, f, m */
	listing_free(&l);
	if (mount("/proc/version", f, NULL, MS_BIND, NULL) < 0)
		return 77;
	int r = pack(t, &o, &e);
	return n == 3 && r < 0 && strstr(e.msg, "rootfs/f: something is mounted on it") ? 0 : 1;
}

TEST(mounts, "write: mount points are packed empty, mounted files are an error")
{
	struct tree t = tree_new();
	int status = 0;

	put_closed(&t, "f", "");
	mkdirat(t.fd, "m", 0755);
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0)
		_exit(with_mounts(&t));
	CHECK(waitpid(pid, &status, 0) == pid);
	tree_free(&t);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		SKIP("cannot mount here");
	CHECK_INT(status, 0);
}

TEST(full, "write: a full disk is said to be one")
{
	const struct write_opts o = { .level = 0 };
	struct tree t = tree_new();
	struct err e = { .code = 0 };
	auto_close int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	CHECK_INT(write_aci(fd, manifest, strlen(manifest), t.fd, &o, &e), -1);
	CHECK_INT(e.code, ENOSPC);
	CHECK_HAS(e.msg, "write: No space left");
	tree_free(&t);
}

UNIT_MAIN(order, attributes, any_names, deep, hard_links, sparse, zeros_are_holes, xattrs, nodes, reproducible, mounts, full)
