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

/* A member of four channels, `step` channels apart, from its first place on. */
static inline int32x4_t asc_load_member_4(const int32_t *member, uint32_t step,
                                          mve_pred16_t inside) {
    const uint32x4_t places = vmulq_n_u32(vidupq_n_u32(0, 1), step * sizeof(asc_channel_t));
    return vldrwq_gather_offset_z_s32(member, places, inside);
}

/* Multipliers of four channels, and their shifts, those to the right negative. */
typedef struct {
    int32x4_t multiplier;
    int32x4_t left;
    int32x4_t right;
} asc_scale_4_t;

static inline asc_scale_4_t asc_load_scale_4(const asc_channel_t *channel, uint32_t step,
                                             mve_pred16_t inside) {
    const int32x4_t zero = vdupq_n_s32(0);
    const int32x4_t shift = vmvnq_s32(asc_load_member_4(&channel->bits, step, inside));
    asc_scale_4_t scale;
    scale.multiplier = asc_load_member_4(&channel->multiplier, step, inside);
    scale.left = vmaxq_s32(shift, zero);
    scale.right = vminq_s32(shift, zero);
    return scale;
}

/* As asc_requantise, of four channels. */
static inline int32x4_t asc_requantise_channels_4(int32x4_t values, const asc_scale_4_t *scale) {
    values = vqrdmulhq_s32(vshlq_s32(values, scale->left), scale->multiplier);
    values = vqaddq_s32(values, vshrq_n_s32(vandq_s32(values, scale->right), 31));
    return vrshlq_s32(values, scale->right);
}

/* As asc_to_output. */
static inline int32x4_t asc_to_output_4(const asc_output_t *range, int32x4_t values) {
    values = vaddq_n_s32(values, range->zero_point);
    return vminq_s32(vmaxq_s32(values, vdupq_n_s32(range->minimum)), vdupq_n_s32(range->maximum));
}

#endif
