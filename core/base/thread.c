/* SPDX-License-Identifier: Apache-2.0
 * thread - see thread.h
 */
#include "core/base/thread.h"

#include <sched.h>
#include <signal.h>

unsigned thread_processors(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) == 0 ? (unsigned)CPU_COUNT(&set) : 1;
}

int thread_start(pthread_t *t, void *stack, size_t stack_bytes, void *(*run)(void *), void *arg)
{
	pthread_attr_t attr;
	sigset_t all, old;

	int r = pthread_attr_init(&attr);
	if (r)
		return r;
	if (stack)
		pthread_attr_setstack(&attr, stack, stack_bytes);
	else
		pthread_attr_setstacksize(&attr, stack_bytes);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	r = pthread_create(t, &attr, run, arg);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	return r;
}
