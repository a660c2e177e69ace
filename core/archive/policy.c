/* SPDX-License-Identifier: Apache-2.0
 * policy - see policy.h
 */
#include "core/archive/policy.h"

#include <errno.h>
#include <string.h>

#include "core/appc/manifest.h"
#include "core/archive/aci.h"

#define NEAR_MAX 3 /* names that are offered */

/* the rule of that number, or with @id of that name; *n receives its number, or how many there are */
static const struct appc_rule *look(const char *id, size_t number, size_t *n)
{
	const struct appc_rule *tables[] = { appc_rules(), aci_rules() };

	*n = 0;
	for (size_t t = 0; t < sizeof(tables) / sizeof(*tables); t++)
		for (const struct appc_rule *r = tables[t]; r->id; r++, ++*n)
			if (id ? !strcmp(r->id, id) : *n == number)
				return r;
	return NULL;
}

const struct appc_rule *policy_rule(size_t i)
{
	size_t n;

	return look(NULL, i, &n);
}

const struct appc_rule *policy_find(const char *id)
{
	size_t n;

	return look(id, 0, &n);
}

/* ---- levels ---- */

static enum finding_level by_profile(enum policy_profile profile, const struct appc_rule *r, enum finding_level level)
{
	if (r->flags & RULE_FINAL)
		return level;
	if (profile == POLICY_SECURITY)
		return r->flags & RULE_SPEC_ONLY ? FINDING_IGNORED : level;
	if (r->flags & RULE_SPEC_ONLY)
		return FINDING_ERROR;
	return r->flags & RULE_OURS || level == FINDING_WARNING ? FINDING_IGNORED : level;
}

static enum finding_level level_of(const struct finding_policy *base, const char *rule, enum finding_level level)
{
	const struct policy *p = (const struct policy *)base;
	size_t i;
	const struct appc_rule *r = look(rule, 0, &i);

	if (!r || i >= POLICY_RULES_MAX)
		return level;
	return p->chosen[i] ? (enum finding_level)(p->chosen[i] - 1) : by_profile(p->profile, r, level);
}

void policy_start(struct policy *p)
{
	p->base.level = level_of;
}

const char *policy_levels(const struct appc_rule *r, enum policy_profile profile)
{
	bool error = r->flags & RULE_ERRORS && by_profile(profile, r, FINDING_ERROR) == FINDING_ERROR;
	enum finding_level w = by_profile(profile, r, FINDING_WARNING);
	bool warning = r->flags & RULE_WARNINGS && w == FINDING_WARNING;

	error = error || (r->flags & RULE_WARNINGS && w == FINDING_ERROR);
	return error && warning ? "error or warning" : error ? "error" : warning ? "warning" : "ignored";
}

/* ---- names ---- */

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* how many letters have to be put in, taken out or changed to make one of the other; both short */
static size_t distance(const char *a, const char *b)
{
	size_t row[64], n = strlen(b);

	if (n >= sizeof(row) / sizeof(*row))
		return n;
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			size_t change = diagonal + (a[i - 1] != b[j - 1]);
			diagonal = row[j];
			row[j] = least(change, least(row[j - 1], row[j]) + 1);
		}
	}
	return row[n];
}

static bool is_near(const char *id, const char *rule)
{
	return distance(id, rule) <= 2 || (strlen(id) > 2 && (strstr(rule, id) || strstr(id, rule)));
}

static int unknown(const char *id, struct err *e)
{
	struct buf near = { 0 };
	const struct appc_rule *r;
	size_t n = 0;

	for (size_t i = 0; (r = policy_rule(i)) && n < NEAR_MAX; i++)
		if (is_near(id, r->id))
			buf_fmt(&near, "%s%s", n++ ? ", " : "", r->id);
	err_set(e, EINVAL, "there is no rule \"%.100s\"%s%s (actool rules lists them)", id, n ? "; near it: " : "",
		n && !near.failed ? near.data : "");
	buf_free(&near);
	return -1;
}

int policy_choose(struct policy *p, const char *id, enum finding_level level, struct err *e)
{
	size_t i;
	const struct appc_rule *r = look(id, 0, &i);

	if (!r || i >= POLICY_RULES_MAX)
		return unknown(id, e);
	if (level == FINDING_IGNORED && r->flags & RULE_FINAL)
		return err_set(e, EINVAL, "%s cannot be ignored: what it finds hides the rest of the file", id);
	p->chosen[i] = (unsigned char)(1 + level);
	return 0;
}
