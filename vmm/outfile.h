/* SPDX-License-Identifier: MIT */
/* outfile.h: a file that appears under its name only when it is complete. */
#ifndef VMM_OUTFILE_H
#define VMM_OUTFILE_H

#include <stdio.h>

struct outfile {
	FILE *file;
	char path[512], temporary[540];
};

/* "-" is stdout. At most four files may be open; one never committed leaves nothing behind at exit. Both exit with EXIT_USAGE and one line if the file cannot be written. */
FILE *outfile_open(struct outfile *o, const char *path);
void outfile_commit(struct outfile *o);

#endif
