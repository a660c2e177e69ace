/* SPDX-License-Identifier: Apache-2.0
 * listen - the service's listening socket; made beside a pod's network namespace, so without a heap
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "core/base/fd.h"
#include "core/mds/service.h"

int mds_listen(unsigned port, struct err *e)
{
	const struct sockaddr_in at = {
		.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int on = 1;
	auto_close int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	/* what is left of connections to one that was here before is no reason to wait */
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    bind(fd, (const struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, MDS_CONNECTIONS) < 0)
		return err_sys(e, "listen on " MDS_ADDRESS ":%u", port);
	return take_fd(&fd);
}
