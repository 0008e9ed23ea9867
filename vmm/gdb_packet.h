/* SPDX-License-Identifier: MIT */
/* gdb_packet.h: packets of the gdb remote protocol: framing, checksum, escapes, runs. Pure: bytes in, bytes out. */
#ifndef VMM_GDB_PACKET_H
#define VMM_GDB_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GDB_PAYLOAD 16384               /* more than four times what QEMU sends at once */

/* What a packet says, as bytes; text[size] is 0. */
struct gdb_payload {
	char text[GDB_PAYLOAD + 1];
	size_t size;
};

/* Frames a payload. Returns the packet's length, 0 if it does not fit. */
size_t gdb_packet_make(char *out, size_t out_size, const char *payload, size_t size);

enum gdb_taken {
	GDB_INCOMPLETE,                 /* nothing wrong so far, but the packet is not all there */
	GDB_PACKET,                     /* in *out */
	GDB_WRONG,                      /* no other side of this protocol sends that */
};

/* The first packet in what has arrived, behind any acknowledgements. *used: how many bytes are done with. */
enum gdb_taken gdb_packet_take(const char *in, size_t size, size_t *used, struct gdb_payload *out);

/* size bytes from 2 * size hexadecimal digits. False if one is none. */
bool gdb_hex(const char *digits, void *out, size_t size);

#endif
