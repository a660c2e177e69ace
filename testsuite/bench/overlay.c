/* SPDX-License-Identifier: Apache-2.0
 * overlay - runs a command while a fresh overlay is mounted, for a run-time that has none of its own
 *
 * usage: overlay LOWER SCRATCH ROOT COMMAND [ARG...]
 *
 * What whoever uses crun has to do around each start so that a container begins with the image as it is: directories
 * in SCRATCH, an overlay of them and LOWER on ROOT (volatile, as ours is), and all of it taken away again. Exits with
 * the command's status.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char upper[512], work[512];

__attribute__((noreturn)) static void die(const char *what)
{
	dprintf(2, "overlay: %s: %s\n", what, strerror(errno));
	_exit(111);
}

static void mount_on(const char *lower, const char *scratch, const char *root)
{
	char options[2048];

	snprintf(upper, sizeof(upper), "%s/upper-%d", scratch, getpid());
	snprintf(work, sizeof(work), "%s/work-%d", scratch, getpid());
	snprintf(options, sizeof(options), "lowerdir=%s,upperdir=%s,workdir=%s,volatile", lower, upper, work);
	if (mkdir(upper, 0755) < 0 || mkdir(work, 0755) < 0)
		die(upper);
	if (mount("overlay", root, "overlay", 0, options) < 0)
		die(root);
}

/* overlayfs leaves these in its work directory; what crun made for its mounts in the upper one is LOWER's already */
static void take_away(const char *root)
{
	static const char *const left[] = { "work/incompat/volatile", "work/incompat", "work", "" };
	char path[600];

	if (umount2(root, MNT_DETACH) < 0)
		die(root);
	snprintf(path, sizeof(path), "%s/work/incompat/volatile/dirty", work);
	if (unlink(path) < 0)
		die(path);
	for (size_t i = 0; i < sizeof(left) / sizeof(*left); i++) {
		snprintf(path, sizeof(path), "%s/%s", work, left[i]);
		if (rmdir(path) < 0)
			die(path);
	}
	if (rmdir(upper) < 0)
		die(upper);
}

int main(int argc, char **argv)
{
	int status;

	if (argc < 5) {
		fputs("usage: overlay LOWER SCRATCH ROOT COMMAND [ARG...]\n", stderr);
		return 2;
	}
	mount_on(argv[1], argv[2], argv[3]);
	pid_t pid = vfork();
	if (pid == 0) {
		execvp(argv[4], argv + 4);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		die(argv[4]);
	take_away(argv[3]);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 111;
}
