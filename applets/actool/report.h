/* SPDX-License-Identifier: Apache-2.0
 * report - findings as actool prints them: one per line on stderr
 */
#pragma once

#include "core/appc/finding.h"

/** actool_report() - "FILE: error: WHERE: text [rule]" for each */
void actool_report(const char *file, const struct findings *f);

/** actool_say() - "FILE: text" on stderr, without the name of the command, as actool has it */
void actool_say(const char *file, const char *text);
