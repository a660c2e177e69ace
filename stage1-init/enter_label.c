/* SPDX-License-Identifier: Apache-2.0
 * enter_label - see enter_label.h
 */
#include "stage1-init/enter_label.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "core/host/facts.h"

/* modules end what they say with a newline, or with a NUL */
static int read_label(const char *path, char out[LABEL_MAX], struct err *e)
{
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, out, LABEL_MAX - 1);

	if (n < 0) {
		*out = 0;
		/* EINVAL: no module has this file; ENOENT: no module at all */
		return errno == EINVAL || errno == ENOENT ? 0 : err_sys(e, "read %s", path);
	}
	while (n && (out[n - 1] == '\n' || !out[n - 1]))
		n--;
	out[n] = 0;
	return 0;
}

int label_read(pid_t pid, char out[LABEL_MAX], struct err *e)
{
	char path[48];

	snprintf(path, sizeof(path), "/proc/%d/attr/current", (int)pid);
	return read_label(path, out, e);
}

/* AppArmor says "NAME (MODE)", and wants "exec NAME" */
static size_t request(const char *label, bool apparmor, char *out, size_t size)
{
	const char *mode = strstr(label, " (");
	size_t len = apparmor && mode ? (size_t)(mode - label) : strlen(label);

	return (size_t)snprintf(out, size, "%s%.*s", apparmor ? "exec " : "", (int)len, label);
}

int label_for_exec(const char *label, struct err *e)
{
	char own[LABEL_MAX], text[LABEL_MAX + 8];

	if (!*label)
		return 0;
	if (read_label("/proc/self/attr/current", own, e) < 0)
		return -1;
	if (!strcmp(own, label))
		return 0;
	size_t n = request(label, facts_lsm() == FACTS_LSM_APPARMOR, text, sizeof(text));
	auto_close int fd = open("/proc/self/attr/exec", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, n) < 0)
		return err_sys(e, "security label \"%.200s\" of the app", label);
	return 0;
}
