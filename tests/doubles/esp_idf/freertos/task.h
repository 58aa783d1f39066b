/* SPDX-License-Identifier: Apache-2.0
 *
 * A double of FreeRTOS's tasks as ESP-IDF has them. Not FreeRTOS's header.
 */
#ifndef ESP_IDF_DOUBLE_TASK_H
#define ESP_IDF_DOUBLE_TASK_H

#include "freertos/FreeRTOS.h"

typedef struct task *TaskHandle_t;
typedef void (*TaskFunction_t)(void *);

BaseType_t xTaskCreatePinnedToCore(TaskFunction_t code, const char *name, uint32_t stack_depth,
                                   void *parameters, UBaseType_t priority, TaskHandle_t *created,
                                   BaseType_t core);
TaskHandle_t xTaskGetCurrentTaskHandle(void);
BaseType_t xTaskNotifyGive(TaskHandle_t task);
uint32_t ulTaskNotifyTake(BaseType_t clear, TickType_t ticks);

#endif
