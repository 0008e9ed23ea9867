/* SPDX-License-Identifier: MIT */
/* t-libvirt.c: machines by way of libvirt: what one can do, two at once, and one that ends by itself. `t-libvirt URI` asks that
 * hypervisor. `t-libvirt hold N [URI]` starts N machines, says so and waits to be killed, `t-libvirt leave N [URI]` ends without
 * stopping them: for a test that looks at what is left. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tap/tap.h"
#include "vmm/clock.h"
#include "vmm/die.h"
#include "vmm/libvirt.h"
#include "vmm/qemu_state.h"

#define LIMIT 10.0
#define CODE 0x600
#define NMI_HANDLER 0x700
#define STACK 0x8000
#define RESET_VECTOR 0xfffffff0
#define RESET_RIP 0xfff0
#define ROUNDS 50
#define MOST_HELD 4
#define HOLD_SECONDS 60

static struct libvirt l;
static struct gdb g;
static struct vmstate v;
static struct machine_state start;
static char err[400];
static const char *uri;

static double ms_since(double began)
{
	return 1e3 * (clock_now() - began);
}

/* Real mode at CODE; an NMI goes to its handler. */
static void prepare(const char *code, size_t size)
{
	memset(l.ram.ram, 0, 0x1000);
	memcpy(mem_at(&l.ram, CODE, size), code, size);
	*(uint32_t *)mem_at(&l.ram, 2 * 4, 4) = NMI_HANDLER;
	start.regs.rip = CODE;
	start.regs.rsp = STACK;
	start.sregs.cs.base = start.sregs.cs.selector = 0;
}

static bool load(void)
{
	return qemu_state_write(&v, &start, err, sizeof(err)) && qemu_state_load(&g, l.state, &v, err, sizeof(err));
}

static uint64_t go_to(uint64_t at)
{
	struct cpu_state now = { .rip = 0 };

	if (!gdb_break(&g, at, true) || !gdb_go(&g) || !gdb_break(&g, at, false) || !gdb_state(&g, &now))
		printf("# %s\n", g.trouble);
	return now.rip;
}

static void test_start(void)
{
	double began = clock_now();
	struct cpu_state now = { .rip = 0 };
	uint8_t byte = 0;
	bool good = libvirt_start(&l, uri, err, sizeof(err));

	printf("# the first start: %.0f ms\n", ms_since(began));
	if (!ok(good, "a machine starts"))
		die(EXIT_HOST, "%s", err);
	ok(gdb_open(&g, l.gdb, LIMIT) && gdb_state(&g, &now), "its gdb stub answers");
	is_u64(now.rip, RESET_RIP, "it has executed nothing");
	*(uint8_t *)mem_at(&l.ram, CODE, 1) = 0xa5;
	ok(gdb_read(&g, CODE, &byte, 1) && byte == 0xa5, "its RAM is shared");
}

static void test_state(void)
{
	ok(qemu_state_open(&g, err, sizeof(err)) && qemu_state_save(&g, l.state, &v, true, err, sizeof(err)), "its state is saved");
	qemu_state_read(&v, &start);
	qemu_state_nmi_input(&v);
	prepare("\x90\x90\xeb\xfe", 4);
	ok(load(), "and loaded, with other values");
	is_u64(go_to(CODE + 1), CODE + 1, "it runs from there");
}

static void test_nmi(void)
{
	ok(load() && libvirt_nmi(&l), "an NMI is injected");
	is_u64(go_to(NMI_HANDLER), NMI_HANDLER, "and taken");
	is_u64(*(uint16_t *)mem_at(&l.ram, STACK - 6, 2), CODE, "at the boundary where the machine stood");
}

/* INT3 without room in the IDT for it, nor for what comes of that. */
static void test_triple_fault(void)
{
	uint16_t limit = start.sregs.idt.limit;

	prepare("\xcc", 1);
	start.sregs.idt.limit = 0;
	ok(load(), "a machine without IDT");
	is_u64(go_to(RESET_VECTOR), RESET_RIP, "a triple fault is a reset, and the stub sees it");
	start.sregs.idt.limit = limit;
	prepare("\x90\x90\xeb\xfe", 4);
	ok(load() && go_to(CODE + 1) == CODE + 1, "after which the state can be loaded as before");
}

static void measure(const char *command)
{
	double began = clock_now();
	char out[200] = "";
	bool good = true;

	for (unsigned n = 0; n < ROUNDS && good; n++)
		good = libvirt_monitor(&l, command, out, sizeof(out)) && !*out;
	ok(good, "%s by way of libvirt: %.2f ms", command, ms_since(began) / ROUNDS);
}

static void measure_stops(void)
{
	double began = clock_now();
	bool good = gdb_break(&g, CODE + 2, true);

	for (unsigned n = 0; n < 10 * ROUNDS && good; n++)
		good = gdb_go(&g);
	ok(good && gdb_break(&g, CODE + 2, false), "%d stops: %.3f ms each", 10 * ROUNDS, ms_since(began) / (10 * ROUNDS));
}

static void test_monitor(void)
{
	char out[4000];
	double began;

	ok(libvirt_monitor(&l, "info registers", out, sizeof(out)) && strstr(out, "\nDR0="), "what a monitor command prints");
	measure("savevm x");
	measure("loadvm x");
	began = clock_now();
	for (unsigned n = 0; n < ROUNDS; n++)
		libvirt_nmi(&l);
	printf("# an NMI: %.2f ms\n", ms_since(began) / ROUNDS);
	libvirt_monitor(&l, "loadvm x", NULL, 0);
	measure_stops();
}

static void test_stop(void)
{
	double began = clock_now();

	libvirt_describe(&l, err, sizeof(err));
	is_str(err, "", "nothing is to be said of a machine that lives");
	libvirt_stop(&l);
	printf("# stopped in %.0f ms\n", ms_since(began));
}

static void *start_and_stop(void *arg)
{
	struct libvirt *mine = xcalloc(1, sizeof(*mine));
	bool *good = arg;
	char why[400] = "", out[400];

	*good = libvirt_start(mine, uri, why, sizeof(why));
	if (*good) {
		*good = libvirt_monitor(mine, "info status", out, sizeof(out)) && strstr(out, "paused");
		libvirt_stop(mine);
	} else {
		printf("# %s\n", why);
	}
	free(mine);
	return NULL;
}

static void test_two(void)
{
	double began = clock_now();
	pthread_t thread[2];
	bool good[2] = { false, false };

	for (unsigned n = 0; n < 2; n++)
		pthread_create(&thread[n], NULL, start_and_stop, &good[n]);
	for (unsigned n = 0; n < 2; n++)
		pthread_join(thread[n], NULL);
	ok(good[0] && good[1], "two at once, by two threads");
	printf("# both started and stopped in %.0f ms\n", ms_since(began));
}

static void test_end(void)
{
	double began = clock_now();

	ok(libvirt_start(&l, uri, err, sizeof(err)), "another one");
	printf("# started in %.0f ms\n", ms_since(began));
	ok(!libvirt_monitor(&l, "quit", NULL, 0) || !libvirt_monitor(&l, "info status", NULL, 0), "a machine that ends gives no answers");
	libvirt_describe(&l, err, sizeof(err));
	ok(strstr(err, "libvirt: QEMU has ended"), "and that is said");
	printf("# %s\n", err);
	began = clock_now();
	libvirt_stop(&l);
	ok(ms_since(began) < 5000, "stopping it takes no time");
}

static int leave_after(unsigned count, unsigned seconds)
{
	static struct libvirt held[MOST_HELD];

	for (unsigned n = 0; n < count; n++)
		if (!libvirt_start(&held[n], uri, err, sizeof(err)))
			die(EXIT_HOST, "%s", err);
	printf("ready\n");
	fflush(stdout);
	sleep(seconds);
	return 0;
}

int main(int argc, char **argv)
{
	uri = argc > 3 ? argv[3] : argc == 2 ? argv[1] : NULL;
	if (argc > 2)
		return leave_after(strtoul(argv[2], NULL, 10) % (MOST_HELD + 1), strcmp(argv[1], "hold") ? 0 : HOLD_SECONDS);
	if (!libvirt_start(&l, uri, err, sizeof(err))) {
		printf("1..0 # SKIP %s\n", err);
		return 0;
	}
	libvirt_stop(&l);
	plan(23);
	test_start();
	test_state();
	test_nmi();
	test_triple_fault();
	test_monitor();
	test_stop();
	test_two();
	test_end();
	return done();
}
