/* SPDX-License-Identifier: MIT */
/* replay_gdb.c: a case once more, held at one of its stops for a person's gdb. */
#include "vmm/replay_gdb.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vmm/case.h"
#include "vmm/die.h"
#include "vmm/gdb_serve.h"
#include "vmm/qemu_pool.h"
#include "vmm/record.h"
#include "vmm/walk.h"

static const struct {
	const char *name;
	enum case_stop stop;
} holds[] = {
	[HOLD_BEFORE] = { "boundary", CASE_STOPS },
	[HOLD_GATE] = { "gate", CASE_GATE },
	[HOLD_HANDLER] = { "handler", CASE_HANDLER },
	[HOLD_RETURN] = { "return", CASE_RETURN },
};

/* For a shell, behind a blank; whole where that is possible: the line may be pasted anywhere. */
static void print_path(const char *path)
{
	char whole[PATH_MAX];

	if (realpath(path, whole))
		path = whole;
	if (!path[strspn(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._+-")]) {
		printf("%s", path);
		return;
	}
	putchar('\'');
	for (; *path; path++)
		printf(*path == '\'' ? "'\\''" : "%c", *path);
	putchar('\'');
}

/* Where the image's sources are: in a folder beside it, in the one above it or above this program, or here. The image says their names
 * relative to that. */
static bool find_sources(const char *image, const char *source, char *out, size_t out_size)
{
	const char *slash = strrchr(image, '/');
	int folder = slash ? slash - image + 1 : 0;
	char above[600], file[PATH_MAX];

	options_beside("..", above, sizeof(above));
	for (unsigned n = 0; n < 4; n++) {
		static const char *const where[] = { "src", "..", "", "." };

		if (n == 2)
			snprintf(out, out_size, "%s", above);
		else
			snprintf(out, out_size, "%.*s%s", n < 2 ? folder : 0, image, where[n]);
		if ((size_t)snprintf(file, sizeof(file), "%s/%s", out, source) < sizeof(file) && !access(file, R_OK))
			return true;
	}
	return false;
}

static void print_how(const struct held *h, uint64_t rip)
{
	const char *image = elf_path(h->bench->elf);
	char name[160], line[300], sources[PATH_MAX];

	elf_name(h->bench->elf, rip, name, sizeof(name));
	elf_line(h->bench->elf, rip, line, sizeof(line));
	printf("\nheld at the %s: %s%s%s%s\n", holds[h->hold].name, name, *line ? "  (" : "", line, *line ? ")" : "");
	printf("  in gdb A is $gs_base and I is $k_gs_base; nobody answers the guest's ports; the guest ends when gdb leaves it\n");
	line[strcspn(line, ":")] = '\0';
	printf("gdb ");
	if (*line && find_sources(image, line, sources, sizeof(sources))) {
		printf("-d ");
		print_path(sources);
		printf(" ");
	}
	print_path(image);
	printf(" -ex 'target remote '");
	print_path(h->socket);
	printf("\n");
	if (fflush(stdout))
		die_errno(EXIT_USAGE, "standard output");
}

/* Its exit status is 0 if gdb has asked for its end. */
static __attribute__((noreturn)) void serve(const struct held *h, struct machine *m)
{
	struct qemu *q = &m->qemu->process;
	char end[400];

	print_how(h, machine_regs(m)->rip);
	qemu_vcpu_hand_over(m);
	if (!gdb_serve(q->gdb)) {
		qemu_describe(q, end, sizeof(end));
		if (strncmp(end, "exit status 0", strlen("exit status 0")))
			die(EXIT_HOST, "%s is gone%s%s", QEMU_PROGRAM, *end ? ": " : "", end);
	}
	watchdog_stop();                /* no thread of ours runs into the end of the process */
	qemu_host_close(m->host->qemu);
	exit(EXIT_GOOD);
}

static void seen(struct session *s, enum case_stop stop, void *context)
{
	const struct held *h = context;

	if (stop == holds[h->hold].stop)
		serve(h, &s->machine);
}

static bool visit(struct session *s, const struct place *p, void *context)
{
	struct held *h = context;
	struct case_trace trace = { .seen = seen, .context = h };
	struct case_options options = { .trace = &trace };
	struct case_result result;
	struct case_start start;

	if (p->index != h->target)
		return true;
	walk_pause(s);
	if (h->hold == HOLD_BEFORE)
		serve(h, &s->machine);
	case_begin(s, &start);
	case_inject(s, &start, h->event, &options, &result);
	die(EXIT_BROKEN, "%s: it never comes to the %s: %s", h->text, holds[h->hold].name, result.breach.broken ? result.breach.detail :
	    result.death ? death_meaning(result.death) : "it is over before");
}

void replay_gdb(struct held *h)
{
	struct session *s = xcalloc(1, sizeof(*s));
	struct walk_result golden;
	char err[RECORD_ERROR];

	if (!session_open(s, h->bench, h->unit, err, sizeof(err)))
		die(EXIT_HOST, "%s", err);
	s->judge.muted = h->muted;
	walk_golden(s, visit, h, &golden);
	die(EXIT_HOST, "%s: the golden run is not repeatable", h->text);
}
