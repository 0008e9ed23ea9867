/* SPDX-License-Identifier: MIT */
/* qemu_snapshot.c: a stopped QEMU machine saved and loaded through the monitor and the file that it saves into. */
#include <stdio.h>

#include "vmm/qcow2.h"
#include "vmm/qemu_state.h"

#define SNAPSHOT "gsgate"               /* always the same: saving replaces the one before */

/* These commands print nothing unless something is wrong. */
static bool do_quietly(struct gdb *g, const char *command, char *err, size_t err_size)
{
	if (!gdb_monitor(g, command))
		snprintf(err, err_size, "%s", g->trouble);
	else if (g->said[0])
		snprintf(err, err_size, "QEMU says \"%s\" to %s", g->said, command);
	else
		return true;
	return false;
}

bool qemu_state_open(struct gdb *g, char *err, size_t err_size)
{
	return do_quietly(g, "migrate_set_capability x-ignore-shared on", err, err_size);
}

bool qemu_state_save(struct gdb *g, int file, struct vmstate *v, bool learn, char *err, size_t err_size)
{
	size_t size;

	if (!do_quietly(g, "savevm " SNAPSHOT, err, err_size))
		return false;
	if (!qcow2_read_state(file, v->bytes, sizeof(v->bytes), &size)) {
		snprintf(err, err_size, "QEMU's saved state cannot be read");
		return false;
	}
	return learn ? vmstate_learn(v, size, err, err_size) : vmstate_take(v, size, err, err_size);
}

bool qemu_state_load(struct gdb *g, int file, const struct vmstate *v, char *err, size_t err_size)
{
	if (qcow2_write_state(file, v->bytes, v->size))
		return do_quietly(g, "loadvm " SNAPSHOT, err, err_size);
	snprintf(err, err_size, "QEMU's saved state cannot be written");
	return false;
}
