/* SPDX-License-Identifier: Apache-2.0
 *
 * Four channels of a depthwise convolution on cores with the DSP extension; a part of
 * asc_conv.c. ASC_DEPTHWISE_DSP says whether it is there.
 */
#ifndef ASC_DEPTHWISE_DSP_H
#define ASC_DEPTHWISE_DSP_H

#include "asc_arithmetic.h"
#include "asc_dsp.h"

/* For Armv8.1-M, of which this extension tells, compilers keep a register more for themselves. */
#if !defined(__ARM_FEATURE_FP16_SCALAR_ARITHMETIC)
#define ASC_DEPTHWISE_DSP 1

/* What sum_four works on, in the order of its registers. */
typedef struct {
    int32_t sums[4];
    const int8_t *const *taps;
    const int16_t *weights;
    int32_t channel;
    int32_t step; /* bytes from a pair's weights to the next's */
    const int8_t *const *end;
} asc_four_t;

ASC_ASSERT_OFFSET(asc_four_t, sums, 0);
ASC_ASSERT_OFFSET(asc_four_t, taps, 16);
ASC_ASSERT_OFFSET(asc_four_t, weights, 20);
ASC_ASSERT_OFFSET(asc_four_t, channel, 24);
ASC_ASSERT_OFFSET(asc_four_t, step, 28);
ASC_ASSERT_OFFSET(asc_four_t, end, 32);

/* Adds four channels of a window, two taps at a time. All registers are taken: the stack keeps
 * `four`, and r7, which may be the frame pointer. */
static inline void sum_four(asc_four_t *four) {
    register asc_four_t *r0 __asm__("r0") = four;
    __asm__ volatile("push {r0, r7}\n\t"
                     "ldm r0, {r0, r1, r2, r3, r7, r10, r11, r12, r14}\n\t"
                     "1:\n\t"
                     "ldrd r4, r5, [r7], #8\n\t"
                     "ldr r4, [r4, r11]\n\t"
                     "ldr r5, [r5, r11]\n\t"
                     "sxtb16 r6, r4\n\t"
                     "sxtb16 r8, r5\n\t"
                     "sxtb16 r4, r4, ror #8\n\t"
                     "sxtb16 r5, r5, ror #8\n\t"
                     "pkhbt r9, r6, r8, lsl #16\n\t"
                     "pkhtb r8, r8, r6, asr #16\n\t"
                     "pkhbt r6, r4, r5, lsl #16\n\t"
                     "pkhtb r5, r5, r4, asr #16\n\t"
                     "ldr r4, [r10]\n\t"
                     "smlad r0, r9, r4, r0\n\t"
                     "ldrd r4, r9, [r10, #4]\n\t"
                     "smlad r1, r6, r4, r1\n\t"
                     "ldr r4, [r10, #12]\n\t"
                     "smlad r2, r8, r9, r2\n\t"
                     "add r10, r12\n\t"
                     "cmp r7, r14\n\t"
                     "smlad r3, r5, r4, r3\n\t"
                     "bne 1b\n\t"
                     "pop {r4, r7}\n\t"
                     "stm r4, {r0, r1, r2, r3}"
                     : "+r"(r0)
                     :
                     : "r1", "r2", "r3", "r4", "r5", "r6", "r8", "r9", "r10", "r11", "r12", "r14",
                       "cc", "memory");
}

/* Four channels of a window; `taps` has an even number of addresses. */
static inline void depthwise_four(const asc_depthwise_conv_t *layer, const int8_t *const *taps,
                                  int32_t pairs, int32_t c, int8_t *output) {
    const asc_channel_t *channel = layer->channels + c;
    asc_four_t four = {{channel[0].bias, channel[1].bias, channel[2].bias, channel[3].bias},
                       taps,
                       layer->weights + 2 * c,
                       c,
                       4 * layer->output_channels,
                       taps + 2 * pairs};
    sum_four(&four);
    const int32_t *const sums = four.sums;
    if (layer->range.narrow) {
        const int32_t offset = asc_narrow_offset(&layer->range);
        output[0] = asc_finish_narrow(sums[0], channel, offset);
        output[1] = asc_finish_narrow(sums[1], channel + 1, offset);
        output[2] = asc_finish_narrow(sums[2], channel + 2, offset);
        output[3] = asc_finish_narrow(sums[3], channel + 3, offset);
    } else {
        output[0] = asc_finish(sums[0], channel, &layer->range);
        output[1] = asc_finish(sums[1], channel + 1, &layer->range);
        output[2] = asc_finish(sums[2], channel + 2, &layer->range);
        output[3] = asc_finish(sums[3], channel + 3, &layer->range);
    }
}

#endif

#endif
