/* SPDX-License-Identifier: Apache-2.0
 * noop - the smallest program: it leaves with status 0, and has no C library
 *
 * Built with -nostdlib -static: what is measured around it is not the start of a libc. With -DPAUSE it stays, and sleeps.
 */
__attribute__((noreturn)) void _start(void);

void _start(void)
{
#if defined(__x86_64__)
#ifdef PAUSE
	for (;;)
		__asm__ volatile("mov $34, %%eax; syscall" ::: "rax", "rcx", "r11", "memory"); /* pause */
#endif
	__asm__ volatile("mov $60, %eax; xor %edi, %edi; syscall");
#elif defined(__aarch64__)
#ifdef PAUSE /* ppoll of nothing, for ever */
	for (;;)
		__asm__ volatile("mov x8, #73; mov x0, #0; mov x1, #0; mov x2, #0; mov x3, #0; svc #0" ::
					 : "x0", "x1", "x2", "x3", "x8", "memory");
#endif
	__asm__ volatile("mov x8, #93; mov x0, #0; svc #0");
#else
#error "noop: exit(0) of this processor is not known"
#endif
	__builtin_unreachable();
}
