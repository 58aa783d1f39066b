/* SPDX-License-Identifier: Apache-2.0
 *
 * The serial port that the chip is on USB: text and frames of the serial protocol share it. All
 * functions are the application's core's.
 */
#ifndef SERIAL_H
#define SERIAL_H

#include <stdbool.h>

/* To be called before asc_listen_init. */
void serial_start(void);

/* Takes what has arrived. */
void serial_poll(void);

/* Returns whether somebody has opened the port since the last call. */
bool serial_was_opened(void);

/* Sends a text; nothing while nobody has opened the port. */
void serial_print(const char *text);

#endif
