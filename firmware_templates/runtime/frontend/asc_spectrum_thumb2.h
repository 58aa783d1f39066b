/* SPDX-License-Identifier: Apache-2.0
 *
 * Loops of asc_spectrum.c for Cortex-M3 and larger cores, where compilers spill half of the
 * registers. The portable loops there say what they compute; the bits are the same. Each takes all
 * registers but the stack's, whatever a compiler keeps in them, and gives back what it may not
 * change: it has four operands at most.
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

/* The registers of a butterfly. Where a product takes one for its lower word, `end` waits on the
 * stack; so it does where turns come by a pointer. */
#if ASC_HAS_DSP
#define BUTTERFLY_REGISTERS(X) ELEMENTS(X) X(z, r0) X(end, r1)
#else
#define BUTTERFLY_REGISTERS(X) ELEMENTS(X) X(z, r0) X(rest, r1)
#endif
#define ELEMENTS(X) \
    X(a_re, r2) X(a_im, r3) X(b_re, r4) X(b_im, r5) X(c_re, r6) X(c_im, r8) X(d_re, r10) \
    X(d_im, r12) X(e_re, r7) X(e_im, r9) X(w_re, r11) X(w_im, lr)

#define COMPARE_STACK(END) \
    "ldr a_re, [sp, #" END "]\n" \
    "cmp z, a_re\n"

#if ASC_HAS_DSP

/* SUM + X Y / 2^32, rounded. */
#define ADD_PRODUCT(SUM, X, Y) "smmlar " SUM ", " X ", " Y ", " SUM "\n"
/* The same with -Y, which NEGATE makes where there is no such instruction. */
#define SUBTRACT_PRODUCT(SUM, X, Y) "smmlsr " SUM ", " X ", " Y ", " SUM "\n"
#define NEGATE(X)

#define COMPARE_END(END) "cmp z, end\n"

#else

#define ADD_PRODUCT(SUM, X, Y) \
    "mov rest, #0x80000000\n" \
    "smlal rest, " SUM ", " X ", " Y "\n"
#define SUBTRACT_PRODUCT(SUM, X, Y) ADD_PRODUCT(SUM, X, Y)
#define NEGATE(X) "rsb " X ", " X ", #0\n"

#define COMPARE_END(END) COMPARE_STACK(END)

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
    "asr e_re, a_re, #1\n" \
    "asr e_im, a_im, #1\n" \
    ADD_PRODUCT("e_re", "b_re", "w_re") \
    ADD_PRODUCT("e_im", "b_im", "w_re") \
    OF_SINE(ADD_PRODUCT("e_re", "b_im", "w_im")) \
    NEGATE("w_im") \
    OF_SINE(SUBTRACT_PRODUCT("e_im", "b_re", "w_im")) \
    "sub a_re, a_re, e_re\n" \
    "sub a_im, a_im, e_im\n" \
    /* b = c1 = half_turn(c, d), c = d1 = c - c1 */ \
    LOAD_C \
    LOAD_D \
    "asr b_re, c_re, #1\n" \
    "asr b_im, c_im, #1\n" \
    ADD_PRODUCT("b_re", "d_re", "w_re") \
    ADD_PRODUCT("b_im", "d_im", "w_re") \
    OF_SINE(SUBTRACT_PRODUCT("b_im", "d_re", "w_im")) \
    NEGATE("w_im") \
    OF_SINE(ADD_PRODUCT("b_re", "d_im", "w_im")) \
    "sub c_re, c_re, b_re\n" \
    "sub c_im, c_im, b_im\n" \
    /* d = b2 = half_turn_back(b1, d1), a = b1 - b2 */ \
    SECOND_TURN \
    "asr d_re, a_re, #1\n" \
    "asr d_im, a_im, #1\n" \
    ADD_PRODUCT("d_re", "c_im", "w_re") \
    NEGATE("w_im") \
    OF_SINE(SUBTRACT_PRODUCT("d_re", "c_re", "w_im")) \
    OF_SINE(SUBTRACT_PRODUCT("d_im", "c_im", "w_im")) \
    NEGATE("w_re") \
    SUBTRACT_PRODUCT("d_im", "c_re", "w_re") \
    "sub a_re, a_re, d_re\n" \
    "sub a_im, a_im, d_im\n" \
    STORE_D \
    /* c = a2 = half_turn(a1, c1), e = a1 - a2 */ \
    "asr c_re, e_re, #1\n" \
    "asr c_im, e_im, #1\n" \
    OF_SINE(SUBTRACT_PRODUCT("c_im", "b_re", "w_im")) \
    NEGATE("w_re") \
    NEGATE("w_im") \
    ADD_PRODUCT("c_re", "b_re", "w_re") \
    ADD_PRODUCT("c_im", "b_im", "w_re") \
    OF_SINE(ADD_PRODUCT("c_re", "b_im", "w_im")) \
    "sub e_re, e_re, c_re\n" \
    "sub e_im, e_im, c_im\n" \
    STORE_C \
    STORE_B \
    STORE_A

/* The real and imaginary part of an element where z points. */
#define TWO(INSTRUCTION, NAME) INSTRUCTION " " NAME "_re, " NAME "_im, [z"
/* Some bytes from there: a load or store of both parts reaches less far, and its store takes longer. */
#define ONE_BY_ONE(INSTRUCTION, NAME, BYTES) \
    INSTRUCTION " " NAME "_re, [z, #" BYTES "]\n" \
    INSTRUCTION " " NAME "_im, [z, #4+" BYTES "]\n"
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
    TWO("strd", "c") "]\nadd z, z, #" #NEXT "\n"

/* The same where none is in reach of a load of both parts. */
#define BEYOND(BYTES, NEXT) \
    TWO("ldrd", "a") "]\n", ONE_BY_ONE("ldr", "b", #BYTES), ONE_BY_ONE("ldr", "c", "2*" #BYTES), \
    ONE_BY_ONE("ldr", "d", "3*" #BYTES), ONE_BY_ONE("str", "a", "3*" #BYTES), \
    ONE_BY_ONE("str", "e", "2*" #BYTES), ONE_BY_ONE("str", "d", #BYTES), \
    TWO("strd", "c") "]\nadd z, z, #" #NEXT "\n"

/* Elements further from each other, of which the next a follows. */
#define FAR(BYTES) \
    TWO("ldrd", "a") "]\n", ONE_BY_ONE("ldr", "b", #BYTES) "add z, z, #2*" #BYTES "\n", \
    TWO("ldrd", "c") "]\n", ONE_BY_ONE("ldr", "d", #BYTES), ONE_BY_ONE("str", "a", #BYTES), \
    TWO("strd", "e") "]\nsub z, z, #2*" #BYTES "\n", ONE_BY_ONE("str", "d", #BYTES), \
    TWO("strd", "c") MOVE(8)

/* The same where no instruction reaches the next one. */
#define FARTHEST(BYTES) \
    TWO("ldrd", "a") "]\nadd z, z, #" #BYTES "\n", TWO("ldrd", "b") "]\nadd z, z, #" #BYTES "\n", \
    TWO("ldrd", "c") "]\nadd z, z, #" #BYTES "\n", TWO("ldrd", "d") "]\n", \
    TWO("strd", "a") "]\nsub z, z, #" #BYTES "\n", TWO("strd", "e") "]\nsub z, z, #" #BYTES "\n", \
    TWO("strd", "d") "]\nsub z, z, #" #BYTES "\n", TWO("strd", "c") MOVE(8)

/* The same, but for where the next one is. */
#define FARTHEST_APART(BYTES, NEXT) \
    TWO("ldrd", "a") "]\nadd z, z, #" #BYTES "\n", TWO("ldrd", "b") "]\nadd z, z, #" #BYTES "\n", \
    TWO("ldrd", "c") "]\nadd z, z, #" #BYTES "\n", TWO("ldrd", "d") "]\n", \
    TWO("strd", "a") "]\nsub z, z, #" #BYTES "\n", TWO("strd", "e") "]\nsub z, z, #" #BYTES "\n", \
    TWO("strd", "d") "]\nsub z, z, #" #BYTES "\n", TWO("strd", "c") "]\nadd z, z, #" #NEXT "\n"

#define ONCE(TEXT) TEXT
#define TWICE(TEXT) TEXT TEXT

#define CHANGED_BY_BUTTERFLIES \
    "r4", "r5", "r6", "r8", "r10", "r12", "lr", "cc", "memory" ASC_CHANGED_R9

/* All butterflies of no turn: by the largest cosine there is. */
static inline void no_turns(asc_complex_t *z) {
    register asc_complex_t *r0 __asm__("r0") = z;
    register const asc_complex_t *r1 __asm__("r1") = z + LENGTH;
    register int32_t r2 __asm__("r2") = asc_frontend_twiddle[0].first.cosine;
    __asm__ volatile(
        BUTTERFLY_REGISTERS(ASC_NAME_REGISTER)
        "push {r1, r7, r9, r11}\n"
        "mov w_re, r2\n"
        "1:\n"
        BUTTERFLY("", "", ZERO, NEAR(32, 128))
        COMPARE_END("0")
        "blo 1b\n"
        "pop {r1, r7, r9, r11}\n"
        BUTTERFLY_REGISTERS(ASC_FORGET_REGISTER)
        : "+r"(r0), "+r"(r1), "+r"(r2)
        :
        : "r3", CHANGED_BY_BUTTERFLIES);
}

/* All butterflies of some turns, each with those of elements up to `end`. On the stack are the two
 * turns, from where they are loaded, and the first element, `end`, the twiddle factors, bytes to the
 * next ones, and where the last turn's elements end. */
#define SAME_TURNS(TIMES, ACCESS, SPAN) \
    __asm__ volatile( \
        BUTTERFLY_REGISTERS(ASC_NAME_REGISTER) \
        "push {r7, r9, r11}\n" \
        "add r4, r1, #8 * (" #SPAN " - 1)\n" \
        "push {r0-r4}\n" \
        "sub sp, #16\n" \
        "1:\n" \
        "ldrd a_re, a_im, [sp, #24]\n" \
        "ldrd b_re, b_im, [a_re]\n" \
        "ldrd c_re, c_im, [a_re, #8]\n" \
        "add a_re, a_re, a_im\n" \
        "str a_re, [sp, #24]\n" \
        "strd b_re, b_im, [sp]\n" \
        "strd c_re, c_im, [sp, #8]\n" \
        "ldr z, [sp, #16]\n" \
        "add a_im, z, #8\n" \
        "str a_im, [sp, #16]\n" \
        "2:\n" \
        TIMES(BUTTERFLY("ldrd w_re, w_im, [sp]\n", "ldrd w_re, w_im, [sp, #8]\n", PRODUCT, \
                        ACCESS)) \
        COMPARE_END("20") \
        "blo 2b\n" \
        COMPARE_STACK("32") \
        "blo 1b\n" \
        "add sp, #36\n" \
        "pop {r7, r9, r11}\n" \
        BUTTERFLY_REGISTERS(ASC_FORGET_REGISTER) \
        : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3) \
        : \
        : CHANGED_BY_BUTTERFLIES)

/* Two layers, which add elements `span` and 2 `span` apart. */
static inline void two_layers(asc_complex_t *z, uint32_t span) {
    const uint32_t step = LENGTH / 4u / span;
    const uint32_t done = span == 4 ? 1 : 0;
    register asc_complex_t *r0 __asm__("r0") = z + done;
    register const asc_complex_t *r1 __asm__("r1") = z + LENGTH;
    register const asc_frontend_twiddle_t *r2 __asm__("r2") = asc_frontend_twiddle + done * step;
    register uint32_t r3 __asm__("r3") = step * (uint32_t)sizeof *r2;
    if (span == 4) {
        SAME_TURNS(ONCE, NEAR(32, 128), 4);
    } else if (span == 8) {
        SAME_TURNS(ONCE, NEAR(64, 256), 8);
    } else if (span == 16) {
        SAME_TURNS(ONCE, NEAR(128, 512), 16);
    } else if (span == 32) {
        SAME_TURNS(TWICE, APART(256, 1024), 32);
    } else if (span == 64) {
        SAME_TURNS(TWICE, APART(512, 2048), 64);
    } else if (span == 128) {
        SAME_TURNS(TWICE, BEYOND(1024, 4096), 128);
    } else {
        SAME_TURNS(TWICE, FARTHEST_APART(2048, 8192), 256);
    }
    if (span == 4) {
        no_turns(z);
    }
}

/* Twiddle factors that change: a pointer follows them, in the register of `end` or on the stack. */
#if ASC_HAS_DSP
#define NEXT_TURN "ldrd w_re, w_im, [end], #8\n"
#else
#define NEXT_TURN \
    "ldr rest, [sp, #4]\n" \
    "ldrd w_re, w_im, [rest], #8\n" \
    "str rest, [sp, #4]\n"
#endif

/* A butterfly of each two turns, and the next one. */
#define NEXT_TURNS(ACCESS) \
    __asm__ volatile( \
        BUTTERFLY_REGISTERS(ASC_NAME_REGISTER) \
        "push {r1, r2, r7, r9, r11}\n" \
        "mov r1, r2\n" \
        "1:\n" \
        TWICE(BUTTERFLY(NEXT_TURN, NEXT_TURN, PRODUCT, ACCESS)) \
        COMPARE_STACK("0") \
        "blo 1b\n" \
        "pop {r1, r2, r7, r9, r11}\n" \
        BUTTERFLY_REGISTERS(ASC_FORGET_REGISTER) \
        : "+r"(r0), "+r"(r1), "+r"(r2) \
        : \
        : "r3", CHANGED_BY_BUTTERFLIES)

static inline void last_butterflies(asc_complex_t *z) {
    register asc_complex_t *r0 __asm__("r0") = z;
    register const asc_complex_t *r1 __asm__("r1") = z + LENGTH / 4u;
    register const asc_frontend_twiddle_t *r2 __asm__("r2") = asc_frontend_twiddle;
    if (LENGTH == 128) {
        NEXT_TURNS(NEAR(256, 8));
    } else if (LENGTH == 256) {
        NEXT_TURNS(FAR(512));
    } else if (LENGTH == 512) {
        NEXT_TURNS(FAR(1024));
    } else if (LENGTH == 1024) {
        NEXT_TURNS(FAR(2048));
    } else if (LENGTH == 2048) {
        NEXT_TURNS(FARTHEST(4096));
    } else {
        NEXT_TURNS(FARTHEST(8192));
    }
}

/* Of the elements at LOW and HIGH, in place; both pointers move by a step of bytes. */
#define POWER_OF_PAIR(LOW, HIGH, COSINE, SINE, STEP, BACK) \
    "ldrd re, im, [" LOW "]\n" \
    "ldrd high_re, high_im, [" HIGH "]\n" \
    /* high_im + i high_re = odd */ \
    "add even_re, re, high_re\n" \
    "sub high_re, high_re, re\n" \
    "sub even_im, im, high_im\n" \
    "add high_im, im, high_im\n" \
    /* re + i im = half_turn(even, odd) */ \
    "asr re, even_re, #1\n" \
    "asr im, even_im, #1\n" \
    ADD_PRODUCT("re", "high_im", COSINE) \
    ADD_PRODUCT("im", "high_re", COSINE) \
    ADD_PRODUCT("re", "high_re", SINE) \
    NEGATE(SINE) \
    SUBTRACT_PRODUCT("im", "high_im", SINE) \
    "sub even_re, even_re, re\n" \
    "sub even_im, even_im, im\n" \
    "smull high_re, high_im, re, re\n" \
    "smlal high_re, high_im, im, im\n" \
    "strd high_re, high_im, [" LOW "], " STEP "\n" \
    "smull high_re, high_im, even_re, even_re\n" \
    "smlal high_re, high_im, even_im, even_im\n" \
    "strd high_re, high_im, [" HIGH "], " BACK "\n"

#define POWER_REGISTERS(X) \
    X(low, r0) X(forward, r1) X(high, r2) X(backward, r3) X(re, r4) X(im, r5) X(high_re, r6) \
    X(high_im, r8) X(even_re, r10) X(even_im, r12) X(w_re, lr) X(w_im, r11) X(inner_low, r7) POWER_REST(X)

#if ASC_HAS_DSP
/* Two pairs by one turn: that of bin LENGTH / 2 - k has the sine of bin k as its cosine. The pair in
 * the middle is alone. */
#define POWER_REST(X) X(inner_high, r9)
#define POWER_OF_PAIRS \
    "add inner_high, low, %[half]\n" \
    "sub inner_low, inner_high, #16\n" \
    "1:\n" \
    "ldr w_re, [forward, #4]!\n" \
    "ldr w_im, [backward, #-4]!\n" \
    POWER_OF_PAIR("low", "high", "w_re", "w_im", "#8", "#-8") \
    "cmp low, inner_low\n" \
    "bhi 2f\n" \
    POWER_OF_PAIR("inner_low", "inner_high", "w_im", "w_re", "#-8", "#8") \
    "b 1b\n" \
    "2:\n"
#else
#define POWER_REST(X) X(rest, r9)
#define POWER_OF_PAIRS \
    "1:\n" \
    "ldr w_re, [forward, #4]!\n" \
    "ldr w_im, [backward, #-4]!\n" \
    POWER_OF_PAIR("low", "high", "w_re", "w_im", "#8", "#-8") \
    "cmp low, high\n" \
    "blo 1b\n"
#endif

static inline void power_of_pairs(asc_spectrum_t *spectrum) {
    register asc_complex_t *r0 __asm__("r0") = spectrum->z + 1;
    register const int32_t *r1 __asm__("r1") = asc_frontend_cosine;
    register asc_complex_t *r2 __asm__("r2") = spectrum->z + LENGTH - 1;
    register const int32_t *r3 __asm__("r3") = asc_frontend_cosine + ASC_FRONTEND_N_FFT / 4u;
    __asm__ volatile(
        POWER_REGISTERS(ASC_NAME_REGISTER)
        "push {r7, r9, r11}\n"
        POWER_OF_PAIRS
        "pop {r7, r9, r11}\n"
        POWER_REGISTERS(ASC_FORGET_REGISTER)
        : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3)
        : [half] "i"(LENGTH / 2u * 8u)
        : "r4", "r5", "r6", "r8", "r10", "r12", "lr", "cc", "memory" ASC_CHANGED_R9);
}

/* clang-format on */

#endif
