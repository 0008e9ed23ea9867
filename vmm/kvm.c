/* SPDX-License-Identifier: MIT */
/* kvm.c: /dev/kvm itself: opening it, what it must offer, and the one place that calls ioctl(). */
#include "vmm/kvm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "vmm/die.h"

#define CPUID_ENTRIES 256

static const struct {
	int cap;
	const char *name;
} needed[] = {
	{ KVM_CAP_USER_MEMORY, "KVM_CAP_USER_MEMORY" },
	{ KVM_CAP_SYNC_REGS, "KVM_CAP_SYNC_REGS" },
	{ KVM_CAP_VCPU_EVENTS, "KVM_CAP_VCPU_EVENTS" },
	{ KVM_CAP_DEBUGREGS, "KVM_CAP_DEBUGREGS" },
	{ KVM_CAP_MCE, "KVM_CAP_MCE" },
	{ KVM_CAP_IMMEDIATE_EXIT, "KVM_CAP_IMMEDIATE_EXIT" },
	{ KVM_CAP_USER_NMI, "KVM_CAP_USER_NMI" },
};

int kvm_try(int fd, unsigned long request, void *arg)
{
	int result = ioctl(fd, request, arg);

	return result < 0 ? -errno : result;
}

int kvm_do(int fd, unsigned long request, void *arg, const char *name)
{
	int result = ioctl(fd, request, arg);

	if (result < 0)
		die_errno(EXIT_HOST, "%s", name);
	return result;
}

static const char *open_remedy(int error)
{
	switch (error) {
	case ENOENT:
		return "load the kvm module, or enable virtualization in the firmware";
	case EACCES:
	case EPERM:
		return "add yourself to the group that owns it (often kvm) and log in again";
	case EBUSY:
		return "another hypervisor holds the CPU's virtualization: stop it";
	default:
		return "run on a host with KVM";
	}
}

static void read_cpuid(struct kvm_host *h)
{
	size_t size = sizeof(*h->cpuid) + CPUID_ENTRIES * sizeof(h->cpuid->entries[0]);

	h->cpuid = xcalloc(1, size);
	h->cpuid->nent = CPUID_ENTRIES;
	KVM_DO(h->sys_fd, KVM_GET_SUPPORTED_CPUID, h->cpuid);
}

bool kvm_host_try(struct kvm_host *h, const char *device, char *err, size_t err_size)
{
	h->sys_fd = open(device, O_RDWR | O_CLOEXEC);
	if (h->sys_fd < 0) {
		snprintf(err, err_size, "%s: %s; %s", device, strerror(errno), open_remedy(errno));
		return false;
	}
	if (kvm_try(h->sys_fd, KVM_GET_API_VERSION, NULL) != KVM_API_VERSION) {
		snprintf(err, err_size, "%s: not a KVM device of API version %d", device, KVM_API_VERSION);
		return false;
	}
	for (size_t n = 0; n < sizeof(needed) / sizeof(needed[0]); n++)
		if (KVM_DO(h->sys_fd, KVM_CHECK_EXTENSION, needed[n].cap) <= 0) {
			snprintf(err, err_size, "%s: no %s; a newer kernel has it", device, needed[n].name);
			return false;
		}
	h->run_size = KVM_DO(h->sys_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	read_cpuid(h);
	return true;
}

void kvm_host_close(struct kvm_host *h)
{
	free(h->cpuid);
	if (h->sys_fd >= 0)
		close(h->sys_fd);
}

struct kvm_cpuid_entry2 *kvm_cpuid_find(struct kvm_host *h, uint32_t leaf, uint32_t index)
{
	for (uint32_t n = 0; n < h->cpuid->nent; n++) {
		struct kvm_cpuid_entry2 *e = &h->cpuid->entries[n];

		if (e->function == leaf && e->index == index)
			return e;
	}
	return NULL;
}
