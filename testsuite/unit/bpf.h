/* SPDX-License-Identifier: Apache-2.0
 * bpf - classic BPF over the data of a system call: all instructions that seccomp takes, and no others
 *
 * Aborts on what the kernel would have refused: a jump out of the program, a load out of the data, no end.
 * Source: kernel/seccomp.c, seccomp_check_filter(); Documentation/networking/filter.rst.
 */
#pragma once

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <linux/filter.h>
#include <linux/seccomp.h>

struct bpf_state { uint32_t a, x, m[BPF_MEMWORDS]; };

static inline uint32_t bpf_data(const struct seccomp_data *d, uint32_t at)
{
	uint32_t v;

	if (at % 4 || at > sizeof(*d) - sizeof(v))
		abort();
	memcpy(&v, (const char *)d + at, sizeof(v));
	return v;
}

static inline uint32_t *bpf_memory(struct bpf_state *s, uint32_t k)
{
	if (k >= BPF_MEMWORDS)
		abort();
	return &s->m[k];
}

static inline uint32_t bpf_compute(uint16_t op, uint32_t a, uint32_t b)
{
	switch (op) {
	case BPF_ADD: return a + b;
	case BPF_SUB: return a - b;
	case BPF_MUL: return a * b;
	case BPF_DIV: return b ? a / b : 0;
	case BPF_AND: return a & b;
	case BPF_OR: return a | b;
	case BPF_XOR: return a ^ b;
	case BPF_LSH: return b < 32 ? a << b : 0;
	case BPF_RSH: return b < 32 ? a >> b : 0;
	case BPF_NEG: return 0 - a;
	default: abort();
	}
}

static inline int bpf_holds(uint16_t op, uint32_t a, uint32_t b)
{
	switch (op) {
	case BPF_JEQ: return a == b;
	case BPF_JGE: return a >= b;
	case BPF_JGT: return a > b;
	case BPF_JSET: return (a & b) != 0;
	default: abort();
	}
}

/* the others: loads, stores, moves */
static inline void bpf_move(struct bpf_state *s, const struct sock_filter *f, const struct seccomp_data *d)
{
	switch (f->code) {
	case BPF_LD | BPF_W | BPF_ABS: s->a = bpf_data(d, f->k); break;
	case BPF_LD | BPF_W | BPF_LEN: s->a = sizeof(*d); break;
	case BPF_LDX | BPF_W | BPF_LEN: s->x = sizeof(*d); break;
	case BPF_LD | BPF_IMM: s->a = f->k; break;
	case BPF_LDX | BPF_IMM: s->x = f->k; break;
	case BPF_LD | BPF_MEM: s->a = *bpf_memory(s, f->k); break;
	case BPF_LDX | BPF_MEM: s->x = *bpf_memory(s, f->k); break;
	case BPF_ST: *bpf_memory(s, f->k) = s->a; break;
	case BPF_STX: *bpf_memory(s, f->k) = s->x; break;
	case BPF_MISC | BPF_TAX: s->x = s->a; break;
	case BPF_MISC | BPF_TXA: s->a = s->x; break;
	default: abort();
	}
}

static inline uint32_t bpf_run(const struct sock_filter *code, unsigned len, const struct seccomp_data *d)
{
	struct bpf_state s = { 0 };

	for (unsigned pc = 0; pc < len; pc++) {
		const struct sock_filter *f = &code[pc];
		uint32_t operand = BPF_SRC(f->code) == BPF_X ? s.x : f->k;
		switch (BPF_CLASS(f->code)) {
		case BPF_RET: return BPF_RVAL(f->code) == BPF_A ? s.a : f->k;
		case BPF_ALU: s.a = bpf_compute(BPF_OP(f->code), s.a, operand); break;
		case BPF_JMP:
			if (f->code == (BPF_JMP | BPF_JA))
				pc += f->k;
			else
				pc += bpf_holds(BPF_OP(f->code), s.a, operand) ? f->jt : f->jf;
			break;
		default: bpf_move(&s, f, d);
		}
	}
	abort();
}
