/* SPDX-License-Identifier: MIT */
/* qcow2.h: a qcow2 file that QEMU saves a machine's state into: making an empty one, and the state in it. Pure: knows a file and nothing
 * of who else uses it. What the file says is never believed: each offset is checked. */
#ifndef VMM_QCOW2_H
#define VMM_QCOW2_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Makes the file an image of 1 MB without data and without snapshots. False, with errno, if it cannot be written. */
bool qcow2_create(int fd);

/* The machine state in the newest snapshot, exactly its bytes: *size of them. False if there is no snapshot, if its state has more than
 * `room` bytes, or if the file makes no sense. */
bool qcow2_read_state(int fd, uint8_t *out, size_t room, size_t *size);

/* Puts other bytes in their place, and their number in the snapshot's entry; the image's layout stays as it is. False, and nothing is
 * written, if they do not fit into the clusters that the snapshot has. QEMU must have saved at least once, and must not be saving. */
bool qcow2_write_state(int fd, const uint8_t *bytes, size_t size);

#endif
