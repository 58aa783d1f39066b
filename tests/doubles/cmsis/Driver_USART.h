/* SPDX-License-Identifier: Apache-2.0
 *
 * A double of CMSIS-Driver's interface of UARTs, its members in their order. Not Arm's header.
 */
#ifndef CMSIS_DOUBLE_USART_H
#define CMSIS_DOUBLE_USART_H

#include <stdint.h>

/* Not the numbers of Arm's header. */
enum { ARM_USART_CONTROL_RX = 1, ARM_USART_ABORT_RECEIVE };
enum { ARM_DRIVER_OK = 0, ARM_DRIVER_ERROR = -1, ARM_DRIVER_ERROR_BUSY = -2 };

typedef struct {
    uint32_t tx_busy : 1;
    uint32_t rx_busy : 1;
    uint32_t tx_underflow : 1;
    uint32_t rx_overflow : 1;
    uint32_t rx_break : 1;
    uint32_t rx_framing_error : 1;
    uint32_t rx_parity_error : 1;
    uint32_t reserved : 25;
} ARM_USART_STATUS;

typedef struct {
    void (*GetVersion)(void);
    void (*GetCapabilities)(void);
    int32_t (*Initialize)(void (*event)(uint32_t events));
    int32_t (*Uninitialize)(void);
    int32_t (*PowerControl)(int state);
    int32_t (*Send)(const void *data, uint32_t count);
    int32_t (*Receive)(void *data, uint32_t count);
    int32_t (*Transfer)(const void *sent, void *received, uint32_t count);
    uint32_t (*GetTxCount)(void);
    uint32_t (*GetRxCount)(void);
    int32_t (*Control)(uint32_t control, uint32_t argument);
    ARM_USART_STATUS (*GetStatus)(void);
    int32_t (*SetModemControl)(int control);
    void (*GetModemStatus)(void);
} const ARM_DRIVER_USART;

#endif
