/* SPDX-License-Identifier: Apache-2.0
 *
 * A double of ESP-IDF's UART driver, as far as the generated application uses it: standard input
 * and output. Not ESP-IDF's header.
 */
#ifndef ESP_IDF_DOUBLE_UART_H
#define ESP_IDF_DOUBLE_UART_H

#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"
#include "freertos/FreeRTOS.h"

typedef enum { UART_NUM_0, UART_NUM_1 } uart_port_t;
typedef void *QueueHandle_t;

esp_err_t uart_driver_install(uart_port_t port, int rx_buffer_size, int tx_buffer_size,
                              int queue_size, QueueHandle_t *queue, int interrupt_flags);
int uart_read_bytes(uart_port_t port, void *bytes, uint32_t size, TickType_t ticks_to_wait);
int uart_write_bytes(uart_port_t port, const void *bytes, size_t size);

#endif
