/* SPDX-License-Identifier: MIT */
/* outfile.h: a file that appears under its name only when it is complete. A device or pipe is written as it is. */
#ifndef VMM_OUTFILE_H
#define VMM_OUTFILE_H

#include <stdio.h>

struct outfile {
	FILE *file;
	char path[4096], temporary[4110]; /* temporary: "" if there is none */
};

/* "-" is stdout. At most four files may be open; one never committed leaves nothing behind at exit. Both exit with EXIT_USAGE and one line if the file cannot be written. */
FILE *outfile_open(struct outfile *o, const char *path);
void outfile_commit(struct outfile *o);

#endif
