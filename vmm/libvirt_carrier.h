/* SPDX-License-Identifier: MIT */
/* libvirt_carrier.h: the process that calls libvirt for the bench, and outlives it for as long as it takes to clean up. */
#ifndef VMM_LIBVIRT_CARRIER_H
#define VMM_LIBVIRT_CARRIER_H

/* In a process forked for it. `control` is a socket of talk_pair(): each TALK_START on it brings a socket for one machine. The end
 * of a machine's socket is the end of the machine, that of control the end of all. */
__attribute__((noreturn)) void carrier_run(int control, const char *uri);

#endif
