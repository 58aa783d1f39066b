/* SPDX-License-Identifier: Apache-2.0
 *
 * Prints the acoustic scene that the microphone hears, and how many blocks of samples were lost
 * because the network was running. On the same console it answers the requests of asc-tiny.
 */
#include <zephyr/kernel.h>
#include <zephyr/sys/printk.h>

#include "asc_console.h"
#include "microphone.h"
#include "serial.h"

static void print(const char *text) {
    printk("%s", text);
}

static const asc_console_t console = {
    .print = print, .line_end = "\n", .counter_name = "restarts", .counter = microphone_restarts};

int main(void) {
    serial_start();
    int status = asc_console_start(&console);
    if (status == ASC_NET_OK) {
        status = microphone_start();
    }
    const int has_started = status == 0;
    while (has_started && status >= 0) {
        status = asc_console_step(&console);
        if (status == ASC_RESULT_NONE) {
            microphone_wait();
        }
    }
    asc_console_stop(&console, status);
    return 0;
}
