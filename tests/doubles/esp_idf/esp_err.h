/* SPDX-License-Identifier: Apache-2.0
 *
 * A double of ESP-IDF's error codes. Not ESP-IDF's header.
 */
#ifndef ESP_IDF_DOUBLE_ESP_ERR_H
#define ESP_IDF_DOUBLE_ESP_ERR_H

typedef int esp_err_t;

#define ESP_OK 0
#define ESP_FAIL (-1)
#define ESP_ERR_NO_MEM 0x101
#define ESP_ERR_INVALID_ARG 0x102

#endif
