/* SPDX-License-Identifier: Apache-2.0
 * firewall_table - the parts of the firewall: our table, the host's own chains, what is in the table
 */
#pragma once

#include "core/net/firewall.h"
#include "core/net/nft.h"

#define FW_TABLE "rktbox" /* and what our rules in chains of the host are marked with */
#define FW_CHAIN_MAX 64   /* "net-10.1.0.0/16" */
/* the mark of packets, host byte order, and where in it */
#define FW_MARK      0x72000000u
#define FW_MARK_BYTE 0xff000000u

/* one table for each family */
#define FW_FAMILY(six) ((six) ? NFPROTO_IPV6 : NFPROTO_IPV4)
#define FW_FAMILIES    2

/* the sets of both tables, in pairs, IPv4 first, so that FW_X + (it is IPv6) is the one; first the maps with comments */
enum fw_set {
	FW_PODS, FW_PODS6, FW_PORTS, FW_PORTS6, FW_ADDRESSES, FW_ADDRESSES6,
	FW_IFACES, FW_IFACES6, FW_CLOSED, FW_CLOSED6, FW_INSIDE, FW_INSIDE6, FW_SETS
};
#define FW_SET_IS6(set) ((set) % FW_FAMILIES != 0)
struct fw_set_form { const char *name; uint32_t key_type, key_len, data_type, data_len; };
extern const struct fw_set_form fw_sets[FW_SETS];

/** fw_elements() - begins a list of elements of @set, to add (NFT_MSG_NEWSETELEM) or to delete */
struct nft_elems fw_elements(struct nl_msg *m, int set, uint16_t msg, uint16_t flags);
/** fw_put_table() - a family's table with all that stays the same */
void fw_put_table(struct nl_msg *m, bool six);
/** fw_put_forward() - and its chains at the hook forward, which are there from the first pod on that needs them */
void fw_put_forward(struct nl_msg *m, bool six);
#define FW_FORWARD "forward" /* one of them */
/** fw_put_network() - a chain, "net-...", for pods whose traffic out of @net is masqueraded */
void fw_put_network(struct nl_msg *m, const char *chain, const struct ip_cidr *net);
char *fw_chain_name(const struct ip_cidr *net, char *out);

/** fw_is_table() - one of ours: is it that of IPv6? -1: it is none */
int fw_is_table(uint8_t family, const char *name);

/* A chain of the host's own at the hook forward. */
struct fw_host {
	uint8_t  family;
	bool     drops;    /* by policy, or by its last rule */
	bool     iptables; /* it is iptables' filter FORWARD */
	uint64_t ours;     /* the handle of our rule in it, big-endian; 0: there is none */
	char     table[100], name[100];
};
#define FW_HOSTS_MAX 32

/** fw_host_read() - whether @h is about such a chain, into *out */
bool fw_host_read(const struct nlmsghdr *h, struct fw_host *out);
/** fw_host_is_asked() - about packets of these families, a bit for each? */
bool fw_host_is_asked(const struct fw_host *c, unsigned families);
/** fw_host_legacy() - iptables-legacy, whose chains cannot be read here, has a table in this network namespace */
bool fw_host_legacy(bool six);
/** fw_host_rules() - what rules it has, into it */
int fw_host_rules(struct nl *n, struct fw_host *c, struct err *e);
/** fw_host_accept() - a rule at its head that accepts what our table has marked; @native: without modules of iptables */
void fw_host_accept(struct nl_msg *m, const struct fw_host *c, bool native);
void fw_host_forget(struct nl_msg *m, const struct fw_host *c);

/** fw_dump_set() - one of the maps; ENOENT: there is no table */
int fw_dump_set(struct nl *n, int set, int (*fn)(void *ctx, const struct nlmsghdr *h), void *ctx, struct err *e);
/** fw_commit() - ends and sends a batch, of whatever size */
int fw_commit(struct nl *n, struct nl_msg *m, size_t *failed, struct err *e);
/** fw_release() - the caller need not wait when it closes @fd, behind a commit */
void fw_release(int fd);
/** fw_retry() - until it is something else than ERESTART */
int fw_retry(int (*once)(void *ctx, struct err *e), void *ctx, struct err *e);
/** fw_forget_flows() - datagrams to ports of the pod are looked at anew */
void fw_forget_flows(const struct fw_pod *p);
