/* SPDX-License-Identifier: Apache-2.0
 * The seccomp filters of all architectures that there are tables for: what each program says of every call, beside
 * what the manual says (rkt-run(1), SYSTEM CALLS), put down here once more in the plainest way.
 */
#include "stage1-init/filter.h"

#include <errno.h>
#include <stdio.h>

#include <linux/audit.h>
#include <linux/capability.h>

#include "core/base/json.h"
#include "testsuite/unit/bpf.h"
#include "testsuite/unit/unit.h"

struct group {
	const char *name;
	uint8_t     members[(N_CALLS + 7) / 8];
};
/* as it was made, without what the program does with it */
#include "core/appc/syscall_table.h"

#define N_GROUPS (sizeof(groups) / sizeof(*groups))
#define ALLOWED  SECCOMP_RET_ALLOW
#define MISSING  (SECCOMP_RET_ERRNO | ENOSYS)
#define DENIED   (SECCOMP_RET_ERRNO | EPERM)
#define ASKED    SECCOMP_RET_USER_NOTIF
#define NEWEST   469
#define ALL_CAPS UINT64_MAX

struct arch { const struct syscall_arch *arch; uint32_t audit; const uint16_t *numbers; };
static const struct arch arches[] = {
	{ &syscall_x86_64, 0xc000003e, numbers_x86_64 }, { &syscall_i386, 0x40000003, numbers_i386 },
	{ &syscall_aarch64, 0xc00000b7, numbers_aarch64 }, { &syscall_arm, 0x40000028, numbers_arm },
	{ &syscall_riscv64, 0xc00000f3, numbers_riscv64 },
};
#define N_ARCHES (sizeof(arches) / sizeof(*arches))
#define ARM      (&arches[3])

/* each alone, as it is on its own machine, and the two that go with another one */
static const struct { const struct arch *own, *other; } machines[] = {
	{ &arches[0], NULL }, { &arches[1], NULL }, { &arches[2], NULL }, { &arches[3], NULL }, { &arches[4], NULL },
	{ &arches[0], &arches[1] }, { &arches[2], &arches[3] },
};
#define N_MACHINES (sizeof(machines) / sizeof(*machines))

static char call_names[N_CALLS][NAME_MAX_LEN + 1];

static void read_names(void)
{
	const char *p = names;

	for (size_t i = 0; i < N_CALLS; i++) {
		size_t same = (unsigned char)*p++;
		if (i)
			memcpy(call_names[i], call_names[i - 1], same);
		strcpy(call_names[i] + same, p);
		p += strlen(p) + 1;
	}
}

/* ---- a definition, and what follows from it ---- */

struct def {
	enum { DEFAULT, REMOVE, RETAIN } mode;
	const char *words; /* separated by blanks */
	uint64_t    caps;
};

static bool is_word(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = list; *p; p += strcspn(p, " "), p += *p == ' ')
		if (strcspn(p, " ") == n && !strncmp(p, word, n))
			return true;
	return false;
}

static const struct group *group_named(const char *p, size_t n)
{
	for (size_t i = 0; i < N_GROUPS; i++)
		if (strlen(groups[i].name) == n && !strncmp(groups[i].name, p, n))
			return &groups[i];
	return NULL;
}

static bool in_group(const struct group *g, size_t call)
{
	return g && g->members[call / 8] >> call % 8 & 1;
}

static bool in_set[N_CALLS], in_blacklist[N_CALLS];

static void read_set(const struct def *d)
{
	for (size_t i = 0; i < N_CALLS; i++)
		in_set[i] = is_word(d->words, call_names[i]);
	for (const char *p = d->words; *p; p += strcspn(p, " "), p += *p == ' ')
		for (size_t i = 0; *p == '@' && i < N_CALLS; i++)
			in_set[i] |= in_group(group_named(p, strcspn(p, " ")), i);
}

static void read_blacklist(void)
{
	const char *const name = "@rkt/default-blacklist";

	for (size_t i = 0; i < N_CALLS; i++)
		in_blacklist[i] = in_group(group_named(name, strlen(name)), i);
}

/* what no capability opens */
#define NEVER "pivot_root swapon swapoff kexec_load kexec_file_load userfaultfd add_key request_key keyctl migrate_pages " \
	"move_pages io_uring_setup io_uring_enter io_uring_register lsm_get_self_attr lsm_set_self_attr lsm_list_modules " \
	"nfsservctl create_module get_kernel_syms query_module uselib ustat sysfs _sysctl vm86 vm86old pciconfig_iobase " \
	"pciconfig_read pciconfig_write"
#define LIFE_CYCLE "execve exit exit_group rt_sigreturn sigreturn restart_syscall"

static bool is_harmless_personality(uint32_t p)
{
	return p == 0 || p == 8 || p == 0x20000 || p == 0x20008 || p == 0xffffffff;
}

/* a call's arguments that matter, whatever else is asked for; false: it has none */
static bool by_arguments(const struct def *d, const char *name, const struct seccomp_data *s, uint32_t *out)
{
	uint32_t a = (uint32_t)s->args[0], b = (uint32_t)s->args[1];

	if (!strcmp(name, "clone") && !(d->caps >> CAP_SYS_ADMIN & 1))
		*out = a & 0x7e020000 ? DENIED : ALLOWED;
	else if (!strcmp(name, "ioctl"))
		*out = b == 0x5412 || b == 0x541c ? DENIED : ALLOWED;
	else if (!strcmp(name, "personality"))
		*out = is_harmless_personality(a) ? ALLOWED : DENIED;
	else if (!strcmp(name, "socket"))
		*out = a == 40 ? DENIED : ALLOWED;
	else
		return false;
	return true;
}

static uint32_t by_default(const struct def *d, size_t call, const struct seccomp_data *s)
{
	const char *name = call_names[call];
	uint32_t r;

	if (by_arguments(d, name, s, &r))
		return r;
	if (!strcmp(name, "clone3"))
		return d->caps ? ALLOWED : MISSING;
	return in_blacklist[call] && (!d->caps || is_word(NEVER, name)) ? DENIED : ALLOWED;
}

/* socketcall and ipc: the name of what they are to do; "" */
static const char *what_it_does(const char *name, uint32_t arg)
{
	static const char *const sockets[] = { "", "socket", "bind", "connect", "listen", "accept", "getsockname",
		"getpeername", "socketpair", "send", "recv", "sendto", "recvfrom", "shutdown", "setsockopt", "getsockopt",
		"sendmsg", "recvmsg", "accept4", "recvmmsg", "sendmmsg" };
	static const char *const ipcs[] = { "", "semop", "semget", "semctl", "semtimedop", "", "", "", "", "", "", "msgsnd",
		"msgrcv", "msgget", "msgctl", "", "", "", "", "", "", "shmat", "shmdt", "shmget", "shmctl" };

	if (!strcmp(name, "socketcall"))
		return arg < sizeof(sockets) / sizeof(*sockets) ? sockets[arg] : "";
	arg &= 0xffff;
	return !strcmp(name, "ipc") && arg < sizeof(ipcs) / sizeof(*ipcs) ? ipcs[arg] : "";
}

static bool does_named(size_t call, const struct seccomp_data *s)
{
	const char *what = what_it_does(call_names[call], (uint32_t)s->args[0]);

	for (size_t i = 0; *what && i < N_CALLS; i++)
		if (!strcmp(call_names[i], what))
			return in_set[i];
	return false;
}

/* a default whitelist is in the set, and a capability opens the call */
static bool opened(const struct def *d, size_t call)
{
	const char *name = call_names[call];
	bool white = is_word(d->words, "@rkt/default-whitelist") || is_word(d->words, "@docker/default-whitelist");

	return white && d->caps && ((in_blacklist[call] && !is_word(NEVER, name)) || is_word("clone clone3", name));
}

static uint32_t retained(const struct def *d, size_t call, const struct seccomp_data *s)
{
	const char *name = call_names[call];
	uint32_t r;

	if (is_word(LIFE_CYCLE, name) || opened(d, call))
		return ALLOWED;
	if (!strcmp(name, "clone3") && !is_word(d->words, name))
		return d->caps && in_set[call] ? ALLOWED : MISSING;
	if (!in_set[call])
		return does_named(call, s) ? ALLOWED : DENIED;
	return by_arguments(d, name, s, &r) ? r : ALLOWED;
}

static uint32_t expected(const struct def *d, size_t call, const struct seccomp_data *s)
{
	if (d->mode == RETAIN)
		return retained(d, call, s);
	if (d->mode == REMOVE && (in_set[call] || does_named(call, s)))
		return DENIED;
	return by_default(d, call, s);
}

static const struct arch *arch_of(size_t machine, uint32_t audit)
{
	const struct arch *own = machines[machine].own, *other = machines[machine].other;

	return own->audit == audit ? own : other && other->audit == audit ? other : NULL;
}

/* calls that have a number, by it; N_CALLS: none has. Of two names of one number either will do in a set. */
static void calls_of(const struct arch *a, size_t first[NEWEST + 1], size_t second[NEWEST + 1])
{
	for (size_t i = 0; i <= NEWEST; i++)
		first[i] = second[i] = N_CALLS;
	for (size_t i = 0; i < N_CALLS; i++) {
		if (a->numbers[i] > NEWEST)
			continue;
		if (first[a->numbers[i]] == N_CALLS)
			first[a->numbers[i]] = i;
		else
			second[a->numbers[i]] = i;
	}
}

/* ---- the programs ---- */

static bool make(const struct def *d, size_t machine, struct seccomp_prog *p)
{
	static char json[1 << 15];
	struct filter_for f = { { machines[machine].own->arch }, d->caps };
	struct appc_seccomp s = { .mode = APPC_SECCOMP_DEFAULT };
	size_t n = (size_t)sprintf(json, "{\"set\":[\"");
	struct err e = { 0 };

	if (machines[machine].other)
		f.arches[1] = machines[machine].other->arch;
	for (const char *w = d->words; *w; w++)
		n += (size_t)sprintf(json + n, *w == ' ' ? "\",\"" : "%c", *w);
	strcpy(json + n, "\"]}");
	cJSON *value = cJSON_Parse(json);
	bool good = (d->mode == DEFAULT || appc_seccomp_read(value, d->mode == RETAIN, &s, &e) == 0) &&
		    filter_build(&f, &s, p, &e) == 0;
	cJSON_Delete(value);
	if (good)
		seccomp_notify(p, false);
	return good;
}

static unsigned n_asked;

static void compare(const struct seccomp_prog *p, const struct seccomp_data *s, uint32_t want, const char *what)
{
	uint32_t got = bpf_run(p->code, p->len, s);

	n_asked++;
	if (got != want)
		printf("# %s: architecture %x, call %x (%d), arguments %llx %llx\n", what, s->arch, (unsigned)s->nr, s->nr,
			(unsigned long long)s->args[0], (unsigned long long)s->args[1]);
	CHECK_INT(got, want);
}

/* numbers that no table has */
static void check_strange(const struct seccomp_prog *p, const struct arch *a, uint32_t audit)
{
	static const int numbers[] = { -1, -2, NEWEST + 1, 511, 512, 600, 0x900000, 0x900001, 0xf0000, 0xf0007, 0xf0010,
		0x7fffffff, (int)0x80000000, 0xf0001, 0xf0006 };

	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		struct seccomp_data s = { .nr = numbers[i], .arch = audit };
		bool own = a == ARM && numbers[i] >= 0xf0001 && numbers[i] <= 0xf0006;
		compare(p, &s, own ? ALLOWED : MISSING, "no call");
	}
	for (int nr = 0; nr < 600; nr++) {
		struct seccomp_data s = { .nr = 0x40000000 | nr, .arch = audit };
		compare(p, &s, MISSING, "x32");
	}
}

static void check_call(const struct def *d, const struct seccomp_prog *p, size_t first, size_t second, struct seccomp_data *s)
{
	static const uint64_t args[][2] = {
		{ 0, 0 }, { 0x7e020000, 0x5412 }, { 40, 0x541c }, { UINT64_C(0xdead00000028), UINT64_C(0xbeef00005412) },
		{ 0x20008, 0x5413 }, { 0x02000000, 1 }, { 0xffffffff, 0 },
	};

	bool looked_at = first < N_CALLS && is_word("clone ioctl personality socket", call_names[first]);
	for (size_t i = 0; i < (looked_at ? sizeof(args) / sizeof(*args) : 2); i++) {
		memcpy(s->args, args[i], sizeof(args[i]));
		uint32_t want = first == N_CALLS ? (d->mode == RETAIN ? DENIED : ALLOWED) : expected(d, first, s);
		uint32_t also = second == N_CALLS ? want : expected(d, second, s);
		if (want != also) /* a set's way, not the other one */
			want = d->mode == RETAIN ? ALLOWED : DENIED;
		compare(p, s, want, first == N_CALLS ? "#" : call_names[first]);
	}
	bool many = first < N_CALLS && (is_word("socketcall ipc", call_names[first]));
	for (uint32_t i = 0; many && i < 64; i++) {
		s->args[0] = i % 32 | (i < 32 ? 0 : 0x10000);
		s->args[1] = 0;
		compare(p, s, expected(d, first, s), what_it_does(call_names[first], (uint32_t)s->args[0]));
	}
}

static void check_arch(const struct def *d, const struct seccomp_prog *p, const struct arch *a)
{
	size_t first[NEWEST + 1], second[NEWEST + 1];

	calls_of(a, first, second);
	for (int nr = 0; nr <= NEWEST; nr++) {
		struct seccomp_data s = { .nr = nr, .arch = a->audit };
		check_call(d, p, first[nr], second[nr], &s);
	}
	check_strange(p, a, a->audit);
}

static void check_foreign(const struct seccomp_prog *p, uint32_t audit)
{
	for (int nr = -1; nr <= NEWEST + 1; nr++) {
		struct seccomp_data s = { .nr = nr, .arch = audit };
		compare(p, &s, MISSING, "another architecture");
	}
}

static size_t longest;

static void check_def(const struct def *d, size_t machine)
{
	struct seccomp_prog p;

	REQUIRE(make(d, machine, &p));
	longest = p.len > longest ? p.len : longest;
	read_set(d);
	for (size_t i = 0; i < N_ARCHES; i++) {
		const struct arch *a = arch_of(machine, arches[i].audit);
		if (a)
			check_arch(d, &p, a);
		else
			check_foreign(&p, arches[i].audit);
	}
	check_foreign(&p, 0);
	check_foreign(&p, machines[machine].own->audit ^ 1);
	free(p.code);
}

static void check_both(const char *words, size_t machine)
{
	static const uint64_t caps[] = { 0, ALL_CAPS };

	for (size_t c = 0; c < 2; c++) {
		check_def(&(struct def){ REMOVE, words, caps[c] }, machine);
		check_def(&(struct def){ RETAIN, words, caps[c] }, machine);
	}
}

static void begin(void)
{
	read_names();
	read_blacklist();
	n_asked = 0;
}

/* clang-format off */
TEST(by_default_, "filters: the default, of every architecture and of an image of another one")
{
	begin();
	for (size_t m = 0; m < N_MACHINES; m++) {
		check_def(&(struct def){ DEFAULT, "", 0 }, m);
		check_def(&(struct def){ DEFAULT, "", ALL_CAPS }, m);
	}
	CHECK(n_asked > 50000);
}

TEST(wildcards, "filters: each wildcard, removed and retained")
{
	begin();
	for (size_t g = 0; g < N_GROUPS; g++)
		for (size_t m = 0; m < N_MACHINES; m++)
			check_both(groups[g].name, m);
	CHECK(N_GROUPS > 30 && n_asked > 2000000);
}

TEST(by_name, "filters: sets by name, also of calls that only some architectures have")
{
	static const char *const sets[] = { "read", "read write exit_group", "execve", "mount umount umount2 stime", "nonsense",
		"clone socket ioctl personality", "clone3", "clone clone3 unshare", "socket", "bind accept send recv",
		"socketcall", "ipc", "semop shmget", "socketcall socket ipc shmat msgrcv", "set_tls cacheflush breakpoint",
		"fstat64 _llseek mmap2 clock_gettime64 newfstatat fstatat64", "arm_sync_file_range sync_file_range2",
		"@systemd/network-io mount", "@docker/default-whitelist unshare keyctl", "@rkt/default-whitelist clone3" };

	begin();
	for (size_t i = 0; i < sizeof(sets) / sizeof(*sets); i++)
		for (size_t m = 0; m < N_MACHINES; m++)
			check_both(sets[i], m);
}
/* clang-format on */

/* every third name and so on; and every second number, which makes the longest program */
static const char *every(const struct arch *a, int step)
{
	static char list[1 << 14];
	size_t n = 0;

	list[0] = 0;
	for (size_t i = 0; i < N_CALLS; i++)
		if ((a ? a->numbers[i] : i) % (size_t)step == 0 && (!a || a->numbers[i] <= NEWEST))
			n += (size_t)sprintf(list + n, n ? " %s" : "%s", call_names[i]);
	return list;
}

TEST(long_sets, "filters: sets of many calls, whose programs are as long as can be")
{
	begin();
	longest = 0;
	for (size_t m = 0; m < N_MACHINES; m++) {
		for (int step = 1; step < 5; step++)
			check_both(every(NULL, step), m);
		for (size_t a = 0; a < N_ARCHES; a++)
			check_both(every(&arches[a], 2), m);
	}
	/* of 1,892 that there is room for, and 4,096 that the kernel takes */
	CHECK(longest > 700 && longest < 1200);
}

TEST(the_errno, "filters: a denied call is the set's errno, or a question, and the key opens it")
{
	for (size_t m = 0; m < N_MACHINES; m++) {
		struct appc_seccomp s;
		struct seccomp_prog p;
		struct filter_for f = { { machines[m].own->arch }, 0 };
		struct err e;
		cJSON *value = cJSON_Parse("{\"errno\":\"ENOTTY\",\"set\":[\"getpid\"]}");
		if (machines[m].other)
			f.arches[1] = machines[m].other->arch;
		REQUIRE(appc_seccomp_read(value, false, &s, &e) == 0 && filter_build(&f, &s, &p, &e) == 0);
		cJSON_Delete(value);
		for (size_t i = 0; i < 2 && f.arches[i]; i++) {
			struct seccomp_data d = { .nr = syscall_number(f.arches[i], CALL_getpid), .arch = f.arches[i]->audit };
			seccomp_notify(&p, true);
			CHECK_INT(bpf_run(p.code, p.len, &d), ASKED);
			seccomp_notify(&p, false);
			CHECK_INT(bpf_run(p.code, p.len, &d), SECCOMP_RET_ERRNO | ENOTTY);
			d.args[4] = p.key[0];
			d.args[5] = p.key[1];
			CHECK_INT(bpf_run(p.code, p.len, &d), ALLOWED);
		}
		free(p.code);
	}
}

TEST(learning, "filters: who learns asks about every call of the image's architectures, and of no other's")
{
	for (size_t m = 0; m < N_MACHINES; m++) {
		struct seccomp_prog p = { .code = NULL };
		struct filter_for f = { { machines[m].own->arch }, 0 };
		struct err e;
		if (machines[m].other)
			f.arches[1] = machines[m].other->arch;
		REQUIRE(filter_learn(&f, &p, &e) == 0);
		for (size_t i = 0; i < N_ARCHES; i++) {
			struct seccomp_data d = { .nr = 1, .arch = arches[i].audit };
			CHECK_INT(bpf_run(p.learn, p.learn_len, &d), arch_of(m, d.arch) ? ASKED : ALLOWED);
			d.args[4] = p.key[0];
			d.args[5] = p.key[1];
			CHECK_INT(bpf_run(p.learn, p.learn_len, &d), ALLOWED);
		}
		free(p.learn);
	}
}

UNIT_MAIN(by_default_, wildcards, by_name, long_sets, the_errno, learning)
