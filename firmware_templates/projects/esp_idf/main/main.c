/* SPDX-License-Identifier: Apache-2.0
 *
 * Prints the acoustic scene that the microphone hears, and how many blocks of samples were lost
 * because the network was running. On the same UART it answers the requests of asc-tiny.
 */
#include <inttypes.h>
#include <stdio.h>

#include "asc_listen.h"
#include "microphone.h"
#include "serial.h"

#ifndef ASC_SELFTEST
#define ASC_SELFTEST 1
#endif

void app_main(void);

static int selftest(void) {
    const int status = asc_listen_selftest();
    if (ASC_SELFTEST) {
        printf("selftest %d\n", status);
    }
    return status;
}

static void print_scene(const asc_result_t *result) {
    printf("scene %s", asc_labels[result->label]);
    for (uint32_t i = 0; i < ASC_NET_OUTPUT_SIZE; i++) {
        printf(" %d", result->smoothed[i]);
    }
    printf("\n");
}

static void print_losses(void) {
    static uint32_t overruns;
    static uint32_t overflows;
    if (asc_listen_overruns() != overruns || microphone_overflows() != overflows) {
        overruns = asc_listen_overruns();
        overflows = microphone_overflows();
        printf("overruns %" PRIu32 " overflows %" PRIu32 "\n", overruns, overflows);
    }
}

static int listen_for_ever(void) {
    int status = asc_listen_init();
    if (status == ASC_NET_OK) {
        status = microphone_start();
    }
    if (status != ESP_OK) {
        return status;
    }
    while (status >= 0) {
        asc_result_t result;
        serial_poll();
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

void app_main(void) {
    int status = serial_start();
    if (status == ESP_OK) {
        status = selftest();
    }
    if (status == ASC_SELFTEST_PASSED) {
        status = listen_for_ever();
    }
    printf("stopped %d\n", status);
}
