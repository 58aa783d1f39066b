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

/* As asc_multiply_by_quantized_multiplier. */
static inline int32x4_t asc_multiply_by_quantized_multiplier_4(int32x4_t values, int32_t multiplier,
                                                               int32_t shift) {
    values = vshlq_r_s32(values, asc_max(shift, 0));
    return asc_shift_right_4(vqrdmulhq_n_s32(values, multiplier), asc_min(shift, 0));
}

/* As asc_multiply_by_quantized_multiplier for shift < 0. */
static inline int32x4_t
asc_multiply_by_quantized_multiplier_down_4(int32x4_t values, int32_t multiplier, int32_t shift) {
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

/* As asc_multiply_by_quantized_multiplier, of four channels. */
static inline int32x4_t
asc_multiply_by_quantized_multiplier_channels_4(int32x4_t values, const asc_scale_4_t *scale) {
    values = vqrdmulhq_s32(vshlq_s32(values, scale->left), scale->multiplier);
    values = vqaddq_s32(values, vshrq_n_s32(vandq_s32(values, scale->right), 31));
    return vrshlq_s32(values, scale->right);
}

/* As asc_to_output. */
static inline int32x4_t asc_to_output_4(const asc_output_t *range, int32x4_t values) {
    values = vaddq_n_s32(values, range->zero_point);
    return vminq_s32(vmaxq_s32(values, vdupq_n_s32(range->minimum)), vdupq_n_s32(range->maximum));
}

/* Brings values of two channels side by side, adds the zero point and narrows to 8 bits. */
static inline int16x8_t asc_narrow_8(int32x4_t first, int32x4_t second, int32_t zero_point) {
    /* Every lane is written: what was there before is the nearest register at hand. */
    int16x8_t values = vqmovnbq_s32(vreinterpretq_s16_s32(first), first);
    values = vqmovntq_s32(values, second);
    values = vqaddq_n_s16(values, (int16_t)zero_point);
    return vreinterpretq_s16_s8(vqmovnbq_s16(vreinterpretq_s8_s16(values), values));
}

/* The range of a fused activation where it is not that of int8. */
static inline void asc_clamp(const asc_output_t *range, int8_t *values, int32_t count) {
    const int8x16_t minimum = vdupq_n_s8((int8_t)range->minimum);
    const int8x16_t maximum = vdupq_n_s8((int8_t)range->maximum);
    for (; count > 0; count -= 16, values += 16) {
        const mve_pred16_t inside = vctp8q((uint32_t)count);
        const int8x16_t value = vldrbq_z_s8(values, inside);
        vstrbq_p_s8(values, vminq_s8(vmaxq_s8(value, minimum), maximum), inside);
    }
}

/* GCC 12 joins VLD2 and the step behind it, which is possible with a step of 32 bytes alone. */
#define ASC_STEP_APART(POINTER, STEP) \
    do {                              \
        __asm__("" : "+r"(POINTER));  \
        (POINTER) += (STEP);          \
    } while (0)

#endif
