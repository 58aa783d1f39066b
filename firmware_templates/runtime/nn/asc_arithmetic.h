/* SPDX-License-Identifier: Apache-2.0
 *
 * The rounding of the TFLite quantisation specification. Right shifts of negative numbers are taken
 * to be arithmetic, as they are with every compiler for the supported cores.
 */
#ifndef ASC_ARITHMETIC_H
#define ASC_ARITHMETIC_H

#include <stdint.h>

#include "asc_kernels.h"

static inline int32_t asc_min(int32_t a, int32_t b) {
    return a < b ? a : b;
}

static inline int32_t asc_max(int32_t a, int32_t b) {
    return a > b ? a : b;
}

/* Shifts left as two's complement hardware does, whatever the sign. */
static inline int32_t asc_shift_left(int32_t value, int32_t bits) {
    return (int32_t)((uint32_t)value << bits);
}

/* a * b / 2^31, rounded to nearest, halves upwards. */
static inline int32_t asc_saturating_rounding_doubling_high_mul(int32_t a, int32_t b) {
    if (a == INT32_MIN && b == INT32_MIN) {
        return INT32_MAX;
    }
#if defined(__thumb__) && !defined(__thumb2__)
    /* Products of halves, where a core multiplies to 32 bits. None of these sums exceeds them. */
    const int32_t a_low = a & 0xFFFF;
    const int32_t b_low = b & 0xFFFF;
    const uint32_t lowest = (uint32_t)a_low * (uint32_t)b_low;
    const int32_t middle = a_low * (b >> 16) + (int32_t)(lowest >> 16);
    const int32_t rest = (middle & 0xFFFF) + (a >> 16) * b_low + (1 << 14);
    const uint32_t high = (uint32_t)((a >> 16) * (b >> 16) + (middle >> 16));
    return (int32_t)(high << 1) + (rest >> 15);
#else
    return (int32_t)(((int64_t)a * b + (INT64_C(1) << 30)) >> 31);
#endif
}

/* value / 2^bits, rounded to nearest, halves away from zero. */
static inline int32_t asc_rounding_divide_by_pot(int32_t value, int32_t bits) {
    const int32_t mask = (int32_t)((UINT32_C(1) << bits) - 1u);
    const int32_t half = (mask >> 1) + (value < 0 ? 1 : 0);
    return (value >> bits) + ((value & mask) > half ? 1 : 0);
}

/* value * multiplier / 2^31 * 2^shift with the specification's two roundings. */
static inline int32_t asc_multiply_by_quantized_multiplier(int32_t value, int32_t multiplier,
                                                           int32_t shift) {
    if (shift > 0) {
        return asc_saturating_rounding_doubling_high_mul(asc_shift_left(value, shift), multiplier);
    }
    return asc_rounding_divide_by_pot(asc_saturating_rounding_doubling_high_mul(value, multiplier),
                                      -shift);
}

/* The same of a sum of up to 48 bits with a multiplier of 15, sum * multiplier / 2^shift, whose
 * halves are rounded upwards: one bit is shifted out after the others. */
static inline int32_t asc_multiply_wide(int64_t sum, int32_t multiplier, int32_t shift) {
    const int64_t twice = (sum * multiplier) >> (shift - 1);
    return (int32_t)((twice + 1) >> 1);
}

/* The specification adds with 20 more bits than the codes have. */
static inline int32_t asc_widen(const asc_operand_t *operand, int32_t code) {
    const int32_t value = asc_shift_left(code - operand->zero_point, 20);
    return asc_multiply_by_quantized_multiplier(value, operand->multiplier, operand->shift);
}

static inline int8_t asc_to_output(const asc_output_t *range, int32_t value) {
    value += range->zero_point;
    return (int8_t)asc_min(asc_max(value, range->minimum), range->maximum);
}

static inline int8_t asc_finish(int32_t sum, const asc_channel_t *channel,
                                const asc_output_t *range) {
    return asc_to_output(
        range, asc_multiply_by_quantized_multiplier(sum, channel->multiplier, -1 - channel->bits));
}

/* The same for a narrow layer, but for the range of its activation. Twice the sum times the
 * multiplier, rounded at bit 32, is the specification's doubling product; an offset that depends on
 * the sign rounds halves away from zero: that of the product or of the sum, since where they differ
 * the product is 0, and 1 less is rounded to 0, too. `offset` is a half and the zero point: 2
 * zero_point + 1 halves. */
static inline int8_t asc_finish_narrow(int32_t sum, const asc_channel_t *channel, int32_t offset) {
    const int32_t added = asc_shift_left(offset, channel->bits);
#if defined(__ARM_FEATURE_DSP) && defined(__GNUC__)
    const int32_t twice = sum * 2;
    int32_t value;
    __asm__("smmlar %0, %1, %2, %3"
            : "=r"(value)
            : "r"(twice), "r"(channel->multiplier), "r"(added));
    value = (value + (twice >> 31)) >> channel->bits;
    __asm__("ssat %0, #8, %1, asr #1" : "=r"(value) : "r"(value));
    return (int8_t)value;
#else
    int32_t value = asc_saturating_rounding_doubling_high_mul(sum, channel->multiplier);
    value = ((value + (value >> 31) + added) >> channel->bits) >> 1;
    return (int8_t)asc_min(asc_max(value, INT8_MIN), INT8_MAX);
#endif
}

#if ASC_ROUNDS_ONCE

/* Sums of layers that are rounded once have so many more bits, and their products so many more than
 * codes behind the first 32. */
enum { ASC_ONCE_SCALE = 256, ASC_ONCE_SHIFT = 10 };

/* The code of a scaled sum with the bias. */
static inline int8_t asc_finish_once(int32_t sum, int32_t multiplier) {
    const int64_t product = (int64_t)sum * multiplier + (INT64_C(1) << 31);
    const int32_t value = (int32_t)(product >> 32) >> ASC_ONCE_SHIFT;
    return (int8_t)asc_min(asc_max(value, INT8_MIN), INT8_MAX);
}

#endif

/* Whether asc_finish_narrow can round a channel of a mostly narrow layer. */
static inline int asc_has_narrow_shift(const asc_channel_t *channel) {
    return (uint32_t)channel->bits <= 22;
}

/* The channels of a mostly narrow layer whose rounding takes the long way. */
typedef struct {
    int32_t count;
    int32_t numbers[ASC_MOST_OTHERS];
} asc_others_t;

static inline asc_others_t asc_find_others(const asc_channel_t *channels, int32_t count) {
    asc_others_t others = {0, {0}};
    for (int32_t c = 0; c < count; c++) {
        if (!asc_has_narrow_shift(&channels[c])) {
            others.numbers[others.count++] = c;
            if (others.count == ASC_MOST_OTHERS) {
                break;
            }
        }
    }
    return others;
}

static inline int32_t asc_narrow_offset(const asc_output_t *range) {
    return 2 * range->zero_point + 1;
}

#if !ASC_KERNELS_MVE

/* The range of a fused activation where it is not that of int8. */
static inline void asc_clamp(const asc_output_t *range, int8_t *values, int32_t count) {
    const int32_t minimum = range->minimum;
    const int32_t maximum = range->maximum;
    for (int32_t i = 0; i < count; i++) {
        values[i] = (int8_t)asc_min(asc_max(values[i], minimum), maximum);
    }
}

#endif

#endif
