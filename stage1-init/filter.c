/* SPDX-License-Identifier: Apache-2.0
 * filter - see filter.h
 *
 * The table is of calls that are denied by default, not of those allowed: both bounds (the newest call known
 * here and the architecture) are checked first, so within them the two are the same and this
 * one is the shorter. Any program is a binary search over the number, because the kernel runs it
 * for every call number when a filter is loaded (to know which calls it never needs to ask about),
 * and that time is part of every start. For the same reason there are no instructions in it that the kernel does
 * not follow then, such as shifts, which a bit map would need.
 */
#include "stage1-init/filter.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/seccomp.h>

#include "core/base/defence.h"

/* since 424 all architectures give a new call the same number; this is the newest that was looked
 * at */
#define NEWEST_CALL 469

#define BIT(c) (UINT64_C(1) << (c))
#define NEVER  UINT64_C(0)

enum verdict { ALLOW, DENY, NO_SUCH, CLONE, IOCTL, PERSONALITY, SOCKET, SOCKETCALL, IPC, N_VERDICTS };

struct rule {
	uint16_t call;
	uint8_t  verdict;
	uint64_t caps; /* one of these kept: the call is let through */
};

#define ADMIN BIT(CAP_SYS_ADMIN)
#define CAP_PERFMON_ 38 /* older headers lack these two */
#define CAP_BPF_     39

#define D(call, caps) { CALL_##call, DENY, caps }

/* clang-format off */
static const struct rule rules[] = {
	{ CALL_clone, CLONE, ADMIN },
	{ CALL_ioctl, IOCTL, NEVER },
	{ CALL_personality, PERSONALITY, NEVER },
	{ CALL_socket, SOCKET, NEVER },
	{ CALL_clone3, NO_SUCH, ADMIN }, /* its flags cannot be seen; C libraries fall back to clone */

	D(mount, ADMIN), D(umount, ADMIN), D(umount2, ADMIN), D(pivot_root, NEVER), D(setns, ADMIN), D(unshare, ADMIN),
	D(open_tree, ADMIN), D(move_mount, ADMIN), D(fsopen, ADMIN), D(fsconfig, ADMIN), D(fsmount, ADMIN),
	D(fspick, ADMIN), D(mount_setattr, ADMIN), D(statmount, ADMIN), D(listmount, ADMIN), D(open_tree_attr, ADMIN),
	D(swapon, NEVER), D(swapoff, NEVER), D(quotactl, ADMIN), D(quotactl_fd, ADMIN),
	D(open_by_handle_at, BIT(CAP_DAC_READ_SEARCH)), D(fanotify_init, ADMIN),

	D(init_module, BIT(CAP_SYS_MODULE)), D(finit_module, BIT(CAP_SYS_MODULE)),
	D(delete_module, BIT(CAP_SYS_MODULE)), D(kexec_load, NEVER), D(kexec_file_load, NEVER),
	D(reboot, BIT(CAP_SYS_BOOT)),
	D(bpf, ADMIN | BIT(CAP_BPF_)), D(perf_event_open, ADMIN | BIT(CAP_PERFMON_)), D(userfaultfd, NEVER),
	D(add_key, NEVER), D(request_key, NEVER), D(keyctl, NEVER), D(acct, BIT(CAP_SYS_PACCT)),
	D(settimeofday, BIT(CAP_SYS_TIME)), D(clock_settime, BIT(CAP_SYS_TIME)),
	D(clock_settime64, BIT(CAP_SYS_TIME)), D(stime, BIT(CAP_SYS_TIME)),
	D(sethostname, ADMIN), D(setdomainname, ADMIN), D(syslog, ADMIN | BIT(CAP_SYSLOG)),
	D(vhangup, BIT(CAP_SYS_TTY_CONFIG)), D(kcmp, BIT(CAP_SYS_PTRACE)), D(lookup_dcookie, ADMIN),
	D(pidfd_getfd, BIT(CAP_SYS_PTRACE)), D(process_madvise, BIT(CAP_SYS_PTRACE)),
	D(mbind, BIT(CAP_SYS_NICE)), D(set_mempolicy, BIT(CAP_SYS_NICE)), D(get_mempolicy, BIT(CAP_SYS_NICE)),
	D(migrate_pages, NEVER), D(move_pages, NEVER), D(set_mempolicy_home_node, BIT(CAP_SYS_NICE)),
	D(io_uring_setup, NEVER), D(io_uring_enter, NEVER), D(io_uring_register, NEVER),
	D(lsm_get_self_attr, NEVER), D(lsm_set_self_attr, NEVER), D(lsm_list_modules, NEVER),
	D(nfsservctl, NEVER), D(ioperm, BIT(CAP_SYS_RAWIO)), D(iopl, BIT(CAP_SYS_RAWIO)),
	D(create_module, NEVER), D(get_kernel_syms, NEVER), D(query_module, NEVER),
	D(uselib, NEVER), D(ustat, NEVER), D(sysfs, NEVER), D(_sysctl, NEVER), D(vm86, NEVER), D(vm86old, NEVER),
	D(pciconfig_iobase, NEVER), D(pciconfig_read, NEVER), D(pciconfig_write, NEVER),
};
/* clang-format on */
#define N_RULES (sizeof(rules) / sizeof(*rules))

bool filter_denies(unsigned call)
{
	for (size_t i = 0; i < N_RULES; i++)
		if (rules[i].call == call)
			return rules[i].verdict == DENY;
	return false;
}

/* ---- what is to happen, by number ---- */

/* what the C library and the kernel do for a program that knows nothing of it, and its beginning and end */
static const uint16_t always[] = { CALL_execve, CALL_exit, CALL_exit_group, CALL_rt_sigreturn, CALL_sigreturn,
				   CALL_restart_syscall };

/* of one architecture */
struct verdicts {
	const struct syscall_arch *arch;
	const struct appc_seccomp *s;
	uint8_t                    of[NEWEST_CALL + 1];
};

/* the verdict on a call; NULL: there is no such here */
static uint8_t *on(struct verdicts *v, unsigned call)
{
	int nr = syscall_number(v->arch, call);

	return nr < 0 || nr > NEWEST_CALL ? NULL : &v->of[nr];
}

static void set_verdict(struct verdicts *v, unsigned call, uint8_t verdict)
{
	uint8_t *here = on(v, call);

	if (here)
		*here = verdict;
}

static void by_default(struct verdicts *v, uint64_t caps)
{
	for (size_t i = 0; i < N_RULES; i++)
		if (!(rules[i].caps & caps))
			set_verdict(v, rules[i].call, rules[i].verdict);
}

/* i386: what one call does by many other names is denied or allowed by these; a filter sees which it is */
static void multiplex(struct verdicts *v)
{
	set_verdict(v, CALL_socketcall, SOCKETCALL);
	set_verdict(v, CALL_ipc, IPC);
}

static void remove_set(struct verdicts *v)
{
	multiplex(v);
	for (unsigned call = 0; call < N_CALLS; call++)
		if (syscall_set_has(&v->s->set, call))
			set_verdict(v, call, DENY);
}

/* starts from the default's verdicts */
static void retain_set(struct verdicts *v, uint64_t caps)
{
	struct verdicts was = *v;
	uint8_t *clone3 = on(v, CALL_clone3);

	memset(v->of, DENY, sizeof(v->of));
	multiplex(v);
	for (unsigned call = 0; call < N_CALLS; call++) {
		uint8_t *before = on(&was, call);
		if (before && syscall_set_has(&v->s->set, call))
			set_verdict(v, call, *before >= CLONE ? *before : ALLOW);
	}
	for (size_t i = 0; i < sizeof(always) / sizeof(*always); i++)
		set_verdict(v, always[i], ALLOW);
	for (size_t i = 0; v->s->by_caps && i < N_RULES; i++)
		if (rules[i].caps & caps)
			set_verdict(v, rules[i].call, ALLOW);
	/* never an error that C libraries do not fall back from */
	if (clone3 && !v->s->clone3 && (*on(&was, CALL_clone3) == NO_SUCH || *clone3 == DENY))
		*clone3 = NO_SUCH;
}

static void decide(struct verdicts *v, uint64_t caps)
{
	memset(v->of, ALLOW, sizeof(v->of));
	by_default(v, caps);
	if (v->s->mode == APPC_SECCOMP_REMOVE)
		remove_set(v);
	if (v->s->mode == APPC_SECCOMP_RETAIN)
		retain_set(v, caps);
}

/* ---- spans of numbers ---- */

/* a stretch of numbers that begins here and goes on to the next one's begin */
struct span {
	uint32_t from;
	uint8_t  verdict;
};

#define SPANS_MAX (NEWEST_CALL + 4)
#define CODE_MAX  (4 * SPANS_MAX)
_Static_assert(CODE_MAX <= BPF_MAXINSNS, "more than the kernel takes");

/*
 * The program is written from its end to its beginning: code only jumps forward, so where to is known then. A place
 * is counted from the end.
 */
struct builder {
	struct span        spans[SPANS_MAX]; /* of the architecture under way */
	size_t             n_spans;
	struct sock_filter code[CODE_MAX];
	size_t             n;
	size_t             label[N_VERDICTS]; /* where the code of a verdict begins, the nearest copy */
};

static void make_spans(struct builder *b, const struct verdicts *v)
{
	b->n_spans = 0;
	for (uint32_t nr = 0; nr <= NEWEST_CALL; nr++)
		if (!b->n_spans || b->spans[b->n_spans - 1].verdict != v->of[nr])
			b->spans[b->n_spans++] = (struct span){ nr, v->of[nr] };
	b->spans[b->n_spans++] = (struct span){ NEWEST_CALL + 1, NO_SUCH };
	if (v->arch->audit != AUDIT_ARCH_ARM)
		return;
	/* breakpoint to get_tls, of which cacheflush and set_tls are no less needed than brk */
	b->spans[b->n_spans++] = (struct span){ 0xf0001, ALLOW };
	b->spans[b->n_spans++] = (struct span){ 0xf0007, NO_SUCH };
}

/* ---- code ---- */

#define NEAR 200 /* of the 255 that a branch spans: what may come between looking and branching */

static size_t put(struct builder *b, struct sock_filter f)
{
	assert(b->n < CODE_MAX); /* a unit test has the longest */
	b->code[CODE_MAX - 1 - b->n] = f;
	return b->n++;
}

static size_t put_jump(struct builder *b, size_t to)
{
	return put(b, (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, (uint32_t)(b->n - to - 1)));
}

static bool is_far(const struct builder *b, size_t to)
{
	return b->n - to > NEAR;
}

/* a place near by that leads to a verdict */
static size_t near(struct builder *b, uint8_t verdict)
{
	if (is_far(b, b->label[verdict]))
		b->label[verdict] = put_jump(b, b->label[verdict]);
	return b->label[verdict];
}

static size_t put_branch(struct builder *b, uint16_t how, uint32_t k, size_t yes, size_t no)
{
	return put(b, (struct sock_filter)BPF_JUMP((uint16_t)(BPF_JMP | BPF_K | how), k, (uint8_t)(b->n - yes - 1),
						   (uint8_t)(b->n - no - 1)));
}

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define ARG_LOW(i)  (offsetof(struct seccomp_data, args) + 8 * (i) + 4)
#define ARG_HIGH(i) (offsetof(struct seccomp_data, args) + 8 * (i))
#else
#define ARG_LOW(i)  (offsetof(struct seccomp_data, args) + 8 * (i))
#define ARG_HIGH(i) (offsetof(struct seccomp_data, args) + 8 * (i) + 4)
#endif

static size_t put_load(struct builder *b, size_t offset)
{
	return put(b, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset));
}

static size_t put_return(struct builder *b, uint32_t what)
{
	return put(b, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, what));
}

/* where [lo, hi) falls into parts of about as many numbers: the kernel asks for each of them */
static size_t middle(const struct builder *b, size_t lo, size_t hi)
{
	uint32_t end = hi < b->n_spans ? b->spans[hi].from : NEWEST_CALL + 1;
	uint32_t half = b->spans[lo].from + (end - b->spans[lo].from) / 2;
	size_t mid = lo + 1;

	while (mid + 1 < hi && b->spans[mid].from < half)
		mid++;
	/* the last boundary before the half may be nearer to it */
	return mid > lo + 1 && half - b->spans[mid - 1].from < b->spans[mid].from - half ? mid - 1 : mid;
}

/*
 * The search over spans [lo, hi): one comparison, then one part or the other. A part of one span is no code but the
 * way to its verdict.
 */
static size_t put_search(struct builder *b, size_t lo, size_t hi)
{
	size_t mid = middle(b, lo, hi);
	size_t high = hi - mid > 1 ? put_search(b, mid, hi) : 0;
	size_t low = mid - lo > 1 ? put_search(b, lo, mid) : 0;

	if (hi - mid == 1)
		high = near(b, b->spans[mid].verdict);
	if (mid - lo == 1)
		low = near(b, b->spans[lo].verdict);
	if (is_far(b, high))
		high = put_jump(b, high);
	if (is_far(b, low))
		low = put_jump(b, low);
	return put_branch(b, BPF_JGE, b->spans[mid].from, high, low);
}

/* new namespaces by clone; the kernel takes 32 bits of flags there */
static void put_clone(struct builder *b)
{
	/* NEWNS NEWCGROUP NEWUTS NEWIPC NEWUSER NEWPID NEWNET */
	put_branch(b, BPF_JSET, 0x7e020000, b->label[DEFENCE("clone-flags") ? DENY : ALLOW], b->label[ALLOW]);
	b->label[CLONE] = put_load(b, ARG_LOW(0));
}

/* typing into somebody else's terminal; the request is 32 bits to the kernel, whatever stands above
 * them */
static void put_ioctl(struct builder *b)
{
	size_t second = put_branch(b, BPF_JEQ, 0x541c /* TIOCLINUX */, b->label[DENY], b->label[ALLOW]);

	put_branch(b, BPF_JEQ, 0x5412 /* TIOCSTI */, b->label[DEFENCE("tiocsti") ? DENY : ALLOW], second);
	b->label[IOCTL] = put_load(b, ARG_LOW(1));
}

static void put_personality(struct builder *b)
{
	static const uint32_t harmless[] = { 0xffffffff, 0x20008, 0x20000, 0x8, 0 };
	size_t no = b->label[DENY];

	for (size_t i = 0; i < sizeof(harmless) / sizeof(*harmless); i++)
		no = put_branch(b, BPF_JEQ, harmless[i], b->label[ALLOW], no);
	b->label[PERSONALITY] = put_load(b, ARG_LOW(0));
}

/* vsock reaches the hypervisor past every network namespace */
static void put_socket(struct builder *b)
{
	put_branch(b, BPF_JEQ, 40 /* AF_VSOCK */, b->label[DEFENCE("vsock") ? DENY : ALLOW], b->label[ALLOW]);
	b->label[SOCKET] = put_load(b, ARG_LOW(0));
}

/* before a call is denied: has it the key? */
static void put_key(struct builder *b, const unsigned long key[2])
{
	size_t yes = b->label[ALLOW];

	for (size_t i = 0; i < 2; i++) {
		put_branch(b, BPF_JEQ, (uint32_t)((uint64_t)key[i] >> 32), yes, b->label[DENY]);
		yes = put_load(b, ARG_HIGH(4 + i));
		put_branch(b, BPF_JEQ, (uint32_t)key[i], yes, b->label[DENY]);
		yes = put_load(b, ARG_LOW(4 + i));
	}
	b->label[DENY] = yes;
}

/* calls of a multiplexer; 0: there is none of that number */
static const uint16_t socketcalls[] = { 0, CALL_socket, CALL_bind, CALL_connect, CALL_listen, CALL_accept,
	CALL_getsockname, CALL_getpeername, CALL_socketpair, CALL_send, CALL_recv, CALL_sendto, CALL_recvfrom,
	CALL_shutdown, CALL_setsockopt, CALL_getsockopt, CALL_sendmsg, CALL_recvmsg, CALL_accept4, CALL_recvmmsg,
	CALL_sendmmsg };
static const uint16_t ipcs[] = { 0, CALL_semop, CALL_semget, CALL_semctl, CALL_semtimedop, 0, 0, 0, 0, 0, 0,
	CALL_msgsnd, CALL_msgrcv, CALL_msgget, CALL_msgctl, 0, 0, 0, 0, 0, 0, CALL_shmat, CALL_shmdt, CALL_shmget,
	CALL_shmctl };

/* of a set only: those that it names by themselves go the way of the set, and all others the other way */
static void put_multiplexer(struct builder *b, const struct appc_seccomp *s, uint8_t verdict, const uint16_t *calls,
	uint32_t n)
{
	bool retain = s->mode == APPC_SECCOMP_RETAIN;
	size_t named = b->label[retain ? ALLOW : DENY], no = b->label[retain ? DENY : ALLOW];

	no = put_jump(b, no);
	for (uint32_t i = 0; i < n; i++)
		if (calls[i] && syscall_set_has(&s->set, calls[i]))
			no = put_branch(b, BPF_JEQ, i, named, no);
	if (verdict == IPC) /* above these bits stands a version */
		put(b, (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xffff));
	b->label[verdict] = put_load(b, ARG_LOW(0));
}

#define ANSWER_ENOSYS (SECCOMP_RET_ERRNO | ENOSYS)
#define COUNT(a)      (sizeof(a) / sizeof(*(a)))

/* the verdicts that look at arguments, then the search; returns where that begins */
static size_t put_arch(struct builder *b, const struct verdicts *v)
{
	for (int i = ALLOW; i <= NO_SUCH; i++)
		near(b, (uint8_t)i);
	if (v->s->mode != APPC_SECCOMP_DEFAULT && syscall_number(v->arch, CALL_socketcall) >= 0) {
		put_multiplexer(b, v->s, SOCKETCALL, socketcalls, COUNT(socketcalls));
		put_multiplexer(b, v->s, IPC, ipcs, COUNT(ipcs));
	}
	put_socket(b);
	put_personality(b);
	put_ioctl(b);
	put_clone(b);
	make_spans(b, v);
	put_search(b, 0, b->n_spans);
	return put_load(b, offsetof(struct seccomp_data, nr));
}

static void put_program(struct builder *b, const struct filter_for *f, const struct appc_seccomp *s,
	const unsigned long key[2])
{
	size_t at[SYSCALL_ARCHES] = { 0 };
	struct verdicts v = { .s = s };

	b->label[DENY] = put_return(b, SECCOMP_RET_USER_NOTIF);
	b->label[NO_SUCH] = put_return(b, ANSWER_ENOSYS);
	b->label[ALLOW] = put_return(b, SECCOMP_RET_ALLOW);
	if (key[0] || key[1])
		put_key(b, key);
	for (size_t i = SYSCALL_ARCHES; i-- > 0;) {
		if (!f->arches[i])
			continue;
		v.arch = f->arches[i];
		decide(&v, f->caps);
		at[i] = put_arch(b, &v);
	}
	size_t no = near(b, NO_SUCH);
	if (!DEFENCE("architecture"))
		no = at[0];
	for (size_t i = SYSCALL_ARCHES; i-- > 0;) {
		if (!f->arches[i])
			continue;
		if (is_far(b, at[i]))
			at[i] = put_jump(b, at[i]);
		no = put_branch(b, BPF_JEQ, f->arches[i]->audit, at[i], no);
	}
	put_load(b, offsetof(struct seccomp_data, arch));
}

static int take_code(const struct builder *b, struct sock_filter **code, unsigned short *len, struct err *e)
{
	*code = malloc(b->n * sizeof(**code));
	if (!*code)
		return err_set(e, ENOMEM, "out of memory");
	memcpy(*code, b->code + CODE_MAX - b->n, b->n * sizeof(**code));
	*len = (unsigned short)b->n;
	return 0;
}

void filter_arches(const char *label, struct filter_for *f)
{
	const struct syscall_arch *a = syscall_arch_labelled(label);

	f->arches[0] = syscall_arches[0];
	f->arches[1] = a == syscall_arches[0] ? NULL : a;
}

/* asks about each call of these architectures that has not the key, and about the one that waits with it */
int filter_learn(const struct filter_for *f, struct seccomp_prog *p, struct err *e)
{
	struct builder b = { .n = 0 };

	if (!p->key[0] && !p->key[1] && getrandom(p->key, sizeof(p->key), 0) != sizeof(p->key))
		return err_needs(e, "random", "random numbers");
	b.label[DENY] = put_return(&b, SECCOMP_RET_USER_NOTIF);
	b.label[ALLOW] = put_return(&b, SECCOMP_RET_ALLOW);
	size_t ask = b.label[DENY], no = b.label[ALLOW];
	put_key(&b, p->key);
	put_branch(&b, BPF_JEQ, SECCOMP_WAIT_CALL, ask, b.label[DENY]);
	size_t call = put_load(&b, offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < SYSCALL_ARCHES; i++)
		if (f->arches[i])
			no = put_branch(&b, BPF_JEQ, f->arches[i]->audit, call, no);
	put_load(&b, offsetof(struct seccomp_data, arch));
	return take_code(&b, &p->learn, &p->learn_len, e);
}

int filter_build(const struct filter_for *f, const struct appc_seccomp *s, struct seccomp_prog *p, struct err *e)
{
	struct builder b;

	*p = (struct seccomp_prog){ .error = s->error ? (unsigned short)s->error : EPERM };
	if (s->mode == APPC_SECCOMP_NONE)
		return 0;
	b.n_spans = b.n = 0;
	if (s->mode != APPC_SECCOMP_DEFAULT && getrandom(p->key, sizeof(p->key), 0) != sizeof(p->key))
		return err_needs(e, "random", "random numbers");
	put_program(&b, f, s, p->key);
	if (take_code(&b, &p->code, &p->len, e) < 0)
		return -1;
	p->deny_at = (unsigned short)(p->len - 1);
	return 0;
}
