/* SPDX-License-Identifier: Apache-2.0
 * holes - where the data of a sparse file is
 */
#pragma once

#include <sys/types.h>

/**
 * holes_next() - the first piece of data that ends after @at
 * @size: of the file; what lies behind is not looked at
 * @from, @to: receive where it begins, not before @at, and ends
 *
 * 1 found, 0 from @at on all is a hole, -1/errno. A file system that knows of no holes has one piece of data.
 * Moves the descriptor's position.
 */
int holes_next(int fd, off_t at, off_t size, off_t *from, off_t *to);
