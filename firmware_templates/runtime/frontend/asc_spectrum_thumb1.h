/* SPDX-License-Identifier: Apache-2.0
 *
 * Loops of asc_spectrum.c for cores that multiply to 32 bits only. The portable loops there say
 * what they compute; the bits are the same.
 */
#ifndef ASC_SPECTRUM_THUMB1_H
#define ASC_SPECTRUM_THUMB1_H

#include "asc_fixed.h"
#include "asc_spectrum.h"

/* The assembly below reads these by their offsets. */
ASC_FIXED_ASSERT_OFFSET(asc_complex_t, re, 0);
ASC_FIXED_ASSERT_OFFSET(asc_complex_t, im, 4);

ASC_FIXED_ASSERT_OFFSET(asc_frontend_turn_t, cosine, 0);
ASC_FIXED_ASSERT_OFFSET(asc_frontend_turn_t, sine, 4);
ASC_FIXED_ASSERT_SIZE(asc_frontend_turn_t, 8);
ASC_FIXED_ASSERT_OFFSET(asc_frontend_twiddle_t, first, 0);
ASC_FIXED_ASSERT_OFFSET(asc_frontend_twiddle_t, second, 8);
ASC_FIXED_ASSERT_SIZE(asc_frontend_twiddle_t, 16);

#define LENGTH ASC_SPECTRUM_LENGTH

/* clang-format off */

/* HIGH = 2^16 high + low. Halves with a sign each leave room for the sum of two products. What is
 * split here is below sqrt(2) 2^30 or 0.7072 2^31 in magnitude and a few units of rounding. */
#define SPLIT(HIGH, LOW) \
    "sxth " LOW ", " HIGH "\n" \
    "subs " HIGH ", " HIGH ", " LOW "\n" \
    "asrs " HIGH ", " HIGH ", #16\n"

/* The halves of a turn: those of its cosine, in r2, to r8 and r10, of its sine, in r3, to r11 and
 * r12, the lower one first. The difference that SPLIT takes may exceed 32 bits here. Changes r4 and
 * r5. */
#define SPLIT_TURN \
    "movs r5, #0\n" \
    "sxth r4, r2\n" \
    "asrs r2, r2, #16\n" \
    "adcs r2, r5\n" \
    "mov r8, r4\n" \
    "mov r10, r2\n" \
    "sxth r4, r3\n" \
    "asrs r3, r3, #16\n" \
    "adcs r3, r5\n" \
    "mov r11, r4\n" \
    "mov r12, r3\n"

/* RESULT = x y / 2^32, rounded: the carry of the last shift is the bit below. The halves of x are in
 * r2 and r3, those of y in Y_LOW and Y_HIGH. LESS takes the smallest bit off the product, so that
 * halves are rounded down. Changes r4. */
#define PRODUCT(RESULT, Y_LOW, Y_HIGH, LESS) \
    "mov r4, " Y_LOW "\n" \
    "muls r4, r2, r4\n" \
    LESS \
    "asrs r4, r4, #16\n" \
    "mov " RESULT ", " Y_HIGH "\n" \
    "muls " RESULT ", r2, " RESULT "\n" \
    "adds r4, r4, " RESULT "\n" \
    "mov " RESULT ", " Y_LOW "\n" \
    "muls " RESULT ", r3, " RESULT "\n" \
    "adds r4, r4, " RESULT "\n" \
    "mov " RESULT ", " Y_HIGH "\n" \
    "muls " RESULT ", r3, " RESULT "\n" \
    "asrs r4, r4, #16\n" \
    "adcs " RESULT ", r4\n"

/* The same by an instruction less, if the halves of x are not needed any more. */
#define LAST_PRODUCT(RESULT, Y_LOW, Y_HIGH, LESS) \
    "mov r4, " Y_LOW "\n" \
    "muls r4, r2, r4\n" \
    LESS \
    "asrs r4, r4, #16\n" \
    "mov " RESULT ", " Y_HIGH "\n" \
    "muls r2, " RESULT ", r2\n" \
    "adds r4, r4, r2\n" \
    "muls " RESULT ", r3, " RESULT "\n" \
    "mov r2, " Y_LOW "\n" \
    "muls r2, r3, r2\n" \
    "adds r4, r4, r2\n" \
    "asrs r4, r4, #16\n" \
    "adcs " RESULT ", r4\n"

/* r5 and r7 become half of a and what they are, r2 and r3 the rest of a. Changes r4. */
#define ADD_HALF(LOAD_A) \
    LOAD_A \
    "asrs r4, r2, #1\n" \
    "adds r5, r5, r4\n" \
    "asrs r4, r3, #1\n" \
    "adds r7, r7, r4\n" \
    "subs r2, r2, r5\n" \
    "subs r3, r3, r7\n"

/* A butterfly of elements a and b by the turn in r8 and r10 to r12: a becomes half of
 * a + b (cosine - i sine), in r5 and r7, b the rest of a, in r2 and r3. The parts of b are loaded to
 * r3, one after the other, those of a to r2 and r3. */
#define TURN(LOAD_B_RE, LOAD_B_IM, LOAD_A) \
    LOAD_B_RE \
    SPLIT("r3", "r2") \
    PRODUCT("r5", "r8", "r10", "") \
    LAST_PRODUCT("r6", "r11", "r12", "subs r4, r4, #1\n") \
    LOAD_B_IM \
    SPLIT("r3", "r2") \
    PRODUCT("r7", "r11", "r12", "") \
    "adds r5, r5, r7\n" \
    LAST_PRODUCT("r7", "r8", "r10", "") \
    "subs r7, r7, r6\n" \
    ADD_HALF(LOAD_A)

/* A butterfly of elements a at r0 and b at r1; both pointers move on. */
#define BUTTERFLY \
    TURN("ldr r3, [r1]\n", "ldr r3, [r1, #4]\n", "ldr r2, [r0]\n" "ldr r3, [r0, #4]\n") \
    "stmia r0!, {r5, r7}\n" \
    "stmia r1!, {r2, r3}\n"

/* Butterflies of elements a and b of the same turn, as far apart as the next a is from b. */
__attribute__((noinline)) static void layer(asc_complex_t *a, asc_complex_t *b,
                                            const asc_complex_t *end,
                                            const asc_frontend_turn_t *turn) {
    register asc_complex_t *r0 __asm__("r0") = a;
    register asc_complex_t *r1 __asm__("r1") = b;
    register const asc_complex_t *r2 __asm__("r2") = end;
    register const asc_frontend_turn_t *r3 __asm__("r3") = turn;
    __asm__ volatile(
        ".syntax unified\n"
        "push {r2, r7}\n"
        "ldmia r3!, {r2, r4}\n"
        "mov r3, r4\n"
        SPLIT_TURN
        "subs r4, r1, r0\n"
        "subs r4, r4, #4\n"
        "lsls r4, r4, #1\n"
        "mov lr, r4\n"
        "1:\n"
        BUTTERFLY
        "add r0, lr\n"
        "add r1, lr\n"
        "ldr r2, [sp]\n"
        "cmp r0, r2\n"
        "blo 1b\n"
        "pop {r2, r7}\n"
        : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3)
        :
        : "r4", "r5", "r6", "r8", "r10", "r11", "r12", "lr", "cc", "memory");
}

#if ASC_FRONTEND_SAMPLE_BITS == 16

/* What layer() does, by a turn of 45 degrees: its cosine and its sine are the same number, so that
 * either part of b takes a single product. The imaginary part of the result takes the negative of
 * the first one, whose halves are rounded down. There are none: the cosine is twice an odd number,
 * so that b would have to be 2^30 in magnitude. What this turn comes to are sums of samples turned by
 * quarters, where a seventh of the window or more lies on positive samples, which reach 2^15 - 1:
 * they stay below by 4600 and more.
 *
 * A turn by 135 degrees is one by 45 degrees of -i b: FIRST and SECOND load the parts of b or of -i b
 * to r3. */
#define DIAGONAL_LAYER(FIRST, SECOND) \
    ".syntax unified\n" \
    "push {r2, r7}\n" \
    "ldr r3, [r3, #4]\n" \
    SPLIT("r3", "r4") \
    "mov r8, r4\n" \
    "mov r10, r3\n" \
    "subs r4, r1, r0\n" \
    "subs r4, r4, #4\n" \
    "lsls r4, r4, #1\n" \
    "mov lr, r4\n" \
    "1:\n" \
    FIRST \
    SPLIT("r3", "r2") \
    LAST_PRODUCT("r6", "r8", "r10", "") \
    SECOND \
    SPLIT("r3", "r2") \
    LAST_PRODUCT("r7", "r8", "r10", "") \
    "adds r5, r6, r7\n" \
    "subs r7, r7, r6\n" \
    ADD_HALF("ldr r2, [r0]\n" "ldr r3, [r0, #4]\n") \
    "stmia r0!, {r5, r7}\n" \
    "stmia r1!, {r2, r3}\n" \
    "add r0, lr\n" \
    "add r1, lr\n" \
    "ldr r2, [sp]\n" \
    "cmp r0, r2\n" \
    "blo 1b\n" \
    "pop {r2, r7}\n"

static void layer_by_45_degrees(asc_complex_t *a, asc_complex_t *b, const asc_complex_t *end,
                                const asc_frontend_turn_t *turn) {
    register asc_complex_t *r0 __asm__("r0") = a;
    register asc_complex_t *r1 __asm__("r1") = b;
    register const asc_complex_t *r2 __asm__("r2") = end;
    register const asc_frontend_turn_t *r3 __asm__("r3") = turn;
    __asm__ volatile(DIAGONAL_LAYER("ldr r3, [r1]\n", "ldr r3, [r1, #4]\n")
                     : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3)
                     :
                     : "r4", "r5", "r6", "r8", "r10", "lr", "cc", "memory");
}

static void layer_by_135_degrees(asc_complex_t *a, asc_complex_t *b, const asc_complex_t *end,
                                 const asc_frontend_turn_t *turn) {
    register asc_complex_t *r0 __asm__("r0") = a;
    register asc_complex_t *r1 __asm__("r1") = b;
    register const asc_complex_t *r2 __asm__("r2") = end;
    register const asc_frontend_turn_t *r3 __asm__("r3") = turn;
    __asm__ volatile(DIAGONAL_LAYER("ldr r3, [r1, #4]\n", "ldr r3, [r1]\n" "negs r3, r3\n")
                     : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3)
                     :
                     : "r4", "r5", "r6", "r8", "r10", "lr", "cc", "memory");
}

#else

#define layer_by_45_degrees layer
#define layer_by_135_degrees layer

#endif

/* r2 = a quarter of all elements in bytes. */
#define QUARTER_BYTES \
    "movs r2, %[quarter]\n" \
    "lsls r2, r2, #8\n"

/* Loads a turn from the pointer on the stack, and splits it. */
#define NEXT_TURN \
    "ldr r4, [sp, #4]\n" \
    "ldmia r4!, {r2, r3}\n" \
    "str r4, [sp, #4]\n" \
    SPLIT_TURN

/* The last two layers, of butterflies with turns of their own. On the stack are the first element,
 * the twiddle factors and the end of the first elements. */
static inline void last_butterflies(asc_complex_t *z) {
    register asc_complex_t *r0 __asm__("r0") = z;
    register const asc_frontend_twiddle_t *r1 __asm__("r1") = asc_frontend_twiddle;
    register const asc_complex_t *r2 __asm__("r2") = z + LENGTH / 4u;
    __asm__ volatile(
        ".syntax unified\n"
        "push {r0, r1, r2, r7}\n"
        "1:\n"
        /* a and b, c and d */
        NEXT_TURN
        "ldr r0, [sp]\n"
        QUARTER_BYTES
        "adds r1, r0, r2\n"
        "bl 3f\n"
        QUARTER_BYTES
        "subs r1, r1, #8\n"
        "adds r0, r1, r2\n"
        "adds r1, r0, r2\n"
        "bl 3f\n"
        /* a and c */
        NEXT_TURN
        "ldr r0, [sp]\n"
        QUARTER_BYTES
        "lsls r2, r2, #1\n"
        "adds r1, r0, r2\n"
        "bl 3f\n"
        /* b and d by a turn further back by a quarter: cosine and sine are -sine and cosine */
        "mov r2, r11\n"
        "mov r3, r12\n"
        "negs r2, r2\n"
        "negs r3, r3\n"
        "mov r11, r8\n"
        "mov r12, r10\n"
        "mov r8, r2\n"
        "mov r10, r3\n"
        QUARTER_BYTES
        "subs r2, r2, #8\n"
        "adds r0, r0, r2\n"
        "adds r1, r1, r2\n"
        "bl 3f\n"
        "ldr r0, [sp]\n"
        "adds r0, r0, #8\n"
        "str r0, [sp]\n"
        "ldr r2, [sp, #8]\n"
        "cmp r0, r2\n"
        "blo 1b\n"
        "b 2f\n"
        "3:\n"
        BUTTERFLY
        "bx lr\n"
        "2:\n"
        "pop {r0, r1, r2, r7}\n"
        : "+r"(r0), "+r"(r1), "+r"(r2)
        : [quarter] "i"(LENGTH / 128u)
        : "r3", "r4", "r5", "r6", "r8", "r10", "r11", "r12", "lr", "cc", "memory");
}

/* r5, r2 = the squares of r5 and r7, added up. Their parts are below 0.7072 2^31. */
#define SQUARES \
    SPLIT("r5", "r2") \
    SPLIT("r7", "r3") \
    "mov r4, r2\n" \
    "muls r4, r5, r4\n" \
    "mov r6, r3\n" \
    "muls r6, r7, r6\n" \
    "adds r4, r4, r6\n" \
    "muls r2, r2, r2\n" \
    "muls r3, r3, r3\n" \
    "adds r2, r2, r3\n" \
    "muls r5, r5, r5\n" \
    "muls r7, r7, r7\n" \
    "adds r5, r5, r7\n" \
    "lsls r6, r4, #17\n" \
    "asrs r4, r4, #15\n" \
    "adds r2, r2, r6\n" \
    "adcs r5, r4\n"

/* On the stack are pointers to the next cosine and behind the next sine. */
static inline void power_of_pairs(asc_spectrum_t *spectrum) {
    register asc_complex_t *r0 __asm__("r0") = spectrum->z + 1;
    register asc_complex_t *r1 __asm__("r1") = spectrum->z + LENGTH - 1;
    register const int32_t *r2 __asm__("r2") = asc_frontend_cosine + 1;
    register const int32_t *r3 __asm__("r3") = asc_frontend_cosine + LENGTH / 2u;
    __asm__ volatile(
        ".syntax unified\n"
        "push {r2, r3, r7}\n"
        "1:\n"
        "ldr r4, [sp]\n"
        "ldmia r4!, {r2}\n"
        "str r4, [sp]\n"
        "ldr r3, [sp, #4]\n"
        "subs r3, r3, #4\n"
        "str r3, [sp, #4]\n"
        "ldr r3, [r3]\n"
        SPLIT_TURN
        /* even to the stack, odd to r3 and lr */
        "ldr r2, [r0]\n"
        "ldr r3, [r0, #4]\n"
        "ldr r4, [r1]\n"
        "ldr r5, [r1, #4]\n"
        "adds r6, r2, r4\n"
        "subs r4, r4, r2\n"
        "subs r7, r3, r5\n"
        "adds r3, r3, r5\n"
        "push {r6, r7}\n"
        "mov lr, r4\n"
        TURN("", "mov r3, lr\n", "pop {r2, r3}\n")
        "mov r8, r2\n"
        "mov r10, r3\n"
        SQUARES
        "stmia r0!, {r2, r5}\n"
        "mov r5, r8\n"
        "mov r7, r10\n"
        SQUARES
        "str r2, [r1]\n"
        "str r5, [r1, #4]\n"
        "subs r1, r1, #8\n"
        "cmp r0, r1\n"
        "bhs 2f\n"
        "b 1b\n"
        "2:\n"
        "pop {r2, r3, r7}\n"
        : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3)
        :
        : "r4", "r5", "r6", "r8", "r10", "r11", "r12", "lr", "cc", "memory");
}

/* clang-format on */

/* A layer of no turn, by the largest cosine there is: a product with it is half of b,
 * rounded towards zero. */
static void unturned_layer(asc_complex_t *a, uint32_t span, const asc_complex_t *end) {
    for (; a < end; a += 2 * span) {
        const asc_complex_t half = {(a->re >> 1) + a[span].re / 2, (a->im >> 1) + a[span].im / 2};
        a[span].re = a->re - half.re;
        a[span].im = a->im - half.im;
        *a = half;
    }
}

/* The same for a turn by -i. */
static void turned_back_layer(asc_complex_t *a, uint32_t span, const asc_complex_t *end) {
    for (; a < end; a += 2 * span) {
        const asc_complex_t half = {(a->re >> 1) + a[span].im / 2, (a->im >> 1) - a[span].re / 2};
        a[span].re = a->re - half.re;
        a[span].im = a->im - half.im;
        *a = half;
    }
}

/* Two layers; `step` is the distance of their twiddle factors. */
__attribute__((noinline)) static void layers(asc_complex_t *z, uint32_t span, uint32_t step) {
    const asc_complex_t *end = z + LENGTH;
    const asc_frontend_twiddle_t *twiddle = asc_frontend_twiddle;
    unturned_layer(z, span, end);
    unturned_layer(z, 2 * span, end);
    turned_back_layer(z + span, 2 * span, end);
    for (uint32_t j = 1; j < span; j++) {
        z++;
        twiddle += step;
        const asc_frontend_turn_t back = {-twiddle->second.sine, twiddle->second.cosine};
        if (2 * j == span) {
            turned_back_layer(z, span, end);
            layer_by_45_degrees(z, z + 2 * span, end, &twiddle->second);
            layer_by_135_degrees(z + span, z + 3 * span, end, &back);
            continue;
        }
        if (4 * j == span) {
            layer_by_45_degrees(z, z + span, end, &twiddle->first);
        } else if (4 * j == 3 * span) {
            layer_by_135_degrees(z, z + span, end, &twiddle->first);
        } else {
            layer(z, z + span, end, &twiddle->first);
        }
        layer(z, z + 2 * span, end, &twiddle->second);
        layer(z + span, z + 3 * span, end, &back);
    }
}

/* Two layers, which add elements `span` and 2 `span` apart. */
static inline void two_layers(asc_complex_t *z, uint32_t span) {
    layers(z, span, LENGTH / 4u / span);
}

#endif
