/* SPDX-License-Identifier: Apache-2.0
 * seccomp - see seccomp.h
 *
 * The table is of calls that are denied, not of those allowed: both bounds (the newest call known
 * here and the native architecture) are checked first, so within them the two are the same and this
 * one is the shorter. The program is a binary search over the number, because the kernel runs it
 * for every call number when a filter is loaded (to know which calls it never needs to ask about),
 * and that time is part of every start.
 */
#include "stage1-init/seccomp.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/seccomp.h>

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

#define BIT(c) (UINT64_C(1) << (c))
#define NEVER  UINT64_C(0)

enum verdict { ALLOW, DENY, NO_SUCH, CLONE, IOCTL, PERSONALITY, SOCKET, N_VERDICTS };

struct rule {
	int          nr;
	uint8_t      verdict;
	const char  *name;
	uint64_t     caps; /* one of these kept: the call is let through */
};

#define ADMIN BIT(CAP_SYS_ADMIN)
#define CAP_PERFMON_ 38 /* older headers lack these two */
#define CAP_BPF_     39

#define D(call, caps) { __NR_##call, DENY, #call, caps }

/* clang-format off */
static const struct rule rules[] = {
	{ __NR_clone, CLONE, "clone", ADMIN },
	{ __NR_ioctl, IOCTL, "ioctl", NEVER },
	{ __NR_personality, PERSONALITY, "personality", NEVER },
	{ __NR_socket, SOCKET, "socket", NEVER },
	{ 435, NO_SUCH, "clone3", ADMIN }, /* its flags cannot be seen; C libraries fall back to clone */

	D(mount, ADMIN), D(umount2, ADMIN), D(pivot_root, NEVER), D(setns, ADMIN), D(unshare, ADMIN),
	{ 428, DENY, "open_tree", ADMIN }, { 429, DENY, "move_mount", ADMIN }, { 430, DENY, "fsopen", ADMIN },
	{ 431, DENY, "fsconfig", ADMIN }, { 432, DENY, "fsmount", ADMIN }, { 433, DENY, "fspick", ADMIN },
	{ 442, DENY, "mount_setattr", ADMIN }, { 457, DENY, "statmount", ADMIN }, { 458, DENY, "listmount", ADMIN },
	{ 467, DENY, "open_tree_attr", ADMIN },
	D(swapon, NEVER), D(swapoff, NEVER), D(quotactl, ADMIN), { 443, DENY, "quotactl_fd", ADMIN },
	D(open_by_handle_at, BIT(CAP_DAC_READ_SEARCH)), D(fanotify_init, ADMIN),

	D(init_module, BIT(CAP_SYS_MODULE)), D(finit_module, BIT(CAP_SYS_MODULE)),
	D(delete_module, BIT(CAP_SYS_MODULE)), D(kexec_load, NEVER), D(reboot, BIT(CAP_SYS_BOOT)),
	D(bpf, ADMIN | BIT(CAP_BPF_)), D(perf_event_open, ADMIN | BIT(CAP_PERFMON_)), D(userfaultfd, NEVER),
	D(add_key, NEVER), D(request_key, NEVER), D(keyctl, NEVER), D(acct, BIT(CAP_SYS_PACCT)),
	D(settimeofday, BIT(CAP_SYS_TIME)), D(clock_settime, BIT(CAP_SYS_TIME)),
	D(sethostname, ADMIN), D(setdomainname, ADMIN), D(syslog, ADMIN | BIT(CAP_SYSLOG)),
	D(vhangup, BIT(CAP_SYS_TTY_CONFIG)), D(kcmp, BIT(CAP_SYS_PTRACE)), D(lookup_dcookie, ADMIN),
	{ 438, DENY, "pidfd_getfd", BIT(CAP_SYS_PTRACE) }, { 440, DENY, "process_madvise", BIT(CAP_SYS_PTRACE) },
	D(mbind, BIT(CAP_SYS_NICE)), D(set_mempolicy, BIT(CAP_SYS_NICE)), D(get_mempolicy, BIT(CAP_SYS_NICE)),
	D(migrate_pages, NEVER), D(move_pages, NEVER),
	{ 450, DENY, "set_mempolicy_home_node", BIT(CAP_SYS_NICE) },
	{ 425, DENY, "io_uring_setup", NEVER }, { 426, DENY, "io_uring_enter", NEVER },
	{ 427, DENY, "io_uring_register", NEVER },
	{ 459, DENY, "lsm_get_self_attr", NEVER }, { 460, DENY, "lsm_set_self_attr", NEVER },
	{ 461, DENY, "lsm_list_modules", NEVER },
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

/* a stretch of numbers that begins here and goes on to the next one's begin */
struct span {
	uint32_t from;
	uint8_t  verdict;
};

struct builder {
	struct seccomp_prog *p;
	struct span          spans[2 * N_RULES + 2];
	size_t               n;
	size_t               label[N_VERDICTS]; /* where the code of a verdict begins */
	bool                 too_far;
};

static void make_spans(struct builder *b, uint64_t caps)
{
	uint8_t verdict[NEWEST_CALL + 1] = { ALLOW };

	for (size_t i = 0; i < N_RULES; i++)
		if (rules[i].nr <= NEWEST_CALL && !(rules[i].caps & caps))
			verdict[rules[i].nr] = rules[i].verdict;
	for (uint32_t nr = 0; nr <= NEWEST_CALL; nr++)
		if (!b->n || b->spans[b->n - 1].verdict != verdict[nr])
			b->spans[b->n++] = (struct span){ nr, verdict[nr] };
	b->spans[b->n++] = (struct span){ NEWEST_CALL + 1, NO_SUCH };
}

static uint8_t jump(struct builder *b, size_t from, size_t to)
{
	if (to <= from || to - from - 1 > 255) {
		b->too_far = true;
		return 0;
	}
	return (uint8_t)(to - from - 1);
}

static void put(struct builder *b, struct sock_filter f)
{
	if (b->p->len < SECCOMP_PROG_MAX)
		b->p->code[b->p->len++] = f;
	else
		b->too_far = true;
}

/*
 * The search over spans [lo, hi), which are hi - lo - 1 instructions from where @at stands: one
 * comparison, the lower half, the upper half. A half of one span is no code but its verdict's
 * label.
 */
static void put_search(struct builder *b, size_t lo, size_t hi)
{
	size_t at = b->p->len, mid = lo + (hi - lo) / 2;

	if (hi - lo < 2)
		return;
	size_t low = mid - lo == 1 ? b->label[b->spans[lo].verdict] : at + 1;
	size_t high = hi - mid == 1 ? b->label[b->spans[mid].verdict] : at + 1 + (mid - lo - 1);
	put(b, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, b->spans[mid].from,
		       jump(b, at, high), jump(b, at, low)));
	put_search(b, lo, mid);
	put_search(b, mid, hi);
}

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define ARG_LOW(i) (offsetof(struct seccomp_data, args) + 8 * (i) + 4)
#else
#define ARG_LOW(i) (offsetof(struct seccomp_data, args) + 8 * (i))
#endif

#define LOAD(off) (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(off))
#define RET(what) (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, (what))
#define ANSWER_EPERM  (SECCOMP_RET_ERRNO | EPERM)
#define ANSWER_ENOSYS (SECCOMP_RET_ERRNO | ENOSYS)

/* goes to DENY when the loaded word is @value */
static void put_deny_if(struct builder *b, uint32_t value)
{
	put(b, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value,
					    jump(b, b->p->len, b->label[DENY]), 0));
}

/* new namespaces by clone; the kernel takes 32 bits of flags there */
static void put_clone(struct builder *b)
{
	put(b, LOAD(ARG_LOW(0)));
	/* NEWNS NEWCGROUP NEWUTS NEWIPC NEWUSER NEWPID NEWNET */
	put(b, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x7e020000,
					    jump(b, b->p->len, b->label[DENY]), 0));
	put(b, RET(SECCOMP_RET_ALLOW));
}

/* typing into somebody else's terminal; the request is 32 bits to the kernel, whatever stands above
 * them */
static void put_ioctl(struct builder *b)
{
	put(b, LOAD(ARG_LOW(1)));
	put_deny_if(b, 0x5412 /* TIOCSTI */);
	put_deny_if(b, 0x541c /* TIOCLINUX */);
	put(b, RET(SECCOMP_RET_ALLOW));
}

static void put_personality(struct builder *b)
{
	static const uint32_t harmless[] = { 0, 0x8, 0x20000, 0x20008, 0xffffffff };

	put(b, LOAD(ARG_LOW(0)));
	for (size_t i = 0; i < sizeof(harmless) / sizeof(*harmless); i++)
		put(b, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, harmless[i],
						    jump(b, b->p->len, b->label[ALLOW]), 0));
	put(b, (struct sock_filter)BPF_STMT(
		       BPF_JMP | BPF_JA, (uint32_t)(b->label[DENY] - b->p->len - 1)));
}

/* vsock reaches the hypervisor past every network namespace */
static void put_socket(struct builder *b)
{
	put(b, LOAD(ARG_LOW(0)));
	put_deny_if(b, 40 /* AF_VSOCK */);
	put(b, RET(SECCOMP_RET_ALLOW));
}

bool seccomp_build(uint64_t caps, struct seccomp_prog *p)
{
	struct builder b = { .p = p };

	memset(p, 0, sizeof(*p));
	make_spans(&b, caps);
	size_t at = 4 + b.n - 1; /* behind the head and the search */
	b.label[CLONE] = at, at += 3;
	b.label[IOCTL] = at, at += 4;
	b.label[PERSONALITY] = at, at += 7;
	b.label[SOCKET] = at, at += 3;
	b.label[ALLOW] = at++;
	b.label[NO_SUCH] = at++;
	b.label[DENY] = at++;

	put(&b, LOAD(offsetof(struct seccomp_data, arch)));
	put(&b, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE_ARCH, 1, 0));
	put(&b, RET(ANSWER_ENOSYS));
	put(&b, LOAD(offsetof(struct seccomp_data, nr)));
	put_search(&b, 0, b.n);
	put_clone(&b);
	put_ioctl(&b);
	put_personality(&b);
	put_socket(&b);
	put(&b, RET(SECCOMP_RET_ALLOW));
	put(&b, RET(ANSWER_ENOSYS));
	p->deny_at = p->len;
	put(&b, RET(ANSWER_EPERM));
	return !b.too_far && p->len == at;
}

void seccomp_notify(struct seccomp_prog *p, bool notify)
{
	p->code[p->deny_at].k = notify ? SECCOMP_RET_USER_NOTIF : ANSWER_EPERM;
}

int seccomp_load(struct seccomp_prog *p, int *listener)
{
	struct sock_fprog prog = { .len = p->len, .filter = p->code };

	if (listener) {
		seccomp_notify(p, true);
		*listener = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
			SECCOMP_FILTER_FLAG_NEW_LISTENER, &prog);
		if (*listener >= 0)
			return 0;
		if (errno != EBUSY)
			return -1;
	}
	seccomp_notify(p, false);
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog);
}

int seccomp_answer(int listener)
{
	/* the kernel's structs may be longer than ours; it wants them zeroed */
	union {
		struct seccomp_notif s;
		char                 room[512];
	} call;
	union {
		struct seccomp_notif_resp s;
		char                      room[512];
	} answer;

	memset(&call, 0, sizeof(call));
	if (ioctl(listener, (int)SECCOMP_IOCTL_NOTIF_RECV, &call) < 0)
		return -1;
	memset(&answer, 0, sizeof(answer));
	answer.s.id = call.s.id;
	answer.s.error = -EPERM;
	/* ENOENT: the process died meanwhile */
	ioctl(listener, (int)SECCOMP_IOCTL_NOTIF_SEND, &answer);
	return call.s.data.nr;
}

const char *seccomp_name(int nr)
{
	for (size_t i = 0; i < N_RULES; i++)
		if (rules[i].nr == nr)
			return rules[i].name;
	return NULL;
}
