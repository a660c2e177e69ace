/* SPDX-License-Identifier: Apache-2.0
 * host - what this kernel and this host offer of what pods need, found out by doing it
 *
 * Neither a kernel's version nor its configuration tells: things are backported, left out, disabled by sysctls, by
 * whoever made the container we are in, or by a security module. So each check does what the start of a pod would do,
 * in a process of its own that ends with all that it made: namespaces, mounts, interfaces, anonymous files. What is not
 * bound to a process, a cgroup, is removed at once.
 */
#pragma once

#include "core/store/render.h"

enum host_verdict { HOST_OK, HOST_DEGRADED, HOST_MISSING, HOST_UNKNOWN };

/* how much the lack matters: pods do not start; a feature is not to be had; it only costs time or space */
enum host_need { HOST_NEEDED, HOST_FEATURE, HOST_FASTER };

struct host_probe;
struct host_check {
	const char    *words; /* begins with the id, the others behind it; host_word() */
	int          (*probe)(struct host_probe *p);
	unsigned       arg;   /* the probe's */
	unsigned char  need;  /* enum host_need */
	unsigned char  since; /* the 5.x of Linux that brought it; 0: older than that, or later */
};
enum host_word {
	HOST_ID,      /* stable: scripts, and messages of failed starts, name it */
	HOST_LOST,    /* what is lost without it */
	HOST_CONFIG,  /* what provides it: the symbol of the kernel's configuration, without CONFIG_, */
	HOST_MODULE,  /* the module, */
	HOST_SYSCTL,  /* the sysctl that can forbid it, */
	HOST_REMEDY,  /* and what to do */
};
/** host_word() - NULL: there is none */
const char *host_word(const struct host_check *c, enum host_word w);
extern const struct host_check host_checks[];
extern const size_t host_n_checks;

/* what checks depend on besides the kernel */
struct host_place {
	const char        *data_dir; /* of rkt; it need not be there */
	struct render_how  how;
};

struct host_result {
	enum host_verdict verdict;
	char              text[300]; /* what was found; "" when there is nothing to say */
};

/** host_try() - makes one check; what goes wrong with the check itself is HOST_UNKNOWN, and says why */
void host_try(const struct host_check *c, const struct host_place *at, struct host_result *r);

const char *host_verdict_name(enum host_verdict v); /* "ok", "degraded", "missing", "unknown" */
const char *host_need_name(enum host_need n);       /* "needed", "feature", "faster" */
