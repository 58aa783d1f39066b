/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs the golden inputs of the network, and prints whether the outputs are the expected ones and
 * the cycles that each inference took.
 */
#include <stdio.h>

#include "asc_check.h"
#include "esp_cpu.h"

void app_main(void);

static void print(const char *text) {
    fputs(text, stdout);
}

static uint32_t cycles(void) {
    return (uint32_t)esp_cpu_get_cycle_count();
}

static const asc_check_t check = {.print = print, .line_end = "\n", .ticks = cycles};

void app_main(void) {
    (void)asc_check(&check);
}
