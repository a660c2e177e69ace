/* SPDX-License-Identifier: Apache-2.0
 * Fuzzer: /etc/passwd and /etc/group of an image. What comes back must be clean, bounded and one of
 * the file's lines.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "stage1-init/user.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const char *s, size_t max)
{
	size_t n = strnlen(s, max);

	if (n == max)
		abort();
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f || s[i] == ':')
			abort();
}

static void look(int fd, bool group, const char *name, uid_t id)
{
	struct passwd_line l;

	if (lseek(fd, 0, SEEK_SET) < 0 || passwd_find(fd, group, name, id, &l) != 1)
		return;
	check(l.name, sizeof(l.name));
	check(l.home, sizeof(l.home));
	/* the last field may have colons in it, as other readers have it */
	if (strnlen(l.shell, sizeof(l.shell)) == sizeof(l.shell))
		abort();
	if (l.id == UINT32_MAX || l.gid == UINT32_MAX || !*l.name || (name && strcmp(l.name, name)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("passwd", MFD_CLOEXEC);

	if (fd < 0 || fd_write_all(fd, data, size) < 0)
		abort();
	for (int group = 0; group < 2; group++) {
		look(fd, group, "root", 0);
		look(fd, group, "u", 0);
		look(fd, group, NULL, 0);
		look(fd, group, NULL, 1000);
	}
	close(fd);
	return 0;
}
