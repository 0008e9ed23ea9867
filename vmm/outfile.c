/* SPDX-License-Identifier: MIT */
/* outfile.c: a file that appears under its name only when it is complete. */
#include "vmm/outfile.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmm/die.h"

#define MAX_OPEN 4

static struct outfile *uncommitted[MAX_OPEN];

static void remove_uncommitted(void)
{
	for (unsigned n = 0; n < MAX_OPEN; n++)
		if (uncommitted[n])
			unlink(uncommitted[n]->temporary);
}

static void replace(const struct outfile *old, struct outfile *new)
{
	for (unsigned n = 0; n < MAX_OPEN; n++)
		if (uncommitted[n] == old) {
			uncommitted[n] = new;
			return;
		}
}

static void remember(struct outfile *o)
{
	static bool registered;

	if (!registered && atexit(remove_uncommitted))
		die(EXIT_HOST, "out of memory");
	registered = true;
	replace(NULL, o);
}

FILE *outfile_open(struct outfile *o, const char *path)
{
	int fd;

	memset(o, 0, sizeof(*o));
	if (!strcmp(path, "-"))
		return o->file = stdout;
	if (strlen(path) >= sizeof(o->path))
		die(EXIT_USAGE, "%.40s...: the file's name is too long", path);
	strcpy(o->path, path);
	snprintf(o->temporary, sizeof(o->temporary), "%s.XXXXXX", path);
	fd = mkstemp(o->temporary);
	o->file = fd < 0 ? NULL : fdopen(fd, "w");
	if (!o->file)
		die_errno(EXIT_USAGE, "%s", path);
	remember(o);
	return o->file;
}

/* mkstemp() makes it private; a result is readable as any file the user makes. */
static int chmod_plain(const char *path)
{
	mode_t mask = umask(0);

	umask(mask);
	return chmod(path, 0666 & ~mask);
}


void outfile_commit(struct outfile *o)
{
	if (o->file == stdout) {
		fflush(stdout);
		return;
	}
	if (ferror(o->file) | fclose(o->file) || chmod_plain(o->temporary) || rename(o->temporary, o->path))
		die_errno(EXIT_USAGE, "%s", o->path);
	replace(o, NULL);
}
