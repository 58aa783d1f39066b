/* SPDX-License-Identifier: Apache-2.0
 *
 * The transform of asc_spectrum.c in vectors of four, for cores with Helium (Armv8.1-M's vector
 * extension). Both give the same bits.
 */
#include "asc_fixed.h"
#include "asc_spectrum.h"

#if ASC_HAS_MVE

#include <arm_mve.h>

#define LENGTH ASC_SPECTRUM_LENGTH
#define QUARTER (ASC_FRONTEND_N_FFT / 4u) /* of a turn, in the table of cosines */
#define LANES 4u

/* Four complex numbers, or four turns: cosines and sines in Q31. */
typedef struct {
    int32x4_t re;
    int32x4_t im;
} quad_t;

/* Twiddle factors of two layers. */
typedef struct {
    quad_t first;
    quad_t second;
} turns_t;

/* Assembly reads turns and complex numbers by these offsets. */
ASC_FIXED_ASSERT_OFFSET(quad_t, re, 0);
ASC_FIXED_ASSERT_OFFSET(quad_t, im, 16);
ASC_FIXED_ASSERT_OFFSET(turns_t, first, 0);
ASC_FIXED_ASSERT_OFFSET(turns_t, second, 32);
ASC_FIXED_ASSERT_OFFSET(asc_complex_t, re, 0);
ASC_FIXED_ASSERT_OFFSET(asc_complex_t, im, 4);
ASC_FIXED_ASSERT_SIZE(asc_complex_t, 8);

/* Half of a + b (cosine - i sine). */
static inline quad_t half_turn(quad_t a, quad_t b, quad_t turn) {
    quad_t half = {vrmulhq_s32(b.re, turn.re), vrmulhq_s32(vnegq_s32(b.re), turn.im)};
    half.re = vaddq_s32(half.re, vrmulhq_s32(b.im, turn.im));
    half.im = vaddq_s32(half.im, vrmulhq_s32(b.im, turn.re));
    half.re = vaddq_s32(half.re, vshrq_n_s32(a.re, 1));
    half.im = vaddq_s32(half.im, vshrq_n_s32(a.im, 1));
    return half;
}

static inline quad_t subtract(quad_t a, quad_t b) {
    const quad_t difference = {vsubq_s32(a.re, b.re), vsubq_s32(a.im, b.im)};
    return difference;
}

/* Four complex numbers. GCC 12 must not move the address in the same instruction: it writes what
 * the assembler does not accept. */
static inline quad_t load(const asc_complex_t *z) {
    const int32_t *words = &z->re;
    __asm__("" : "+r"(words));
    const int32x4x2_t both = vld2q_s32(words);
    const quad_t quad = {both.val[0], both.val[1]};
    return quad;
}

static inline void store(asc_complex_t *z, quad_t quad) {
    int32_t *words = &z->re;
    const int32x4x2_t both = {{quad.re, quad.im}};
    __asm__("" : "+r"(words));
    vst2q_s32(words, both);
}

/* cos and sin of 2 pi index / N_FFT for indices up to N_FFT / 4. */
static inline quad_t turn(int32x4_t index) {
    const uint32x4_t cosine = vreinterpretq_u32_s32(index);
    const uint32x4_t sine = vsubq_u32(vdupq_n_u32(QUARTER), cosine);
    const quad_t result = {vldrwq_gather_shifted_offset_s32(asc_frontend_cosine, cosine),
                           vldrwq_gather_shifted_offset_s32(asc_frontend_cosine, sine)};
    return result;
}

/* The same for indices up to N_FFT / 2. */
static inline quad_t twiddle(int32x4_t index) {
    const int32x4_t quarter = vdupq_n_s32((int32_t)QUARTER);
    const int32x4_t to_quarter = vsubq_s32(quarter, index);
    const int32x4_t sign = vshrq_n_s32(to_quarter, 31);
    quad_t result = turn(vsubq_s32(quarter, vabsq_s32(to_quarter)));
    result.re = vsubq_s32(veorq_s32(result.re, sign), sign);
    return result;
}

/* 0, step, 2 step, 3 step from start on */
static inline int32x4_t ramp(uint32_t start, uint32_t step) {
    return vreinterpretq_s32_u32(vmlaq_n_u32(vdupq_n_u32(start), vidupq_n_u32(0, 1), step));
}

#if ASC_SPECTRUM_SHORT_WINDOW

#include "asc_spectrum_window_mve.h"

#elif ASC_FRONTEND_SAMPLE_BITS == 16

/* Constants of the first layers. */
typedef struct {
    int32x4_t half;         /* in Q30 */
    uint32x4_t groups;      /* addresses of four, in bit-reversed order */
    uint32x4_t sines;       /* byte offsets, */
    uint32x4_t other_sines; /* for even and for odd samples */
} first_constants_t;

ASC_FIXED_ASSERT_OFFSET(first_constants_t, half, 0);
ASC_FIXED_ASSERT_OFFSET(first_constants_t, groups, 16);
ASC_FIXED_ASSERT_OFFSET(first_constants_t, sines, 32);
ASC_FIXED_ASSERT_OFFSET(first_constants_t, other_sines, 48);

/* Products of even or odd samples, two to a word, with their windows. */
#define EVEN(WORDS, PRODUCT)   \
    "vldrw.32 q7, " WORDS "\n" \
    "vshl.s32 q7, %[shift]\n"  \
    "vmulh.s32 " PRODUCT ", " PRODUCT ", q7\n"
#define ODD(WORDS, PRODUCT)    \
    "vldrw.32 q7, " WORDS "\n" \
    "vmovlt.s16 q7, q7\n"      \
    "vshl.s32 q7, %[shift]\n"  \
    "vmulh.s32 " PRODUCT ", " PRODUCT ", q7\n"

/* Hann window, bit reversal and the first two layers, four groups of four at a time. */
static void first_layers(asc_complex_t *z, const asc_sample_pair_t *words, uint32_t shift) {
    const uint32_t unused_bits = asc_leading_zeros(LENGTH / 4u) + 1u;
    const uint32_t half = LENGTH / 2u * sizeof *z;
    const uint32x4_t reversed = {0, half, half / 2u, half / 2u * 3u};
    const first_constants_t constants = {
        vdupq_n_s32(INT32_C(1) << 29), vaddq_n_u32(reversed, (uint32_t)(uintptr_t)z),
        vreinterpretq_u32_s32(ramp(0, (uint32_t)-8)), vreinterpretq_u32_s32(ramp(-4u, -8u))};
    const uint32_t *second = words + LENGTH / 4u;
    const uint32_t *third = words + LENGTH / 2u;
    const uint32_t *fourth = words + 3u * LENGTH / 4u;
    const int32_t *cosine = asc_frontend_cosine;
    const int32_t *sine = asc_frontend_cosine + QUARTER;
    uint32_t group = 0;                  /* in the highest bits */
    uint32_t here = LENGTH / 4u / LANES; /* the count at first, then a byte offset in z */
    /* clang-format off */
    __asm__ volatile(
        "dls lr, %[here]\n"
        "1:\n"
        "vldrw.32 q6, [%[constants]]\n"
        "vld20.32 {q0, q1}, [%[cosine]]\n"
        "vld21.32 {q0, q1}, [%[cosine]]!\n"
        "vshr.s32 q0, q0, #2\n"
        "vshr.s32 q1, q1, #2\n"
        "vsub.i32 q2, q6, q0\n"
        "vsub.i32 q3, q6, q1\n"
        "vadd.i32 q0, q6, q0\n"
        "vadd.i32 q1, q6, q1\n"
        /* q2, q3 = z0; q0, q1 = z1 */
        EVEN("[%[words]]", "q2")
        ODD("[%[words]], #16", "q3")
        EVEN("[%[third]]", "q0")
        ODD("[%[third]], #16", "q1")
        /* q4, q5 = a = z0 + z1; q2, q3 = b = z0 - z1 */
        "vadd.i32 q4, q2, q0\n"
        "vadd.i32 q5, q3, q1\n"
        "vsub.i32 q2, q2, q0\n"
        "vsub.i32 q3, q3, q1\n"
        /* q7 = c.re, q1 = d.re of c = z2 + z3, d = z2 - z3 */
        "vldrw.32 q7, [%[constants], #32]\n"
        "vldrw.32 q0, [%[sine], q7]\n"
        "vshr.s32 q0, q0, #2\n"
        "vadd.i32 q1, q6, q0\n"
        "vsub.i32 q0, q6, q0\n"
        EVEN("[%[second]]", "q1")
        EVEN("[%[fourth]]", "q0")
        "vadd.i32 q7, q1, q0\n"
        "vsub.i32 q1, q1, q0\n"
        "vadd.i32 q0, q4, q7\n"
        "vsub.i32 q4, q4, q7\n"
        "vsub.i32 q7, q3, q1\n"
        "vadd.i32 q3, q3, q1\n"
        "rbit %[here], %[group]\n"
        "add %[group], %[group], %[step]\n"
        "lsl %[here], %[here], #5\n"
        "vldrw.32 q1, [%[constants], #16]\n"
        "vadd.i32 q1, q1, %[here]\n"
        "vstrw.32 q0, [q1]\n"
        "vstrw.32 q4, [q1, #16]\n"
        "vstrw.32 q7, [q1, #12]\n"
        "vstrw.32 q3, [q1, #28]\n"
        /* q7 = c.im, q3 = d.im */
        "vldrw.32 q7, [%[constants], #48]\n"
        "vldrw.32 q0, [%[sine], q7]\n"
        "sub %[sine], %[sine], #32\n"
        "vshr.s32 q0, q0, #2\n"
        "vadd.i32 q3, q6, q0\n"
        "vsub.i32 q0, q6, q0\n"
        ODD("[%[second]], #16", "q3")
        ODD("[%[fourth]], #16", "q0")
        "vadd.i32 q7, q3, q0\n"
        "vsub.i32 q3, q3, q0\n"
        "vadd.i32 q0, q5, q7\n"
        "vsub.i32 q5, q5, q7\n"
        "vadd.i32 q7, q2, q3\n"
        "vsub.i32 q2, q2, q3\n"
        "vstrw.32 q0, [q1, #4]\n"
        "vstrw.32 q5, [q1, #20]\n"
        "vstrw.32 q7, [q1, #8]\n"
        "vstrw.32 q2, [q1, #24]\n"
        "le lr, 1b\n"
        : [words] "+&r"(words), [second] "+&r"(second), [third] "+&r"(third),
          [fourth] "+&r"(fourth), [cosine] "+&r"(cosine), [sine] "+&r"(sine), [group] "+&r"(group),
          [here] "+&r"(here)
        : [shift] "r"(shift + 16u), [step] "r"(LANES << unused_bits), [constants] "r"(&constants)
        : "memory", "lr", "q0", "q1", "q2", "q3", "q4", "q5", "q6", "q7");
    /* clang-format on */
}

#else

/* Four pairs of samples times their windows in Q30. */
static inline quad_t windowed(const asc_sample_pair_t *pairs, uint32_t shift, quad_t window) {
    const quad_t samples = load(pairs);
    const quad_t z = {vrmulhq_s32(vshlq_r_s32(samples.re, (int32_t)shift), window.re),
                      vrmulhq_s32(vshlq_r_s32(samples.im, (int32_t)shift), window.im)};
    return z;
}

/* Stores element `number` of four groups of four. */
static inline void scatter(asc_complex_t *z, uint32_t number, uint32x4_t groups, int32x4_t re,
                           int32x4_t im) {
    vstrwq_scatter_offset_s32(&z[number].re, groups, re);
    vstrwq_scatter_offset_s32(&z[number].im, groups, im);
}

/* Hann window, bit reversal and the first two layers, four groups of four at a time. */
static void first_layers(asc_complex_t *z, const asc_sample_pair_t *pairs, uint32_t shift) {
    const uint32_t unused_bits = asc_leading_zeros(LENGTH / 4u) + 1u;
    const uint32_t half = LENGTH / 2u * sizeof *z;
    const uint32x4_t groups = {0, half, half / 2u, half / 2u * 3u};
    const uint32x4_t sines = vreinterpretq_u32_s32(ramp(0, (uint32_t)-8));
    const int32x4_t middle = vdupq_n_s32(INT32_C(1) << 29);
    for (uint32_t n = 0; n < LENGTH / 4u; n += LANES, pairs += LANES) {
        const int32_t *sine = asc_frontend_cosine + QUARTER - 2u * n;
        const quad_t cosine = load((const asc_complex_t *)(asc_frontend_cosine + 2u * n));
        const quad_t early = {vshrq_n_s32(cosine.re, 2), vshrq_n_s32(cosine.im, 2)};
        const quad_t late = {vshrq_n_s32(vldrwq_gather_offset_s32(sine, sines), 2),
                             vshrq_n_s32(vldrwq_gather_offset_s32(sine - 1, sines), 2)};
        const quad_t w0 = {vsubq_s32(middle, early.re), vsubq_s32(middle, early.im)};
        const quad_t w1 = {vaddq_s32(middle, early.re), vaddq_s32(middle, early.im)};
        const quad_t w2 = {vaddq_s32(middle, late.re), vaddq_s32(middle, late.im)};
        const quad_t w3 = {vsubq_s32(middle, late.re), vsubq_s32(middle, late.im)};
        const quad_t z0 = windowed(pairs, shift, w0);
        const quad_t z1 = windowed(pairs + LENGTH / 2u, shift, w1);
        const quad_t z2 = windowed(pairs + LENGTH / 4u, shift, w2);
        const quad_t z3 = windowed(pairs + 3u * LENGTH / 4u, shift, w3);
        const quad_t a = {vaddq_s32(z0.re, z1.re), vaddq_s32(z0.im, z1.im)};
        const quad_t b = subtract(z0, z1);
        const quad_t c = {vaddq_s32(z2.re, z3.re), vaddq_s32(z2.im, z3.im)};
        const quad_t d = subtract(z2, z3);
        asc_complex_t *group = z + 4u * (asc_reverse_bits(n) >> unused_bits);
        scatter(group, 0, groups, vaddq_s32(a.re, c.re), vaddq_s32(a.im, c.im));
        scatter(group, 1, groups, vaddq_s32(b.re, d.im), vsubq_s32(b.im, d.re));
        scatter(group, 2, groups, vsubq_s32(a.re, c.re), vsubq_s32(a.im, c.im));
        scatter(group, 3, groups, vsubq_s32(b.re, d.im), vaddq_s32(b.im, d.re));
    }
}

#endif

/* Four butterflies of two layers in each block of four spans. Compilers need almost twice the
 * instructions, most of them for spilled registers; here, results that wait lie in z itself. */
static inline void butterflies(asc_complex_t *z, uint32_t span, const turns_t *turns) {
    asc_complex_t *b = z + span;
    asc_complex_t *c = b + span;
    asc_complex_t *d = c + span;
    uint32_t blocks = LENGTH / 4u / span;
    __asm__ volatile("dls lr, %[blocks]\n"
                     "1:\n"
                     /* q2, q3 = a1 = half_turn(a, b); in place of b: b1 = a - a1 */
                     "vld20.32 {q0, q1}, [%[b]]\n"
                     "vld21.32 {q0, q1}, [%[b]]\n"
                     "vldrw.32 q6, [%[turns]]\n"
                     "vldrw.32 q7, [%[turns], #16]\n"
                     "vrmulh.s32 q2, q0, q6\n"
                     "vrmulh.s32 q4, q1, q7\n"
                     "vrmulh.s32 q3, q1, q6\n"
                     "vneg.s32 q0, q0\n"
                     "vrmulh.s32 q5, q0, q7\n"
                     "vld20.32 {q0, q1}, [%[a]]\n"
                     "vld21.32 {q0, q1}, [%[a]]\n"
                     "vadd.i32 q2, q2, q4\n"
                     "vadd.i32 q3, q3, q5\n"
                     "vshr.s32 q4, q0, #1\n"
                     "vshr.s32 q5, q1, #1\n"
                     "vadd.i32 q2, q2, q4\n"
                     "vadd.i32 q3, q3, q5\n"
                     "vsub.i32 q0, q0, q2\n"
                     "vsub.i32 q1, q1, q3\n"
                     "vstrw.32 q0, [%[b]]\n"
                     "vstrw.32 q1, [%[b], #16]\n"
                     /* q1, q4 = c1 = half_turn(c, d); q5 and in place of d: d1 = c - c1 */
                     "vld20.32 {q4, q5}, [%[d]]\n"
                     "vld21.32 {q4, q5}, [%[d]]\n"
                     "vrmulh.s32 q0, q4, q6\n"
                     "vrmulh.s32 q1, q5, q7\n"
                     "vrmulh.s32 q5, q5, q6\n"
                     "vneg.s32 q4, q4\n"
                     "vrmulh.s32 q4, q4, q7\n"
                     "vld20.32 {q6, q7}, [%[c]]\n"
                     "vld21.32 {q6, q7}, [%[c]]\n"
                     "vadd.i32 q1, q0, q1\n"
                     "vadd.i32 q4, q4, q5\n"
                     "vshr.s32 q0, q6, #1\n"
                     "vshr.s32 q5, q7, #1\n"
                     "vadd.i32 q1, q1, q0\n"
                     "vadd.i32 q4, q4, q5\n"
                     "vsub.i32 q5, q6, q1\n"
                     "vsub.i32 q7, q7, q4\n"
                     "vstrw.32 q7, [%[d]]\n"
                     /* q0, q1 = a2 = half_turn(a1, c1); q2, q3 = a1 - a2 */
                     "vldrw.32 q6, [%[turns], #32]\n"
                     "vldrw.32 q7, [%[turns], #48]\n"
                     "vrmulh.s32 q0, q1, q6\n"
                     "vneg.s32 q1, q1\n"
                     "vrmulh.s32 q1, q1, q7\n"
                     "vrmulh.s32 q6, q4, q6\n"
                     "vrmulh.s32 q4, q4, q7\n"
                     "vadd.i32 q1, q1, q6\n"
                     "vadd.i32 q0, q0, q4\n"
                     "vshr.s32 q6, q3, #1\n"
                     "vshr.s32 q4, q2, #1\n"
                     "vadd.i32 q1, q1, q6\n"
                     "vadd.i32 q0, q0, q4\n"
                     "vsub.i32 q3, q3, q1\n"
                     "vsub.i32 q2, q2, q0\n"
                     "vst20.32 {q0, q1}, [%[a]]\n"
                     "vst21.32 {q0, q1}, [%[a]]\n"
                     "vst20.32 {q2, q3}, [%[c]]\n"
                     "vst21.32 {q2, q3}, [%[c]]\n"
                     /* q0, q1 = b2 = half_turn(b1, d1 turned by -i); q2, q3 = b1 - b2 */
                     "vldrw.32 q1, [%[d]]\n"
                     "vldrw.32 q6, [%[turns], #32]\n"
                     "vneg.s32 q5, q5\n"
                     "vrmulh.s32 q0, q5, q7\n"
                     "vrmulh.s32 q4, q1, q6\n"
                     "vrmulh.s32 q5, q5, q6\n"
                     "vneg.s32 q1, q1\n"
                     "vrmulh.s32 q1, q1, q7\n"
                     "vldrw.32 q2, [%[b]]\n"
                     "vldrw.32 q3, [%[b], #16]\n"
                     "vadd.i32 q0, q0, q4\n"
                     "vadd.i32 q1, q1, q5\n"
                     "vshr.s32 q4, q2, #1\n"
                     "vshr.s32 q5, q3, #1\n"
                     "vadd.i32 q0, q0, q4\n"
                     "vadd.i32 q1, q1, q5\n"
                     "vsub.i32 q2, q2, q0\n"
                     "vsub.i32 q3, q3, q1\n"
                     "vst20.32 {q0, q1}, [%[b]]\n"
                     "vst21.32 {q0, q1}, [%[b]]\n"
                     "vst20.32 {q2, q3}, [%[d]]\n"
                     "vst21.32 {q2, q3}, [%[d]]\n"
                     "add %[a], %[a], %[step]\n"
                     "add %[b], %[b], %[step]\n"
                     "add %[c], %[c], %[step]\n"
                     "add %[d], %[d], %[step]\n"
                     "le lr, 1b\n"
                     : [a] "+&r"(z), [b] "+&r"(b), [c] "+&r"(c), [d] "+&r"(d)
                     : [turns] "r"(turns), [step] "r"(4u * span * sizeof *z), [blocks] "r"(blocks)
                     : "memory", "lr", "q0", "q1", "q2", "q3", "q4", "q5", "q6", "q7");
}

/* Two layers, which add elements `span` and 2 `span` apart. */
static void two_layers(asc_complex_t *z, uint32_t span) {
    const uint32_t step = QUARTER / span;
    int32x4_t index = ramp(0, step);
    for (uint32_t k = 0; k < span; k += LANES) {
        const turns_t turns = {twiddle(vaddq_s32(index, index)), turn(index)};
        butterflies(z + k, span, &turns);
        index = vaddq_n_s32(index, (int32_t)(LANES * step));
    }
}

/* The layer that adds elements 4 apart. */
static void one_layer(asc_complex_t *z) {
    const quad_t turn = twiddle(ramp(0, LENGTH / LANES));
    for (uint32_t k = 0; k < LENGTH; k += 2 * LANES) {
        const quad_t a = load(z + k);
        const quad_t half = half_turn(a, load(z + k + LANES), turn);
        store(z + k, half);
        store(z + k + LANES, subtract(a, half));
    }
}

/* Complex transform, scaled by 4 / LENGTH: each layer but the first two halves. */
static void fft(asc_complex_t *z, const asc_sample_pair_t *pairs, uint32_t shift) {
    const uint32_t layers = 31u - asc_leading_zeros(LENGTH);
    uint32_t span = LANES;
    first_layers(z, pairs, shift);
    if (layers % 2u != 0) {
        one_layer(z);
        span *= 2;
    }
    for (; span < LENGTH; span *= 4) {
        two_layers(z, span);
    }
}

/* Sums of two 64-bit numbers each. The carry beyond the lower one, 0 for powers, would enter the
 * upper one. */
static inline int64x2_t add_long(int64x2_t a, int64x2_t b) {
    int64x2_t sum;
    __asm__("vadci.i32 %q0, %q1, %q2" : "=w"(sum) : "w"(a), "w"(b) : "cc");
    return sum;
}

/* Powers of complex numbers 0 and 2, and of 1 and 3. */
typedef struct {
    int64x2_t even;
    int64x2_t odd;
} powers_t;

static inline powers_t squared(quad_t z) {
    const powers_t powers = {add_long(vmullbq_int_s32(z.re, z.re), vmullbq_int_s32(z.im, z.im)),
                             add_long(vmulltq_int_s32(z.re, z.re), vmulltq_int_s32(z.im, z.im))};
    return powers;
}

/* Byte offsets of four neighbours of a number, a turn or a power in steps of the latter two. */
typedef struct {
    uint32x4_t numbers_down;
    uint32x4_t turns_down;
    uint64x2_t powers_up;
    uint64x2_t powers_down;
} neighbors_t;

ASC_FIXED_ASSERT_OFFSET(neighbors_t, numbers_down, 0);
ASC_FIXED_ASSERT_OFFSET(neighbors_t, turns_down, 16);
ASC_FIXED_ASSERT_OFFSET(neighbors_t, powers_up, 32);
ASC_FIXED_ASSERT_OFFSET(neighbors_t, powers_down, 48);

/* From the complex transform to the spectrum of the real samples, in place. */
static void real_power(asc_spectrum_t *spectrum) {
    const neighbors_t offsets = {vreinterpretq_u32_s32(ramp(0, -8u)),
                                 vreinterpretq_u32_s32(ramp(0, -4u)),
                                 {0, 16},
                                 {0, (uint64_t)-16}};
    const neighbors_t *to = &offsets;
    const asc_complex_t middle = spectrum->z[LENGTH / 2u];
    const int64_t offset = (int64_t)spectrum->z[0].re + spectrum->z[0].im;
    const int32_t *cosine = asc_frontend_cosine + 1;
    const int32_t *sine = asc_frontend_cosine + QUARTER - 1;
    asc_complex_t *low = spectrum->z + 1;
    asc_complex_t *high = spectrum->z + LENGTH - 1;
    for (uint32_t k = 0; k < LENGTH / 2u; k += LANES) {
        /* Loading the offsets anew is cheaper than what compilers do to keep them. */
        __asm__ volatile("" : "+r"(to) : : "memory");
        const quad_t turned = {vldrwq_s32(cosine), vldrwq_gather_offset_s32(sine, to->turns_down)};
        const quad_t a = load(low);
        const quad_t b = {vldrwq_gather_offset_s32(&high->re, to->numbers_down),
                          vldrwq_gather_offset_s32(&high->im, to->numbers_down)};
        const quad_t even = {vaddq_s32(a.re, b.re), vsubq_s32(a.im, b.im)};
        const quad_t odd = {vaddq_s32(a.im, b.im), vsubq_s32(b.re, a.re)};
        const quad_t sum = half_turn(even, odd, turned);
        const powers_t rising = squared(sum);
        const powers_t falling = squared(subtract(even, sum));
        vstrdq_scatter_offset_s64((int64_t *)low, to->powers_up, rising.even);
        vstrdq_scatter_offset_s64((int64_t *)(low + 1), to->powers_up, rising.odd);
        vstrdq_scatter_offset_s64((int64_t *)high, to->powers_down, falling.even);
        vstrdq_scatter_offset_s64((int64_t *)(high - 1), to->powers_down, falling.odd);
        cosine += LANES;
        sine -= LANES;
        low += LANES;
        high -= LANES;
    }
    /* The loop's last lane meets itself. */
    spectrum->power[LENGTH / 2u] =
        (uint64_t)((int64_t)middle.re * middle.re + (int64_t)middle.im * middle.im);
    spectrum->power[0] = (uint64_t)(offset * offset);
}

void asc_spectrum_power(asc_spectrum_t *spectrum, const asc_sample_pair_t *pairs, uint32_t shift) {
    fft(spectrum->z, pairs, shift);
    real_power(spectrum);
}

#endif
