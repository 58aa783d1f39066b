/* SPDX-License-Identifier: Apache-2.0
 *
 * What the application needs of the machine it runs on.
 */
#ifndef PLATFORM_H
#define PLATFORM_H

#include <stddef.h>
#include <stdint.h>

/* Opens a file of the host, mode "rb" or "wb"; returns its handle or a negative number. */
int platform_open(const char *path, const char *mode);
void platform_close(int file);

/* Returns the bytes read: fewer than `size` at the end of the file only. */
size_t platform_read(int file, void *data, size_t size);
void platform_write(int file, const void *data, size_t size);
void platform_print(const char *text);

/* Returns the bytes that have arrived on the serial line, at most `size`, perhaps 0; a negative
 * number once the line is closed. */
int platform_serial_read(uint8_t *data, size_t size);
/* Sleeps until a byte arrives or, now and then, none has. */
void platform_serial_wait(void);
void platform_serial_write(const uint8_t *data, size_t size);

/* Instructions executed so far, or 0 where they are not counted. */
uint64_t platform_instructions(void);

/* The most stack used so far, or 0 where it is not measured. */
uint32_t platform_stack_bytes(void);

#endif
