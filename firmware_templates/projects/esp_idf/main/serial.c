/* SPDX-License-Identifier: Apache-2.0 */
#include "serial.h"

#include <stdio.h>

#include "asc_listen.h"
#include "driver/uart.h"
#include "esp_cpu.h"
#include "sdkconfig.h"

#if ASC_PROTOCOL && defined(CONFIG_ESP_CONSOLE_UART)
#define UART ((uart_port_t)CONFIG_ESP_CONSOLE_UART_NUM)
#define RECEIVED_BYTES 1024

/* By the driver and not by stdout, which changes line ends. */
static void put(void *context, const uint8_t *bytes, size_t count) {
    (void)context;
    fflush(stdout);
    (void)uart_write_bytes(UART, bytes, count);
}

static uint32_t ticks(void) {
    return esp_cpu_get_cycle_count();
}

esp_err_t serial_start(void) {
    static const asc_port_t port = {
        .put = put, .ticks = ticks, .tick_rate = CONFIG_ESP_DEFAULT_CPU_FREQ_MHZ * 1000000u};
    const esp_err_t status = uart_driver_install(UART, RECEIVED_BYTES, 0, 0, NULL, 0);
    if (status == ESP_OK) {
        asc_listen_serial(&port);
    }
    return status;
}

void serial_poll(void) {
    uint8_t bytes[64];
    const int count = uart_read_bytes(UART, bytes, sizeof bytes, 0);
    if (count > 0) {
        asc_listen_receive(bytes, (size_t)count);
    }
}
#else
esp_err_t serial_start(void) {
    return ESP_OK;
}

void serial_poll(void) {
}
#endif
