/* SPDX-License-Identifier: Apache-2.0
 *
 * Frames between standard input and output:
 *
 *     decode      a line per frame: its payload in hexadecimal digits, or "damaged"
 *     encode      the frame of all that can be read, at most ASC_FRAME_MAX bytes
 */
#include <stdio.h>
#include <string.h>

#include "asc_frame.h"

static void print_frame(const uint8_t *payload, int size) {
    if (size == ASC_FRAME_DAMAGED) {
        puts("damaged");
        return;
    }
    for (int i = 0; i < size; i++) {
        printf("%02x", payload[i]);
    }
    puts("");
}

static void decode(void) {
    asc_frame_reader_t reader;
    asc_frame_start(&reader);
    for (int byte; (byte = getchar()) != EOF;) {
        const int size = asc_frame_take(&reader, (uint8_t)byte);
        if (size != ASC_FRAME_NONE) {
            print_frame(reader.data, size);
        }
    }
}

static void put(void *context, const uint8_t *data, size_t count) {
    (void)context;
    fwrite(data, 1, count, stdout);
}

static void encode(void) {
    uint8_t data[ASC_FRAME_MAX + ASC_FRAME_CRC_SIZE];
    asc_frame_send(data, fread(data, 1, ASC_FRAME_MAX, stdin), put, NULL);
}

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "decode") == 0) {
        decode();
        return 0;
    }
    encode();
    return 0;
}
