/* SPDX-License-Identifier: Apache-2.0
 * base_rootless - unit tests of core/base/rootless.c
 */
#include "core/base/rootless.h"

#include <stdio.h>

#include "testsuite/unit/unit.h"

static const struct {
	const char   *text;
	unsigned long first, n; /* n 0: there is none */
} files[] = {
	{ "user:100000:65536\n", 100000, 65536 },
	{ "other:1:2\nuser:100000:65536", 100000, 65536 },
	{ "1000:5:6\nuser:7:8\n", 5, 6 },
	{ "user:5:6\n1000:7:8\n", 5, 6 },
	{ "# user:1:2\n\n\nuser:3:4\n", 3, 4 },
	{ "user2:1:2\nuse:1:2\n10000:1:2\n100:1:2\n:1:2\n", 0, 0 },
	{ "", 0, 0 },
	{ "\n\n", 0, 0 },
	{ "user", 0, 0 },
	{ "user:\nuser::\nuser:5\nuser:5:\nuser::5\n", 0, 0 },
	/* what would map root, nothing, or numbers that are none; the next line is as good */
	{ "user:0:65536\nuser:1:0\nuser:-1:5\nuser:1e3:5\nuser:5: 5\nuser:9:10\n", 9, 10 },
	{ "user:4294967294:2\nuser:4294967295:1\nuser:1:4294967295\nuser:1:4294967294\n", 1, 4294967294 },
	{ "user:1:2:3\n", 0, 0 },
};

TEST(ranges, "rootless: of /etc/subuid the first range of a user counts that is one")
{
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		unsigned long first = 0, n = 0;
		char text[200];
		snprintf(text, sizeof(text), "%s", files[i].text);
		bool found = rootless_range(text, "user", 1000, &first, &n);
		if (found != (files[i].n > 0))
			printf("# of \"%s\"\n", files[i].text);
		CHECK(found == (files[i].n > 0));
		CHECK_INT(first, files[i].first);
		CHECK_INT(n, files[i].n);
	}
}

TEST(no_name, "rootless: a user without a name is found by number")
{
	unsigned long first = 0, n = 0;
	char text[] = "user:1:2\n1000:3:4\n";

	CHECK(rootless_range(text, NULL, 1000, &first, &n));
	CHECK_INT(first, 3);
	CHECK_INT(n, 4);
}

UNIT_MAIN(ranges, no_name)
