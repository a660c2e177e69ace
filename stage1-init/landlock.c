/* SPDX-License-Identifier: Apache-2.0
 * landlock - see landlock.h
 */
#include "stage1-init/landlock.h"

#include <errno.h>
#include <sys/stat.h>

#include "core/base/fd.h"
#include "core/base/sys.h"
#include "stage1-init/rootfs.h"

/* on all architectures */
#define LANDLOCK_CREATE_RULESET 444
#define LANDLOCK_ADD_RULE       445
#define LANDLOCK_RESTRICT_SELF  446
#define LANDLOCK_PATH_BENEATH   1

#define LANDLOCK_REFER    (UINT64_C(1) << 13) /* version 2 */
#define LANDLOCK_TRUNCATE (UINT64_C(1) << 14) /* version 3 */
#define LANDLOCK_OF_FILES (UINT64_C(7) | LANDLOCK_TRUNCATE) /* what makes sense on a file: EXECUTE, WRITE_FILE, READ_FILE */

struct beneath {
	uint64_t access;
	int32_t  fd;
} __attribute__((packed));

uint64_t landlock_known(int abi)
{
	uint64_t all = LANDLOCK_READ | LANDLOCK_EXECUTE | LANDLOCK_WRITE;

	return all & ~(abi < 2 ? LANDLOCK_REFER : 0) & ~(abi < 3 ? LANDLOCK_TRUNCATE : 0);
}

static int add_rule(int set_fd, const struct landlock_rule *r, uint64_t handled, int root_fd, struct err *e)
{
	struct stat st;
	auto_close int fd = root_open(root_fd, r->path, O_PATH, ROOT_FOLLOW);

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "landlock: %s in the app's root", r->path);
	const struct beneath b = {
		.access = r->access & handled & (S_ISDIR(st.st_mode) ? ~UINT64_C(0) : LANDLOCK_OF_FILES), .fd = fd,
	};
	if (b.access && syscall(LANDLOCK_ADD_RULE, set_fd, LANDLOCK_PATH_BENEATH, &b, 0) < 0)
		return err_needs(e, "landlock", "landlock: rule for %s", r->path);
	return 0;
}

int landlock_restrict(uint64_t handled, const struct landlock_rule *rules, size_t n, int root_fd, struct err *e)
{
	auto_close int set_fd = (int)syscall(LANDLOCK_CREATE_RULESET, &handled, sizeof(handled), 0);

	if (set_fd < 0)
		return err_needs(e, "landlock", "landlock");
	for (size_t i = 0; i < n; i++)
		if (add_rule(set_fd, &rules[i], handled, root_fd, e) < 0)
			return -1;
	if (syscall(LANDLOCK_RESTRICT_SELF, set_fd, 0) < 0)
		return err_needs(e, "landlock", "landlock");
	return 0;
}
