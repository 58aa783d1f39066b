/* SPDX-License-Identifier: Apache-2.0
 *
 * Prints the acoustic scene that the microphone hears, and how many blocks of samples were lost
 * because the network was running. On the same console it answers the requests of asc-tiny.
 *
 * The console belongs to this thread: text, frames and Zephyr's log, with all that is given to
 * printk, come one after the other, each whole.
 */
#include <string.h>
#include <zephyr/kernel.h>
#include <zephyr/logging/log_backend.h>
#include <zephyr/logging/log_ctrl.h>

#include "asc_console.h"
#include "microphone.h"
#include "serial.h"

#define LOG_MS 100 /* between looks at the log once nothing else is to be done */

static void print(const char *text) {
    k_str_out((char *)text, strlen(text)); /* which only reads it; printk would write to the log */
}

#ifdef CONFIG_LOG
/* A fault stops this thread within a line or a frame, and Zephyr tells of it at once: behind a
 * zero, which ends a frame, and on a line of its own. */
static void begin_report(const struct log_backend *backend) {
    char end[] = {'\0', '\n'};
    ARG_UNUSED(backend);
    k_str_out(end, sizeof end);
}

static void ignore_message(const struct log_backend *backend, union log_msg_generic *message) {
    ARG_UNUSED(backend);
    ARG_UNUSED(message);
}

static const struct log_backend_api at_a_fault = {.process = ignore_message, .panic = begin_report};
LOG_BACKEND_DEFINE(fault, at_a_fault, true);
#endif

static const asc_console_t console = {
    .print = print, .line_end = "\n", .counter_name = "restarts", .counter = microphone_restarts};

int main(void) {
    while (LOG_PROCESS()) { /* of what was started before, such as Zephyr's banner */
    }
    serial_start();
    int status = asc_console_start(&console);
    if (status == ASC_NET_OK) {
        status = microphone_start();
    }
    const int has_started = status == 0;
    while (has_started && status >= 0) {
        status = asc_console_step(&console);
        /* One message at a time: whatever a driver says, samples are not kept waiting. */
        const int has_more_log = LOG_PROCESS();
        if (status == ASC_RESULT_NONE && !has_more_log) {
            microphone_wait();
        }
    }
    asc_console_stop(&console, status);
    for (;;) {
        if (!LOG_PROCESS()) {
            k_msleep(LOG_MS);
        }
    }
}
