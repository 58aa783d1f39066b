/* SPDX-License-Identifier: Apache-2.0
 *
 * Per-channel energy normalisation of mel bands, instead of their logarithm:
 *
 *     (E / (eps + M)^gain + bias)^power - bias^power
 *
 * M is the smoothed energy E of a band. The range of both is that of floating point; powers are
 * powers of two of products of logarithms. asc-tiny's fixed_pcen.py is the bit-exact twin.
 */
#ifndef ASC_PCEN_H
#define ASC_PCEN_H

#include "asc_fixed.h"
#include "asc_frontend.h"

/* mantissa 2^(exponent - 31), the mantissa's highest bit is 1; nothing is 0 and PCEN_NOTHING. */
typedef struct {
    uint32_t mantissa;
    int32_t exponent;
} pcen_number_t;

/* The same with mantissas of 64 bits. */
typedef struct {
    uint64_t mantissa;
    int32_t exponent;
} pcen_sum_t;

#define PCEN_NOTHING (-128)
#define PCEN_LEAST_EXPONENT (-120)
#define PCEN_LN2_Q17 90852u

static inline uint32_t pcen_zeros(uint64_t value) {
    const uint32_t high = (uint32_t)(value >> 32);
    return high != 0 ? asc_leading_zeros(high) : 32u + asc_leading_zeros((uint32_t)value);
}

/* value 2^exponent */
static inline pcen_number_t pcen_number(uint64_t value, int32_t exponent) {
    pcen_number_t number = {0, PCEN_NOTHING};
    if (value != 0) {
        const uint32_t zeros = pcen_zeros(value);
        exponent += 63 - (int32_t)zeros;
        if (exponent >= PCEN_LEAST_EXPONENT) {
            number.mantissa = (uint32_t)((value << zeros) >> 32);
            number.exponent = exponent;
        }
    }
    return number;
}

/* Shifts of 64 bits or more leave nothing. */
static inline uint64_t pcen_right(uint64_t value, int32_t shift) {
    return shift < 64 ? value >> (uint32_t)shift : 0;
}

static inline pcen_sum_t pcen_added(pcen_sum_t a, pcen_sum_t b) {
    const int32_t apart = a.exponent - b.exponent;
    pcen_sum_t sum = a;
    if (apart >= 0) {
        sum.mantissa += pcen_right(b.mantissa, apart);
    } else {
        sum.mantissa = b.mantissa + pcen_right(a.mantissa, -apart);
        sum.exponent = b.exponent;
    }
    return sum;
}

/* log2 of a positive integer in Q20: a chord, which is raised by half of what the curve is above
 * it in the middle, and a parabola on it. */
static inline int32_t pcen_log2(uint64_t value) {
    const uint32_t zeros = pcen_zeros(value);
    const uint32_t mantissa = (uint32_t)((value << zeros) >> 32);
    const uint32_t index = (mantissa >> 25) & 63u;
    const uint32_t fraction = (mantissa >> 10) & 0x7FFFu;
    const asc_frontend_chord_t *chord = &asc_frontend_chord[index];
    const int32_t above = (int32_t)((fraction * (0x8000u - fraction)) >> 14) - 0x2000;
    const int32_t bend = (asc_frontend_bend[index] * above) >> ASC_FRONTEND_LOG2_FRACTION_BITS;
    const uint32_t whole = (63u - zeros) << ASC_FRONTEND_LOG2_FRACTION_BITS;
    return asc_add_low_product((int32_t)(whole + chord->base), chord->slope, fraction) + bend;
}

/* A logarithm in Q20 times a factor in Q30, rounded. */
static inline int32_t pcen_product(int32_t log, int32_t factor) {
    return asc_add_product(0, 4 * log, factor);
}

/* 2 to the power of a number in Q20, whose rest x behind 1/64 gives 1 + x + x^2 / 2. */
static inline pcen_number_t pcen_power_of_two(int32_t log) {
    const uint32_t fraction = (uint32_t)log & 0xFFFFFu;
    const uint32_t x = ((fraction & 0x3FFFu) * PCEN_LN2_Q17) >> 5;
    const uint32_t square = ((x >> 10) * (x >> 10)) >> 13;
    const uint32_t table = asc_frontend_power_of_two[fraction >> 14];
    const pcen_number_t power = {table + (uint32_t)(((uint64_t)table * (x + square)) >> 32),
                                 log >> ASC_FRONTEND_LOG2_FRACTION_BITS};
    return power;
}

/* The smoothed energy of a band with the next frame's, which is the first one's itself. */
static inline pcen_number_t pcen_smoothed(asc_frontend_t *frontend, uint32_t band,
                                          pcen_number_t energy) {
    const uint32_t before = frontend->smoothed[band];
    const int32_t exponent = frontend->smoothed_exponent[band];
    pcen_number_t next = energy;
    if (before != 0 || exponent != 0) {
        const pcen_sum_t kept = {before * (uint64_t)(0u - ASC_FRONTEND_PCEN_SMOOTHING), exponent};
        const pcen_sum_t added = {energy.mantissa * (uint64_t)ASC_FRONTEND_PCEN_SMOOTHING,
                                  energy.exponent};
        const pcen_sum_t sum = pcen_added(kept, added);
        next = pcen_number(sum.mantissa, sum.exponent - 63);
    }
    frontend->smoothed[band] = next.mantissa;
    frontend->smoothed_exponent[band] = (int8_t)next.exponent;
    return next;
}

/* The value of the next frame's band, with the fraction bits of ASC_FRONTEND_PCEN_FRACTION_BITS.
 *
 * frontend: state whose smoothed energy moves on.
 * band: number of the mel band.
 * power: its power or magnitude, times 2^scale_log2. */
static inline int32_t pcen(asc_frontend_t *frontend, uint32_t band, uint64_t power,
                           int32_t scale_log2) {
    const pcen_number_t energy = pcen_number(power, -scale_log2);
    const pcen_number_t smoothed = pcen_smoothed(frontend, band, energy);
    const pcen_sum_t past = {(uint64_t)smoothed.mantissa << 31, smoothed.exponent};
    const pcen_sum_t eps = {(uint64_t)ASC_FRONTEND_PCEN_EPS << 31, ASC_FRONTEND_PCEN_EPS_EXPONENT};
    const pcen_sum_t sum = pcen_added(past, eps);
    const int32_t log =
        pcen_log2(sum.mantissa) + (sum.exponent - 62) * (1 << ASC_FRONTEND_LOG2_FRACTION_BITS);
    const pcen_number_t factor = pcen_power_of_two(-pcen_product(log, ASC_FRONTEND_PCEN_GAIN));
    const uint64_t normalized = pcen_right((uint64_t)energy.mantissa * factor.mantissa,
                                           30 - energy.exponent - factor.exponent);
    const int32_t root = pcen_log2(normalized + ASC_FRONTEND_PCEN_BIAS) -
                         32 * (1 << ASC_FRONTEND_LOG2_FRACTION_BITS);
    const pcen_number_t value = pcen_power_of_two(pcen_product(root, ASC_FRONTEND_PCEN_POWER));
    const int32_t shift = 31 - value.exponent - ASC_FRONTEND_PCEN_FRACTION_BITS;
    return (int32_t)pcen_right(value.mantissa, shift) - ASC_FRONTEND_PCEN_OFFSET;
}

#endif
