/* SPDX-License-Identifier: Apache-2.0
 * shape - a limit to what an interface sends, see link.h
 *
 * The bucket holds what comes in 4 ms, which covers the kernel's timers at any rate, and at least two frames: with less
 * none would ever pass. It is no larger, because a full bucket goes out at once and would be most of what a slow pod
 * sends in its first second. Packets of 64 KB, which the kernel makes where it hands them on itself, are taken apart
 * where they do not fit.
 * The queue before it holds what goes out in 20 ms, and at least what a connection of TCP hands over before it waits,
 * which is two such packets: where that is cut short it loses parts, and a slow one takes seconds to recover.
 */
#include <errno.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>

#include "core/net/link.h"

#define FRAME_EXTRA 18 /* Ethernet's header and a vlan's */
#define QUEUE_MIN   (3u << 16)

static uint32_t at_most_u32(uint64_t v)
{
	return v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
}

static uint64_t at_least(uint64_t v, uint64_t least)
{
	return v < least ? least : v;
}

int link_shape(struct nl *n, int index, int mtu, int64_t bytes_per_s, struct err *e)
{
	/* of 0 the kernel would make no limit at all */
	const uint64_t rate = bytes_per_s > 0 ? (uint64_t)bytes_per_s : 1, frame = (uint64_t)mtu + FRAME_EXTRA;
	const uint64_t burst = at_least(rate / 250, 2 * frame);
	const struct tc_tbf_qopt opt = {
		.rate = { .rate = at_most_u32(rate), .linklayer = TC_LINKLAYER_ETHERNET },
		.limit = at_most_u32(burst + at_least(rate / 50, QUEUE_MIN)),
	};
	NL_MSG(m, 256);
	struct tcmsg *t = nl_begin(&m, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE, sizeof(*t));

	t->tcm_ifindex = index;
	t->tcm_parent = TC_H_ROOT;
	nl_put_str(&m, TCA_KIND, "tbf");
	size_t nest = nl_nest(&m, TCA_OPTIONS);
	nl_put(&m, TCA_TBF_PARMS, &opt, sizeof(opt));
	nl_put_u32(&m, TCA_TBF_BURST, at_most_u32(burst));
	if (rate > UINT32_MAX)
		nl_put(&m, TCA_TBF_RATE64, &rate, sizeof(rate));
	nl_nest_end(&m, nest);
	if (nl_ask(n, &m, NULL, e) == 0)
		return 0;
	if (e->code == ENOENT)
		err_set(e, ENOENT, "the kernel has no queueing discipline tbf (CONFIG_NET_SCH_TBF)");
	return err_wrap(e, "limit of bandwidth");
}
