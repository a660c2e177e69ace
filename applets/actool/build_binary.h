/* SPDX-License-Identifier: Apache-2.0
 * build_binary - an image made of one program: its manifest from options, and what its loader will look for
 */
#pragma once

#include "core/archive/write.h"
#include "core/base/opt.h"

struct build_binary {
	const char     *file, *sysroot, *name, *user, *group, *working_dir;
	struct opt_list labels, exec_args, env, ports, mounts, annotations;
};

extern const struct opt build_binary_opts[];

/**
 * binary_pack() - the whole image to @out_fd
 * @argc, @argv: more arguments for the program, after those of --exec-arg
 *
 * Findings about the manifest are printed.
 */
int binary_pack(const struct build_binary *b, int argc, char **argv, int out_fd, const struct write_opts *w,
		struct err *e);

/** binary_none_of() - EINVAL when an option was given that only means something with --from-binary */
int binary_none_of(const struct build_binary *b, struct err *e);
