/* SPDX-License-Identifier: MIT */
/* facts_qemu.c: what the QEMU of this host does with the image under test, measured for doctor. */
#include "vmm/facts_qemu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest/abi.h"
#include "vmm/die.h"
#include "vmm/gdb.h"
#include "vmm/qemu.h"

#define ANSWER_SECONDS 5.0
#define MOST_BOUNDARIES 1000
#define MOST_SHARED 100                /* visits of one address by one handler */
#define USER_GS 0x1000
#define CMDLINE "scheme=ist program=syscall gs=0x1000 lapic"
#define EFER_NEEDED 0x501               /* LMA LME SCE */
/* CPU and bank; UC and what else a bank with nothing more to tell says; MCG_STATUS with MCIP and RIPV. */
#define MCE_COMMAND "mce 0 1 0xb000100000000000 5 0 0"

enum place { PLACE_START, PLACE_USER, PLACE_ENTRY, PLACE_NMI, PLACE_MCE, PLACE_DB, PLACE_K, PLACE_CMDLINE, PLACE_COUNT };

static const char *const symbols[PLACE_COUNT] = {
	"_start", "user_syscall", "entry_SYSCALL_64", "asm_exc_nmi_ist", "asm_exc_machine_check_ist", "asm_exc_debug_ist",
	"percpu_areas", "boot_cmdline",
};

/* One QEMU at a time, each for one question; all of them go the same way. */
struct look {
	const char *path;               /* of QEMU */
	const struct elf *elf;
	uint64_t at[PLACE_COUNT];
	struct qemu_facts *out;
	struct qemu qemu;
	struct gdb gdb;
	struct cpu_state now;
	struct cpu_state way[MOST_BOUNDARIES + 1];      /* of a system call; the last one is user code again */
	unsigned count;
};

/* The first one stands. */
static bool complain(struct look *l, const char *what)
{
	char end[400];

	qemu_describe(&l->qemu, end, sizeof(end));
	if (!l->out->why[0])
		snprintf(l->out->why, sizeof(l->out->why), "%.300s: %s%s%s", l->path, what, *end ? ": " : "", end);
	return false;
}

static bool run_to(struct look *l, uint64_t at)
{
	return gdb_break(&l->gdb, at, true) && gdb_go(&l->gdb) && gdb_break(&l->gdb, at, false) && gdb_state(&l->gdb, &l->now) &&
	       l->now.rip == at;
}

static bool write_cmdline(struct look *l)
{
	char *line = mem_at(&l->qemu.ram, l->at[PLACE_CMDLINE] - ABI_KERNEL_VIRT, ABI_CMDLINE_SIZE);

	if (line)
		strcpy(line, CMDLINE);
	return line;
}

/* At the image's entry RAM must be as the bench's own loader has it: other bytes are another kernel. */
static bool ram_is_image(struct look *l)
{
	uint64_t from = l->at[PLACE_START] - ABI_KERNEL_VIRT, size;
	struct mem m;
	char err[200];
	bool same;

	mem_init(&m, ABI_RAM_SIZE);
	size = from < ABI_RAM_SIZE ? ABI_RAM_SIZE - from : 0;
	same = elf_load(l->elf, &m, err, sizeof(err)) && mem_at(&m, l->at[PLACE_CMDLINE] - ABI_KERNEL_VIRT, sizeof(CMDLINE));
	if (same) {
		strcpy(mem_at(&m, l->at[PLACE_CMDLINE] - ABI_KERNEL_VIRT, sizeof(CMDLINE)), CMDLINE);
		same = !memcmp(mem_at(&m, from, size), mem_at(&l->qemu.ram, from, size), size);
	}
	mem_free(&m);
	return same;
}

static bool boot(struct look *l)
{
	if (!write_cmdline(l))
		return complain(l, "boot_cmdline lies outside RAM");
	if (!run_to(l, l->at[PLACE_START]))
		return complain(l, "the image's entry is not reached");
	if (!ram_is_image(l))
		return complain(l, "RAM is not what the image says");
	return run_to(l, l->at[PLACE_USER]) || complain(l, "user code is not reached");
}

/* A QEMU with its guest at the first instruction of the system call's entry. */
static bool open_look(struct look *l)
{
	char err[400];

	if (!qemu_start(&l->qemu, l->path, elf_path(l->elf), err, sizeof(err))) {
		l->qemu.pid = -1;
		snprintf(l->out->why, sizeof(l->out->why), "%s", err);
		return false;
	}
	if (gdb_open(&l->gdb, l->qemu.gdb, ANSWER_SECONDS)) {
		l->out->answer = QEMU_ANSWERS;
		if (boot(l) && (run_to(l, l->at[PLACE_ENTRY]) || complain(l, "the system call's entry is not reached")))
			return true;
	} else {
		complain(l, l->gdb.trouble);
	}
	qemu_stop(&l->qemu);
	return false;
}

/* Single steps through a whole system call. */
static void see_way(struct look *l)
{
	while (l->count < MOST_BOUNDARIES && cpu_cpl(&l->now) == 0) {
		l->way[l->count++] = l->now;
		if (!gdb_step(&l->gdb) || !gdb_state(&l->gdb, &l->now))
			return;
	}
	l->way[l->count] = l->now;
	l->out->boundaries = cpu_cpl(&l->now) == 3 ? l->count : 0;
	l->out->state = l->way[0].a == USER_GS && l->way[0].i == l->at[PLACE_K] && l->way[0].cr4 & CR4_FSGSBASE &&
			(l->way[0].efer & EFER_NEEDED) == EFER_NEEDED;
}

static bool is_same(const struct cpu_state *x, const struct cpu_state *y)
{
	return x->rip == y->rip && x->rflags == y->rflags && x->cs == y->cs && x->a == y->a && x->i == y->i &&
	       !memcmp(x->gpr, y->gpr, sizeof(x->gpr));
}

static void see_stops(struct look *l)
{
	while (is_same(&l->now, &l->way[l->out->same]) && ++l->out->same < l->count)
		if (!run_to(l, l->way[l->out->same].rip))
			return;
}

/* Is an event at its gate, with these bases, and is its frame on top of the stack with this RIP? */
static bool came(struct look *l, uint64_t gate, const struct cpu_state *bases, const struct cpu_state *saved)
{
	uint64_t rip;

	return l->now.rip == gate && l->now.a == bases->a && l->now.i == bases->i &&
	       gdb_read(&l->gdb, l->now.gpr[GPR_RSP], &rip, sizeof(rip)) && rip == saved->rip;
}

/* The handler may come to the same address, on its own stack. */
static bool run_back(struct look *l, const struct cpu_state *here)
{
	for (unsigned n = 0; n < MOST_SHARED && run_to(l, here->rip); n++) {
		if (l->now.gpr[GPR_RSP] == here->gpr[GPR_RSP])
			return is_same(&l->now, here);
		if (!gdb_step(&l->gdb))
			return false;
	}
	return false;
}

/* Raised here and nowhere else: the next boundary is a stop, too. */
static bool raise_here(struct look *l, const char *command, uint64_t gate, unsigned n)
{
	struct gdb *g = &l->gdb;
	const struct cpu_state *here = &l->way[n], *next = &l->way[n + 1];

	return gdb_break(g, next->rip, true) && gdb_monitor(g, command) && run_to(l, gate) && gdb_break(g, next->rip, false) &&
	       came(l, gate, here, here);
}

/* At each boundary of the way. Whether it comes is QEMU's answer; whether the guest comes back from it is the image's. */
static void see_event(struct look *l, const char *command, uint64_t gate, struct qemu_event *out)
{
	for (unsigned n = 0; n < l->count && !out->stuck && raise_here(l, command, gate, n); n++) {
		out->came = n + 1;
		out->stuck = !run_back(l, &l->way[n]) || !run_to(l, l->way[n + 1].rip);
	}
}

static void see_nmi(struct look *l)
{
	see_event(l, "nmi", l->at[PLACE_NMI], &l->out->nmi);
}

static void see_mce(struct look *l)
{
	see_event(l, MCE_COMMAND, l->at[PLACE_MCE], &l->out->mce);
}

/* The first kernel instruction with RFLAGS.TF: #DB at the second. The guest's handler expects no such #DB, so this is the last
 * that is asked of it. */
static void see_trap(struct look *l)
{
	l->out->trap = l->count > 1 && gdb_set_flags(&l->gdb, l->now.rflags | RFLAGS_TF) && run_to(l, l->at[PLACE_DB]) &&
		       came(l, l->at[PLACE_DB], &l->way[1], &l->way[1]);
}

static bool find_places(struct look *l)
{
	for (enum place p = 0; p < PLACE_COUNT; p++) {
		const struct elf_symbol *s = elf_symbol(l->elf, symbols[p]);

		if (!s) {
			snprintf(l->out->why, sizeof(l->out->why), "%s: no symbol %s", elf_path(l->elf), symbols[p]);
			return false;
		}
		l->at[p] = s->addr;
	}
	return true;
}

static bool ask(struct look *l, void (*see)(struct look *l))
{
	if (!open_look(l))
		return false;
	see(l);
	if (l->gdb.trouble[0])
		complain(l, l->gdb.trouble);
	qemu_stop(&l->qemu);
	return !l->gdb.trouble[0];
}

static void look_at(struct look *l)
{
	struct qemu_facts *f = l->out;

	if (!find_places(l)) {
		f->answer = QEMU_ANSWERS;       /* as far as it was asked: the image is to blame */
		return;
	}
	f->boots = ask(l, see_way);
	if (f->boots && f->boundaries && ask(l, see_stops) && ask(l, see_nmi) && ask(l, see_mce))
		ask(l, see_trap);
}

void facts_qemu(const struct elf *elf, struct qemu_facts *out)
{
	struct look *l = xcalloc(1, sizeof(*l));
	char path[4096];

	memset(out, 0, sizeof(*out));
	l->elf = elf;
	l->out = out;
	l->path = path;
	if (qemu_find(path, sizeof(path))) {
		out->answer = QEMU_USELESS;
		if (qemu_version(path, out->version, sizeof(out->version), out->why, sizeof(out->why)))
			look_at(l);
	}
	free(l);
}
