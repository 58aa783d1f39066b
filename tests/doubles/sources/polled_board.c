/* SPDX-License-Identifier: Apache-2.0
 *
 * What the README of drop-in sources asks of a board, on any core: the microphone is a file in.pcm,
 * and waiting for an interrupt hands over its next chunk, as an interrupt would at that place.
 */
#include "board.h"
#include "harness.h"

#if defined(__arm__) || defined(__riscv)
#include "emulated.h"
#else
#include <stdlib.h>
#endif

enum { CHUNK = 256 };

static int file;

#if defined(__arm__) || defined(__riscv)
void stop(int status) {
    const uint32_t application_exit = 0x20026;
    const uint32_t block[2] = {application_exit, (uint32_t)status};
    for (;;) {
        semihosting(0x20, block); /* SYS_EXIT_EXTENDED */
    }
}
#else
void stop(int status) {
    exit(status);
}
#endif

void microphone_start(void) {
    file = platform_open("in.pcm", "rb");
}

void wait_for_interrupt(void) {
    static int16_t pcm[CHUNK];
    const size_t count = platform_read(file, pcm, sizeof pcm) / sizeof pcm[0];
    if (count == 0) {
        print_number("overruns ", asc_listen_overruns(), "\n");
        stop(0);
    }
    microphone_received(pcm, count, 0);
}

void show(const asc_result_t *result) {
    platform_print("scene ");
    platform_print(asc_labels[result->label]);
    for (size_t i = 0; i < ASC_NET_OUTPUT_SIZE; i++) {
        print_number(" ", result->smoothed[i], "");
    }
    platform_print("\n");
}

int main(void) {
    return application();
}
