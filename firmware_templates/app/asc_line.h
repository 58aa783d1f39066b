/* SPDX-License-Identifier: Apache-2.0
 *
 * Bytes of a serial port on their way from its interrupt to the application, without a lock: the
 * interrupt alone writes `written`, the application alone `taken`.
 */
#ifndef ASC_LINE_H
#define ASC_LINE_H

#include <stddef.h>
#include <stdint.h>

/* Bytes that wait, a power of 2: more than the longest request */
#ifndef ASC_LINE_BYTES
#define ASC_LINE_BYTES 512u
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    uint8_t bytes[ASC_LINE_BYTES];
    volatile uint32_t written;
    volatile uint32_t taken;
} asc_line_t;

/* Interrupt: adds bytes; those that find no room are lost, as on the wire.
 *
 * line: the bytes that wait, all zeros at first; the caller owns it.
 * bytes: bytes that have arrived, read during the call only.
 * count: number of bytes, 0 or more. */
void asc_line_put(asc_line_t *line, const uint8_t *bytes, size_t count);

/* Application: takes bytes out. Returns how many bytes it has copied, 0 to `most`.
 *
 * line: the bytes that wait.
 * bytes: room for `most` bytes.
 * most: number of bytes at most. */
size_t asc_line_take(asc_line_t *line, uint8_t *bytes, size_t most);

#ifdef __cplusplus
}
#endif

#endif
