/* SPDX-License-Identifier: Apache-2.0
 * userns_ban - what keeps users other than root from user namespaces, and who may allow them
 *
 * A call that is refused says EPERM or ENOSPC and no more. Which setting it was can often be read.
 * Source: user_namespaces(7), namespaces(7); kernel.unprivileged_userns_clone is Debian's, and
 * kernel.apparmor_restrict_unprivileged_userns Ubuntu's.
 */
#pragma once

#define USERNS_BAN_MAX 240

/**
 * userns_ban() - @code: the errno of the call that was refused
 * @out: USERNS_BAN_MAX bytes: "SETTING is VALUE: what to do"; "" when no setting explains it. errno stays.
 */
void userns_ban(int code, char *out);
