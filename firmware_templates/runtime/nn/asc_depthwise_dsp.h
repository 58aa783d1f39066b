/* SPDX-License-Identifier: Apache-2.0
 *
 * Depthwise convolutions with a filter for each channel on cores with the DSP extension, but those
 * of asc_depthwise_3x3_dsp.h; a part of asc_depthwise.c.
 *
 * Four channels of some neighbouring pixels are made together. What they need lies side by side for
 * all of these pixels: widened weights, and what rounding takes of the channels. A word of codes,
 * and one of weights, is taken apart into bytes 0 and 2, and 1 and 3: half by half, they meet.
 */
#ifndef ASC_DEPTHWISE_DSP_H
#define ASC_DEPTHWISE_DSP_H

#include "asc_arithmetic.h"
#include "asc_dsp.h"

/* Words of four channels besides their weights: biases before them, then multipliers, bits, and the
 * offsets that asc_finish_narrow adds; or multipliers if sums are rounded once. Biases and weights
 * are scaled as sums are. */
enum { BIAS_WORDS = 4, ROUNDING_WORDS = 12, ONCE_WORDS = 4 };

/* Brings together what four channels of a narrow layer need, in the order of its use.
 *
 * once: whether sums are rounded once; a constant, here and below. */
ASC_INLINE void prepare_four(const asc_depthwise_conv_t *layer, int32_t taps, int32_t first,
                             int once, uint32_t *words) {
    const int8_t *weights = layer->weights + first;
    const int32_t step = layer->output_channels;
    const int32_t offset = asc_narrow_offset(&layer->range);
    uint32_t *const biases = words;
    words += BIAS_WORDS;
    for (; taps > 0; taps--, weights += step, words += 2) {
        const asc_pairs_t pairs = asc_scale_four(asc_load_word(weights), once);
        words[0] = pairs.even;
        words[1] = pairs.odd;
    }
    if (once) {
        const asc_once_channel_t *const channels = layer->channels;
        for (int32_t i = 0; i < 4; i++) {
            biases[i] = (uint32_t)channels[first + i].bias;
            words[i] = (uint32_t)channels[first + i].multiplier;
        }
        return;
    }
    const asc_channel_t *const channels = layer->channels;
    for (int32_t i = 0; i < 4; i++, words += 3) {
        const asc_channel_t channel = channels[first + i];
        biases[i] = (uint32_t)channel.bias * 2u;
        words[0] = (uint32_t)channel.multiplier;
        words[1] = (uint32_t)channel.bits;
        words[2] = (uint32_t)asc_shift_left(offset, channel.bits & 31);
    }
}

/* Four channels of neighbouring pixels, with as many taps for each. */
typedef struct {
    const int8_t *const *taps;
    int32_t channel;
    const uint32_t *words;
    int8_t *output;
    int32_t step; /* bytes from behind a pixel's four codes to those of the next */
    const int8_t *const *end;
    int32_t tap_bytes;  /* of the addresses of a pixel's taps in pairs */
    int32_t word_bytes; /* from `words` on, of all */
} asc_four_t;

ASC_ASSERT_OFFSET(asc_four_t, taps, 0);
ASC_ASSERT_OFFSET(asc_four_t, channel, 4);
ASC_ASSERT_OFFSET(asc_four_t, words, 8);
ASC_ASSERT_OFFSET(asc_four_t, output, 12);
ASC_ASSERT_OFFSET(asc_four_t, step, 16);
ASC_ASSERT_OFFSET(asc_four_t, end, 20);
ASC_ASSERT_OFFSET(asc_four_t, tap_bytes, 24);
ASC_ASSERT_OFFSET(asc_four_t, word_bytes, 28);

/* Adds the products of the codes in a register to the sums in r4 to r7. */
#define MULTIPLY_TAP(CODES)                   \
    "ldrd r12, r14, [r2], #8\n\t"             \
    "sxtb16 r10, " CODES "\n\t"               \
    "sxtb16 " CODES ", " CODES ", ror #8\n\t" \
    "smlabb r4, r10, r12, r4\n\t"             \
    "smlatt r6, r10, r12, r6\n\t"             \
    "smlabb r5, " CODES ", r14, r5\n\t"       \
    "smlatt r7, " CODES ", r14, r7\n\t"

#define TWO_TAPS                \
    "ldrd r8, r9, [r0], #8\n\t" \
    "ldr r8, [r8, r1]\n\t"      \
    "ldr r9, [r9, r1]\n\t" MULTIPLY_TAP("r8") MULTIPLY_TAP("r9")

#define ONE_TAP            \
    "ldr r8, [r0], #4\n\t" \
    "ldr r8, [r8, r1]\n\t" MULTIPLY_TAP("r8")

/* clang-format off */
/* Rounds a sum as asc_finish_narrow does. */
#define ROUND(SUM)                       \
    "ldm r2!, {r8, r9, r10}\n\t"         \
    "smmlar r10, " SUM ", r8, r10\n\t"   \
    ASC_ROUND_AWAY("r10", SUM)           \
    "asr r10, r10, r9\n\t"               \
    "ssat r10, #8, r10, asr #1\n\t"      \
    "strb r10, [r3], #1\n\t"

#define ROUND_FOUR_TWICE ROUND("r4") ROUND("r5") ROUND("r6") ROUND("r7")

#define ROUND_FOUR_ONCE                  \
    "ldm r2!, {r8, r9, r10, r12}\n\t"    \
    "smmulr r4, r4, r8\n\t"              \
    "smmulr r5, r5, r9\n\t"              \
    "smmulr r6, r6, r10\n\t"             \
    "smmulr r7, r7, r12\n\t"             \
    "ssat r4, #8, r4, asr #10\n\t"       \
    "ssat r5, #8, r5, asr #10\n\t"       \
    "ssat r6, #8, r6, asr #10\n\t"       \
    "ssat r7, #8, r7, asr #10\n\t"       \
    "strb r4, [r3], #1\n\t"              \
    "strb r5, [r3], #1\n\t"              \
    "strb r6, [r3], #1\n\t"              \
    "strb r7, [r3], #1\n\t"

/* All registers are taken: the stack keeps `four`, and r7, which may be the frame pointer. */
#define DEPTHWISE_FOUR(NAME, ROUND_FOUR, TAPS)                                                \
    static void NAME(const asc_four_t *four) {                                                \
        register const asc_four_t *r0 __asm__("r0") = four;                                   \
        __asm__ volatile(                                                                     \
            "push {r0, r7, r9}\n\t"                                                           \
            "ldm r0, {r0, r1, r2, r3}\n\t"                                                    \
            "1:\n\t"                                                                          \
            "ldm r2!, {r4, r5, r6, r7}\n\t"                                                   \
            TAPS                                                                              \
            ROUND_FOUR                                                                        \
            "ldr r10, [sp]\n\t"                                                               \
            "ldrd r4, r5, [r10, #16]\n\t"                                                     \
            "ldr r6, [r10, #28]\n\t"                                                          \
            "add r3, r4\n\t"                                                                  \
            "sub r2, r6\n\t"                                                                  \
            "cmp r0, r5\n\t"                                                                  \
            "bne 1b\n\t"                                                                      \
            "pop {r0, r7, r9}"                                                                \
            : "+r"(r0)                                                                        \
            :                                                                                 \
            : "r1", "r2", "r3", "r4", "r5", "r6", "r8", "r10", "r11", "r12", "r14", "cc",     \
              "memory");                                                                      \
    }

#define PAIRS_OF_TAPS            \
    "ldr r11, [sp]\n\t"          \
    "ldr r11, [r11, #24]\n\t"    \
    "add r11, r0\n\t"            \
    "cmp r11, r0\n\t"            \
    "beq 3f\n\t"                 \
    "2:\n\t"                     \
    TWO_TAPS                     \
    "cmp r11, r0\n\t"            \
    "bne 2b\n\t"                 \
    "3:\n\t"

/* For an even number of taps, and for an odd one. */
DEPTHWISE_FOUR(make_four_of_even_twice, ROUND_FOUR_TWICE, PAIRS_OF_TAPS)
DEPTHWISE_FOUR(make_four_of_odd_twice, ROUND_FOUR_TWICE, ONE_TAP PAIRS_OF_TAPS)
DEPTHWISE_FOUR(make_four_of_even_once, ROUND_FOUR_ONCE, PAIRS_OF_TAPS)
DEPTHWISE_FOUR(make_four_of_odd_once, ROUND_FOUR_ONCE, ONE_TAP PAIRS_OF_TAPS)
/* clang-format on */

/* Makes channels four at a time of `pixels` pixels, and returns how many.
 *
 * layer: a layer with a filter for each channel.
 * taps: addresses of the pixels under the `count` taps of each pixel.
 * words: room for what four channels need. */
ASC_INLINE int32_t depthwise_narrow(const asc_depthwise_conv_t *layer, int once,
                                    const int8_t *const *taps, int32_t count, int32_t pixels,
                                    uint32_t *words, int8_t *output) {
    const int32_t channels = layer->output_channels;
    asc_four_t four;
    four.taps = taps;
    four.words = words;
    four.step = channels - 4;
    four.end = taps + pixels * count;
    four.tap_bytes = count / 2 * 2 * (int32_t)sizeof *taps;
    four.word_bytes =
        (BIAS_WORDS + 2 * count + (once ? ONCE_WORDS : ROUNDING_WORDS)) * (int32_t)sizeof *words;
    int32_t channel = 0;
    for (; channel + 4 <= channels; channel += 4) {
        prepare_four(layer, count, channel, once, words);
        four.channel = channel;
        four.output = output + channel;
        if (count % 2 == 0 && once) {
            make_four_of_even_once(&four);
        } else if (count % 2 == 0) {
            make_four_of_even_twice(&four);
        } else if (once) {
            make_four_of_odd_once(&four);
        } else {
            make_four_of_odd_twice(&four);
        }
    }
    return channel;
}

/* As depthwise_narrow for a pixel of a layer whose rounding takes the long way. */
static int32_t depthwise_wide(const asc_depthwise_conv_t *layer, const int8_t *const *taps,
                              int32_t count, int8_t *output) {
    const int32_t channels = layer->output_channels;
    int32_t c = 0;
    for (; c + 4 <= channels; c += 4) {
        const asc_channel_t *const own = (const asc_channel_t *)layer->channels + c;
        const int8_t *weights = layer->weights + c;
        int32_t sums[4] = {own[0].bias, own[1].bias, own[2].bias, own[3].bias};
        for (int32_t tap = 0; tap < count; tap++, weights += channels) {
            const uint32_t codes = asc_load_word(taps[tap] + c);
            const uint32_t factors = asc_load_word(weights);
            const uint32_t even = asc_widen_even(codes), odd = asc_widen_odd(codes);
            const uint32_t even_factors = asc_widen_even(factors);
            const uint32_t odd_factors = asc_widen_odd(factors);
            sums[0] = asc_add_low_low(even, even_factors, sums[0]);
            sums[1] = asc_add_low_low(odd, odd_factors, sums[1]);
            sums[2] = asc_add_high_high(even, even_factors, sums[2]);
            sums[3] = asc_add_high_high(odd, odd_factors, sums[3]);
        }
        for (int32_t i = 0; i < 4; i++) {
            output[c + i] = asc_finish(sums[i], &own[i], &layer->range);
        }
    }
    return c;
}

#endif
