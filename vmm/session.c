/* SPDX-License-Identifier: MIT */
/* session.c: one guest, booted to its first user instruction. */
#include "vmm/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/ahead.h"
#include "vmm/noswapgs.h"
#include "vmm/smp.h"

void unit_name(const struct unit *u, char *out, size_t out_size)
{
	snprintf(out, out_size, "%s/%s/%s", u->scenario->name, scheme_name(u->scheme), gsvalue_name(u->gs));
}

const char *session_lacks(const struct host_facts *f, enum scheme scheme)
{
	if (scheme == SCHEME_SWAPGS)
		return NULL;
	if (!f->fsgsbase)
		return "this host does not execute RD/WRGSBASE in a guest";
	if (scheme == SCHEME_LSL && !f->lsl)
		return "no LSL of a guest kernel runs on this host, nor can the bench execute it";
	return NULL;
}

static const char *const panic_names[] = {
	[ABI_PANIC_ASSERT] = "a check of the C half failed", [ABI_PANIC_TRAP] = "an unexpected exception",
	[ABI_PANIC_IST_SLOT] = "the K slot of an IST stack was overwritten",
	[ABI_PANIC_CMDLINE] = "a word on the command line is unknown",
};

static const char *panic_name(uint64_t reason)
{
	bool known = reason < sizeof(panic_names) / sizeof(panic_names[0]) && panic_names[reason];

	return known ? panic_names[reason] : "unknown reason";
}

void session_describe_stop(struct session *s, const struct stop *stop, char *out, size_t out_size)
{
	struct cpu_state now = { 0 };
	char rip[128], why[400] = "";

	machine_get(&s->machine, MACHINE_CORE, &now);
	elf_name(s->bench->elf, now.rip, rip, sizeof(rip));
	if (stop->kind == STOP_PANIC)
		snprintf(why, sizeof(why), ": %s%s%s", panic_name(stop->value), s->run.console_used ? ": " : "",
			 s->run.console_used ? s->run.console : "");
	else if (stop->kind == STOP_HALT && insn_starts_has(&s->no_swapgs, now.rip - 1))
		snprintf(why, sizeof(why), ": SWAPGS executed under pure");
	else if (stop->kind == STOP_INTERNAL || stop->kind == STOP_EXIT || stop->kind == STOP_DONE)
		snprintf(why, sizeof(why), " (%lu)", (unsigned long)stop->value);
	snprintf(out, out_size, "%s at %s%s; CPL %u A %#lx RSP %#lx CR2 %#lx", stop_name(stop->kind), rip, why,
		 cpu_cpl(&now), (unsigned long)now.a, (unsigned long)now.gpr[GPR_RSP], (unsigned long)now.cr2);
}

void session_read(struct session *s, gva_t at, void *out, size_t size)
{
	memset(out, 0, size);
	mem_read(&s->machine.mem, machine_sregs(&s->machine)->cr3, at, out, size);
}

/* A scheme without FSGSBASE can meet the values that only WRGSBASE sets if FSGSBASE is left on: asked for by name. */
static bool user_has_fsgsbase(const struct unit *u)
{
	return unit_scheme(u) != SCHEME_SWAPGS || !gsvalue_legal(u->gs, unit_scheme(u));
}

static uint64_t u_of(const struct session *s, unsigned cpu)
{
	return gsvalue_on(cpu, gsvalue_resolve(s->unit.gs, cpu ? s->layout.k_other : s->layout.k_own,
					       cpu ? s->layout.k_own : s->layout.k_other), s->unit.gs);
}

static void write_cmdline(struct session *s)
{
	char *line = mem_at(&s->machine.mem, s->layout.cmdline - ABI_KERNEL_VIRT, ABI_CMDLINE_SIZE);
	const struct unit *u = &s->unit;
	int used;

	used = snprintf(line, ABI_CMDLINE_SIZE, "scheme=%s program=%s gs=0x%lx flags=0x%lx%s", scheme_name(u->scheme),
		 u->scenario->program, (unsigned long)s->u, (unsigned long)s->flags,
		 u->scheme == SCHEME_SWAPGS && user_has_fsgsbase(u) ? " fsgsbase" : "");
	if (u->scenario->threads > u->scenario->cpus)
		used += snprintf(line + used, ABI_CMDLINE_SIZE - used, " threads=%#x", u->scenario->threads);
	for (enum cmdline_word n = 0; n < CMDLINE_WORDS; n++)
		if (u->scenario->cmdline >> n & 1)
			used += snprintf(line + used, ABI_CMDLINE_SIZE - used, " %s", cmdline_word_name(n));
	if (s->cpus > 1)
		snprintf(line + used, ABI_CMDLINE_SIZE - used, " cpus=0x%x gs1=0x%lx", s->cpus, (unsigned long)u_of(s, 1));
}

static bool load_image(struct session *s, char *err, size_t err_size)
{
	struct mem *m = &s->machine.mem;

	if (!elf_load(s->bench->elf, m, err, err_size) || !layout_init(&s->layout, s->bench->elf, m, err, err_size))
		return false;
	s->u = u_of(s, 0);
	if (!mem_at(m, s->layout.cmdline - ABI_KERNEL_VIRT, ABI_CMDLINE_SIZE)) {
		snprintf(err, err_size, "%s: boot_cmdline lies outside RAM", elf_path(s->bench->elf));
		return false;
	}
	write_cmdline(s);
	return true;
}

/* Text may be stopped at once it is known where it lies: kernel text by its fixed mapping, user text by the guest's
 * own page tables, which are part of the image. */
static bool add_text(struct session *s, char *err, size_t err_size)
{
	const struct range *k = &s->layout.text, *u = &s->layout.user_text;
	struct mem *m = &s->machine.mem;
	gpa_t user_gpa;

	if (!mem_walk(m, s->layout.page_table, u->start, &user_gpa, NULL) ||
	    !mem_at(m, user_gpa, u->end - u->start)) {
		snprintf(err, err_size, "%s: user text is not mapped", elf_path(s->bench->elf));
		return false;
	}
	s->stops.apart = !s->machine.engine->stops_are_bytes;
	if (s->judge.scheme == SCHEME_PURE)
		noswapgs(mem_at(m, k->start - ABI_KERNEL_VIRT, k->end - k->start), k->start, k->end - k->start, &s->no_swapgs);
	stops_add(&s->stops, m, k->start, k->start - ABI_KERNEL_VIRT, k->end - k->start);
	stops_add(&s->stops, m, u->start, user_gpa, u->end - u->start);
	return true;
}

/* Of user_NAME, user_NAME_2, user_NAME_cpu1 or user_NAME_cpu1_2; 0 with a line in err. */
static uint64_t find_program(struct session *s, const char *suffix, char *err, size_t err_size)
{
	const struct scenario *scenario = s->unit.scenario;
	const struct elf_symbol *entry;
	char name[64];

	snprintf(name, sizeof(name), "user_%s%s", scenario->program, suffix);
	entry = elf_symbol(s->bench->elf, name);
	if (entry && range_has(&s->layout.user_text, entry->addr))
		return entry->addr;
	snprintf(err, err_size, "%s: no user program %s (symbol %s)", scenario->path, scenario->program, name);
	return 0;
}

/* The threads of CPU n. */
static bool init_thread(struct session *s, unsigned n, char *err, size_t err_size)
{
	bool second = s->unit.scenario->threads > s->cpus;
	struct model_boot boot = {
		.gs = u_of(s, n), .flags = s->flags, .fsgsbase = user_has_fsgsbase(&s->unit), .cpu = n, .cpus = s->cpus,
		.fsgsbase_can_be_off = s->bench->facts.fsgsbase_can_be_off,
		.absent_ss_is_np = s->bench->facts.absent_ss_is_np,
	};
	uint64_t size;

	boot.entry = find_program(s, n ? "_cpu1" : "", err, err_size);
	boot.entry_2 = second ? find_program(s, n ? "_cpu1_2" : "_2", err, err_size) : 0;
	if (!boot.entry || (second && !boot.entry_2))
		return false;
	boot.text = stops_text(&s->stops, s->layout.user_text.start, &size);
	boot.text_size = size;
	model_init(&s->thread[n].model, &boot);
	s->thread[n].next = s->thread[n].model;
	return true;
}

static bool init_threads(struct session *s, char *err, size_t err_size)
{
	for (unsigned n = 0; n < s->cpus; n++) {
		s->cpu[n].running = n;
		s->cpu[n].u = u_of(s, n);
		if (!init_thread(s, n, err, err_size))
			return false;
	}
	s->model = s->next = s->thread[0].model;
	return true;
}

static struct stop to_return(struct session *s)
{
	stops_clear(&s->stops);
	for (unsigned n = 0; n < s->layout.returns_count; n++)
		stops_set(&s->stops, s->layout.returns[n]);
	return run_to_stop(&s->run);
}

static void read_gates(struct session *s)
{
	struct machine *m = &s->machine;

	layout_read_gates(&s->layout, &m->mem, machine_sregs(m)->cr3, machine_sregs(m)->idt.base);
}

/* CPU 0 waits for the other one, and all that is not that one's own is there: so is the IDT. */
static bool begin_at_boot(struct session *s, char *err, size_t err_size)
{
	bool good = run_init(&s->run, &s->machine, &s->stops);

	if (!good)
		snprintf(err, err_size, "%s: CPU 0 has no IDT when it waits for CPU 1", elf_path(s->bench->elf));
	read_gates(s);
	smp_select(s, 1);
	return good;
}

/* The boot runs without an IDT of the guest's own at first, so no stop is set but the first user instruction's, which
 * arrives as #GP once the gates are there: stop at IRETQ first, read the gates, and go on. */
static bool run_to_user(struct session *s, char *err, size_t err_size)
{
	struct machine *m = &s->machine;
	struct stop stop = to_return(s);

	if (stop.kind == STOP_TURN && !m->cpu && s->unit.scenario->boots)
		return begin_at_boot(s, err, err_size);
	if (stop.kind == STOP_TURN && !m->cpu && s->cpus > 1) {
		smp_select(s, 1);
		if (!run_to_user(s, err, err_size))
			return false;
		smp_select(s, 0);
		stop = to_return(s);
	}
	if (stop.kind == STOP_BOUNDARY && run_init(&s->run, m, &s->stops)) {
		read_gates(s);
		stops_clear(&s->stops);
		stops_set(&s->stops, s->model.rip);
		stop = run_to_stop(&s->run);
	}
	if (stop.kind == STOP_BOUNDARY && machine_regs(m)->rip == s->model.rip)
		return true;
	snprintf(err, err_size, "%s: the guest did not reach user code: ", elf_path(s->bench->elf));
	session_describe_stop(s, &stop, err + strlen(err), err_size - strlen(err));
	return false;
}

/* CPU 0 begins where the image says, others where it says for them; CPU 0 is spoken of afterwards. */
static void start_cpus(struct session *s)
{
	struct machine *m = &s->machine;

	machine_start_at(m, elf_entry(s->bench->elf), s->layout.page_table);
	for (unsigned n = 1; n < s->cpus; n++) {
		machine_add_cpu(m);
		machine_start_at(m, s->layout.secondary, s->layout.page_table);
		machine_flush(m);
		machine_regs(m)->rdi = n;
		machine_touched_regs(m);
	}
	machine_select(m, 0);
}

bool session_open(struct session *s, const struct bench *bench, const struct unit *unit, char *err, size_t err_size)
{
	memset(s, 0, sizeof(*s));
	s->bench = bench;
	s->unit = *unit;
	s->cpus = unit->scenario->cpus > 1 ? unit->scenario->cpus : 1;  /* what is only measured with says nothing */
	s->turns = s->cpus > 1 ? unit->scenario->turns : 0;
	s->flags = unit->scenario->flags & ~(bench->facts.user_keeps_nt ? 0 : RFLAGS_NT);
	s->judge.layout = &s->layout;
	s->judge.scheme = unit_scheme(unit);
	s->judge.faults_keep_rf = !bench->facts.faults_set_rf;
	machine_create(&s->machine, (struct host *)&bench->host, ABI_RAM_SIZE);
	if (load_image(s, err, err_size) && add_text(s, err, err_size) && init_threads(s, err, err_size)) {
		s->run.machine = &s->machine;
		s->run.stops = &s->stops;
		start_cpus(s);
		if (run_to_user(s, err, err_size)) {
			stops_clear(&s->stops);
			machine_collect_dirty(&s->machine);
			memcpy(s->machine.reference, mem_at(&s->machine.mem, 0, ABI_RAM_SIZE), ABI_RAM_SIZE);
			return true;
		}
	}
	session_close(s);
	return false;
}

void session_close(struct session *s)
{
	stops_free(&s->stops);
	insn_starts_free(&s->no_swapgs);
	free(s->ahead);
	free(s->outer);
	free(s->meanwhile);
	machine_destroy(&s->machine);
}
