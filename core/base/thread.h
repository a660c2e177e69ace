/* SPDX-License-Identifier: Apache-2.0
 * thread - threads for work that goes on beside the caller's
 */
#pragma once

#include <pthread.h>
#include <stddef.h>

/** thread_processors() - how many this process may run on; at least 1 */
unsigned thread_processors(void);

/**
 * thread_start() - a thread that gets no signals: these are the business of the one that knows what to do about them
 * @stack: that it shall use, without a guard below it, and which nobody has to map and unmap; or NULL
 * @stack_bytes: its size; what libraries below the thread need is for the caller to know
 * Returns 0, or an error number.
 */
int thread_start(pthread_t *t, void *stack, size_t stack_bytes, void *(*run)(void *), void *arg);
