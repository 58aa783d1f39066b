/* SPDX-License-Identifier: Apache-2.0
 *
 * A double of FreeRTOS as ESP-IDF has it. Not FreeRTOS's header.
 */
#ifndef ESP_IDF_DOUBLE_FREERTOS_H
#define ESP_IDF_DOUBLE_FREERTOS_H

#include <stddef.h>
#include <stdint.h>

typedef int BaseType_t;
typedef unsigned UBaseType_t;
typedef uint32_t TickType_t;

#define pdTRUE ((BaseType_t)1)
#define pdPASS ((BaseType_t)1)
#define portMAX_DELAY ((TickType_t)0xffffffffUL)

#endif
