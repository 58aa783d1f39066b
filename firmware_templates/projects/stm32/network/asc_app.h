/* SPDX-License-Identifier: Apache-2.0
 *
 * The application for STM32Cube, which prints on a UART. In main.c:
 *
 *     asc_app_init(&huart1);                          // USER CODE 2
 *     while (1) { asc_app_step(); }                   // USER CODE WHILE
 */
#ifndef ASC_APP_H
#define ASC_APP_H

#include "main.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Starts the cycle counter, and prints on the UART from then on. */
void asc_app_init(UART_HandleTypeDef *uart);

/* To be called again and again: runs the golden inputs, prints the results and waits 2 s. */
void asc_app_step(void);

#ifdef __cplusplus
}
#endif

#endif
