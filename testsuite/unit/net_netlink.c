/* SPDX-License-Identifier: Apache-2.0
 * net_netlink - messages with attributes, and what the kernel answers, in network namespaces of the test's own
 */
#include "testsuite/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/net/inside.h"
#include "core/net/netlink.h"

static struct err e;

static bool own_net(void)
{
	return unshare(CLONE_NEWNET) == 0;
}

static ino_t here(void)
{
	struct stat st;

	return stat("/proc/thread-self/ns/net", &st) < 0 ? 0 : st.st_ino;
}

TEST(builds, "netlink: what was put into a message is found in it")
{
	NL_MSG(m, 400);
	const struct nlattr *a[10], *b[3];

	struct ifinfomsg *i = nl_begin(&m, RTM_NEWLINK, NLM_F_ACK, sizeof(*i));
	i->ifi_index = 7;
	nl_put_u8(&m, 1, 8);
	nl_put_str(&m, 2, "four");
	size_t nest = nl_nest(&m, 9);
	nl_put_u16(&m, 1, 16);
	nl_put_be32(&m, 2, 1);
	nl_nest_end(&m, nest);
	nl_begin(&m, RTM_DELLINK, 0, sizeof(*i));
	nl_put_u32(&m, 3, 1);
	CHECK(!m.overflow);
	const struct nlmsghdr *h = (void *)m.data;
	CHECK_INT(h->nlmsg_len, 16 + 16 + 8 + 12 + 4 + 8 + 8);
	CHECK_INT(h->nlmsg_flags, NLM_F_ACK | NLM_F_REQUEST);
	REQUIRE(nl_attrs(h, sizeof(*i), a, 9));
	CHECK(a[1] && a[2] && !a[3] && a[9] && !a[8]);
	CHECK_INT(nl_len(a[1]), 1);
	CHECK_INT(nl_u32(a[1]), 0); /* too short for one */
	CHECK_STR(nl_data(a[2]), "four");
	REQUIRE(nl_nested(a[9], b, 2));
	CHECK_INT(nl_len(b[2]), 4);
	CHECK_INT(((const char *)nl_data(b[2]))[3], 1);
	h = (void *)(m.data + m.begin);
	CHECK_INT(h->nlmsg_len, 16 + 16 + 8);
	REQUIRE(nl_attrs(h, sizeof(*i), a, 9));
	CHECK(!a[1] && a[3] && nl_u32(a[3]) == 1);
}

TEST(overflows, "netlink: a message that does not fit is not sent")
{
	static char big[70000];
	static struct nl_msg huge = { .cap = sizeof(big) + 100 };
	static char huge_room[sizeof(big) + 100];
	struct nl n = NL_NONE;

	for (size_t cap = 32; cap < 80; cap++) {
		NL_MSG(m, 80);
		m.cap = cap;
		memset(m.data, 0x55, 80);
		nl_begin(&m, RTM_NEWLINK, 0, 16);
		size_t nest = nl_nest(&m, 1);
		nl_put(&m, 2, "12345", 5);
		nl_nest_end(&m, nest);
		memset(nl_begin(&m, RTM_NEWLINK, 0, 10), 1, 10);
		CHECK_INT(m.overflow, cap < 32 + 4 + 12 + 28);
		for (size_t i = cap; i < 80; i++)
			CHECK_INT(m.data[i], 0x55);
		if (m.overflow) {
			CHECK_INT(nl_ask(&n, &m, NULL, &e), -1);
			CHECK_INT(e.code, ENOBUFS);
		}
	}
	huge.data = huge_room;
	nl_begin(&huge, RTM_NEWLINK, 0, 16);
	nl_put(&huge, 1, big, 65532); /* an attribute's length has 16 bits */
	CHECK(huge.overflow);
}

TEST(malformed, "netlink: attributes that lie about their length")
{
	NL_MSG(m, 64);
	const struct nlattr *a[3];

	nl_begin(&m, 1, 0, 4);
	nl_put_u32(&m, 1, 5);
	nl_put_u8(&m, 2, 6);
	struct nlmsghdr *h = (void *)m.data;
	struct nlattr *second = (void *)(m.data + 16 + 4 + 8);
	CHECK(nl_attrs(h, 4, a, 2));
	h->nlmsg_len -= 3; /* without the padding */
	CHECK(nl_attrs(h, 4, a, 2) && a[2]);
	h->nlmsg_len -= 1;
	CHECK(!nl_attrs(h, 4, a, 2));
	h->nlmsg_len += 4;
	for (uint16_t len = 0; len < 4; len++) {
		second->nla_len = len;
		CHECK(!nl_attrs(h, 4, a, 2));
	}
	second->nla_len = 9;
	CHECK(!nl_attrs(h, 4, a, 2));
	h->nlmsg_len = 19;
	CHECK(!nl_attrs(h, 4, a, 2));
}

/* ---- with the kernel ---- */

static void put_lo(struct nl_msg *m, unsigned flags)
{
	struct ifinfomsg *i = nl_begin(m, RTM_NEWLINK, NLM_F_ACK, sizeof(*i));

	i->ifi_index = 1;
	i->ifi_flags = i->ifi_change = flags;
}

static int count(void *ctx, const struct nlmsghdr *h)
{
	++*(int *)ctx;
	return h->nlmsg_type;
}

TEST(asks, "netlink: the kernel's errors come with its words and the message they are about")
{
	auto_nl struct nl n = NL_NONE;
	size_t failed = 99;
	NL_MSG(m, 400);

	REQUIRE(own_net());
	REQUIRE(nl_open(NETLINK_ROUTE, &n, &e) == 0);
	struct ifinfomsg *i = nl_begin(&m, RTM_NEWLINK, NLM_F_CREATE, sizeof(*i));
	size_t nest = nl_nest(&m, IFLA_LINKINFO);
	nl_put_str(&m, IFLA_INFO_KIND, "nosuchkind");
	nl_nest_end(&m, nest);
	CHECK_INT(nl_ask(&n, &m, &failed, &e), -1);
	CHECK_INT(e.code, EOPNOTSUPP);
	CHECK_HAS(e.msg, " (");
	CHECK_INT(failed, 0);

	m = (struct nl_msg){ .data = m.data, .cap = m.cap };
	put_lo(&m, 1);
	nl_begin(&m, RTM_DELLINK, NLM_F_ACK, sizeof(*i));
	nl_put_str(&m, IFLA_IFNAME, "nosuch");
	put_lo(&m, 1);
	CHECK_INT(nl_ask(&n, &m, &failed, &e), -1);
	CHECK_INT(e.code, ENODEV);
	CHECK_INT(failed, 1);
	/* the third one's acknowledgement is still there, and not taken for this one's */
	m.fine = ENODEV;
	CHECK_INT(nl_ask(&n, &m, &failed, &e), 0);
}

TEST(reads, "netlink: one answer, many answers, and an end before all were seen")
{
	auto_nl struct nl n = NL_NONE;
	NL_MSG(one, 100);
	NL_MSG(all, 100);
	int seen = 0;

	REQUIRE(own_net());
	REQUIRE(nl_open(NETLINK_ROUTE, &n, &e) == 0);
	struct ifinfomsg *i = nl_begin(&one, RTM_GETLINK, 0, sizeof(*i));
	i->ifi_index = 1;
	CHECK_INT(nl_get(&n, &one, count, &seen, &e), RTM_NEWLINK);
	CHECK_INT(seen, 1);
	i->ifi_index = 1000;
	CHECK_INT(nl_get(&n, &one, count, &seen, &e), -1);
	CHECK_INT(e.code, ENODEV);
	CHECK_INT(seen, 1);
	nl_begin(&all, RTM_GETLINK, 0, sizeof(*i));
	CHECK_INT(nl_dump(&n, &all, count, &seen, &e), RTM_NEWLINK);
	CHECK_INT(seen, 2);
}

TEST(namespaces, "netlink: a socket of another namespace, and the caller is back in its own")
{
	auto_nl struct nl outer = NL_NONE, inner = NL_NONE;
	NL_MSG(up, 100);

	REQUIRE(own_net());
	int fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	REQUIRE(own_net());
	ino_t before = here();
	REQUIRE(nl_open_in(fd, NETLINK_ROUTE, &inner, &e) == 0 && nl_open(NETLINK_ROUTE, &outer, &e) == 0);
	CHECK_INT(here(), before);
	put_lo(&up, 1);
	CHECK_INT(nl_ask(&outer, &up, NULL, &e), 0);
	CHECK_INT(nl_open_in(-1, NETLINK_ROUTE, &inner, &e), -1);
	CHECK_INT(here(), before);
	nl_close(&inner);
	CHECK_INT(inner.fd, -1);
	int file = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	CHECK_INT(nl_open_in(file, NETLINK_ROUTE, &inner, &e), -1);
	CHECK_INT(here(), before);
	close(file);
	close(fd);
}

static int set_forward(void *ctx, struct err *err)
{
	return inside_sysctl("ipv4/ip_forward", ctx, err);
}

static int forward(void)
{
	char c = 0;
	int fd = open("/proc/sys/net/ipv4/ip_forward", O_RDONLY | O_CLOEXEC);

	CHECK_INT(read(fd, &c, 1), 1);
	close(fd);
	return c;
}

TEST(settings, "netlink: settings of another namespace")
{
	REQUIRE(own_net());
	int fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	CHECK_INT(inside_sysctl("ipv4/ip_forward", "0", &e), 0);
	REQUIRE(own_net());
	CHECK_INT(inside_sysctl("ipv4/ip_forward", "0", &e), 0);
	CHECK_INT(inside_call(fd, set_forward, (char[]){ "1" }, &e), 0);
	CHECK_INT(forward(), '0');
	REQUIRE(setns(fd, CLONE_NEWNET) == 0);
	CHECK_INT(forward(), '1');
	CHECK_INT(inside_sysctl("ipv4/no_such_thing", "1", &e), -1);
	CHECK_INT(e.code, ENOENT);
	CHECK_HAS(e.msg, "/proc/sys/net/ipv4/no_such_thing");
	CHECK_INT(inside_sysctl("ipv4/ip_forward", "x", &e), -1);
	CHECK_HAS(e.msg, "write x to ");
	close(fd);
}

UNIT_MAIN(builds, overflows, malformed, asks, reads, namespaces, settings)
