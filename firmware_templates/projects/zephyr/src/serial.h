/* SPDX-License-Identifier: Apache-2.0
 *
 * The console as the port of the serial protocol: text and frames share the line.
 */
#ifndef SERIAL_H
#define SERIAL_H

/* To be called before asc_listen_init. Does nothing where the console's driver has no interrupt. */
void serial_start(void);

#endif
