/* SPDX-License-Identifier: Apache-2.0
 * dhcp_client - see dhcp_client.h
 *
 * Source: RFC 2131 sections 3 and 4; packet(7); kernel Documentation/networking/filter.rst.
 */
#include "core/net/dhcp_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>

#include "core/base/clock.h"
#include "core/base/fd.h"
#include "core/net/inside.h"

#define WAIT_MS     1000 /* for the first answer; doubled up to WAIT_MAX_MS */
#define WAIT_MAX_MS 4000
#define AFTER_NAK_MS 500

/* ---- the socket ---- */

/* Only what may be an answer; so nobody's flood of other packets pushes one out of the socket's queue. */
static int attach_filter(int fd)
{
	static const struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 9),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 17 /* UDP */, 0, 6),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 6),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x1fff, 4, 0), /* not the first fragment */
		BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
		BPF_STMT(BPF_LD | BPF_H | BPF_IND, 2),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, DHCP_CLIENT_PORT, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0xffff),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog prog = { .len = sizeof(code) / sizeof(*code), .filter = (struct sock_filter *)code };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog));
}

static int look_up(struct dhcp_client *c, int fd, const char *ifname, struct err *e)
{
	struct ifreq r = { .ifr_name = "" };

	memcpy(r.ifr_name, ifname, strnlen(ifname, IFNAMSIZ - 1));
	if (ioctl(fd, SIOCGIFINDEX, &r) < 0)
		return err_sys(e, "look for it");
	c->index = r.ifr_ifindex;
	if (ioctl(fd, SIOCGIFHWADDR, &r) < 0 || r.ifr_hwaddr.sa_family != ARPHRD_ETHER)
		return err_set(e, EINVAL, "no Ethernet, which DHCP needs");
	memcpy(c->mac, r.ifr_hwaddr.sa_data, sizeof(c->mac));
	return 0;
}

int dhcp_open(struct dhcp_client *c, const struct dhcp_lease *l, struct err *e)
{
	/* of no protocol until the filter is there */
	auto_close int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	*c = (struct dhcp_client){ .fd = -1, .l = l, .begin_ms = clock_ms(CLOCK_BOOTTIME) };
	if (fd >= 0 && look_up(c, fd, l->ifname, e) < 0)
		return -1;
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP), .sll_ifindex = c->index };
	if (fd < 0 || attach_filter(fd) < 0 || bind(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		return err_sys(e, "packet socket");
	if (getrandom(&c->xid, sizeof(c->xid), GRND_NONBLOCK) < 0)
		c->xid = (uint32_t)c->begin_ms * 2654435761U; /* a kernel that has just started; it is no secret */
	c->fd = take_fd(&fd);
	return 0;
}

struct opening { struct dhcp_client *c; const struct dhcp_lease *l; };

static int open_here(void *ctx, struct err *e)
{
	const struct opening *o = ctx;

	return dhcp_open(o->c, o->l, e);
}

int dhcp_open_in(int netns_fd, struct dhcp_client *c, const struct dhcp_lease *l, struct err *e)
{
	return inside_call(netns_fd, open_here, &(struct opening){ c, l }, e);
}

/* ---- one message ---- */

int dhcp_send(const struct dhcp_client *c, struct dhcp_question *q, const uint8_t *mac, struct err *e)
{
	uint8_t packet[DHCP_PACKET_MAX];
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP), .sll_ifindex = c->index, .sll_halen = DHCP_MAC_LEN,
		.sll_addr = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
	};

	if (mac)
		memcpy(to.sll_addr, mac, DHCP_MAC_LEN);
	q->xid = c->xid;
	q->secs = (uint16_t)((clock_ms(CLOCK_BOOTTIME) - c->begin_ms) / 1000);
	q->mac = c->mac;
	q->uuid = c->l->uuid;
	q->ifname = c->l->ifname;
	q->hostname = c->l->hostname;
	size_t len = dhcp_write(q, packet);
	if (sendto(c->fd, packet, len, 0, (struct sockaddr *)&to, sizeof(to)) < 0 && errno != ENOBUFS)
		return err_sys(e, "send");
	return 0;
}

/* whether it answers what was asked, as RFC 2131 has the order of messages */
static bool answers(const struct dhcp_question *q, const struct dhcp_answer *a)
{
	if (q->type == DHCP_DISCOVER)
		return a->type == DHCP_OFFER;
	return a->type != DHCP_OFFER && (!q->server.len || ip_equal(&q->server, &a->server));
}

static int ask(struct dhcp_client *c, struct dhcp_question *q, const uint8_t *mac, int64_t wait_ms, struct dhcp_answer *a,
	       struct err *e)
{
	int64_t end = clock_ms(CLOCK_BOOTTIME) + wait_ms, left;

	if (dhcp_send(c, q, mac, e) < 0)
		return -1;
	while ((left = end - clock_ms(CLOCK_BOOTTIME)) > 0) {
		struct pollfd p = { .fd = c->fd, .events = POLLIN };
		uint8_t packet[2048];
		struct sockaddr_ll from;
		socklen_t from_len = sizeof(from);
		if (poll(&p, 1, (int)left) <= 0)
			continue;
		ssize_t n = recvfrom(c->fd, packet, sizeof(packet), MSG_DONTWAIT, (struct sockaddr *)&from, &from_len);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return err_sys(e, "receive");
		if (n > 0 && dhcp_read(packet, (size_t)n, c->xid, c->mac, a) && answers(q, a)) {
			memcpy(c->from, from.sll_addr, sizeof(c->from));
			return 1;
		}
	}
	return 0;
}

/* ---- a talk ---- */

struct heard { bool offers, naks; struct ip server; char text[128]; };

static int nobody(int64_t limit_ms, const struct heard *h, struct err *e)
{
	char server[IP_TEXT_MAX];
	int s = (int)(limit_ms / 1000);

	if (!h->offers)
		return err_set(e, ETIMEDOUT, "heard no DHCP server in %d s; is there one that it reaches?", s);
	return err_set(e, ETIMEDOUT, "DHCP server %s offers an address, but does not confirm it within %d s%s%s",
		       ip_text(&h->server, server), s, h->naks ? ": " : "", h->text);
}

static int64_t at_most(int64_t v, int64_t max)
{
	return v < max ? v : max;
}

/* what was offered is asked for; 1: it is ours, 0: it is not (any more); -1 */
static int take_offer(struct dhcp_client *c, int64_t end_ms, struct dhcp_answer *a, struct heard *h, struct err *e)
{
	struct dhcp_question q = { .type = DHCP_REQUEST, .wanted = a->address.ip, .server = a->server };

	h->offers = true;
	h->server = a->server;
	for (int64_t wait = WAIT_MS; wait <= WAIT_MAX_MS; wait *= 2) {
		int r = ask(c, &q, NULL, at_most(wait, end_ms - clock_ms(CLOCK_BOOTTIME)), a, e);
		if (r < 0 || (r && a->type == DHCP_ACK))
			return r;
		if (r) {
			h->naks = true;
			memcpy(h->text, a->text, sizeof(h->text));
			poll(NULL, 0, AFTER_NAK_MS);
			return 0;
		}
	}
	return 0;
}

int dhcp_acquire(struct dhcp_client *c, int64_t limit_ms, struct dhcp_answer *a, struct err *e)
{
	int64_t end_ms = clock_ms(CLOCK_BOOTTIME) + limit_ms, wait = WAIT_MS, left;
	struct heard h = { .offers = false };

	while ((left = end_ms - clock_ms(CLOCK_BOOTTIME)) > 0) {
		struct dhcp_question q = { .type = DHCP_DISCOVER };
		/* not all pods of a host that has just started at the same time again */
		int r = ask(c, &q, NULL, at_most(wait + c->xid % 256, left), a, e);
		if (r > 0)
			r = take_offer(c, end_ms, a, &h, e);
		if (r)
			return r < 0 ? -1 : 0;
		c->xid++;
		wait = at_most(wait * 2, WAIT_MAX_MS);
	}
	return nobody(limit_ms, &h, e);
}

int dhcp_extend(struct dhcp_client *c, bool everybody, int64_t wait_ms, struct dhcp_answer *a, struct err *e)
{
	struct dhcp_question q = { .type = DHCP_REQUEST, .mine = c->l->address.ip };

	if (!everybody)
		q.to = c->l->server;
	return ask(c, &q, everybody ? NULL : c->l->server_mac, wait_ms, a, e);
}
