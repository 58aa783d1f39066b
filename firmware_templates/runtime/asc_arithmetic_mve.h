/* SPDX-License-Identifier: Apache-2.0
 *
 * The rounding of asc_arithmetic.h for four values at a time, on cores with Helium. VQRDMULH is the
 * specification's doubling product; VRSHL rounds halves upwards, hence away from zero after taking
 * 1 from negative values.
 */
#ifndef ASC_ARITHMETIC_MVE_H
#define ASC_ARITHMETIC_MVE_H

#include <arm_mve.h>

#include "asc_arithmetic.h"

/* values / 2^-shift for shift <= 0, rounded to nearest, halves away from zero. */
static inline int32x4_t asc_shift_right_4(int32x4_t values, int32_t shift) {
    const int32x4_t sign = vshrq_n_s32(vandq_s32(values, vdupq_n_s32(shift)), 31);
    return vrshlq_n_s32(vqaddq_s32(values, sign), shift);
}

/* As asc_requantise. */
static inline int32x4_t asc_requantise_4(int32x4_t values, int32_t multiplier, int32_t shift) {
    values = vshlq_r_s32(values, asc_larger(shift, 0));
    return asc_shift_right_4(vqrdmulhq_n_s32(values, multiplier), asc_smaller(shift, 0));
}

/* As asc_requantise for shift < 0. */
static inline int32x4_t asc_requantise_down_4(int32x4_t values, int32_t multiplier, int32_t shift) {
    values = vqrdmulhq_n_s32(values, multiplier);
    return vrshlq_n_s32(vqaddq_s32(values, vshrq_n_s32(values, 31)), shift);
}

/* As asc_to_output. */
static inline int32x4_t asc_to_output_4(const asc_output_t *range, int32x4_t values) {
    values = vaddq_n_s32(values, range->zero_point);
    return vminq_s32(vmaxq_s32(values, vdupq_n_s32(range->minimum)), vdupq_n_s32(range->maximum));
}

#endif
