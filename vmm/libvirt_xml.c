/* SPDX-License-Identifier: MIT */
/* libvirt_xml.c: the texts that libvirt gets. */
#include "vmm/libvirt_xml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guest/abi.h"

void xml_name(struct xml_names *names, const char *unique, unsigned number)
{
	snprintf(names->domain, sizeof(names->domain), "gsgate-%.12s-%u", unique, number);
	snprintf(names->gdb, sizeof(names->gdb), "gdb%u", number);
	snprintf(names->ram, sizeof(names->ram), "ram%u", number);
	snprintf(names->state, sizeof(names->state), "state%u", number);
}

void xml_labels(char *capabilities, char *out, size_t out_size)
{
	static const char *const confining[] = { "apparmor", "selinux" };
	const char *text = capabilities ? capabilities : "";
	char model[40];
	size_t n = 0;

	*out = '\0';
	if (strstr(text, "<model>dac</model>"))
		n = snprintf(out, out_size, "<seclabel type='static' model='dac' relabel='yes'><label>+%u:+%u</label></seclabel>",
			     (unsigned)geteuid(), (unsigned)getegid());
	for (size_t i = 0; i < sizeof(confining) / sizeof(confining[0]); i++) {
		snprintf(model, sizeof(model), "<model>%s</model>", confining[i]);
		if (strstr(text, model))
			n += snprintf(out + n, out_size - n, "<seclabel type='none' model='%s'/>", confining[i]);
	}
	free(capabilities);
}

/* A machine without any device, whose RAM is a file and whose stub for gdb connects to a socket. Nothing of it can be said
 * in libvirt's own words, but for what libvirt would add by itself. A reset is a reset: the bench stops at its vector. */
void xml_domain(char *out, size_t out_size, const struct xml_names *names, const char *folder, const char *labels)
{
	snprintf(out, out_size,
		 "<domain type='qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>"
		 "<name>%s</name><memory unit='KiB'>%u</memory><vcpu>1</vcpu>"
		 "<os><type arch='x86_64' machine='microvm'>hvm</type></os><cpu mode='maximum'/>"
		 "<on_poweroff>destroy</on_poweroff><on_reboot>restart</on_reboot><on_crash>destroy</on_crash>"
		 "<devices><controller type='usb' model='none'/><memballoon model='none'/></devices>%s"
		 "<qemu:commandline>"
		 "<qemu:arg value='-bios'/><qemu:arg value='%s/bios'/>"
		 "<qemu:arg value='-object'/>"
		 "<qemu:arg value='memory-backend-file,id=ram,share=on,size=%uk,mem-path=%s/%s'/>"
		 "<qemu:arg value='-machine'/>"
		 "<qemu:arg value='x-option-roms=off,auto-kernel-cmdline=off,pit=off,pic=off,rtc=off,isa-serial=off,memory-backend=ram'/>"
		 "<qemu:arg value='-drive'/>"
		 "<qemu:arg value='if=none,id=state,format=qcow2,cache=unsafe,file=%s/%s'/>"
		 "<qemu:arg value='-chardev'/><qemu:arg value='socket,id=gdb,path=%s/%s'/>"
		 "<qemu:arg value='-gdb'/><qemu:arg value='chardev:gdb'/>"
		 "</qemu:commandline></domain>",
		 names->domain, ABI_RAM_SIZE / 1024, labels, folder, ABI_RAM_SIZE / 1024, folder, names->ram, folder, names->state,
		 folder, names->gdb);
}
