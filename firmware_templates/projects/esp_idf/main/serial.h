/* SPDX-License-Identifier: Apache-2.0
 *
 * The console's UART as the port of the serial protocol: text and frames share the line.
 * With a console elsewhere, such as on USB, there is no port.
 */
#ifndef SERIAL_H
#define SERIAL_H

#include "esp_err.h"

/* To be called before asc_listen_init. */
esp_err_t serial_start(void);

/* Takes what has arrived. */
void serial_poll(void);

#endif
