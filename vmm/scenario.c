/* SPDX-License-Identifier: MIT */
/* scenario.c: scenario files: reading one, with errors as file:line, and listing a directory. */
#include "vmm/scenario.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmm/die.h"
#include "vmm/scenario_keys.h"

#define SUFFIX ".scn"
#define NAME_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"

struct parse {
	FILE *file;
	struct scenario *out;
	int line;
	bool seen[SCENARIO_KEYS];
	char why[400];                  /* the first reason, "" if none, and its line */
	int why_line;
};

#define REFUSE(p, ...) refuse(p, (snprintf(reason, sizeof(reason), __VA_ARGS__), reason))

/* Returns 0, which is how a handler tells inih of a failure. */
static int refuse(struct parse *p, const char *reason)
{
	if (!*p->why) {
		p->why_line = p->line;
		snprintf(p->why, sizeof(p->why), "%s", reason);
	}
	return 0;
}

/* A byte that no text has, a NUL above all, would hide what follows it. */
static bool is_text(int c)
{
	return !iscntrl(c) || c == '\t' || c == '\r' || c == '\n';
}

/* Debian's inih does not tell its handler the line, so the reader counts. It takes an indented line for more of the
 * value above, which nothing here has. */
static char *read_line(char *buf, int size, void *arg)
{
	struct parse *p = arg;
	bool text = true;
	char reason[80];
	int c = 0, n = 0;

	for (; n < size - 1 && c != '\n' && (c = getc(p->file)) != EOF; buf[n++] = c)
		text &= is_text(c);
	buf[n] = '\0';
	if (!n)
		return NULL;
	p->line++;
	if (!text)
		refuse(p, "the line is not text");
	if (c != '\n' && c != EOF)
		REFUSE(p, "the line is too long: %d characters at most", size - 2);
	if (strchr(" \t", *buf) && buf[strspn(buf, " \t\r\n")])
		refuse(p, "the line begins with white space");
	return buf;
}

static int on_key(void *arg, const char *section, const char *name, const char *value)
{
	struct parse *p = arg;
	char reason[sizeof(p->why)];
	size_t i;

	if (*section && strcmp(section, "scenario"))
		return REFUSE(p, "unknown section [%.60s]", section);
	if (!strcmp(name, "pin"))
		return scenario_pin_add(p->out, p->line, value, reason, sizeof(reason)) ? 1 : refuse(p, reason);
	for (i = 0; i < SCENARIO_KEYS; i++) {
		if (strcmp(scenario_keys[i].name, name))
			continue;
		if (p->seen[i])
			return REFUSE(p, "%s is given twice", name);
		p->seen[i] = true;
		if (!scenario_keys[i].set(p->out, value))
			return REFUSE(p, "bad value of %s: must be %s", name, scenario_keys[i].wants);
		return 1;
	}
	return REFUSE(p, "unknown key '%.60s'", name);
}

static void parse_file(struct parse *p)
{
	int bad = ini_parse_stream(read_line, p, on_key, p);
	char reason[sizeof(p->why)];
	const struct pin *pin;
	size_t i;

	if (bad > 0 && (!*p->why || bad < p->why_line)) {
		p->why_line = bad;
		snprintf(p->why, sizeof(p->why), "neither 'key = value' nor a comment");
	}
	for (i = 0; i < SCENARIO_KEYS; i++)
		if (!scenario_keys[i].optional && !p->seen[i])
			REFUSE(p, "missing key '%s'", scenario_keys[i].name);
	pin = scenario_pin_left_out(p->out, reason, sizeof(reason));
	if (pin && !*p->why) {
		p->line = pin->line;
		refuse(p, reason);
	}
}

bool scenario_timer_migrates(const struct scenario *s)
{
	return s->cmdline >> CMDLINE_TIMER_MIGRATE & 1;
}

enum scheme scenario_scheme(const struct scenario *s, enum scheme asked)
{
	return s->cmdline >> CMDLINE_NOFSGSBASE & 1 ? SCHEME_SWAPGS : asked;
}

/* The file's name without directory and .scn; it is part of case ids. */
static bool set_name(struct scenario *s, const char *path)
{
	const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	size_t n = strlen(base), suffix = strlen(SUFFIX);

	if (n <= suffix || strcmp(base + n - suffix, SUFFIX) || n - suffix >= sizeof(s->name) ||
	    strspn(base, NAME_CHARS) != n)
		return false;
	memcpy(s->name, base, n - suffix);
	return (size_t)snprintf(s->path, sizeof(s->path), "%s", path) < sizeof(s->path);
}

/* NULL with errno for what is not a regular file; never hangs on a FIFO. */
static FILE *open_regular(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0)
		return NULL;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode))
		return fdopen(fd, "r");
	close(fd);
	errno = EINVAL;
	return NULL;
}

bool scenario_parse(FILE *file, const char *path, struct scenario *out, char *err, size_t err_size)
{
	struct parse p = { .out = out, .file = file };

	memset(out, 0, sizeof(*out));
	if (!set_name(out, path)) {
		snprintf(err, err_size, "%s: a scenario file is called NAME.scn, NAME of letters, digits and _.-", path);
		return false;
	}
	parse_file(&p);
	if (ferror(file)) {
		snprintf(err, err_size, "%s: cannot be read", path);
		return false;
	}
	if (*p.why)
		snprintf(err, err_size, "%s:%d: %s", path, p.why_line ? p.why_line : 1, p.why);
	return !*p.why;
}

bool scenario_read(const char *path, struct scenario *out, char *err, size_t err_size)
{
	FILE *file = open_regular(path);
	bool good;

	if (!file) {
		snprintf(err, err_size, "%s: %s", path, errno == EINVAL ? "not a regular file" : strerror(errno));
		return false;
	}
	good = scenario_parse(file, path, out, err, err_size);
	fclose(file);
	return good;
}

static int is_scenario(const struct dirent *d)
{
	size_t n = strlen(d->d_name), suffix = strlen(SUFFIX);

	return d->d_name[0] != '.' && n > suffix && !strcmp(d->d_name + n - suffix, SUFFIX);
}

/* Not alphasort, whose order depends on the locale. */
static int by_file(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct scenario *)a)->name, ((const struct scenario *)b)->name);
}

int scenario_list(const char *dir, struct scenario **out, char *err, size_t err_size)
{
	struct dirent **entry;
	int i, n = scandir(dir, &entry, is_scenario, by_file);
	bool good = true;
	char path[512];

	*out = NULL;
	if (n < 0) {
		snprintf(err, err_size, "%s: %s", dir, strerror(errno));
		return -1;
	}
	*out = xcalloc(n, sizeof(**out));
	for (i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, entry[i]->d_name);
		good = good && scenario_read(path, &(*out)[i], err, err_size);
		free(entry[i]);
	}
	free(entry);
	if (good) {
		qsort(*out, n, sizeof(**out), by_name);
		return n;
	}
	free(*out);
	*out = NULL;
	return -1;
}
