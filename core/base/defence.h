/* SPDX-License-Identifier: Apache-2.0
 * defence - a name for each thing that keeps a hostile image or app from what is not its own
 *
 * In the program that is shipped DEFENCE("name") is the constant true, and its name is not in the binary. In the one
 * that `make holes` builds for the tests, those named in the environment variable RKTBOX_HOLES ("in-root,nodev") are
 * false. So each attack of testsuite/threats can be shown to be stopped by just what is meant to stop it. Names
 * are written out where they are used, or are ids of rules of archives; testsuite/holes.tests looks for the former.
 */
#pragma once

#include <stdbool.h>

#ifdef RKTBOX_HOLES
bool defence_stands(const char *name);
#define DEFENCE(name) defence_stands(name)
#else
#define DEFENCE(name) true
#endif
