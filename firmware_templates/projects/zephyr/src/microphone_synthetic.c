/* SPDX-License-Identifier: Apache-2.0
 *
 * Noise in place of a microphone, for boards that have none.
 */
#include <zephyr/kernel.h>

#include "asc_listen.h"
#include "microphone.h"

#define CHUNK 256u

int microphone_start(void) {
    return 0;
}

void microphone_wait(void) {
    static uint32_t noise = 1;
    static int16_t samples[CHUNK];
    for (uint32_t i = 0; i < CHUNK; i++) {
        noise = noise * 1664525u + 1013904223u;
        samples[i] = (int16_t)((int32_t)noise >> 20);
    }
    asc_listen_samples(samples, CHUNK);
    k_msleep(1); /* as a microphone lets other threads run */
}

uint32_t microphone_restarts(void) {
    return 0;
}
