/* SPDX-License-Identifier: Apache-2.0
 *
 * Standard input and output as a serial port, for doubles of operating systems on a computer.
 */
#ifndef CONSOLE_H
#define CONSOLE_H

#include <stddef.h>
#include <stdint.h>

/* Sends bytes, at the end of a frame at once. */
void console_send(const uint8_t *bytes, size_t count);

/* Has console_read give what has arrived, perhaps nothing, without waiting for more. */
void console_open(void);
size_t console_read(uint8_t *bytes, size_t most);

/* Instead: hands what arrives to a function, from a thread, as an interrupt would. */
void console_start(void (*receive)(const uint8_t *bytes, size_t count));

#endif
