/* SPDX-License-Identifier: Apache-2.0
 *
 * What the application uses of ST's HAL for the STM32L4, in place of it.
 */
#ifndef MAIN_H
#define MAIN_H

#include <stdint.h>

#define HAL_MAX_DELAY 0xFFFFFFFFu

typedef enum { HAL_OK, HAL_ERROR, HAL_BUSY, HAL_TIMEOUT } HAL_StatusTypeDef;

typedef struct {
    int32_t *buffer;
    uint32_t length;
} DFSDM_Filter_HandleTypeDef;

typedef struct {
    const char *typed;
} UART_HandleTypeDef;

HAL_StatusTypeDef HAL_DFSDM_FilterRegularStart_DMA(DFSDM_Filter_HandleTypeDef *filter,
                                                   int32_t *buffer, uint32_t length);
void HAL_DFSDM_FilterRegConvHalfCpltCallback(DFSDM_Filter_HandleTypeDef *filter);
void HAL_DFSDM_FilterRegConvCpltCallback(DFSDM_Filter_HandleTypeDef *filter);
void HAL_DFSDM_FilterErrorCallback(DFSDM_Filter_HandleTypeDef *filter);
HAL_StatusTypeDef HAL_UART_Transmit(UART_HandleTypeDef *uart, const uint8_t *data, uint16_t size,
                                    uint32_t timeout);
HAL_StatusTypeDef HAL_UART_Receive(UART_HandleTypeDef *uart, uint8_t *data, uint16_t size,
                                   uint32_t timeout);

#endif
