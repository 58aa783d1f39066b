/* SPDX-License-Identifier: Apache-2.0
 *
 * Kernels with weights on cores with the DSP extension, which multiply two pairs of 16 bits at a
 * time; a part of asc_conv.c.
 *
 * Weights of two output channels lie side by side, four values of each in a word, in the order 0,
 * 2, 1, 3: SXTB16 makes pairs 0, 1 and 2, 3 of them. They meet two windows in registers, whose
 * values are doubled, or ASC_ONCE_SCALE as large in layers that are rounded once.
 */
#ifndef ASC_CONV_DSP_H
#define ASC_CONV_DSP_H

#include "asc_arithmetic.h"
#include "asc_dsp.h"
#include "asc_im2col.h"

/* Adds the products of four values of two windows, from r0 and r1 on, and of two channels, from r2
 * on: those of the first window to r11 and r12, of the second to r14 and r7. */
#define MULTIPLY_FOUR             \
    "ldrd r4, r5, [r2], #8\n\t"   \
    "ldrd r8, r9, [r0], #8\n\t"   \
    "sxtb16 r6, r4\n\t"           \
    "sxtb16 r10, r5\n\t"          \
    "sxtb16 r4, r4, ror #8\n\t"   \
    "sxtb16 r5, r5, ror #8\n\t"   \
    "smlad r11, r8, r6, r11\n\t"  \
    "smlad r12, r8, r10, r12\n\t" \
    "smlad r11, r9, r4, r11\n\t"  \
    "smlad r12, r9, r5, r12\n\t"  \
    "ldrd r8, r9, [r1], #8\n\t"   \
    "smlad r14, r8, r6, r14\n\t"  \
    "smlad r7, r8, r10, r7\n\t"   \
    "smlad r14, r9, r4, r14\n\t"  \
    "smlad r7, r9, r5, r7\n\t"

/* The same for r3 bytes of weights, twice in a loop: an odd number of fours enters in the middle.
 */
/* clang-format off */
#define MULTIPLY_WINDOWS   \
    "lsls r5, r3, #28\n\t" \
    "add r3, r2\n\t"       \
    "bmi 3f\n\t"           \
    "2:\n\t"               \
    MULTIPLY_FOUR          \
    "3:\n\t"               \
    MULTIPLY_FOUR          \
    "cmp r2, r3\n\t"       \
    "bne 2b\n\t"
/* clang-format on */

/* Two windows, or one, against pairs of channels from `channel` to `end`. The outputs of the second
 * window are `count` values behind those of the first. */
typedef struct {
    const int16_t *first;
    const int16_t *second;
    const int8_t *weights;
    const void *channel;
    int8_t *output;
    int32_t count;
    int32_t weight_bytes; /* of a pair of channels */
    const void *end;
    int32_t offset; /* a half and the zero point, in halves; unless rounded once */
} asc_window_pair_t;

ASC_ASSERT_OFFSET(asc_window_pair_t, first, 0);
ASC_ASSERT_OFFSET(asc_window_pair_t, second, 4);
ASC_ASSERT_OFFSET(asc_window_pair_t, weights, 8);
ASC_ASSERT_OFFSET(asc_window_pair_t, channel, 12);
ASC_ASSERT_OFFSET(asc_window_pair_t, output, 16);
ASC_ASSERT_OFFSET(asc_window_pair_t, count, 20);
ASC_ASSERT_OFFSET(asc_window_pair_t, weight_bytes, 24);
ASC_ASSERT_OFFSET(asc_window_pair_t, end, 28);
ASC_ASSERT_OFFSET(asc_window_pair_t, offset, 32);
ASC_ASSERT_OFFSET(asc_channel_t, bias, 0);
ASC_ASSERT_OFFSET(asc_channel_t, multiplier, 4);
ASC_ASSERT_OFFSET(asc_channel_t, bits, 8);
typedef char asc_channel_t_has_12_bytes[sizeof(asc_channel_t) == 12 ? 1 : -1];
ASC_ASSERT_OFFSET(asc_once_channel_t, bias, 0);
ASC_ASSERT_OFFSET(asc_once_channel_t, multiplier, 4);
typedef char asc_once_channel_t_has_8_bytes[sizeof(asc_once_channel_t) == 8 ? 1 : -1];

/* clang-format off */

/* What the loops below do with a pair of channels at r4, or at r1 in those for a single window:
 * begin its sums, and make codes of them. */
#define BEGIN_TWICE(CHANNEL)             \
    "ldr r11, [" CHANNEL "]\n\t"         \
    "ldr r12, [" CHANNEL ", #12]\n\t"    \
    "lsl r11, r11, #1\n\t"               \
    "lsl r12, r12, #1\n\t"

#define BEGIN_ONCE(CHANNEL)              \
    "ldr r11, [" CHANNEL "]\n\t"         \
    "ldr r12, [" CHANNEL ", #8]\n\t"

#define ROUND_BLOCK_TWICE                \
    "ldrd r0, r3, [r4, #4]\n\t"          \
    "ldr r10, [r6, #32]\n\t"             \
    "lsl r1, r10, r3\n\t"                \
    "smmlar r5, r11, r0, r1\n\t"         \
    ASC_ROUND_AWAY("r5", "r11")          \
    "smmlar r11, r14, r0, r1\n\t"        \
    ASC_ROUND_AWAY("r11", "r14")         \
    "asr r5, r5, r3\n\t"                 \
    "asr r11, r11, r3\n\t"               \
    "ssat r5, #8, r5, asr #1\n\t"        \
    "ssat r11, #8, r11, asr #1\n\t"      \
    "strb r11, [r8, r9]\n\t"             \
    "strb r5, [r8], #1\n\t"              \
    "ldrd r0, r3, [r4, #16]\n\t"         \
    "lsl r1, r10, r3\n\t"                \
    "smmlar r5, r12, r0, r1\n\t"         \
    ASC_ROUND_AWAY("r5", "r12")          \
    "smmlar r12, r7, r0, r1\n\t"         \
    ASC_ROUND_AWAY("r12", "r7")          \
    "asr r5, r5, r3\n\t"                 \
    "asr r12, r12, r3\n\t"               \
    "ssat r5, #8, r5, asr #1\n\t"        \
    "ssat r12, #8, r12, asr #1\n\t"      \
    "strb r12, [r8, r9]\n\t"             \
    "strb r5, [r8], #1\n\t"              \
    "adds r4, #24\n\t"

#define ROUND_BLOCK_ONCE                 \
    "ldr r0, [r4, #4]\n\t"               \
    "ldr r3, [r4, #12]\n\t"              \
    "smmulr r11, r11, r0\n\t"            \
    "smmulr r14, r14, r0\n\t"            \
    "smmulr r12, r12, r3\n\t"            \
    "smmulr r7, r7, r3\n\t"              \
    "ssat r11, #8, r11, asr #10\n\t"     \
    "ssat r14, #8, r14, asr #10\n\t"     \
    "ssat r12, #8, r12, asr #10\n\t"     \
    "ssat r7, #8, r7, asr #10\n\t"       \
    "strb r14, [r8, r9]\n\t"             \
    "strb r11, [r8], #1\n\t"             \
    "strb r7, [r8, r9]\n\t"              \
    "strb r12, [r8], #1\n\t"             \
    "adds r4, #16\n\t"

/* Sums of the first window in r11 and r12, of the second in r14 and r7. All registers are taken:
 * `block` waits on the stack. */
#define MULTIPLY_BLOCK(NAME, BEGIN, ROUND)                                             \
    static void NAME(asc_window_pair_t *block) {                                       \
        register asc_window_pair_t *r0 __asm__("r0") = block;                          \
        __asm__ volatile(                                                              \
            "push {r0, r7, r9}\n\t"                                                    \
            "ldr r2, [r0, #8]\n\t"                                                     \
            "1:\n\t"                                                                   \
            "ldr r6, [sp]\n\t"                                                         \
            "ldrd r0, r1, [r6]\n\t"                                                    \
            "ldr r4, [r6, #12]\n\t"                                                    \
            "ldr r3, [r6, #24]\n\t"                                                    \
            BEGIN("r4")                                                                \
            "mov r14, r11\n\t"                                                         \
            "mov r7, r12\n\t"                                                          \
            MULTIPLY_WINDOWS                                                           \
            "ldr r6, [sp]\n\t"                                                         \
            "ldr r4, [r6, #12]\n\t"                                                    \
            "ldrd r8, r9, [r6, #16]\n\t"                                               \
            ROUND                                                                      \
            "ldr r5, [r6, #28]\n\t"                                                    \
            "str r4, [r6, #12]\n\t"                                                    \
            "str r8, [r6, #16]\n\t"                                                    \
            "cmp r4, r5\n\t"                                                           \
            "bne 1b\n\t"                                                               \
            "str r2, [r6, #8]\n\t"                                                     \
            "pop {r0, r7, r9}"                                                         \
            : "+r"(r0)                                                                 \
            :                                                                          \
            : "r1", "r2", "r3", "r4", "r5", "r6", "r8", "r10", "r11", "r12", "r14",    \
            "cc", "memory");                                                           \
    }

MULTIPLY_BLOCK(multiply_block_twice, BEGIN_TWICE, ROUND_BLOCK_TWICE)
MULTIPLY_BLOCK(multiply_block_once, BEGIN_ONCE, ROUND_BLOCK_ONCE)

#define ROUND_SINGLE_TWICE               \
    "ldrd r0, r3, [r1, #4]\n\t"          \
    "ldrd r4, r5, [r1, #16]\n\t"         \
    "ldr r10, [r7, #32]\n\t"             \
    "lsl r6, r10, r3\n\t"                \
    "lsl r8, r10, r5\n\t"                \
    "smmlar r9, r11, r0, r6\n\t"         \
    "smmlar r10, r12, r4, r8\n\t"        \
    ASC_ROUND_AWAY("r9", "r11")          \
    ASC_ROUND_AWAY("r10", "r12")         \
    "asr r9, r9, r3\n\t"                 \
    "asr r10, r10, r5\n\t"               \
    "ssat r9, #8, r9, asr #1\n\t"        \
    "ssat r10, #8, r10, asr #1\n\t"      \
    "strb r9, [r14], #1\n\t"             \
    "strb r10, [r14], #1\n\t"            \
    "adds r1, #24\n\t"

#define ROUND_SINGLE_ONCE                \
    "ldr r0, [r1, #4]\n\t"               \
    "ldr r3, [r1, #12]\n\t"              \
    "smmulr r11, r11, r0\n\t"            \
    "smmulr r12, r12, r3\n\t"            \
    "ssat r11, #8, r11, asr #10\n\t"     \
    "ssat r12, #8, r12, asr #10\n\t"     \
    "strb r11, [r14], #1\n\t"            \
    "strb r12, [r14], #1\n\t"            \
    "adds r1, #16\n\t"

/* The same for the first window alone. */
#define MULTIPLY_SINGLE(NAME, BEGIN, ROUND)                                            \
    static void NAME(asc_window_pair_t *block) {                                       \
        register asc_window_pair_t *r0 __asm__("r0") = block;                          \
        __asm__ volatile(                                                              \
            "push {r0, r7, r9}\n\t"                                                    \
            "mov r7, r0\n\t"                                                           \
            "ldr r2, [r7, #8]\n\t"                                                     \
            "ldrd r1, r14, [r7, #12]\n\t"                                              \
            "1:\n\t"                                                                   \
            "ldr r0, [r7]\n\t"                                                         \
            "ldr r3, [r7, #24]\n\t"                                                    \
            BEGIN("r1")                                                                \
            "add r3, r2\n\t"                                                           \
            "2:\n\t"                                                                   \
            "ldrd r4, r5, [r2], #8\n\t"                                                \
            "ldrd r8, r9, [r0], #8\n\t"                                                \
            "sxtb16 r6, r4\n\t"                                                        \
            "sxtb16 r10, r5\n\t"                                                       \
            "sxtb16 r4, r4, ror #8\n\t"                                                \
            "sxtb16 r5, r5, ror #8\n\t"                                                \
            "cmp r2, r3\n\t"                                                           \
            "smlad r11, r8, r6, r11\n\t"                                               \
            "smlad r12, r8, r10, r12\n\t"                                              \
            "smlad r11, r9, r4, r11\n\t"                                               \
            "smlad r12, r9, r5, r12\n\t"                                               \
            "bne 2b\n\t"                                                               \
            ROUND                                                                      \
            "ldr r5, [r7, #28]\n\t"                                                    \
            "cmp r1, r5\n\t"                                                           \
            "bne 1b\n\t"                                                               \
            "strd r1, r14, [r7, #12]\n\t"                                              \
            "str r2, [r7, #8]\n\t"                                                     \
            "pop {r0, r7, r9}"                                                         \
            : "+r"(r0)                                                                 \
            :                                                                          \
            : "r1", "r2", "r3", "r4", "r5", "r6", "r8", "r10", "r11", "r12", "r14",    \
            "cc", "memory");                                                           \
    }

MULTIPLY_SINGLE(multiply_single_twice, BEGIN_TWICE, ROUND_SINGLE_TWICE)
MULTIPLY_SINGLE(multiply_single_once, BEGIN_ONCE, ROUND_SINGLE_ONCE)
/* clang-format on */

/* once: whether sums are rounded once; a constant, here and below, so that the kernels of such
 * layers need no loops for others. */
static inline void multiply(asc_window_pair_t *block, int once) {
    if (block->second == NULL && once) {
        multiply_single_once(block);
    } else if (block->second == NULL) {
        multiply_single_twice(block);
    } else if (once) {
        multiply_block_once(block);
    } else {
        multiply_block_twice(block);
    }
}

/* The address of a channel. */
static inline const void *channel_at(const asc_product_t *product, int32_t number, int once) {
    const asc_once_channel_t *const first = product->channels;
    const asc_channel_t *const other = product->channels;
    return once ? (const void *)(first + number) : (const void *)(other + number);
}

/* A last channel without a partner: what is computed for the partner, whose weights are zeros, is
 * dropped. */
ASC_INLINE void multiply_last(asc_window_pair_t *block, const void *channel, int once) {
    const size_t size = once ? sizeof(asc_once_channel_t) : sizeof(asc_channel_t);
    asc_channel_t pair[2];
    int8_t *const output = block->output;
    int8_t *const second = output + block->count;
    int8_t values[4];
    memcpy(pair, channel, size);
    memcpy((int8_t *)pair + size, channel, size);
    block->channel = pair;
    block->end = (const int8_t *)pair + 2 * size;
    block->output = values;
    block->count = 2;
    multiply(block, once);
    output[0] = values[0];
    if (block->second != NULL) {
        *second = values[2];
    }
}

/* Channels from `first` on, an even number, of windows `step` values apart, in pairs, and of a last
 * one without a partner. */
ASC_INLINE void multiply_blocks_as(const asc_product_t *product, int32_t first, const int16_t *wide,
                                   int32_t step, int32_t windows, int8_t *output, int once) {
    const int32_t count = product->count;
    const int32_t even = count / 2 * 2;
    asc_window_pair_t block;
    block.weight_bytes = 2 * product->depth;
    block.offset = asc_narrow_offset(&product->range);
    for (int32_t x = 0; x < windows; x += 2, wide += 2 * step, output += 2 * count) {
        block.first = wide;
        block.second = wide + step;
        block.weights = product->weights + first * product->depth;
        block.channel = channel_at(product, first, once);
        block.end = channel_at(product, even, once);
        block.output = output + first;
        block.count = count;
        if (x + 1 == windows) {
            block.second = NULL;
        }
        if (even > first) {
            multiply(&block, once);
        }
        if (even < count) {
            multiply_last(&block, channel_at(product, even, once), once);
        }
    }
}

static void multiply_blocks_twice(const asc_product_t *product, int32_t first, const int16_t *wide,
                                  int32_t step, int32_t windows, int8_t *output) {
    multiply_blocks_as(product, first, wide, step, windows, output, 0);
}

static void multiply_blocks_once(const asc_product_t *product, int32_t first, const int16_t *wide,
                                 int32_t step, int32_t windows, int8_t *output) {
    multiply_blocks_as(product, first, wide, step, windows, output, 1);
}

static inline void blocks(const asc_product_t *product, int32_t first, const int16_t *wide,
                          int32_t step, int32_t windows, int8_t *output, int once) {
    if (once) {
        multiply_blocks_once(product, first, wide, step, windows, output);
    } else {
        multiply_blocks_twice(product, first, wide, step, windows, output);
    }
}

/* Sums of two windows and all pairs of channels. */
typedef struct {
    const int16_t *first;
    const int16_t *second;
    const int8_t *weights;
    int32_t *sums;
    int32_t distance;     /* bytes from sums of the first window to those of the second */
    int32_t weight_bytes; /* of a pair of channels */
    const int8_t *end;
} asc_pair_sums_t;

ASC_ASSERT_OFFSET(asc_pair_sums_t, first, 0);
ASC_ASSERT_OFFSET(asc_pair_sums_t, second, 4);
ASC_ASSERT_OFFSET(asc_pair_sums_t, weights, 8);
ASC_ASSERT_OFFSET(asc_pair_sums_t, sums, 12);
ASC_ASSERT_OFFSET(asc_pair_sums_t, distance, 16);
ASC_ASSERT_OFFSET(asc_pair_sums_t, weight_bytes, 20);
ASC_ASSERT_OFFSET(asc_pair_sums_t, end, 24);

/* Registers are as in multiply_block. */
static void sum_pair(asc_pair_sums_t *block) {
    register asc_pair_sums_t *r0 __asm__("r0") = block;
    /* clang-format off */
    __asm__ volatile(
        "push {r0, r7, r9}\n\t"
        "ldr r2, [r0, #8]\n\t"
        "1:\n\t"
        "ldr r6, [sp]\n\t"
        "ldrd r0, r1, [r6]\n\t"
        "ldr r3, [r6, #20]\n\t"
        "mov r11, #0\n\t"
        "mov r12, #0\n\t"
        "mov r14, #0\n\t"
        "mov r7, #0\n\t"
        MULTIPLY_WINDOWS
        "ldr r6, [sp]\n\t"
        "ldrd r8, r9, [r6, #12]\n\t"
        "ldr r5, [r6, #24]\n\t"
        "add r9, r8\n\t"
        "asr r14, r14, #1\n\t"
        "asr r7, r7, #1\n\t"
        "asr r11, r11, #1\n\t"
        "asr r12, r12, #1\n\t"
        "strd r14, r7, [r9]\n\t"
        "strd r11, r12, [r8], #8\n\t"
        "str r8, [r6, #12]\n\t"
        "cmp r2, r5\n\t"
        "bne 1b\n\t"
        "pop {r0, r7, r9}"
        : "+r"(r0)
        :
        : "r1", "r2", "r3", "r4", "r5", "r6", "r8", "r10", "r11", "r12", "r14",
        "cc", "memory");
    /* clang-format on */
}

/* Sums of windows `step` values apart, `even` of them for each; see asc_im2col.h. */
static void sum_windows(const asc_product_t *product, const int16_t *wide, int32_t step,
                        int32_t windows, int32_t even, int32_t *sums) {
    asc_pair_sums_t block;
    block.weight_bytes = 2 * product->depth;
    block.weights = product->weights;
    block.end = product->weights + even * product->depth;
    for (int32_t x = 0; x < windows; x += 2, wide += 2 * step, sums += 2 * even) {
        const int is_pair = x + 1 < windows;
        block.first = wide;
        block.second = is_pair ? wide + step : wide;
        block.sums = sums;
        block.distance = is_pair ? 4 * even : 0;
        sum_pair(&block);
    }
}

/* The channels of a mostly narrow layer whose rounding takes the long way; others stay. */
ASC_APART static void multiply_others(const asc_product_t *product, const int16_t *wide,
                                      int32_t step, int32_t windows, int8_t *output) {
    enum { AT_ONCE = 8 };
    int32_t sums[2 * AT_ONCE];
    const asc_output_t range = product->range;
    const asc_others_t others = asc_find_others(product->channels, product->count);
    for (int32_t i = 0; i < others.count; i++) {
        const int32_t c = others.numbers[i];
        const asc_channel_t channel = ((const asc_channel_t *)product->channels)[c];
        asc_product_t pair = *product;
        pair.weights += c / 2 * 2 * product->depth;
        for (int32_t x = 0; x < windows; x += AT_ONCE) {
            const int32_t count = asc_min(windows - x, AT_ONCE);
            sum_windows(&pair, wide + x * step, step, count, 2, sums);
            int8_t *code = output + x * product->count + c;
            for (int32_t j = 0; j < count; j++, code += product->count) {
                *code = asc_finish(channel.bias + sums[2 * j + c % 2], &channel, &range);
            }
        }
    }
}

/* As multiply_narrow, of layers whose rounding takes the long way. */
ASC_APART static void multiply_wide(const asc_product_t *product, const int16_t *wide, int32_t step,
                                    int32_t windows, int8_t *output) {
    enum { AT_ONCE = 16 };
    int32_t sums[2 * AT_ONCE];
    asc_product_t part = *product;
    for (int32_t first = 0; first < product->count; first += AT_ONCE) {
        const asc_channel_t *const channels = (const asc_channel_t *)product->channels + first;
        part.weights = product->weights + first * product->depth;
        part.count = asc_min(product->count - first, AT_ONCE);
        const int32_t even = (part.count + 1) / 2 * 2;
        for (int32_t x = 0; x < windows; x++) {
            if (x % 2 == 0) {
                sum_windows(&part, wide + x * step, step, asc_min(windows - x, 2), even, sums);
            }
            int8_t *const codes = output + x * product->count + first;
            const int32_t *const own = sums + x % 2 * even;
            for (int32_t c = 0; c < part.count; c++) {
                codes[c] = asc_finish(channels[c].bias + own[c], &channels[c], &product->range);
            }
        }
    }
}

#endif
