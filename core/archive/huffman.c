/* SPDX-License-Identifier: Apache-2.0
 * huffman - see huffman.h
 *
 * The tree is built in place over the sorted frequencies (Moffat and Katajainen, 1995), and what became too long is
 * shortened at the cost of the next shorter ones until the code is complete again.
 */
#include "core/archive/huffman.h"

#include <stdbool.h>
#include <string.h>

struct symbol {
	uint32_t freq, which;
};

static bool is_before(struct symbol a, struct symbol b)
{
	return a.freq != b.freq ? a.freq < b.freq : a.which < b.which;
}

/* Shell's sort: there are a few hundred at most, many times a second, and no two are equal */
static void sort(struct symbol *v, unsigned n)
{
	static const unsigned gaps[] = { 132, 57, 23, 10, 4, 1 };

	for (unsigned g = 0; g < sizeof(gaps) / sizeof(*gaps); g++)
		for (unsigned gap = gaps[g], i = gap; i < n; i++) {
			struct symbol x = v[i];
			unsigned k = i;
			for (; k >= gap && is_before(x, v[k - gap]); k -= gap)
				v[k] = v[k - gap];
			v[k] = x;
		}
}

/* v[i].freq: of n >= 2 leaves in rising order; becomes their depth in the tree, in falling order */
static void depths(struct symbol *v, unsigned n)
{
	unsigned leaf = 0, root = 0;

	/* pair by pair: inner nodes take the place of leaves that were used up, and used nodes name their parent */
	for (unsigned next = 0; next < n - 1; next++) {
		uint32_t sum = 0;
		for (int i = 0; i < 2; i++) {
			if (leaf >= n || (root < next && v[root].freq < v[leaf].freq)) {
				sum += v[root].freq;
				v[root++].freq = next;
			} else {
				sum += v[leaf++].freq;
			}
		}
		v[next].freq = sum;
	}
	/* depths of inner nodes, from the root on */
	v[n - 2].freq = 0;
	for (unsigned i = n - 2; i-- > 0;)
		v[i].freq = v[v[i].freq].freq + 1;
	/* and from how many inner nodes each depth has, how many leaves */
	unsigned avail = 1, depth = 0, out = n, inner = n - 1;
	while (avail > 0) {
		unsigned used = 0;
		while (inner > 0 && v[inner - 1].freq == depth) {
			used++;
			inner--;
		}
		for (; avail > used; avail--)
			v[--out].freq = depth;
		avail = 2 * used;
		depth++;
	}
}

static void limit(uint32_t *count, unsigned longest, unsigned max_bits)
{
	uint32_t total = 0;

	for (unsigned i = max_bits + 1; i <= longest; i++)
		count[max_bits] += count[i];
	for (unsigned i = 1; i <= max_bits; i++)
		total += count[i] << (max_bits - i);
	for (; total > 1u << max_bits; total--) {
		unsigned i = max_bits - 1;
		while (!count[i])
			i--;
		count[i]--;
		count[i + 1] += 2;
		count[max_bits]--;
	}
}

void huffman_lengths(const uint32_t *freq, unsigned n, unsigned max_bits, uint8_t *len)
{
	struct symbol v[HUFFMAN_SYMBOLS_MAX];
	uint32_t count[HUFFMAN_SYMBOLS_MAX] = { 0 };
	unsigned used = 0;

	memset(len, 0, n);
	for (unsigned i = 0; i < n; i++)
		if (freq[i])
			v[used++] = (struct symbol){ freq[i], i };
	if (used == 1)
		len[v[0].which] = 1;
	if (used < 2)
		return;
	sort(v, used);
	depths(v, used);
	for (unsigned i = 0; i < used; i++)
		count[v[i].freq]++;
	limit(count, v[0].freq, max_bits);
	/* the rarest first, with the most bits */
	for (unsigned bits = max_bits, i = 0; bits > 0; bits--)
		for (uint32_t k = count[bits]; k > 0; k--)
			len[v[i++].which] = (uint8_t)bits;
}
