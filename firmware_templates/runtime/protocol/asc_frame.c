/* SPDX-License-Identifier: Apache-2.0 */
#include "asc_frame.h"

enum { LONGEST_GROUP = 254 };

/* Four bits at a time: a table of 64 bytes. */
uint32_t asc_frame_crc(const uint8_t *data, size_t count) {
    static const uint32_t table[16] = {
        0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4,
        0x4DB26158, 0x5005713C, 0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C,
        0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C,
    };
    uint32_t crc = 0xFFFFFFFF;
    for (size_t i = 0; i < count; i++) {
        crc ^= data[i];
        crc = (crc >> 4) ^ table[crc & 15u];
        crc = (crc >> 4) ^ table[crc & 15u];
    }
    return ~crc;
}

void asc_frame_start(asc_frame_reader_t *reader) {
    reader->count = 0;
    reader->left = 0;
    reader->ends_zero = 0;
    reader->started = 0;
    reader->too_long = 0;
}

static void append(asc_frame_reader_t *reader, uint8_t byte) {
    if (reader->count == sizeof reader->data) {
        reader->too_long = 1;
    } else {
        reader->data[reader->count++] = byte;
    }
}

static int is_intact(const asc_frame_reader_t *reader) {
    if (reader->too_long || reader->left > 0 || reader->count <= ASC_FRAME_CRC_SIZE) {
        return 0;
    }
    const size_t size = reader->count - ASC_FRAME_CRC_SIZE;
    const uint8_t *stored = reader->data + size;
    const uint32_t crc = (uint32_t)stored[0] | (uint32_t)stored[1] << 8 |
                         (uint32_t)stored[2] << 16 | (uint32_t)stored[3] << 24;
    return crc == asc_frame_crc(reader->data, size);
}

static int end_frame(asc_frame_reader_t *reader) {
    int result = ASC_FRAME_NONE;
    if (reader->started) {
        result = is_intact(reader) ? (int)(reader->count - ASC_FRAME_CRC_SIZE) : ASC_FRAME_DAMAGED;
    }
    asc_frame_start(reader);
    return result;
}

int asc_frame_take(asc_frame_reader_t *reader, uint8_t byte) {
    if (byte == 0) {
        return end_frame(reader);
    }
    reader->started = 1;
    if (reader->left > 0) {
        append(reader, byte);
        reader->left--;
        return ASC_FRAME_NONE;
    }
    if (reader->ends_zero) {
        append(reader, 0);
    }
    reader->left = (uint8_t)(byte - 1u);
    reader->ends_zero = byte <= LONGEST_GROUP;
    return ASC_FRAME_NONE;
}

/* Sends the bytes up to the first zero or the end; returns their number. */
static size_t put_group(const uint8_t *data, size_t count, asc_frame_put_t put, void *context) {
    size_t size = 0;
    while (size < count && size < LONGEST_GROUP && data[size] != 0) {
        size++;
    }
    const uint8_t code = (uint8_t)(size + 1u);
    put(context, &code, 1);
    put(context, data, size);
    return size;
}

void asc_frame_send(uint8_t *data, size_t count, asc_frame_put_t put, void *context) {
    static const uint8_t zero = 0;
    const uint32_t crc = asc_frame_crc(data, count);
    for (size_t i = 0; i < ASC_FRAME_CRC_SIZE; i++) {
        data[count++] = (uint8_t)(crc >> (8u * i));
    }
    put(context, &zero, 1);
    for (size_t start = 0, size;; start += size) {
        size = put_group(data + start, count - start, put, context);
        if (start + size == count) {
            break;
        }
        size += size < LONGEST_GROUP; /* the zero, which only a full group has not after it */
    }
    put(context, &zero, 1);
}
