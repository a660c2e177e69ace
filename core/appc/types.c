/* SPDX-License-Identifier: Apache-2.0
 * types - see types.h
 */
#include "core/appc/types.h"

#include <string.h>
#include <strings.h>

#include "core/base/hash.h"

/* The tables and grammars are ASCII, whatever the locale says. */
static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_alnum_lower(char c)
{
	return is_lower(c) || is_digit(c);
}

/* runs of lower-case letters and digits, with exactly one of @between in each gap */
static bool words_ok(const char *s, const char *between)
{
	bool in_word = false;

	for (; *s; s++) {
		if (!is_alnum_lower(*s) && (!in_word || !strchr(between, *s)))
			return false;
		in_word = is_alnum_lower(*s);
	}
	return in_word;
}

bool ac_identifier_ok(const char *s)
{
	return words_ok(s, "-._~/");
}

bool ac_name_ok(const char *s)
{
	return words_ok(s, "-");
}

bool ac_name_from(const char *s, char *out, size_t size)
{
	const char *slash = strrchr(s, '/');
	size_t n = 0;
	bool gap = false;

	for (s = slash ? slash + 1 : s; *s; s++) {
		char c = is_upper(*s) ? (char)(*s + 'a' - 'A') : *s;
		if (!is_alnum_lower(c)) {
			gap = n > 0;
			continue;
		}
		if (n + (gap ? 2 : 1) >= size)
			return false;
		if (gap)
			out[n++] = '-';
		gap = false;
		out[n++] = c;
	}
	if (size)
		out[n] = 0;
	return n > 0;
}

/* ---- semantic versions ---- */

/* digits without a leading zero */
static bool take_number(const char **s, uint64_t *v)
{
	const char *p = *s;

	*v = 0;
	for (; is_digit(*p); p++)
		if (__builtin_mul_overflow(*v, 10u, v) ||
			__builtin_add_overflow(*v, (uint64_t)(*p - '0'), v))
			return false;
	if (p == *s || (**s == '0' && p > *s + 1))
		return false;
	*s = p;
	return true;
}

/* dot-separated identifiers, up to the end or @stop; numeric ones without leading zeros where it
 * matters */
static bool take_identifiers(const char **s, char stop, bool strict)
{
	const char *p = *s;

	for (;; p++) {
		const char *start = p;
		bool digits = true;
		for (; is_lower(*p) || is_upper(*p) || is_digit(*p) || *p == '-'; p++)
			digits = digits && is_digit(*p);
		if (p == start || (strict && digits && *start == '0' && p > start + 1))
			return false;
		if (*p != '.')
			break;
	}
	*s = p;
	return !*p || *p == stop;
}

bool ac_version_ok(const char *s, uint64_t v[3])
{
	uint64_t part[3];

	for (int i = 0; i < 3; i++) {
		if (i && *s++ != '.')
			return false;
		if (!take_number(&s, &part[i]))
			return false;
	}
	if (*s == '-' && (s++, !take_identifiers(&s, '+', true)))
		return false;
	if (*s == '+' && (s++, !take_identifiers(&s, 0, false)))
		return false;
	if (v)
		memcpy(v, part, sizeof(part));
	return !*s;
}

#define HEX_ANY "0123456789abcdefABCDEF"
#define PREFIX_LEN (sizeof(IMAGE_ID_PREFIX) - 1)

bool image_id_ok(const char *s)
{
	if (strncmp(s, IMAGE_ID_PREFIX, PREFIX_LEN))
		return false;
	size_t n = strlen(s + PREFIX_LEN);
	return n <= HASH_SHA512_HEX && hash_is_hex(s + PREFIX_LEN, n);
}

bool image_id_ok_upper(const char *s)
{
	if (strncmp(s, IMAGE_ID_PREFIX, PREFIX_LEN))
		return false;
	size_t n = strlen(s + PREFIX_LEN);
	return n && n <= HASH_SHA512_HEX && strspn(s + PREFIX_LEN, HEX_ANY) == n;
}

/* ---- operating systems and architectures ---- */

static const struct os_arch {
	const char *os;
	const char *arch[13];
} os_archs[] = {
	{ "linux", { "amd64", "i386", "aarch64", "aarch64_be", "armv6l", "armv7l", "armv7b",
			   "ppc64", "ppc64le", "s390x", "riscv64", "loongarch64" } },
	{ "freebsd", { "amd64", "i386", "arm" } },
	{ "darwin", { "x86_64", "i386" } },
};

static const struct os_arch *find_os(const char *os)
{
	for (size_t i = 0; i < sizeof(os_archs) / sizeof(*os_archs); i++)
		if (!strcmp(os_archs[i].os, os))
			return &os_archs[i];
	return NULL;
}

bool ac_os_ok(const char *os)
{
	return !os || find_os(os);
}

bool ac_os_arch_ok(const char *os, const char *arch)
{
	if (!os || !arch)
		return ac_os_ok(os);
	const struct os_arch *o = find_os(os);
	for (size_t i = 0; o && o->arch[i]; i++)
		if (!strcmp(o->arch[i], arch))
			return true;
	return false;
}

const char *ac_host_arch(void)
{
#if defined(__x86_64__)
	return "amd64";
#elif defined(__i386__)
	return "i386";
#elif defined(__aarch64__) && defined(__AARCH64EB__)
	return "aarch64_be";
#elif defined(__aarch64__)
	return "aarch64";
#elif defined(__arm__) && defined(__ARMEB__)
	return "armv7b";
#elif defined(__arm__) && defined(__ARM_ARCH) && __ARM_ARCH < 7
	return "armv6l";
#elif defined(__arm__)
	return "armv7l";
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
	return "ppc64le";
#elif defined(__s390x__)
	return "s390x";
#elif defined(__riscv) && __riscv_xlen == 64
	return "riscv64";
#elif defined(__loongarch64)
	return "loongarch64";
#else
#error "which arch label do images for this machine carry? add it here and to os_archs"
#endif
}

bool ac_env_name_ok(const char *s)
{
	if (!*s || is_digit(*s))
		return false;
	for (; *s; s++)
		if (!is_lower(*s) && !is_upper(*s) && !is_digit(*s) && *s != '_')
			return false;
	return true;
}

/* ---- RFC 3339, section 5.6 ---- */

/* exactly @n digits within the bounds */
static bool take_digits(const char **s, int n, int min, int max, int *out)
{
	int v = 0;

	for (int i = 0; i < n; i++, (*s)++) {
		if (!is_digit(**s))
			return false;
		v = v * 10 + (**s - '0');
	}
	if (out)
		*out = v;
	return v >= min && v <= max;
}

static bool take_char(const char **s, char c)
{
	if (**s != c)
		return false;
	(*s)++;
	return true;
}

static bool take_date(const char **s)
{
	static const int month_days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int y, m, d;

	if (!take_digits(s, 4, 0, 9999, &y) || !take_char(s, '-') ||
		!take_digits(s, 2, 1, 12, &m) || !take_char(s, '-') ||
		!take_digits(s, 2, 1, 31, &d))
		return false;
	bool leap = (y % 4 == 0 && y % 100) || y % 400 == 0;
	return d <= month_days[m - 1] && (m != 2 || d < 29 || leap);
}

static bool take_time(const char **s)
{
	/* 60: a leap second */
	if (!take_digits(s, 2, 0, 23, NULL) || !take_char(s, ':') ||
		!take_digits(s, 2, 0, 59, NULL) || !take_char(s, ':') ||
		!take_digits(s, 2, 0, 60, NULL))
		return false;
	if (!take_char(s, '.'))
		return true;
	const char *start = *s;
	while (is_digit(**s))
		(*s)++;
	return *s > start;
}

static bool take_zone(const char **s)
{
	if (take_char(s, 'Z'))
		return true;
	return (take_char(s, '+') || take_char(s, '-')) && take_digits(s, 2, 0, 23, NULL) &&
	       take_char(s, ':') && take_digits(s, 2, 0, 59, NULL);
}

bool ac_date_ok(const char *s)
{
	return take_date(&s) && take_char(&s, 'T') && take_time(&s) && take_zone(&s) && !*s;
}

/* [USER@]HOST[:PORT]. A user part is no host, and neither is a port alone. RFC 3986, 3.2 */
static bool authority_ok(const char *p, size_t len)
{
	const char *end = p + len, *at = memchr(p, '@', len);

	if (at)
		p = at + 1;
	const char *host = p;
	if (p < end && *p == '[') {
		p = memchr(p, ']', (size_t)(end - p));
		if (!p)
			return false;
		p++;
	} else {
		while (p < end && *p != ':')
			p++;
	}
	if (p == host || (p < end && *p++ != ':'))
		return false;
	while (p < end && is_digit(*p))
		p++;
	return p == end;
}

bool ac_url_ok(const char *s)
{
	const char *p = !strncasecmp(s, "http://", 7)    ? s + 7
			: !strncasecmp(s, "https://", 8) ? s + 8
							 : NULL;

	if (!p)
		return false;
	if (!authority_ok(p, strcspn(p, "/?#")))
		return false;
	for (; *s; s++)
		if ((unsigned char)*s <= 0x20 || *s == 0x7f || (*s == '%' && strspn(s + 1, HEX_ANY) < 2))
			return false;
	return true;
}
