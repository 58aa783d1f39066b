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

#define COMPARE_STACK \
    "ldr %[a_re], %[end]\n" \
    "cmp %[z], %[a_re]\n"

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

#define REST

#define COMPARE_END "cmp %[z], %[end]\n"
#define END_OPERAND "r"

/* Twiddle factors that change: the pointer follows them. */
#define TWIDDLE_OPERAND "+&r"
#define NEXT_TURN "ldrd %[cosine], %[sine], [%[twiddle]], #8\n"

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

/* A product's lower word takes a register, which the pointers must leave. */
#define REST , [rest] "=&r"(rest)

#define COMPARE_END COMPARE_STACK
#define END_OPERAND "m"

#define TWIDDLE_OPERAND "+m"
#define NEXT_TURN \
    "ldr %[rest], %[twiddle]\n" \
    "ldrd %[cosine], %[sine], [%[rest]], #8\n" \
    "str %[rest], %[twiddle]\n"

#endif

#if ASC_FRONTEND_SAMPLE_BITS == 16 && ASC_HAS_DSP

/* What two words, HALF a frame apart, are after the window and the first layer. Loads what the window
 * takes from a table of cosines and the words, the one in front last. The cosine of the sample in
 * front is less than half of the window by FRONT, add or sub, and that of the other more by OTHER. */
#define FIRST_LAYER(TABLE, OTHER_WORD, OTHER, FRONT_WORD, FRONT, S_RE, S_IM, D_RE, D_IM) \
    "ldr %[t], %[half]\n" \
    OTHER_WORD \
    TABLE \
    OTHER " %[" D_RE "], %[t], %[" S_RE "], asr #2\n" \
    FRONT " %[" S_RE "], %[t], %[" S_RE "], asr #2\n" \
    OTHER " %[" D_IM "], %[t], %[" S_IM "], asr #2\n" \
    FRONT " %[" S_IM "], %[t], %[" S_IM "], asr #2\n" \
    "smulbb %[t], %[u], %[scale]\n" \
    "smulwb %[" D_RE "], %[" D_RE "], %[t]\n" \
    "smultb %[u], %[u], %[scale]\n" \
    "smulwb %[" D_IM "], %[" D_IM "], %[u]\n" \
    FRONT_WORD \
    "smulbb %[t], %[u], %[scale]\n" \
    "smlawb %[" S_RE "], %[" S_RE "], %[t], %[" D_RE "]\n" \
    "sub %[" D_RE "], %[" S_RE "], %[" D_RE "], lsl #1\n" \
    "smultb %[u], %[u], %[scale]\n" \
    "smlawb %[" S_IM "], %[" S_IM "], %[u], %[" D_IM "]\n" \
    "sub %[" D_IM "], %[" S_IM "], %[" D_IM "], lsl #1\n"

/* Hann window, bit reversal and the first two layers. Products take the lower half of `scale`, which
 * shifts samples. The upper one counts groups of four elements: reversed, the count is the group's
 * bytes from `below` on, of which the ones above the count add up to 31. */
static inline void first_layers(asc_complex_t *z, const asc_sample_pair_t *words, uint32_t shift) {
    const int32_t *cosine = asc_frontend_cosine;
    const int32_t *sine = asc_frontend_cosine + ASC_FRONTEND_N_FFT / 4u - 1u;
    const int32_t half = INT32_C(1) << 29;
    const uintptr_t below = (uintptr_t)z - 31u;
    uint32_t scale = UINT32_C(1) << shift | UINT32_C(31) << 27;
    int32_t a_re, a_im, b_re, b_im, c_re, c_im, d_re, d_im, t, u;
    __asm__ volatile(
        "1:\n"
        /* c = z1 + z3, d = z1 - z3 */
        FIRST_LAYER("ldrd %[c_im], %[c_re], [%[sine]], #-8\n",
                    "ldr %[u], [%[words], %[three]]\n", "sub",
                    "ldr %[u], [%[words], %[one]]\n", "add", "c_re", "c_im", "d_re", "d_im")
        /* a = z0 + z2, b = z0 - z2 */
        FIRST_LAYER("ldrd %[a_re], %[a_im], [%[cosine]], #8\n",
                    "ldr %[u], [%[words], %[two]]\n", "add",
                    "ldr %[u], [%[words]], #4\n", "sub", "a_re", "a_im", "b_re", "b_im")
        "ldr %[u], %[below]\n"
        "rbit %[t], %[scale]\n"
        "uxtah %[u], %[u], %[t]\n"
        "add %[t], %[a_re], %[c_re]\n"
        "sub %[a_re], %[a_re], %[c_re]\n"
        "add %[c_re], %[a_im], %[c_im]\n"
        "sub %[a_im], %[a_im], %[c_im]\n"
        "strd %[t], %[c_re], [%[u]]\n"
        "strd %[a_re], %[a_im], [%[u], #16]\n"
        "add %[t], %[b_re], %[d_im]\n"
        "sub %[b_re], %[b_re], %[d_im]\n"
        "sub %[c_re], %[b_im], %[d_re]\n"
        "add %[b_im], %[b_im], %[d_re]\n"
        "strd %[t], %[c_re], [%[u], #8]\n"
        "strd %[b_re], %[b_im], [%[u], #24]\n"
        "adds %[scale], %[scale], %[next]\n"
        "bcc 1b\n"
        : [cosine] "+&r"(cosine), [sine] "+&r"(sine), [words] "+&r"(words), [scale] "+&r"(scale),
          [a_re] "=&r"(a_re), [a_im] "=&r"(a_im), [b_re] "=&r"(b_re), [b_im] "=&r"(b_im),
          [c_re] "=&r"(c_re), [c_im] "=&r"(c_im), [d_re] "=&r"(d_re), [d_im] "=&r"(d_im),
          [t] "=&r"(t), [u] "=&r"(u)
        : [below] "m"(below), [half] "m"(half), [one] "i"(LENGTH), [two] "i"(2 * LENGTH),
          [three] "i"(3 * LENGTH), [next] "i"((UINT32_C(1) << 27) / (LENGTH / 4u))
        : "cc", "memory");
}

#elif ASC_FRONTEND_SAMPLE_BITS == 16

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

/* A butterfly of elements a to d. The turns load cosine and sine; OF_SINE is PRODUCT, or ZERO where the
 * sine is 0. From where a, e, d and c are at the end, d, c, b and a are stored in this order. */
#define PRODUCT(TEXT) TEXT
#define ZERO(TEXT)
#define BUTTERFLY(FIRST_TURN, SECOND_TURN, OF_SINE, ...) \
    BUTTERFLY_WITH(FIRST_TURN, SECOND_TURN, OF_SINE, __VA_ARGS__)
#define BUTTERFLY_WITH(FIRST_TURN, SECOND_TURN, OF_SINE, LOAD_A, LOAD_B, LOAD_C, LOAD_D, STORE_D, \
                       STORE_C, STORE_B, STORE_A) \
    FIRST_TURN \
    LOAD_A \
    LOAD_B \
    /* e = a1 = half_turn(a, b), a = b1 = a - a1 */ \
    "asr %[e_re], %[a_re], #1\n" \
    "asr %[e_im], %[a_im], #1\n" \
    ADD_PRODUCT("e_re", "b_re", "cosine") \
    ADD_PRODUCT("e_im", "b_im", "cosine") \
    OF_SINE(ADD_PRODUCT("e_re", "b_im", "sine")) \
    NEGATE("sine") \
    OF_SINE(SUBTRACT_PRODUCT("e_im", "b_re", "sine")) \
    "sub %[a_re], %[a_re], %[e_re]\n" \
    "sub %[a_im], %[a_im], %[e_im]\n" \
    /* b = c1 = half_turn(c, d), c = d1 = c - c1 */ \
    LOAD_C \
    LOAD_D \
    "asr %[b_re], %[c_re], #1\n" \
    "asr %[b_im], %[c_im], #1\n" \
    ADD_PRODUCT("b_re", "d_re", "cosine") \
    ADD_PRODUCT("b_im", "d_im", "cosine") \
    OF_SINE(SUBTRACT_PRODUCT("b_im", "d_re", "sine")) \
    NEGATE("sine") \
    OF_SINE(ADD_PRODUCT("b_re", "d_im", "sine")) \
    "sub %[c_re], %[c_re], %[b_re]\n" \
    "sub %[c_im], %[c_im], %[b_im]\n" \
    /* d = b2 = half_turn_back(b1, d1), a = b1 - b2 */ \
    SECOND_TURN \
    "asr %[d_re], %[a_re], #1\n" \
    "asr %[d_im], %[a_im], #1\n" \
    ADD_PRODUCT("d_re", "c_im", "cosine") \
    NEGATE("sine") \
    OF_SINE(SUBTRACT_PRODUCT("d_re", "c_re", "sine")) \
    OF_SINE(SUBTRACT_PRODUCT("d_im", "c_im", "sine")) \
    NEGATE("cosine") \
    SUBTRACT_PRODUCT("d_im", "c_re", "cosine") \
    "sub %[a_re], %[a_re], %[d_re]\n" \
    "sub %[a_im], %[a_im], %[d_im]\n" \
    STORE_D \
    /* c = a2 = half_turn(a1, c1), e = a1 - a2 */ \
    "asr %[c_re], %[e_re], #1\n" \
    "asr %[c_im], %[e_im], #1\n" \
    OF_SINE(SUBTRACT_PRODUCT("c_im", "b_re", "sine")) \
    NEGATE("cosine") \
    NEGATE("sine") \
    ADD_PRODUCT("c_re", "b_re", "cosine") \
    ADD_PRODUCT("c_im", "b_im", "cosine") \
    OF_SINE(ADD_PRODUCT("c_re", "b_im", "sine")) \
    "sub %[e_re], %[e_re], %[c_re]\n" \
    "sub %[e_im], %[e_im], %[c_im]\n" \
    STORE_C \
    STORE_B \
    STORE_A

/* The real and imaginary part of an element where z points. */
#define TWO(INSTRUCTION, NAME) INSTRUCTION " %[" NAME "_re], %[" NAME "_im], [%[z]"
/* Some bytes from there: a load or store of both parts reaches less far, and its store takes longer. */
#define ONE_BY_ONE(INSTRUCTION, NAME, BYTES) \
    INSTRUCTION " %[" NAME "_re], [%[z], #" BYTES "]\n" \
    INSTRUCTION " %[" NAME "_im], [%[z], #4+" BYTES "]\n"
#define MOVE(BYTES) "], #" #BYTES "\n"
#define OFFSET(BYTES) ", #" BYTES "]\n"

/* Elements of some bytes from each other; from a to the next a it is NEXT. */
#define NEAR(BYTES, NEXT) \
    TWO("ldrd", "a") "]\n", TWO("ldrd", "b") OFFSET(#BYTES), TWO("ldrd", "c") OFFSET("2*" #BYTES), \
    TWO("ldrd", "d") OFFSET("3*" #BYTES), ONE_BY_ONE("str", "a", "3*" #BYTES), \
    ONE_BY_ONE("str", "e", "2*" #BYTES), ONE_BY_ONE("str", "d", #BYTES), TWO("strd", "c") MOVE(NEXT)

/* The same where only the next one is in reach. */
#define APART(BYTES, NEXT) \
    TWO("ldrd", "a") "]\n", TWO("ldrd", "b") OFFSET(#BYTES), ONE_BY_ONE("ldr", "c", "2*" #BYTES), \
    ONE_BY_ONE("ldr", "d", "3*" #BYTES), ONE_BY_ONE("str", "a", "3*" #BYTES), \
    ONE_BY_ONE("str", "e", "2*" #BYTES), ONE_BY_ONE("str", "d", #BYTES), \
    TWO("strd", "c") "]\nadd %[z], %[z], #" #NEXT "\n"

/* Elements further from each other, of which the next a follows. */
#define FAR(BYTES) \
    TWO("ldrd", "a") "]\n", ONE_BY_ONE("ldr", "b", #BYTES) "add %[z], %[z], #2*" #BYTES "\n", \
    TWO("ldrd", "c") "]\n", ONE_BY_ONE("ldr", "d", #BYTES), ONE_BY_ONE("str", "a", #BYTES), \
    TWO("strd", "e") "]\nsub %[z], %[z], #2*" #BYTES "\n", ONE_BY_ONE("str", "d", #BYTES), \
    TWO("strd", "c") MOVE(8)

#define BUTTERFLY_OPERANDS \
    [z] "+&r"(z), [a_re] "=&r"(a_re), [a_im] "=&r"(a_im), [b_re] "=&r"(b_re), \
    [b_im] "=&r"(b_im), [c_re] "=&r"(c_re), [c_im] "=&r"(c_im), [d_re] "=&r"(d_re), \
    [d_im] "=&r"(d_im), [e_re] "=&r"(e_re), [e_im] "=&r"(e_im), [cosine] "=&r"(cosine), \
    [sine] "=&r"(sine) REST

#define ONCE(TEXT) TEXT
#define TWICE(TEXT) TEXT TEXT

/* All butterflies of two turns, which are kept on the stack. A loop has one or two. */
#define SAME_TURNS(TIMES, ACCESS) \
    __asm__ volatile( \
        "1:\n" \
        TIMES(BUTTERFLY("ldrd %[cosine], %[sine], %[first]\n", \
                        "ldrd %[cosine], %[sine], %[second]\n", PRODUCT, ACCESS)) \
        COMPARE_END \
        "blo 1b\n" \
        : BUTTERFLY_OPERANDS \
        : [end] END_OPERAND(end), [first] "m"(turns.first), [second] "m"(turns.second) \
        : "cc", "memory")

/* The same for no turn: by the largest cosine there is. */
#define NO_TURNS(ACCESS) \
    __asm__ volatile( \
        "ldrd %[cosine], %[sine], %[first]\n" \
        "1:\n" \
        BUTTERFLY("", "", ZERO, ACCESS) \
        COMPARE_END \
        "blo 1b\n" \
        : BUTTERFLY_OPERANDS \
        : [end] END_OPERAND(end), [first] "m"(turns.first) \
        : "cc", "memory")

static inline void butterflies(asc_complex_t *z, uint32_t span, const asc_frontend_twiddle_t *twiddle) {
    const asc_complex_t *end = z + LENGTH;
    const asc_frontend_twiddle_t turns = *twiddle;
    int32_t a_re, a_im, b_re, b_im, c_re, c_im, d_re, d_im, e_re, e_im, cosine, sine;
#if !ASC_HAS_DSP
    int32_t rest;
#endif
    if (span == 4 && twiddle == asc_frontend_twiddle) {
        NO_TURNS(NEAR(32, 128));
    } else if (span == 4) {
        SAME_TURNS(ONCE, NEAR(32, 128));
    } else if (span == 8) {
        SAME_TURNS(ONCE, NEAR(64, 256));
    } else if (span == 16) {
        SAME_TURNS(ONCE, NEAR(128, 512));
    } else if (span == 32) {
        SAME_TURNS(TWICE, APART(256, 1024));
    } else {
        SAME_TURNS(TWICE, APART(512, 2048));
    }
}

/* A butterfly of each two turns, and the next one. */
#define NEXT_TURNS(ACCESS) \
    __asm__ volatile( \
        "1:\n" \
        TWICE(BUTTERFLY(NEXT_TURN, NEXT_TURN, PRODUCT, ACCESS)) \
        COMPARE_STACK \
        "blo 1b\n" \
        : BUTTERFLY_OPERANDS, [twiddle] TWIDDLE_OPERAND(twiddle) \
        : [end] "m"(end) \
        : "cc", "memory")

static inline void last_butterflies(asc_complex_t *z) {
    const asc_frontend_twiddle_t *twiddle = asc_frontend_twiddle;
    const asc_complex_t *end = z + LENGTH / 4u;
    int32_t a_re, a_im, b_re, b_im, c_re, c_im, d_re, d_im, e_re, e_im, cosine, sine;
#if !ASC_HAS_DSP
    int32_t rest;
#endif
    if (LENGTH == 128) {
        NEXT_TURNS(NEAR(256, 8));
    } else if (LENGTH == 256) {
        NEXT_TURNS(FAR(512));
    } else if (LENGTH == 512) {
        NEXT_TURNS(FAR(1024));
    } else {
        NEXT_TURNS(FAR(2048));
    }
}

/* Of the elements at LOW and HIGH, in place; both pointers move by a step of bytes. */
#define POWER_OF_PAIR(LOW, HIGH, COSINE, SINE, STEP, BACK) \
    "ldrd %[a], %[b], [%[" LOW "]]\n" \
    "ldrd %[c], %[d], [%[" HIGH "]]\n" \
    /* d + i c = odd */ \
    "add %[even_re], %[a], %[c]\n" \
    "sub %[c], %[c], %[a]\n" \
    "sub %[even_im], %[b], %[d]\n" \
    "add %[d], %[b], %[d]\n" \
    /* a + i b = half_turn(even, odd) */ \
    "asr %[a], %[even_re], #1\n" \
    "asr %[b], %[even_im], #1\n" \
    ADD_PRODUCT("a", "d", COSINE) \
    ADD_PRODUCT("b", "c", COSINE) \
    ADD_PRODUCT("a", "c", SINE) \
    NEGATE(SINE) \
    SUBTRACT_PRODUCT("b", "d", SINE) \
    "sub %[even_re], %[even_re], %[a]\n" \
    "sub %[even_im], %[even_im], %[b]\n" \
    "smull %[c], %[d], %[a], %[a]\n" \
    "smlal %[c], %[d], %[b], %[b]\n" \
    "strd %[c], %[d], [%[" LOW "]], " STEP "\n" \
    "smull %[c], %[d], %[even_re], %[even_re]\n" \
    "smlal %[c], %[d], %[even_im], %[even_im]\n" \
    "strd %[c], %[d], [%[" HIGH "]], " BACK "\n"

static inline void power_of_pairs(asc_spectrum_t *spectrum) {
    asc_complex_t *low = spectrum->z + 1;
    asc_complex_t *high = spectrum->z + LENGTH - 1;
    const int32_t *cosines = asc_frontend_cosine;
    const int32_t *sines = asc_frontend_cosine + ASC_FRONTEND_N_FFT / 4u;
    int32_t a, b, c, d, even_re, even_im, cosine, sine;
#if ASC_HAS_DSP
    /* Two pairs by one turn: that of bin LENGTH / 2 - k has the sine of bin k as its cosine. The pair
     * in the middle is alone. */
    asc_complex_t *inner_low = spectrum->z + LENGTH / 2u - 1;
    asc_complex_t *inner_high = spectrum->z + LENGTH / 2u + 1;
    __asm__ volatile(
        "1:\n"
        "ldr %[cosine], [%[cosines], #4]!\n"
        "ldr %[sine], [%[sines], #-4]!\n"
        POWER_OF_PAIR("low", "high", "cosine", "sine", "#8", "#-8")
        "cmp %[low], %[inner_low]\n"
        "bhi 2f\n"
        POWER_OF_PAIR("inner_low", "inner_high", "sine", "cosine", "#-8", "#8")
        "b 1b\n"
        "2:\n"
        : [low] "+&r"(low), [high] "+&r"(high), [inner_low] "+&r"(inner_low),
          [inner_high] "+&r"(inner_high), [cosines] "+&r"(cosines), [sines] "+&r"(sines), [a] "=&r"(a), [b] "=&r"(b),
          [c] "=&r"(c), [d] "=&r"(d), [even_re] "=&r"(even_re), [even_im] "=&r"(even_im),
          [cosine] "=&r"(cosine), [sine] "=&r"(sine)
        :
        : "cc", "memory");
#else
    int32_t rest;
    __asm__ volatile(
        "1:\n"
        "ldr %[cosine], [%[cosines], #4]!\n"
        "ldr %[sine], [%[sines], #-4]!\n"
        POWER_OF_PAIR("low", "high", "cosine", "sine", "#8", "#-8")
        "cmp %[low], %[high]\n"
        "blo 1b\n"
        : [low] "+&r"(low), [high] "+&r"(high), [cosines] "+&r"(cosines), [sines] "+&r"(sines),
          [a] "=&r"(a), [b] "=&r"(b), [c] "=&r"(c), [d] "=&r"(d), [even_re] "=&r"(even_re),
          [even_im] "=&r"(even_im), [cosine] "=&r"(cosine), [sine] "=&r"(sine), [rest] "=&r"(rest)
        :
        : "cc", "memory");
#endif
}

/* clang-format on */

#endif
