/* SPDX-License-Identifier: MIT */
/* commands.h: the subcommands. Each takes its parsed options and returns the exit status. */
#ifndef VMM_COMMANDS_H
#define VMM_COMMANDS_H

#include "vmm/options.h"

int cmd_run(const struct options *o);
int cmd_replay(const struct options *o);
int cmd_list(const struct options *o);
int cmd_doctor(const struct options *o);

#endif
