/* SPDX-License-Identifier: Apache-2.0
 *
 * What the doubles do on a computer: the microphone plays in.pcm, its samples in the upper half
 * of 32 bits with noise below. The buffer that OVERFLOWING_READ names tells of one lost before.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "console.h"
#include "driver/i2s_std.h"
#include "driver/uart.h"
#include "esp_cpu.h"
#include "freertos/task.h"
#include "played.h"

#define MOST_SAMPLES 1024

void app_main(void);

static TaskFunction_t task_code;
static i2s_isr_callback_t overflow;
static long overflowing_read = -1;
static size_t slots_of_a_sample = 1;

esp_err_t i2s_new_channel(const i2s_chan_config_t *config, i2s_chan_handle_t *transmit,
                          i2s_chan_handle_t *receive) {
    if (config->role != I2S_ROLE_MASTER || transmit != NULL || receive == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    return played_open() == 0 ? ESP_OK : ESP_FAIL;
}

esp_err_t i2s_channel_init_std_mode(i2s_chan_handle_t handle, const i2s_std_config_t *config) {
    (void)handle;
    if (config->slot_cfg.data_bit_width != I2S_DATA_BIT_WIDTH_32BIT ||
        config->slot_cfg.slot_mode != I2S_SLOT_MODE_MONO) {
        return ESP_ERR_INVALID_ARG;
    }
    slots_of_a_sample = config->slot_cfg.slot_mask == I2S_STD_SLOT_BOTH ? 2 : 1;
    printf("microphone %u Hz, SCK %d WS %d SD %d\n", (unsigned)config->clk_cfg.sample_rate_hz,
           config->gpio_cfg.bclk, config->gpio_cfg.ws, config->gpio_cfg.din);
    return ESP_OK;
}

esp_err_t i2s_channel_register_event_callback(i2s_chan_handle_t handle,
                                              const i2s_event_callbacks_t *callbacks,
                                              void *context) {
    const char *at = getenv("OVERFLOWING_READ");
    (void)handle, (void)context;
    overflow = callbacks->on_recv_q_ovf;
    overflowing_read = at == NULL ? -1 : atol(at);
    return ESP_OK;
}

esp_err_t i2s_channel_enable(i2s_chan_handle_t handle) {
    (void)handle;
    return ESP_OK;
}

esp_err_t i2s_channel_read(i2s_chan_handle_t handle, void *samples, size_t size, size_t *bytes_read,
                           uint32_t timeout_ms) {
    static int16_t pcm[MOST_SAMPLES];
    static long reads;
    int32_t *slots = samples;
    const size_t count = size / sizeof *slots / slots_of_a_sample;
    (void)timeout_ms;
    played_read(pcm, count);
    memset(slots, 0, size); /* nobody drives the right slot */
    for (size_t i = 0; i < count; i++) {
        slots[i * slots_of_a_sample] = pcm[i] * 65536 + (int32_t)(i * 40503u % 65536u);
    }
    if (reads++ == overflowing_read) {
        overflow(handle, NULL, NULL);
    }
    *bytes_read = size;
    return ESP_OK;
}

static void run(void) {
    task_code(NULL);
}

BaseType_t xTaskCreatePinnedToCore(TaskFunction_t code, const char *name, uint32_t stack_depth,
                                   void *parameters, UBaseType_t priority, TaskHandle_t *created,
                                   BaseType_t core) {
    (void)name, (void)stack_depth, (void)parameters, (void)priority, (void)created, (void)core;
    task_code = code;
    played_start(run);
    return pdPASS;
}

TaskHandle_t xTaskGetCurrentTaskHandle(void) {
    static char task;
    return (TaskHandle_t)(void *)&task;
}

BaseType_t xTaskNotifyGive(TaskHandle_t task) {
    (void)task;
    played_give();
    return pdPASS;
}

uint32_t ulTaskNotifyTake(BaseType_t clear, TickType_t ticks) {
    (void)clear, (void)ticks;
    played_wait();
    return 1;
}

esp_cpu_cycle_count_t esp_cpu_get_cycle_count(void) {
    return (uint32_t)clock();
}

esp_err_t uart_driver_install(uart_port_t port, int rx_buffer_size, int tx_buffer_size,
                              int queue_size, QueueHandle_t *queue, int interrupt_flags) {
    const int fifo = 128; /* a receive buffer must be larger */
    (void)tx_buffer_size, (void)queue_size, (void)queue, (void)interrupt_flags;
    if (port != UART_NUM_0 || rx_buffer_size <= fifo) {
        return ESP_FAIL;
    }
    console_open();
    return ESP_OK;
}

int uart_read_bytes(uart_port_t port, void *bytes, uint32_t size, TickType_t ticks_to_wait) {
    (void)port, (void)ticks_to_wait;
    return (int)console_read(bytes, size);
}

int uart_write_bytes(uart_port_t port, const void *bytes, size_t size) {
    (void)port;
    console_send(bytes, size);
    return (int)size;
}

int main(void) {
    app_main();
    return EXIT_SUCCESS;
}
