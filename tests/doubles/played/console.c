/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L

#include "console.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void (*take)(const uint8_t *bytes, size_t count);

void console_send(const uint8_t *bytes, size_t count) {
    fwrite(bytes, 1, count, stdout);
    if (count > 0 && bytes[count - 1] == 0) {
        fflush(stdout);
    }
}

void console_open(void) {
    setvbuf(stdout, NULL, _IOLBF, 0);
}

size_t console_read(uint8_t *bytes, size_t most) {
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    if (poll(&input, 1, 0) <= 0 || (input.revents & POLLIN) == 0) {
        return 0;
    }
    const ssize_t count = read(STDIN_FILENO, bytes, most);
    return count > 0 ? (size_t)count : 0;
}

static void *run(void *nothing) {
    uint8_t bytes[64];
    for (ssize_t count; (count = read(STDIN_FILENO, bytes, sizeof bytes)) > 0;) {
        take(bytes, (size_t)count);
    }
    return nothing;
}

void console_start(void (*receive)(const uint8_t *bytes, size_t count)) {
    static pthread_t id;
    take = receive;
    if (pthread_create(&id, NULL, run, NULL) != 0) {
        exit(EXIT_FAILURE);
    }
}
