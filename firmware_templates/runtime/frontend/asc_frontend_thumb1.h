/* SPDX-License-Identifier: Apache-2.0
 *
 * Loops of asc_frontend_steps.h for cores that multiply to 32 bits only.
 */
#ifndef ASC_FRONTEND_THUMB1_H
#define ASC_FRONTEND_THUMB1_H

#include <stdint.h>

#include "asc_fixed.h"
#include "asc_frontend.h"

ASC_FIXED_ASSERT_OFFSET(asc_frontend_ramp_t, start, 0);
ASC_FIXED_ASSERT_OFFSET(asc_frontend_ramp_t, step, 4);
ASC_FIXED_ASSERT_SIZE(asc_frontend_ramp_t, 8);

/* clang-format off */

/* LOW and X = X times r8, of 64 bits. Changes r4 to r6. */
#define MULTIPLY(LOW, X) \
    "mov r6, r8\n" \
    "uxth r4, " X "\n" \
    "lsrs " X ", " X ", #16\n" \
    "uxth r5, r6\n" \
    "lsrs r6, r6, #16\n" \
    "mov " LOW ", r4\n" \
    "muls " LOW ", r5, " LOW "\n" \
    "muls r4, r6, r4\n" \
    "muls r5, " X ", r5\n" \
    "muls " X ", r6, " X "\n" \
    "lsls r6, r4, #16\n" \
    "lsrs r4, r4, #16\n" \
    "adds " LOW ", " LOW ", r6\n" \
    "adcs " X ", r4\n" \
    "lsls r6, r5, #16\n" \
    "lsrs r5, r5, #16\n" \
    "adds " LOW ", " LOW ", r6\n" \
    "adcs " X ", r5\n"

/* The sums of the power of the bins of a segment, of which there is one at least, weighted by a ramp
 * and as it is. With w the weight of the last of n bins the weighted sum is w times the sum of all
 * less `step` times the sum of the sums of the first 1 to n - 1 bins: products for a segment instead
 * of products for each bin. */
static inline uint64_t weighted_power(const uint64_t *power, const uint64_t *end,
                                      const asc_frontend_ramp_t *ramp, uint64_t *sum) {
    register const uint64_t *r0 __asm__("r0") = power;
    register const uint64_t *r1 __asm__("r1") = end;
    register uint32_t r2 __asm__("r2") = ramp->start;
    register uint32_t r3 __asm__("r3") = ramp->step;
    __asm__ volatile(
        ".syntax unified\n"
        "push {r7}\n"
        /* r8 = w, r10 = step, r11 = n - 1 */
        "mov r10, r3\n"
        "subs r4, r1, r0\n"
        "lsrs r4, r4, #3\n"
        "subs r4, r4, #1\n"
        "mov r11, r4\n"
        "muls r4, r3, r4\n"
        "adds r4, r4, r2\n"
        "mov r8, r4\n"
        /* r3, r2 = the sum; r12, r5, r4 = the sum of sums */
        "ldmia r0!, {r2, r3}\n"
        "movs r4, #0\n"
        "movs r5, #0\n"
        "mov r12, r4\n"
        "cmp r0, r1\n"
        "beq 3f\n"
        "1:\n"
        "adds r4, r4, r2\n"
        "adcs r5, r3\n"
        "bcc 2f\n"
        "mov r6, r12\n"
        "adds r6, r6, #1\n"
        "mov r12, r6\n"
        "2:\n"
        "ldmia r0!, {r6, r7}\n"
        "adds r2, r2, r6\n"
        "adcs r3, r7\n"
        "cmp r0, r1\n"
        "blo 1b\n"
        "3:\n"
        "push {r2, r3, r4, r5}\n"
        /* r3, r2, r7 = w times the sum */
        MULTIPLY("r7", "r2")
        MULTIPLY("r0", "r3")
        "adds r2, r2, r0\n"
        "movs r0, #0\n"
        "adcs r3, r0\n"
        "mov r4, r11\n"
        "cmp r4, #0\n"
        "beq 4f\n"
        /* less step times the sum of sums */
        "mov r8, r10\n"
        "ldr r0, [sp, #8]\n"
        MULTIPLY("r1", "r0")
        "subs r7, r7, r1\n"
        "sbcs r2, r0\n"
        "movs r0, #0\n"
        "sbcs r3, r0\n"
        "ldr r0, [sp, #12]\n"
        MULTIPLY("r1", "r0")
        "subs r2, r2, r1\n"
        "sbcs r3, r0\n"
        "mov r0, r12\n"
        "mov r1, r10\n"
        "muls r0, r1, r0\n"
        "subs r3, r3, r0\n"
        "4:\n"
        /* r1, r0 = all this without its fraction */
        "lsrs r7, r7, %[fraction]\n"
        "lsls r0, r2, %[whole]\n"
        "orrs r0, r7\n"
        "lsrs r2, r2, %[fraction]\n"
        "lsls r1, r3, %[whole]\n"
        "orrs r1, r2\n"
        "pop {r2, r3, r4, r5}\n"
        "pop {r7}\n"
        : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3)
        : [fraction] "i"(ASC_FRONTEND_WEIGHT_BITS), [whole] "i"(32u - ASC_FRONTEND_WEIGHT_BITS)
        : "r4", "r5", "r6", "r8", "r10", "r11", "r12", "cc", "memory");
    *sum = (uint64_t)r3 << 32 | r2;
    return (uint64_t)(uint32_t)(uintptr_t)r1 << 32 | (uint32_t)(uintptr_t)r0;
}

/* clang-format on */

#if ASC_FRONTEND_DELTAS

/* x / 10, rounded, halves up, of ten times a delta: at most 6 * 2^15 in magnitude. Its half,
 * rounded up, takes a product with 2^16 / 5 = 13107 (1 + 2^-16), less 1 in 2^32; what that lacks to
 * a whole number is less than the 2 that are added, and those less than a fifth. */
static inline int32_t tenth(int32_t x) {
    int32_t half = (x + 5) >> 1;
    /* compilers would take shifts and sums for this product */
    __asm__(".syntax unified\n"
            "muls %0, %1, %0\n"
            : "+l"(half)
            : "l"(13107)
            : "cc");
    return (half + (half >> 16) + 2) >> 16;
}

/* a + x y / 2^32, the product rounded: x is ten times a second delta, below 2^17 in magnitude, and
 * y a reciprocal, 0 or more and below 2^32 / 30. */
static inline int32_t add_second_delta(int32_t a, int32_t x, int32_t y) {
    const int32_t twice = (x * (y >> 14) + (x * (y & 0x3FFF) >> 14)) >> 17;
    return a + ((twice + 1) >> 1);
}

#endif

#endif
