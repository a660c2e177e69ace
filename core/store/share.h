/* SPDX-License-Identifier: Apache-2.0
 * share - a store that the members of a group read and write beside root
 *
 * Its directories are the group's, 2770 (cas/ and blob/, in which members make nothing, 3770), so what anybody makes there is the group's as well; files are 0440. What is
 * unpacked or mounted stays root's (2700): only root runs it. The mode of cas/ is all that says that a store is shared;
 * store_file_mode() and store_make_dir() go by it.
 *
 * Members are trusted with the images: each can replace any of them, as with rkt. Not with the kernel: root mounts no
 * index that a member wrote.
 * Source: rkt dist/scripts/setup-data-dir.sh.
 */
#pragma once

#include "core/base/group.h"

/** store_share() - prepares DIR (2750) and the store in it, with all that is there already; nothing is waited for but the store's locks */
int store_share(const char *dir, struct group_set *s, struct err *e);
