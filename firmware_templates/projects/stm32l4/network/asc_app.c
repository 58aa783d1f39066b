/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs the golden inputs of the network, and prints whether the outputs are the expected ones and
 * the cycles that each inference took.
 */
#include "asc_app.h"

#include <string.h>

#include "asc_check.h"
#include "asc_cycles.h"

static UART_HandleTypeDef *port;

static void print(const char *text) {
    HAL_UART_Transmit(port, (const uint8_t *)text, (uint16_t)strlen(text), HAL_MAX_DELAY);
}

static const asc_check_t check = {.print = print, .line_end = "\r\n", .ticks = asc_cycles};

void asc_app_init(UART_HandleTypeDef *uart) {
    port = uart;
    asc_cycles_start();
}

void asc_app_step(void) {
    (void)asc_check(&check);
    HAL_Delay(2000);
}
