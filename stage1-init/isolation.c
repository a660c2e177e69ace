/* SPDX-License-Identifier: Apache-2.0
 * isolation - see isolation.h
 */
#include "stage1-init/isolation.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/appc/sysctl.h"
#include "core/base/fd.h"
#include "stage1-init/rlimits.h"
#include "stage1-init/sysctl_write.h"

static int write_all(int fd, const char *text)
{
	size_t n = strlen(text);
	ssize_t done = write(fd, text, n);

	if (done >= 0 && (size_t)done != n)
		errno = EINVAL;
	return done == (ssize_t)n ? 0 : -1;
}

int isolation_sysctls(const struct isolation_sysctls *l, int proc_fd, uid_t root, struct err *e)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct isolation_sysctl *s = &l->v[i];
		if (sysctl_write(proc_fd, s->path, s->value, root) == 0)
			continue;
		bool closed = errno == EACCES && sysctl_kind(s->path) == SYSCTL_IPC;
		return err_sys(e, "isolator os/unix/sysctl: set %s to \"%.100s\"%s", s->path, s->value,
			       errno == ENOENT ? " (this kernel does not have it in a pod's namespaces)" :
			       closed ? " (this kernel lets only root of the host do that)" : "");
	}
	return 0;
}

/* errno says why */
static int label_refused(const struct isolation *o, struct err *e)
{
	if (errno == ENOENT && !o->selinux)
		return err_set(e, ENOENT, "%s: no profile of that name is loaded (apparmor_parser -r FILE loads one): \"%.200s\"",
			       o->lsm, o->label + strlen("exec "));
	if (errno == EINVAL && o->selinux)
		return err_set(e, EINVAL, "SELinux: the policy of this host has no context \"%.200s\": one of user, role, type and "
			       "level is none of its, or they do not go together (seinfo -u -r -t lists them; semodule -i FILE adds some)",
			       o->label);
	if (errno == EACCES && o->selinux)
		return err_set(e, EACCES, "SELinux: label \"%.200s\": the policy of this host does not let rkt set labels: allow its "
			       "domain \"process setexec\", and \"transition\" to the label's", o->label);
	return err_needs(e, "selinux apparmor", "%s: label \"%.200s\"", o->lsm, o->label);
}

int isolation_label(const struct isolation *o, int proc_fd, struct err *e)
{
	if (!o->label)
		return 0;
	auto_close int fd = openat(proc_fd, "self/attr/exec", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return err_needs(e, "selinux apparmor", "%s: label \"%.200s\"", o->lsm, o->label);
	return write_all(fd, o->label) == 0 ? 0 : label_refused(o, e);
}

void isolation_exec_failed(const struct isolation *o, struct err *e)
{
	const struct err was = *e;

	if (o->other_arch && was.code == ENOEXEC)
		err_point_text(e, "exec-32");
	if (o->label && (was.code == EACCES || was.code == EPERM))
		err_set_text(e, was.code, "%.200s (by the file's mode, or because %s does not let rkt execute it with the label "
			     "\"%.150s\": its log tells)", was.msg, o->lsm, o->label);
}

int isolation_confine(const struct isolation *o, const struct appc_rlimit *rlimits, int root_fd, struct err *e)
{
	if (o->rlimits && rlimits_raise(rlimits, e) < 0)
		return -1;
	return o->handled ? landlock_restrict(o->handled, o->rules, o->n_rules, root_fd, e) : 0;
}

int isolation_begin(const struct isolation *o, const struct appc_rlimit *rlimits, int proc_fd, int root_fd, struct err *e)
{
	if (isolation_label(o, proc_fd, e) < 0)
		return -1;
	return isolation_confine(o, rlimits, root_fd, e);
}

int isolation_end(const struct isolation *o, const struct appc_rlimit *rlimits, const struct seccomp_prog *filter,
	struct err *e)
{
	return o->rlimits ? rlimits_set(rlimits, filter, e) : 0;
}
