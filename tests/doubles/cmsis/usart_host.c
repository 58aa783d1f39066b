/* SPDX-License-Identifier: Apache-2.0
 *
 * Standard input and output as a board's UART. As a driver without a buffer of its own it loses
 * nothing here: what finds no reception under way waits.
 */
#include "Driver_USART.h"
#include "console.h"

extern ARM_DRIVER_USART Driver_USART3;
extern uint32_t SystemCoreClock;

uint32_t SystemCoreClock = 1000000u;

static uint8_t *buffer;
static uint32_t wanted;
static uint32_t received;

static int32_t start_reception(void *data, uint32_t count) {
    if (buffer == 0) {
        console_open();
    }
    buffer = data;
    wanted = count;
    received = 0;
    return 0;
}

static int32_t transmit(const void *data, uint32_t count) {
    console_send(data, count);
    return 0;
}

/* Time goes by when the application looks. */
static uint32_t get_rx_count(void) {
    if (received < wanted) {
        received += (uint32_t)console_read(buffer + received, wanted - received);
    }
    return received;
}

static ARM_USART_STATUS get_status(void) {
    const ARM_USART_STATUS status = {.rx_busy = received < wanted};
    return status;
}

ARM_DRIVER_USART Driver_USART3 = {
    .Send = transmit,
    .Receive = start_reception,
    .GetRxCount = get_rx_count,
    .GetStatus = get_status,
};
