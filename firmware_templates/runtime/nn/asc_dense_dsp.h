/* SPDX-License-Identifier: Apache-2.0
 *
 * Dense layers on cores with the DSP extension, which read their input as it lies; a part of
 * asc_conv.c. Weights lie as asc_conv_dsp.h has them.
 */
#ifndef ASC_DENSE_DSP_H
#define ASC_DENSE_DSP_H

#include "asc_arithmetic.h"
#include "asc_dsp.h"
#include "asc_kernels.h"

/* An input of a dense layer, read as it lies, against four channels: two pairs of them. */
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

/* clang-format off */
/* Adds the products of four values and a pair of channels: values 0 and 2 are in r12, 1 and 3 in
 * r14, and SXTB16 takes weights apart in the same way. */
#define MULTIPLY_DENSE_PAIR(WEIGHTS, FIRST, SECOND)  \
    "ldrd r10, r11, [" WEIGHTS "], #8\n\t"           \
    "sxtb16 r8, r10\n\t"                             \
    "sxtb16 r10, r10, ror #8\n\t"                    \
    "smlad " FIRST ", r12, r8, " FIRST "\n\t"        \
    "sxtb16 r8, r11\n\t"                             \
    "sxtb16 r11, r11, ror #8\n\t"                    \
    "smlad " FIRST ", r14, r10, " FIRST "\n\t"       \
    "smlad " SECOND ", r12, r8, " SECOND "\n\t"      \
    "smlad " SECOND ", r14, r11, " SECOND "\n\t"

#define MULTIPLY_DENSE_FOUR                          \
    "ldr r14, [r0], #4\n\t"                          \
    "sxtb16 r12, r14\n\t"                            \
    "sxtb16 r14, r14, ror #8\n\t"                    \
    MULTIPLY_DENSE_PAIR("r2", "r4", "r5")            \
    MULTIPLY_DENSE_PAIR("r3", "r6", "r7")

/* Twice in a loop, as in MULTIPLY_WINDOWS. All registers but r9 are taken. */
static void sum_dense(asc_dense_block_t *block) {
    register asc_dense_block_t *r0 __asm__("r0") = block;
    __asm__ volatile(
        "push {r0, r7, r9}\n\t"
        "ldm r0, {r0, r1, r2, r3, r4, r5, r6, r7}\n\t"
        "subs r8, r1, r2\n\t"
        "lsls r8, r8, #28\n\t"
        "bmi 3f\n\t"
        "2:\n\t"
        MULTIPLY_DENSE_FOUR
        "3:\n\t"
        MULTIPLY_DENSE_FOUR
        "cmp r2, r1\n\t"
        "bne 2b\n\t"
        "ldr r0, [sp]\n\t"
        "add r0, #16\n\t"
        "stm r0, {r4, r5, r6, r7}\n\t"
        "pop {r0, r7, r9}"
        : "+r"(r0)
        :
        : "r1", "r2", "r3", "r4", "r5", "r6", "r8", "r10", "r11", "r12", "r14", "cc", "memory");
}
/* clang-format on */

/* All outputs for one input, which is read in words: up to three bytes behind it meet zeros. */
static void multiply_dense(const asc_dense_t *layer, const int8_t *input, int8_t *output) {
    const int32_t pair = 2 * layer->depth;
    const int32_t offset = asc_narrow_offset(&layer->range);
    const asc_channel_t *channels = layer->channels;
    const int8_t *weights = layer->weights;
    for (int32_t rest = layer->outputs; rest > 0; rest -= 4, weights += 2 * pair) {
        const int32_t count = asc_min(rest, 4);
        const asc_channel_t *const second = channels + (count > 1 ? 1 : 0);
        const asc_channel_t *const third = channels + (count > 2 ? 2 : 0);
        const asc_channel_t *const fourth = channels + (count > 3 ? 3 : 0);
        asc_dense_block_t block = {input,
                                   weights + pair,
                                   weights,
                                   count > 2 ? weights + pair : weights,
                                   {channels->bias, second->bias, third->bias, fourth->bias}};
        sum_dense(&block);
        if (layer->range.narrow) {
            for (int32_t i = 0; i < count; i++) {
                *output++ = asc_finish_narrow(block.sums[i], channels++, offset);
            }
        } else {
            for (int32_t i = 0; i < count; i++) {
                *output++ = asc_finish(block.sums[i], channels++, &layer->range);
            }
        }
    }
}

#endif
