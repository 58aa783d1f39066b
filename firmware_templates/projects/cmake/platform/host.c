/* SPDX-License-Identifier: Apache-2.0
 *
 * The platform on a computer. Instructions and stack are not measured here.
 */
#include "platform.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FILES = 4 };

static FILE *files[MAX_FILES];

int platform_open(const char *path, const char *mode) {
    for (int i = 0; i < MAX_FILES; i++) {
        if (files[i] == NULL) {
            files[i] = fopen(path, mode);
            return files[i] == NULL ? -1 : i;
        }
    }
    return -1;
}

void platform_close(int file) {
    if (fclose(files[file]) != 0) {
        perror("close");
        exit(EXIT_FAILURE);
    }
    files[file] = NULL;
}

size_t platform_read(int file, void *data, size_t size) {
    return fread(data, 1, size, files[file]);
}

void platform_write(int file, const void *data, size_t size) {
    if (fwrite(data, 1, size, files[file]) != size) {
        perror("write");
        exit(EXIT_FAILURE);
    }
}

void platform_print(const char *text) {
    fputs(text, stdout);
    /* Who reads a pipe must not wait for a full buffer. */
    if (strchr(text, '\n') != NULL) {
        fflush(stdout);
    }
}

int platform_serial_read(uint8_t *data, size_t size) {
    const int byte = getchar();
    if (byte == EOF || size == 0) {
        return -1;
    }
    data[0] = (uint8_t)byte;
    return 1;
}

/* Reading waits here. */
void platform_serial_wait(void) {
}

void platform_serial_write(const uint8_t *data, size_t size) {
    fwrite(data, 1, size, stdout);
    fflush(stdout);
}

uint64_t platform_instructions(void) {
    return 0;
}

uint32_t platform_stack_bytes(void) {
    return 0;
}
