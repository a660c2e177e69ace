/* SPDX-License-Identifier: Apache-2.0
 * fse - see fse.h
 */
#include "core/archive/fse.h"

static unsigned high_bit(uint32_t v)
{
	return 31u - (unsigned)__builtin_clz(v);
}

/* which symbol each state stands for: RFC 8878, 4.1.1 */
static void spread(const int16_t *norm, unsigned n, unsigned log, uint8_t *symbols)
{
	unsigned size = 1u << log, top = size, at = 0;

	for (unsigned s = 0; s < n; s++)
		if (norm[s] == -1)
			symbols[--top] = (uint8_t)s;
	for (unsigned s = 0; s < n; s++)
		for (int i = 0; i < norm[s]; i++) {
			symbols[at] = (uint8_t)s;
			do
				at = (at + (size >> 1) + (size >> 3) + 3) & (size - 1);
			while (at >= top);
		}
}

void fse_build(struct fse *f, const int16_t *norm, unsigned n, unsigned log)
{
	uint8_t symbols[1u << FSE_LOG_MAX] = { 0 };
	unsigned size = 1u << log, total = 0, first[FSE_SYMBOLS_MAX] = { 0 };

	f->log = log;
	spread(norm, n, log, symbols);
	for (unsigned s = 0; s < n; s++) {
		unsigned count = norm[s] < 0 ? 1 : (unsigned)norm[s];
		unsigned bits = count > 1 ? log - high_bit(count - 1) : log;
		first[s] = total;
		f->of[s].find = (int32_t)total - (int32_t)count;
		f->of[s].bits = count ? (bits << 16) - (count << bits) : 0;
		total += count;
	}
	for (unsigned state = 0; state < size; state++)
		f->next[first[symbols[state]]++] = (uint16_t)(size + state);
}

void fse_normalise(const uint32_t *count, unsigned n, unsigned log, int16_t *norm)
{
	uint32_t total = 0;
	int left = 1 << log;

	for (unsigned s = 0; s < n; s++)
		total += count[s];
	for (unsigned s = 0; s < n; s++) {
		uint64_t share = ((uint64_t)count[s] << log) / total;
		norm[s] = (int16_t)(count[s] && !share ? 1 : share);
		left -= norm[s];
	}
	/* what was rounded goes to, or comes from, the one that has most */
	while (left) {
		unsigned most = 0;
		for (unsigned s = 1; s < n; s++)
			if (norm[s] > norm[most])
				most = s;
		int step = left > 0 ? left : -1;
		norm[most] = (int16_t)(norm[most] + step);
		left -= step;
	}
}

/* the run of symbols without states that follows the one before @s */
static unsigned put_zeros(struct bits *b, const int16_t *norm, unsigned n, unsigned s)
{
	unsigned run = 0;

	while (s + run < n && !norm[s + run])
		run++;
	for (unsigned left = run;; left -= 3) {
		bits_put(b, left < 3 ? left : 3, 2);
		bits_flush(b);
		if (left < 3)
			return s + run;
	}
}

void fse_put_norm(struct bits *b, const int16_t *norm, unsigned n, unsigned log)
{
	int remaining = (1 << log) + 1, threshold = 1 << log;
	unsigned bits = log + 1, s = 0;

	bits_put(b, log - 5, 4);
	while (s < n && remaining > 1) {
		int count = norm[s++], most = 2 * threshold - 1 - remaining;
		remaining -= count < 0 ? -count : count;
		int v = count + 1;
		if (v >= threshold)
			v += most;
		bits_put(b, (uint64_t)v, bits - (v < most));
		bits_flush(b);
		while (remaining < threshold && threshold > 1) {
			bits--;
			threshold >>= 1;
		}
		if (!count && remaining > 1)
			s = put_zeros(b, norm, n, s);
	}
}
