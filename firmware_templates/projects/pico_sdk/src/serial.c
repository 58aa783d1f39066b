/* SPDX-License-Identifier: Apache-2.0 */
#include "serial.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "asc_cycles.h"
#include "asc_listen.h"
#include "hardware/clocks.h"
#include "pico/stdio/driver.h"
#include "pico/stdio_usb.h"
#include "pico/time.h"

/* By the driver and not by stdout, which changes line ends. */
static void send(const char *bytes, size_t count) {
    stdio_usb.out_chars(bytes, (int)count);
}

void serial_print(const char *text) {
    send(text, strlen(text));
}

bool serial_was_opened(void) {
    static bool was_open;
    const bool is_open = stdio_usb_connected();
    const bool was_opened = is_open && !was_open;
    was_open = is_open;
    return was_opened;
}

#if ASC_PROTOCOL
static void put(void *context, const uint8_t *bytes, size_t count) {
    (void)context;
    send((const char *)bytes, count);
}

/* The RP2350's cores count their cycles; an RP2040 has a timer of microseconds. */
#ifdef __ARM_ARCH_8M_MAIN__
static uint32_t start_ticks(void) {
    asc_cycles_start();
    return clock_get_hz(clk_sys);
}

static uint32_t ticks(void) {
    return asc_cycles();
}
#else
static uint32_t start_ticks(void) {
    return 1000000u;
}

static uint32_t ticks(void) {
    return time_us_32();
}
#endif

void serial_start(void) {
    const asc_port_t port = {.put = put, .ticks = ticks, .tick_rate = start_ticks()};
    asc_listen_serial(&port);
}

void serial_poll(void) {
    char bytes[64];
    const int count = stdio_usb.in_chars(bytes, (int)sizeof bytes);
    if (count > 0) {
        asc_listen_receive((const uint8_t *)bytes, (size_t)count);
    }
}
#else
void serial_start(void) {
}

void serial_poll(void) {
}
#endif
