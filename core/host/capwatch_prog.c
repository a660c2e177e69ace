/* SPDX-License-Identifier: Apache-2.0
 * capwatch_prog - see capwatch_prog.h
 *
 * Written in the machine's own language: there is one such program, of some 70 instructions, and no compiler for it on
 * most hosts. Whoever runs it has passed the kernel's verifier, which knows it only for what it does.
 */
#include "core/host/capwatch_prog.h"

#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/bpf.h>

#define INSN(op, d, s, o, i) \
	(struct bpf_insn){ .code = (op), .dst_reg = (d), .src_reg = (s), .off = (short)(o), .imm = (int)(i) }
#define COPY(d, s)       INSN(BPF_ALU64 | BPF_MOV | BPF_X, d, s, 0, 0)
#define SET(d, v)        INSN(BPF_ALU64 | BPF_MOV | BPF_K, d, 0, 0, v)
#define ADD(d, v)        INSN(BPF_ALU64 | BPF_ADD | BPF_K, d, 0, 0, v)
#define LOAD(sz, d, s, o)  INSN(BPF_LDX | BPF_MEM | (sz), d, s, o, 0)
#define STORE(sz, d, o, s) INSN(BPF_STX | BPF_MEM | (sz), d, s, o, 0)
#define CALL(helper)     INSN(BPF_JMP | BPF_CALL, 0, 0, 0, helper)
/* of 64 bits: two instructions */
#define SET_WIDE(d, kind, v) \
	INSN(BPF_LD | BPF_DW | BPF_IMM, d, kind, 0, (uint32_t)(v)), INSN(0, 0, 0, 0, (uint32_t)((uint64_t)(v) >> 32))

#define LEN_MAX 96
#define LEAVE   0x7fff /* a jump to the end, once that is known */

/* registers that calls leave alone, and the stack */
enum { R0, R1, R2, R3, R4, R5, CTX, CRED, TARGET, CAP, FP };
enum { A = -8, OWN_NS = -16, IDS = -24, TGID = IDS + 4, GROUP = -28 };

struct prog { struct bpf_insn v[LEN_MAX]; size_t n; };

static void put_all(struct prog *p, const struct bpf_insn *v, size_t n)
{
	memcpy(p->v + p->n, v, n * sizeof(*v));
	p->n += n;
}
#define PUT(p, ...) \
	put_all(p, (const struct bpf_insn[]){ __VA_ARGS__ }, sizeof((const struct bpf_insn[]){ __VA_ARGS__ }) / \
		sizeof(struct bpf_insn))

/* @size bytes at register @base + @off onto the stack; what cannot be read is 0 */
static void put_read(struct prog *p, int stack, uint32_t size, int base, uint32_t off)
{
	PUT(p, COPY(R3, base), ADD(R3, off), COPY(R1, FP), ADD(R1, stack), SET(R2, size), CALL(BPF_FUNC_probe_read_kernel));
}

static void put_args(struct prog *p, const struct capwatch *w)
{
	PUT(p, COPY(CTX, R1), LOAD(BPF_DW, CRED, CTX, w->args[ARG_CRED]), LOAD(BPF_DW, TARGET, CTX, w->args[ARG_NS]));
	if (w->tracepoint) { /* result: 0 is yes */
		PUT(p, LOAD(BPF_W, CAP, CTX, w->args[ARG_CAP]), LOAD(BPF_W, R1, CTX, w->args[ARG_LAST]),
			INSN(BPF_JMP | BPF_JNE | BPF_K, R1, 0, LEAVE, 0));
	} else { /* options: 2 is CAP_OPT_NOAUDIT, a check that denies nothing */
		PUT(p, LOAD(BPF_W, CAP, CTX, w->args[ARG_CAP]), LOAD(BPF_W, R1, CTX, w->args[ARG_LAST]),
			INSN(BPF_JMP | BPF_JSET | BPF_K, R1, 0, LEAVE, 2));
	}
	PUT(p, INSN(BPF_JMP | BPF_JGT | BPF_K, CAP, 0, LEAVE, 63));
}

/* its own credentials, with the capability in force */
static void put_is_own(struct prog *p, const struct capwatch *w)
{
	PUT(p, CALL(BPF_FUNC_get_current_task));
	put_read(p, A, 8, R0, w->members[TASK_CRED]);
	PUT(p, LOAD(BPF_DW, R1, FP, A), INSN(BPF_JMP | BPF_JNE | BPF_X, R1, CRED, LEAVE, 0));
	put_read(p, A, 8, CRED, w->members[CRED_CAPS]);
	PUT(p, LOAD(BPF_DW, R1, FP, A), INSN(BPF_ALU64 | BPF_RSH | BPF_X, R1, CAP, 0, 0),
		INSN(BPF_ALU64 | BPF_AND | BPF_K, R1, 0, 0, 1), INSN(BPF_JMP | BPF_JEQ | BPF_K, R1, 0, LEAVE, 0));
}

static void put_user_ns(struct prog *p, const struct capwatch *w, uint32_t number)
{
	put_read(p, OWN_NS, 8, CRED, w->members[CRED_NS]);
	PUT(p, LOAD(BPF_DW, R1, FP, OWN_NS));
	put_read(p, A, 4, R1, w->members[NS_NUMBER]);
	PUT(p, LOAD(BPF_W, R1, FP, A), INSN(BPF_JMP32 | BPF_JNE | BPF_K, R1, 0, LEAVE, number));
	PUT(p, LOAD(BPF_DW, R1, FP, OWN_NS));
	size_t same = p->n;
	PUT(p, INSN(BPF_JMP | BPF_JEQ | BPF_X, R1, TARGET, 0, 0));
	put_read(p, A, 4, TARGET, w->members[NS_LEVEL]);
	PUT(p, LOAD(BPF_DW, R1, FP, OWN_NS));
	put_read(p, OWN_NS, 4, R1, w->members[NS_LEVEL]);
	PUT(p, LOAD(BPF_W, R1, FP, A), LOAD(BPF_W, R2, FP, OWN_NS), INSN(BPF_JMP32 | BPF_JLE | BPF_X, R1, R2, LEAVE, 0));
	p->v[same].off = (short)(p->n - same - 1);
}

static void put_count(struct prog *p, const struct capwatch *w, const struct capwatch_ns *ns)
{
	PUT(p, SET_WIDE(R1, 0, ns->pid_dev), SET_WIDE(R2, 0, ns->pid_ino), COPY(R3, FP), ADD(R3, IDS), SET(R4, 8),
		CALL(BPF_FUNC_get_ns_current_pid_tgid), INSN(BPF_JMP | BPF_JNE | BPF_K, R0, 0, LEAVE, 0));
	PUT(p, SET_WIDE(R1, BPF_PSEUDO_MAP_FD, w->tasks_fd), COPY(R2, FP), ADD(R2, TGID),
		CALL(BPF_FUNC_map_lookup_elem), INSN(BPF_JMP | BPF_JEQ | BPF_K, R0, 0, LEAVE, 0));
	PUT(p, LOAD(BPF_W, R1, R0, 0), STORE(BPF_W, FP, GROUP, R1), SET_WIDE(R1, BPF_PSEUDO_MAP_FD, w->masks_fd),
		COPY(R2, FP), ADD(R2, GROUP), CALL(BPF_FUNC_map_lookup_elem),
		INSN(BPF_JMP | BPF_JEQ | BPF_K, R0, 0, LEAVE, 0));
	PUT(p, SET(R1, 1), INSN(BPF_ALU64 | BPF_LSH | BPF_X, R1, CAP, 0, 0),
		INSN(BPF_STX | BPF_ATOMIC | BPF_DW, R0, R1, 0, BPF_OR));
}

static void put_end(struct prog *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->v[i].off == LEAVE)
			p->v[i].off = (short)(p->n - i - 1);
	/* 1: whoever else watches here sees everything */
	PUT(p, SET(R0, 1), INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0));
}

int capwatch_bpf(int command, void *attr, size_t size)
{
	return (int)syscall(SYS_bpf, command, attr, size);
}

int capwatch_load(const struct capwatch *w, const struct capwatch_ns *ns)
{
	/* what the program calls the kernel lets only those call who say so; these lines may be had under it, too */
	static const char license[] = "Dual MIT/GPL";
	struct prog p = { .n = 0 };
	union bpf_attr a;

	put_args(&p, w);
	put_is_own(&p, w);
	put_user_ns(&p, w, ns->user_ino);
	put_count(&p, w, ns);
	put_end(&p);
	memset(&a, 0, sizeof(a));
	a.prog_type = w->tracepoint ? BPF_PROG_TYPE_TRACEPOINT : BPF_PROG_TYPE_KPROBE;
	a.insns = (uint64_t)(uintptr_t)p.v;
	a.insn_cnt = (uint32_t)p.n;
	a.license = (uint64_t)(uintptr_t)license;
	return capwatch_bpf(BPF_PROG_LOAD, &a, sizeof(a));
}
