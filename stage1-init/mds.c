/* SPDX-License-Identifier: Apache-2.0
 * mds - see mds.h
 *
 * The worker reads requests of apps that may be hostile. So it takes into memory what it will say, and then has no right
 * to anything else any more: no file, no capability, no user, none of the host side's descriptors.
 */
#include "stage1-init/mds.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "core/pod/netns.h"
#include "stage1-init/running.h"
#include "stage1-init/worker.h"

#define IDLE_MS 30000

/* ---- on the host side ---- */

static int listen_in_pod(struct mds *m, const struct plan *p, void (*note)(const struct err *), struct err *e)
{
	struct err why;

	/* a pod with users of its own, or with a network that somebody else made; only root can go there and come back */
	if (m->listen_fd < 0 && !m->rootless && netns_listen(p->netns_fd, &m->listen_fd, &why, e) < 0)
		return -1;
	if (m->listen_fd >= 0)
		return 0;
	if (m->rootless)
		err_set_text(&why, ENOTSUP, "the pod's network came without its socket");
	err_wrap_text(&why, "no metadata service");
	if (note)
		note(&why);
	return 0;
}

int mds_prepare(struct mds *m, struct plan *p, const char *token, void (*note)(const struct err *), struct err *e)
{
	if (token && *token && !mds_token_ok(token))
		return err_set(e, EINVAL, "--mds-token: want at most %d letters, digits, - and _", MDS_TOKEN_MAX);
	if (p->own_net && listen_in_pod(m, p, note, e) < 0)
		return -1;
	if (!p->own_net)
		running_mds_url(m->pod_fd, m->url);
	if (token && *token)
		snprintf(m->token, sizeof(m->token), "%s", token);
	else if (m->listen_fd >= 0)
		mds_token_new(m->token);
	if (*m->token && (m->listen_fd >= 0 || !p->own_net))
		mds_url(m->url, MDS_PORT, m->token);
	if (m->listen_fd < 0)
		return plan_metadata_url(p, m->url, e);
	/* by way of the pod directory, as long as that is sure to be where stage 0 has put it */
	m->data_fd = openat(m->pod_fd, "../../..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return m->data_fd < 0 ? err_sys(e, "open the data directory") : plan_metadata_url(p, m->url, e);
}

/* ---- the worker ---- */

static const struct mds_pod *the_pod(void *pod, const char *path)
{
	return mds_is_pod(pod, path) ? pod : NULL;
}

static int serve(struct mds *m, struct mds_pod *pod, struct err *e)
{
	const struct mds_server s = {
		.listen_fd = m->listen_fd, .idle_ms = IDLE_MS, .find = the_pod, .others = { -1, -1 }, .ctx = pod,
	};
	int r = mds_pod_load(pod, m->pod_fd, m->data_fd, e);

	close(m->pod_fd);
	close(m->data_fd);
	return r < 0 || worker_give_up_rights(m->rootless, e) < 0 ? -1 : mds_serve(&s, e);
}

int mds_main(void *mds)
{
	struct mds *m = mds;
	struct mds_pod pod = { .manifest = NULL };
	struct err e;

	worker_close_others((const int[]){ m->listen_fd, m->pod_fd, m->data_fd }, 3);
	snprintf(pod.uuid, sizeof(pod.uuid), "%s", m->uuid);
	snprintf(pod.token, sizeof(pod.token), "%s", m->token);
	if (serve(m, &pod, &e) == 0)
		return 0;
	dprintf(2, "stage1: %s\n", e.msg);
	return 1;
}
