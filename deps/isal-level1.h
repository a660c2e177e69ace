/* SPDX-License-Identifier: Apache-2.0
 * isal-level1 - what isal-dispatch.c calls where there is no assembly for a processor: see isal-level1.c
 */
#pragma once

#include "igzip_lib.h"

/* what isal-dispatch.c found; a test may write it before it asks for anything */
enum { ISAL_UNKNOWN, ISAL_OTHER, ISAL_SSE, ISAL_AVX2 };
extern int isal_processor;

void isal_level1_body(struct isal_zstream *s);
void isal_level1_finish(struct isal_zstream *s);
void isal_level1_hash(uint16_t *table, uint32_t mask, uint32_t at, uint8_t *dict, uint32_t len);
