/* SPDX-License-Identifier: MIT */
/* engine.h: what a hypervisor does for a machine: an engine is one table of functions. */
#ifndef VMM_ENGINE_H
#define VMM_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "vmm/kvm.h"

struct machine;
struct qemu_host;
struct stops;

/* The hypervisor that all machines of this process run on. */
struct host {
	const struct engine *engine;
	struct kvm_host kvm;            /* of engine kvm */
	struct qemu_host *qemu;         /* of engines qemu and libvirt */
	double timeout;                 /* seconds, for one entry into the guest */
};

/* Why the guest is not running any more. */
enum leave {
	LEAVE_STOP,                     /* at a stop, or a HLT of the guest's own: `at` is its address */
	LEAVE_PORT,                     /* it has written `value` to `port` */
	LEAVE_SHUTDOWN,                 /* triple fault */
	LEAVE_INTERNAL,                 /* the hypervisor gave up; value = its reason */
	LEAVE_HANG,                     /* the time limit passed */
	LEAVE_OTHER,                    /* value = the hypervisor's number for it */
};

struct left {
	enum leave why;
	uint64_t at, value;
	uint16_t port;
	uint8_t size;                   /* bytes written there; 0 if the engine cannot tell */
};

struct engine {
	const char *name;
	/* Its stops are HLT bytes in the guest's text, with what a HLT does at CPL 3; otherwise it keeps them itself, and text
	 * stays as it is. */
	bool stops_are_bytes;

	void (*create)(struct machine *m, uint64_t ram_size);   /* with zeroed RAM: m->mem */
	void (*destroy)(struct machine *m);
	void (*start_at)(struct machine *m, uint64_t entry, uint64_t page_table);

	/* One more vCPU, in the state of a first one; on from here with this one. NULL: this engine has one vCPU a machine. */
	void (*add_cpu)(struct machine *m);
	void (*select)(struct machine *m, unsigned cpu);

	/* Makes m->regs, m->sregs and m->events true as far as `parts` (see machine.h) need it. */
	void (*look)(struct machine *m, unsigned parts);
	/* m->events are to be as they stand, now; the vCPU can run. */
	void (*put_events)(struct machine *m);
	void (*make_runnable)(struct machine *m);
	void (*get_debug)(struct machine *m, struct kvm_debugregs *d);
	void (*set_debug)(struct machine *m, const struct kvm_debugregs *d);
	void (*get_msrs)(struct machine *m, const uint32_t *index, uint64_t *value, unsigned count);
	void (*set_msrs)(struct machine *m, const uint32_t *index, const uint64_t *value, unsigned count);
	/* Is this boundary in the shadow of STI or MOV SS? */
	bool (*in_shadow)(struct machine *m);

	/* What was written to the registers' copies, and half a port access, are the vCPU's own. */
	void (*flush)(struct machine *m);
	/* Queues a machine check. Registers must not be written between this and enter(). */
	void (*machine_check)(struct machine *m, const struct kvm_x86_mce *mce);
	/* Adds the pages written since the last time to m->dirty. */
	void (*collect_dirty)(struct machine *m);
	void (*enter)(struct machine *m, struct stops *stops, struct left *left);
};

extern const struct engine engine_kvm, engine_qemu, engine_libvirt;

#endif
