/* SPDX-License-Identifier: Apache-2.0
 *
 * Integers of 1, 2, 4 or 8 bytes at any address.
 */
#ifndef ASC_INTEGER_H
#define ASC_INTEGER_H

#include <stdint.h>
#include <string.h>

static inline int64_t asc_load_integer(const int8_t *address, int32_t bytes) {
    int16_t two;
    int32_t four;
    int64_t eight;
    switch (bytes) {
    case 1:
        return *address;
    case 2:
        memcpy(&two, address, sizeof two);
        return two;
    case 4:
        memcpy(&four, address, sizeof four);
        return four;
    default:
        memcpy(&eight, address, sizeof eight);
        return eight;
    }
}

/* Keeps the lower bits of a value. */
static inline void asc_store_integer(int8_t *address, int64_t value, int32_t bytes) {
    const int16_t two = (int16_t)value;
    const int32_t four = (int32_t)value;
    switch (bytes) {
    case 1:
        *address = (int8_t)value;
        break;
    case 2:
        memcpy(address, &two, sizeof two);
        break;
    case 4:
        memcpy(address, &four, sizeof four);
        break;
    default:
        memcpy(address, &value, sizeof value);
    }
}

#endif
