/* SPDX-License-Identifier: Apache-2.0
 * proxy_who - which program of the host has a port, as ss(8) finds it: by the inode of the socket
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/dir.h"
#include "core/base/fd.h"
#include "core/net/proxy_loop.h"

/* "0: 0100007F:1F90 00000000:0000 0A ... inode": 0A listens; of udp all count. Addresses are not compared: whoever is in
 * the way has the port. */
static bool socket_of(const char *table, bool udp, uint16_t port, char *out, size_t size)
{
	char line[512], want[8];
	bool found = false;
	FILE *f = fopen(table, "re");

	snprintf(want, sizeof(want), ":%04X", port);
	while (f && !found && fgets(line, sizeof(line), f)) {
		char *field[10] = { NULL }, *rest = line;
		size_t n = 0;
		while (n < 10 && (field[n] = strtok_r(n ? NULL : line, " ", &rest)))
			n++;
		const char *local = n == 10 ? strchr(field[1], ':') : NULL;
		found = local && !strcmp(local, want) && (udp || !strcmp(field[3], "0A"));
		if (found)
			snprintf(out, size, "socket:[%s]", field[9]);
	}
	if (f)
		fclose(f);
	return found;
}

static bool has_socket(int proc_fd, const char *pid, const char *want)
{
	char path[32], to[40];
	struct dir d;
	const struct dirent *e;
	bool found = false;

	if ((size_t)snprintf(path, sizeof(path), "%.20s/fd", pid) >= sizeof(path) || dir_open(&d, proc_fd, path) < 0)
		return false;
	while (!found && (e = dir_next(&d))) {
		ssize_t n = readlinkat(d.fd, e->d_name, to, sizeof(to) - 1);
		to[n > 0 ? n : 0] = '\0';
		found = !strcmp(to, want);
	}
	dir_close(&d);
	return found;
}

static void name_it(int proc_fd, const char *pid, char *out, size_t size)
{
	char path[40], name[17] = "";
	snprintf(path, sizeof(path), "%.20s/comm", pid);
	auto_close int fd = openat(proc_fd, path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, name, sizeof(name) - 1);

	name[n > 0 ? n : 0] = '\0';
	name[strcspn(name, "\n")] = '\0';
	for (char *p = name; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	snprintf(out, size, "%s (pid %.20s)", name, pid);
}

bool proxy_who(int protocol, uint16_t port, char *out, size_t size)
{
	bool udp = protocol == IPPROTO_UDP;
	char want[40];
	struct dir d;
	const struct dirent *e;
	bool found = false;

	if (protocol == IPPROTO_SCTP || (!socket_of(udp ? "/proc/net/udp" : "/proc/net/tcp", udp, port, want, sizeof(want)) &&
					 !socket_of(udp ? "/proc/net/udp6" : "/proc/net/tcp6", udp, port, want, sizeof(want))))
		return false;
	if (dir_open(&d, AT_FDCWD, "/proc") < 0)
		return false;
	while (!found && (e = dir_next(&d)))
		if (*e->d_name >= '1' && *e->d_name <= '9' && has_socket(d.fd, e->d_name, want)) {
			name_it(d.fd, e->d_name, out, size);
			found = true;
		}
	dir_close(&d);
	return found;
}
