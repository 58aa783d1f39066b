/* SPDX-License-Identifier: Apache-2.0
 *
 * Prints the acoustic scene that the microphone hears, and how many blocks of samples were lost
 * because the network was running. On the same port it answers the requests of asc-tiny.
 *
 * One core has the interrupts, of the microphone and of USB, and makes samples of what the
 * microphone gives; the other classifies them, front end and network. With APPLICATION_CORE 0 one
 * core does both.
 */
#include "asc_console.h"
#include "hardware/sync.h"
#include "microphone.h"
#include "pico/multicore.h"
#include "pico/stdlib.h"
#include "serial.h"

#ifndef APPLICATION_CORE
#define APPLICATION_CORE 1
#endif

static const asc_console_t console = {
    .print = serial_print, .line_end = "\r\n", .counter_name = "gaps", .counter = microphone_gaps};

static int microphone_status;

static int listen_for_ever(void) {
    int status;
    do {
        if (serial_was_opened()) {
            asc_console_repeat(&console, ASC_NET_OK);
        }
        serial_poll();
        status = asc_console_step(&console);
        if (status == ASC_RESULT_NONE) {
            microphone_wait();
        }
    } while (status >= 0);
    return status;
}

#if APPLICATION_CORE == 1
/* The other core's interrupts are the microphone's. */
static void start_microphone(void) {
    multicore_fifo_push_blocking(0);
    microphone_status = (int)multicore_fifo_pop_blocking();
}
#else
static void start_microphone(void) {
    microphone_status = microphone_start();
}
#endif

static void run_application(void) {
    serial_start();
    (void)serial_was_opened();
    const int started = asc_console_start(&console);
    int status = started;
    if (status == ASC_NET_OK) {
        start_microphone();
        status = microphone_status;
    }
    status = status == 0 ? listen_for_ever() : status;
    for (;;) { /* again and again, for who opens the port late */
        asc_console_repeat(&console, started);
        asc_console_stop(&console, status);
        sleep_ms(1000);
    }
}

int main(void) {
    (void)stdio_usb_init();
#if APPLICATION_CORE == 1
    static uint32_t stack[2048];
    multicore_launch_core1_with_stack(run_application, stack, sizeof stack);
    (void)multicore_fifo_pop_blocking();
    multicore_fifo_push_blocking((uint32_t)microphone_start());
    for (;;) {
        __wfi();
    }
#else
    run_application();
#endif
}
