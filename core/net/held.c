/* SPDX-License-Identifier: Apache-2.0
 * held - see join.h: descriptors that hold what a pod has been lent
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/net/join.h"

int net_held_add(struct net_held *h, int fd, struct err *e)
{
	int *fds = realloc(h->fds, (h->n + 1) * sizeof(*fds));

	if (!fds) {
		close(fd);
		return err_set(e, ENOMEM, "out of memory");
	}
	h->fds = fds;
	fds[h->n++] = fd;
	return 0;
}

void net_held_close(struct net_held *h)
{
	for (size_t i = 0; i < h->n; i++)
		close(h->fds[i]);
	free(h->fds);
	*h = (struct net_held){ .n = 0 };
}
