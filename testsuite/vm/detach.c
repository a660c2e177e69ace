/* SPDX-License-Identifier: Apache-2.0
 * detach - tries to take the BPF program for devices off a cgroup; says "detached", or how that failed
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	union bpf_attr a;
	int fd = open(argc > 1 ? argv[1] : ".", O_RDONLY | O_DIRECTORY);

	if (fd < 0) {
		perror("open");
		return 2;
	}
	memset(&a, 0, sizeof(a));
	a.target_fd = (unsigned)fd;
	a.attach_type = BPF_CGROUP_DEVICE;
	puts(syscall(SYS_bpf, BPF_PROG_DETACH, &a, sizeof(a)) < 0 ? strerror(errno) : "detached");
	return 0;
}
