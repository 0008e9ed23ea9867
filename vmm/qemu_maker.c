/* SPDX-License-Identifier: MIT */
/* qemu_maker.c: who makes QEMU machines: the bench itself, as child processes, or libvirt. */
#include "vmm/qemu_maker.h"

#include <stdio.h>

#include "vmm/die.h"
#include "vmm/gdb_wire.h"
#include "vmm/qemu_pool.h"

static void check_program(struct qemu_host *h)
{
	char err[400];

	if (!qemu_find(h->path, sizeof(h->path)))
		die(EXIT_HOST, "no %s in PATH; Debian's package is qemu-system-x86", QEMU_PROGRAM);
	if (!qemu_version(h->path, h->version, sizeof(h->version), err, sizeof(err)))
		die(EXIT_HOST, "%s", err);
}

static bool start_child(struct qemu_host *h, struct qemu_vcpu *v, char *err, size_t err_size)
{
	if (!qemu_start_empty(&v->process, h->path, err, err_size))
		return false;
	v->ram = v->process.ram;
	v->state = v->process.state;
	v->socket = v->process.gdb;
	return true;
}

static void stop_child(struct qemu_vcpu *v)
{
	qemu_stop(&v->process);
}

static void describe_child(struct qemu_vcpu *v, char *out, size_t out_size)
{
	qemu_describe(&v->process, out, out_size);
}

static bool nmi_child(struct qemu_vcpu *v)
{
	return gdb_monitor(&v->gdb, "nmi");
}

static bool monitor_child(struct qemu_vcpu *v, const char *command)
{
	return gdb_monitor(&v->gdb, command);
}

const struct qemu_maker qemu_maker_child = {
	QEMU_PROGRAM, check_program, start_child, stop_child, describe_child, nmi_child, monitor_child,
};

static void check_uri(struct qemu_host *h)
{
	char err[400];
	enum exit_status status = libvirt_uri(h->uri, err, sizeof(err));

	if (status != EXIT_GOOD)
		die(status, "%s", err);
}

static bool start_domain(struct qemu_host *h, struct qemu_vcpu *v, char *err, size_t err_size)
{
	if (!libvirt_start(&v->domain, h->uri, err, err_size))
		return false;
	v->ram = v->domain.ram;
	v->state = v->domain.state;
	v->socket = v->domain.gdb;
	return true;
}

static void stop_domain(struct qemu_vcpu *v)
{
	libvirt_stop(&v->domain);
}

static void describe_domain(struct qemu_vcpu *v, char *out, size_t out_size)
{
	libvirt_describe(&v->domain, out, out_size);
}

static bool nmi_domain(struct qemu_vcpu *v)
{
	return libvirt_nmi(&v->domain) || gdb_fail(&v->gdb, "%s", v->domain.trouble);
}

static bool monitor_domain(struct qemu_vcpu *v, const char *command)
{
	return libvirt_monitor(&v->domain, command, NULL, 0) || gdb_fail(&v->gdb, "%s", v->domain.trouble);
}

const struct qemu_maker qemu_maker_libvirt = {
	"libvirt", check_uri, start_domain, stop_domain, describe_domain, nmi_domain, monitor_domain,
};
