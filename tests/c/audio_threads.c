/* SPDX-License-Identifier: Apache-2.0
 *
 * The double buffer with a thread as the interrupt: every block that the application takes must be
 * whole and must not change under its eyes, and what is missing must be what was counted.
 * Arguments: blocks to receive, the most turns that the interrupt idles per block, and the same of
 * the application.
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "asc_audio.h"

#define NUMBERS 0x8000u

static asc_audio_t audio;
static unsigned interrupt_idles, application_idles;
static unsigned long produced;
static int stop;

static void idle(unsigned most, unsigned *seed) {
    *seed = *seed * 1103515245u + 12345u;
    for (volatile unsigned turns = most > 0 ? (*seed >> 8) % most : 0; turns > 0; turns--) {
    }
}

/* Marks all samples of a block with its number, so that a torn block shows. */
static void *produce(void *unused) {
    unsigned seed = 1;
    (void)unused;
    while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
        int16_t *samples = asc_audio_fill(&audio);
        for (size_t i = 0; i < ASC_AUDIO_BLOCK; i++) {
            samples[i] = (int16_t)(produced % NUMBERS);
        }
        asc_audio_filled(&audio);
        produced++;
        idle(interrupt_idles, &seed);
        if (seed >> 26 == 0) {
            sched_yield();
        }
    }
    return NULL;
}

static void check(const int16_t *samples) {
    for (size_t i = 1; i < ASC_AUDIO_BLOCK; i++) {
        if (samples[i] != samples[0]) {
            puts("torn");
            exit(1);
        }
    }
}

/* Returns how many blocks before this one are missing. */
static unsigned long use(const int16_t *samples, unsigned long expected) {
    static unsigned seed = 2;
    check(samples);
    idle(application_idles, &seed);
    check(samples);
    return ((unsigned long)samples[0] - expected) % NUMBERS;
}

int main(int argc, char **argv) {
    unsigned long received = 0, missing = 0;
    pthread_t interrupt;
    if (argc != 4) {
        return 2;
    }
    const unsigned long wanted = strtoul(argv[1], NULL, 10);
    interrupt_idles = (unsigned)strtoul(argv[2], NULL, 10);
    application_idles = (unsigned)strtoul(argv[3], NULL, 10);
    asc_audio_init(&audio);
    if (pthread_create(&interrupt, NULL, produce, NULL) != 0) {
        return 2;
    }
    for (int running = 1;;) {
        const int16_t *samples = asc_audio_take(&audio);
        if (samples != NULL) {
            missing += use(samples, received + missing);
            received++;
            asc_audio_release(&audio);
        } else if (running) {
            sched_yield();
        } else {
            break;
        }
        if (running && received >= wanted) {
            __atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
            pthread_join(interrupt, NULL);
            running = 0;
        }
    }
    const unsigned long overruns = asc_audio_overruns(&audio);
    missing += (produced - received - missing) % NUMBERS;
    printf("%lu received, %lu lost, %lu missing\n", received, overruns, missing);
    return received + overruns != produced || (overruns - missing) % NUMBERS != 0;
}
