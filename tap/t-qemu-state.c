/* SPDX-License-Identifier: MIT */
/* t-qemu-state.c: a QEMU whose state the bench writes: our guest boots that way, its state survives being read and written at each
 * boundary of a system call, and events that are written into it arrive as they must. */
#include "tap/qemu_machine.h"
#include "tap/tap.h"

#define MCE "mce 0 1 0xbc00000000000150 5 0x1000 0x86"
#define MOST_STEPS 400

/* Saved, written and loaded, it is the same again: in our words, and in QEMU's summary of it. */
static bool survives(struct machine_state *s)
{
	struct machine_state again;
	uint64_t hflags;
	bool same;

	save(&stream, s);
	scratch = stream;
	load(&scratch, s);
	same = !memcmp(scratch.bytes, stream.bytes, stream.size);
	hflags = vmstate_get(&stream, VMSTATE_HFLAGS, 0);
	save(&scratch, &again);
	return same && !memcmp(s, &again, sizeof(again)) && vmstate_get(&scratch, VMSTATE_HFLAGS, 0) == hflags;
}

/* With what the gdb stub says. */
static bool agrees(const struct machine_state *s)
{
	const struct kvm_regs *r = &s->regs;
	const struct kvm_sregs *q = &s->sregs;
	const uint64_t gpr[GPR_COUNT] = {
		r->rax, r->rcx, r->rdx, r->rbx, r->rsp, r->rbp, r->rsi, r->rdi, r->r8, r->r9, r->r10, r->r11, r->r12, r->r13, r->r14, r->r15,
	};

	must(gdb_state(&gdb, &now), "state");
	return !memcmp(gpr, now.gpr, sizeof(gpr)) && r->rip == now.rip && r->rflags == now.rflags && q->gs.base == now.a &&
	       s->msr[SAVED_KERNEL_GS_BASE] == now.i && q->fs.base == now.fs_base && q->cs.selector == now.cs &&
	       q->ss.selector == now.ss && q->ds.selector == now.ds && q->es.selector == now.es && q->fs.selector == now.fs &&
	       q->gs.selector == now.gs && q->cr0 == now.cr0 && q->cr2 == now.cr2 && q->cr3 == now.cr3 && q->cr4 == now.cr4 &&
	       q->efer == now.efer;
}

static unsigned walk(uint64_t *way, bool touch, unsigned *spoilt)
{
	struct machine_state s;
	unsigned n = 0;

	for (*spoilt = 0; n < MOST_STEPS && cpu_cpl(&now) == 0; n++) {
		way[n] = now.rip;
		if (touch)
			*spoilt += !survives(&s);
		must(gdb_step(&gdb) && gdb_state(&gdb, &now), "step");
	}
	way[n] = now.rip;
	return n;
}

static uint64_t gate(const struct machine_state *s, unsigned vector)
{
	uint16_t d[8] = { 0 };

	must(mem_read(&qemu.ram, s->sregs.cr3, s->sregs.idt.base + 16 * vector, d, sizeof(d)), "IDT");
	return d[0] | (uint64_t)d[3] << 16 | (uint64_t)d[4] << 32 | (uint64_t)d[5] << 48;
}

/* The frame below this RSP is that of the boundary, with error code 0 if there is one. */
static bool frame_is(const struct machine_state *s, bool error_code)
{
	const uint64_t want[6] = { 0, s->regs.rip, s->sregs.cs.selector, s->regs.rflags, s->regs.rsp, s->sregs.ss.selector };
	unsigned from = error_code ? 0 : 1;
	uint64_t got[6] = { 0 };

	return mem_read(&qemu.ram, now.cr3, now.gpr[GPR_RSP], got, 8 * (6 - from)) && !memcmp(got, want + from, 8 * (6 - from));
}

static void back_to(const struct machine_state *s)
{
	memcpy(all_ram(), ram, qemu.ram.size);
	scratch = stream;
	load(&scratch, s);
}

/* From this state, after this command if it is not NULL: does it come to the gate, with that frame? */
static bool arrives(const struct machine_state *s, const char *command, unsigned vector, const struct machine_state *boundary)
{
	back_to(s);
	must(!command || gdb_monitor(&gdb, command), "command");
	return goes_to(gate(boundary, vector), QEMU_RESET) && cpu_cpl(&now) == 0 && now.a == s->sregs.gs.base &&
	       now.i == s->msr[SAVED_KERNEL_GS_BASE] && frame_is(boundary, vector == 13 || vector == 14);
}

static void vectors(const struct machine_state *at, const char *where)
{
	static const unsigned vector[] = { 1, 13, 14, ABI_VECTOR_IRQ };

	for (unsigned n = 0; n < sizeof(vector) / sizeof(vector[0]); n++) {
		struct machine_state s = *at;

		s.events.exception.injected = vector[n] < 32;
		s.events.interrupt.injected = vector[n] >= 32;
		s.events.exception.nr = s.events.interrupt.nr = vector[n];
		ok(arrives(&s, NULL, vector[n], at), "%s: vector %u arrives with the exact frame", where, vector[n]);
	}
}

/* `next` is where one instruction leads. */
static void nmi(const struct machine_state *at, uint64_t next, const char *where)
{
	struct machine_state s = *at;

	ok(arrives(&s, "nmi", 2, at), "%s: the monitor's NMI arrives", where);
	save(&scratch, &s);
	ok(s.events.nmi.masked && !s.events.nmi.pending, "%s: NMIs are masked then", where);
	s = *at;
	s.events.nmi.pending = 1;
	ok(arrives(&s, NULL, 2, at), "%s: an NMI written as pending arrives", where);
	s.events.nmi.pending = 0;
	s.events.nmi.masked = 1;
	back_to(&s);
	must(gdb_monitor(&gdb, "nmi"), "nmi");
	ok(goes_to(next, gate(at, 2)), "%s: while they are masked it is held", where);
	save(&scratch, &s);
	ok(s.events.nmi.masked && s.events.nmi.pending, "%s: and latched", where);
	s.events.nmi.masked = 0;
	load(&scratch, &s);
	ok(goes_to(gate(at, 2), QEMU_RESET) && frame_is(&s, false), "%s: with the mask written away it arrives", where);
}

static void see_machine_check(const struct machine_state *at, const char *where)
{
	struct machine_state s = *at;

	ok(arrives(&s, MCE, 18, at), "%s: the monitor's machine check arrives", where);
	back_to(at);
	must(gdb_monitor(&gdb, MCE), "mce");
	save(&scratch, &s);
	ok(s.events.exception.pending && s.events.exception.nr == 18 && s.msr[SAVED_MCG_STATUS] == 5 &&
	   s.msr[SAVED_MCI_STATUS + 1] == 0xbc00000000000150 && s.msr[SAVED_MCI_CTL + 1] == ~0ull, "%s: until then it is pending, with its bank", where);
	ok(arrives(&s, NULL, 18, at), "%s: one written as pending arrives", where);
	s = *at;
	s.msr[SAVED_MCG_STATUS] = 4;
	back_to(&s);
	must(gdb_monitor(&gdb, MCE), "mce");
	ok(!goes_to(gate(at, 18), QEMU_RESET) && now.rip == (uint16_t)QEMU_RESET, "%s: with MCIP set the machine is reset", where);
	back_to(at);
	save(&scratch, &s);
	ok(!memcmp(&s, at, sizeof(s)), "%s: and can be loaded again", where);
}

/* The state at another place, changed where it would be the same, written into this one's stream. */
static void another(const struct machine_state *at, const char *where)
{
	struct machine_state s = *at, again;
	uint64_t hflags;

	s.events.nmi.pending = 1;
	must(arrives(&s, NULL, 2, at), "NMI");
	save(&scratch, &s);
	hflags = vmstate_get(&scratch, VMSTATE_HFLAGS, 0);
	for (unsigned n = 0; n < 4; n++)
		s.debug.db[n] ^= 0x10 << n;
	s.debug.dr6 ^= 2;
	s.debug.dr7 = 0x400 | (s.debug.dr7 & 0xff ? 0 : 0x90002);
	s.sregs.cr2 ^= 0x1000;
	s.sregs.fs.base ^= 0x2000;
	for (unsigned n = 0; n < SAVED_MSRS; n++)
		s.msr[n] ^= n == SAVED_LSTAR || n == SAVED_KERNEL_GS_BASE ? 0x10 : 4;
	back_to(&s);
	save(&scratch, &again);
	ok(!memcmp(&s, &again, sizeof(s)) && vmstate_get(&scratch, VMSTATE_HFLAGS, 0) == hflags,
	   "%s: another place's state can be written into this one's", where);
}

static void events(const char *where)
{
	struct machine_state at;

	ok(survives(&at), "%s: the state survives", where);
	ok(agrees(&at), "%s: it is what the gdb stub says", where);
	memcpy(ram, all_ram(), qemu.ram.size);
	vectors(&at, where);
	back_to(&at);
	must(gdb_step(&gdb) && gdb_state(&gdb, &now), "step");
	nmi(&at, now.rip, where);
	see_machine_check(&at, where);
	another(&at, where);
	back_to(&at);
	must(gdb_state(&gdb, &now), "state");
}

static void whole_call(void)
{
	uint64_t way[2][MOST_STEPS + 1];
	unsigned plain, touched, spoilt, none;
	struct machine_state at;

	save(&stream, &at);
	plain = walk(way[0], false, &none);
	memcpy(all_ram(), ram, qemu.ram.size);
	load(&stream, &at);
	must(gdb_state(&gdb, &now), "state");
	touched = walk(way[1], true, &spoilt);
	ok(plain > 20 && plain < MOST_STEPS && plain == touched && !memcmp(way[0], way[1], 8 * (plain + 1)), "a system call goes the same way if it is saved and loaded "
	   "at each of its %u boundaries", plain);
	is_u64(spoilt, 0, "and the state survives at each");
}

int main(int argc, char **argv)
{
	char path[300];

	if (!qemu_find(path, sizeof(path))) {
		printf("1..0 # SKIP there is no %s (Debian: qemu-system-x86)\n", QEMU_PROGRAM);
		return 0;
	}
	plan(1 + 2 * 18 + 2);
	elf = elf_open(argc > 1 ? argv[1] : "build/guest.elf", err, sizeof(err));
	must(elf, "image");
	ram = malloc(ABI_RAM_SIZE);
	boot(path);
	ok(goes_to(symbol("user_syscall"), QEMU_RESET) && cpu_cpl(&now) == 3, "the guest gets from a written state to user code");
	events("CPL 3");
	must(goes_to(symbol("entry_SYSCALL_64"), QEMU_RESET), "system call");
	events("CPL 0");
	whole_call();
	qemu_stop(&qemu);
	free(ram);
	elf_close(elf);
	return done();
}
