/* SPDX-License-Identifier: Apache-2.0
 * service - the metadata service: what it answers about a pod, and who may ask
 *
 * /TOKEN/acMetadata/v1/pod/{annotations,manifest,uuid,hmac/sign,hmac/verify}
 * /TOKEN/acMetadata/v1/apps/APP/{annotations,image/manifest,image/id}
 * The token is compared in constant time; with a wrong one everything is 404 alike.
 * Source: appc spec, spec/ace.md, "App Container Metadata Service".
 */
#pragma once

#include "core/appc/manifest.h"
#include "core/mds/request.h"

#define MDS_TOKEN_LEN 32 /* 128 random bits as hex */
#define MDS_ADDRESS   "169.254.169.254" /* on the pod's loopback interface: nobody else reaches it */
#define MDS_PORT      18112             /* as rkt's */

void mds_token_new(char *out); /* MDS_TOKEN_LEN + 1 */

/* Where answers come from: the pod directory, which has the manifests as they were when the pod was made. */
struct mds_pod {
	char uuid[37], token[MDS_TOKEN_LEN + 1];
	int  pod_fd;  /* appsinfo/APP/manifest, pod */
	int  keys_fd; /* directory with the host's key, see mds_keys_open() */
};

/** mds_answer() - to one request; @r starts zeroed; never fails: what goes wrong here is a status of 500 */
void mds_answer(const struct mds_pod *p, const struct mds_request *q, struct mds_reply *r);

/**
 * mds_keys_open() - DIR/mds, 0700, with the key, 0600, made when it is first wanted
 * One key of this host; that of a pod is derived from it and the pod's UUID, so verifying needs no pod directory.
 */
int mds_keys_open(const char *data_dir, struct err *e);
int mds_sign(int keys_fd, const char *uuid, const void *content, size_t len, char *base64 /* 89 bytes */, struct err *e);
/** mds_verify() - 1, 0: it is not its signature; constant time */
int mds_verify(int keys_fd, const char *uuid, const void *content, size_t len, const char *base64, struct err *e);

/**
 * mds_listen() - in the calling thread's network namespace: the address on lo, a listening socket, O_CLOEXEC
 * mds_serve() - answers connections of @listen_fd, MDS_CONNECTIONS at once and each within its time, until it is killed
 */
#define MDS_CONNECTIONS 64
int mds_listen(struct err *e);
int mds_serve(int listen_fd, const struct mds_pod *p, struct err *e);
