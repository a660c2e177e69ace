/* SPDX-License-Identifier: Apache-2.0
 * filter - see filter.h
 *
 * The table is of calls that are denied by default, not of those allowed: both bounds (the newest call known
 * here and the native architecture) are checked first, so within them the two are the same and this
 * one is the shorter. Any program is a binary search over the number, because the kernel runs it
 * for every call number when a filter is loaded (to know which calls it never needs to ask about),
 * and that time is part of every start. For the same reason there are no instructions in it that the kernel does
 * not follow then, such as shifts, which a bit map would need.
 */
#include "stage1-init/filter.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>

#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/seccomp.h>

#include "core/base/defence.h"

#if defined(__x86_64__)
#define NATIVE_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE_ARCH AUDIT_ARCH_AARCH64
#elif defined(__i386__)
#define NATIVE_ARCH AUDIT_ARCH_I386
#elif defined(__arm__)
#define NATIVE_ARCH AUDIT_ARCH_ARM
#elif defined(__riscv) && __riscv_xlen == 64
#define NATIVE_ARCH AUDIT_ARCH_RISCV64
#else
#error "the seccomp filter does not know this architecture"
#endif

/* since 424 all architectures give a new call the same number; this is the newest that was looked
 * at */
#define NEWEST_CALL 469
#define CLONE3      435

#define BIT(c) (UINT64_C(1) << (c))
#define NEVER  UINT64_C(0)

enum verdict { ALLOW, DENY, NO_SUCH, CLONE, IOCTL, PERSONALITY, SOCKET, N_VERDICTS };

struct rule {
	int      nr;
	uint8_t  verdict;
	uint64_t caps; /* one of these kept: the call is let through */
};

#define ADMIN BIT(CAP_SYS_ADMIN)
#define CAP_PERFMON_ 38 /* older headers lack these two */
#define CAP_BPF_     39

#define D(call, caps)      { __NR_##call, DENY, caps }
#define DN(call, nr, caps) { nr, DENY, caps } /* newer than some headers */

/* clang-format off */
static const struct rule rules[] = {
	{ __NR_clone, CLONE, ADMIN },
	{ __NR_ioctl, IOCTL, NEVER },
	{ __NR_personality, PERSONALITY, NEVER },
	{ __NR_socket, SOCKET, NEVER },
	{ CLONE3, NO_SUCH, ADMIN }, /* its flags cannot be seen; C libraries fall back to clone */

	D(mount, ADMIN), D(umount2, ADMIN), D(pivot_root, NEVER), D(setns, ADMIN), D(unshare, ADMIN),
	DN(open_tree, 428, ADMIN), DN(move_mount, 429, ADMIN), DN(fsopen, 430, ADMIN),
	DN(fsconfig, 431, ADMIN), DN(fsmount, 432, ADMIN), DN(fspick, 433, ADMIN),
	DN(mount_setattr, 442, ADMIN), DN(statmount, 457, ADMIN), DN(listmount, 458, ADMIN),
	DN(open_tree_attr, 467, ADMIN),
	D(swapon, NEVER), D(swapoff, NEVER), D(quotactl, ADMIN), DN(quotactl_fd, 443, ADMIN),
	D(open_by_handle_at, BIT(CAP_DAC_READ_SEARCH)), D(fanotify_init, ADMIN),

	D(init_module, BIT(CAP_SYS_MODULE)), D(finit_module, BIT(CAP_SYS_MODULE)),
	D(delete_module, BIT(CAP_SYS_MODULE)), D(kexec_load, NEVER), D(reboot, BIT(CAP_SYS_BOOT)),
	D(bpf, ADMIN | BIT(CAP_BPF_)), D(perf_event_open, ADMIN | BIT(CAP_PERFMON_)), D(userfaultfd, NEVER),
	D(add_key, NEVER), D(request_key, NEVER), D(keyctl, NEVER), D(acct, BIT(CAP_SYS_PACCT)),
	D(settimeofday, BIT(CAP_SYS_TIME)), D(clock_settime, BIT(CAP_SYS_TIME)),
	D(sethostname, ADMIN), D(setdomainname, ADMIN), D(syslog, ADMIN | BIT(CAP_SYSLOG)),
	D(vhangup, BIT(CAP_SYS_TTY_CONFIG)), D(kcmp, BIT(CAP_SYS_PTRACE)), D(lookup_dcookie, ADMIN),
	DN(pidfd_getfd, 438, BIT(CAP_SYS_PTRACE)), DN(process_madvise, 440, BIT(CAP_SYS_PTRACE)),
	D(mbind, BIT(CAP_SYS_NICE)), D(set_mempolicy, BIT(CAP_SYS_NICE)), D(get_mempolicy, BIT(CAP_SYS_NICE)),
	D(migrate_pages, NEVER), D(move_pages, NEVER),
	DN(set_mempolicy_home_node, 450, BIT(CAP_SYS_NICE)),
	DN(io_uring_setup, 425, NEVER), DN(io_uring_enter, 426, NEVER),
	DN(io_uring_register, 427, NEVER),
	DN(lsm_get_self_attr, 459, NEVER), DN(lsm_set_self_attr, 460, NEVER),
	DN(lsm_list_modules, 461, NEVER),
	D(nfsservctl, NEVER),
#ifdef __NR_kexec_file_load
	D(kexec_file_load, NEVER),
#endif
#ifdef __NR_umount
	D(umount, ADMIN),
#endif
#ifdef __NR_clock_settime64
	D(clock_settime64, BIT(CAP_SYS_TIME)),
#endif
#ifdef __NR_stime
	D(stime, BIT(CAP_SYS_TIME)),
#endif
#ifdef __NR_ioperm
	D(ioperm, BIT(CAP_SYS_RAWIO)), D(iopl, BIT(CAP_SYS_RAWIO)),
#endif
#ifdef __NR_create_module
	D(create_module, NEVER), D(get_kernel_syms, NEVER), D(query_module, NEVER),
#endif
#ifdef __NR_uselib
	D(uselib, NEVER), D(ustat, NEVER), D(sysfs, NEVER), D(_sysctl, NEVER),
#endif
#ifdef __NR_vm86
	D(vm86, NEVER), D(vm86old, NEVER),
#endif
#ifdef __NR_pciconfig_iobase
	D(pciconfig_iobase, NEVER), D(pciconfig_read, NEVER), D(pciconfig_write, NEVER),
#endif
};
/* clang-format on */
#define N_RULES (sizeof(rules) / sizeof(*rules))

bool filter_denies(int nr)
{
	for (size_t i = 0; i < N_RULES; i++)
		if (rules[i].nr == nr)
			return rules[i].verdict == DENY;
	return false;
}

/* ---- what is to happen, by number ---- */

/* what the C library and the kernel do for a program that knows nothing of it, and its beginning and end */
static const int always[] = { __NR_execve, __NR_exit, __NR_exit_group, __NR_rt_sigreturn, __NR_restart_syscall,
#ifdef __NR_sigreturn
	__NR_sigreturn,
#endif
};

struct verdicts { uint8_t of[NEWEST_CALL + 1]; };

static void by_default(struct verdicts *v, uint64_t caps)
{
	for (size_t i = 0; i < N_RULES; i++)
		if (rules[i].nr <= NEWEST_CALL && !(rules[i].caps & caps))
			v->of[rules[i].nr] = rules[i].verdict;
}

static void remove_set(struct verdicts *v, const struct appc_seccomp *s)
{
	for (unsigned nr = 0; nr <= NEWEST_CALL; nr++)
		if (syscall_set_has(&s->set, nr))
			v->of[nr] = DENY;
}

/* @v: the default's verdicts */
static void retain_set(struct verdicts *v, const struct appc_seccomp *s, uint64_t caps)
{
	struct verdicts was = *v;

	for (unsigned nr = 0; nr <= NEWEST_CALL; nr++)
		v->of[nr] = !syscall_set_has(&s->set, nr) ? DENY : was.of[nr] >= CLONE ? was.of[nr] : ALLOW;
	for (size_t i = 0; i < sizeof(always) / sizeof(*always); i++)
		v->of[always[i]] = ALLOW;
	for (size_t i = 0; s->by_caps && i < N_RULES; i++)
		if (rules[i].nr <= NEWEST_CALL && rules[i].caps & caps)
			v->of[rules[i].nr] = ALLOW;
	/* never an error that C libraries do not fall back from */
	if (!s->clone3 && (was.of[CLONE3] == NO_SUCH || v->of[CLONE3] == DENY))
		v->of[CLONE3] = NO_SUCH;
}

/* ---- spans of numbers ---- */

/* a stretch of numbers that begins here and goes on to the next one's begin */
struct span {
	uint32_t from;
	uint8_t  verdict;
};

#define SPANS_MAX (NEWEST_CALL + 4)
#define CODE_MAX  (4 * SPANS_MAX)

/*
 * The program is written from its end to its beginning: code only jumps forward, so where to is known then. A place
 * is counted from the end.
 */
struct builder {
	struct span        spans[SPANS_MAX];
	size_t             n_spans;
	struct sock_filter code[CODE_MAX];
	size_t             n;
	size_t             label[N_VERDICTS]; /* where the code of a verdict begins, the nearest copy */
};

static void make_spans(struct builder *b, const struct verdicts *v)
{
	for (uint32_t nr = 0; nr <= NEWEST_CALL; nr++)
		if (!b->n_spans || b->spans[b->n_spans - 1].verdict != v->of[nr])
			b->spans[b->n_spans++] = (struct span){ nr, v->of[nr] };
	b->spans[b->n_spans++] = (struct span){ NEWEST_CALL + 1, NO_SUCH };
#ifdef __arm__
	/* breakpoint to get_tls, of which cacheflush and set_tls are no less needed than brk */
	b->spans[b->n_spans++] = (struct span){ 0xf0001, ALLOW };
	b->spans[b->n_spans++] = (struct span){ 0xf0007, NO_SUCH };
#endif
}

/* ---- code ---- */

#define NEAR 200 /* of the 255 that a branch spans: what may come between looking and branching */

static size_t put(struct builder *b, struct sock_filter f)
{
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

#define ANSWER_ENOSYS (SECCOMP_RET_ERRNO | ENOSYS)

static void put_program(struct builder *b, const unsigned long key[2])
{
	b->label[DENY] = put_return(b, SECCOMP_RET_USER_NOTIF);
	b->label[NO_SUCH] = put_return(b, ANSWER_ENOSYS);
	b->label[ALLOW] = put_return(b, SECCOMP_RET_ALLOW);
	if (key[0] || key[1])
		put_key(b, key);
	put_socket(b);
	put_personality(b);
	put_ioctl(b);
	put_clone(b);
	put_search(b, 0, b->n_spans);
	size_t search = put_load(b, offsetof(struct seccomp_data, nr));
	size_t no_such = near(b, NO_SUCH);
	put_branch(b, BPF_JEQ, NATIVE_ARCH, search, DEFENCE("architecture") ? no_such : search);
	put_load(b, offsetof(struct seccomp_data, arch));
}

static int take_code(const struct builder *b, struct seccomp_prog *p, struct err *e)
{
	p->code = malloc(b->n * sizeof(*p->code));
	if (!p->code)
		return err_set(e, ENOMEM, "out of memory");
	memcpy(p->code, b->code + CODE_MAX - b->n, b->n * sizeof(*p->code));
	p->len = (unsigned short)b->n;
	p->deny_at = (unsigned short)(b->n - 1);
	return 0;
}

/* asks about each call of this architecture that has not the key, and about the one that waits with it */
int filter_learn(struct seccomp_prog *p, struct err *e)
{
	struct builder b = { .n = 0 };

	if (!p->key[0] && !p->key[1] && getrandom(p->key, sizeof(p->key), 0) != sizeof(p->key))
		return err_sys(e, "random numbers");
	b.label[DENY] = put_return(&b, SECCOMP_RET_USER_NOTIF);
	b.label[ALLOW] = put_return(&b, SECCOMP_RET_ALLOW);
	size_t ask = b.label[DENY];
	put_key(&b, p->key);
	put_branch(&b, BPF_JEQ, SECCOMP_WAIT_CALL, ask, b.label[DENY]);
	size_t call = put_load(&b, offsetof(struct seccomp_data, nr));
	put_branch(&b, BPF_JEQ, NATIVE_ARCH, call, b.label[ALLOW]);
	put_load(&b, offsetof(struct seccomp_data, arch));
	p->learn = malloc(b.n * sizeof(*p->learn));
	if (!p->learn)
		return err_set(e, ENOMEM, "out of memory");
	memcpy(p->learn, b.code + CODE_MAX - b.n, b.n * sizeof(*p->learn));
	p->learn_len = (unsigned short)b.n;
	return 0;
}

int filter_build(uint64_t caps, const struct appc_seccomp *s, struct seccomp_prog *p, struct err *e)
{
	struct verdicts v = { { ALLOW } };
	struct builder b;

	*p = (struct seccomp_prog){ .error = s->error ? (unsigned short)s->error : EPERM };
	if (s->mode == APPC_SECCOMP_NONE)
		return 0;
	b.n_spans = b.n = 0;
	by_default(&v, caps);
	if (s->mode == APPC_SECCOMP_REMOVE)
		remove_set(&v, s);
	if (s->mode == APPC_SECCOMP_RETAIN)
		retain_set(&v, s, caps);
	if (s->mode != APPC_SECCOMP_DEFAULT && getrandom(p->key, sizeof(p->key), 0) != sizeof(p->key))
		return err_sys(e, "random numbers");
	make_spans(&b, &v);
	put_program(&b, p->key);
	return take_code(&b, p, e);
}
