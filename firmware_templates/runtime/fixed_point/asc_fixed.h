/* SPDX-License-Identifier: Apache-2.0
 *
 * Fixed-point products. Cores with the DSP extension have them as single instructions, which
 * compilers do not find by themselves. All variants give the same bits.
 */
#ifndef ASC_FIXED_H
#define ASC_FIXED_H

#include <stddef.h>
#include <stdint.h>

#if (-1 >> 1) != -1
#error "fixed-point arithmetic needs arithmetic right shifts"
#endif

/* Assembly needs the register that some builds keep for a frame pointer. */
#if defined(__GNUC__) && !defined(__clang__) && defined(__OPTIMIZE__)
#pragma GCC optimize("omit-frame-pointer")
#endif

/* Cortex-M3 and larger cores. */
#if defined(__GNUC__) && defined(__thumb2__)
#define ASC_HAS_THUMB2 1
#else
#define ASC_HAS_THUMB2 0
#endif

#if ASC_HAS_THUMB2 && defined(__ARM_FEATURE_DSP)
#define ASC_HAS_DSP 1
#else
#define ASC_HAS_DSP 0
#endif

/* Loops in assembly change r9 and give it back. An interrupt handler may need it meanwhile where it
 * is a static base: ASC_KEEP_R9 leaves r9 alone, at the price of these loops. */
#if !defined(ASC_KEEP_R9) && defined(__ARM_RWPI)
#define ASC_KEEP_R9
#endif
#if ASC_HAS_THUMB2 && !defined(ASC_KEEP_R9)
#define ASC_HAS_THUMB2_LOOPS 1
#else
#define ASC_HAS_THUMB2_LOOPS 0
#endif

/* Where r9 is the base of position-independent data, GCC refuses what says that it changes r9. */
#ifdef __PIC__
#define ASC_CHANGED_R9 , "r9"
#else
#define ASC_CHANGED_R9
#endif

/* Names of registers in assembly, of a list with X(name, register) for each, and their end. */
#define ASC_NAME_REGISTER(NAME, REGISTER) #NAME " .req " #REGISTER "\n"
#define ASC_FORGET_REGISTER(NAME, REGISTER) ".unreq " #NAME "\n"

/* Cores that multiply to 32 bits only. */
#if defined(__thumb__) && !defined(__thumb2__) && defined(__OPTIMIZE__) && defined(__GNUC__)
#define ASC_HAS_THUMB1 1
#else
#define ASC_HAS_THUMB1 0
#endif

/* The vector extension, from GCC 12 on; its assembly is not written for other compilers. */
#if ASC_HAS_THUMB2 && defined(__ARM_FEATURE_MVE) && (__ARM_FEATURE_MVE & 1) && __GNUC__ >= 12 && \
    defined(__OPTIMIZE__) && !defined(__clang__)
#define ASC_HAS_MVE 1
#else
#define ASC_HAS_MVE 0
#endif

/* Does not compile unless a member lies so many bytes behind its structure's beginning, where
 * assembly reads it. */
#define ASC_FIXED_ASSERT_OFFSET(TYPE, MEMBER, BYTES) \
    typedef char TYPE##_##MEMBER##_is_there[offsetof(TYPE, MEMBER) == (BYTES) ? 1 : -1]

/* Does not compile unless elements of an array lie so many bytes apart. */
#define ASC_FIXED_ASSERT_SIZE(TYPE, BYTES) \
    typedef char TYPE##_size[sizeof(TYPE) == (BYTES) ? 1 : -1]

#if ASC_HAS_DSP

/* a + x y / 2^32, the product rounded. */
static inline int32_t asc_add_product(int32_t a, int32_t x, int32_t y) {
    int32_t result;
    __asm__("smmlar %0, %1, %2, %3" : "=r"(result) : "r"(x), "r"(y), "r"(a));
    return result;
}

/* a - x y / 2^32, the negative product rounded. */
static inline int32_t asc_subtract_product(int32_t a, int32_t x, int32_t y) {
    int32_t result;
    __asm__("smmlsr %0, %1, %2, %3" : "=r"(result) : "r"(x), "r"(y), "r"(a));
    return result;
}

/* weight times the low half of a word, / 2^16, rounded down. */
static inline int32_t asc_multiply_low(int32_t weight, uint32_t word) {
    int32_t result;
    __asm__("smulwb %0, %1, %2" : "=r"(result) : "r"(weight), "r"(word));
    return result;
}

/* a + weight times the low half of a word / 2^16, rounded down. */
static inline int32_t asc_add_low_product(int32_t a, int32_t weight, uint32_t word) {
    int32_t result;
    __asm__("smlawb %0, %1, %2, %3" : "=r"(result) : "r"(weight), "r"(word), "r"(a));
    return result;
}

/* weight times the high half of a word, / 2^16, rounded down. */
static inline int32_t asc_multiply_high(int32_t weight, uint32_t word) {
    int32_t result;
    __asm__("smulwt %0, %1, %2" : "=r"(result) : "r"(weight), "r"(word));
    return result;
}

/* a + weight times the high half of a word / 2^16, rounded down. */
static inline int32_t asc_add_high_product(int32_t a, int32_t weight, uint32_t word) {
    int32_t result;
    __asm__("smlawt %0, %1, %2, %3" : "=r"(result) : "r"(weight), "r"(word), "r"(a));
    return result;
}

#else

#if ASC_HAS_THUMB1

#include "asc_fixed_thumb1.h"

#elif ASC_HAS_THUMB2

static inline int32_t asc_add_product(int32_t a, int32_t x, int32_t y) {
    uint32_t rest = UINT32_C(1) << 31;
    __asm__("smlal %0, %1, %2, %3" : "+r"(rest), "+r"(a) : "r"(x), "r"(y));
    return a;
}

#else

static inline int32_t asc_add_product(int32_t a, int32_t x, int32_t y) {
    return a + (int32_t)(((int64_t)x * y + (INT64_C(1) << 31)) >> 32);
}

#endif

static inline int32_t asc_subtract_product(int32_t a, int32_t x, int32_t y) {
    return asc_add_product(a, x, -y);
}

#if !ASC_HAS_THUMB1

static inline int32_t asc_multiply_high(int32_t weight, uint32_t word) {
    return (int32_t)(((int64_t)weight * (int32_t)(word & 0xFFFF0000u)) >> 32);
}

#endif

static inline int32_t asc_multiply_low(int32_t weight, uint32_t word) {
    return asc_multiply_high(weight, word << 16);
}

static inline int32_t asc_add_low_product(int32_t a, int32_t weight, uint32_t word) {
    return a + asc_multiply_low(weight, word);
}

static inline int32_t asc_add_high_product(int32_t a, int32_t weight, uint32_t word) {
    return a + asc_multiply_high(weight, word);
}

#endif

#if ASC_HAS_THUMB2

/* The same as int8 or int16, the nearest there is. */
static inline int32_t asc_saturate8(int32_t value) {
    int32_t result;
    __asm__("ssat %0, #8, %1" : "=r"(result) : "r"(value));
    return result;
}

static inline int32_t asc_saturate16(int32_t value) {
    int32_t result;
    __asm__("ssat %0, #16, %1" : "=r"(result) : "r"(value));
    return result;
}

static inline uint64_t asc_load(const uint64_t **from) {
    uint64_t value;
    __asm__("ldrd %Q0, %R0, [%1], #8" : "=r"(value), "+r"(*from) : "m"(**from));
    return value;
}

/* Two values, the first in the low half. */
static inline uint64_t asc_load_two(const int32_t **from) {
    uint64_t values;
    __asm__("ldrd %Q0, %R0, [%1], #8"
            : "=r"(values), "+r"(*from)
            : "m"((*from)[0]), "m"((*from)[1]));
    return values;
}

/* sum + x y */
static inline uint64_t asc_accumulate(uint64_t sum, uint32_t x, uint32_t y) {
    __asm__("umlal %Q0, %R0, %1, %2" : "+r"(sum) : "r"(x), "r"(y));
    return sum;
}

#else

/* Whether a value is an int8 or an int16. Some cores have the narrower number in one instruction,
 * others do the comparison of unsigned numbers in less. */
#if ASC_HAS_THUMB1
#define ASC_FIXED_HAS_BITS(VALUE, BITS) ((int##BITS##_t)(VALUE) == (VALUE))
#else
#define ASC_FIXED_HAS_BITS(VALUE, BITS) ((uint32_t)(VALUE) + (1u << ((BITS) - 1u)) < 1u << (BITS))
#endif

static inline int32_t asc_saturate8(int32_t value) {
    if (!ASC_FIXED_HAS_BITS(value, 8)) {
        value = value < 0 ? INT8_MIN : INT8_MAX;
    }
    return value;
}

static inline int32_t asc_saturate16(int32_t value) {
    if (!ASC_FIXED_HAS_BITS(value, 16)) {
        value = value < 0 ? INT16_MIN : INT16_MAX;
    }
    return value;
}

static inline uint64_t asc_load(const uint64_t **from) {
    return *(*from)++;
}

static inline uint64_t asc_load_two(const int32_t **from) {
    const uint64_t values = (uint32_t)(*from)[0] | (uint64_t)(uint32_t)(*from)[1] << 32;
    *from += 2;
    return values;
}

#if !ASC_HAS_THUMB1

static inline uint64_t asc_accumulate(uint64_t sum, uint32_t x, uint32_t y) {
    return sum + (uint64_t)x * y;
}

#endif

#endif

#if !ASC_HAS_THUMB1

/* a + x y / 2^32, the product rounded, where x has 16 bits. */
static inline int32_t asc_add_short_product(int32_t a, int32_t x, int32_t y) {
    return asc_add_product(a, x, y);
}

#endif

/* Re squared and im squared, added. */
static inline uint64_t asc_squares(int32_t re, int32_t im) {
#if ASC_HAS_THUMB1
    return asc_add_square(asc_add_square(0, re), im);
#else
    return (uint64_t)((int64_t)re * re + (int64_t)im * im);
#endif
}

/* Leading zero bits of a value other than 0. */
static inline uint32_t asc_leading_zeros(uint32_t value) {
#if defined(__GNUC__)
    return (uint32_t)__builtin_clz(value);
#else
    uint32_t zeros = 0;
    for (; (value >> 31) == 0; value <<= 1) {
        zeros++;
    }
    return zeros;
#endif
}

static inline uint32_t asc_reverse_bits(uint32_t value) {
#if defined(__GNUC__) && defined(__thumb2__)
    uint32_t result;
    __asm__("rbit %0, %1" : "=r"(result) : "r"(value));
    return result;
#else
    value = ((value >> 1) & 0x55555555u) | ((value & 0x55555555u) << 1);
    value = ((value >> 2) & 0x33333333u) | ((value & 0x33333333u) << 2);
    value = ((value >> 4) & 0x0F0F0F0Fu) | ((value & 0x0F0F0F0Fu) << 4);
    value = ((value >> 8) & 0x00FF00FFu) | ((value & 0x00FF00FFu) << 8);
    return (value >> 16) | (value << 16);
#endif
}

#endif
