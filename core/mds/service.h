/* SPDX-License-Identifier: Apache-2.0
 * service - the metadata service: what it answers about a pod, and who may ask
 *
 * /TOKEN/acMetadata/v1/pod/{annotations,manifest,uuid,hmac/sign,hmac/verify}
 * /TOKEN/acMetadata/v1/apps/APP/{annotations,image/manifest,image/id}
 * The token is compared in constant time; with a wrong one everything is 404 alike.
 *
 * The address is 127.0.0.1, of the pod's own network namespace or of the host's: the kernel takes no packet for it from
 * any other interface than lo. A link-local address on lo, as the original had one, would be found by whoever is on the
 * same link as the pod, and that of clouds would hide theirs from the apps.
 * Source: appc spec, spec/ace.md, "App Container Metadata Service".
 */
#pragma once

#include <cjson/cJSON.h>
#include <stdint.h>

#include "core/base/err.h"
#include "core/mds/request.h"

#define MDS_TOKEN_LEN 32  /* 128 random bits as hex */
#define MDS_TOKEN_MAX 128 /* another stage 0 may make longer ones */
#define MDS_ADDRESS   "127.0.0.1"
#define MDS_PORT      18112 /* as rkt's */
#define MDS_URL_MAX   192

void mds_token_new(char *out); /* MDS_TOKEN_LEN + 1 */
/** mds_token_ok() - may stand in a URL, and is short enough */
bool mds_token_ok(const char *token);
#define MDS_URL_FILE "mds-url" /* in the pod directory: AC_METADATA_URL of its apps */
/** mds_url() - what AC_METADATA_URL becomes, into MDS_URL_MAX bytes; returns @out */
char *mds_url(char *out, unsigned port, const char *token);

/* ---- keys ---- */

/*
 * One key of this host, in DIR/mds/key, made when it is first wanted and never changed. That of a pod is derived from
 * it and the pod's UUID, so verifying needs no pod directory, and works for pods that have ended.
 */
#define MDS_KEY_LEN 64
#define MDS_SIG_LEN 88 /* base64 of 64 bytes */

/** mds_key_load() - @data_fd: DIR; its file is 0600 in a directory that is 0700; whole on disk before anybody has it */
int mds_key_load(int data_fd, uint8_t key[MDS_KEY_LEN], struct err *e);
/** mds_sign() - -1: no memory */
int mds_sign(const uint8_t *key, const char *uuid, const void *content, size_t len, char sig[MDS_SIG_LEN + 1]);
/** mds_verify() - 1; 0: it is not its signature; -1: no memory. Constant time as far as @sig is as long as one. */
int mds_verify(const uint8_t *key, const char *uuid, const void *content, size_t len, const char *sig);

/* ---- answers ---- */

/* All of it in memory: whoever answers needs no file, and no right to read one. */
struct mds_image { char *manifest; size_t len; };
struct mds_pod {
	char              uuid[37], token[MDS_TOKEN_MAX + 1];
	cJSON            *manifest;
	struct mds_image *images; /* of its apps, in their order */
	uint8_t           key[MDS_KEY_LEN];
	bool              has_key; /* false: it could not be made or read, and hmac is a status of 500 */
};

/**
 * mds_pod_load() - what is lacking but UUID and token, which the caller has set; mds_pod_free() also if it fails
 * @pod_fd: the pod directory; @data_fd: the data directory
 */
int mds_pod_load(struct mds_pod *p, int pod_fd, int data_fd, struct err *e);
void mds_pod_free(struct mds_pod *p);

/** mds_is_pod() - whether a request for @path is one of that pod */
bool mds_is_pod(const struct mds_pod *p, const char *path);
/** mds_answer() - @p NULL: nobody's; @r starts zeroed; never fails: what goes wrong here is a status of 500 */
void mds_answer(const struct mds_pod *p, const struct mds_request *q, struct mds_reply *r);

/* ---- the server ---- */

/** mds_listen() - in the calling thread's network namespace, O_CLOEXEC and not blocking; no heap */
int mds_listen(unsigned port, struct err *e);

#define MDS_CONNECTIONS 64 /* one more takes the place of the one that has been silent longest */
#define MDS_REQUEST_MS  10000 /* for a request, and for taking its reply */
#define MDS_MEMORY_MAX  (8u << 20) /* of all requests that are not whole yet */

struct mds_server {
	int   listen_fd;
	int   idle_ms;  /* returns 0 after so long without a connection; -1: never */
	/* who a request is about, or NULL */
	const struct mds_pod *(*find)(void *ctx, const char *path);
	/* beside connections: called when one of these is ready; what is not 0 is returned */
	int   others[2]; /* -1: none */
	int (*other)(void *ctx, int fd);
	void *ctx;
};
int mds_serve(const struct mds_server *s, struct err *e);
