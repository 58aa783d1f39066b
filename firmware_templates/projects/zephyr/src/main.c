/* SPDX-License-Identifier: Apache-2.0
 *
 * Prints the acoustic scene that the microphone hears, and how many blocks of samples were lost
 * because the network was running. On the same console it answers the requests of asc-tiny.
 */
#include <zephyr/kernel.h>
#include <zephyr/sys/printk.h>

#include "asc_listen.h"
#include "microphone.h"
#include "serial.h"

#ifndef ASC_SELFTEST
#define ASC_SELFTEST 1
#endif

static int selftest(void) {
    const int status = asc_listen_selftest();
    if (ASC_SELFTEST) {
        printk("selftest %d\n", status);
    }
    return status;
}

static void print_scene(const asc_result_t *result) {
    printk("scene %s", asc_labels[result->label]);
    for (uint32_t i = 0; i < ASC_NET_OUTPUT_SIZE; i++) {
        printk(" %d", result->smoothed[i]);
    }
    printk("\n");
}

static void print_losses(void) {
    static uint32_t overruns;
    static uint32_t restarts;
    if (asc_listen_overruns() != overruns || microphone_restarts() != restarts) {
        overruns = asc_listen_overruns();
        restarts = microphone_restarts();
        printk("overruns %u restarts %u\n", (unsigned)overruns, (unsigned)restarts);
    }
}

static int listen(void) {
    int status = asc_listen_init();
    if (status == ASC_NET_OK) {
        status = microphone_start();
    }
    while (status >= 0) {
        asc_result_t result;
        status = asc_listen(&result);
        if (status == ASC_RESULT_NEW) {
            print_scene(&result);
        } else if (status == ASC_RESULT_NONE) {
            microphone_wait();
        }
        print_losses();
    }
    return status;
}

int main(void) {
    serial_start();
    int status = selftest();
    if (status == ASC_SELFTEST_PASSED) {
        status = listen();
    }
    printk("stopped %d\n", status);
    return 0;
}
