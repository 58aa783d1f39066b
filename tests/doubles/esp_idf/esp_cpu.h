/* SPDX-License-Identifier: Apache-2.0
 *
 * A double of ESP-IDF's cycle counter. Not ESP-IDF's header.
 */
#ifndef ESP_IDF_DOUBLE_CPU_H
#define ESP_IDF_DOUBLE_CPU_H

#include <stdint.h>

typedef uint32_t esp_cpu_cycle_count_t;

esp_cpu_cycle_count_t esp_cpu_get_cycle_count(void);

#endif
