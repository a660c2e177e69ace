/* SPDX-License-Identifier: Apache-2.0
 * erofs_format - EROFS on disk, as much of it as we write; all numbers are little-endian
 *
 * Source: Linux, fs/erofs/erofs_fs.h.
 */
#pragma once

#include <stdint.h>

#define BLOCK_BITS 9u
#define BLOCK      512u
#define SLOT       32u  /* inodes begin on slots; the number of its slot is the number of an inode */
#define NO_BLOCK   UINT32_MAX

#define SUPER_OFFSET 1024u
#define SUPER_MAGIC  0xe0f5e1e2u
enum { COMPAT_CHECKSUM = 1, COMPAT_MTIME = 2 };
enum { INCOMPAT_CHUNKED = 4, INCOMPAT_DEVICES = 8 };

struct superblock {
	uint32_t magic, checksum, compat;
	uint8_t  block_bits, n_extra_slots;
	uint16_t root;
	uint64_t n_inodes, build_time;
	uint32_t build_time_ns, n_blocks, meta_block, xattr_block;
	uint8_t  uuid[16], volume_name[16];
	uint32_t incompat;
	uint16_t compression, n_devices, devices_at; /* in units of a device's size */
	uint8_t  dir_block_bits, n_xattr_prefixes;
	uint32_t xattr_prefixes_at;
	uint64_t packed_inode;
	uint8_t  reserved[24];
};
_Static_assert(sizeof(struct superblock) == 128, "as the kernel has it");

struct device {
	uint8_t  tag[64];
	uint32_t n_blocks, mapped_at;
	uint8_t  reserved[56];
};
_Static_assert(sizeof(struct device) == 128, "as the kernel has it");

/* how an inode says where its data is */
enum layout { LAYOUT_BLOCKS = 0, LAYOUT_INLINE = 2, LAYOUT_CHUNKS = 4 };

/* the extended form: 32 bits of owner, times with nanoseconds */
struct inode {
	uint16_t format; /* 1 | layout << 1 */
	uint16_t xattr_count, mode, unused;
	uint64_t size;
	uint32_t where;  /* number of a block, of a device, or chunk format */
	uint32_t number, uid, gid;
	uint64_t mtime_s;
	uint32_t mtime_ns, nlink;
	uint8_t  reserved[16];
};
_Static_assert(sizeof(struct inode) == 64, "as the kernel has it");

/* of chunks: log2 of their size in blocks, and that there is a struct chunk for each */
#define CHUNK_BITS_MAX 21u /* 1 GiB: more would overflow a long of 32 bits */
#define CHUNK_INDEXED  0x20u

struct chunk {
	uint16_t advise, device; /* device 0: the index itself */
	uint32_t block;          /* NO_BLOCK: a hole */
};
_Static_assert(sizeof(struct chunk) == 8, "as the kernel has it");

struct xattr_header {
	uint32_t filter;
	uint8_t  n_shared, reserved[7];
};
_Static_assert(sizeof(struct xattr_header) == 12, "as the kernel has it");

struct xattr {
	uint8_t  name_len, prefix; /* the name without its prefix, the value and up to 3 zeros follow */
	uint16_t value_len;
};
_Static_assert(sizeof(struct xattr) == 4, "as the kernel has it");

enum { XATTR_USER = 1, XATTR_ACL_ACCESS = 2, XATTR_ACL_DEFAULT = 3, XATTR_SECURITY = 6 };

/* at the beginning of a block of a directory; their names follow, in order of bytes */
struct dir_entry {
	uint32_t inode_low, inode_high;
	uint16_t name_at;
	uint8_t  type, reserved;
};
_Static_assert(sizeof(struct dir_entry) == 12, "as the kernel has it");

enum { TYPE_FILE = 1, TYPE_DIR, TYPE_CHAR, TYPE_BLOCK, TYPE_FIFO, TYPE_SOCKET, TYPE_SYMLINK };
