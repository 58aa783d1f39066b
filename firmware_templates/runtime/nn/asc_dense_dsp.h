/* SPDX-License-Identifier: Apache-2.0
 *
 * Dense layers on cores with the DSP extension, which read their input as it lies; a part of
 * asc_conv.c. A number of 16 bits has the weights of two outputs, as ASC_DENSE_WEIGHTS has them.
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
/* Adds the products of four values and a pair of channels: values 0 and 2 are in r12, 1 and 3 in
 * r14. */
#define MULTIPLY_DENSE_PAIR(WEIGHTS, BOTH, SECOND)   \
    "ldrd r10, r11, [" WEIGHTS "], #8\n\t"           \
    "sxtb16 r8, r10\n\t"                             \
    "sxtb16 r9, r11\n\t"                             \
    "smlad " BOTH ", r12, r10, " BOTH "\n\t"         \
    "smlad " BOTH ", r14, r11, " BOTH "\n\t"         \
    "smlad " SECOND ", r12, r8, " SECOND "\n\t"      \
    "smlad " SECOND ", r14, r9, " SECOND "\n\t"

#define MULTIPLY_DENSE_FOUR                          \
    "ldr r14, [r0], #4\n\t"                          \
    "sxtb16 r12, r14\n\t"                            \
    "sxtb16 r14, r14, ror #8\n\t"                    \
    MULTIPLY_DENSE_PAIR("r2", "r4", "r5")            \
    MULTIPLY_DENSE_PAIR("r3", "r6", "r7")

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

/* Four channels of a narrow layer. */
static inline void finish_four(const int32_t *sums, const asc_channel_t *channels, int32_t offset,
                               int8_t *output) {
    output[0] = asc_finish_narrow(sums[0], &channels[0], offset);
    output[1] = asc_finish_narrow(sums[1], &channels[1], offset);
    output[2] = asc_finish_narrow(sums[2], &channels[2], offset);
    output[3] = asc_finish_narrow(sums[3], &channels[3], offset);
}

/* Channels of a narrow layer by fours; returns how many. */
static int32_t multiply_fours(const asc_dense_t *layer, const int8_t *input, int8_t *output) {
    const int32_t depth = layer->depth;
    const int32_t offset = asc_narrow_offset(&layer->range);
    const asc_channel_t *channels = layer->channels;
    const asc_channel_t *const end = channels + layer->outputs / 4 * 4;
    const int8_t *weights = layer->weights;
    asc_dense_block_t block;
    for (; channels < end; channels += 4, output += 4, weights += 4 * depth) {
        block.sums[0] = channels[0].bias;
        block.sums[1] = channels[1].bias;
        block.sums[2] = channels[2].bias;
        block.sums[3] = channels[3].bias;
        add_combined(input, weights, weights + 2 * depth, depth, &block);
        finish_four(block.sums, channels, offset, output);
    }
    return layer->outputs / 4 * 4;
}

/* All outputs for one input, which is read in words: up to three bytes behind it meet zeros. */
static void multiply_dense(const asc_dense_t *layer, const int8_t *input, int8_t *output) {
    const int32_t pair = 2 * layer->depth;
    const int32_t offset = asc_narrow_offset(&layer->range);
    const asc_channel_t *channels = layer->channels;
    const int8_t *weights = layer->weights;
    const int is_narrow = layer->range.narrow == ASC_NARROW && layer->combined;
    const int32_t made = is_narrow ? multiply_fours(layer, input, output) : 0;
    asc_dense_block_t block;
    output += made;
    channels += made;
    weights += made * layer->depth;
    for (int32_t rest = layer->outputs - made; rest > 0; rest -= 4, weights += 2 * pair) {
        const int32_t count = asc_min(rest, 4);
        block.sums[0] = channels[0].bias;
        block.sums[1] = channels[count > 1 ? 1 : 0].bias;
        block.sums[2] = channels[count > 2 ? 2 : 0].bias;
        block.sums[3] = channels[count > 3 ? 3 : 0].bias;
        add_four(layer, input, weights, count > 2 ? weights + pair : weights, &block);
        if (layer->range.narrow == ASC_NARROW) {
            for (int32_t i = 0; i < count; i++) {
                *output++ = asc_finish_narrow(block.sums[i], channels++, offset);
            }
        } else {
            const int is_mostly = layer->range.narrow == ASC_MOSTLY_NARROW;
            for (int32_t i = 0; i < count; i++, channels++) {
                *output++ = is_mostly && asc_has_narrow_shift(channels)
                                ? asc_finish_narrow(block.sums[i], channels, offset)
                                : asc_finish(block.sums[i], channels, &layer->range);
            }
        }
    }
}

#endif
