/* SPDX-License-Identifier: Apache-2.0
 * sysctl - see sysctl.h
 */
#include "core/appc/sysctl.h"

#include <errno.h>
#include <string.h>

bool sysctl_key_ok(const char *s)
{
	static const char chars[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";

	for (;;) {
		size_t n = strspn(s, chars);
		if (!n)
			return false;
		if (!s[n])
			return true;
		if (s[n] != '.' && s[n] != '/')
			return false;
		s += n + 1;
	}
}

bool sysctl_path(const char *key, char *path, size_t size)
{
	size_t n = strlen(key);
	char sep = key[strcspn(key, "./")];

	if (!sysctl_key_ok(key) || n >= size)
		return false;
	for (size_t i = 0; i <= n; i++)
		path[i] = key[i] == sep && sep ? '/' : key[i] == '/' ? '.' : key[i];
	return true;
}

static bool begins(const char *s, const char *with)
{
	return !strncmp(s, with, strlen(with));
}

enum sysctl_kind sysctl_kind(const char *path)
{
	if (begins(path, "net/"))
		return SYSCTL_NET;
	if (begins(path, "kernel/shm") || begins(path, "kernel/msg") || !strcmp(path, "kernel/sem") ||
	    !strcmp(path, "kernel/sem_next_id") ||
	    begins(path, "fs/mqueue/"))
		return SYSCTL_IPC;
	return SYSCTL_HOST;
}

int sysctl_check(const cJSON *value, bool own_net, struct err *e)
{
	char path[SYSCTL_PATH_MAX];

	for (const cJSON *j = value ? value->child : NULL; j; j = j->next) {
		if (!sysctl_path(j->string, path, sizeof(path)))
			return err_set(e, EINVAL, "isolator os/unix/sysctl: \"%.100s\" is no key", j->string);
		enum sysctl_kind kind = sysctl_kind(path);
		if (kind == SYSCTL_HOST)
			return err_set(e, EPERM, "isolator os/unix/sysctl: %s would change the whole host; a pod can have "
				       "its own net.*, kernel.shm*, kernel.msg*, kernel.sem, kernel.sem_next_id and fs.mqueue.*", j->string);
		if (kind == SYSCTL_NET && !own_net)
			return err_set(e, EPERM, "isolator os/unix/sysctl: %s would change the host's network, which the pod "
				       "has with --net=host: use another --net", j->string);
	}
	return 0;
}
