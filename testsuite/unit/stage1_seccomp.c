/* SPDX-License-Identifier: Apache-2.0
 * Seccomp filters, the default one and those of sets: what they say about each call, by interpreting the program,
 * and that the kernel takes them.
 */
#include "stage1-init/filter.h"

#include <errno.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/seccomp.h>

#include "core/appc/isolator.h"
#include "core/base/json.h"
#include "testsuite/unit/bpf.h"
#include "testsuite/unit/unit.h"

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#elif defined(__i386__)
#define ARCH AUDIT_ARCH_I386
#elif defined(__arm__)
#define ARCH AUDIT_ARCH_ARM
#else
#define ARCH AUDIT_ARCH_RISCV64
#endif

static uint32_t interpret(const struct seccomp_prog *p, const struct seccomp_data *d)
{
	return bpf_run(p->code, p->len, d);
}

static int build_for(uint64_t caps, const struct appc_seccomp *s, struct seccomp_prog *p, struct err *e)
{
	const struct filter_for f = { { syscall_arches[0] }, caps };

	return filter_build(&f, s, p, e);
}

static bool build(uint64_t caps, struct seccomp_prog *p)
{
	static const struct appc_seccomp by_default;
	struct err e;

	if (build_for(caps, &by_default, p, &e) < 0)
		return false;
	seccomp_notify(p, false);
	return true;
}

static void release(struct seccomp_prog *p)
{
	free(p->code);
	p->code = NULL;
}

/* until the next call */
static const char *name_of(int nr)
{
	static char name[SYSCALL_NAME_SIZE];
	int call = syscall_at(syscall_arches[0], nr);

	if (call < 0)
		return NULL;
	syscall_name((unsigned)call, name);
	return name;
}

#define ALLOWED SECCOMP_RET_ALLOW
#define DENIED  (SECCOMP_RET_ERRNO | EPERM)
#define MISSING (SECCOMP_RET_ERRNO | ENOSYS)

static uint32_t ask(const struct seccomp_prog *p, int nr, uint64_t arg0, uint64_t arg1)
{
	struct seccomp_data d = { .nr = nr, .arch = ARCH, .args = { arg0, arg1 } };

	return interpret(p, &d);
}

TEST(fits, "seccomp: the program fits and ends for every set of capabilities and every call")
{
	struct seccomp_prog p;

	for (int c = -1; c < 64; c++) {
		CHECK(build(c < 0 ? 0 : UINT64_C(1) << c, &p));
		for (int nr = 0; nr < 600; nr++)
			ask(&p, nr, 0, 0);
		release(&p);
	}
	CHECK(build(UINT64_MAX, &p));
	release(&p);
}

/* clang-format off */
TEST(ordinary, "seccomp: what programs do is allowed")
{
	static const int calls[] = { __NR_read, __NR_write, __NR_openat, __NR_execve, __NR_exit_group, __NR_futex, __NR_mmap,
		__NR_prctl, __NR_capset, __NR_setresuid, __NR_chroot, __NR_mknodat, __NR_ptrace, __NR_process_vm_readv,
		__NR_bind, __NR_sendmsg, __NR_getrandom, __NR_memfd_create, __NR_seccomp, __NR_fanotify_mark,
		__NR_name_to_handle_at, __NR_clock_adjtime, 434 /* pidfd_open */, 436 /* close_range */, 437 /* openat2 */,
		444 /* landlock_create_ruleset */, 449 /* futex_waitv */, 451 /* cachestat */, 462 /* mseal */ };
	struct seccomp_prog p;

	REQUIRE(build(appc_caps_default, &p));
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		CHECK_INT(ask(&p, calls[i], 0, 0), ALLOWED);
	CHECK_INT(ask(&p, __NR_clone, 0x11, 0), ALLOWED);
	CHECK_INT(ask(&p, __NR_clone, 0x3d0f00, 0), ALLOWED); /* a thread */
	CHECK_INT(ask(&p, __NR_ioctl, 1, 0x5413), ALLOWED);
	CHECK_INT(ask(&p, __NR_socket, AF_INET, 0), ALLOWED);
	CHECK_INT(ask(&p, __NR_socket, AF_NETLINK, 0), ALLOWED);
	CHECK_INT(ask(&p, __NR_personality, 0xffffffff, 0), ALLOWED);
	CHECK_INT(ask(&p, __NR_personality, 0x20008, 0), ALLOWED);
	release(&p);
}

struct denied_call { const char *name; int nr; };
#define N(x) { #x, __NR_##x }

TEST(denied, "seccomp: what reaches beyond a pod is EPERM, and has a name")
{
	static const struct denied_call calls[] = { N(mount), N(umount2), N(pivot_root), N(setns), N(unshare), N(swapon),
		N(swapoff), N(quotactl), N(open_by_handle_at), N(fanotify_init), N(init_module), N(finit_module),
		N(delete_module), N(kexec_load), N(reboot), N(bpf), N(perf_event_open), N(userfaultfd), N(add_key),
		N(request_key), N(keyctl), N(acct), N(settimeofday), N(clock_settime), N(sethostname), N(setdomainname),
		N(syslog), N(vhangup), N(kcmp), N(lookup_dcookie), N(mbind), N(set_mempolicy), N(get_mempolicy),
		N(migrate_pages), N(move_pages), N(nfsservctl),
		{ "io_uring_setup", 425 }, { "io_uring_enter", 426 }, { "io_uring_register", 427 }, { "open_tree", 428 },
		{ "move_mount", 429 }, { "fsopen", 430 }, { "fsconfig", 431 }, { "fsmount", 432 }, { "fspick", 433 },
		{ "pidfd_getfd", 438 }, { "process_madvise", 440 }, { "mount_setattr", 442 }, { "quotactl_fd", 443 },
		{ "set_mempolicy_home_node", 450 }, { "statmount", 457 }, { "listmount", 458 },
		{ "open_tree_attr", 467 },
#ifdef __x86_64__
		N(ioperm), N(iopl), N(kexec_file_load), N(create_module), N(query_module), N(get_kernel_syms), N(uselib),
		N(ustat), N(sysfs), N(_sysctl),
#endif
	};
	/* clang-format on */
	struct seccomp_prog p;

	REQUIRE(build(appc_caps_default, &p));
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		if (ask(&p, calls[i].nr, 0, 0) != DENIED)
			printf("# %s\n", calls[i].name);
		CHECK_INT(ask(&p, calls[i].nr, 0, 0), DENIED);
		CHECK_STR(name_of(calls[i].nr), calls[i].name);
	}
	release(&p);
}

TEST(arguments, "seccomp: arguments that matter: namespaces, terminals, personalities, vsock")
{
	static const uint64_t ns[] = { 0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000,
		0x20000000, 0x40000000 };
	struct seccomp_prog p;

	REQUIRE(build(appc_caps_default, &p));
	for (size_t i = 0; i < sizeof(ns) / sizeof(*ns); i++)
		CHECK_INT(ask(&p, __NR_clone, ns[i] | 0x11, 0), DENIED);
	CHECK_INT(ask(&p, __NR_ioctl, 0, 0x5412), DENIED);
	CHECK_INT(ask(&p, __NR_ioctl, 0, 0x541c), DENIED);
	/* the kernel looks at 32 bits of the request only */
	CHECK_INT(ask(&p, __NR_ioctl, 0, UINT64_C(0xdeadbeef00005412)), DENIED);
	CHECK_INT(ask(&p, __NR_personality, 0x0040000, 0), DENIED);
	CHECK_INT(ask(&p, __NR_socket, 40, 0), DENIED);
	CHECK_INT(ask(&p, __NR_socket, UINT64_C(0x100000028), 0), DENIED);
	release(&p);
}

TEST(missing, "seccomp: newer calls, clone3 and other architectures do not exist")
{
	struct seccomp_prog p;
	struct seccomp_data d = { .nr = __NR_getpid, .arch = ARCH ^ 1 };

	REQUIRE(build(appc_caps_default, &p));
	CHECK_INT(ask(&p, 435, 0, 0), MISSING);
	CHECK_INT(ask(&p, 470, 0, 0), MISSING);
	CHECK_INT(ask(&p, 9999, 0, 0), MISSING);
	CHECK_INT(ask(&p, 0x40000000 | 39, 0, 0), MISSING); /* x32 */
	CHECK_INT(ask(&p, -1, 0, 0), MISSING);
	CHECK_INT(interpret(&p, &d), MISSING);
	release(&p);
}

TEST(capabilities, "seccomp: a capability that the app keeps opens the calls it is for")
{
	struct seccomp_prog p;

	REQUIRE(build(UINT64_C(1) << CAP_SYS_ADMIN, &p));
	CHECK_INT(ask(&p, __NR_mount, 0, 0), ALLOWED);
	CHECK_INT(ask(&p, __NR_unshare, 0, 0), ALLOWED);
	CHECK_INT(ask(&p, __NR_clone, 0x10000000, 0), ALLOWED);
	CHECK_INT(ask(&p, 435, 0, 0), ALLOWED);
	CHECK_INT(ask(&p, __NR_kexec_load, 0, 0), DENIED);
	CHECK_INT(ask(&p, __NR_keyctl, 0, 0), DENIED);
	CHECK_INT(ask(&p, __NR_ioctl, 0, 0x5412), DENIED);
	release(&p);
	REQUIRE(build(UINT64_C(1) << CAP_SYS_TIME, &p));
	CHECK_INT(ask(&p, __NR_clock_settime, 0, 0), ALLOWED);
	CHECK_INT(ask(&p, __NR_mount, 0, 0), DENIED);
	release(&p);
}

static int in_child(int (*fn)(void))
{
	int status;

	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0)
		_exit(fn());
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int loaded(void)
{
	struct seccomp_prog p;

	if (!build(appc_caps_default, &p) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return 1;
	if (seccomp_load(&p, NULL) < 0)
		return 2;
	if (syscall(SYS_mount, 0, 0, 0, 0, 0) != -1 || errno != EPERM)
		return 3;
	if (syscall(9999) != -1 || errno != ENOSYS)
		return 4;
	if (syscall(SYS_getppid) <= 0)
		return 5;
#ifdef __x86_64__
	long r = 20; /* getpid by the 32-bit door */
	__asm__ volatile("int $0x80" : "+a"(r) : : "memory", "r8", "r9", "r10", "r11");
	if (r != -ENOSYS)
		return 6;
#endif
	return 42;
}

TEST(loads, "seccomp: the kernel takes it, and does what the program says")
{
	CHECK_INT(in_child(loaded), 42);
}

static int listened(void)
{
	struct seccomp_prog p;
	int listener, status;

	if (!build(appc_caps_default, &p) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return 1;
	/* the answering process must not be under the filter, so only the child is */
	int fds[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds) < 0)
		return 2;
	pid_t pid = fork();
	if (pid == 0) {
		if (seccomp_load(&p, &listener) < 0 || listener < 0)
			_exit(1);
		union {
			char room[CMSG_SPACE(sizeof(int))];
			struct cmsghdr align;
		} ctl = { .room = { 0 } };
		struct iovec iov = { .iov_base = &pid, .iov_len = 1 };
		struct msghdr m = { .msg_iov = &iov,
			.msg_iovlen = 1,
			.msg_control = &ctl,
			.msg_controllen = sizeof(ctl) };
		struct cmsghdr *c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &listener, sizeof(int));
		if (sendmsg(fds[1], &m, 0) < 0)
			_exit(2);
		close(listener);
		errno = 0;
		_exit(syscall(SYS_unshare, 0) == -1 && errno == EPERM ? 42 : 3);
	}
	union { char room[CMSG_SPACE(sizeof(int))]; struct cmsghdr align; } ctl;
	char byte;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &ctl, .msg_controllen = sizeof(ctl)
	};
	if (recvmsg(fds[0], &m, 0) < 0 || !CMSG_FIRSTHDR(&m))
		return 4;
	memcpy(&listener, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(int));
	struct seccomp_asked asked;
	if (!seccomp_answer(listener, EPERM, &asked) || asked.nr != SYS_unshare || asked.arch != ARCH)
		return 5;
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return 6;
	return WEXITSTATUS(status);
}

TEST(listens, "seccomp: a denied call is told to the listener by number, and is EPERM all the same")
{
	CHECK_INT(in_child(listened), 42);
}

/* ---- the table of names ---- */

static int number_of(const char *name)
{
	int call = syscall_find(name);

	return call < 0 ? -2 : syscall_number(syscall_arches[0], (unsigned)call);
}

TEST(names, "syscalls: names and numbers are each other's, and those of this architecture's headers")
{
	static const struct denied_call calls[] = { N(read), N(execve), N(openat), N(socket), N(clone), N(ppoll), N(bpf),
		N(statx), N(clock_gettime), N(exit_group), { "clone3", 435 }, { "file_setattr", 469 } };
	int found = 0;

	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		CHECK_INT(number_of(calls[i].name), calls[i].nr);
		CHECK_STR(name_of(calls[i].nr), calls[i].name);
	}
	for (int nr = -5; nr < 512; nr++) {
		const char *name = name_of(nr);
		if (name) {
			found++;
			CHECK_INT(number_of(name), nr);
		}
	}
	CHECK(found > 300);
	CHECK_INT(number_of("nonsense"), -2);
	CHECK_INT(number_of(""), -2);
#ifdef __x86_64__
	CHECK_INT(number_of("fstatat64"), -1);
	CHECK_INT(number_of("set_tls"), -1);
#endif
}

TEST(architectures, "syscalls: what images of this machine's architectures are called, and of no others")
{
#ifdef __x86_64__
	CHECK(syscall_arch_labelled("amd64") == &syscall_x86_64 && syscall_arch_labelled("i386") == &syscall_i386);
	CHECK(!syscall_arch_labelled("armv7l") && !syscall_arch_labelled("aarch64"));
	CHECK(syscall_arch_of(AUDIT_ARCH_I386) == &syscall_i386 && !syscall_arch_of(AUDIT_ARCH_ARM));
#endif
	CHECK(!syscall_arch_labelled("") && !syscall_arch_labelled(NULL) && !syscall_arch_labelled("armv7"));
	CHECK(syscall_arch_of(ARCH) == syscall_arches[0] && !syscall_arch_of(0));
}

TEST(groups, "syscalls: @rkt/default-blacklist is what the default filter denies, and the whitelist is the rest")
{
	struct syscall_set black = { { 0 } }, white = { { 0 } }, docker = { { 0 } };
	char name[SYSCALL_NAME_SIZE];

	REQUIRE(syscall_group("@rkt/default-blacklist", &black));
	REQUIRE(syscall_group("@rkt/default-whitelist", &white));
	REQUIRE(syscall_group("@docker/default-whitelist", &docker));
	for (unsigned call = 0; call < N_CALLS; call++) {
		syscall_name(call, name);
		if (filter_denies(call) != syscall_set_has(&black, call))
			printf("# %s\n", name);
		CHECK_INT(syscall_set_has(&black, call), filter_denies(call));
		CHECK_INT(syscall_set_has(&white, call), !filter_denies(call));
		/* THREATS: what Docker denies by default, we deny */
		CHECK(!(syscall_set_has(&docker, call) && filter_denies(call)));
	}
	CHECK(!syscall_group("@rkt/other", &white));
	CHECK(!syscall_group("rkt/default-whitelist", &white));
}

/* ---- sets ---- */

static bool read_set(const char *mode, const char *json, struct appc_seccomp *s)
{
	cJSON *value = cJSON_Parse(json);
	struct err e = { 0 };
	int r = appc_seccomp_read(value, !strcmp(mode, "retain"), s, &e);

	if (r < 0)
		printf("# %s\n", e.msg);
	cJSON_Delete(value);
	return r == 0;
}

/* of the words of @list: the rules of the manual, in the plainest way */
static bool is_in(const char *list, const char *name)
{
	size_t n = name ? strlen(name) : 0;

	for (const char *p = name ? list : ""; *p; p += strcspn(p, " "), p += *p == ' ')
		if (strcspn(p, " ") == n && !strncmp(p, name, n))
			return true;
	return false;
}

#define LIFE_CYCLE "execve exit exit_group rt_sigreturn sigreturn restart_syscall"

static uint32_t expected(bool retain, const char *list, uint64_t caps, int nr, uint32_t error)
{
	const char *name = name_of(nr);
	struct seccomp_prog by_default;

	if (nr < 0 || nr > 469)
		return MISSING;
	CHECK(build(caps, &by_default));
	uint32_t was = ask(&by_default, nr, 0x7e020000, 0);
	release(&by_default);
	if (!retain)
		return is_in(list, name) || was == DENIED ? SECCOMP_RET_ERRNO | error : was;
	if (is_in(LIFE_CYCLE, name))
		return ALLOWED;
	if (is_in("clone personality", name) && is_in(list, name))
		return was == DENIED ? SECCOMP_RET_ERRNO | error : was;
	if (is_in(list, name))
		return ALLOWED;
	return nr == 435 ? MISSING : SECCOMP_RET_ERRNO | error;
}

static void compare(bool retain, const char *list, uint64_t caps, uint32_t error)
{
	char json[16384] = "{\"errno\":\"EACCES\",\"set\":[\"";
	struct appc_seccomp s;
	struct seccomp_prog p;
	struct err e;
	size_t n = strlen(json);

	for (const char *q = list; *q && n < sizeof(json) - 8; q++) {
		if (*q == ' ')
			n += (size_t)sprintf(json + n, "\",\"");
		else
			json[n++] = *q;
	}
	strcpy(json + n, "\"]}");
	REQUIRE(read_set(retain ? "retain" : "remove", json, &s));
	REQUIRE(build_for(caps, &s, &p, &e) == 0);
	seccomp_notify(&p, false);
	for (int nr = -1; nr < 600; nr++) {
		uint32_t want = expected(retain, list, caps, nr, error), got = ask(&p, nr, 0x7e020000, 0);
		if (want != got)
			printf("# %s %d %s\n", retain ? "retain" : "remove", nr, name_of(nr));
		CHECK_INT(got, want);
	}
	CHECK_INT(ask(&p, 0x40000000, 0, 0), MISSING);
	release(&p);
}

/* every third name and so on, so that the program gets as long as it can be */
static const char *every(int step)
{
	static char list[16384];
	size_t n = 0;

	list[0] = 0;
	for (int nr = 0; nr < 512; nr += step)
		if (name_of(nr))
			n += (size_t)sprintf(list + n, n ? " %s" : "%s", name_of(nr));
	return list;
}

TEST(sets, "seccomp: a set's program says of every call what the rules say, whatever the set and the capabilities")
{
	static const char *const lists[] = { "read", "read write exit_group", "mount", "execve", "exit_group sendmsg capset",
		"clone socket ioctl personality", "clone3", "clone clone3 unshare", "read nonsense", "nonsense",
		"getpid getppid gettid getuid mount umount2 reboot keyctl" };
	static const uint64_t caps[] = { 0, UINT64_C(1) << CAP_SYS_ADMIN, UINT64_MAX };

	for (size_t c = 0; c < sizeof(caps) / sizeof(*caps); c++) {
		for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
			compare(false, lists[i], caps[c], EACCES);
			compare(true, lists[i], caps[c], EACCES);
		}
		for (int step = 1; step < 6; step++) {
			compare(false, every(step), caps[c], EACCES);
			compare(true, every(step), caps[c], EACCES);
		}
	}
}

TEST(wildcards, "seccomp: the wildcards: nothing filtered, the default, and the default's lists in sets")
{
	static const uint64_t caps[] = { 0, UINT64_C(1) << CAP_SYS_ADMIN };
	struct appc_seccomp s;
	struct seccomp_prog p, q;
	struct err e;

	REQUIRE(read_set("retain", "{\"set\":[\"read\",\"@appc.io/all\"]}", &s));
	REQUIRE(build_for(0, &s, &p, &e) == 0);
	CHECK(!p.code);
	REQUIRE(read_set("remove", "{\"set\":[\"read\",\"@appc.io/empty\"],\"errno\":\"ENOENT\"}", &s));
	REQUIRE(build_for(0, &s, &p, &e) == 0);
	seccomp_notify(&p, false);
	CHECK_INT(ask(&p, __NR_read, 0, 0), ALLOWED);
	CHECK_INT(ask(&p, __NR_mount, 0, 0), SECCOMP_RET_ERRNO | ENOENT);
	release(&p);
	for (size_t i = 0; i < 2; i++) {
		/* the default's own list is the default, for each call that there is */
		REQUIRE(build(caps[i], &q));
		REQUIRE(read_set("retain", "{\"set\":[\"@rkt/default-whitelist\"]}", &s));
		REQUIRE(build_for(caps[i], &s, &p, &e) == 0);
		seccomp_notify(&p, false);
		for (int nr = 0; nr < 600; nr++)
			if (name_of(nr) || nr > 469)
				CHECK_INT(ask(&p, nr, 0x7e020000, 0x5412), ask(&q, nr, 0x7e020000, 0x5412));
		release(&p);
		release(&q);
	}
	REQUIRE(read_set("retain", "{\"set\":[\"@systemd/basic-io\",\"@other/one\"]}", &s));
	REQUIRE(build_for(0, &s, &p, &e) == 0);
	seccomp_notify(&p, false);
	CHECK_INT(ask(&p, __NR_read, 0, 0), ALLOWED);
	CHECK_INT(ask(&p, __NR_getpid, 0, 0), DENIED);
	release(&p);
}

TEST(key, "seccomp: the key opens what a set denies, a guess does not, and the default has none")
{
	static const unsigned long wrong[][2] = { { 1, 0 }, { 0, 1 }, { 1, 1 }, { ~0UL, ~0UL }, { 1UL << 31 << 1, 0 } };
	struct appc_seccomp s;
	struct seccomp_prog p;
	struct err e;

	REQUIRE(read_set("retain", "{\"set\":[\"read\"]}", &s));
	REQUIRE(build_for(0, &s, &p, &e) == 0);
	seccomp_notify(&p, false);
	struct seccomp_data d = { .nr = __NR_capset, .arch = ARCH, .args = { 1, 2, 3, 4, p.key[0], p.key[1] } };
	CHECK_INT(interpret(&p, &d), ALLOWED);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		d.args[4] = p.key[0] ^ wrong[i][0];
		d.args[5] = p.key[1] ^ wrong[i][1];
		if (d.args[4] != p.key[0] || d.args[5] != p.key[1])
			CHECK_INT(interpret(&p, &d), DENIED);
	}
	release(&p);
	REQUIRE(build(0, &p));
	CHECK(!p.key[0] && !p.key[1]);
	d.nr = __NR_mount;
	d.args[4] = d.args[5] = 0;
	CHECK_INT(interpret(&p, &d), DENIED);
	release(&p);
}

static int strict(void)
{
	struct appc_seccomp s;
	struct seccomp_prog p;
	struct err e;

	if (!read_set("retain", "{\"set\":[\"getppid\"],\"errno\":\"ENOTTY\"}", &s) ||
	    build_for(0, &s, &p, &e) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || seccomp_load(&p, NULL) < 0)
		return 1;
	if (syscall(SYS_getpid) != -1 || errno != ENOTTY)
		seccomp_exit(&p, 2);
	if (syscall(SYS_getppid) <= 0 || seccomp_call(&p, SYS_getpid, 0, 0, 0) <= 0)
		seccomp_exit(&p, 3);
	seccomp_exit(&p, 42);
}

TEST(stricter, "seccomp: the kernel takes a set's filter and its key, and returns its errno")
{
	CHECK_INT(in_child(strict), 42);
}

UNIT_MAIN(fits, ordinary, denied, arguments, missing, capabilities, loads, listens, names, architectures, groups, sets, wildcards, key,
	  stricter)
