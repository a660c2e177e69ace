/* SPDX-License-Identifier: Apache-2.0
 * sys - see sys.h
 */
#include "core/base/sys.h"

#define OPEN_RETRIES 128

int sys_open_in(int dir_fd, const char *path, int flags, unsigned resolve)
{
	const struct { uint64_t flags, mode, resolve; } how = {
		.flags = (unsigned)(flags | O_CLOEXEC),
		.resolve = resolve,
	};

	for (int i = 0; i < OPEN_RETRIES; i++) {
		int fd = (int)syscall(SYS_openat2, dir_fd, path, &how, sizeof(how));
		if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
			return fd;
	}
	errno = EAGAIN;
	return -1;
}

#ifndef __has_feature
#define __has_feature(f) 0
#endif
#if !defined(__x86_64__) || defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define COPY_TO_START
#endif

pid_t sys_beside(uint64_t flags, int cgroup_fd, void *stack, size_t stack_size, void (*fn)(void *arg), void *arg)
{
#ifdef COPY_TO_START
	(void)stack, (void)stack_size;
	pid_t pid = sys_fork(flags, NULL, cgroup_fd);
	if (pid == 0)
		fn(arg);
	return pid;
#else
	struct sys_clone_args a = {
		.flags = flags | CLONE_VM | (cgroup_fd >= 0 ? SYS_CLONE_INTO_CGROUP : 0),
		.exit_signal = SIGCHLD,
		.stack = (uint64_t)(uintptr_t)stack,
		.stack_size = stack_size,
		.cgroup = cgroup_fd >= 0 ? (uint64_t)cgroup_fd : 0,
	};
	long r;

	/* the new process has our registers and an empty stack */
	__asm__ volatile("syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "xor %%ebp, %%ebp\n\t" /* the outermost frame, to debuggers */
			 "mov %[arg], %%rdi\n\t"
			 "call *%[fn]\n\t"
			 "hlt\n"
			 "1:"
			 : "=a"(r)
			 : "a"(SYS_clone3), "D"(&a), "S"(sizeof(a)), [fn] "r"(fn), [arg] "r"(arg)
			 : "rcx", "r11", "memory");
	if (r >= 0)
		return (pid_t)r;
	errno = (int)-r;
	return -1;
#endif
}

pid_t sys_start(uint64_t flags, int cgroup_fd, void *stack, size_t stack_size, void (*fn)(void *arg), void *arg)
{
	return sys_beside(flags | CLONE_VFORK, cgroup_fd, stack, stack_size, fn, arg);
}

void sys_default_signals(void)
{
	/* struct sigaction as the kernel has it, with room to spare: SIG_DFL, no flags, an empty mask */
	const unsigned long dfl[8] = { 0 };

	/* not the C library's sigaction(): it refuses the signals that it keeps for itself (32 to 34), and
	 * whoever started rkt may ignore these as well */
	for (int s = 1; s < NSIG; s++)
		syscall(SYS_rt_sigaction, s, dfl, NULL, (size_t)(NSIG / 8));
}

void sys_unblock_signals(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}
