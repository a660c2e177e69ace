/* SPDX-License-Identifier: Apache-2.0
 * proxy - forwarded ports in user space: for what comes from the host's loopback addresses, which the kernel does not
 * forward unless route_localnet opens them to the network (CVE-2020-8558), and for everything where there is no nftables
 *
 * proxy_open() makes the listening sockets, in the host's namespace, before the pod starts; that also is where a
 * conflict with a program of the host shows. Nothing is spent until somebody connects: proxy_main() then runs in a
 * process of its own. tcp with splice(2), udp by sessions that time out, sctp one-to-one.
 */
#pragma once

#include <poll.h>

#include "core/net/firewall.h"

struct proxy; /* listening sockets and where they lead */

/**
 * proxy_open() - @loopback: only 127.0.0.1 and ::1, as far as a port is for any address or for one of these; else all
 * Errors: EADDRINUSE, with protocol, address and port, and who has it if that can be told. proxy_close() it.
 */
struct proxy *proxy_open(const struct fw_port *ports, size_t n, bool loopback, struct err *e);
void proxy_close(struct proxy *p);

/** proxy_n_polls(), proxy_polls() - to learn of the first that comes; 0: nothing to do */
size_t proxy_n_polls(const struct proxy *p);
size_t proxy_polls(const struct proxy *p, struct pollfd *out);

/** proxy_main() - serves until it is killed, or for a minute nobody is connected: 0, and it has to be called again when
 * somebody comes, in a new process; -1: it cannot go on. Bounded: so many connections at once. */
int proxy_main(struct proxy *p, struct err *e);
