/* SPDX-License-Identifier: Apache-2.0
 * rlimit - see rlimit.h
 */
#include "core/appc/rlimit.h"

#include <stddef.h>
#include <string.h>
#include <sys/resource.h>

/* numbers differ between architectures, so they come from the headers */
static const struct { const char *name; int number; } limits[] = {
	{ "as", RLIMIT_AS }, { "core", RLIMIT_CORE }, { "cpu", RLIMIT_CPU }, { "data", RLIMIT_DATA },
	{ "fsize", RLIMIT_FSIZE }, { "locks", RLIMIT_LOCKS }, { "memlock", RLIMIT_MEMLOCK },
	{ "msgqueue", RLIMIT_MSGQUEUE }, { "nice", RLIMIT_NICE }, { "nofile", RLIMIT_NOFILE },
	{ "nproc", RLIMIT_NPROC }, { "rss", RLIMIT_RSS }, { "rtprio", RLIMIT_RTPRIO },
	{ "rttime", RLIMIT_RTTIME }, { "sigpending", RLIMIT_SIGPENDING }, { "stack", RLIMIT_STACK },
};

int appc_rlimit_number(const char *name)
{
	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++)
		if (!strcmp(limits[i].name, name))
			return limits[i].number;
	return -1;
}

const char *appc_rlimit_name(int number)
{
	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++)
		if (limits[i].number == number)
			return limits[i].name;
	return NULL;
}
