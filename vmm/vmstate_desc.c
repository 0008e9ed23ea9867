/* SPDX-License-Identifier: MIT */
/* vmstate_desc.c: the fields that the bench must find in QEMU's saved state, and where its description says they are. */
#include "vmm/vmstate_desc.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static const char *const section_names[VMSTATE_SECTIONS] = {
	[VMSTATE_CPU_COMMON] = "cpu_common", [VMSTATE_CPU] = "cpu", [VMSTATE_APIC] = "apic",
};

/* A field of a section, or one inside of it. */
static const struct field {
	enum vmstate_section section;
	const char *name, *inner;
	unsigned count;
} fields[VMSTATE_FIELDS] = {
	[VMSTATE_REGS] = { VMSTATE_CPU, "env.regs", NULL, 16 },
	[VMSTATE_EIP] = { VMSTATE_CPU, "env.eip", NULL, 1 },
	[VMSTATE_EFLAGS] = { VMSTATE_CPU, "env.eflags", NULL, 1 },
	[VMSTATE_HFLAGS] = { VMSTATE_CPU, "env.hflags", NULL, 1 },
	[VMSTATE_HFLAGS2] = { VMSTATE_CPU, "env.hflags2", NULL, 1 },
	[VMSTATE_SEG_SELECTOR] = { VMSTATE_CPU, "env.segs", "selector", 6 },
	[VMSTATE_SEG_BASE] = { VMSTATE_CPU, "env.segs", "base", 6 },
	[VMSTATE_SEG_LIMIT] = { VMSTATE_CPU, "env.segs", "limit", 6 },
	[VMSTATE_SEG_FLAGS] = { VMSTATE_CPU, "env.segs", "flags", 6 },
	[VMSTATE_LDT_SELECTOR] = { VMSTATE_CPU, "env.ldt", "selector", 1 },
	[VMSTATE_LDT_BASE] = { VMSTATE_CPU, "env.ldt", "base", 1 },
	[VMSTATE_LDT_LIMIT] = { VMSTATE_CPU, "env.ldt", "limit", 1 },
	[VMSTATE_LDT_FLAGS] = { VMSTATE_CPU, "env.ldt", "flags", 1 },
	[VMSTATE_TR_SELECTOR] = { VMSTATE_CPU, "env.tr", "selector", 1 },
	[VMSTATE_TR_BASE] = { VMSTATE_CPU, "env.tr", "base", 1 },
	[VMSTATE_TR_LIMIT] = { VMSTATE_CPU, "env.tr", "limit", 1 },
	[VMSTATE_TR_FLAGS] = { VMSTATE_CPU, "env.tr", "flags", 1 },
	[VMSTATE_GDT_BASE] = { VMSTATE_CPU, "env.gdt", "base", 1 },
	[VMSTATE_GDT_LIMIT] = { VMSTATE_CPU, "env.gdt", "limit", 1 },
	[VMSTATE_IDT_BASE] = { VMSTATE_CPU, "env.idt", "base", 1 },
	[VMSTATE_IDT_LIMIT] = { VMSTATE_CPU, "env.idt", "limit", 1 },
	[VMSTATE_CR0] = { VMSTATE_CPU, "env.cr[0]", NULL, 1 },
	[VMSTATE_CR2] = { VMSTATE_CPU, "env.cr[2]", NULL, 1 },
	[VMSTATE_CR3] = { VMSTATE_CPU, "env.cr[3]", NULL, 1 },
	[VMSTATE_CR4] = { VMSTATE_CPU, "env.cr[4]", NULL, 1 },
	[VMSTATE_DR] = { VMSTATE_CPU, "env.dr", NULL, 8 },
	[VMSTATE_EFER] = { VMSTATE_CPU, "env.efer", NULL, 1 },
	[VMSTATE_STAR] = { VMSTATE_CPU, "env.star", NULL, 1 },
	[VMSTATE_LSTAR] = { VMSTATE_CPU, "env.lstar", NULL, 1 },
	[VMSTATE_FMASK] = { VMSTATE_CPU, "env.fmask", NULL, 1 },
	[VMSTATE_KERNEL_GS_BASE] = { VMSTATE_CPU, "env.kernelgsbase", NULL, 1 },
	[VMSTATE_MCG_STATUS] = { VMSTATE_CPU, "env.mcg_status", NULL, 1 },
	[VMSTATE_MCG_CTL] = { VMSTATE_CPU, "env.mcg_ctl", NULL, 1 },
	[VMSTATE_MCE_BANKS] = { VMSTATE_CPU, "env.mce_banks", NULL, 40 },
	[VMSTATE_HALTED] = { VMSTATE_CPU_COMMON, "halted", NULL, 1 },
	[VMSTATE_INTERRUPT_REQUEST] = { VMSTATE_CPU_COMMON, "interrupt_request", NULL, 1 },
	[VMSTATE_APIC_SPURIOUS] = { VMSTATE_APIC, "spurious_vec", NULL, 1 },
	[VMSTATE_APIC_LVT] = { VMSTATE_APIC, "lvt", NULL, 6 },
};

const char *vmstate_section_name(enum vmstate_section n)
{
	return section_names[n];
}

enum vmstate_section vmstate_section_of(enum vmstate_field field)
{
	return fields[field].section;
}

/* A number of an object, from 0 to `most`; `otherwise` if it is absent. */
static bool number(const json_t *object, const char *key, json_int_t otherwise, json_int_t most, unsigned *out)
{
	const json_t *value = json_object_get(object, key);
	json_int_t n = value ? json_integer_value(value) : otherwise;

	*out = n;
	return (!value || json_is_integer(value)) && n >= 0 && n <= most;
}

/* Walks a list of fields. Finds the first of this name, if it is not NULL: where it begins in *at, and itself in *found. Returns
 * whether all of it makes sense; the bytes of all fields together in *length. */
static bool walk(const json_t *list, const char *name, unsigned *at, const json_t **found, unsigned *length)
{
	const json_t *field;
	size_t n;

	*length = 0;
	*found = NULL;
	json_array_foreach(list, n, field) {
		const char *called = json_string_value(json_object_get(field, "name"));
		unsigned size, count;

		if (!called || !number(field, "size", -1, VMSTATE_ROOM, &size) || !number(field, "array_len", 1, VMSTATE_ROOM, &count))
			return false;
		if (name && !*found && !strcmp(called, name)) {
			*found = field;
			*at = *length;
		}
		if ((uint64_t)size * count > VMSTATE_ROOM - *length)
			return false;
		*length += size * count;
	}
	return json_is_array(list);
}

/* `list` may be NULL, and then there is nothing. */
static bool place(const json_t *list, const struct field *f, struct vmstate_place *p)
{
	const json_t *found;
	unsigned length, size, inner_at = 0;

	if (!walk(list, f->name, &p->at, &found, &length) || !found)
		return false;
	if (!number(found, "size", -1, VMSTATE_ROOM, &p->stride) || !number(found, "array_len", 1, VMSTATE_ROOM, &p->count))
		return false;
	size = p->stride;
	if (f->inner) {
		if (!walk(json_object_get(json_object_get(found, "struct"), "fields"), f->inner, &inner_at, &found, &length) || !found ||
		    !number(found, "size", -1, 8, &size))
			return false;
	}
	p->at += inner_at;
	p->size = size;
	return size >= 1 && size <= 8 && inner_at + size <= p->stride && p->count == f->count;
}

static const json_t *find_device(const json_t *devices, const char *name)
{
	const json_t *device;
	size_t n;

	json_array_foreach(devices, n, device) {
		const char *called = json_string_value(json_object_get(device, "name"));

		if (called && !strcmp(called, name) && json_integer_value(json_object_get(device, "instance_id")) == 0)
			return device;
	}
	return NULL;
}

/* In the stream: the name with its length before it, instance 0, the version. */
static bool learn_section(struct vmstate *v, const json_t *devices, enum vmstate_section n)
{
	const json_t *device = find_device(devices, section_names[n]), *found;
	struct vmstate_head *h = &v->head[n];
	size_t size = strlen(section_names[n]);
	unsigned version;

	if (!number(device, "version", -1, 255, &version) ||
	    !walk(json_object_get(device, "fields"), NULL, NULL, &found, &v->length[n]))
		return false;
	memset(h, 0, sizeof(*h));
	h->bytes[0] = size;
	memcpy(h->bytes + 1, section_names[n], size);
	h->size = 1 + size + 8;
	h->bytes[h->size - 1] = version;
	return true;
}

static bool learn_all(struct vmstate *v, const json_t *devices, char *err, size_t err_size)
{
	for (enum vmstate_section n = 0; n < VMSTATE_SECTIONS; n++)
		if (!learn_section(v, devices, n)) {
			snprintf(err, err_size, "QEMU's saved state does not describe a section %s that the bench can read", section_names[n]);
			return false;
		}
	for (enum vmstate_field n = 0; n < VMSTATE_FIELDS; n++) {
		const struct field *f = &fields[n];
		const json_t *device = find_device(devices, section_names[f->section]);

		if (!place(json_object_get(device, "fields"), f, &v->place[n])) {
			snprintf(err, err_size, "QEMU's saved state has no field %s%s%s of section %s that the bench can read", f->name,
				 f->inner ? "." : "", f->inner ? f->inner : "", section_names[f->section]);
			return false;
		}
	}
	return true;
}

bool vmstate_describe(struct vmstate *v, const char *text, size_t size, char *err, size_t err_size)
{
	json_error_t error;
	json_t *root = json_loadb(text, size, 0, &error);
	bool good = learn_all(v, json_object_get(root, "devices"), err, err_size);

	if (!root)
		snprintf(err, err_size, "QEMU's saved state has no readable description: byte %d is no JSON", error.position);
	json_decref(root);
	return good;
}
