/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs the golden inputs of the network, and prints whether the outputs are the expected ones and
 * the cycles that each inference took. The board layer calls app_main once the hardware is set up.
 */
#include <stdio.h>

#include "asc_check.h"
#include "asc_cycles.h"

int app_main(void);

static void print(const char *text) {
    fputs(text, stdout);
}

static const asc_check_t check = {.print = print, .line_end = "\n", .ticks = asc_cycles};

int app_main(void) {
    asc_cycles_start();
    return asc_check(&check);
}
