/* SPDX-License-Identifier: Apache-2.0
 * dns - what a pod's apps shall find as /etc/resolv.conf and /etc/hosts, as far as somebody asked for something
 *
 * It is said with options of `rkt run`, `prepare` and `run-prepared`, and stands in annotations of the pod manifest, so
 * that a pod which is prepared now and run later has what was asked for. Stage 0 writes the files into stage 1's root,
 * and tells stage 1 which of the ways in enum dns_way each of the two takes.
 * Source: rkt Documentation/networking/dns.md; devel/stage1-implementors-guide.md, --dns-conf-mode.
 */
#pragma once

#include "core/appc/manifest.h"
#include "core/base/buf.h"
#include "core/base/err.h"

/* in stage 1's root */
#define DNS_RESOLV_FILE "rkt-resolv.conf"
#define DNS_HOSTS_FILE  "rkt-hosts"

/* what apps whose image has no /etc/hosts get; %s: the pod's host name. Entries that are asked for come behind it. */
#define DNS_HOSTS_DEFAULT "127.0.0.1\tlocalhost %s\n::1\tlocalhost ip6-localhost ip6-loopback\n"

enum dns_way {
	DNS_DEFAULT, /* "default": what the image has, else a default */
	DNS_HOST,    /* "host": that of the host, read-only */
	DNS_NONE,    /* "none": what the image has; of resolv.conf only */
	DNS_STAGE0,  /* "stage0": the file that stage 0 wrote */
};
#define DNS_WAYS 4
extern const char *const dns_way_names[DNS_WAYS];

/* Names of the annotations; their values are lists with commas between. */
enum dns_wish { DNS_SERVERS, DNS_SEARCH, DNS_OPTIONS, DNS_DOMAIN, DNS_HOSTS };
#define DNS_WISHES 5
extern const char *const dns_annotations[DNS_WISHES];
/* and of the options that they come from, for messages */
extern const char *const dns_options[DNS_WISHES];

struct dns_files {
	enum dns_way resolv, hosts;
	struct buf   resolv_text, hosts_text; /* DNS_STAGE0: what stage 0 writes */
};

/**
 * dns_files() - what the annotations of a pod amount to; dns_files_free() it either way
 * @hostname: of the pod
 *
 * EINVAL: an address that is none, wishes that exclude each other, text that would be more than one word or line.
 */
int dns_files(const struct appc_pairs *annotations, const char *hostname, struct dns_files *out, struct err *e);
void dns_files_free(struct dns_files *d);

/**
 * dns_resolv() - only /etc/resolv.conf, of lists as the annotations have them, NULL for what is not said: what networks
 * say. @out->resolv is DNS_DEFAULT when they say nothing.
 */
int dns_resolv(const char *const wishes[DNS_WISHES], struct dns_files *out, struct err *e);

/** dns_install() - writes what stage 0 writes; in the pod directory, when stage 1's root is mounted */
int dns_install(const struct dns_files *d, struct err *e);
