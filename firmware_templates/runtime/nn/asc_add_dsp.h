/* SPDX-License-Identifier: Apache-2.0
 *
 * Sums of two operands on cores with the DSP extension, four codes at a time; a part of
 * asc_kernels.c.
 *
 * The operand with the larger scale is multiplied by a half, which is a shift. Its zero point is
 * part of what rounding adds to the other one.
 */
#ifndef ASC_ADD_DSP_H
#define ASC_ADD_DSP_H

#include "asc_arithmetic.h"
#include "asc_dsp.h"
#include "asc_kernels.h"

/* What all sums of a row share. The scaled operand is multiplied first, then shifted. */
typedef struct {
    const int8_t *halved;
    const int8_t *scaled;
    int8_t *output;
    int32_t multiplier; /* of the scaled operand */
    int32_t added;      /* to it, before it is shifted */
    int32_t bits;       /* by which it is shifted */
    int32_t zero;       /* -zero_point of it */
    int32_t sum_multiplier;
    int32_t sum_added; /* as asc_finish_narrow has it */
    int32_t sum_bits;
    const int8_t *end; /* of the output */
} asc_sums_of_two_t;

ASC_ASSERT_OFFSET(asc_sums_of_two_t, scaled, 4);
ASC_ASSERT_OFFSET(asc_sums_of_two_t, output, 8);
ASC_ASSERT_OFFSET(asc_sums_of_two_t, multiplier, 12);
ASC_ASSERT_OFFSET(asc_sums_of_two_t, added, 16);
ASC_ASSERT_OFFSET(asc_sums_of_two_t, bits, 20);
ASC_ASSERT_OFFSET(asc_sums_of_two_t, zero, 24);
ASC_ASSERT_OFFSET(asc_sums_of_two_t, sum_multiplier, 28);
ASC_ASSERT_OFFSET(asc_sums_of_two_t, sum_added, 32);
ASC_ASSERT_OFFSET(asc_sums_of_two_t, sum_bits, 36);
ASC_ASSERT_OFFSET(asc_sums_of_two_t, end, 40);

/* clang-format off */

/* Adds a code of each word, which TURN brings into the lowest byte: both have 19 bits more, and
 * twice their sum is rounded as asc_finish_narrow does. */
#define ADD_CODES(TURN)                \
    "sxtab r12, r6, r11" TURN "\n\t"   \
    "lsl r12, r12, #21\n\t"            \
    "smmlar r14, r12, r3, r4\n\t"      \
    "add r14, r14, r12, asr #31\n\t"   \
    "asr r14, r14, r5\n\t"             \
    "sxtb r12, r10" TURN "\n\t"        \
    "add r14, r14, r12, lsl #19\n\t"   \
    "lsl r14, r14, #1\n\t"             \
    "smmlar r12, r14, r7, r8\n\t"      \
    "add r12, r12, r14, asr #31\n\t"   \
    "asr r12, r12, r9\n\t"             \
    "ssat r12, #8, r12, asr #1\n\t"    \
    "strb r12, [r2], #1\n\t"

/* All registers are taken: the end waits on the stack. */
static void add_fours(const asc_sums_of_two_t *sums) {
    register const asc_sums_of_two_t *r0 __asm__("r0") = sums;
    __asm__ volatile(
        "push {r7, r9}\n\t"
        "ldr r1, [r0, #40]\n\t"
        "push {r0, r1}\n\t"
        "ldm r0, {r0, r1, r2, r3, r4, r5, r6, r7, r8, r9}\n\t"
        "1:\n\t"
        "ldr r10, [r0], #4\n\t"
        "ldr r11, [r1], #4\n\t"
        ADD_CODES("")
        ADD_CODES(", ror #8")
        ADD_CODES(", ror #16")
        ADD_CODES(", ror #24")
        "ldr r12, [sp, #4]\n\t"
        "cmp r2, r12\n\t"
        "bne 1b\n\t"
        "pop {r0, r1}\n\t"
        "pop {r7, r9}"
        : "+r"(r0)
        :
        : "r1", "r2", "r3", "r4", "r5", "r6", "r8", "r10", "r11", "r12", "r14", "cc", "memory");
}
/* clang-format on */

/* Whether an operand is multiplied by a half. */
static inline int is_halved(const asc_operand_t *operand) {
    return operand->multiplier == 1 << 30 && operand->shift == 0;
}

/* Whether there is a loop for operands of these scales: none of its sums leaves 32 bits. */
static inline int fits_fours(const asc_operand_t *halved, const asc_operand_t *scaled,
                             int32_t shift) {
    return is_halved(halved) && scaled->shift < 0 && scaled->shift >= -4 && shift < 0 &&
           shift >= -23;
}

/* Adds codes four at a time, and returns how many: none if there is no loop for their scales. */
static int32_t add_in_fours(const asc_add_t *layer, const int8_t *first, const int8_t *second,
                            int8_t *output) {
    const int is_first = fits_fours(&layer->first, &layer->second, layer->shift);
    const asc_operand_t *halved = is_first ? &layer->first : &layer->second;
    const asc_operand_t *scaled = is_first ? &layer->second : &layer->first;
    const int32_t fours = layer->size / 4 * 4;
    if (fours == 0 || !fits_fours(halved, scaled, layer->shift)) {
        return 0;
    }
    const int32_t bits = -scaled->shift;
    asc_sums_of_two_t sums;
    sums.halved = is_first ? first : second;
    sums.scaled = is_first ? second : first;
    sums.output = output;
    sums.multiplier = scaled->multiplier;
    sums.added = (1 << (bits - 1)) - asc_shift_left(halved->zero_point, 19 + bits);
    sums.bits = bits;
    sums.zero = -scaled->zero_point;
    sums.sum_multiplier = layer->multiplier;
    sums.sum_bits = -layer->shift - 1;
    sums.sum_added = asc_shift_left(asc_narrow_offset(&layer->range), sums.sum_bits);
    sums.end = output + fours;
    add_fours(&sums);
    if (layer->range.clamps) {
        asc_clamp(&layer->range, output, fours);
    }
    return fours;
}

#endif
