/* SPDX-License-Identifier: Apache-2.0
 * num - see num.h
 */
#include "core/base/num.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "core/base/defence.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

int num_bool(const char *s, bool *out, struct err *e)
{
	static const char *const words[] = {
		"0", "1", "f", "t", "F", "T", "false", "true", "False", "True", "FALSE", "TRUE"
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (strcmp(s, words[i]))
			continue;
		*out = i & 1;
		return 0;
	}
	return err_set(e, EINVAL, "want true or false, got \"%s\"", s);
}

int num_u64(const char *s, uint64_t max, uint64_t *out, struct err *e)
{
	uint64_t v = 0;

	if (!is_digit(*s))
		return err_set(e, EINVAL, "\"%s\" is not a number", s);
	for (const char *p = s; *p; p++) {
		if (!is_digit(*p))
			return err_set(e, EINVAL, "\"%s\" is not a number", s);
		if (__builtin_mul_overflow(v, 10u, &v) || __builtin_add_overflow(v, (uint64_t)(*p - '0'), &v) ||
		    v > max)
			return err_set(e, ERANGE, "%s is more than %llu", s, (unsigned long long)max);
	}
	*out = v;
	return 0;
}

int num_id(const char *s, uint32_t *out, struct err *e)
{
	uint64_t v;

	if (num_u64(s, UINT32_MAX - 1u, &v, e) < 0)
		return -1;
	*out = (uint32_t)v;
	return 0;
}

int num_user(const char *s, uint32_t *out, struct err *e)
{
	if (!*s || !strchr("0123456789+- \t", *s))
		return 0;
	if (num_id(s, out, e) == 0)
		return 1;
	return DEFENCE("numeric-user") ? -1 : 0;
}

int num_mode(const char *s, uint32_t *out, struct err *e)
{
	uint32_t v = 0;

	if (!*s || strlen(s) > 5 || s[strspn(s, "01234567")])
		return err_set(e, EINVAL, "\"%s\" is not an octal mode", s);
	for (; *s; s++)
		v = v * 8 + (uint32_t)(*s - '0');
	if (v > 07777)
		return err_set(e, ERANGE, "mode %o is more than 7777", v);
	*out = v;
	return 0;
}

/* the factor of a suffix, as multiplier / divisor; false when it is none */
static bool suffix(const char *s, uint64_t *mul, uint64_t *div)
{
	static const char letters[] = "KMGTPE";

	*mul = *div = 1;
	if (!*s)
		return true;
	if (!strcmp(s, "m")) {
		*div = 1000;
		return true;
	}
	if (!strcmp(s, "k")) /* as SI writes it; binary ones are Ki and nothing else */
		s = "K";
	const char *l = strchr(letters, *s);
	if (!l || (s[1] && strcmp(s + 1, "i")))
		return false;
	for (const char *p = letters; p <= l; p++)
		*mul *= s[1] ? 1024 : 1000;
	return true;
}

int num_quantity(const char *s, uint64_t scale, int64_t *out, struct err *e)
{
	unsigned __int128 v = 0;
	uint64_t frac_div = 1, mul, div;
	bool rest = false;
	const char *p = s;

	for (; is_digit(*p); p++)
		if ((v = v * 10 + (unsigned)(*p - '0')) > INT64_MAX)
			return err_set(e, ERANGE, "%s is too large", s);
	if (*p == '.' && is_digit(p[1]) && p > s)
		for (p++; is_digit(*p); p++) {
			if (frac_div > 100000000) { /* what is below can only round up */
				rest |= *p != '0';
				continue;
			}
			v = v * 10 + (unsigned)(*p - '0');
			frac_div *= 10;
		}
	if (p == s || !suffix(p, &mul, &div))
		return err_set(e, EINVAL, "\"%s\" is not a quantity (like 500m, 128M or 1.5Gi)", s);
	if (v > ((unsigned __int128)1 << 126) / mul / scale)
		return err_set(e, ERANGE, "%s is too large", s);
	unsigned __int128 d = (unsigned __int128)frac_div * div;
	v = (v * mul * scale + (rest ? d : d - 1)) / d;
	if (v > INT64_MAX)
		return err_set(e, ERANGE, "%s is too large", s);
	*out = (int64_t)v;
	return 0;
}

static const struct unit {
	const char *name;
	int64_t     ns;
} units[] = {
	{ "ns", 1 }, { "us", 1000 }, { "\xc2\xb5s", 1000 }, { "\xce\xbcs", 1000 }, { "ms", 1000000 }, { "s", 1000000000 },
	{ "m", 60000000000 }, { "h", 3600000000000 },
};

static const struct unit *unit_of(const char *p, size_t n)
{
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (strlen(units[i].name) == n && !memcmp(units[i].name, p, n))
			return &units[i];
	return NULL;
}

int num_duration(const char *s, int64_t *ns, struct err *e)
{
	int64_t total = 0;
	const char *p = s;

	if (!strcmp(s, "0")) {
		*ns = 0;
		return 0;
	}
	while (*p || p == s) {
		int64_t whole = 0, frac = 0, part;
		int64_t frac_div = 1;
		const char *start = p;
		for (; is_digit(*p); p++)
			if (__builtin_mul_overflow(whole, 10, &whole) || __builtin_add_overflow(whole, *p - '0', &whole))
				return err_set(e, ERANGE, "%s is too long", s);
		if (*p == '.')
			for (p++; is_digit(*p); p++)
				if (frac_div < 1000000000) { /* what is below a nanosecond is dropped */
					frac = frac * 10 + (*p - '0');
					frac_div *= 10;
				}
		size_t n = strcspn(p, "0123456789.");
		const struct unit *u = unit_of(p, n);
		if (p == start || *start == '.' || !u)
			return err_set(e, EINVAL, "\"%s\" is not a duration (like 30s, 10m or 24h)", s);
		if (__builtin_mul_overflow(whole, u->ns, &part) ||
		    __builtin_add_overflow(part, (int64_t)((__int128)frac * u->ns / frac_div), &part) ||
		    __builtin_add_overflow(total, part, &total))
			return err_set(e, ERANGE, "%s is too long", s);
		p += n;
	}
	*ns = total;
	return 0;
}
