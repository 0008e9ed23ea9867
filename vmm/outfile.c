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

/* The file that the name leads to, through links; a name that does not exist yet is itself. */
static void resolve(struct outfile *o, const char *path)
{
	char *real = realpath(path, NULL);

	if (strlen(real ? real : path) >= sizeof(o->path))
		die(EXIT_USAGE, "%.40s...: the file's name is too long", path);
	strcpy(o->path, real ? real : path);
	free(real);
}

static FILE *open_temporary(struct outfile *o)
{
	int fd;

	snprintf(o->temporary, sizeof(o->temporary), "%s.XXXXXX", o->path);
	fd = mkstemp(o->temporary);
	if (fd < 0)
		return NULL;
	remember(o);
	return fdopen(fd, "w");
}

FILE *outfile_open(struct outfile *o, const char *path)
{
	struct stat st;

	memset(o, 0, sizeof(*o));
	if (!strcmp(path, "-"))
		return o->file = stdout;
	if (!*path)
		die(EXIT_USAGE, "a file's name is empty");
	resolve(o, path);
	if (stat(o->path, &st) || S_ISREG(st.st_mode))
		o->file = open_temporary(o);
	else
		o->file = fopen(o->path, "w");
	if (!o->file)
		die_errno(EXIT_USAGE, "%s", path);
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
	bool bad = ferror(o->file);

	if (o->file == stdout)
		return;                 /* main() looks at it at the end */
	bad |= fclose(o->file) != 0;
	if (!bad && o->temporary[0])
		bad = chmod_plain(o->temporary) || rename(o->temporary, o->path);
	if (bad)
		die_errno(EXIT_USAGE, "%s", o->path);
	replace(o, NULL);
}
