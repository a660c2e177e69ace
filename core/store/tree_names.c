/* SPDX-License-Identifier: Apache-2.0
 * tree_names - the names of a directory: a search tree in order of bytes, balanced by chance
 *
 * A treap: each name has a random number, and none has a smaller one below it. So the depth is logarithmic
 * however an archive orders its entries, no archive can know the numbers, nothing ever has to be rehashed or
 * copied as it grows, and in the end the names are in order without being sorted.
 * Source: C. R. Aragon, R. G. Seidel, "Randomized Search Trees".
 */
#include <string.h>

#include "core/store/tree_parts.h"

static int compare(const char *s, size_t len, const struct tree_name *n)
{
	int c = memcmp(s, n->s, len < n->len ? len : n->len);

	return c ? c : (int)len - (int)n->len;
}

struct tree_name *name_find(struct tree *t, const struct tree_node *dir, const char *s, size_t len)
{
	struct tree_name *n = dir->u.dir.names;

	for (int c; n && (c = compare(s, len, n)) != 0; tree_step(t))
		n = c < 0 ? n->left : n->right;
	return n;
}

struct tree_name *name_after(struct tree *t, const struct tree_node *dir, const char *s, size_t len)
{
	for (;;) {
		struct tree_name *found = NULL;
		for (struct tree_name *n = dir->u.dir.names; n;) {
			bool after = !s || compare(s, len, n) < 0;
			if (after)
				found = n;
			n = after ? n->left : n->right;
			tree_step(t);
		}
		if (!found || found->node)
			return found;
		s = found->s;
		len = found->len;
	}
}

/* xorshift64*: whoever makes an archive does not see what it is seeded with, nor what comes out */
static uint32_t next_random(struct tree *t)
{
	t->random ^= t->random >> 12;
	t->random ^= t->random << 25;
	t->random ^= t->random >> 27;
	return (uint32_t)(t->random * 0x2545f4914f6cdd1dULL >> 32);
}

/* cuts the search tree @n into what is before @s and what is after it; @s is not in it */
static void split(struct tree *t, struct tree_name *n, const char *s, size_t len, struct tree_name **before,
		  struct tree_name **after)
{
	for (; n; tree_step(t)) {
		if (compare(s, len, n) < 0) {
			*after = n;
			after = &n->left;
			n = n->left;
		} else {
			*before = n;
			before = &n->right;
			n = n->right;
		}
	}
	*before = *after = NULL;
}

struct tree_name *name_put(struct tree *t, struct tree_node *dir, const char *s, size_t len, struct err *e)
{
	struct tree_name *n = name_find(t, dir, s, len), **at = &dir->u.dir.names;

	if (n)
		return n;
	n = arena_alloc(&t->arena, offsetof(struct tree_name, s) + len + 1, e);
	if (!n)
		return NULL;
	n->prio = next_random(t);
	n->len = (uint8_t)len;
	memcpy(n->s, s, len);
	for (; *at && (*at)->prio <= n->prio; tree_step(t))
		at = compare(s, len, *at) < 0 ? &(*at)->left : &(*at)->right;
	split(t, *at, s, len, &n->left, &n->right);
	*at = n;
	return n;
}

/* Rotates until nothing has a left side any more: in place, without recursion, in linear time. */
void name_sort(struct tree *t, struct tree_node *dir)
{
	struct tree_name *n = dir->u.dir.names, **end = &dir->u.dir.names;

	while (n) {
		struct tree_name *l = n->left;
		tree_step(t);
		if (l) {
			n->left = l->right;
			l->right = n;
			n = l;
			continue;
		}
		if (n->node) {
			n->dir = dir;
			*end = n;
			end = &n->next;
		}
		n = n->right;
	}
	*end = NULL;
}
