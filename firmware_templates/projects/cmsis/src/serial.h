/* SPDX-License-Identifier: Apache-2.0
 *
 * The board layer's UART for STDOUT as the port of the serial protocol: text and frames share the
 * line. Board layers name it RETARGET_STDIO_UART, the number of a CMSIS-Driver; without that name,
 * as where STDOUT goes elsewhere, there is no port. The port takes the receiver of the UART: a
 * program with it cannot read STDIN.
 */
#ifndef SERIAL_H
#define SERIAL_H

/* To be called before asc_listen_init. */
void serial_start(void);

/* Takes what has arrived. */
void serial_poll(void);

#endif
