/* SPDX-License-Identifier: Apache-2.0
 *
 * Convolutions whose windows are single pixels, of rows too short to widen weights for, on cores
 * with the DSP extension; a part of asc_conv.c.
 *
 * Five windows meet a channel at a time. Their values lie side by side: a pair of each window, then
 * the next pairs, so that one instruction loads five. They are scaled, as rounding takes sums.
 */
#ifndef ASC_PIXELS_DSP_H
#define ASC_PIXELS_DSP_H

#include "asc_arithmetic.h"
#include "asc_conv_dsp.h"
#include "asc_dsp.h"
#include "asc_im2col.h"

enum { FIVE = 5 };

/* Five windows against channels from `channel` to `end`. */
typedef struct {
    const uint32_t *windows;
    const int8_t *weights;
    const void *channel;
    const void *end;
    int8_t *output;
    int32_t count;        /* codes from a window's output to the next */
    int32_t weight_bytes; /* from a channel's first weights to behind its last ones */
    int32_t to_next;      /* from there to those of the next channel */
    int32_t offset;       /* as asc_narrow_offset has it, unless rounded once */
    int32_t skipped;      /* bytes of code, of fours that a window has less than eights of them */
} asc_five_windows_t;

ASC_ASSERT_OFFSET(asc_five_windows_t, weights, 4);
ASC_ASSERT_OFFSET(asc_five_windows_t, channel, 8);
ASC_ASSERT_OFFSET(asc_five_windows_t, end, 12);
ASC_ASSERT_OFFSET(asc_five_windows_t, output, 16);
ASC_ASSERT_OFFSET(asc_five_windows_t, count, 20);
ASC_ASSERT_OFFSET(asc_five_windows_t, weight_bytes, 24);
ASC_ASSERT_OFFSET(asc_five_windows_t, to_next, 28);
ASC_ASSERT_OFFSET(asc_five_windows_t, offset, 32);
ASC_ASSERT_OFFSET(asc_five_windows_t, skipped, 36);

/* clang-format off */

/* Adds the products of a pair of weights in r2 and a pair of each window. */
#define MULTIPLY_FIVE                     \
    "ldm r0!, {r4, r5, r6, r8, r9}\n\t"   \
    "smlad r7, r4, r2, r7\n\t"            \
    "smlad r10, r5, r2, r10\n\t"          \
    "smlad r11, r6, r2, r11\n\t"          \
    "smlad r12, r8, r2, r12\n\t"          \
    "smlad r14, r9, r2, r14\n\t"

enum { FOUR_OF_FIVE_BYTES = 60 };

#define MULTIPLY_FOUR_OF_FIVE             \
    "ldr r3, [r1], #8\n\t"                \
    "sxtb16 r2, r3\n\t"                   \
    MULTIPLY_FIVE                         \
    "sxtb16 r2, r3, ror #8\n\t"           \
    MULTIPLY_FIVE

/* Rounds a sum as asc_finish_narrow does, and stores it. */
#define ROUND_AND_STORE(SUM)              \
    "smmlar r0, " SUM ", r4, r6\n\t"      \
    ASC_ROUND_AWAY("r0", SUM)             \
    "asr r0, r0, r5\n\t"                  \
    "ssat r0, #8, r0, asr #1\n\t"         \
    "strb r0, [r8]\n\t"                   \
    "add r8, r9\n\t"

/* What the loop below does with a channel: begin a sum of the one at r5, and make codes, from r8 on
 * and r9 bytes apart, of the one at r2, which becomes the next one. */
#define BEGIN_FIVE_TWICE                  \
    "ldr r7, [r5]\n\t"                    \
    "lsl r7, r7, #1\n\t"

#define BEGIN_FIVE_ONCE                   \
    "ldr r7, [r5]\n\t"

#define ROUND_FIVE_TWICE                  \
    "ldrd r4, r5, [r2, #4]\n\t"           \
    "add r2, #12\n\t"                     \
    "ldr r6, [r3, #32]\n\t"               \
    "lsl r6, r6, r5\n\t"                  \
    ROUND_AND_STORE("r7")                 \
    ROUND_AND_STORE("r10")                \
    ROUND_AND_STORE("r11")                \
    ROUND_AND_STORE("r12")                \
    ROUND_AND_STORE("r14")

#define ROUND_FIVE_ONCE                   \
    "ldr r4, [r2, #4]\n\t"                \
    "add r2, #8\n\t"                      \
    "smmulr r7, r7, r4\n\t"               \
    "smmulr r10, r10, r4\n\t"             \
    "smmulr r11, r11, r4\n\t"             \
    "smmulr r12, r12, r4\n\t"             \
    "smmulr r14, r14, r4\n\t"             \
    "ssat r7, #8, r7, asr #10\n\t"        \
    "ssat r10, #8, r10, asr #10\n\t"      \
    "ssat r11, #8, r11, asr #10\n\t"      \
    "ssat r12, #8, r12, asr #10\n\t"      \
    "ssat r14, #8, r14, asr #10\n\t"      \
    "strb r7, [r8]\n\t"                   \
    "strb r10, [r8, r9]\n\t"              \
    "add r8, r8, r9, lsl #1\n\t"          \
    "strb r11, [r8]\n\t"                  \
    "strb r12, [r8, r9]\n\t"              \
    "strb r14, [r8, r9, lsl #1]\n\t"

/* All registers are taken: the stack keeps the end of the weights, and `five`. Channels lie in
 * pairs, so that the way to the next one is another one every other time. */
#define MULTIPLY_FIVE_WINDOWS(NAME, BEGIN, ROUND)                                                    \
    ASC_APART static void NAME(asc_five_windows_t *five) {                                               \
        register asc_five_windows_t *r0 __asm__("r0") = five;                                        \
        __asm__ volatile(                                                                            \
            "push {r0, r7, r9}\n\t"                                                                  \
            "sub sp, #4\n\t"                                                                         \
            "ldr r1, [r0, #4]\n\t"                                                                   \
            "1:\n\t"                                                                                 \
            "ldr r4, [sp, #4]\n\t"                                                                   \
            "ldr r0, [r4]\n\t"                                                                       \
            "ldr r5, [r4, #8]\n\t"                                                                   \
            "ldr r2, [r4, #24]\n\t"                                                                  \
            "ldr r3, [r4, #36]\n\t"                                                                  \
            "add r2, r1\n\t"                                                                         \
            "str r2, [sp]\n\t"                                                                       \
            BEGIN                                                                                    \
            "mov r10, r7\n\t"                                                                        \
            "mov r11, r7\n\t"                                                                        \
            "mov r12, r7\n\t"                                                                        \
            "mov r14, r7\n\t"                                                                        \
            EIGHT_TIMES("r3", MULTIPLY_FOUR_OF_FIVE, "60")                                           \
            "ldr r2, [sp]\n\t"                                                                       \
            "cmp r1, r2\n\t"                                                                         \
            "bne 2b\n\t"                                                                             \
            "ldr r3, [sp, #4]\n\t"                                                                   \
            "ldr r2, [r3, #8]\n\t"                                                                   \
            "ldr r8, [r3, #16]\n\t"                                                                  \
            "ldr r9, [r3, #20]\n\t"                                                                  \
            "add r0, r8, #1\n\t"                                                                     \
            "str r0, [r3, #16]\n\t"                                                                  \
            ROUND                                                                                    \
            "str r2, [r3, #8]\n\t"                                                                    \
            "ldr r0, [r3, #28]\n\t"                                                                  \
            "ldr r4, [r3, #24]\n\t"                                                                  \
            "ldr r5, [r3, #12]\n\t"                                                                  \
            "add r1, r0\n\t"                                                                         \
            "add r0, r4\n\t"                                                                         \
            "rsb r0, r0, #0\n\t"                                                                     \
            "str r0, [r3, #28]\n\t"                                                                  \
            "cmp r2, r5\n\t"                                                                         \
            "bne 1b\n\t"                                                                             \
            "add sp, #4\n\t"                                                                         \
            "pop {r0, r7, r9}"                                                                       \
            : "+r"(r0)                                                                               \
            :                                                                                        \
            : "r1", "r2", "r3", "r4", "r5", "r6", "r8", "r10", "r11", "r12", "r14", "cc", "memory"); \
    }

MULTIPLY_FIVE_WINDOWS(multiply_five_twice, BEGIN_FIVE_TWICE, ROUND_FIVE_TWICE)
MULTIPLY_FIVE_WINDOWS(multiply_five_once, BEGIN_FIVE_ONCE, ROUND_FIVE_ONCE)
/* clang-format on */

/* Brings five windows of `depth` values side by side, `step` values apart. */
ASC_INLINE void arrange_five(const int8_t *from, int32_t depth, int32_t step, int once,
                             uint32_t *windows) {
    for (int32_t i = 0; i < FIVE; i++, from += step) {
        uint32_t *to = windows + i;
        for (int32_t place = 0; place < depth; place += 4, to += 2 * FIVE) {
            const asc_pairs_t pairs = asc_scale_four(asc_load_word(from + place), once);
            to[0] = asc_pack_low(pairs.even, pairs.odd);
            to[FIVE] = asc_pack_high(pairs.even, pairs.odd);
        }
    }
}

/* Whether windows of a narrow layer are pixels, all of which are there, and so many that fives of
 * them are worth it: a single one besides them is not. */
ASC_INLINE int are_fives(const asc_conv_t *layer, const int8_t *row) {
    const int32_t windows = layer->output_width;
    return row != NULL && (layer->range.narrow & ASC_NARROW) != 0 && layer->widens == 0 &&
           layer->window.height == 1 && layer->window.width == 1 && layer->window.left == 0 &&
           layer->columns <= layer->input_width && layer->depth == layer->input_channels &&
           windows >= FIVE && windows % FIVE != 1;
}

/* Windows of such a layer in fives; returns how many. */
ASC_INLINE int32_t multiply_fives(const asc_conv_t *layer, const int8_t *row, int8_t *scratch,
                                  int8_t *output, int once) {
    const int32_t step = layer->window.stride * layer->depth;
    const int32_t count = layer->output_channels;
    uint32_t *windows = (uint32_t *)(void *)scratch;
    asc_five_windows_t five;
    int32_t x = 0;
    five.windows = windows;
    five.end = once ? (const void *)((const asc_once_channel_t *)layer->channels + count)
                    : (const void *)((const asc_channel_t *)layer->channels + count);
    five.count = count;
    five.weight_bytes = 2 * layer->depth;
    five.offset = asc_narrow_offset(&layer->range);
    five.skipped = (-(layer->depth / 4) & 7) * FOUR_OF_FIVE_BYTES;
    for (; x + FIVE <= layer->output_width; x += FIVE) {
        arrange_five(row + x * step, layer->depth, step, once, windows);
        five.weights = layer->weights;
        five.channel = layer->channels;
        five.output = output + x * count;
        five.to_next = 4 - five.weight_bytes;
        if (once) {
            multiply_five_once(&five);
        } else {
            multiply_five_twice(&five);
        }
    }
    return x;
}

#endif
