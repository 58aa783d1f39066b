/* SPDX-License-Identifier: Apache-2.0
 *
 * Prints the acoustic scene that the microphone hears, and how many blocks of samples were lost
 * because the network was running. On the same UART it answers the requests of asc-tiny.
 */
#include <stdio.h>

#include "asc_console.h"
#include "microphone.h"
#include "serial.h"

void app_main(void);

static void print(const char *text) {
    fputs(text, stdout);
}

static const asc_console_t console = {
    .print = print, .line_end = "\n", .counter_name = "overflows", .counter = microphone_overflows};

static int start(void) {
    int status = serial_start();
    if (status == ESP_OK) {
        status = asc_console_start(&console);
    }
    return status == ASC_NET_OK ? microphone_start() : status;
}

static int listen_for_ever(void) {
    int status;
    do {
        serial_poll();
        status = asc_console_step(&console);
        if (status == ASC_RESULT_NONE) {
            microphone_wait();
        }
    } while (status >= 0);
    return status;
}

void app_main(void) {
    const int status = start();
    asc_console_stop(&console, status == ESP_OK ? listen_for_ever() : status);
}
