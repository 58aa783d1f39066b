/* SPDX-License-Identifier: Apache-2.0
 *
 * A double of ESP-IDF's attributes of sections. Not ESP-IDF's header.
 */
#ifndef ESP_IDF_DOUBLE_ESP_ATTR_H
#define ESP_IDF_DOUBLE_ESP_ATTR_H

#define IRAM_ATTR

#endif
