/* SPDX-License-Identifier: Apache-2.0
 * build_manifest - the manifest of an image that is made from a program
 */
#pragma once

#include <stdint.h>

#include "applets/actool/build_binary.h"
#include "core/base/buf.h"

/* what is known without options */
struct binary_facts {
	const char *path;         /* of the program in the image */
	const char *arch;         /* label; NULL: there is none for the machine */
	uint16_t    machine;      /* ELF's number of it */
	const char *library_path; /* for LD_LIBRARY_PATH; NULL: not needed */
	int         argc;         /* arguments behind "--" */
	char      **argv;
};

/** binary_manifest() - text, checked as actool validate does; what is wrong is printed */
int binary_manifest(const struct build_binary *b, const struct binary_facts *facts, struct buf *out, struct err *e);
