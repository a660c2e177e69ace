/* SPDX-License-Identifier: Apache-2.0
 * unit - the kit of the unit tests: cases, checks, a count
 *
 *	#include "testsuite/unit/unit.h"
 *
 *	TEST(finds_by_prefix, "store: finds an image by a unique prefix")
 *	{
 *		CHECK(n == 1);
 *		CHECK_STR(id, "sha512-ab");
 *		CHECK_INT(errno, 0);
 *	}
 *
 *	UNIT_MAIN(finds_by_prefix, ...)
 *
 * A case that UNIT_MAIN does not list is an unused function, which the compiler reports. A failing check
 * prints where it stands and the case goes on; REQUIRE ends the case, SKIP ends it with a reason.
 * Arguments of the program choose cases: those whose name contains one of them.
 * Prints "ok N - NAME", "not ok N - NAME", "ok N - NAME # SKIP REASON" and last
 * "N passed, N failed, N skipped"; exit status 1 when a case failed, 2 when none was chosen.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct unit_case {
	const char *name;
	void      (*run)(void);
};

/* what the running case has come to */
struct unit_state {
	unsigned    bad_checks;
	const char *skipped; /* the reason */
};

static struct unit_state unit_now;

#define TEST(ident, text)                                                     \
	static void ident##_run(void);                                        \
	static const struct unit_case ident = { .name = text, .run = ident##_run }; \
	static void ident##_run(void)

#define CHECK(cond) ((void)unit_check((cond), __FILE__, __LINE__, #cond))
#define CHECK_STR(a, b) ((void)unit_check_str((a), (b), __FILE__, __LINE__, #a))
#define CHECK_INT(a, b) ((void)unit_check_int((long long)(a), (long long)(b), __FILE__, __LINE__, #a))
/* the string b occurs in a */
#define CHECK_HAS(a, b) ((void)unit_check_has((a), (b), __FILE__, __LINE__, #a))
#define REQUIRE(cond)                                                         \
	do {                                                                  \
		if (!unit_check((cond), __FILE__, __LINE__, #cond))           \
			return;                                               \
	} while (0)
#define SKIP(reason)                                                          \
	do {                                                                  \
		unit_now.skipped = (reason);                                  \
		return;                                                       \
	} while (0)

static inline bool unit_check(bool good, const char *file, int line, const char *what)
{
	if (!good) {
		unit_now.bad_checks++;
		printf("# %s:%d: %s\n", file, line, what);
	}
	return good;
}

static inline bool unit_check_str(const char *a, const char *b, const char *file, int line, const char *what)
{
	bool good = a && b ? !strcmp(a, b) : a == b;

	if (!unit_check(good, file, line, what))
		printf("#   is   \"%s\"\n#   want \"%s\"\n", a ? a : "(null)", b ? b : "(null)");
	return good;
}

static inline bool unit_check_has(const char *a, const char *b, const char *file, int line, const char *what)
{
	bool good = a && strstr(a, b);

	if (!unit_check(good, file, line, what))
		printf("#   is        \"%s\"\n#   lacks     \"%s\"\n", a ? a : "(null)", b);
	return good;
}

static inline bool unit_check_int(long long a, long long b, const char *file, int line, const char *what)
{
	if (!unit_check(a == b, file, line, what))
		printf("#   is   %lld\n#   want %lld\n", a, b);
	return a == b;
}

static inline bool unit_chosen(const char *name, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strstr(name, argv[i]))
			return true;
	return argc < 2;
}

static inline int unit_run(const struct unit_case *const *cases, size_t n_cases, int argc, char **argv)
{
	unsigned passed = 0, failed = 0, skipped = 0, n = 0;

	setvbuf(stdout, NULL, _IOLBF, 0); /* a crash must not swallow what was found before it */
	for (size_t i = 0; i < n_cases; i++) {
		if (!unit_chosen(cases[i]->name, argc, argv))
			continue;
		unit_now = (struct unit_state){ 0 };
		cases[i]->run();
		n++;
		if (unit_now.bad_checks) {
			failed++;
			printf("not ok %u - %s\n", n, cases[i]->name);
		} else if (unit_now.skipped) {
			skipped++;
			printf("ok %u - %s # SKIP %s\n", n, cases[i]->name, unit_now.skipped);
		} else {
			passed++;
			printf("ok %u - %s\n", n, cases[i]->name);
		}
	}
	printf("%u passed, %u failed, %u skipped\n", passed, failed, skipped);
	return failed ? 1 : n ? 0 : 2;
}

/* UNIT_MAIN(case, case, ...): up to 64 cases a file, each named once */
#define UNIT_MAIN(...)                                                        \
	int main(int argc, char **argv)                                       \
	{                                                                     \
		const struct unit_case *const cases[] = { UNIT_REFS(__VA_ARGS__) }; \
		return unit_run(cases, sizeof(cases) / sizeof(*cases), argc, argv); \
	}

/* &a, &b, ... : the usual recursion of macros, rescanned often enough for 64 */
#define UNIT_REFS(...)         UNIT_SCAN(UNIT_EACH(__VA_ARGS__))
#define UNIT_EACH(c, ...)      &(c) __VA_OPT__(, UNIT_AGAIN UNIT_PARENS(__VA_ARGS__))
#define UNIT_AGAIN()           UNIT_EACH
#define UNIT_PARENS            ()
#define UNIT_SCAN(...)         UNIT_SCAN3(UNIT_SCAN3(UNIT_SCAN3(UNIT_SCAN3(__VA_ARGS__))))
#define UNIT_SCAN3(...)        UNIT_SCAN2(UNIT_SCAN2(UNIT_SCAN2(UNIT_SCAN2(__VA_ARGS__))))
#define UNIT_SCAN2(...)        UNIT_SCAN1(UNIT_SCAN1(UNIT_SCAN1(UNIT_SCAN1(__VA_ARGS__))))
#define UNIT_SCAN1(...)        UNIT_SCAN0(UNIT_SCAN0(UNIT_SCAN0(UNIT_SCAN0(__VA_ARGS__))))
#define UNIT_SCAN0(...)        __VA_ARGS__
