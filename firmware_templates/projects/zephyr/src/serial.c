/* SPDX-License-Identifier: Apache-2.0 */
#include "serial.h"

#include <zephyr/device.h>
#include <zephyr/drivers/uart.h>
#include <zephyr/kernel.h>
#ifdef CONFIG_TIMING_FUNCTIONS
#include <zephyr/timing/timing.h>
#endif

#include "asc_listen.h"

#if ASC_PROTOCOL
static const struct device *const console = DEVICE_DT_GET(DT_CHOSEN(zephyr_console));

static void put(void *context, const uint8_t *bytes, size_t count) {
    ARG_UNUSED(context);
    for (size_t i = 0; i < count; i++) {
        uart_poll_out(console, bytes[i]);
    }
}

/* Zephyr's own clock is a slow one on some boards, such as 32,768 Hz on Nordic's. */
#ifdef CONFIG_TIMING_FUNCTIONS
static uint32_t ticks(void) {
    return (uint32_t)timing_counter_get();
}

static uint32_t start_ticks(void) {
    timing_init();
    timing_start();
    return (uint32_t)timing_freq_get();
}
#else
static uint32_t ticks(void) {
    return k_cycle_get_32();
}

static uint32_t start_ticks(void) {
    return (uint32_t)sys_clock_hw_cycles_per_sec();
}
#endif

static void receive(const struct device *device, void *context) {
    uint8_t bytes[16];
    ARG_UNUSED(context);
    (void)uart_irq_update(device);
    while (uart_irq_rx_ready(device)) {
        const int count = uart_fifo_read(device, bytes, sizeof bytes);
        if (count <= 0) {
            break;
        }
        asc_listen_receive(bytes, (size_t)count);
    }
}

void serial_start(void) {
    const asc_port_t port = {.put = put, .ticks = ticks, .tick_rate = start_ticks()};
    if (!device_is_ready(console) || uart_irq_callback_user_data_set(console, receive, NULL) != 0) {
        return;
    }
    asc_listen_serial(&port);
    uart_irq_rx_enable(console);
}
#else
void serial_start(void) {
}
#endif
