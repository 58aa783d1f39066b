/* SPDX-License-Identifier: Apache-2.0
 *
 * Dense layers on cores with the DSP extension, which read their input as it lies; a part of
 * asc_dense.c. A number of 16 bits has the weights of two outputs, as ASC_DENSE_WEIGHTS has them.
 * Its product with a value is 256 times that of the first weight and that of the second, which the
 * lower byte alone gives, too.
 */
#ifndef ASC_DENSE_DSP_H
#define ASC_DENSE_DSP_H

#include "asc_arithmetic.h"
#include "asc_dsp.h"
#include "asc_kernels.h"

/* Values of an input against four channels: two pairs of them. */
typedef struct {
    const int8_t *input;
    const int8_t *weights_end; /* of the first pair */
    const int8_t *weights;
    const int8_t *second_weights;
    int32_t sums[4];
} asc_dense_block_t;

ASC_ASSERT_OFFSET(asc_dense_block_t, input, 0);
ASC_ASSERT_OFFSET(asc_dense_block_t, weights_end, 4);
ASC_ASSERT_OFFSET(asc_dense_block_t, weights, 8);
ASC_ASSERT_OFFSET(asc_dense_block_t, second_weights, 12);
ASC_ASSERT_OFFSET(asc_dense_block_t, sums, 16);

/* 256 times the products of so many values stay within 32 bits. */
enum { MOST_DENSE_VALUES = 508 };

/* clang-format off */
/* Adds the products of four values and of two pairs of channels: the weights of the pairs are at r2
 * and r3, sums of both channels of a pair in r4 and r6, of the second ones in r5 and r7. Loads that
 * follow each other take a cycle each but for the first. */
#define MULTIPLY_DENSE_FOUR              \
    "ldr r14, [r0], #4\n\t"              \
    "ldr r8, [r2], #4\n\t"               \
    "ldr r9, [r2], #4\n\t"               \
    "ldr r10, [r3], #4\n\t"              \
    "ldr r11, [r3], #4\n\t"              \
    "sxtb16 r12, r14\n\t"                \
    "sxtb16 r14, r14, ror #8\n\t"        \
    "smlad r4, r12, r8, r4\n\t"          \
    "smlad r6, r12, r10, r6\n\t"         \
    "sxtb16 r8, r8\n\t"                  \
    "sxtb16 r10, r10\n\t"                \
    "smlad r4, r14, r9, r4\n\t"          \
    "smlad r6, r14, r11, r6\n\t"         \
    "sxtb16 r9, r9\n\t"                  \
    "sxtb16 r11, r11\n\t"                \
    "smlad r5, r12, r8, r5\n\t"          \
    "smlad r7, r12, r10, r7\n\t"         \
    "smlad r5, r14, r9, r5\n\t"          \
    "smlad r7, r14, r11, r7\n\t"

/* Twice in a loop, as in MULTIPLY_WINDOWS. Sums of both channels of a pair begin with that of the
 * second. */
static void sum_dense(asc_dense_block_t *block) {
    register asc_dense_block_t *r0 __asm__("r0") = block;
    __asm__ volatile(
        "push {r0, r7, r9}\n\t"
        "ldm r0, {r0, r1, r2, r3, r4, r5, r6, r7}\n\t"
        "subs r8, r1, r2\n\t"
        "lsls r8, r8, #28\n\t"
        "mov r4, r5\n\t"
        "mov r6, r7\n\t"
        "bmi 3f\n\t"
        "2:\n\t"
        MULTIPLY_DENSE_FOUR
        "3:\n\t"
        MULTIPLY_DENSE_FOUR
        "cmp r2, r1\n\t"
        "bne 2b\n\t"
        "ldr r0, [sp]\n\t"
        "ldr r1, [r0, #16]!\n\t"
        "ldr r2, [r0, #8]\n\t"
        "sub r4, r4, r5\n\t"
        "sub r6, r6, r7\n\t"
        "add r4, r1, r4, asr #8\n\t"
        "add r6, r2, r6, asr #8\n\t"
        "stm r0, {r4, r5, r6, r7}\n\t"
        "pop {r0, r7, r9}"
        : "+r"(r0)
        :
        : "r1", "r2", "r3", "r4", "r5", "r6", "r8", "r10", "r11", "r12", "r14", "cc", "memory");
}
/* clang-format on */

/* Adds the products of an input and a channel whose weights lie in their own order. */
static int32_t add_dense(const int8_t *input, const int8_t *weights, int32_t depth, int32_t sum) {
    for (const int8_t *const end = input + depth; input < end; input += 4, weights += 8) {
        const uint32_t values = asc_load_word(input), own = asc_load_word(weights);
        const uint32_t even = asc_widen_even(values), even_weights = asc_widen_even(own);
        const uint32_t odd = asc_widen_odd(values), odd_weights = asc_widen_odd(own);
        sum = asc_add_high_high(even, even_weights, asc_add_low_low(even, even_weights, sum));
        sum = asc_add_high_high(odd, odd_weights, asc_add_low_low(odd, odd_weights, sum));
    }
    return sum;
}

/* Adds the products of an input and two pairs of channels, whose weights are combined, to sums. */
static inline void add_combined(const int8_t *input, const int8_t *weights,
                                const int8_t *second_weights, int32_t depth,
                                asc_dense_block_t *block) {
    block->input = input;
    block->weights = weights;
    block->second_weights = second_weights;
    for (; depth > MOST_DENSE_VALUES; depth -= MOST_DENSE_VALUES) {
        block->weights_end = block->weights + 2 * MOST_DENSE_VALUES;
        sum_dense(block);
        block->input += MOST_DENSE_VALUES;
        block->weights += 2 * MOST_DENSE_VALUES;
        block->second_weights += 2 * MOST_DENSE_VALUES;
    }
    block->weights_end = block->weights + 2 * depth;
    sum_dense(block);
}

/* The same of layers of either kind. */
static void add_four(const asc_dense_t *layer, const int8_t *input, const int8_t *weights,
                     const int8_t *second_weights, asc_dense_block_t *block) {
    const int32_t depth = layer->depth;
    if (layer->combined) {
        add_combined(input, weights, second_weights, depth, block);
        return;
    }
    for (int32_t i = 0; i < 4; i++) {
        const int8_t *const own = (i < 2 ? weights : second_weights) + i % 2 * 4;
        block->sums[i] = add_dense(input, own, depth, block->sums[i]);
    }
}

/* Values that are multiplied before sums of pairs are taken apart: a multiple of eight fours. */
enum { DENSE_PART = 480, DENSE_FOUR_BYTES = 76 };

/* An input against channels of a narrow layer, four by four. */
typedef struct {
    const int8_t *input;
    const int8_t *weights;
    const asc_channel_t *channel;
    int8_t *output;
    int32_t pair_bytes; /* weights of a pair of channels */
    int32_t offset;     /* as asc_narrow_offset has it */
    const asc_channel_t *end;
    int32_t part_bytes; /* weights of a pair of the first part; others are whole ones */
    int32_t skipped; /* bytes of code, of fours that the first part has less than eights of them */
} asc_dense_fours_t;

ASC_ASSERT_OFFSET(asc_dense_fours_t, weights, 4);
ASC_ASSERT_OFFSET(asc_dense_fours_t, channel, 8);
ASC_ASSERT_OFFSET(asc_dense_fours_t, output, 12);
ASC_ASSERT_OFFSET(asc_dense_fours_t, pair_bytes, 16);
ASC_ASSERT_OFFSET(asc_dense_fours_t, offset, 20);
ASC_ASSERT_OFFSET(asc_dense_fours_t, end, 24);
ASC_ASSERT_OFFSET(asc_dense_fours_t, part_bytes, 28);
ASC_ASSERT_OFFSET(asc_dense_fours_t, skipped, 32);

/* clang-format off */
/* Rounds a sum as asc_finish_narrow does, and stores it. */
#define FINISH_DENSE(SUM, MULTIPLIER, BITS)       \
    "lsl r6, r10, " BITS "\n\t"                   \
    "lsl " SUM ", " SUM ", #1\n\t"                \
    "smmlar r6, " SUM ", " MULTIPLIER ", r6\n\t"  \
    "add r6, r6, " SUM ", asr #31\n\t"            \
    "asr r6, r6, " BITS "\n\t"                    \
    "ssat r6, #8, r6, asr #1\n\t"                 \
    "strb r6, [r11], #1\n\t"

/* All registers are taken: the stack keeps sums of the first channels of both pairs, the end of the
 * first pair's weights, which is where the second's begin, and `fours`. */
ASC_APART static void multiply_dense_fours(asc_dense_fours_t *fours) {
    register asc_dense_fours_t *r0 __asm__("r0") = fours;
    __asm__ volatile(
        "push {r0, r7, r9}\n\t"
        "sub sp, #12\n\t"
        "mov r12, r0\n\t"
        "ldr r2, [r0, #4]\n\t"
        "ldr r14, [r0, #8]\n\t"
        "1:\n\t"
        "ldr r0, [r12]\n\t"
        "ldr r3, [r12, #16]\n\t"
        "ldr r1, [r12, #28]\n\t"
        "ldr r8, [r12, #32]\n\t"
        "ldr r10, [r14]\n\t"
        "ldr r5, [r14, #12]\n\t"
        "ldr r11, [r14, #24]\n\t"
        "ldr r7, [r14, #36]\n\t"
        "str r10, [sp]\n\t"
        "str r11, [sp, #4]\n\t"
        "add r3, r2\n\t"
        "str r3, [sp, #8]\n\t"
        "add r1, r1, r2\n\t"
        "mov r4, r5\n\t"
        "mov r6, r7\n\t"
        EIGHT_TIMES("r8", MULTIPLY_DENSE_FOUR, "76")
        "cmp r2, r1\n\t"
        "bne 2b\n\t"
        "ldr r8, [sp]\n\t"
        "ldr r9, [sp, #4]\n\t"
        "ldr r10, [sp, #8]\n\t"
        "ldr r12, [sp, #12]\n\t"
        "sub r4, r4, r5\n\t"
        "sub r6, r6, r7\n\t"
        "add r8, r8, r4, asr #8\n\t"
        "add r9, r9, r6, asr #8\n\t"
        "cmp r2, r10\n\t"
        "bne 8f\n\t"
        "ldr r14, [r12, #8]\n\t"
        "ldr r10, [r12, #20]\n\t"
        "ldr r11, [r12, #12]\n\t"
        "ldr r0, [r14, #4]\n\t"
        "ldr r1, [r14, #8]\n\t"
        "ldr r2, [r14, #16]\n\t"
        "ldr r4, [r14, #20]\n\t"
        FINISH_DENSE("r8", "r0", "r1")
        FINISH_DENSE("r5", "r2", "r4")
        "ldr r0, [r14, #28]\n\t"
        "ldr r1, [r14, #32]\n\t"
        "ldr r2, [r14, #40]\n\t"
        "ldr r4, [r14, #44]\n\t"
        "ldr r8, [r12, #24]\n\t"
        FINISH_DENSE("r9", "r0", "r1")
        FINISH_DENSE("r7", "r2", "r4")
        "add r14, #48\n\t"
        "str r14, [r12, #8]\n\t"
        "str r11, [r12, #12]\n\t"
        "mov r2, r3\n\t"
        "cmp r14, r8\n\t"
        "bne 1b\n\t"
        "b 9f\n\t"
        "8:\n\t"
        "strd r8, r9, [sp]\n\t"
        "mov r4, r5\n\t"
        "mov r6, r7\n\t"
        "add r1, r2, %[part]\n\t"
        "b 2b\n\t"
        "9:\n\t"
        "add sp, #12\n\t"
        "pop {r0, r7, r9}"
        : "+r"(r0)
        : [part] "i"(2 * DENSE_PART)
        : "r1", "r2", "r3", "r4", "r5", "r6", "r8", "r10", "r11", "r12", "r14", "cc", "memory");
}
/* clang-format on */

/* How many channels from `first` on are rounded in fours. */
static int32_t count_narrow(const asc_dense_t *layer, int32_t first) {
    const int32_t end = layer->outputs - layer->outputs % 4;
    if (!layer->combined || !layer->range.narrow) {
        return 0;
    }
    int32_t c = layer->range.narrow == ASC_NARROW ? end : first;
    while (c < end && asc_has_narrow_shift(&layer->channels[c])) {
        c++;
    }
    return asc_max(c - c % 4 - first, 0);
}

/* Channels from `first` on, by fours. */
static void multiply_fours(const asc_dense_t *layer, const int8_t *input, int32_t first,
                           int32_t count, int8_t *output) {
    asc_dense_fours_t fours;
    fours.input = input;
    fours.weights = layer->weights + first * layer->depth;
    fours.channel = layer->channels + first;
    fours.output = output + first;
    fours.pair_bytes = 2 * layer->depth;
    fours.offset = asc_narrow_offset(&layer->range);
    fours.end = fours.channel + count;
    fours.part_bytes = 2 * ((layer->depth - 1) % DENSE_PART + 1);
    fours.skipped = (-(fours.part_bytes / 8) & 7) * DENSE_FOUR_BYTES;
    multiply_dense_fours(&fours);
}

/* Up to four channels from `first` on, in any way of rounding. */
static void multiply_any(const asc_dense_t *layer, const int8_t *input, int32_t first,
                         int32_t count, int8_t *output) {
    const asc_channel_t *const channels = layer->channels + first;
    const int8_t *const weights = layer->weights + first * layer->depth;
    const int32_t offset = asc_narrow_offset(&layer->range);
    asc_dense_block_t block;
    for (int32_t i = 0; i < 4; i++) {
        block.sums[i] = channels[i < count ? i : 0].bias;
    }
    add_four(layer, input, weights, count > 2 ? weights + 2 * layer->depth : weights, &block);
    for (int32_t i = 0; i < count; i++) {
        const int is_narrow = layer->range.narrow && asc_has_narrow_shift(&channels[i]);
        output[first + i] = is_narrow ? asc_finish_narrow(block.sums[i], &channels[i], offset)
                                      : asc_finish(block.sums[i], &channels[i], &layer->range);
    }
}

/* All outputs for one input, which is read in words: up to three bytes behind it meet zeros. */
static void multiply_dense(const asc_dense_t *layer, const int8_t *input, int8_t *output) {
    for (int32_t c = 0; c < layer->outputs;) {
        const int32_t narrow = count_narrow(layer, c);
        const int32_t count = narrow > 0 ? narrow : asc_min(layer->outputs - c, 4);
        if (narrow > 0) {
            multiply_fours(layer, input, c, count, output);
        } else {
            multiply_any(layer, input, c, count, output);
        }
        c += count;
    }
}

#endif
