/* SPDX-License-Identifier: Apache-2.0
 *
 * Reciprocals as gemmlowp, fixedpoint/fixedpoint.h, computes them.
 */
#ifndef ASC_RECIPROCAL_H
#define ASC_RECIPROCAL_H

#include <stdint.h>

#include "asc_arithmetic.h"

/* 2^31 / (1 + x / 2^31) for 0 <= x: three steps of Newton's method on half the denominator, which
 * is in [1/2, 1]; estimates have 2 integer bits and start at 48/17 - 32/17 * half. */
static inline int32_t asc_reciprocal_of_one_plus(int32_t x) {
    const int32_t half = (int32_t)(((int64_t)x + INT32_MAX + 1) / 2);
    int32_t estimate = 1515870810 + asc_saturating_rounding_doubling_high_mul(half, -1010580540);
    for (int i = 0; i < 3; i++) {
        const int32_t error =
            (INT32_C(1) << 29) - asc_saturating_rounding_doubling_high_mul(half, estimate);
        estimate += asc_shift_left(asc_saturating_rounding_doubling_high_mul(estimate, error), 2);
    }
    return estimate > INT32_MAX / 2 ? INT32_MAX : asc_shift_left(estimate, 1);
}

static inline int32_t asc_leading_zeros(uint32_t value) {
    int32_t count = 0;
    while (count < 32 && !(value & (UINT32_C(1) << 31))) {
        value <<= 1;
        count++;
    }
    return count;
}

#endif
