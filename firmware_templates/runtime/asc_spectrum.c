/* SPDX-License-Identifier: Apache-2.0
 *
 * Every step has a bit-exact twin of the same name in asc-tiny's Python model.
 */
#include "asc_spectrum.h"

#include "asc_fixed.h"

#define LENGTH ASC_SPECTRUM_LENGTH
#define QUARTER (ASC_FRONTEND_N_FFT / 4u) /* of a turn, in the table of cosines */

typedef asc_frontend_turn_t turn_t;
typedef asc_frontend_twiddle_t twiddle_t;

/* Half of a + b (cosine - i sine). */
static inline asc_complex_t half_turn(asc_complex_t a, asc_complex_t b, turn_t turn) {
    asc_complex_t half = {a.re >> 1, a.im >> 1};
    half.re = asc_add_product(half.re, b.re, turn.cosine);
    half.im = asc_add_product(half.im, b.im, turn.cosine);
    half.re = asc_add_product(half.re, b.im, turn.sine);
    half.im = asc_subtract_product(half.im, b.re, turn.sine);
    return half;
}

/* The same with b turned by -i before. */
static inline asc_complex_t half_turn_back(asc_complex_t a, asc_complex_t b, turn_t turn) {
    asc_complex_t half = {a.re >> 1, a.im >> 1};
    half.re = asc_subtract_product(half.re, b.re, turn.sine);
    half.im = asc_subtract_product(half.im, b.im, turn.sine);
    half.re = asc_add_product(half.re, b.im, turn.cosine);
    half.im = asc_subtract_product(half.im, b.re, turn.cosine);
    return half;
}

static inline asc_complex_t subtract(asc_complex_t a, asc_complex_t b) {
    const asc_complex_t difference = {a.re - b.re, a.im - b.im};
    return difference;
}

#if ASC_HAS_DSP_LOOPS && ASC_FRONTEND_N_FFT <= 2048

/* One word of samples, shifted; the low half goes into RESULT, the high half stays in WORD. */
#define SHIFTED(WORD, RESULT)              \
    "lsl " RESULT ", " WORD ", %[shift]\n" \
    "bfc " WORD ", #0, #16\n"              \
    "lsl " WORD ", " WORD ", %[shift]\n"

static inline void first_butterfly(asc_complex_t *z, const uint32_t *words, const int32_t *cosine,
                                   const int32_t *sine, uint32_t shift) {
    int32_t a_re, a_im, b_re, b_im, c_re, c_im, d_re, d_im;
    sine--;
    __asm__ volatile(
        "ldrd %[c_re], %[c_im], [%[cosine]]\n"
        "ldrd %[sine], %[cosine], [%[sine]]\n"
        /* the window of z0 and z2 */
        "sub %[c_re], %[half], %[c_re], asr #2\n"
        "sub %[c_im], %[half], %[c_im], asr #2\n"
        "add %[cosine], %[half], %[cosine], asr #2\n"
        "add %[sine], %[half], %[sine], asr #2\n"
        /* a = z0 + z1, b = z0 - z1 */
        "ldr %[b_im], [%[words]]\n" SHIFTED(
            "%[b_im]",
            "%[b_re]") "smulwb %[a_re], %[c_re], %[b_re]\n"
                       "smulwt %[a_im], %[c_im], %[b_im]\n"
                       "rsb %[c_re], %[c_re], #0x40000000\n"
                       "rsb %[c_im], %[c_im], #0x40000000\n"
                       "ldr %[b_im], [%[words], %[two]]\n" SHIFTED(
                           "%[b_im]",
                           "%[b_re]") "smulwb %[c_re], %[c_re], %[b_re]\n"
                                      "smulwt %[c_im], %[c_im], %[b_im]\n"
                                      "sub %[b_re], %[a_re], %[c_re]\n"
                                      "add %[a_re], %[a_re], %[c_re]\n"
                                      "sub %[b_im], %[a_im], %[c_im]\n"
                                      "add %[a_im], %[a_im], %[c_im]\n"
                                      /* c = z2 + z3, d = z2 - z3 */
                                      "ldr %[d_im], [%[words], %[one]]\n" SHIFTED(
                                          "%[d_im]",
                                          "%[d_re]") "smulwb %[c_re], %[cosine], %[d_re]\n"
                                                     "smulwt %[c_im], %[sine], %[d_im]\n"
                                                     "rsb %[cosine], %[cosine], #0x40000000\n"
                                                     "rsb %[sine], %[sine], #0x40000000\n"
                                                     "ldr %[d_im], [%[words], %[three]]\n" SHIFTED(
                                                         "%[d_im]",
                                                         "%[d_re]") "smulwb %[cosine], %[cosine], "
                                                                    "%[d_re]\n"
                                                                    "smulwt %[sine], %[sine], "
                                                                    "%[d_im]\n"
                                                                    "sub %[d_re], %[c_re], "
                                                                    "%[cosine]\n"
                                                                    "add %[c_re], %[c_re], "
                                                                    "%[cosine]\n"
                                                                    "sub %[d_im], %[c_im], "
                                                                    "%[sine]\n"
                                                                    "add %[c_im], %[c_im], "
                                                                    "%[sine]\n"
                                                                    "add %[cosine], %[a_re], "
                                                                    "%[c_re]\n"
                                                                    "add %[sine], %[a_im], "
                                                                    "%[c_im]\n"
                                                                    "strd %[cosine], %[sine], "
                                                                    "[%[z]]\n"
                                                                    "sub %[a_re], %[a_re], "
                                                                    "%[c_re]\n"
                                                                    "sub %[a_im], %[a_im], "
                                                                    "%[c_im]\n"
                                                                    "strd %[a_re], %[a_im], [%[z], "
                                                                    "#16]\n"
                                                                    "add %[c_re], %[b_re], "
                                                                    "%[d_im]\n"
                                                                    "sub %[c_im], %[b_im], "
                                                                    "%[d_re]\n"
                                                                    "strd %[c_re], %[c_im], [%[z], "
                                                                    "#8]\n"
                                                                    "sub %[b_re], %[b_re], "
                                                                    "%[d_im]\n"
                                                                    "add %[b_im], %[b_im], "
                                                                    "%[d_re]\n"
                                                                    "strd %[b_re], %[b_im], [%[z], "
                                                                    "#24]\n"
        : [cosine] "+&r"(cosine), [sine] "+&r"(sine), [a_re] "=&r"(a_re), [a_im] "=&r"(a_im),
          [b_re] "=&r"(b_re), [b_im] "=&r"(b_im), [c_re] "=&r"(c_re), [c_im] "=&r"(c_im),
          [d_re] "=&r"(d_re), [d_im] "=&r"(d_im)
        : [z] "r"(z), [words] "r"(words), [shift] "r"(shift), [half] "r"(INT32_C(1) << 29),
          [one] "i"(LENGTH), [two] "i"(2 * LENGTH), [three] "i"(3 * LENGTH)
        : "cc", "memory");
}

#else

/* Two samples times the window in Q30. */
static inline asc_complex_t windowed(uint32_t word, uint32_t shift, int32_t even, int32_t odd) {
    const asc_complex_t z = {asc_multiply_low(even, word << shift),
                             asc_multiply_high(odd, word >> 16 << (16u + shift))};
    return z;
}

/* Hann window and the first two layers of four elements: words, a quarter of a frame apart, and
 * what the window takes from the table of cosines. */
static inline void first_butterfly(asc_complex_t *z, const uint32_t *words, const int32_t *cosine,
                                   const int32_t *sine, uint32_t shift) {
    const int32_t one = INT32_C(1) << 30;
    const int32_t half = one / 2;
    const int32_t w0 = half - (cosine[0] >> 2);
    const int32_t w1 = half - (cosine[1] >> 2);
    const int32_t w2 = half + (sine[0] >> 2);
    const int32_t w3 = half + (sine[-1] >> 2);
    const asc_complex_t z0 = windowed(words[0], shift, w0, w1);
    const asc_complex_t z1 = windowed(words[LENGTH / 2u], shift, one - w0, one - w1);
    const asc_complex_t z2 = windowed(words[LENGTH / 4u], shift, w2, w3);
    const asc_complex_t z3 = windowed(words[3u * LENGTH / 4u], shift, one - w2, one - w3);
    const asc_complex_t a = {z0.re + z1.re, z0.im + z1.im};
    const asc_complex_t b = subtract(z0, z1);
    const asc_complex_t c = {z2.re + z3.re, z2.im + z3.im};
    const asc_complex_t d = subtract(z2, z3);
    z[0].re = a.re + c.re;
    z[0].im = a.im + c.im;
    z[1].re = b.re + d.im;
    z[1].im = b.im - d.re;
    z[2] = subtract(a, c);
    z[3].re = b.re - d.im;
    z[3].im = b.im + d.re;
}

#endif

/* Window, bit reversal and the first two layers, which have no twiddle factors. The window of the
 * two samples that the first layer adds is 1 in all: neither layer can overflow. */
static void first_layers(asc_complex_t *z, const uint32_t *words, uint32_t shift) {
    const uint32_t unused_bits = asc_leading_zeros(LENGTH / 4u) + 1u;
    for (uint32_t group = 0; group < LENGTH / 4u; group++, z += 4) {
        const uint32_t n = asc_reverse_bits(group) >> unused_bits;
        const int32_t *cosine = asc_frontend_cosine + 2 * n;
        const int32_t *sine = asc_frontend_cosine + QUARTER - 2 * n;
        first_butterfly(z, words + n, cosine, sine, shift);
    }
}

#if ASC_HAS_DSP_LOOPS

/* Compilers spill half of the registers here, which doubles the instructions. FORWARD and BACK
 * move z by the span, NEXT to where it goes on after a butterfly, with the twiddle factors. */
#define BUTTERFLIES(FORWARD, BACK, NEXT)                                                        \
    __asm__ volatile(                                                                           \
        "1:\n"                                                                                  \
        "ldrd %[cosine], %[sine], [%[twiddle]]\n"                                               \
        "ldrd %[a_re], %[a_im], [%[z]]" FORWARD                                                 \
        "ldrd %[b_re], %[b_im], [%[z]]" FORWARD /* e = a1 = half_turn(a, b), a = b1 = a - a1 */ \
        "asr %[e_re], %[a_re], #1\n"                                                            \
        "asr %[e_im], %[a_im], #1\n"                                                            \
        "smmlar %[e_re], %[b_re], %[cosine], %[e_re]\n"                                         \
        "smmlar %[e_im], %[b_im], %[cosine], %[e_im]\n"                                         \
        "smmlar %[e_re], %[b_im], %[sine], %[e_re]\n"                                           \
        "smmlsr %[e_im], %[b_re], %[sine], %[e_im]\n"                                           \
        "sub %[a_re], %[a_re], %[e_re]\n"                                                       \
        "sub %[a_im], %[a_im], %[e_im]\n" /* b = c1 = half_turn(c, d), c = d1 = c - c1 */       \
        "ldrd %[c_re], %[c_im], [%[z]]" FORWARD "ldrd %[d_re], %[d_im], [%[z]]\n"               \
        "asr %[b_re], %[c_re], #1\n"                                                            \
        "asr %[b_im], %[c_im], #1\n"                                                            \
        "smmlar %[b_re], %[d_re], %[cosine], %[b_re]\n"                                         \
        "smmlar %[b_im], %[d_im], %[cosine], %[b_im]\n"                                         \
        "smmlar %[b_re], %[d_im], %[sine], %[b_re]\n"                                           \
        "smmlsr %[b_im], %[d_re], %[sine], %[b_im]\n"                                           \
        "sub %[c_re], %[c_re], %[b_re]\n"                                                       \
        "sub %[c_im], %[c_im], %[b_im]\n" /* d = b2 = half_turn_back(b1, d1), a = b1 - b2 */    \
        "ldrd %[cosine], %[sine], [%[twiddle], #8]\n"                                           \
        "asr %[d_re], %[a_re], #1\n"                                                            \
        "asr %[d_im], %[a_im], #1\n"                                                            \
        "smmlsr %[d_re], %[c_re], %[sine], %[d_re]\n"                                           \
        "smmlsr %[d_im], %[c_im], %[sine], %[d_im]\n"                                           \
        "smmlar %[d_re], %[c_im], %[cosine], %[d_re]\n"                                         \
        "smmlsr %[d_im], %[c_re], %[cosine], %[d_im]\n"                                         \
        "sub %[a_re], %[a_re], %[d_re]\n"                                                       \
        "sub %[a_im], %[a_im], %[d_im]\n"                                                       \
        "strd %[a_re], %[a_im], [%[z]]" BACK /* c = a2 = half_turn(a1, c1), e = a1 - a2 */      \
        "asr %[c_re], %[e_re], #1\n"                                                            \
        "asr %[c_im], %[e_im], #1\n"                                                            \
        "smmlar %[c_re], %[b_re], %[cosine], %[c_re]\n"                                         \
        "smmlar %[c_im], %[b_im], %[cosine], %[c_im]\n"                                         \
        "smmlar %[c_re], %[b_im], %[sine], %[c_re]\n"                                           \
        "smmlsr %[c_im], %[b_re], %[sine], %[c_im]\n"                                           \
        "sub %[e_re], %[e_re], %[c_re]\n"                                                       \
        "sub %[e_im], %[e_im], %[c_im]\n"                                                       \
        "ldr %[a_re], %[end]\n"                                                                 \
        "strd %[e_re], %[e_im], [%[z]]" BACK "strd %[d_re], %[d_im], [%[z]]" BACK               \
        "strd %[c_re], %[c_im], [%[z]]" NEXT "cmp %[z], %[a_re]\n"                              \
        "blo 1b\n"                                                                              \
        : [z] "+&r"(z), [twiddle] "+&r"(twiddle), [a_re] "=&r"(a_re), [a_im] "=&r"(a_im),       \
          [b_re] "=&r"(b_re), [b_im] "=&r"(b_im), [c_re] "=&r"(c_re), [c_im] "=&r"(c_im),       \
          [d_re] "=&r"(d_re), [d_im] "=&r"(d_im), [e_re] "=&r"(e_re), [e_im] "=&r"(e_im),       \
          [cosine] "=&r"(cosine), [sine] "=&r"(sine)                                            \
        : [end] "m"(end)                                                                        \
        : "cc", "memory")

/* Few bytes fit the offset of a load or store, where they cost nothing. */
#define OFFSET(BYTES) ", #" #BYTES "\n"
#define ADD(BYTES) "\nadd %[z], %[z], #" #BYTES "\n"
#define SUBTRACT(BYTES) "\nsub %[z], %[z], #" #BYTES "\n"
#define NEXT_TWIDDLE ", #8\nadd %[twiddle], %[twiddle], #16\n"

static inline void butterflies(asc_complex_t *z, uint32_t span, const twiddle_t *twiddle) {
    const asc_complex_t *end = z + LENGTH;
    int32_t a_re, a_im, b_re, b_im, c_re, c_im, d_re, d_im, e_re, e_im, cosine, sine;
    if (span == 4) {
        BUTTERFLIES(OFFSET(32), OFFSET(-32), OFFSET(128));
    } else if (span == 8) {
        BUTTERFLIES(OFFSET(64), OFFSET(-64), OFFSET(256));
    } else if (span == 16) {
        BUTTERFLIES(OFFSET(128), OFFSET(-128), OFFSET(512));
    } else if (span == 32) {
        BUTTERFLIES(OFFSET(256), OFFSET(-256), ADD(1024));
    } else if (span == 64) {
        BUTTERFLIES(OFFSET(512), OFFSET(-512), ADD(2048));
    } else {
        BUTTERFLIES(ADD(1024), SUBTRACT(1024), ADD(4096));
    }
}

static inline void last_butterflies(asc_complex_t *z) {
    const twiddle_t *twiddle = asc_frontend_twiddle;
    const asc_complex_t *end = z + LENGTH / 4u;
    int32_t a_re, a_im, b_re, b_im, c_re, c_im, d_re, d_im, e_re, e_im, cosine, sine;
    if (LENGTH == 128) {
        BUTTERFLIES(OFFSET(256), OFFSET(-256), NEXT_TWIDDLE);
    } else if (LENGTH == 256) {
        BUTTERFLIES(OFFSET(512), OFFSET(-512), NEXT_TWIDDLE);
    } else if (LENGTH == 512) {
        BUTTERFLIES(ADD(1024), SUBTRACT(1024), NEXT_TWIDDLE);
    } else if (LENGTH == 1024) {
        BUTTERFLIES(ADD(2048), SUBTRACT(2048), NEXT_TWIDDLE);
    } else {
        BUTTERFLIES(ADD(4096), SUBTRACT(4096), NEXT_TWIDDLE);
    }
}

#else

static inline void butterfly(asc_complex_t *z, uint32_t span, const twiddle_t *twiddle) {
    const asc_complex_t a = z[0];
    const asc_complex_t c = z[2 * span];
    const asc_complex_t a1 = half_turn(a, z[span], twiddle->first);
    const asc_complex_t b1 = subtract(a, a1);
    const asc_complex_t c1 = half_turn(c, z[3 * span], twiddle->first);
    const asc_complex_t d1 = subtract(c, c1);
    const asc_complex_t a2 = half_turn(a1, c1, twiddle->second);
    const asc_complex_t b2 = half_turn_back(b1, d1, twiddle->second);
    z[0] = a2;
    z[span] = b2;
    z[2 * span] = subtract(a1, a2);
    z[3 * span] = subtract(b1, b2);
}

static inline void butterflies(asc_complex_t *z, uint32_t span, const twiddle_t *twiddle) {
    for (uint32_t k = 0; k < LENGTH; k += 4 * span) {
        butterfly(z + k, span, twiddle);
    }
}

static inline void last_butterflies(asc_complex_t *z) {
    for (uint32_t j = 0; j < LENGTH / 4u; j++) {
        butterfly(z + j, LENGTH / 4u, &asc_frontend_twiddle[j]);
    }
}

#endif

/* Two layers, which add elements `span` and 2 `span` apart. */
static inline void two_layers(asc_complex_t *z, uint32_t span) {
    for (uint32_t j = 0; j < span; j++) {
        butterflies(z + j, span, asc_frontend_twiddle + j * (LENGTH / 4u / span));
    }
}

/* One layer, which adds elements 4 apart. */
static void one_layer(asc_complex_t *z) {
    for (uint32_t k = 0; k < LENGTH; k += 8) {
        for (uint32_t j = 0; j < 4; j++) {
            asc_complex_t *a = z + k + j;
            const asc_complex_t half =
                half_turn(a[0], a[4], asc_frontend_twiddle[j * (LENGTH / 16u)].first);
            a[4] = subtract(a[0], half);
            a[0] = half;
        }
    }
}

/* Complex transform, scaled by 4 / LENGTH: each layer but the first two halves. */
static void fft(asc_complex_t *z, const uint32_t *words, uint32_t shift) {
    first_layers(z, words, shift);
    if (LENGTH == 128 || LENGTH == 512 || LENGTH == 2048) {
        one_layer(z);
        two_layers(z, 8);
        if (LENGTH > 128) {
            two_layers(z, 32);
        }
        if (LENGTH > 512) {
            two_layers(z, 128);
        }
    } else {
        two_layers(z, 4);
        two_layers(z, 16);
        if (LENGTH > 256) {
            two_layers(z, 64);
        }
    }
    last_butterflies(z);
}

static inline uint64_t squared(asc_complex_t z) {
    return (uint64_t)((int64_t)z.re * z.re + (int64_t)z.im * z.im);
}

#if ASC_HAS_DSP_LOOPS

static inline void power_of_pairs(asc_spectrum_t *spectrum) {
    asc_complex_t *low = spectrum->z + 1;
    asc_complex_t *high = spectrum->z + LENGTH - 1;
    const int32_t *cosines = asc_frontend_cosine;
    const int32_t *sines = asc_frontend_cosine + QUARTER;
    int32_t a, b, c, d, even_re, even_im, cosine, sine;
    __asm__ volatile(
        "1:\n"
        "ldrd %[a], %[b], [%[low]]\n"
        "ldrd %[c], %[d], [%[high]]\n"
        "ldr %[cosine], [%[cosines], #4]!\n"
        "ldr %[sine], [%[sines], #-4]!\n"
        /* d + i c = odd */
        "add %[even_re], %[a], %[c]\n"
        "sub %[c], %[c], %[a]\n"
        "sub %[even_im], %[b], %[d]\n"
        "add %[d], %[b], %[d]\n"
        /* a + i b = half_turn(even, odd) */
        "asr %[a], %[even_re], #1\n"
        "asr %[b], %[even_im], #1\n"
        "smmlar %[a], %[d], %[cosine], %[a]\n"
        "smmlar %[b], %[c], %[cosine], %[b]\n"
        "smmlar %[a], %[c], %[sine], %[a]\n"
        "smmlsr %[b], %[d], %[sine], %[b]\n"
        "sub %[even_re], %[even_re], %[a]\n"
        "sub %[even_im], %[even_im], %[b]\n"
        "smull %[c], %[d], %[a], %[a]\n"
        "smlal %[c], %[d], %[b], %[b]\n"
        "strd %[c], %[d], [%[low]], #8\n"
        "smull %[c], %[d], %[even_re], %[even_re]\n"
        "smlal %[c], %[d], %[even_im], %[even_im]\n"
        "strd %[c], %[d], [%[high]], #-8\n"
        "cmp %[low], %[high]\n"
        "blo 1b\n"
        : [low] "+&r"(low), [high] "+&r"(high), [cosines] "+&r"(cosines), [sines] "+&r"(sines),
          [a] "=&r"(a), [b] "=&r"(b), [c] "=&r"(c), [d] "=&r"(d), [even_re] "=&r"(even_re),
          [even_im] "=&r"(even_im), [cosine] "=&r"(cosine), [sine] "=&r"(sine)
        :
        : "cc", "memory");
}

#else

static inline void power_of_pairs(asc_spectrum_t *spectrum) {
    const asc_complex_t *z = spectrum->z;
    for (uint32_t k = 1; k < LENGTH / 2u; k++) {
        const turn_t turn = {asc_frontend_cosine[k], asc_frontend_cosine[QUARTER - k]};
        const asc_complex_t low = z[k];
        const asc_complex_t high = z[LENGTH - k];
        const asc_complex_t even = {low.re + high.re, low.im - high.im};
        const asc_complex_t odd = {low.im + high.im, high.re - low.re};
        const asc_complex_t sum = half_turn(even, odd, turn);
        spectrum->power[k] = squared(sum);
        spectrum->power[LENGTH - k] = squared(subtract(even, sum));
    }
}

#endif

/* From the complex transform to the spectrum of the real samples, in place. No sum overflows: only
 * bins 0 and LENGTH / 2 can have more than 0.71 of the samples' sum. */
static void real_power(asc_spectrum_t *spectrum) {
    const asc_complex_t *z = spectrum->z;
    const int64_t offset = (int64_t)z[0].re + z[0].im;
    spectrum->power[0] = (uint64_t)(offset * offset);
    spectrum->power[LENGTH / 2u] = squared(z[LENGTH / 2u]);
    power_of_pairs(spectrum);
}

void asc_spectrum_power(asc_spectrum_t *spectrum, const uint32_t *words, uint32_t shift) {
    fft(spectrum->z, words, shift);
    real_power(spectrum);
}
