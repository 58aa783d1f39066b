/* SPDX-License-Identifier: Apache-2.0
 *
 * Products of 64 bits for cores that multiply to 32: of halves, which is several times as fast as
 * the compiler's library. The bits are those of the portable functions in asc_fixed.h.
 */
#ifndef ASC_FIXED_THUMB1_H
#define ASC_FIXED_THUMB1_H

#include <stdint.h>

/* a + x y / 2^32, the product rounded: the carry of the last shift is the bit below. */
static inline int32_t asc_add_product(int32_t a, int32_t x, int32_t y) {
    int32_t x_low, y_low, sum;
    __asm__(".syntax unified\n"
            "uxth %[x_low], %[x]\n"
            "asrs %[x], %[x], #16\n"
            "uxth %[y_low], %[y]\n"
            "asrs %[y], %[y], #16\n"
            "mov %[sum], %[x_low]\n"
            "muls %[sum], %[y_low], %[sum]\n"
            "lsrs %[sum], %[sum], #16\n"
            "muls %[x_low], %[y], %[x_low]\n"
            "adds %[x_low], %[x_low], %[sum]\n"
            "muls %[y_low], %[x], %[y_low]\n"
            "muls %[x], %[y], %[x]\n"
            "adds %[a], %[a], %[x]\n"
            "uxth %[sum], %[x_low]\n"
            "adds %[sum], %[sum], %[y_low]\n"
            "asrs %[x_low], %[x_low], #16\n"
            "adds %[a], %[a], %[x_low]\n"
            "asrs %[sum], %[sum], #16\n"
            "adcs %[a], %[sum]\n"
            : [a] "+&l"(a), [x] "+&l"(x), [y] "+&l"(y), [x_low] "=&l"(x_low), [y_low] "=&l"(y_low),
              [sum] "=&l"(sum)
            :
            : "cc");
    return a;
}

/* The same where x has 16 bits. */
static inline int32_t asc_add_short_product(int32_t a, int32_t x, int32_t y) {
    const int32_t twice = (x * (y >> 16) + ((x * (y & 0xFFFF)) >> 16)) >> 15;
    return a + ((twice + 1) >> 1);
}

/* weight times the high half of a word, / 2^16, rounded down. */
static inline int32_t asc_multiply_high(int32_t weight, uint32_t word) {
    const int32_t half = (int32_t)word >> 16;
    return (weight >> 16) * half + (((weight & 0xFFFF) * half) >> 16);
}

/* sum + x y */
static inline uint64_t asc_accumulate(uint64_t sum, uint32_t x, uint32_t y) {
    uint32_t x_low, y_low, low;
    __asm__(".syntax unified\n"
            "uxth %[x_low], %[x]\n"
            "lsrs %[x], %[x], #16\n"
            "uxth %[y_low], %[y]\n"
            "lsrs %[y], %[y], #16\n"
            "mov %[low], %[x_low]\n"
            "muls %[low], %[y_low], %[low]\n"
            "muls %[x_low], %[y], %[x_low]\n"
            "muls %[y_low], %[x], %[y_low]\n"
            "muls %[x], %[y], %[x]\n"
            /* the carry of both products in the middle stands at bit 48 */
            "adds %[x_low], %[x_low], %[y_low]\n"
            "sbcs %[y], %[y]\n"
            "adds %[y], %[y], #1\n"
            "lsls %[y], %[y], #16\n"
            "adds %[x], %[x], %[y]\n"
            "lsls %[y], %[x_low], #16\n"
            "lsrs %[x_low], %[x_low], #16\n"
            "adds %[low], %[low], %[y]\n"
            "adcs %[x], %[x_low]\n"
            "adds %Q[sum], %Q[sum], %[low]\n"
            "adcs %R[sum], %[x]\n"
            : [sum] "+&l"(sum), [x] "+&l"(x), [y] "+&l"(y), [x_low] "=&l"(x_low),
              [y_low] "=&l"(y_low), [low] "=&l"(low)
            :
            : "cc");
    return sum;
}

/* sum + x x */
static inline uint64_t asc_add_square(uint64_t sum, int32_t x) {
    int32_t low, middle, shifted;
    __asm__(".syntax unified\n"
            "uxth %[low], %[x]\n"
            "asrs %[x], %[x], #16\n"
            "mov %[middle], %[low]\n"
            "muls %[middle], %[x], %[middle]\n"
            "muls %[low], %[low], %[low]\n"
            "muls %[x], %[x], %[x]\n"
            "lsls %[shifted], %[middle], #17\n"
            "asrs %[middle], %[middle], #15\n"
            "adds %[low], %[low], %[shifted]\n"
            "adcs %[x], %[middle]\n"
            "adds %Q[sum], %Q[sum], %[low]\n"
            "adcs %R[sum], %[x]\n"
            : [sum] "+&l"(sum), [x] "+&l"(x), [low] "=&l"(low), [middle] "=&l"(middle),
              [shifted] "=&l"(shifted)
            :
            : "cc");
    return sum;
}

#endif
