/* SPDX-License-Identifier: Apache-2.0
 * change_tree - the tree that is changed
 */
#include "change.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

static void put_files(void)
{
	static const char *const names[] = { "append", "cut", "grow", "truncated", "chmod", "chown", "attr", "time", "mapped",
		"acl", "read-first", "map-first", "chmod-first", "locked", "watched", "range", "sent", "direct", "alloc", "same",
		"exec-attr", "empty-write" };

	must(mkdir("f", 0755) == 0, "f");
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char path[100];
		snprintf(path, sizeof(path), "f/%s", names[i]);
		put(path, 0644, 1000);
	}
	put("f/setuid", 06755, 10);
	put("f/capable", 0755, 10);
	must(setxattr("f/capable", "security.capability", CAP, CAP_LEN, 0) == 0, "capability");
	must(setxattr("f/attr", "user.old", "old", 3, 0) == 0, "attribute");
	put("f/with-acl", 0600, 10);
	must(setxattr("f/with-acl", "system.posix_acl_access", ACL, ACL_LEN, 0) == 0, "acl");
	put("f/sparse", 0644, 1);
	must(truncate("f/sparse", 64 << 20) == 0, "f/sparse");
}

static void put_dirs(void)
{
	static const char *const names[] = { "moved", "into", "twice", "changed", "full", "gone", "again", "x1", "x2", "x3",
		"over", "linked", "many", "self", "target" };
	char name[251], path[600];

	must(mkdir("d", 0755) == 0 && mkdir("d/empty", 0700) == 0 && mkdir("d/empty2", 0700) == 0, "d");
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		snprintf(path, sizeof(path), "d/%s", names[i]);
		puts_in(path, !strcmp(names[i], "many") ? 3000 : 3);
		snprintf(path, sizeof(path), "d/%s/sub", names[i]);
		puts_in(path, 2);
	}
	memset(name, 'n', 250);
	name[250] = 0;
	snprintf(path, sizeof(path), "d/%s", name);
	must(mkdir(path, 0755) == 0, path);
	snprintf(path, sizeof(path), "d/%s/long", name);
	puts_in(path, 1);
	must(mkdir("d/acl", 0700) == 0, "d/acl");
	must(setxattr("d/acl", "system.posix_acl_default", ACL, ACL_LEN, 0) == 0, "d/acl");
}

static void put_links(void)
{
	static const char *const groups[] = { "write", "chmod", "drop", "move", "same", "add" };
	char a[100], b[100];

	must(mkdir("l", 0755) == 0, "l");
	for (size_t i = 0; i < sizeof(groups) / sizeof(*groups); i++) {
		snprintf(a, sizeof(a), "l/%s-a", groups[i]);
		put(a, 0644, 3);
		for (char c = 'b'; c <= 'c'; c++) {
			snprintf(b, sizeof(b), "l/%s-%c", groups[i], c);
			must(link(a, b) == 0, b);
		}
	}
	must(symlink("write-a", "l/symlink") == 0 && mkfifo("l/fifo", 0600) == 0, "l");
	must(mknod("l/null", S_IFCHR | 0666, makedev(1, 3)) == 0, "l/null");
}

void make_tree(void)
{
	put_files();
	put_dirs();
	put_links();
}

