/* SPDX-License-Identifier: Apache-2.0
 * seal - the marks by which an unchanged blob is known: times, inode, fs-verity digest
 *
 * fs-verity (ext4 and f2fs made with it, btrfs) makes a file unchangeable for good and checks what is read
 * against a hash tree, so equal digests mean equal bytes, also when the disk has lost some.
 * Source: Linux Documentation/filesystems/fsverity.rst.
 */
#include <errno.h>
#include <linux/fsverity.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "core/base/hash.h"
#include "core/store/internal.h"

#define DIGEST_MAX 64

/* the kernel's struct with room for what it ends in */
struct measured {
	_Alignas(struct fsverity_digest) uint8_t raw[sizeof(struct fsverity_digest) + DIGEST_MAX];
};

/* -1/errno: ENODATA: not protected, though it could be; any other: not here */
static int measure(int fd, struct measured *m)
{
	const struct fsverity_digest room = { .digest_size = DIGEST_MAX };

	memset(m, 0, sizeof(*m));
	memcpy(m->raw, &room, sizeof(room));
	return ioctl(fd, FS_IOC_MEASURE_VERITY, m->raw);
}

static void measured_text(const struct measured *m, char out[SEAL_VERITY_MAX])
{
	char hex[2 * DIGEST_MAX + 1];
	struct fsverity_digest head;

	memcpy(&head, m->raw, sizeof(head));
	*out = 0;
	if (!head.digest_size || head.digest_size > DIGEST_MAX)
		return;
	hash_hex(m->raw + sizeof(head), head.digest_size, hex);
	snprintf(out, SEAL_VERITY_MAX, "%s:%s", head.digest_algorithm == FS_VERITY_HASH_ALG_SHA512 ? "sha512" :
		 "sha256", hex);
}

bool seal_can_protect(int fd)
{
	struct measured m;

	return measure(fd, &m) < 0 && errno == ENODATA;
}

void seal_protect(int fd)
{
	struct statvfs fs;
	long page = sysconf(_SC_PAGESIZE);
	struct fsverity_enable_arg arg = {
		.version = 1, .hash_algorithm = FS_VERITY_HASH_ALG_SHA256, .block_size = (uint32_t)page,
	};

	/* before 6.3 the kernel takes only its page size, since then nothing larger than a block either */
	if (fstatvfs(fd, &fs) == 0 && fs.f_bsize < (unsigned long)page)
		arg.block_size = (uint32_t)fs.f_bsize;
	/* whatever hinders it (no such hash in this kernel, no room for the hash tree): there are times and inode */
	while (ioctl(fd, FS_IOC_ENABLE_VERITY, &arg) < 0 && errno == EINTR)
		;
}

static uint64_t in_ns(const struct timespec *t)
{
	return (uint64_t)t->tv_sec * 1000000000u + (uint64_t)t->tv_nsec;
}

int seal_take(int fd, struct image_seal *out)
{
	struct measured m;
	struct stat st;

	*out = (struct image_seal){ .ino = 0 };
	if (fstat(fd, &st) < 0)
		return -1;
	out->ino = st.st_ino;
	out->ctime_ns = in_ns(&st.st_ctim);
	out->mtime_ns = in_ns(&st.st_mtim);
	if (measure(fd, &m) == 0)
		measured_text(&m, out->verity);
	return 0;
}

bool seal_same(const struct image_seal *a, const struct image_seal *b)
{
	return a->ino == b->ino && a->ctime_ns == b->ctime_ns && a->mtime_ns == b->mtime_ns &&
	       !strcmp(a->verity, b->verity);
}

bool seal_trusted(const struct image_seal *recorded, const struct image_seal *now)
{
	if (*recorded->verity && !strcmp(recorded->verity, now->verity))
		return true;
	return recorded->ino && seal_same(recorded, now);
}
