/* SPDX-License-Identifier: Apache-2.0
 *
 * Loops of asc_spectrum.c for cores with the DSP extension, where compilers spill half of the
 * registers. The portable loops there say what they compute; the bits are the same.
 */
#ifndef ASC_SPECTRUM_DSP_H
#define ASC_SPECTRUM_DSP_H

#include "asc_fixed.h"
#include "asc_spectrum.h"

/* clang-format off */

#define LENGTH ASC_SPECTRUM_LENGTH

#if ASC_FRONTEND_SAMPLE_BITS == 16

/* Loads a word of two samples, shifted: one in the low half of EVEN, one in the high half of ODD. */
#define SHIFTED(EVEN, ODD, OFFSET) \
    "ldr %[" ODD "], [%[words], " OFFSET "]\n" \
    "lsl %[" EVEN "], %[" ODD "], %[shift]\n" \
    "bfc %[" ODD "], #0, #16\n" \
    "lsl %[" ODD "], %[" ODD "], %[shift]\n"

/* Hann window and the first two layers of four elements: words, a quarter of a frame apart, and
 * what the window takes from the table of cosines. */
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
        SHIFTED("b_re", "b_im", "#0")
        "smulwb %[a_re], %[c_re], %[b_re]\n"
        "smulwt %[a_im], %[c_im], %[b_im]\n"
        "rsb %[c_re], %[c_re], #0x40000000\n"
        "rsb %[c_im], %[c_im], #0x40000000\n"
        SHIFTED("b_re", "b_im", "%[two]")
        "smulwb %[c_re], %[c_re], %[b_re]\n"
        "smulwt %[c_im], %[c_im], %[b_im]\n"
        "sub %[b_re], %[a_re], %[c_re]\n"
        "add %[a_re], %[a_re], %[c_re]\n"
        "sub %[b_im], %[a_im], %[c_im]\n"
        "add %[a_im], %[a_im], %[c_im]\n"
        /* c = z2 + z3, d = z2 - z3 */
        SHIFTED("d_re", "d_im", "%[one]")
        "smulwb %[c_re], %[cosine], %[d_re]\n"
        "smulwt %[c_im], %[sine], %[d_im]\n"
        "rsb %[cosine], %[cosine], #0x40000000\n"
        "rsb %[sine], %[sine], #0x40000000\n"
        SHIFTED("d_re", "d_im", "%[three]")
        "smulwb %[cosine], %[cosine], %[d_re]\n"
        "smulwt %[sine], %[sine], %[d_im]\n"
        "sub %[d_re], %[c_re], %[cosine]\n"
        "add %[c_re], %[c_re], %[cosine]\n"
        "sub %[d_im], %[c_im], %[sine]\n"
        "add %[c_im], %[c_im], %[sine]\n"
        "add %[cosine], %[a_re], %[c_re]\n"
        "add %[sine], %[a_im], %[c_im]\n"
        "strd %[cosine], %[sine], [%[z]]\n"
        "sub %[a_re], %[a_re], %[c_re]\n"
        "sub %[a_im], %[a_im], %[c_im]\n"
        "strd %[a_re], %[a_im], [%[z], #16]\n"
        "add %[c_re], %[b_re], %[d_im]\n"
        "sub %[c_im], %[b_im], %[d_re]\n"
        "strd %[c_re], %[c_im], [%[z], #8]\n"
        "sub %[b_re], %[b_re], %[d_im]\n"
        "add %[b_im], %[b_im], %[d_re]\n"
        "strd %[b_re], %[b_im], [%[z], #24]\n"
        : [cosine] "+&r"(cosine), [sine] "+&r"(sine), [a_re] "=&r"(a_re), [a_im] "=&r"(a_im),
          [b_re] "=&r"(b_re), [b_im] "=&r"(b_im), [c_re] "=&r"(c_re), [c_im] "=&r"(c_im),
          [d_re] "=&r"(d_re), [d_im] "=&r"(d_im)
        : [z] "r"(z), [words] "r"(words), [shift] "r"(shift), [half] "r"(INT32_C(1) << 29),
          [one] "i"(LENGTH), [two] "i"(2 * LENGTH), [three] "i"(3 * LENGTH)
        : "cc", "memory");
}

#endif

/* Butterflies up to `end`. FORWARD and BACK move z by the span, NEXT to where it goes on after a
 * butterfly, and the twiddle factors where they change. */
#define BUTTERFLIES(FORWARD, BACK, NEXT) \
    __asm__ volatile( \
        "1:\n" \
        "ldrd %[cosine], %[sine], [%[twiddle]]\n" \
        "ldrd %[a_re], %[a_im], [%[z]]" FORWARD \
        "ldrd %[b_re], %[b_im], [%[z]]" FORWARD \
        /* e = a1 = half_turn(a, b), a = b1 = a - a1 */ \
        "asr %[e_re], %[a_re], #1\n" \
        "asr %[e_im], %[a_im], #1\n" \
        "smmlar %[e_re], %[b_re], %[cosine], %[e_re]\n" \
        "smmlar %[e_im], %[b_im], %[cosine], %[e_im]\n" \
        "smmlar %[e_re], %[b_im], %[sine], %[e_re]\n" \
        "smmlsr %[e_im], %[b_re], %[sine], %[e_im]\n" \
        "sub %[a_re], %[a_re], %[e_re]\n" \
        "sub %[a_im], %[a_im], %[e_im]\n" \
        /* b = c1 = half_turn(c, d), c = d1 = c - c1 */ \
        "ldrd %[c_re], %[c_im], [%[z]]" FORWARD \
        "ldrd %[d_re], %[d_im], [%[z]]\n" \
        "asr %[b_re], %[c_re], #1\n" \
        "asr %[b_im], %[c_im], #1\n" \
        "smmlar %[b_re], %[d_re], %[cosine], %[b_re]\n" \
        "smmlar %[b_im], %[d_im], %[cosine], %[b_im]\n" \
        "smmlar %[b_re], %[d_im], %[sine], %[b_re]\n" \
        "smmlsr %[b_im], %[d_re], %[sine], %[b_im]\n" \
        "sub %[c_re], %[c_re], %[b_re]\n" \
        "sub %[c_im], %[c_im], %[b_im]\n" \
        /* d = b2 = half_turn_back(b1, d1), a = b1 - b2 */ \
        "ldrd %[cosine], %[sine], [%[twiddle], #8]\n" \
        "asr %[d_re], %[a_re], #1\n" \
        "asr %[d_im], %[a_im], #1\n" \
        "smmlsr %[d_re], %[c_re], %[sine], %[d_re]\n" \
        "smmlsr %[d_im], %[c_im], %[sine], %[d_im]\n" \
        "smmlar %[d_re], %[c_im], %[cosine], %[d_re]\n" \
        "smmlsr %[d_im], %[c_re], %[cosine], %[d_im]\n" \
        "sub %[a_re], %[a_re], %[d_re]\n" \
        "sub %[a_im], %[a_im], %[d_im]\n" \
        "strd %[a_re], %[a_im], [%[z]]" BACK \
        /* c = a2 = half_turn(a1, c1), e = a1 - a2 */ \
        "asr %[c_re], %[e_re], #1\n" \
        "asr %[c_im], %[e_im], #1\n" \
        "smmlar %[c_re], %[b_re], %[cosine], %[c_re]\n" \
        "smmlar %[c_im], %[b_im], %[cosine], %[c_im]\n" \
        "smmlar %[c_re], %[b_im], %[sine], %[c_re]\n" \
        "smmlsr %[c_im], %[b_re], %[sine], %[c_im]\n" \
        "sub %[e_re], %[e_re], %[c_re]\n" \
        "sub %[e_im], %[e_im], %[c_im]\n" \
        "ldr %[a_re], %[end]\n" \
        "strd %[e_re], %[e_im], [%[z]]" BACK \
        "strd %[d_re], %[d_im], [%[z]]" BACK \
        "strd %[c_re], %[c_im], [%[z]]" NEXT \
        "cmp %[z], %[a_re]\n" \
        "blo 1b\n" \
        : [z] "+&r"(z), [twiddle] "+&r"(twiddle), [a_re] "=&r"(a_re), [a_im] "=&r"(a_im), \
          [b_re] "=&r"(b_re), [b_im] "=&r"(b_im), [c_re] "=&r"(c_re), [c_im] "=&r"(c_im), \
          [d_re] "=&r"(d_re), [d_im] "=&r"(d_im), [e_re] "=&r"(e_re), [e_im] "=&r"(e_im), \
          [cosine] "=&r"(cosine), [sine] "=&r"(sine) \
        : [end] "m"(end) \
        : "cc", "memory")

/* Few bytes fit the offset of a load or store, where they cost nothing. */
#define OFFSET(BYTES) ", #" #BYTES "\n"
#define ADD(BYTES) "\nadd %[z], %[z], #" #BYTES "\n"
#define SUBTRACT(BYTES) "\nsub %[z], %[z], #" #BYTES "\n"
#define NEXT_TWIDDLE ", #8\nadd %[twiddle], %[twiddle], #16\n"

static inline void butterflies(asc_complex_t *z, uint32_t span, const asc_frontend_twiddle_t *twiddle) {
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
    } else {
        BUTTERFLIES(OFFSET(512), OFFSET(-512), ADD(2048));
    }
}

static inline void last_butterflies(asc_complex_t *z) {
    const asc_frontend_twiddle_t *twiddle = asc_frontend_twiddle;
    const asc_complex_t *end = z + LENGTH / 4u;
    int32_t a_re, a_im, b_re, b_im, c_re, c_im, d_re, d_im, e_re, e_im, cosine, sine;
    if (LENGTH == 128) {
        BUTTERFLIES(OFFSET(256), OFFSET(-256), NEXT_TWIDDLE);
    } else if (LENGTH == 256) {
        BUTTERFLIES(OFFSET(512), OFFSET(-512), NEXT_TWIDDLE);
    } else if (LENGTH == 512) {
        BUTTERFLIES(ADD(1024), SUBTRACT(1024), NEXT_TWIDDLE);
    } else {
        BUTTERFLIES(ADD(2048), SUBTRACT(2048), NEXT_TWIDDLE);
    }
}

static inline void power_of_pairs(asc_spectrum_t *spectrum) {
    asc_complex_t *low = spectrum->z + 1;
    asc_complex_t *high = spectrum->z + LENGTH - 1;
    const int32_t *cosines = asc_frontend_cosine;
    const int32_t *sines = asc_frontend_cosine + ASC_FRONTEND_N_FFT / 4u;
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

/* clang-format on */

#endif
