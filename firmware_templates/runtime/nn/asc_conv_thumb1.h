/* SPDX-License-Identifier: Apache-2.0
 *
 * Products of values and weights on cores that multiply to 32 bits and extend bytes in registers
 * only; a part of asc_conv.c and asc_upsampled_sum.c.
 */
#ifndef ASC_CONV_THUMB1_H
#define ASC_CONV_THUMB1_H

#include <stdint.h>

typedef struct {
    int32_t first;
    int32_t second;
} asc_two_sums_t;

/* clang-format off */

/* Adds the products of a weight, in r6, and a value each of two windows, in r3 and r4, to r8 and
 * r10. VALUE takes one of two values of a word, and changes the register that it names. */
#define ADD_PRODUCTS(VALUE, FIRST, SECOND) \
    VALUE(FIRST, "r3") \
    "muls " FIRST ", r6, " FIRST "\n" \
    "add r8, " FIRST "\n" \
    VALUE(SECOND, "r4") \
    "muls " SECOND ", r6, " SECOND "\n" \
    "add r10, " SECOND "\n"
#define LOW_VALUE(RESULT, WORD) "sxth " RESULT ", " WORD "\n"
#define HIGH_VALUE(RESULT, WORD) "asrs " RESULT ", " WORD ", #16\n"

/* The products of a channel's weights from `weights` to `end`, of which each second four are
 * another's, and two windows, added up. All lie at whole words; the four are of values 0, 2, 1, 3. */
static inline asc_two_sums_t multiply_two_windows(const int16_t *first, const int16_t *second,
                                                  const int8_t *weights, const int8_t *end) {
    register const int16_t *r0 __asm__("r0") = first;
    register const int16_t *r1 __asm__("r1") = second;
    register const int8_t *r2 __asm__("r2") = weights;
    register const int8_t *r3 __asm__("r3") = end;
    __asm__ volatile(
        ".syntax unified\n"
        "push {r7}\n"
        "mov r11, r3\n"
        "movs r3, #0\n"
        "mov r8, r3\n"
        "mov r10, r3\n"
        "1:\n"
        "ldmia r0!, {r3}\n"
        "ldmia r1!, {r4}\n"
        "ldmia r2!, {r5}\n"
        "sxtb r6, r5\n"
        ADD_PRODUCTS(LOW_VALUE, "r7", "r7")
        "lsls r6, r5, #8\n"
        "asrs r6, r6, #24\n"
        ADD_PRODUCTS(HIGH_VALUE, "r3", "r4")
        "ldmia r0!, {r3}\n"
        "ldmia r1!, {r4}\n"
        "lsls r6, r5, #16\n"
        "asrs r6, r6, #24\n"
        ADD_PRODUCTS(LOW_VALUE, "r7", "r7")
        "asrs r6, r5, #24\n"
        ADD_PRODUCTS(HIGH_VALUE, "r3", "r4")
        "adds r2, r2, #4\n"
        "cmp r2, r11\n"
        "blo 1b\n"
        "mov r0, r8\n"
        "mov r1, r10\n"
        "pop {r7}\n"
        : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3)
        :
        : "r4", "r5", "r6", "r8", "r10", "r11", "cc", "memory");
    const asc_two_sums_t sums = {(int32_t)(intptr_t)r0, (int32_t)(intptr_t)r1};
    return sums;
}

/* Adds the products of a value, in r5, and weights of two filters, bytes 0 and 1 of a word or 2 and 3,
 * to r8 and r10. */
#define ADD_LOW_WEIGHTS(WORD) \
    "sxtb r6, " WORD "\n" \
    "muls r6, r5, r6\n" \
    "add r8, r6\n" \
    "lsls r6, " WORD ", #16\n" \
    "asrs r6, r6, #24\n" \
    "muls r6, r5, r6\n" \
    "add r10, r6\n"
#define ADD_HIGH_WEIGHTS(WORD) \
    "lsls r6, " WORD ", #8\n" \
    "asrs r6, r6, #24\n" \
    "muls r6, r5, r6\n" \
    "add r8, r6\n" \
    "asrs r6, " WORD ", #24\n" \
    "muls r6, r5, r6\n" \
    "add r10, r6\n"

/* The products of a pixel up to `end` and two filters, of which each two words have a weight each of
 * values 0, 2, 1, 3. All lie at whole words. */
static inline asc_two_sums_t multiply_two_filters(const int8_t *pixel, const int8_t *end,
                                                  const int8_t *weights) {
    register const int8_t *r0 __asm__("r0") = pixel;
    register const int8_t *r1 __asm__("r1") = end;
    register const int8_t *r2 __asm__("r2") = weights;
    __asm__ volatile(
        ".syntax unified\n"
        "movs r3, #0\n"
        "mov r8, r3\n"
        "mov r10, r3\n"
        "mov r11, r1\n"
        "1:\n"
        "ldmia r0!, {r4}\n"
        "ldmia r2!, {r1, r3}\n"
        "sxtb r5, r4\n"
        ADD_LOW_WEIGHTS("r1")
        "lsls r5, r4, #8\n"
        "asrs r5, r5, #24\n"
        ADD_HIGH_WEIGHTS("r1")
        "lsls r5, r4, #16\n"
        "asrs r5, r5, #24\n"
        ADD_LOW_WEIGHTS("r3")
        "asrs r5, r4, #24\n"
        ADD_HIGH_WEIGHTS("r3")
        "cmp r0, r11\n"
        "blo 1b\n"
        "mov r0, r8\n"
        "mov r1, r10\n"
        : "+r"(r0), "+r"(r1), "+r"(r2)
        :
        : "r3", "r4", "r5", "r6", "r8", "r10", "r11", "cc", "memory");
    const asc_two_sums_t sums = {(int32_t)(intptr_t)r0, (int32_t)(intptr_t)r1};
    return sums;
}

/* clang-format on */

#endif
