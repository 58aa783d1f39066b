/* SPDX-License-Identifier: Apache-2.0
 *
 * Reciprocals of square roots.
 *
 * Reference: TensorFlow Lite, GetInvSqrtQuantizedMultiplierExp in kernels/internal/common.h.
 */
#ifndef ASC_RECIPROCAL_ROOT_H
#define ASC_RECIPROCAL_ROOT_H

#include <stdint.h>

#include "asc_arithmetic.h"

typedef struct {
    int32_t multiplier;
    int32_t shift;
} asc_factor_t;

static inline int32_t asc_product(int32_t a, int32_t b) {
    return asc_saturating_rounding_doubling_high_mul(a, b);
}

/* value * 2^bits, saturated. */
static inline int32_t asc_times_pot(int32_t value, int32_t bits) {
    const int64_t wide = (int64_t)value * (INT64_C(1) << bits);
    return wide > INT32_MAX ? INT32_MAX : wide < INT32_MIN ? INT32_MIN : (int32_t)wide;
}

/* Returns 1 / sqrt(value) as multiplier / 2^31 * 2^shift; 0 counts as 1. Five steps of Newton's
 * method from 1, of numbers with 3 integer bits, on the value times a power of four. */
static inline asc_factor_t asc_reciprocal_root(int32_t value) {
    if (value <= 1) {
        return (asc_factor_t){INT32_MAX, 0};
    }
    int32_t right = 11;
    while (value >= (INT32_C(1) << 29)) {
        value /= 4;
        right++;
    }
    while (value < (INT32_C(1) << 27)) {
        value *= 4;
        right--;
    }
    const int32_t half = asc_rounding_divide_by_pot(value >> 1, 1);
    const int32_t three_halves = (INT32_C(1) << 28) + (INT32_C(1) << 27);
    int32_t root = INT32_C(1) << 28;
    for (int i = 0; i < 5; i++) {
        const int32_t cube = asc_times_pot(asc_product(asc_product(root, root), root), 6);
        root = asc_times_pot(asc_product(three_halves, root) - asc_product(half, cube), 3);
    }
    root = asc_product(root, 1518500250);
    return right < 0 ? (asc_factor_t){asc_shift_left(root, -right), 0}
                     : (asc_factor_t){root, -right};
}

#endif
