/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs the golden inputs of the network, and prints whether the outputs are the expected ones and
 * the cycles that each inference took.
 */
#include <zephyr/kernel.h>
#include <zephyr/sys/printk.h>

#include "asc_check.h"

static void print(const char *text) {
    printk("%s", text);
}

static uint32_t cycles(void) {
    return k_cycle_get_32();
}

static const asc_check_t check = {.print = print, .line_end = "\n", .ticks = cycles};

int main(void) {
    (void)asc_check(&check);
    return 0;
}
