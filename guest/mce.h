/* SPDX-License-Identifier: MIT */
/* mce.h: setting up the machine check banks. */
#ifndef GUEST_MCE_H
#define GUEST_MCE_H

void mce_init(void);

#endif
