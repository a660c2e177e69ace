/* SPDX-License-Identifier: Apache-2.0
 * userns_ban - see userns_ban.h
 */
#include "core/base/userns_ban.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "core/base/fd.h"

/* EPERM: this setting has this value; a security module may also grant the namespace, and then nothing in it */
static const struct ban { const char *name, *path, *value, *remedy; } bans[] = {
	{ "kernel.unprivileged_userns_clone", "/proc/sys/kernel/unprivileged_userns_clone", "0",
	  "root can allow it: sysctl kernel.unprivileged_userns_clone=1" },
	{ "kernel.apparmor_restrict_unprivileged_userns", "/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1",
	  "root can allow it: sysctl kernel.apparmor_restrict_unprivileged_userns=0, or an AppArmor profile for this "
	  "program with the rule userns" },
};

static void read_value(const char *path, char value[16])
{
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : fd_read_full(fd, value, 15);

	value[n < 0 ? 0 : n] = 0;
	value[strcspn(value, "\n")] = 0;
}

static void no_more(char *out)
{
	char value[16];

	read_value("/proc/sys/user/max_user_namespaces", value);
	if (!*value)
		return;
	snprintf(out, USERNS_BAN_MAX, "user.max_user_namespaces is %s%s: root can raise it: sysctl user.max_user_namespaces=15000",
		 value, strcmp(value, "0") ? ", and so many are there, or less may be around us, or they are nested too deep" : "");
}

void userns_ban(int code, char *out)
{
	int saved = errno;
	char value[16];

	*out = 0;
	if (code == ENOSPC || code == EUSERS)
		no_more(out);
	for (const struct ban *b = bans; (code == EPERM || code == EACCES) && !*out && b < bans + sizeof(bans) / sizeof(*bans); b++) {
		read_value(b->path, value);
		if (!strcmp(value, b->value))
			snprintf(out, USERNS_BAN_MAX, "%s is %s: %s", b->name, value, b->remedy);
	}
	errno = saved;
}
