/* SPDX-License-Identifier: Apache-2.0 */
#include "board.h"

#include "emulated.h"
#include "harness.h"

#ifndef LOST_CHUNK
#define LOST_CHUNK SIZE_MAX
#endif

enum { CHUNK = 256, RATE = 44100, CLOCK = 25000000, TIMER_IRQ = 8, QUIET_CHUNKS = 100 };
enum { MOST_BYTES = 1 << 20 };

/* In the board's PSRAM, so that the program's RAM is the application's. */
static int16_t *const source = (int16_t *)0x21000000;
static size_t chunks;
static size_t chunk;

/* CMSDK APB timer 0: control, value, reload, interrupt status */
static volatile uint32_t *const timer = (volatile uint32_t *)0x40000000;

static void timer_handler(void) {
    timer[3] = 1; /* clears the interrupt */
    const size_t now = chunk++;
    if (now >= chunks + QUIET_CHUNKS) {
        print_number("overruns ", asc_listen_overruns(), "\n");
        stop(0);
    }
    if (now < chunks && now != LOST_CHUNK) {
        microphone_received(source + now * CHUNK, CHUNK, now == LOST_CHUNK + 1);
    }
}

#ifdef FREERTOS
void vPortSVCHandler(void);
void xPortPendSVHandler(void);
void xPortSysTickHandler(void);
void vApplicationIdleHook(void);

void vApplicationIdleHook(void) {
    wait_for_interrupt();
}

static void add_handlers(uint32_t *vectors) {
    vectors[11] = (uint32_t)vPortSVCHandler;
    vectors[14] = (uint32_t)xPortPendSVHandler;
    vectors[15] = (uint32_t)xPortSysTickHandler;
}
#else
static void add_handlers(uint32_t *vectors) {
    (void)vectors;
}
#endif

static void set_vectors(void) {
    static uint32_t vectors[16 + 32] __attribute__((aligned(256)));
    volatile uint32_t *const vector_table = (volatile uint32_t *)0xE000ED08;
    const uint32_t *from = (const uint32_t *)*vector_table;
    for (size_t i = 0; i < 16; i++) {
        vectors[i] = from[i];
    }
    vectors[16 + TIMER_IRQ] = (uint32_t)timer_handler;
    add_handlers(vectors);
    *vector_table = (uint32_t)vectors;
}

void microphone_start(void) {
    volatile uint32_t *const interrupt_enable = (volatile uint32_t *)0xE000E100;
    volatile uint8_t *const priority = (volatile uint8_t *)0xE000E400;
    const uint32_t enable_with_interrupt = 1u | 8u;
    const uint32_t ticks = (uint32_t)((uint64_t)CLOCK * CHUNK / RATE);
    chunks = platform_read(platform_open("in.pcm", "rb"), source, MOST_BYTES) /
             (CHUNK * sizeof source[0]);
    timer[2] = ticks;
    timer[1] = ticks;
    priority[TIMER_IRQ] = 0xC0;
    *interrupt_enable = 1u << TIMER_IRQ;
    timer[0] = enable_with_interrupt;
}

void show(const asc_result_t *result) {
    platform_print("scene ");
    platform_print(asc_labels[result->label]);
    for (size_t i = 0; i < ASC_NET_OUTPUT_SIZE; i++) {
        print_number(" ", result->smoothed[i], "");
    }
    platform_print("\n");
}

void wait_for_interrupt(void) {
    __asm__ volatile("wfi");
}

void stop(int status) {
    const uint32_t application_exit = 0x20026;
    const uint32_t block[2] = {application_exit, (uint32_t)status};
    for (;;) {
        semihosting(0x20, block); /* SYS_EXIT_EXTENDED */
    }
}

/* FreeRTOS looks for its handlers when it is started. */
int main(void) {
    set_vectors();
    return application();
}
