/* SPDX-License-Identifier: Apache-2.0
 *
 * The steps of asc_frontend_steps.h in vectors, for cores with Helium (Armv8.1-M's vector
 * extension). Both give the same bits; bounds and formulas are explained there.
 */
#include "asc_frontend_mve.h"

#if ASC_HAS_MVE

#ifdef ASC_FRONTEND_PCEN
#include "asc_pcen.h"
#endif

#include <arm_mve.h>

#define N_MELS ASC_FRONTEND_N_MELS
#define LANES 4u
#define MAX_SHIFT ASC_FRONTEND_MAX_SHIFT
#define LOG2_FRACTION_BITS ASC_FRONTEND_LOG2_FRACTION_BITS
#define TWENTIETH ASC_FRONTEND_TWENTIETH

typedef asc_frontend_requantization_t requantization_t;

#if ASC_FRONTEND_NORMALIZED

/* Of four mel bands. */
typedef int32x4_t constant_t;

/* Of the first mel band; those of the others follow. */
static inline const requantization_t *requantization(uint32_t q) {
    return asc_frontend_requantizations[q];
}

/* Byte offsets of four bands' requantizations. */
static inline uint32x4_t steps(void) {
    return vmulq_n_u32(vidupq_n_u32(0, 1), sizeof(requantization_t));
}

#define CONSTANT(FIELD) vldrwq_gather_offset_s32(&(FIELD), steps())
#define SHORT_CONSTANT(FIELD) vldrhq_gather_offset_s32(&(FIELD), steps())

/* zero + value / (2^32 / reciprocal), rounded */
static inline int32x4_t rounded(int32x4_t value, constant_t reciprocal, constant_t zero) {
    return vaddq_s32(vrmulhq_s32(value, reciprocal), zero);
}

/* A logarithm or normalised energy in units, of which a code has several. */
static inline int32x4_t units(int32x4_t value, const requantization_t *to) {
    return vrmulhq_s32(vsubq_s32(value, CONSTANT(to->origin)), CONSTANT(to->multiplier));
}

#else

typedef int32_t constant_t;

/* Of all mel bands. */
static inline const requantization_t *requantization(uint32_t q) {
    static const requantization_t requantizations[ASC_FRONTEND_QUANTIZATIONS] =
        ASC_FRONTEND_REQUANTIZATIONS;
    return &requantizations[q];
}

#define CONSTANT(FIELD) (FIELD)
#define SHORT_CONSTANT(FIELD) (FIELD)

/* zero + value / (2^32 / reciprocal), rounded */
static inline int32x4_t rounded(int32x4_t value, constant_t reciprocal, constant_t zero) {
    return vaddq_n_s32(vrmulhq_s32(value, vdupq_n_s32(reciprocal)), zero);
}

/* A logarithm or normalised energy in units, of which a code has several. */
static inline int32x4_t units(int32x4_t value, const requantization_t *to) {
    return rounded(value, to->multiplier, to->offset);
}

#endif

#if ASC_FRONTEND_SAMPLE_BITS == 16

uint32_t asc_mve_headroom(const int16_t *samples) {
    const int16_t *end = samples + ASC_SPECTRUM_SAMPLES;
    int16x8_t largest = vdupq_n_s16(0);
    int16x8_t smallest = vdupq_n_s16(-1);
    for (; samples < end; samples += 32) {
        const int16x8_t a = vldrhq_s16(samples);
        const int16x8_t b = vldrhq_s16(samples + 8);
        const int16x8_t c = vldrhq_s16(samples + 16);
        const int16x8_t d = vldrhq_s16(samples + 24);
        largest = vmaxq_s16(largest, vmaxq_s16(vmaxq_s16(a, b), vmaxq_s16(c, d)));
        smallest = vminq_s16(smallest, vminq_s16(vminq_s16(a, b), vminq_s16(c, d)));
    }
    const uint32_t magnitude = (uint32_t)(vmaxvq_s16(0, largest) | ~vminvq_s16(-1, smallest));
    return asc_leading_zeros((magnitude << 1) | 1u) - 16u;
}

void asc_mve_copy(int16_t *to, const int16_t *from, size_t count) {
    for (; count >= 8; count -= 8, from += 8, to += 8) {
        vstrhq_s16(to, vldrhq_s16(from));
    }
    if (count > 0) {
        const mve_pred16_t rest = vctp16q((uint32_t)count);
        vstrhq_p_s16(to, vldrhq_z_s16(from, rest), rest);
    }
}

#else

uint32_t asc_mve_headroom(const int32_t *samples) {
    const int32_t *end = samples + ASC_SPECTRUM_SAMPLES;
    int32x4_t largest = vdupq_n_s32(0);
    int32x4_t smallest = vdupq_n_s32(-1);
    for (; samples < end; samples += 16) {
        const int32x4_t a = vldrwq_s32(samples);
        const int32x4_t b = vldrwq_s32(samples + 4);
        const int32x4_t c = vldrwq_s32(samples + 8);
        const int32x4_t d = vldrwq_s32(samples + 12);
        largest = vmaxq_s32(largest, vmaxq_s32(vmaxq_s32(a, b), vmaxq_s32(c, d)));
        smallest = vminq_s32(smallest, vminq_s32(vminq_s32(a, b), vminq_s32(c, d)));
    }
    const uint32_t magnitude = (uint32_t)(vmaxvq_s32(0, largest) | ~vminvq_s32(-1, smallest));
    return asc_leading_zeros(magnitude | UINT32_C(1) << (30u - MAX_SHIFT)) - 1u;
}

void asc_mve_copy(int32_t *to, const int32_t *from, size_t count) {
    for (; count >= 4; count -= 4, from += 4, to += 4) {
        vstrwq_s32(to, vldrwq_s32(from));
    }
    if (count > 0) {
        const mve_pred16_t rest = vctp32q((uint32_t)count);
        vstrwq_p_s32(to, vldrwq_z_s32(from, rest), rest);
    }
}

#endif

/* What summing the bins of a band needs besides what it moves on. */
typedef struct {
    uint32x4_t low;   /* byte offsets of the low words */
    uint32x4_t high;  /* and of the high words of four powers */
    uint32x4_t index; /* 0 to 3 */
    uint32x4_t floor; /* in lanes 0 and 2; the others are 0 */
} lanes_t;

/* Where the next segment lies, and the rising side of the band before plus the floor. */
typedef struct {
    const uint16_t *bin;
    const asc_frontend_ramp_t *ramp;
    uint64_t rest;
} position_t;

/* Assembly and vectors read these by their offsets. */
ASC_FIXED_ASSERT_OFFSET(asc_frontend_ramp_t, start, 0);
ASC_FIXED_ASSERT_OFFSET(asc_frontend_ramp_t, step, 4);
ASC_FIXED_ASSERT_SIZE(asc_frontend_ramp_t, 8);
ASC_FIXED_ASSERT_OFFSET(asc_frontend_chord_t, base, 0);
ASC_FIXED_ASSERT_OFFSET(asc_frontend_chord_t, slope, 4);
ASC_FIXED_ASSERT_SIZE(asc_frontend_chord_t, 8);

/* Stores the low and high word of a band's sum. asc_frontend_steps.h has the formula; compilers
 * neither predicate the loop nor keep its sums in registers. */
static inline uint32_t *next_band(uint32_t *band, position_t *at, const uint64_t *power,
                                  const lanes_t *lanes) {
    const uint64_t *bin;
    uint64_t low;
    uint64_t high;
    uint32_t total_high;
    __asm__ volatile(
        "ldrh %Q[low], [%[bins]], #2\n"
        "ldrh lr, [%[bins]]\n"
        "ldrd %Q[high], %R[high], [%[ramp]], #8\n"
        "add %[bin], %[power], %Q[low], lsl #3\n"
        "sub lr, lr, %Q[low]\n"
        "vdup.32 q0, %Q[high]\n"
        "vdup.32 q3, %R[high]\n"
        "vmla.u32 q0, %q[index], %R[high]\n"
        "vshl.i32 q3, q3, #2\n"
        "vmov %Q[low], %R[low], %q[floor][3], %q[floor][1]\n"
        "vmov %Q[high], %R[high], %q[floor][3], %q[floor][1]\n"
        "mov %[total_high], #0\n"
        "wlstp.32 lr, lr, 2f\n"
        "1:\n"
        "vldrw.u32 q1, [%[bin], %q[low_words]]\n"
        "vldrw.u32 q2, [%[bin], %q[high_words]]\n"
        "add %[bin], %[bin], #32\n"
        "vmlaldava.u32 %Q[low], %R[low], q1, q0\n"
        "vmlaldava.u32 %Q[high], %R[high], q2, q0\n"
        "vaddlva.u32 %Q[total], %R[total], q1\n"
        "vaddva.u32 %[total_high], q2\n"
        "vadd.i32 q0, q0, q3\n"
        "letp lr, 1b\n"
        "2:\n"
        /* the rising side */
        "lsrl %Q[low], %R[low], %[down]\n"
        "lsll %Q[high], %R[high], %[up]\n"
        "adds %Q[high], %Q[high], %Q[low]\n"
        "adc %R[high], %R[high], %R[low]\n"
        /* the band's sum */
        "add %R[total], %R[total], %[total_high]\n"
        "subs %Q[low], %Q[total], %Q[high]\n"
        "sbc %R[low], %R[total], %R[high]\n"
        "strd %Q[low], %R[low], [%[band]], #8\n"
        "vmov %Q[low], %R[low], %q[floor][2], %q[floor][0]\n"
        "adds %Q[total], %Q[high], %Q[low]\n"
        "adc %R[total], %R[high], %R[low]\n"
        : [band] "+&r"(band), [bins] "+&r"(at->bin), [ramp] "+&r"(at->ramp), [bin] "=&r"(bin),
          [low] "=&r"(low), [high] "=&r"(high), [total] "+&r"(at->rest),
          [total_high] "=&Te"(total_high)
        : [power] "r"(power), [index] "w"(lanes->index), [low_words] "w"(lanes->low),
          [high_words] "w"(lanes->high), [floor] "w"(lanes->floor),
          [down] "i"(ASC_FRONTEND_WEIGHT_BITS), [up] "i"(32u - ASC_FRONTEND_WEIGHT_BITS)
        : "lr", "cc", "memory", "q0", "q1", "q2", "q3");
    return band;
}

/* Sums of the next bands, at most four. */
static inline void next_bands(uint32_t *band, uint32_t count, position_t *at, const uint64_t *power,
                              uint64_t floor) {
    const uint32_t *end = band + 2 * count;
    lanes_t lanes = {vidupq_n_u32(0, 8),
                     vidupq_n_u32(4, 8),
                     vidupq_n_u32(0, 1),
                     {(uint32_t)floor, 0, (uint32_t)(floor >> 32), 0}};
    __asm__("" : "+w"(lanes.low), "+w"(lanes.high), "+w"(lanes.index), "+w"(lanes.floor));
    do {
        band = next_band(band, at, power, &lanes);
    } while (band < end);
}

/* log2 of positive 64-bit integers in Q20, by 64 chords. */
static inline int32x4_t fixed_log2(uint32x4_t high, uint32x4_t low) {
    const uint32x4_t high_zeros = vclzq_u32(high);
    const uint32x4_t is_short = vshrq_n_u32(high_zeros, 5); /* 0 or 1 */
    const int32x4_t zeros =
        vreinterpretq_s32_u32(vaddq_u32(high_zeros, vmulq_u32(vclzq_u32(low), is_short)));
    /* Shifts by less than 0 go right, those by 32 or more leave nothing. */
    const uint32x4_t mantissa =
        vorrq_u32(vshlq_u32(high, zeros), vshlq_u32(low, vsubq_n_s32(zeros, 32)));
    const uint32x4_t chord = vbicq_n_u32(vshrq_n_u32(mantissa, 24), 0x81);
    const uint32x4_t base = vldrwq_gather_shifted_offset_u32(&asc_frontend_chord->base, chord);
    const int32x4_t slope = vldrwq_gather_shifted_offset_s32(&asc_frontend_chord->slope, chord);
    const uint32x4_t fraction = vshrq_n_u32(vshlq_n_u32(mantissa, 7), 17);
    const uint32x4_t rise = vshrq_n_u32(vmulq_u32(vreinterpretq_u32_s32(slope), fraction), 16);
    const int32x4_t power = vshlq_n_s32(vsubq_n_s32(zeros, 63), LOG2_FRACTION_BITS);
    return vsubq_s32(vreinterpretq_s32_u32(vaddq_u32(base, rise)), power);
}

/* Low and high words of four 64-bit integers */
typedef struct {
    uint32x4_t low;
    uint32x4_t high;
} longs_t;

#if ASC_FRONTEND_FLOOR_IS_ADDED

static inline longs_t floored(longs_t bands, uint64_t floor) {
    (void)floor;
    return bands;
}

#else

static inline longs_t floored(longs_t bands, uint64_t floor) {
    const uint32x4_t low = vdupq_n_u32((uint32_t)floor);
    const uint32x4_t high = vdupq_n_u32((uint32_t)(floor >> 32));
    const mve_pred16_t same = vcmpeqq_u32(bands.high, high);
    const mve_pred16_t less = vcmphiq_u32(high, bands.high);
    const mve_pred16_t below = (mve_pred16_t)(less | (same & vcmphiq_u32(low, bands.low)));
    const longs_t result = {vpselq_u32(low, bands.low, below), vpselq_u32(high, bands.high, below)};
    return result;
}

#endif

#ifdef ASC_FRONTEND_PCEN

/* What becomes of the sums of four bands from m on, of which there may be fewer. */
static inline int32x4_t normalized_energies(asc_frontend_t *frontend, uint32_t m,
                                            const uint32_t *bands, uint32_t shift) {
    int32_t found[LANES] = {0, 0, 0, 0};
    for (uint32_t lane = 0; lane < LANES && m + lane < N_MELS; lane++) {
        const uint64_t band = bands[2 * lane] | (uint64_t)bands[2 * lane + 1] << 32;
        found[lane] = pcen(frontend, m + lane, band, ASC_SPECTRUM_SCALE_LOG2(shift));
    }
    return vldrwq_s32(found);
}

#endif

void asc_mve_log_mel(asc_frontend_t *frontend, uint32_t shift) {
    const uint64_t floor = ASC_FRONTEND_FLOOR >> (ASC_SPECTRUM_DEGREE * (MAX_SHIFT - shift));
#ifndef ASC_FRONTEND_PCEN
    const int32_t exponent = ASC_SPECTRUM_SCALE_LOG2(shift) << LOG2_FRACTION_BITS;
    const uint32x4_t offsets = vidupq_n_u32(0, 8);
#endif
    const uint64_t added = ASC_FRONTEND_FLOOR_IS_ADDED ? floor : 0;
    const uint64_t *power = frontend->spectrum.power;
    position_t at = {asc_frontend_segment_bin, asc_frontend_ramp, 0};
    uint32_t bands[2 * LANES] = {1, 1, 1, 1, 1, 1, 1, 1}; /* low and high words */
    /* Not a band: the first segment only rises. */
    next_bands(bands, 1, &at, power, added);
    for (uint32_t m = 0; m < N_MELS; m += LANES) {
        next_bands(bands, N_MELS - m < LANES ? N_MELS - m : LANES, &at, power, added);
#ifdef ASC_FRONTEND_PCEN
        const int32x4_t value = normalized_energies(frontend, m, bands, shift);
#else
        const longs_t sums = floored((longs_t){vldrwq_gather_offset_u32(bands, offsets),
                                               vldrwq_gather_offset_u32(bands + 1, offsets)},
                                     floor);
        const int32x4_t value = vsubq_n_s32(fixed_log2(sums.high, sums.low), exponent);
#endif
        for (uint32_t q = 0; q < ASC_FRONTEND_QUANTIZATIONS; q++) {
            const int32x4_t x = units(value, requantization(q) + m * ASC_FRONTEND_NORMALIZED);
            vstrhq_s32(&frontend->log_mel[q][m], vshrq_n_s32(vqshlq_n_s32(x, 16), 16));
        }
    }
}

/* Stores four codes, of the bands that there are from m on. */
static inline void store_codes(int8_t *codes, uint32x4_t offsets, int32x4_t values, uint32_t m) {
    const int32x4_t narrow = vshrq_n_s32(vqshlq_n_s32(values, 24), 24); /* saturated */
    if (m + LANES <= N_MELS) {
        vstrbq_scatter_offset_s32(codes, offsets, narrow);
    } else {
        vstrbq_scatter_offset_p_s32(codes, offsets, narrow, vctp32q(N_MELS - m));
    }
}

#if ASC_FRONTEND_DELTAS

ASC_FIXED_ASSERT_OFFSET(asc_frontend_band_t, log_mel, 0);
ASC_FIXED_ASSERT_OFFSET(asc_frontend_band_t, delta, 8);

static inline int32x4_t even_half(uint32x4_t words) {
    return vmovlbq_s16(vreinterpretq_s16_u32(words));
}

static inline int32x4_t odd_half(uint32x4_t words) {
    return vmovltq_s16(vreinterpretq_s16_u32(words));
}

/* Ten times the delta two frames back; the past lies in words, its oldest value lowest. */
static inline int32x4_t delta(uint32x4_t older, uint32x4_t newer, int32x4_t next) {
    const int32x4_t outer = vsubq_s32(next, even_half(older));
    const int32x4_t inner = vsubq_s32(odd_half(newer), odd_half(older));
    return vaddq_s32(inner, vaddq_s32(outer, outer));
}

/* x / 10, rounded, halves up. */
static inline int32x4_t tenth(int32x4_t x) {
    return vmulhq_s32(vaddq_n_s32(vaddq_s32(x, x), 11), vdupq_n_s32(TWENTIETH));
}

/* The past without its oldest values. */
static inline uint32x4_t appended(uint32x4_t words, uint32x4_t next) {
    return vsliq_n_u32(vshrq_n_u32(words, 16), next, 16);
}

void asc_mve_write_codes(asc_frontend_t *frontend, uint32_t q, int8_t *codes, size_t stride) {
    const requantization_t *to = requantization(q);
    const uint32x4_t offsets = vmulq_n_u32(vidupq_n_u32(0, 1), (uint32_t)stride);
    const uint32_t band_bytes = sizeof frontend->bands[0][0];
    uint32x4_t bands = vmulq_n_u32(vidupq_n_u32(0, 1), band_bytes);
    bands = vaddq_n_u32(bands, (uint32_t)(uintptr_t)frontend->bands[q]);
    for (uint32_t m = 0; m < N_MELS; m += LANES, codes += LANES * stride) {
        const int32x4_t next = vldrhq_s32(&frontend->log_mel[q][m]);
        const uint32x4_t log_older = vldrwq_gather_base_u32(bands, 0);
        const uint32x4_t log_newer = vldrwq_gather_base_u32(bands, 4);
        const int32x4_t first = tenth(delta(log_older, log_newer, next));
        const constant_t reciprocal = CONSTANT(to->reciprocal);
        const constant_t center = SHORT_CONSTANT(to->center);
        const constant_t zero_point = SHORT_CONSTANT(to->zero_point);
        store_codes(codes, offsets, rounded(even_half(log_older), reciprocal, center), m);
        vstrwq_scatter_base_u32(bands, 0, appended(log_older, log_newer));
        vstrwq_scatter_base_u32(bands, 4, appended(log_newer, vreinterpretq_u32_s32(next)));
        const uint32x4_t older = vldrwq_gather_base_u32(bands, 8);
        const uint32x4_t newer = vldrwq_gather_base_u32(bands, 12);
        const int32x4_t second = delta(older, newer, first);
        store_codes(codes + 1, offsets, rounded(even_half(newer), reciprocal, zero_point), m);
        store_codes(codes + 2, offsets,
                    rounded(second, CONSTANT(to->second_reciprocal), zero_point), m);
        vstrwq_scatter_base_u32(bands, 8, appended(older, newer));
        vstrwq_scatter_base_u32(bands, 12, appended(newer, vreinterpretq_u32_s32(first)));
        bands = vaddq_n_u32(bands, LANES * band_bytes);
        to += LANES * ASC_FRONTEND_NORMALIZED;
    }
}

#else

void asc_mve_write_codes(asc_frontend_t *frontend, uint32_t q, int8_t *codes, size_t stride) {
    const requantization_t *to = requantization(q);
    const uint32x4_t offsets = vmulq_n_u32(vidupq_n_u32(0, 1), (uint32_t)stride);
    for (uint32_t m = 0; m < N_MELS; m += LANES, codes += LANES * stride) {
        const int32x4_t next = vldrhq_s32(&frontend->log_mel[q][m]);
        const constant_t reciprocal = CONSTANT(to->reciprocal);
        store_codes(codes, offsets, rounded(next, reciprocal, SHORT_CONSTANT(to->center)), m);
        to += LANES * ASC_FRONTEND_NORMALIZED;
    }
}

#endif

#endif
