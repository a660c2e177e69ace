/* SPDX-License-Identifier: Apache-2.0
 * nosys - runs a command as on a kernel that lacks some system calls: nosys CALL... -- COMMAND [ARG...]
 *
 * stat-EIO: as on a disk that fails, for who looks at a file by its name.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct call {
	const char *name;
	unsigned    nr;
	unsigned    answer; /* 0: ENOSYS */
} calls[] = {
	{ "openat2", SYS_openat2, 0 },
	{ "open_tree", SYS_open_tree, 0 },
	{ "move_mount", SYS_move_mount, 0 },
	{ "fsopen", SYS_fsopen, 0 },
	{ "mount_setattr", SYS_mount_setattr, 0 },
	{ "clone3", SYS_clone3, 0 },
	{ "pidfd_open", SYS_pidfd_open, 0 },
	{ "pidfd_send_signal", SYS_pidfd_send_signal, 0 },
	{ "close_range", SYS_close_range, 0 },
	{ "memfd_create", SYS_memfd_create, 0 },
	{ "unshare", SYS_unshare, EPERM }, /* as in containers */
	{ "seccomp", SYS_seccomp, EINVAL }, /* as without filters */
	{ "stat-EIO", SYS_newfstatat, EIO },
};

static int lack(const char *name)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		if (strcmp(calls[i].name, name))
			continue;
		struct sock_filter f[] = {
			BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
			BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, calls[i].nr, 0, 1),
			BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (calls[i].answer ? calls[i].answer : ENOSYS)),
			BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		};
		struct sock_fprog p = { .len = sizeof(f) / sizeof(*f), .filter = f };
		return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &p);
	}
	errno = EINVAL;
	return -1;
}

int main(int argc, char **argv)
{
	int i = 1;

	for (; i < argc && strcmp(argv[i], "--"); i++)
		if (lack(argv[i]) < 0) {
			perror(argv[i]);
			return 125;
		}
	if (i + 1 < argc)
		execvp(argv[i + 1], argv + i + 1);
	perror("nosys");
	return 125;
}
