/* SPDX-License-Identifier: Apache-2.0
 *
 * Depthwise convolutions with a filter for each channel on cores with the DSP extension, but those
 * of asc_depthwise_3x3_dsp.h; a part of asc_conv.c.
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
 * offsets that asc_finish_narrow adds. Biases and weights are doubled, as its sums are. */
enum { BIAS_WORDS = 4, ROUNDING_WORDS = 12 };

/* Brings together what four channels of a narrow layer need, in the order of its use. */
static void prepare_four(const asc_depthwise_conv_t *layer, int32_t taps, int32_t first,
                         uint32_t *words) {
    const asc_channel_t *const channels = layer->channels + first;
    const int8_t *weights = layer->weights + first;
    const int32_t step = layer->output_channels;
    const int32_t offset = asc_narrow_offset(&layer->range);
    uint32_t *const biases = words;
    words += BIAS_WORDS;
    for (; taps > 0; taps--, weights += step, words += 2) {
        const uint32_t word = asc_load_word(weights);
        words[0] = asc_widen_even_onto(asc_widen_even(word), word);
        words[1] = asc_widen_odd_onto(asc_widen_odd(word), word);
    }
    for (int32_t i = 0; i < 4; i++, words += 3) {
        const asc_channel_t channel = channels[i];
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

/* Rounds a sum as asc_finish_narrow does. */
#define ROUND(SUM, CORRECT)                                                                \
    "ldm r2!, {r8, r9, r10}\n\t"                                                           \
    "smmlar r10, " SUM ", r8, r10\n\t" CORRECT("r10", SUM) "asr r10, r10, r9\n\t"          \
                                                           "ssat r10, #8, r10, asr #1\n\t" \
                                                           "strb r10, [r3], #1\n\t"

/* All registers are taken: the stack keeps `four`, and r7, which may be the frame pointer. */
/* clang-format off */
#define DEPTHWISE_FOUR(NAME, CORRECT, TAPS)                                                   \
    static void NAME(const asc_four_t *four) {                                                \
        register const asc_four_t *r0 __asm__("r0") = four;                                   \
        __asm__ volatile(                                                                     \
            "push {r0, r7, r9}\n\t"                                                           \
            "ldm r0, {r0, r1, r2, r3}\n\t"                                                    \
            "1:\n\t"                                                                          \
            "ldm r2!, {r4, r5, r6, r7}\n\t"                                                   \
            TAPS                                                                              \
            ROUND("r4", CORRECT)                                                              \
            ROUND("r5", CORRECT)                                                              \
            ROUND("r6", CORRECT)                                                              \
            ROUND("r7", CORRECT)                                                              \
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
DEPTHWISE_FOUR(make_four_of_even, ASC_ROUND_AWAY, PAIRS_OF_TAPS)
DEPTHWISE_FOUR(make_four_of_odd, ASC_ROUND_AWAY, ONE_TAP PAIRS_OF_TAPS)
DEPTHWISE_FOUR(make_four_of_even_up, ASC_ROUND_UP, PAIRS_OF_TAPS)
DEPTHWISE_FOUR(make_four_of_odd_up, ASC_ROUND_UP, ONE_TAP PAIRS_OF_TAPS)
/* clang-format on */

/* Makes channels four at a time of `pixels` pixels, and returns how many.
 *
 * layer: a layer with a filter for each channel.
 * taps: addresses of the pixels under the `count` taps of each pixel.
 * words: room for what four channels need. */
ASC_INLINE int32_t depthwise_narrow(const asc_depthwise_conv_t *layer, int is_rectified,
                                    const int8_t *const *taps, int32_t count, int32_t pixels,
                                    uint32_t *words, int8_t *output) {
    const int32_t channels = layer->output_channels;
    asc_four_t four;
    four.taps = taps;
    four.words = words;
    four.step = channels - 4;
    four.end = taps + pixels * count;
    four.tap_bytes = count / 2 * 2 * (int32_t)sizeof *taps;
    four.word_bytes = (BIAS_WORDS + 2 * count + ROUNDING_WORDS) * (int32_t)sizeof *words;
    int32_t channel = 0;
    for (; channel + 4 <= channels; channel += 4) {
        prepare_four(layer, count, channel, words);
        four.channel = channel;
        four.output = output + channel;
        if (count % 2 == 0 && is_rectified) {
            make_four_of_even_up(&four);
        } else if (count % 2 == 0) {
            make_four_of_even(&four);
        } else if (is_rectified) {
            make_four_of_odd_up(&four);
        } else {
            make_four_of_odd(&four);
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
        const asc_channel_t *const own = layer->channels + c;
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
