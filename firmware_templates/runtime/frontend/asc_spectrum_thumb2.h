/* SPDX-License-Identifier: Apache-2.0
 *
 * Loops of asc_spectrum.c for Cortex-M3 and larger cores, where compilers spill half of the
 * registers. The portable loops there say what they compute; the bits are the same.
 */
#ifndef ASC_SPECTRUM_THUMB2_H
#define ASC_SPECTRUM_THUMB2_H

#include "asc_fixed.h"
#include "asc_spectrum.h"

/* The assembly below reads these by their offsets. */
ASC_FIXED_ASSERT_OFFSET(asc_complex_t, re, 0);
ASC_FIXED_ASSERT_OFFSET(asc_complex_t, im, 4);
ASC_FIXED_ASSERT_SIZE(asc_complex_t, 8);
ASC_FIXED_ASSERT_OFFSET(asc_frontend_turn_t, cosine, 0);
ASC_FIXED_ASSERT_OFFSET(asc_frontend_turn_t, sine, 4);
ASC_FIXED_ASSERT_SIZE(asc_frontend_turn_t, 8);
ASC_FIXED_ASSERT_OFFSET(asc_frontend_twiddle_t, first, 0);
ASC_FIXED_ASSERT_OFFSET(asc_frontend_twiddle_t, second, 8);
ASC_FIXED_ASSERT_SIZE(asc_frontend_twiddle_t, 16);

/* clang-format off */

#define LENGTH ASC_SPECTRUM_LENGTH

#if ASC_HAS_DSP

/* SUM + X Y / 2^32, rounded. */
#define ADD_PRODUCT(SUM, X, Y) "smmlar %[" SUM "], %[" X "], %[" Y "], %[" SUM "]\n"
/* The same with -Y, which NEGATE makes where there is no such instruction. */
#define SUBTRACT_PRODUCT(SUM, X, Y) "smmlsr %[" SUM "], %[" X "], %[" Y "], %[" SUM "]\n"
#define NEGATE(X)
/* RESULT = WEIGHT times the low or high half of WORD, / 2^16, rounded down; WORD may be changed. */
#define MULTIPLY_LOW(RESULT, WEIGHT, WORD) "smulwb %[" RESULT "], %[" WEIGHT "], %[" WORD "]\n"
#define MULTIPLY_HIGH(RESULT, WEIGHT, WORD) "smulwt %[" RESULT "], %[" WEIGHT "], %[" WORD "]\n"
#define LOW_HALF(WORD)

#define TWIDDLE_OPERAND(POINTER) [twiddle] "+&r"(POINTER), [rest] "=X"(rest)
#define LOAD_TWIDDLE(OFFSET) "ldrd %[cosine], %[sine], [%[twiddle], " OFFSET "]\n"
#define ADVANCE_TWIDDLE "add %[twiddle], %[twiddle], #16\n"

#else

#define ADD_PRODUCT(SUM, X, Y) \
    "mov %[rest], #0x80000000\n" \
    "smlal %[rest], %[" SUM "], %[" X "], %[" Y "]\n"
#define SUBTRACT_PRODUCT(SUM, X, Y) ADD_PRODUCT(SUM, X, Y)
#define NEGATE(X) "rsb %[" X "], %[" X "], #0\n"
#define MULTIPLY_LOW(RESULT, WEIGHT, WORD) MULTIPLY_HIGH(RESULT, WEIGHT, WORD)
#define MULTIPLY_HIGH(RESULT, WEIGHT, WORD) \
    "smull %[" WORD "], %[" RESULT "], %[" WEIGHT "], %[" WORD "]\n"
#define LOW_HALF(WORD) "lsl %[" WORD "], %[" WORD "], #16\n"

/* A product's lower word takes a register, which the pointer must leave. */
#define TWIDDLE_OPERAND(POINTER) [twiddle] "+m"(POINTER), [rest] "=&r"(rest)
#define LOAD_TWIDDLE(OFFSET) \
    "ldr %[rest], %[twiddle]\n" \
    "ldrd %[cosine], %[sine], [%[rest], " OFFSET "]\n"
#define ADVANCE_TWIDDLE \
    "ldr %[rest], %[twiddle]\n" \
    "add %[rest], %[rest], #16\n" \
    "str %[rest], %[twiddle]\n"

#endif

#if ASC_FRONTEND_SAMPLE_BITS == 16

/* Loads a word of two samples, shifted: one in the low half of EVEN, one in the high half of ODD. */
#define SHIFTED(EVEN, ODD, OFFSET) \
    "ldr %[" ODD "], [%[words], " OFFSET "]\n" \
    "lsl %[" EVEN "], %[" ODD "], %[shift]\n" \
    LOW_HALF(EVEN) \
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
        MULTIPLY_LOW("a_re", "c_re", "b_re")
        MULTIPLY_HIGH("a_im", "c_im", "b_im")
        "rsb %[c_re], %[c_re], #0x40000000\n"
        "rsb %[c_im], %[c_im], #0x40000000\n"
        SHIFTED("b_re", "b_im", "%[two]")
        MULTIPLY_LOW("c_re", "c_re", "b_re")
        MULTIPLY_HIGH("c_im", "c_im", "b_im")
        "sub %[b_re], %[a_re], %[c_re]\n"
        "add %[a_re], %[a_re], %[c_re]\n"
        "sub %[b_im], %[a_im], %[c_im]\n"
        "add %[a_im], %[a_im], %[c_im]\n"
        /* c = z2 + z3, d = z2 - z3 */
        SHIFTED("d_re", "d_im", "%[one]")
        MULTIPLY_LOW("c_re", "cosine", "d_re")
        MULTIPLY_HIGH("c_im", "sine", "d_im")
        "rsb %[cosine], %[cosine], #0x40000000\n"
        "rsb %[sine], %[sine], #0x40000000\n"
        SHIFTED("d_re", "d_im", "%[three]")
        MULTIPLY_LOW("cosine", "cosine", "d_re")
        MULTIPLY_HIGH("sine", "sine", "d_im")
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
        LOAD_TWIDDLE("#0") \
        "ldrd %[a_re], %[a_im], [%[z]]" FORWARD \
        "ldrd %[b_re], %[b_im], [%[z]]" FORWARD \
        /* e = a1 = half_turn(a, b), a = b1 = a - a1 */ \
        "asr %[e_re], %[a_re], #1\n" \
        "asr %[e_im], %[a_im], #1\n" \
        ADD_PRODUCT("e_re", "b_re", "cosine") \
        ADD_PRODUCT("e_im", "b_im", "cosine") \
        ADD_PRODUCT("e_re", "b_im", "sine") \
        NEGATE("sine") \
        SUBTRACT_PRODUCT("e_im", "b_re", "sine") \
        "sub %[a_re], %[a_re], %[e_re]\n" \
        "sub %[a_im], %[a_im], %[e_im]\n" \
        /* b = c1 = half_turn(c, d), c = d1 = c - c1 */ \
        "ldrd %[c_re], %[c_im], [%[z]]" FORWARD \
        "ldrd %[d_re], %[d_im], [%[z]]\n" \
        "asr %[b_re], %[c_re], #1\n" \
        "asr %[b_im], %[c_im], #1\n" \
        ADD_PRODUCT("b_re", "d_re", "cosine") \
        ADD_PRODUCT("b_im", "d_im", "cosine") \
        SUBTRACT_PRODUCT("b_im", "d_re", "sine") \
        NEGATE("sine") \
        ADD_PRODUCT("b_re", "d_im", "sine") \
        "sub %[c_re], %[c_re], %[b_re]\n" \
        "sub %[c_im], %[c_im], %[b_im]\n" \
        /* d = b2 = half_turn_back(b1, d1), a = b1 - b2 */ \
        LOAD_TWIDDLE("#8") \
        "asr %[d_re], %[a_re], #1\n" \
        "asr %[d_im], %[a_im], #1\n" \
        ADD_PRODUCT("d_re", "c_im", "cosine") \
        NEGATE("sine") \
        SUBTRACT_PRODUCT("d_re", "c_re", "sine") \
        SUBTRACT_PRODUCT("d_im", "c_im", "sine") \
        NEGATE("cosine") \
        SUBTRACT_PRODUCT("d_im", "c_re", "cosine") \
        "sub %[a_re], %[a_re], %[d_re]\n" \
        "sub %[a_im], %[a_im], %[d_im]\n" \
        "strd %[a_re], %[a_im], [%[z]]" BACK \
        /* c = a2 = half_turn(a1, c1), e = a1 - a2 */ \
        "asr %[c_re], %[e_re], #1\n" \
        "asr %[c_im], %[e_im], #1\n" \
        SUBTRACT_PRODUCT("c_im", "b_re", "sine") \
        NEGATE("cosine") \
        NEGATE("sine") \
        ADD_PRODUCT("c_re", "b_re", "cosine") \
        ADD_PRODUCT("c_im", "b_im", "cosine") \
        ADD_PRODUCT("c_re", "b_im", "sine") \
        "sub %[e_re], %[e_re], %[c_re]\n" \
        "sub %[e_im], %[e_im], %[c_im]\n" \
        "ldr %[a_re], %[end]\n" \
        "strd %[e_re], %[e_im], [%[z]]" BACK \
        "strd %[d_re], %[d_im], [%[z]]" BACK \
        "strd %[c_re], %[c_im], [%[z]]" NEXT \
        "cmp %[z], %[a_re]\n" \
        "blo 1b\n" \
        : [z] "+&r"(z), TWIDDLE_OPERAND(twiddle), [a_re] "=&r"(a_re), [a_im] "=&r"(a_im), \
          [b_re] "=&r"(b_re), [b_im] "=&r"(b_im), [c_re] "=&r"(c_re), [c_im] "=&r"(c_im), \
          [d_re] "=&r"(d_re), [d_im] "=&r"(d_im), [e_re] "=&r"(e_re), [e_im] "=&r"(e_im), \
          [cosine] "=&r"(cosine), [sine] "=&r"(sine) \
        : [end] "m"(end) \
        : "cc", "memory")

/* Few bytes fit the offset of a load or store, where they cost nothing. */
#define OFFSET(BYTES) ", #" #BYTES "\n"
#define ADD(BYTES) "\nadd %[z], %[z], #" #BYTES "\n"
#define SUBTRACT(BYTES) "\nsub %[z], %[z], #" #BYTES "\n"
#define NEXT_TWIDDLE ", #8\n" ADVANCE_TWIDDLE

static inline void butterflies(asc_complex_t *z, uint32_t span, const asc_frontend_twiddle_t *twiddle) {
    const asc_complex_t *end = z + LENGTH;
    int32_t a_re, a_im, b_re, b_im, c_re, c_im, d_re, d_im, e_re, e_im, cosine, sine, rest;
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
    int32_t a_re, a_im, b_re, b_im, c_re, c_im, d_re, d_im, e_re, e_im, cosine, sine, rest;
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
    int32_t a, b, c, d, even_re, even_im, cosine, sine, rest;
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
        ADD_PRODUCT("a", "d", "cosine")
        ADD_PRODUCT("b", "c", "cosine")
        ADD_PRODUCT("a", "c", "sine")
        NEGATE("sine")
        SUBTRACT_PRODUCT("b", "d", "sine")
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
          [even_im] "=&r"(even_im), [cosine] "=&r"(cosine), [sine] "=&r"(sine), [rest] "=&r"(rest)
        :
        : "cc", "memory");
}

/* clang-format on */

#endif
