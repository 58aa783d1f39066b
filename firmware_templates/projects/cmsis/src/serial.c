/* SPDX-License-Identifier: Apache-2.0 */
#include "serial.h"

#ifdef CMSIS_target_header
#include CMSIS_target_header
#endif
#include "asc_listen.h"

#if ASC_PROTOCOL && defined(RETARGET_STDIO_UART)
#include <stdio.h>

#include "Driver_USART.h"
#include "asc_cycles.h"

#define JOIN(name, number) name##number
#define NUMBERED(name, number) JOIN(name, number)
#define USART NUMBERED(Driver_USART, RETARGET_STDIO_UART)

extern ARM_DRIVER_USART USART;
extern uint32_t SystemCoreClock;

static uint8_t received[512];
static uint32_t taken;

static void put(void *context, const uint8_t *bytes, size_t count) {
    (void)context;
    fflush(stdout);
    (void)USART.Send(bytes, (uint32_t)count);
    while (USART.GetStatus().tx_busy) {
    }
}

static void receive(void) {
    taken = 0;
    (void)USART.Receive(received, sizeof received);
}

/* The receiver is ours: nobody may have switched it on, or STDIN may have a reception under way. */
static void take_receiver(void) {
    (void)USART.Control(ARM_USART_ABORT_RECEIVE, 0);
    (void)USART.Control(ARM_USART_CONTROL_RX, 1);
    receive();
}

void serial_start(void) {
    const asc_port_t port = {.put = put, .ticks = asc_cycles, .tick_rate = SystemCoreClock};
    asc_cycles_start();
    asc_listen_serial(&port);
    take_receiver();
}

void serial_poll(void) {
    const uint32_t is_receiving = USART.GetStatus().rx_busy;
    const uint32_t count = USART.GetRxCount();
    if (count < taken || count > sizeof received) {
        take_receiver(); /* another reception than ours: nothing of it is in the buffer */
        return;
    }
    asc_listen_receive(received + taken, count - taken);
    taken = count;
    if (!is_receiving) {
        receive();
    }
}
#else
void serial_start(void) {
}

void serial_poll(void) {
}
#endif
