/* SPDX-License-Identifier: MIT */
/* artifacts.h: folders with what a bug report needs, one a case. */
#ifndef VMM_ARTIFACTS_H
#define VMM_ARTIFACTS_H

#include "vmm/plan.h"
#include "vmm/replay.h"

/* Makes the folder if it is missing. Exits with EXIT_USAGE and one line if nothing can be written in there. */
void artifacts_folder(const char *dir);

/* Writes the files of one case that has been replayed, each whole or not at all, into a folder of its own. What an older run left
 * under the same name is replaced. */
void artifacts_write(const char *dir, const struct replay *r, const struct session *s);

/* Replays the first case of each group of violations, of as many groups as a person looks at, and writes it. */
void artifacts_of_run(const char *dir, const struct plan *p, const struct bench *bench);

#endif
