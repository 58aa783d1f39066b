/* SPDX-License-Identifier: Apache-2.0
 *
 * In place of what STM32CubeMX writes. Arguments: halves of the DMA's buffer and errors of it that
 * come before the application's first step.
 */
#include "main.h"

#include <stdlib.h>

#include "asc_app.h"
#include "hal.h"

static DFSDM_Filter_HandleTypeDef hdfsdm1_filter0;
static UART_HandleTypeDef huart1;

int main(int argc, char **argv) {
    hal_set_world(argc > 1 ? atoi(argv[1]) : 0, argc > 2 ? atoi(argv[2]) : 0);
    asc_app_init(&hdfsdm1_filter0, &huart1);
    for (;;) {
        asc_app_step();
    }
}
