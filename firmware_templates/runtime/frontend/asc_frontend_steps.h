/* SPDX-License-Identifier: Apache-2.0
 *
 * The steps of asc_frontend.c that every sample, bin and band goes through: headroom of a frame,
 * log mel bands, codes, copies. Those with a bit-exact twin in asc-tiny's Python model have its
 * name.
 */
#ifndef ASC_FRONTEND_STEPS_H
#define ASC_FRONTEND_STEPS_H

#include <string.h>

#include "asc_fixed.h"
#include "asc_frontend.h"
#include "asc_frontend_mve.h"
#ifdef ASC_FRONTEND_PCEN
#include "asc_pcen.h"
#define VALUES_ARE_LOGARITHMS 0
#else
#define VALUES_ARE_LOGARITHMS 1
#endif

#define FRAME ASC_SPECTRUM_FRAME /* samples in a frame */
#define HOP ASC_FRONTEND_HOP
#define AT_ONCE 8 /* samples that are copied at once */
#define MAX_SHIFT ASC_FRONTEND_MAX_SHIFT
#define LOG2_FRACTION_BITS ASC_FRONTEND_LOG2_FRACTION_BITS
#define TWENTIETH ASC_FRONTEND_TWENTIETH

#define ASC_FRONTEND_THUMB2 (ASC_HAS_THUMB2_LOOPS && ASC_HAS_DSP && !ASC_FRONTEND_NORMALIZED)

#define ASC_FRONTEND_THUMB2_MEL                                                               \
    (ASC_FRONTEND_THUMB2 && ASC_FRONTEND_FLOOR_IS_ADDED && ASC_FRONTEND_QUANTIZATIONS == 1 && \
     VALUES_ARE_LOGARITHMS)

#ifdef ASC_FRONTEND_MAGNITUDE

#define LINE_START 2297817334u /* 2.14 and 1.22, in Q30 */
#define LINE_SLOPE 1309965025u

static inline uint32_t high_product(uint32_t a, uint32_t b) {
    return (uint32_t)(((uint64_t)a * b) >> 32);
}

/* The root of a power, by three steps of Newton's method for 1 / sqrt(v), where v is the power
 * shifted left by an even number of bits, in Q32: 1/4 or more. */
static uint64_t root(uint64_t power) {
    const uint32_t high = (uint32_t)(power >> 32);
    const uint32_t low = (uint32_t)power;
    if (power == 0) {
        return 0;
    }
    const uint32_t zeros = high != 0 ? asc_leading_zeros(high) : 32u + asc_leading_zeros(low);
    const uint32_t v = (uint32_t)((power << (zeros & ~1u)) >> 32);
    uint32_t y = LINE_START - high_product(v, LINE_SLOPE);
    for (uint32_t step = 0; step < 3; step++) {
        y = high_product(y, (UINT32_C(3) << 28) - high_product(v, high_product(y, y))) << 3;
    }
    const int32_t up = 2 + ASC_SPECTRUM_FRACTION_BITS - (int32_t)(zeros / 2);
    const uint64_t result = high_product(v, y);
    return up >= 0 ? result << up : result >> -up;
}

/* Replaces the power of each bin by its root. */
static void take_roots(asc_frontend_t *frontend) {
    for (uint32_t k = 0; k < ASC_SPECTRUM_LENGTH; k++) {
        frontend->spectrum.power[k] = root(frontend->spectrum.power[k]);
    }
}

#endif

#if ASC_HAS_MVE

static uint32_t headroom(asc_frontend_t *frontend) {
    return asc_mve_headroom(frontend->frame.samples);
}

static void log_mel(asc_frontend_t *frontend, uint32_t shift) {
    asc_mve_log_mel(frontend, shift);
}

static void write_column(asc_frontend_t *frontend, int8_t *features, size_t stride) {
    const uint32_t channels = ASC_FRONTEND_CHANNELS / ASC_FRONTEND_QUANTIZATIONS;
    for (uint32_t q = 0; q < ASC_FRONTEND_QUANTIZATIONS; q++) {
        asc_mve_write_codes(frontend, q, features + channels * q, stride);
    }
}

static void copy(asc_sample_t *to, const asc_sample_t *from, size_t count) {
    asc_mve_copy(to, from, count);
}

#else

#if ASC_FRONTEND_THUMB2
#include "asc_frontend_thumb2.h"
#elif ASC_HAS_THUMB1
#include "asc_frontend_thumb1.h"
#endif

typedef asc_frontend_requantization_t requantization_t;

#if ASC_FRONTEND_NORMALIZED

/* Of the first mel band; those of the others follow. */
static inline const requantization_t *requantization(uint32_t q) {
    return asc_frontend_requantizations[q];
}

#else

/* Of all mel bands. */
static inline const requantization_t *requantization(uint32_t q) {
    static const requantization_t requantizations[ASC_FRONTEND_QUANTIZATIONS] =
        ASC_FRONTEND_REQUANTIZATIONS;
    return &requantizations[q];
}

#endif

#if ASC_FRONTEND_SAMPLE_BITS == 16

/* Those bits of some samples, and the lowest one, that differ from the next lower one. They come
 * in multiples of 16. */
static uint32_t changes(const asc_sample_pair_t *pairs, const asc_sample_pair_t *end) {
    uint32_t changes = 1;
#if ASC_HAS_THUMB2_LOOPS
    register const asc_sample_pair_t *r0 __asm__("r0") = pairs;
    register const asc_sample_pair_t *r1 __asm__("r1") = end;
    register uint32_t r2 __asm__("r2") = changes;
    __asm__ volatile("1:\n"
                     "ldmia r0!, {r3-r6, r8, r10, r12, lr}\n"
                     "eor r3, r3, r3, lsl #1\n"
                     "orr r2, r2, r3\n"
                     "eor r4, r4, r4, lsl #1\n"
                     "orr r2, r2, r4\n"
                     "eor r5, r5, r5, lsl #1\n"
                     "orr r2, r2, r5\n"
                     "eor r6, r6, r6, lsl #1\n"
                     "orr r2, r2, r6\n"
                     "eor r8, r8, r8, lsl #1\n"
                     "orr r2, r2, r8\n"
                     "eor r10, r10, r10, lsl #1\n"
                     "orr r2, r2, r10\n"
                     "eor r12, r12, r12, lsl #1\n"
                     "orr r2, r2, r12\n"
                     "eor lr, lr, lr, lsl #1\n"
                     "orr r2, r2, lr\n"
                     "cmp r0, r1\n"
                     "blo 1b\n"
                     : "+r"(r0), "+r"(r1), "+r"(r2)
                     :
                     : "r3", "r4", "r5", "r6", "r8", "r10", "r12", "lr", "cc", "memory");
    changes = r2;
#else
    while (pairs < end) {
        const uint32_t pair = *pairs++;
        changes |= pair ^ (pair << 1);
    }
#endif
    return changes;
}

/* The left shift that fills int16; 15 for a frame of 0 and -1 only. */
static uint32_t shift_of(uint32_t changes) {
    /* Below the lowest bit of a sample is nothing of it; the 1 makes the largest shift 15. */
    return asc_leading_zeros(((changes | changes >> 16) & 0xFFFEu) | 1u) - 16u;
}

#else

/* Those bits of some samples, and the lowest one, that differ from the sign. */
static uint32_t changes(const asc_sample_pair_t *pairs, const asc_sample_pair_t *end) {
    uint32_t changes = 1;
    for (; pairs < end; pairs++) {
        changes |= (uint32_t)(pairs->re ^ (pairs->re >> 31));
        changes |= (uint32_t)(pairs->im ^ (pairs->im >> 31));
    }
    return changes;
}

/* The left shift that fills int32, at most MAX_SHIFT. */
static uint32_t shift_of(uint32_t changes) {
    return asc_leading_zeros(changes | UINT32_C(1) << (30u - MAX_SHIFT)) - 1u;
}

#endif

static uint32_t headroom(asc_frontend_t *frontend) {
    const asc_sample_pair_t *pairs = frontend->frame.pairs;
#if HOP % 16 == 0 && FRAME % 16 == 0 && HOP >= FRAME / 2 && HOP < FRAME
    /* Half of the samples or more are new, and the last ones are the next frame's first. */
    const asc_sample_pair_t *next = pairs + HOP / 2u;
    const asc_sample_pair_t *added = pairs + (frontend->kept != 0 ? (FRAME - HOP) / 2u : 0);
    const uint32_t before = added < next ? frontend->kept | changes(added, next) : frontend->kept;
    frontend->kept = changes(next, pairs + FRAME / 2u);
    return shift_of(before | frontend->kept);
#else
    return shift_of(changes(pairs, pairs + ASC_SPECTRUM_SAMPLES / 2u));
#endif
}

#if !ASC_FRONTEND_THUMB2_MEL

static inline uint32_t scaled_mantissa(uint32_t high, uint32_t low, uint32_t zeros) {
    return (high << zeros) | ((low >> 1) >> (31u - zeros));
}

#if VALUES_ARE_LOGARITHMS
/* log2 of a positive integer in Q20, by 64 chords. */
static inline int32_t fixed_log2(uint64_t value) {
    const uint32_t high = (uint32_t)(value >> 32);
    const uint32_t low = (uint32_t)value;
    uint32_t mantissa;
    uint32_t exponent;
    if (high != 0) {
        const uint32_t zeros = asc_leading_zeros(high);
        mantissa = scaled_mantissa(high, low, zeros);
        exponent = 63u - zeros;
    } else {
        const uint32_t zeros = asc_leading_zeros(low);
        mantissa = low << zeros;
        exponent = 31u - zeros;
    }
    const asc_frontend_chord_t *chord = &asc_frontend_chord[(mantissa >> 25) & 63u];
    const int32_t base = (int32_t)((exponent << LOG2_FRACTION_BITS) + chord->base);
    return asc_add_low_product(base, chord->slope, (mantissa >> 10) & 0x7FFFu);
}
#endif

/* A logarithm or normalised energy in units, of which a code has several, as int16. */
static inline int32_t units(int32_t value, const requantization_t *to) {
#if ASC_FRONTEND_NORMALIZED
    return asc_saturate16(asc_add_product(0, value - to->origin, to->multiplier));
#else
    return asc_saturate16(asc_add_product(to->offset, value, to->multiplier));
#endif
}

#endif

#if !(ASC_FRONTEND_THUMB2 && ASC_FRONTEND_DELTAS)

/* The code of units, which have 16 bits. */
static inline int8_t rounded(int32_t value, int32_t reciprocal, int32_t zero) {
    return (int8_t)asc_saturate8(asc_add_short_product(zero, value, reciprocal));
}

#endif

typedef struct {
    uint64_t rising;
    uint64_t total;
} segment_t;

#if ASC_HAS_THUMB1

static inline segment_t segment_power(const uint64_t *power, const uint64_t *end,
                                      asc_frontend_ramp_t ramp, uint64_t total) {
    segment_t sums = {0, total};
    if (power < end) {
        uint64_t sum;
        sums.rising = weighted_power(power, end, &ramp, &sum);
        sums.total += sum;
    }
    return sums;
}

#else

/* Sums the power of the bins of a segment, weighted by a ramp, and as it is onto `total`. */
static inline segment_t segment_power(const uint64_t *power, const uint64_t *end,
                                      asc_frontend_ramp_t ramp, uint64_t total) {
    uint64_t high = 0;
    uint64_t low = 0;
    segment_t sums = {0, total};
    while (power < end) {
        const uint64_t value = asc_load(&power);
        sums.total += value;
        low = asc_accumulate(low, (uint32_t)value, ramp.start);
        high = asc_accumulate(high, (uint32_t)(value >> 32), ramp.start);
        ramp.start += ramp.step;
    }
    sums.rising = (high << (32u - ASC_FRONTEND_WEIGHT_BITS)) + (low >> ASC_FRONTEND_WEIGHT_BITS);
    return sums;
}

#endif

/* Visits every bin once: a segment between two mel edges is the rising side of one band and, by
 * what is left of its sum, the falling side of the band before. */
static void log_mel(asc_frontend_t *frontend, uint32_t shift) {
    const uint64_t floor = ASC_FRONTEND_FLOOR >> (ASC_SPECTRUM_DEGREE * (MAX_SHIFT - shift));
#if VALUES_ARE_LOGARITHMS
    const int32_t exponent = ASC_SPECTRUM_SCALE_LOG2(shift) << LOG2_FRACTION_BITS;
#endif
    const uint64_t *power = frontend->spectrum.power;
    const uint16_t *bin = asc_frontend_segment_bin;
    const uint64_t *start = power + bin[0];
    uint64_t rest = segment_power(start, power + bin[1], asc_frontend_ramp[0], 0).rising;
#if ASC_FRONTEND_THUMB2_MEL
    const asc_frontend_mel_t mel = {
        .floor = floor,
        .multiplier = requantization(0)->multiplier,
        .offset = requantization(0)->offset,
        .power = power,
        .highest = (63 << LOG2_FRACTION_BITS) - exponent,
        .chords = asc_frontend_chord,
        .distance = (uintptr_t)frontend->log_mel[0] - (uintptr_t)(bin + 2),
        .last = bin + 1 + ASC_FRONTEND_N_MELS,
        .edge = bin + 1,
        .ramp = asc_frontend_ramp,
        .bin = power + bin[1],
        .rest = rest,
    };
    bands_in_units(&mel);
#else
    start = power + bin[1];
    for (uint32_t m = 0; m < ASC_FRONTEND_N_MELS; m++) {
        const uint64_t *end = power + bin[m + 2];
#if ASC_FRONTEND_FLOOR_IS_ADDED
        const segment_t sums = segment_power(start, end, asc_frontend_ramp[m + 1], rest + floor);
        const uint64_t band = sums.total - sums.rising;
#else
        const segment_t sums = segment_power(start, end, asc_frontend_ramp[m + 1], rest);
        const uint64_t above = sums.total - sums.rising;
        const uint64_t band = above > floor ? above : floor;
#endif
#if VALUES_ARE_LOGARITHMS
        const int32_t value = fixed_log2(band) - exponent;
#else
        const int32_t value = pcen(frontend, m, band, ASC_SPECTRUM_SCALE_LOG2(shift));
#endif
        for (uint32_t q = 0; q < ASC_FRONTEND_QUANTIZATIONS; q++) {
            const requantization_t *to = requantization(q) + m * ASC_FRONTEND_NORMALIZED;
            frontend->log_mel[q][m] = (int16_t)units(value, to);
        }
        rest = sums.rising;
        start = end;
    }
#endif
}

#if ASC_FRONTEND_DELTAS

#if !ASC_FRONTEND_THUMB2

#if !ASC_HAS_THUMB1

/* x / 10, rounded, halves up: no odd number of twentieths is a half. */
static inline int32_t tenth(int32_t x) {
    return asc_add_product(0, 2 * x + 1, TWENTIETH);
}

/* a + x y / 2^32, the product rounded, where x is ten times a second delta. */
static inline int32_t add_second_delta(int32_t a, int32_t x, int32_t y) {
    return asc_add_product(a, x, y);
}

#endif

static inline int32_t past(asc_frontend_past_t values, uint32_t index) {
    return (int16_t)(uint16_t)(values >> (16u * index));
}

static inline asc_frontend_past_t appended(asc_frontend_past_t values, int32_t next) {
    return (values >> 16) | ((uint64_t)(uint16_t)next << 48);
}

/* Ten times the delta two frames back. */
static inline int32_t delta(asc_frontend_past_t values, int32_t next) {
    return past(values, 3) - past(values, 1) + 2 * (next - past(values, 0));
}

static void write_codes(int8_t *codes, size_t stride, asc_frontend_band_t *band,
                        const int16_t *next, const requantization_t *to) {
    for (uint32_t m = 0; m < ASC_FRONTEND_N_MELS; m++, band++, codes += stride) {
        const asc_frontend_band_t before = *band;
        const int32_t first = tenth(delta(before.log_mel, next[m]));
        const int32_t second = delta(before.delta, first);
        band->log_mel = appended(before.log_mel, next[m]);
        band->delta = appended(before.delta, first);
        codes[0] = rounded(past(before.log_mel, 0), to->reciprocal, to->center);
        codes[1] = rounded(past(before.delta, 2), to->reciprocal, to->zero_point);
        codes[2] =
            (int8_t)asc_saturate8(add_second_delta(to->zero_point, second, to->second_reciprocal));
        to += ASC_FRONTEND_NORMALIZED;
    }
}

#endif

#else

static void write_codes(int8_t *codes, size_t stride, const int16_t *next,
                        const requantization_t *to) {
    for (uint32_t m = 0; m < ASC_FRONTEND_N_MELS; m++, codes += stride) {
        codes[0] = rounded(next[m], to->reciprocal, to->center);
        to += ASC_FRONTEND_NORMALIZED;
    }
}

#endif

static void write_column(asc_frontend_t *frontend, int8_t *features, size_t stride) {
    for (uint32_t q = 0; q < ASC_FRONTEND_QUANTIZATIONS; q++) {
#if ASC_FRONTEND_DELTAS
        write_codes(features + 3 * q, stride, frontend->bands[q], frontend->log_mel[q],
                    requantization(q));
#else
        write_codes(features + q, stride, frontend->log_mel[q], requantization(q));
#endif
    }
}

#if ASC_HAS_THUMB2_LOOPS

#define WORDS_AT_ONCE 8u

/* Copies words in order, a multiple of WORDS_AT_ONCE and not 0. */
static inline void copy_words(void *to, const void *from, size_t words) {
    register void *r0 __asm__("r0") = to;
    register const void *r1 __asm__("r1") = from;
    register const uint32_t *r2 __asm__("r2") = (const uint32_t *)from + words;
    __asm__ volatile("1:\n"
                     "ldmia r1!, {r3-r6, r8, r10, r12, lr}\n"
                     "stmia r0!, {r3-r6, r8, r10, r12, lr}\n"
                     "cmp r1, r2\n"
                     "blo 1b\n"
                     : "+r"(r0), "+r"(r1), "+r"(r2)
                     :
                     : "r3", "r4", "r5", "r6", "r8", "r10", "r12", "lr", "cc", "memory");
}

#endif

/* Copies in order. Blocks of a fixed size are copied in line: small C libraries copy byte by byte,
 * and compilers call them where a core loads words from whole addresses only. */
static void copy(asc_sample_t *to, const asc_sample_t *from, size_t count) {
#if defined(__GNUC__) && !ASC_HAS_THUMB2
    if ((((uintptr_t)to | (uintptr_t)from) & 3u) == 0) {
        for (; count >= AT_ONCE; count -= AT_ONCE, from += AT_ONCE, to += AT_ONCE) {
            memcpy(__builtin_assume_aligned(to, 4), __builtin_assume_aligned(from, 4),
                   AT_ONCE * sizeof *to);
        }
    }
#endif
#if ASC_HAS_THUMB2_LOOPS
    const size_t at_once = WORDS_AT_ONCE * sizeof(uint32_t) / sizeof *to;
    const size_t whole = count - count % at_once;
    if ((((uintptr_t)to | (uintptr_t)from) & 3u) == 0 && whole > 0) {
        copy_words(to, from, whole * sizeof *to / sizeof(uint32_t));
        to += whole;
        from += whole;
        count -= whole;
    }
#endif
    for (; count >= AT_ONCE; count -= AT_ONCE, from += AT_ONCE, to += AT_ONCE) {
        memcpy(to, from, AT_ONCE * sizeof *to);
    }
    for (; count > 0; count--) {
        *to++ = *from++;
    }
}

#endif

#endif
