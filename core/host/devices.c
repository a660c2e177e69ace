/* SPDX-License-Identifier: Apache-2.0
 * devices - see devices.h
 */
#include "core/host/devices.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/base/fd.h"

/* ---- version 1 ---- */

static int put(const char *dir, const char *file, const char *value, struct err *e)
{
	char path[PATH_MAX + 32];

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	auto_close int fd = openat(AT_FDCWD, path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		return err_sys(e, "write %s to %s", value, path);
	return 0;
}

static int restrict_v1(const char *dir, const struct device_rule *r, size_t n, struct err *e)
{
	char text[64], minor[16];

	if (put(dir, "devices.deny", "a", e) < 0)
		return -1;
	for (; n; n--, r++) {
		snprintf(minor, sizeof(minor), r->minor == DEVICE_ANY_MINOR ? "*" : "%d", r->minor);
		snprintf(text, sizeof(text), "%c %d:%s %s%s", r->type, r->major, minor, r->read ? "r" : "",
			 r->write ? "w" : "");
		if (put(dir, "devices.allow", text, e) < 0)
			return -1;
	}
	return 0;
}

/* ---- version 2: a program that is asked for each node that is opened or made, and says 1 or 0 ---- */

#define INSN(op, d, s, o, i) \
	(struct bpf_insn){ .code = (op), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i) }
#define LOAD(reg, field) \
	INSN(BPF_LDX | BPF_MEM | BPF_W, reg, BPF_REG_1, offsetof(struct bpf_cgroup_dev_ctx, field), 0)
#define RETURN(value) INSN(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, value), INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)
#define SKIP_UNLESS(reg, value, n) INSN(BPF_JMP | BPF_JNE | BPF_K, reg, 0, n, value)

enum { TYPE = BPF_REG_2, ACCESS = BPF_REG_3, MAJOR = BPF_REG_4, MINOR = BPF_REG_5 };

#define HEAD_LEN 6
#define RULE_LEN 6
#define TAIL_LEN 2

static size_t put_head(struct bpf_insn *p)
{
	/* access_type: what is wanted in the upper half, of what kind of node in the lower */
	const struct bpf_insn head[HEAD_LEN] = {
		LOAD(TYPE, access_type),
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, ACCESS, TYPE, 0, 0),
		INSN(BPF_ALU64 | BPF_AND | BPF_K, TYPE, 0, 0, 0xffff),
		INSN(BPF_ALU64 | BPF_RSH | BPF_K, ACCESS, 0, 0, 16),
		LOAD(MAJOR, major),
		LOAD(MINOR, minor),
	};

	memcpy(p, head, sizeof(head));
	return HEAD_LEN;
}

static size_t put_rule(struct bpf_insn *p, const struct device_rule *r)
{
	int type = r->type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR;
	int beyond = ~((r->read ? BPF_DEVCG_ACC_READ : 0) | (r->write ? BPF_DEVCG_ACC_WRITE : 0));
	bool any = r->minor == DEVICE_ANY_MINOR;
	const struct bpf_insn rule[RULE_LEN] = {
		SKIP_UNLESS(TYPE, type, 5),
		SKIP_UNLESS(MAJOR, r->major, 4),
		any ? INSN(BPF_JMP | BPF_JA, 0, 0, 0, 0) : SKIP_UNLESS(MINOR, r->minor, 3),
		/* something that this rule does not give */
		INSN(BPF_JMP | BPF_JSET | BPF_K, ACCESS, 0, 2, beyond),
		RETURN(1),
	};

	memcpy(p, rule, sizeof(rule));
	return RULE_LEN;
}

static int bpf(int command, union bpf_attr *a)
{
	return (int)syscall(SYS_bpf, command, a, sizeof(*a));
}

static int load(const struct bpf_insn *program, size_t n)
{
	union bpf_attr a;

	memset(&a, 0, sizeof(a));
	a.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	a.insns = (uint64_t)(uintptr_t)program;
	a.insn_cnt = (uint32_t)n;
	a.license = (uint64_t)(uintptr_t)"Apache-2.0";
	return bpf(BPF_PROG_LOAD, &a);
}

/* Beside those of the groups above, which are all asked: so what an init system allows less stays forbidden. */
static int attach(int group_fd, int program_fd)
{
	union bpf_attr a;

	memset(&a, 0, sizeof(a));
	a.target_fd = (uint32_t)group_fd;
	a.attach_bpf_fd = (uint32_t)program_fd;
	a.attach_type = BPF_CGROUP_DEVICE;
	a.attach_flags = BPF_F_ALLOW_MULTI;
	return bpf(BPF_PROG_ATTACH, &a);
}

static int restrict_v2(const char *dir, const struct device_rule *r, size_t n, struct err *e)
{
	const struct bpf_insn tail[TAIL_LEN] = { RETURN(0) };
	auto_free struct bpf_insn *p = calloc(HEAD_LEN + n * RULE_LEN + TAIL_LEN, sizeof(*p));

	if (!p)
		return err_set(e, ENOMEM, "out of memory");
	size_t len = put_head(p);
	for (size_t i = 0; i < n; i++)
		len += put_rule(p + len, &r[i]);
	memcpy(p + len, tail, sizeof(tail));
	auto_close int program = load(p, len + TAIL_LEN);
	if (program < 0)
		return err_sys(e, "load a BPF program for devices");
	auto_close int group = openat(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (group < 0)
		return err_sys(e, "open cgroup %s", dir);
	return attach(group, program) < 0 ? err_sys(e, "attach a BPF program to cgroup %s", dir) : 0;
}

int devices_restrict(const char *dir, bool v2, const struct device_rule *rules, size_t n, struct err *e)
{
	return v2 ? restrict_v2(dir, rules, n, e) : restrict_v1(dir, rules, n, e);
}
