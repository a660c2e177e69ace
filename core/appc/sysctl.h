/* SPDX-License-Identifier: Apache-2.0
 * sysctl - keys of the isolator os/unix/sysctl: how they are written, where they are, whom they concern
 *
 * Source: appc spec, spec/ace.md, "os/unix/sysctl"; sysctl(8) for dots and slashes.
 */
#pragma once

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/base/err.h"

#define SYSCTL_PATH_MAX 256

/** sysctl_key_ok() - components between . or /, none of them empty, so that a key is never a path upwards */
bool sysctl_key_ok(const char *key);

/**
 * sysctl_path() - "net.core.somaxconn" or "net/core/somaxconn" -> the latter, below /proc/sys
 *
 * Whichever separator comes first is the one; the other stands for itself, and becomes a dot in the path:
 * net.ipv4.conf.eth0/1.forwarding is about eth0.1. false: no key, or @size is too small.
 */
bool sysctl_path(const char *key, char *path, size_t size);

/* of which namespace a key is; HOST: of none of a pod's, it would change the whole host */
enum sysctl_kind { SYSCTL_HOST, SYSCTL_NET, SYSCTL_IPC };
/** sysctl_kind() - by the path */
enum sysctl_kind sysctl_kind(const char *path);

/**
 * sysctl_check() - that a pod may have all of the isolator's keys: those of its own network and of its own IPC
 * @own_net: the pod has a network namespace; without one, net.* are the host's
 *
 * EPERM names the key. A pod with such a key is not run: what it asks for is not in its manifest for nothing.
 */
int sysctl_check(const cJSON *value, bool own_net, struct err *e);
