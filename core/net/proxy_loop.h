/* SPDX-License-Identifier: Apache-2.0
 * proxy_loop - the proxy's inside: listening sockets, and the loop that serves them
 */
#pragma once

#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "core/net/proxy.h"

union proxy_addr { struct sockaddr a; struct sockaddr_in in; struct sockaddr_in6 in6; };
socklen_t proxy_addr(const struct ip *ip, uint16_t port, union proxy_addr *out);

/* Something that epoll watches: the first member of what it is part of. */
struct proxy_loop;
struct proxy_watch { void (*ready)(struct proxy_loop *l, struct proxy_watch *w, uint32_t events); };

struct proxy_ear {
	struct proxy_watch watch;
	int        fd, protocol;
	bool       any;     /* of any address: answers of udp have to say which */
	union proxy_addr to; /* in the pod */
	socklen_t  to_len;
};

#define PROXY_PIPES 16

struct proxy { size_t n; struct proxy_ear *v; };

struct proxy_loop {
	int                  epoll_fd;
	struct proxy        *p;
	int64_t              now_ms;
	bool                 deaf;  /* as many connections as can be: nobody listens */
	size_t               n_conns, max_conns, n_fresh, n_sessions; /* n_fresh: places of conns that were ever used */
	struct proxy_conn   *conns, *idle; /* all places; those that are free again */
	struct proxy_conn   *busy;  /* with more to do than one turn's work */
	int                  pipes[PROXY_PIPES][2]; /* empty ones */
	size_t               n_pipes;
	struct proxy_sessions *sessions;
	char                *room;  /* PROXY_ROOM bytes, for a datagram or a message */
};
#define PROXY_ROOM    65536
#define PROXY_IDLE_MS 60000

int proxy_watch(struct proxy_loop *l, int fd, uint32_t events, struct proxy_watch *w);
/** proxy_hear() - hears connections again; or not, for as long as there are too many */
void proxy_hear(struct proxy_loop *l, bool hear);

int  proxy_conns_init(struct proxy_loop *l);
void proxy_accept(struct proxy_loop *l, struct proxy_watch *ear, uint32_t events);
void proxy_conns_go_on(struct proxy_loop *l); /* with those that are busy */

int  proxy_sessions_init(struct proxy_loop *l);
void proxy_datagram(struct proxy_loop *l, struct proxy_watch *ear, uint32_t events);
/** proxy_sessions_expire() - those that were silent for a minute; returns ms until the next may be, -1: there are none */
int  proxy_sessions_expire(struct proxy_loop *l);

/** proxy_who() - "nginx (pid 123)" listens on that port, or uses it; false: it cannot be told */
bool proxy_who(int protocol, uint16_t port, char *out, size_t size);
