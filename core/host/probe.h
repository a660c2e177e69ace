/* SPDX-License-Identifier: Apache-2.0
 * probe - what the checks of core/host/ are made of; nothing outside includes it
 *
 * A probe runs in a child of its own and may change that as it likes. It returns 0 for "it is there", unless it has
 * called probe_say(); or -1/errno, of which probe_failed() makes a verdict.
 *
 * Mounting, opening /dev/loop-control and asking for a protocol can make the kernel load a module, as the start of a pod
 * would by the very same calls; whether that works is part of the answer, so it is not kept from doing so. Kinds of
 * interfaces and nftables, of which a pod without a network of its own makes no use, are not worth a module that
 * stays: see probe_is_loadable(). We load none ourselves.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/host/host.h"

struct host_probe {
	const struct host_check *check;
	const struct host_place *at;
	uid_t                    uid;  /* the caller's */
	uint64_t                 caps; /* that are in force */
	struct host_result       r;
};

/** probe_say() - the verdict, and why */
__attribute__((format(printf, 3, 4))) int probe_say(struct host_probe *p, enum host_verdict v, const char *fmt, ...);

/**
 * probe_failed() - @step ("open it: ", or "") failed, errno says how
 * It lacks, and what is known of the cause is added; where only root could have done it, that is not known.
 */
int probe_failed(struct host_probe *p, const char *step);

/** probe_line() - the first line of a file, "" when it cannot be read */
void probe_line(const char *path, char *out, size_t size);

/** probe_fork() - runs @fn in one more process; 0, or -1 and the errno that it ended with */
int probe_fork(struct host_probe *p, int (*fn)(struct host_probe *p));

/** probe_data_dir() - the data directory, or the nearest one above it that is there; a descriptor, or -1 */
int probe_data_dir(struct host_probe *p);

/* the probes; what they look at is in the check's id and arg */
int probe_namespaces(struct host_probe *p); /* kernel.c */
int probe_user_ns(struct host_probe *p);
int probe_openat2(struct host_probe *p);
int probe_clone3(struct host_probe *p);
int probe_pidfd(struct host_probe *p);
int probe_close_range(struct host_probe *p);
int probe_random(struct host_probe *p);
int probe_clock(struct host_probe *p);
int probe_seccomp(struct host_probe *p);
int probe_notify(struct host_probe *p);
int probe_landlock(struct host_probe *p);
int probe_capwatch(struct host_probe *p);

int probe_exec32(struct host_probe *p); /* exec32.c */

int probe_fsopen(struct host_probe *p); /* files.c */
int probe_open_tree(struct host_probe *p);
int probe_move_mount(struct host_probe *p);
int probe_mount_setattr(struct host_probe *p);
int probe_fs(struct host_probe *p);
int probe_tmpfs_xattr(struct host_probe *p);
int probe_mknod(struct host_probe *p);
int probe_overlay(struct host_probe *p);
int probe_overlay_options(struct host_probe *p);
int probe_volatile(struct host_probe *p);

int probe_upper(struct host_probe *p); /* data.c */
int probe_verity(struct host_probe *p);
int probe_erofs(struct host_probe *p);
int probe_render(struct host_probe *p);
int probe_store(struct host_probe *p);

int probe_idmap(struct host_probe *p); /* idmap.c */
int probe_overlay_idmap(struct host_probe *p);

int probe_root(struct host_probe *p); /* place.c */
int probe_subids(struct host_probe *p);
int probe_caps(struct host_probe *p);
int probe_proc(struct host_probe *p);
int probe_sys(struct host_probe *p);
int probe_dev(struct host_probe *p);
int probe_mount_max(struct host_probe *p);
int probe_lsm(struct host_probe *p);
int probe_label(struct host_probe *p);

int probe_cgroup(struct host_probe *p); /* groups.c */
int probe_throttle(struct host_probe *p);
int probe_devices(struct host_probe *p);

int probe_nftables(struct host_probe *p); /* link.c */
int probe_shape(struct host_probe *p);
int probe_link(struct host_probe *p);
