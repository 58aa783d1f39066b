/* SPDX-License-Identifier: Apache-2.0
 *
 * The exponential function of gemmlowp, fixedpoint/fixedpoint.h, of numbers with 5 integer bits.
 */
#ifndef ASC_EXPONENTIAL_H
#define ASC_EXPONENTIAL_H

#include <stdint.h>

#include "asc_arithmetic.h"

/* exp(x / 2^26) * 2^31 for x <= 0.
 *
 * x splits into a part in [-1/4, 0), whose exponential is a Taylor series of degree 4 about -1/8,
 * and multiples of 1/4, one factor exp(-2^k) for each set bit.
 *
 * Not inline: at -O2 GCC would put a copy into each caller, up to 400 bytes more of flash. */
static int32_t asc_exp(int32_t x) {
    static const int32_t factors[] = {1672461947, 1302514674, 790015084, 290630308,
                                      39332535,   720401,     242};
    const int32_t exp_of_minus_eighth = 1895147668;
    const int32_t third = 715827883;
    if (x == 0) {
        return INT32_MAX;
    }
    const int32_t quarter = INT32_C(1) << 24;
    const int32_t rest = (x & (quarter - 1)) - quarter;
    const int32_t t = asc_shift_left(rest, 5) + (INT32_C(1) << 28);
    const int32_t t2 = asc_saturating_rounding_doubling_high_mul(t, t);
    const int32_t t3 = asc_saturating_rounding_doubling_high_mul(t2, t);
    const int32_t t4 = asc_saturating_rounding_doubling_high_mul(t2, t2);
    const int32_t tail =
        asc_saturating_rounding_doubling_high_mul(asc_rounding_divide_by_pot(t4, 2) + t3, third) +
        t2;
    const int32_t series = t + asc_rounding_divide_by_pot(tail, 1);
    int32_t result = exp_of_minus_eighth +
                     asc_saturating_rounding_doubling_high_mul(exp_of_minus_eighth, series);
    uint32_t quarters = (uint32_t)(rest - x) >> 24;
    for (uint32_t i = 0; i < sizeof factors / sizeof factors[0]; i++, quarters >>= 1) {
        if (quarters & 1u) {
            result = asc_saturating_rounding_doubling_high_mul(result, factors[i]);
        }
    }
    return result;
}

#endif
