/* SPDX-License-Identifier: MIT */
/* engine_kvm.c: engine `kvm`: a vCPU on the ioctl API. The registers' copies are KVM's own, in the page that it shares. */
#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vmm/die.h"
#include "vmm/machine.h"
#include "vmm/machine_first.h"
#include "vmm/machine_lsl.h"

#define TSS_PLACE 0xfffbd000            /* three pages KVM may use on old Intel CPUs, outside RAM */
#define MCG_CTL_P (1ull << 8)
#define MOST_MSRS 32

#define SYNC_ALL (KVM_SYNC_X86_REGS | KVM_SYNC_X86_SREGS | KVM_SYNC_X86_EVENTS)

struct msr_list {
	struct kvm_msrs head;
	struct kvm_msr_entry entry[MOST_MSRS];
};

/* The copies are this vCPU's from now on. */
static void speak_of(struct machine *m, unsigned cpu)
{
	struct vcpu *v = &m->vcpu[cpu];

	m->cpu = cpu;
	m->vcpu_fd = v->fd;
	m->run = v->run;
	m->regs = &v->run->s.regs.regs;
	m->sregs = &v->run->s.regs.sregs;
	m->events = &v->run->s.regs.events;
	m->touched = v->touched;
}

static void create_vcpu(struct machine *m, unsigned cpu)
{
	uint64_t mcg_cap = MCE_BANKS | MCG_CTL_P;
	struct vcpu *v = &m->vcpu[cpu];

	v->fd = KVM_DO(m->vm_fd, KVM_CREATE_VCPU, cpu);
	v->run = mmap(NULL, m->host->kvm.run_size, PROT_READ | PROT_WRITE, MAP_SHARED, v->fd, 0);
	if (v->run == MAP_FAILED)
		die_errno(EXIT_HOST, "mmap of the vCPU");
	KVM_DO(v->fd, KVM_SET_CPUID2, m->host->kvm.cpuid);
	KVM_DO(v->fd, KVM_X86_SETUP_MCE, &mcg_cap);
	v->run->kvm_valid_regs = SYNC_ALL;
	watchdog_add(&v->watch, v->run);
}

static void add_cpu(struct machine *m)
{
	create_vcpu(m, m->cpus);
	m->vcpu[m->cpu].touched = m->touched;
	speak_of(m, m->cpus++);
}

static void select_cpu(struct machine *m, unsigned cpu)
{
	m->vcpu[m->cpu].touched = m->touched;
	speak_of(m, cpu);
}

static void create(struct machine *m, uint64_t ram_size)
{
	struct kvm_userspace_memory_region slot = {
		.flags = KVM_MEM_LOG_DIRTY_PAGES, .memory_size = ram_size,
	};

	mem_init(&m->mem, ram_size);
	m->vm_fd = KVM_DO(m->host->kvm.sys_fd, KVM_CREATE_VM, 0);
	KVM_DO(m->vm_fd, KVM_SET_TSS_ADDR, TSS_PLACE);
	machine_lsl_ask(m);
	slot.userspace_addr = (uintptr_t)mem_at(&m->mem, 0, ram_size);
	KVM_DO(m->vm_fd, KVM_SET_USER_MEMORY_REGION, &slot);
	create_vcpu(m, 0);
	speak_of(m, 0);
}

static void destroy(struct machine *m)
{
	for (unsigned n = 0; n < m->cpus; n++) {
		watchdog_remove(&m->vcpu[n].watch);
		munmap(m->vcpu[n].run, m->host->kvm.run_size);
		close(m->vcpu[n].fd);
	}
	close(m->vm_fd);
	mem_free(&m->mem);
}

static void start_at(struct machine *m, uint64_t entry, uint64_t page_table)
{
	struct kvm_sregs sregs;
	struct kvm_regs regs;

	KVM_DO(m->vcpu_fd, KVM_GET_SREGS, &sregs);
	machine_first_state(entry, page_table, &regs, &sregs);
	KVM_DO(m->vcpu_fd, KVM_SET_SREGS, &sregs);
	KVM_DO(m->vcpu_fd, KVM_SET_REGS, &regs);
}

/* They come with every exit. */
static void look(struct machine *m, unsigned parts)
{
	(void)m;
	(void)parts;
}

static void put_events(struct machine *m)
{
	KVM_DO(m->vcpu_fd, KVM_SET_VCPU_EVENTS, m->events);
	m->touched &= ~KVM_SYNC_X86_EVENTS;
	m->ioctls++;
}

static void make_runnable(struct machine *m)
{
	struct kvm_mp_state runnable = { .mp_state = KVM_MP_STATE_RUNNABLE };

	KVM_DO(m->vcpu_fd, KVM_SET_MP_STATE, &runnable);
	m->ioctls++;
}

static void get_debug(struct machine *m, struct kvm_debugregs *d)
{
	KVM_DO(m->vcpu_fd, KVM_GET_DEBUGREGS, d);
	m->ioctls++;
}

static void set_debug(struct machine *m, const struct kvm_debugregs *d)
{
	KVM_DO(m->vcpu_fd, KVM_SET_DEBUGREGS, d);
	m->ioctls++;
}

static void get_msrs(struct machine *m, const uint32_t *index, uint64_t *value, unsigned count)
{
	struct msr_list list = { .head.nmsrs = count };

	for (unsigned n = 0; n < count; n++)
		list.entry[n].index = index[n];
	if (KVM_DO(m->vcpu_fd, KVM_GET_MSRS, &list) != (int)count)
		die(EXIT_HOST, "KVM_GET_MSRS: this KVM does not have every MSR that the bench needs");
	m->ioctls++;
	for (unsigned n = 0; n < count; n++)
		value[n] = list.entry[n].data;
}

static void set_msrs(struct machine *m, const uint32_t *index, const uint64_t *value, unsigned count)
{
	struct msr_list list = { .head.nmsrs = count };

	for (unsigned n = 0; n < count; n++) {
		list.entry[n].index = index[n];
		list.entry[n].data = value[n];
	}
	if (KVM_DO(m->vcpu_fd, KVM_SET_MSRS, &list) != (int)count)
		die(EXIT_HOST, "KVM_SET_MSRS: this KVM refused an MSR that it gave before");
	m->ioctls++;
}

static bool in_shadow(struct machine *m)
{
	return m->events->interrupt.shadow;
}

static void take_touched(struct machine *m)
{
	m->run->kvm_dirty_regs = m->touched;
	m->touched = 0;
}

static void flush(struct machine *m)
{
	take_touched(m);
	m->run->immediate_exit = 1;
	kvm_try(m->vcpu_fd, KVM_RUN, NULL);     /* always -EINTR */
	m->run->immediate_exit = 0;
	m->ioctls++;
}

static void queue_machine_check(struct machine *m, const struct kvm_x86_mce *mce)
{
	flush(m);                       /* writing registers later would lose the queued exception */
	KVM_DO(m->vcpu_fd, KVM_X86_SET_MCE, mce);
	m->ioctls++;
}

static void collect_dirty(struct machine *m)
{
	uint64_t written[MACHINE_MAX_PAGES / 64] = { 0 };
	struct kvm_dirty_log log = { .dirty_bitmap = written };

	KVM_DO(m->vm_fd, KVM_GET_DIRTY_LOG, &log);
	m->ioctls++;
	for (unsigned n = 0; n < MACHINE_MAX_PAGES / 64; n++)
		m->dirty[n] |= written[n];
}

/* One KVM_RUN. False if the watchdog ended it. */
static bool run(struct machine *m)
{
	struct watch *watch = &m->vcpu[m->cpu].watch;
	unsigned sequence;
	int result;

	take_touched(m);
	do {
		m->run->immediate_exit = 0;     /* a kick for an earlier entry is void */
		sequence = watch_enter(watch);
		result = kvm_try(m->vcpu_fd, KVM_RUN, NULL);
		watch_leave(watch);
		m->exits++;
		if (result >= 0)
			return true;
		if (result != -EINTR && result != -EAGAIN)
			die(EXIT_HOST, "KVM_RUN: %s", strerror(-result));
	} while (atomic_load(&watch->expired) != sequence);
	m->run->immediate_exit = 0;
	return false;
}

static void leave_by_port(const struct kvm_run *k, struct left *left)
{
	*left = (struct left){ .why = LEAVE_PORT, .port = k->io.port, .size = k->io.size };
	memcpy(&left->value, (const char *)k + k->io.data_offset, k->io.size);
}

#define LSL_LIMIT_OF_ONE_RUN 1000       /* no watch is on a guest that executes nothing else */

/* Past each LSL that this KVM does not execute. */
static bool run_past_lsl(struct machine *m)
{
	unsigned n = 0;

	do {
		if (!run(m))
			return false;
	} while (n++ < LSL_LIMIT_OF_ONE_RUN && machine_lsl(m));
	return true;
}

static void enter(struct machine *m, struct stops *stops, struct left *left)
{
	const struct kvm_run *k = m->run;

	(void)stops;                    /* they are in the guest's text */
	if (!run_past_lsl(m))
		*left = (struct left){ .why = LEAVE_HANG };
	else if (k->exit_reason == KVM_EXIT_HLT)
		*left = (struct left){ .why = LEAVE_STOP, .at = m->regs->rip - 1 };
	else if (k->exit_reason == KVM_EXIT_IO)
		leave_by_port(k, left);
	else if (k->exit_reason == KVM_EXIT_SHUTDOWN)
		*left = (struct left){ .why = LEAVE_SHUTDOWN };
	else if (k->exit_reason == KVM_EXIT_INTERNAL_ERROR)
		*left = (struct left){ .why = LEAVE_INTERNAL, .value = k->internal.suberror };
	else
		*left = (struct left){ .why = LEAVE_OTHER, .value = k->exit_reason };
}

const struct engine engine_kvm = {
	.name = "kvm", .stops_are_bytes = true,
	.create = create, .destroy = destroy, .start_at = start_at, .add_cpu = add_cpu, .select = select_cpu, .look = look, .put_events = put_events,
	.make_runnable = make_runnable, .get_debug = get_debug, .set_debug = set_debug, .get_msrs = get_msrs, .set_msrs = set_msrs,
	.in_shadow = in_shadow, .flush = flush, .machine_check = queue_machine_check, .collect_dirty = collect_dirty, .enter = enter,
};
