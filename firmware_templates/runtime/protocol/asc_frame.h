/* SPDX-License-Identifier: Apache-2.0
 *
 * Frames on a serial line: COBS of a payload and its CRC-32 (the one of Ethernet, little-endian),
 * with a zero byte before and after. Any byte may be lost, changed or added: a frame either arrives
 * as it was sent or is dropped, and the next zero starts anew.
 *
 * COBS: S. Cheshire and M. Baker, "Consistent Overhead Byte Stuffing", 1999.
 */
#ifndef ASC_FRAME_H
#define ASC_FRAME_H

#include <stddef.h>
#include <stdint.h>

/* The longest payload that is read, in bytes */
#ifndef ASC_FRAME_MAX
#define ASC_FRAME_MAX 256
#endif
#define ASC_FRAME_CRC_SIZE 4

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    uint8_t data[ASC_FRAME_MAX + ASC_FRAME_CRC_SIZE]; /* the payload comes first */
    uint32_t count;                                   /* bytes in `data` */
    uint8_t left;      /* bytes of the group that are still to come */
    uint8_t ends_zero; /* whether a zero was taken out after the group */
    uint8_t started;   /* whether a byte came since the last zero on the line */
    uint8_t too_long;
} asc_frame_reader_t;

/* What asc_frame_take returns besides the size of a payload */
#define ASC_FRAME_NONE 0
#define ASC_FRAME_DAMAGED (-1)

/* Begins to read a line.
 *
 * reader: memory for the state, which the caller owns. */
void asc_frame_start(asc_frame_reader_t *reader);

/* Takes a byte of the line. Returns the size in bytes of the payload that it completes, 1 to
 * ASC_FRAME_MAX, which lies in reader->data until the next call; ASC_FRAME_DAMAGED if it ends a
 * frame that is not intact; else ASC_FRAME_NONE.
 *
 * reader: state that was begun.
 * byte: the next byte. */
int asc_frame_take(asc_frame_reader_t *reader, uint8_t byte);

/* Sends bytes, and returns once they are taken.
 *
 * context: what was given to asc_frame_send.
 * data: bytes, valid during the call.
 * count: number of bytes. */
typedef void (*asc_frame_put_t)(void *context, const uint8_t *data, size_t count);

/* Sends a frame.
 *
 * data: the payload, with room for ASC_FRAME_CRC_SIZE bytes behind it, which are overwritten.
 * count: bytes of the payload, 1 to ASC_FRAME_MAX.
 * put: sends the bytes of the frame, in several calls.
 * context: is handed to `put`. */
void asc_frame_send(uint8_t *data, size_t count, asc_frame_put_t put, void *context);

/* Returns the CRC-32 of Ethernet.
 *
 * data: any bytes.
 * count: number of bytes, 0 or more. */
uint32_t asc_frame_crc(const uint8_t *data, size_t count);

#ifdef __cplusplus
}
#endif

#endif
