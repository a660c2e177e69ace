/* SPDX-License-Identifier: Apache-2.0
 * change - what its files share
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define LINE "0123456789abcdef\n"

/* user 1001 may read; group and others nothing */
#define ACL "\2\0\0\0\1\0\7\0\377\377\377\377\2\0\4\0\351\3\0\0\4\0\0\0\377\377\377\377\20\0\4\0\377\377\377\377" \
	    "\40\0\0\0\377\377\377\377"
#define ACL_LEN 44
#define CAP "\1\0\0\2\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0" /* cap_net_bind_service=ep */
#define CAP_LEN 20

/* ---- change.c ---- */

void said(const char *what, long r);
void opened(const char *what, int fd);
void must(bool good, const char *what);

void put(const char *path, mode_t mode, size_t lines);
void puts_in(const char *dir, unsigned n); /* makes it, with so many files */
int append(const char *path);
void first_byte(const char *what, int fd); /* of a file of LINEs: whether it is as it was */

int remove_all(const char *path);

/** change() - does that to a file of the image */
void change(const char *path, int (*how)(const char *));

/* ---- the others ---- */

void make_tree(void);
void do_files(void);
void do_names(void);
