/* SPDX-License-Identifier: Apache-2.0
 *
 * Loops of asc_frontend.c for cores with the DSP extension, where compilers spill half of the
 * registers. The portable loops there say what they compute; the bits are the same.
 */
#ifndef ASC_FRONTEND_THUMB2_H
#define ASC_FRONTEND_THUMB2_H

#include "asc_fixed.h"
#include "asc_frontend.h"

/* clang-format off */

#if ASC_FRONTEND_THUMB2_MEL

ASC_FIXED_ASSERT_OFFSET(asc_frontend_ramp_t, start, 0);
ASC_FIXED_ASSERT_OFFSET(asc_frontend_ramp_t, step, 4);
ASC_FIXED_ASSERT_SIZE(asc_frontend_ramp_t, 8);
ASC_FIXED_ASSERT_OFFSET(asc_frontend_chord_t, base, 0);
ASC_FIXED_ASSERT_OFFSET(asc_frontend_chord_t, slope, 4);
ASC_FIXED_ASSERT_SIZE(asc_frontend_chord_t, 8);

/* Adds a bin to the sum of the segment and by MULTIPLY, umull or umlal, to its sums of low and high
 * words that rise. */
#define ADD_BIN(MULTIPLY) \
    "ldrd %[x], %[y], [%[bin]], #8\n" \
    "adds %[total], %[total], %[x]\n" \
    "adc %[total_high], %[total_high], %[y]\n" \
    MULTIPLY " %[rest], %[rest_high], %[x], %[weight]\n" \
    MULTIPLY " %[high], %[highest], %[y], %[weight]\n" \
    "add %[weight], %[weight], %[step]\n" \
    "cmp %[end], %[bin]\n"

/* Writes the units of all bands.
 *
 * log_mel: where they go.
 * power: of the bins.
 * rising: the sum of the first segment, weighted by its ramp.
 * floor: what each band gets besides.
 * offset: the logarithm of a band of 2^63, Q20. */
static inline void bands_in_units(int16_t *log_mel, const uint64_t *power, uint64_t rising,
                                  uint64_t floor, int32_t offset,
                                  const asc_frontend_requantization_t *to) {
    const struct {
        int32_t multiplier;
        int32_t offset;
    } units = {to->multiplier, to->offset};
    const uint16_t *edge = asc_frontend_segment_bin + 1;
    const uint16_t *last = edge + ASC_FRONTEND_N_MELS;
    /* From the edge where a band ends to its units: both tables have elements of two bytes. */
    const uintptr_t distance = (uintptr_t)log_mel - (uintptr_t)(edge + 1);
    const asc_frontend_chord_t *chords = asc_frontend_chord;
    const asc_frontend_ramp_t *ramp = asc_frontend_ramp;
    const uint64_t *bin = power + *edge;
    uint32_t rest = (uint32_t)rising, rest_high = (uint32_t)(rising >> 32);
    uint32_t total, total_high, high, highest, x, y, weight, step, end;
    __asm__ volatile(
        "1:\n"
        "ldrh %[end], [%[edge], #2]!\n"
        "ldr %[x], %[power]\n"
        "add %[end], %[x], %[end], lsl #3\n"
        "ldrd %[weight], %[step], [%[ramp], #8]!\n"
        "ldrd %[x], %[y], %[floor]\n"
        "adds %[total], %[rest], %[x]\n"
        "adc %[total_high], %[rest_high], %[y]\n"
        "cmp %[end], %[bin]\n"
        "bls 6f\n"
        ADD_BIN("umull")
        "bls 3f\n"
        "2:\n"
        ADD_BIN("umlal")
        "bls 3f\n"
        ADD_BIN("umlal")
        "bls 3f\n"
        ADD_BIN("umlal")
        "bhi 2b\n"
        "3:\n"
        /* rest = what rises, with its fraction cut off; y, x = what falls and the rest before */
        "adds %[rest_high], %[rest_high], %[high]\n"
        "adc %[highest], %[highest], #0\n"
        "lsr %[rest], %[rest], %[fraction]\n"
        "orr %[rest], %[rest], %[rest_high], lsl %[whole]\n"
        "lsr %[rest_high], %[rest_high], %[fraction]\n"
        "orr %[rest_high], %[rest_high], %[highest], lsl %[whole]\n"
        "subs %[x], %[total], %[rest]\n"
        "sbcs %[y], %[total_high], %[rest_high]\n"
        "beq 7f\n"
        "4:\n"
        /* y = mantissa: a shift by 32 leaves nothing */
        "clz %[high], %[y]\n"
        "lsl %[y], %[y], %[high]\n"
        "rsb %[highest], %[high], #32\n"
        "lsr %[x], %[x], %[highest]\n"
        "orr %[y], %[y], %[x]\n"
        "5:\n"
        "ldr %[x], %[offset]\n"
        "ldr %[end], %[chords]\n"
        "sub %[x], %[x], %[high], lsl #20\n"
        "ubfx %[high], %[y], #25, #6\n"
        "add %[end], %[end], %[high], lsl #3\n"
        "ldrd %[high], %[highest], [%[end]]\n"
        "ubfx %[y], %[y], #10, #15\n"
        "add %[x], %[x], %[high]\n"
        "smlawb %[x], %[highest], %[y], %[x]\n"
        "ldrd %[y], %[high], %[units]\n"
        "smmlar %[x], %[x], %[y], %[high]\n"
        "ssat %[x], #16, %[x]\n"
        "ldr %[y], %[distance]\n"
        "ldr %[high], %[last]\n"
        "strh %[x], [%[edge], %[y]]\n"
        "cmp %[edge], %[high]\n"
        "blo 1b\n"
        "b 8f\n"
        /* a segment without bins */
        "6:\n"
        "mov %[rest], #0\n"
        "mov %[rest_high], #0\n"
        "mov %[x], %[total]\n"
        "movs %[y], %[total_high]\n"
        "bne 4b\n"
        /* a band below 2^32 */
        "7:\n"
        "clz %[high], %[x]\n"
        "lsl %[y], %[x], %[high]\n"
        "add %[high], %[high], #32\n"
        "b 5b\n"
        "8:\n"
        : [edge] "+&r"(edge), [ramp] "+&r"(ramp), [bin] "+&r"(bin), [rest] "+&r"(rest),
          [rest_high] "+&r"(rest_high), [total] "=&r"(total), [total_high] "=&r"(total_high),
          [high] "=&r"(high), [highest] "=&r"(highest), [x] "=&r"(x), [y] "=&r"(y),
          [weight] "=&r"(weight), [step] "=&r"(step), [end] "=&r"(end)
        : [power] "m"(power), [floor] "m"(floor), [offset] "m"(offset), [chords] "m"(chords),
          [units] "m"(units), [distance] "m"(distance), [last] "m"(last),
          [fraction] "i"(ASC_FRONTEND_WEIGHT_BITS), [whole] "i"(32u - ASC_FRONTEND_WEIGHT_BITS)
        : "cc", "memory");
}

#endif

#if ASC_FRONTEND_DELTAS

/* The assembly below reads these by their offsets. */
ASC_FIXED_ASSERT_OFFSET(asc_frontend_band_t, log_mel, 0);
ASC_FIXED_ASSERT_OFFSET(asc_frontend_band_t, delta, 8);
ASC_FIXED_ASSERT_SIZE(asc_frontend_band_t, 16);

/* RESULT = ten times the delta two frames back of the past and NEXT. */
#define DELTA(RESULT, NEXT) \
    "lsl %[" RESULT "], %[" NEXT "], #1\n" \
    "smlad %[" RESULT "], %[older], %[minus_2_1], %[" RESULT "]\n" \
    "add %[" RESULT "], %[" RESULT "], %[newer], asr #16\n"

/* Appends NEXT to the past. */
#define APPEND(NEXT) \
    "lsr %[older], %[older], #16\n" \
    "orr %[older], %[older], %[newer], lsl #16\n" \
    "lsr %[newer], %[newer], #16\n" \
    "orr %[newer], %[newer], %[" NEXT "], lsl #16\n" \
    "strd %[older], %[newer], [%[band]], #8\n"

/* Stores the code of a value, which it changes. */
#define STORE_CODE(VALUE, RECIPROCAL, ZERO, OFFSET) \
    "smmlar %[" VALUE "], %[" VALUE "], %[" RECIPROCAL "], %[" ZERO "]\n" \
    "ssat %[" VALUE "], #8, %[" VALUE "]\n" \
    "strb %[" VALUE "], [%[codes], " OFFSET "]\n"

static inline void write_codes(int8_t *codes, size_t stride, asc_frontend_band_t *band,
                               const int16_t *next, const asc_frontend_requantization_t *to) {
    const asc_frontend_band_t *end = band + ASC_FRONTEND_N_MELS;
    int32_t older, newer, x, y;
    __asm__ volatile(
        /* Each turn begins with the carry set. */
        "cmp %[band], %[band]\n"
        "1:\n"
        "ldrd %[older], %[newer], [%[band]]\n"
        "ldrsh %[y], [%[next]], #2\n"
        "sxth %[x], %[older]\n"
        STORE_CODE("x", "reciprocal", "center", "#0")
        /* x = the first delta: the carry makes 2 x + 1 of x */
        DELTA("x", "y")
        "adc %[x], %[x], %[x]\n"
        "smmulr %[x], %[x], %[twentieth]\n"
        APPEND("y")
        "ldrd %[older], %[newer], [%[band]]\n"
        "sxth %[y], %[newer]\n"
        STORE_CODE("y", "reciprocal", "zero_point", "#1")
        DELTA("y", "x")
        STORE_CODE("y", "second", "zero_point", "#2")
        APPEND("x")
        "ldr %[x], %[end]\n"
        "add %[codes], %[codes], %[stride]\n"
        "cmp %[x], %[band]\n"
        "bhi 1b\n"
        : [codes] "+&r"(codes), [band] "+&r"(band), [next] "+&r"(next), [older] "=&r"(older),
          [newer] "=&r"(newer), [x] "=&r"(x), [y] "=&r"(y)
        : [stride] "r"(stride), [end] "m"(end), [minus_2_1] "r"(0xFFFFFFFEu),
          [twentieth] "r"(ASC_FRONTEND_TWENTIETH), [reciprocal] "r"(to->reciprocal),
          [second] "r"(to->second_reciprocal), [center] "r"(to->center),
          [zero_point] "r"(to->zero_point)
        : "cc", "memory");
}

#endif

/* clang-format on */

#endif
