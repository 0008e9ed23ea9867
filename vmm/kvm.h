/* SPDX-License-Identifier: MIT */
/* kvm.h: /dev/kvm itself: opening it, what it must offer, and the one place that calls ioctl(). */
#ifndef VMM_KVM_H
#define VMM_KVM_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kvm_host {
	int sys_fd;
	size_t run_size;                /* bytes of struct kvm_run's mapping */
	struct kvm_cpuid2 *cpuid;       /* what guests of this process are shown */
};

#define KVM_DEVICE "/dev/kvm"

/* Opens the device and checks the API version and every needed capability. False with one line and the remedy in err if the
 * host cannot do it. */
bool kvm_host_try(struct kvm_host *h, const char *device, char *err, size_t err_size);
void kvm_host_close(struct kvm_host *h);

/* The CPUID entry of a leaf and subleaf, or NULL. */
struct kvm_cpuid_entry2 *kvm_cpuid_find(struct kvm_host *h, uint32_t leaf, uint32_t index);

/* ioctl that must not fail: exits with EXIT_HOST and the request's name. Returns its result. */
int kvm_do(int fd, unsigned long request, void *arg, const char *name);
#define KVM_DO(fd, request, arg) kvm_do(fd, request, (void *)(uintptr_t)(arg), #request)

/* ioctl whose failure the caller judges: result, or -errno. */
int kvm_try(int fd, unsigned long request, void *arg);

#endif
