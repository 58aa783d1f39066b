/* SPDX-License-Identifier: Apache-2.0
 *
 * Standard input and output as a board's UART. As a driver without a buffer of its own it loses
 * nothing here: what finds no reception under way waits. As with Arm's retargeting of STDIN and
 * STDOUT, the receiver is off at the start, a reception of STDIN is under way, and STDIN starts
 * another one as soon as ours has taken some bytes.
 */
#include "Driver_USART.h"
#include "console.h"

extern ARM_DRIVER_USART Driver_USART3;
extern uint32_t SystemCoreClock;

uint32_t SystemCoreClock = 1000000u;

static uint8_t stdin_byte;
static uint8_t *buffer = &stdin_byte;
static uint32_t wanted = 1;
static uint32_t received;

static int is_on;
static int has_disturbed;

static void start(uint8_t *data, uint32_t count) {
    buffer = data;
    wanted = count;
    received = 0;
}

static int32_t start_reception(void *data, uint32_t count) {
    if (!is_on) {
        return ARM_DRIVER_ERROR;
    }
    if (received < wanted) {
        return ARM_DRIVER_ERROR_BUSY;
    }
    start(data, count);
    return ARM_DRIVER_OK;
}

static int32_t control(uint32_t what, uint32_t argument) {
    if (what == ARM_USART_CONTROL_RX) {
        if (!is_on) {
            console_open();
        }
        is_on = (int)argument;
    } else if (what == ARM_USART_ABORT_RECEIVE) {
        start(buffer, 0);
    }
    return ARM_DRIVER_OK;
}

static int32_t transmit(const void *data, uint32_t count) {
    console_send(data, count);
    return 0;
}

/* Time goes by when the application looks. */
static uint32_t get_rx_count(void) {
    const uint32_t some = 16;
    if (received >= some && !has_disturbed) {
        has_disturbed = 1;
        start(&stdin_byte, 1);
    }
    if (received < wanted && is_on && buffer != &stdin_byte) {
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
    .Control = control,
    .GetStatus = get_status,
};
