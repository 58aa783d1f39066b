/* SPDX-License-Identifier: Apache-2.0
 *
 * What kernels for cores with the DSP extension share.
 */
#ifndef ASC_DSP_H
#define ASC_DSP_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Loops of the DSP path change r9 and give it back. An interrupt handler may need it meanwhile
 * where it is a static base: ASC_KEEP_R9 leaves r9 alone, at the price of these loops. */
#if !defined(ASC_KEEP_R9) && defined(__ARM_RWPI)
#define ASC_KEEP_R9
#endif

/* The loops of the DSP path are in line assembly as GCC and clang take it, with registers that only
 * optimisation leaves free. */
#if defined(__ARM_FEATURE_DSP) && defined(__GNUC__) && defined(__OPTIMIZE__) && \
    !defined(ASC_KEEP_R9)
#define ASC_KERNELS_DSP 1
#else
#define ASC_KERNELS_DSP 0
#endif

/* Does not compile where r9 is the base of position-independent data: GCC has no macro for
 * -msingle-pic-base. ASC_KEEP_R9 does without the loops. */
#if ASC_KERNELS_DSP && defined(__PIC__) && !defined(__clang__)
__attribute__((used)) static void asc_needs_keep_r9_where_r9_is_a_base(void) {
    __asm__ volatile("" : : : "r9");
}
#endif

/* Loops for cores that multiply to 32 bits only. */
#if defined(__thumb__) && !defined(__thumb2__) && defined(__GNUC__) && defined(__OPTIMIZE__)
#define ASC_KERNELS_THUMB1 1
#else
#define ASC_KERNELS_THUMB1 0
#endif

/* Does not compile unless a member lies so many bytes behind its structure's beginning, where
 * assembly reads it. */
#define ASC_ASSERT_OFFSET(TYPE, MEMBER, BYTES) \
    typedef char TYPE##_##MEMBER##_is_there[offsetof(TYPE, MEMBER) == (BYTES) ? 1 : -1]

/* Does not assemble unless so many bytes lie between labels 2 and 3: assemblers differ in when they
 * know it. */
#if defined(__clang__)
#define ASSERT_BYTES(BYTES) ".space (3b - 2b) - " BYTES "\n\t.space " BYTES " - (3b - 2b)\n\t"
#else
#define ASSERT_BYTES(BYTES) ".if (3b - 2b) - " BYTES "\n\t.error \"other size\"\n\t.endif\n\t"
#endif

/* Assembly of so many bytes eight times, from as many bytes behind its beginning on as a register
 * has. The loop goes back to label 2. Compilers take it for shorter than it is: it needs a function
 * of its own, without jumps across it. */
#define EIGHT_TIMES(REGISTER, CODE, BYTES) \
    "add " REGISTER ", pc\n\t"             \
    "mov pc, " REGISTER "\n\t"             \
    "2:\n\t.rept 8\n\t" CODE ".endr\n\t3:\n\t" ASSERT_BYTES("8 * " BYTES)

/* Corrects a value that a sum is rounded to, in assembly. Halves go away from zero: values of
 * negative sums become 1 less before the last shift. */
#define ASC_ROUND_AWAY(VALUE, SUM) "add " VALUE ", " VALUE ", " SUM ", asr #31\n\t"

/* Functions whose constant arguments decide which code there is. */
#if defined(__GNUC__) && defined(__OPTIMIZE__)
#define ASC_INLINE static inline __attribute__((always_inline))
#else
#define ASC_INLINE static inline
#endif

/* Functions that need much of the stack, which no other way through the kernels shall need. */
#define ASC_APART __attribute__((noinline))

/* Four bytes from any address, the first in the lowest bits. */
static inline uint32_t asc_load_word(const int8_t *bytes) {
    uint32_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

#if ASC_KERNELS_DSP

/* Bytes 0 and 2 of four, as two values of 16 bits, and bytes 1 and 3. */
static inline uint32_t asc_widen_even(uint32_t bytes) {
    uint32_t result;
    __asm__("sxtb16 %0, %1" : "=r"(result) : "r"(bytes));
    return result;
}

static inline uint32_t asc_widen_odd(uint32_t bytes) {
    uint32_t result;
    __asm__("sxtb16 %0, %1, ror #8" : "=r"(result) : "r"(bytes));
    return result;
}

/* The same, added to two values. */
static inline uint32_t asc_widen_even_onto(uint32_t pair, uint32_t bytes) {
    uint32_t result;
    __asm__("sxtab16 %0, %1, %2" : "=r"(result) : "r"(pair), "r"(bytes));
    return result;
}

static inline uint32_t asc_widen_odd_onto(uint32_t pair, uint32_t bytes) {
    uint32_t result;
    __asm__("sxtab16 %0, %1, %2, ror #8" : "=r"(result) : "r"(pair), "r"(bytes));
    return result;
}

/* Bytes 0 and 2 of four as a pair of values of 16 bits, and bytes 1 and 3. */
typedef struct {
    uint32_t even;
    uint32_t odd;
} asc_pairs_t;

/* Four codes or weights in the scale of sums: doubled, or 256 times as large if they are rounded
 * once. */
ASC_INLINE asc_pairs_t asc_scale_four(uint32_t bytes, int once) {
    const uint32_t mask = 0xFF00FF00u;
    const asc_pairs_t large = {bytes << 8 & mask, bytes & mask};
    if (once) {
        return large;
    }
    const asc_pairs_t twice = {asc_widen_even_onto(asc_widen_even(bytes), bytes),
                               asc_widen_odd_onto(asc_widen_odd(bytes), bytes)};
    return twice;
}

/* Adds the product of the low values of two pairs, or of the high ones. */
static inline int32_t asc_add_low_low(uint32_t a, uint32_t b, int32_t sum) {
    int32_t result;
    __asm__("smlabb %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(sum));
    return result;
}

static inline int32_t asc_add_high_high(uint32_t a, uint32_t b, int32_t sum) {
    int32_t result;
    __asm__("smlatt %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(sum));
    return result;
}

/* Two values side by side: the low ones of two pairs, and the high ones. */
static inline uint32_t asc_pack_low(uint32_t low, uint32_t high) {
    uint32_t result;
    __asm__("pkhbt %0, %1, %2, lsl #16" : "=r"(result) : "r"(low), "r"(high));
    return result;
}

static inline uint32_t asc_pack_high(uint32_t low, uint32_t high) {
    uint32_t result;
    __asm__("pkhtb %0, %1, %2, asr #16" : "=r"(result) : "r"(high), "r"(low));
    return result;
}

/* Sums of 16 bits hold the codes of so many pixels. */
enum { ASC_MOST_PIXELS = 256 };

/* Adds the codes of four channels of pixels `step` bytes apart to two pairs of sums. */
static inline void asc_add_pixels(const int8_t *value, int32_t step, int32_t pixels, uint32_t *even,
                                  uint32_t *odd) {
    uint32_t even_sums = *even, odd_sums = *odd;
    int32_t pairs = pixels / 2;
    if (pairs > 0) {
        uint32_t first, second;
        __asm__ volatile("1:\n\t"
                         "ldr %[first], [%[value]]\n\t"
                         "ldr %[second], [%[value], %[step]]\n\t"
                         "sxtab16 %[even], %[even], %[first]\n\t"
                         "sxtab16 %[odd], %[odd], %[first], ror #8\n\t"
                         "sxtab16 %[even], %[even], %[second]\n\t"
                         "sxtab16 %[odd], %[odd], %[second], ror #8\n\t"
                         "add %[value], %[value], %[step], lsl #1\n\t"
                         "subs %[pairs], %[pairs], #1\n\t"
                         "bne 1b"
                         : [first] "=&r"(first), [second] "=&r"(second), [value] "+r"(value),
                           [even] "+r"(even_sums), [odd] "+r"(odd_sums), [pairs] "+r"(pairs)
                         : [step] "r"(step)
                         : "cc", "memory");
    }
    if (pixels % 2 != 0) {
        const uint32_t last = asc_load_word(value);
        even_sums = asc_widen_even_onto(even_sums, last);
        odd_sums = asc_widen_odd_onto(odd_sums, last);
    }
    *even = even_sums;
    *odd = odd_sums;
}

#endif

#endif
