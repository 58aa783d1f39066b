/* SPDX-License-Identifier: Apache-2.0
 *
 * The classifier on an emulated Cortex-M (MPS2) fed by a timer's interrupt through the double
 * buffer. Arguments: samples, ticks of 25 MHz between two interrupts. Prints the decisions, then
 * how many blocks the application received, how many it missed, and the overruns counted.
 */
#include <string.h>

#include "asc_audio.h"
#include "asc_classifier.h"
#include "harness.h"

#define CHUNK 64u /* samples per interrupt */
#define MOST_SAMPLES (8u * 48000u)
#define TIMER_IRQ 8u

static asc_t classifier;
static asc_audio_t audio;
static int16_t source[MOST_SAMPLES];
static size_t count;
static volatile size_t position;
static volatile int ended;

/* CMSDK APB timer 0: control, value, reload, interrupt status */
static volatile uint32_t *const timer = (volatile uint32_t *)0x40000000;

static void timer_handler(void) {
    timer[3] = 1; /* clears the interrupt */
    if (position + CHUNK <= count) {
        asc_audio_write(&audio, source + position, CHUNK);
        position += CHUNK;
    } else {
        ended = 1;
        timer[0] = 0;
    }
}

static void start_timer(uint32_t ticks) {
    static uint32_t vectors[16 + 32] __attribute__((aligned(256)));
    volatile uint32_t *const vector_table = (volatile uint32_t *)0xE000ED08;
    volatile uint32_t *const interrupt_enable = (volatile uint32_t *)0xE000E100;
    const uint32_t enable_with_interrupt = 1u | 8u;
    const uint32_t *from = (const uint32_t *)*vector_table;
    for (size_t i = 0; i < 16; i++) {
        vectors[i] = from[i];
    }
    vectors[16 + TIMER_IRQ] = (uint32_t)timer_handler;
    *vector_table = (uint32_t)vectors;
    timer[2] = ticks;
    timer[1] = ticks;
    *interrupt_enable = 1u << TIMER_IRQ;
    timer[0] = enable_with_interrupt;
}

static void classify(const int16_t *pcm, size_t left) {
    while (left > 0) {
        asc_result_t result;
        const size_t taken = asc_push(&classifier, pcm, left);
        pcm += taken;
        left -= taken;
        if (asc_result(&classifier, &result) == ASC_RESULT_NEW) {
            platform_print("decision");
            for (uint32_t i = 0; i < ASC_NET_OUTPUT_SIZE; i++) {
                print_number(" ", result.scores[i], "");
            }
            platform_print("\n");
        }
    }
}

/* Blocks of the source between `expected` and this one. */
static uint32_t missed(const int16_t *block, uint32_t expected) {
    for (uint32_t n = expected; (n + 1u) * ASC_AUDIO_BLOCK <= count; n++) {
        if (memcmp(block, source + n * ASC_AUDIO_BLOCK, ASC_AUDIO_BLOCK * sizeof *block) == 0) {
            return n - expected;
        }
    }
    platform_print("torn\n");
    return 0;
}

static uint32_t number_of(const char *text) {
    uint32_t value = 0;
    for (; *text != '\0'; text++) {
        value = value * 10u + (uint32_t)(*text - '0');
    }
    return value;
}

int main(int argc, char **argv) {
    uint32_t received = 0, lost = 0;
    if (argc != 3 || asc_init(&classifier) != ASC_NET_OK) {
        return 2;
    }
    count = platform_read(platform_open(argv[1], "rb"), source, sizeof source) / sizeof *source;
    asc_audio_init(&audio);
    start_timer(number_of(argv[2]));
    for (;;) {
        const int last = ended; /* before looking: what was complete then is still taken */
        const int16_t *block = asc_audio_take(&audio);
        if (block == NULL) {
            if (last) {
                break;
            }
            __asm__ volatile("wfi");
            continue;
        }
        lost += missed(block, received + lost);
        classify(block, ASC_AUDIO_BLOCK);
        if (missed(block, received + lost) != 0) {
            platform_print("changed\n");
        }
        received++;
        asc_audio_release(&audio);
    }
    lost += (uint32_t)(count / ASC_AUDIO_BLOCK) - received - lost;
    print_number("received ", received, "");
    print_number(" lost ", lost, "");
    print_number(" overruns ", asc_audio_overruns(&audio), "");
    platform_print("\n");
    return 0;
}
