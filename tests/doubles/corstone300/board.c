/* SPDX-License-Identifier: Apache-2.0
 *
 * The board layer's own part: which UART there is, and the start of the application.
 */
#include "cmsis_driver_config.h"

static const struct uart_cmsdk_dev_cfg_t uart = {.base = UART0_BASE_S, .default_baudrate = 115200};
static struct uart_cmsdk_dev_data_t state;
struct uart_cmsdk_dev_t UART0_CMSDK_DEV = {&uart, &state};

int stdio_init(void);
int app_main(void);

int main(void) {
    return stdio_init() == 0 ? app_main() : -1;
}
