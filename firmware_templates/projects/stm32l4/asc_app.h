/* SPDX-License-Identifier: Apache-2.0
 *
 * The application for STM32Cube: a microphone on the DFSDM, results on a UART. In main.c:
 *
 *     asc_app_init(&hdfsdm1_filter0, &huart1);        // USER CODE 2
 *     while (1) { asc_app_step(); }                   // USER CODE WHILE
 */
#ifndef ASC_APP_H
#define ASC_APP_H

#include "main.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Prepares the classifier and starts the filter, whose DMA must be circular. */
void asc_app_init(DFSDM_Filter_HandleTypeDef *filter, UART_HandleTypeDef *uart);

/* To be called again and again: classifies what has come, prints decisions and overruns. */
void asc_app_step(void);

#ifdef __cplusplus
}
#endif

#endif
