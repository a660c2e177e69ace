/* SPDX-License-Identifier: Apache-2.0
 * running - see running.h
 */
#include "stage1-init/running.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "core/base/num.h"
#include "core/mds/service.h"

#define NUMBERS    33 /* "%10d %10u %10u " */
#define NO_SECCOMP "no-seccomp"
#define NO_CAPS    "no-capabilities"

int running_open(int pod_fd, struct err *e)
{
	int fd = openat(
		pod_fd, "running", O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0640);

	return fd < 0 ? err_sys(e, "create running") : fd;
}

void running_set(int fd, const struct plan *p, size_t app, pid_t pid, uid_t uid, gid_t gid)
{
	char line[NUMBERS + 512];
	off_t at = 0;

	for (size_t i = 0; i < app; i++)
		at += (off_t)(NUMBERS + strlen(p->apps[i].name) + 1);
	int n = snprintf(line, sizeof(line), "%10d %10u %10u %s\n", (int)pid, (unsigned)uid,
		(unsigned)gid, p->apps[app].name);
	if (n > 0 && (size_t)n < sizeof(line) && pwrite(fd, line, (size_t)n, at) < 0)
		return; /* a full disk: then the app cannot be entered, and enter says so */
}

static int mark(int pod_fd, const char *name, struct err *e)
{
	return fd_publish(pod_fd, name, "", 0, 0640, false, e);
}

/* in doubt nothing was left out */
static bool is_marked(int pod_fd, const char *name)
{
	return faccessat(pod_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

int running_no_seccomp_set(int pod_fd, struct err *e)
{
	return mark(pod_fd, NO_SECCOMP, e);
}

bool running_no_seccomp(int pod_fd)
{
	return is_marked(pod_fd, NO_SECCOMP);
}

int running_no_caps_set(int pod_fd, struct err *e)
{
	return mark(pod_fd, NO_CAPS, e);
}

bool running_no_caps(int pod_fd)
{
	return is_marked(pod_fd, NO_CAPS);
}

/* whoever wants it waits for the file pid, which is made later */
int running_mds_url_set(int pod_fd, const char *url, struct err *e)
{
	auto_close int fd = openat(pod_fd, MDS_URL_FILE, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);

	return fd < 0 || fd_write_all(fd, url, strlen(url)) < 0 ? err_sys(e, "write " MDS_URL_FILE) : 0;
}

void running_mds_url(int pod_fd, char *out)
{
	auto_close int fd = openat(pod_fd, MDS_URL_FILE, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, out, MDS_URL_MAX - 1);

	out[n > 0 ? n : 0] = 0;
}

/* fields are right-aligned with blanks */
static int number(const char **p, uint64_t max, uint64_t *out)
{
	char digits[16];
	struct err ignored;

	*p += strspn(*p, " ");
	size_t n = strcspn(*p, " ");
	if (n >= sizeof(digits))
		return -1;
	memcpy(digits, *p, n);
	digits[n] = 0;
	*p += n + (**p != 0);
	return num_u64(digits, max, out, &ignored);
}

int running_get(int pod_fd, const char *app, struct running *r, struct err *e)
{
	FILE *f = NULL;
	char line[NUMBERS + 512];
	bool found = false;
	auto_close int fd = openat(pod_fd, "running", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd >= 0)
		f = fdopen(fd, "re");
	if (!f)
		return errno == ENOENT ? err_set(e, EAGAIN, "app %s has not been started", app)
				       : err_sys(e, "open running");
	take_fd(&fd);
	while (!found && fgets(line, sizeof(line), f)) {
		const char *p = line;
		uint64_t pid, uid, gid;
		line[strcspn(line, "\n")] = 0;
		if (number(&p, INT32_MAX, &pid) < 0 || number(&p, UINT32_MAX, &uid) < 0 ||
		    number(&p, UINT32_MAX, &gid) < 0 || strcmp(p, app))
			continue;
		*r = (struct running){ (pid_t)pid, (uid_t)uid, (gid_t)gid };
		found = true;
	}
	fclose(f);
	if (!found)
		return err_set(e, EAGAIN, "app %s has not been started", app);
	return r->pid > 0 ? 0 : err_set(e, ESRCH, "app %s is not running", app);
}
