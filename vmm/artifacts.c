/* SPDX-License-Identifier: MIT */
/* artifacts.c: folders with what a bug report needs, one a case. */
#include "vmm/artifacts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "vmm/die.h"
#include "vmm/groups.h"
#include "vmm/outfile.h"
#include "vmm/qemu_pool.h"

#define MOST_CASES 20
#define PATH_SIZE 4000

static void make_folder(const char *path)
{
	if (mkdir(path, 0777) && errno != EEXIST)
		die_errno(EXIT_USAGE, "%s", path);
}

void artifacts_folder(const char *dir)
{
	char probe[PATH_SIZE];

	if (!*dir || strlen(dir) > PATH_SIZE - CASEID_SIZE - 20)
		die(EXIT_USAGE, "%.40s: the folder's name is %s", dir, *dir ? "too long" : "empty");
	make_folder(dir);
	snprintf(probe, sizeof(probe), "%s/.XXXXXX", dir);
	if (!mkdtemp(probe))
		die_errno(EXIT_USAGE, "%s", dir);
	rmdir(probe);
}

/* The two characters of a case id that file systems or archives refuse. */
static void safe_name(const char *id, char *out, size_t out_size)
{
	snprintf(out, out_size, "%s", id);
	for (char *c = out; *c; c++)
		if (*c == '/' || *c == ':')
			*c = '=';
}

static void write_scenario(FILE *f, const struct scenario *scenario)
{
	FILE *in = fopen(scenario->path, "r");
	char part[4096];
	size_t n;

	fprintf(f, "\nscenario %s:\n\n", scenario->name);
	if (!in) {
		fprintf(f, "(%s: %s)\n", scenario->path, strerror(errno));
		return;
	}
	while ((n = fread(part, 1, sizeof(part), in)))
		fwrite(part, 1, n, f);
	fclose(in);
}

static void write_case(FILE *f, const struct replay *r, const struct session *s)
{
	const struct breach *b = &r->result.breach, *golden = &r->unit->golden.breach;
	char name[160];

	fprintf(f, "case: %s\n", r->text);
	if (r->unit->golden.broken)
		fprintf(f, "golden: %s: %s\n", rule_name(golden->rule), golden->detail);
	if (b->broken) {
		elf_name(s->bench->elf, b->rip, name, sizeof(name));
		fprintf(f, "rule: %s\ndetail: %s\nstop: %s\nrip: %s\nseen: A %#lx, I %#lx\n", rule_name(b->rule), b->detail, b->at, name,
			(unsigned long)b->a, (unsigned long)b->i);
	}
	if (b->expects)
		fprintf(f, "expected: A %#lx, I %#lx\n", (unsigned long)b->expected_a, (unsigned long)b->expected_i);
	fprintf(f, "bases: K %#lx, U %#lx\nverdict: %s\n", (unsigned long)s->layout.k_own, (unsigned long)s->u,
		b->broken ? "broken" : r->result.death ? death_name(r->result.death) : "good");
	write_scenario(f, s->unit.scenario);
}

static void write_trace(FILE *f, const struct replay *r, const struct session *s)
{
	replay_print(f, r, s);
}

static void write_stack(FILE *f, const struct replay *r, const struct session *s)
{
	dump_print_stack(f, &r->dump, s);
}

static void write_percpu(FILE *f, const struct replay *r, const struct session *s)
{
	dump_print_percpu(f, &r->dump, s);
}

/* "kvm", or "qemu 7.2.22": libvirt's QEMU does not say its version. */
static void name_engine(const struct host *h, char *out, size_t out_size)
{
	const char *version = h->qemu ? h->qemu->version : "";

	snprintf(out, out_size, "%s%s%s", h->engine->name, *version ? " " : "", version);
}

static void write_versions(FILE *f, const struct replay *r, const struct session *s)
{
	const struct bench *bench = s->bench;
	struct utsname u;
	char engine[80];

	(void)r;
	name_engine(&bench->host, engine, sizeof(engine));
	uname(&u);
	fprintf(f, "gsgate: built by gcc %s\nimage: %s\nimage_hash: 0x%016lx\nengine: %s\nhost: %s %s %s %s\n", __VERSION__,
		elf_path(bench->elf), (unsigned long)elf_text_hash(bench->elf),
		engine, u.sysname, u.release, u.version, u.machine);
}

static void write_replay(FILE *f, const struct replay *r, const struct session *s)
{
	char line[RECORD_REPLAY_LINE];

	record_replay_line(&s->unit, s->bench, r->text, line, sizeof(line));
	fprintf(f, "%s --image 0x%016lx\n", line, (unsigned long)elf_text_hash(s->bench->elf));
}

void artifacts_write(const char *dir, const struct replay *r, const struct session *s)
{
	static const struct {
		const char *name;
		void (*write)(FILE *f, const struct replay *r, const struct session *s);
	} file[] = {
		{ "case", write_case }, { "trace", write_trace }, { "stack", write_stack }, { "percpu", write_percpu },
		{ "versions", write_versions }, { "replay", write_replay },
	};
	char name[CASEID_SIZE], folder[PATH_SIZE], path[PATH_SIZE + 20];
	struct outfile out;

	safe_name(r->text, name, sizeof(name));
	snprintf(folder, sizeof(folder), "%s/%s", dir, name);
	make_folder(folder);
	for (size_t n = 0; n < sizeof(file) / sizeof(file[0]); n++) {
		snprintf(path, sizeof(path), "%s/%s", folder, file[n].name);
		outfile_open(&out, path);
		file[n].write(out.file, r, s);
		outfile_commit(&out);
	}
}

static void write_group(const char *dir, const struct group *g, const struct bench *bench)
{
	struct replay *r = xcalloc(1, sizeof(*r));
	struct session *s = xcalloc(1, sizeof(*s));
	char id[CASEID_SIZE], err[RECORD_ERROR];

	record_case_id(g->unit, bench, g->first->visit, g->event, id, sizeof(id));
	*r = (struct replay){ .text = id, .bench = bench, .unit = g->unit, .target = g->first->visit };
	if (caseid_parse(id, &r->id, err, sizeof(err)) && replay_case(r, s, err, sizeof(err))) {
		artifacts_write(dir, r, s);
		session_close(s);
	} else {
		warn("no artifacts: %s", err);
	}
	replay_free(r);
	free(r);
	free(s);
}

void artifacts_of_run(const char *dir, const struct plan *p, const struct bench *bench)
{
	struct groups g;

	groups_make(&g, p, bench);
	for (unsigned n = 0; n < g.count && n < MOST_CASES; n++)
		write_group(dir, &g.group[n], bench);
	groups_free(&g);
}
