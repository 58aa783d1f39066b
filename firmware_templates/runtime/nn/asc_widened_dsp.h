/* SPDX-License-Identifier: Apache-2.0
 *
 * Windows against channels whose weights are widened once for all pairs of windows of a run, on
 * cores with the DSP extension; a part of asc_conv.c.
 */
#ifndef ASC_WIDENED_DSP_H
#define ASC_WIDENED_DSP_H

#include "asc_arithmetic.h"
#include "asc_conv_dsp.h"
#include "asc_dsp.h"
#include "asc_im2col.h"

/* All pairs of windows of a run against two or three channels, whose weights are widened: a pair of
 * values of each channel, then the next pairs. */
typedef struct {
    int32_t rounding[9]; /* multipliers; or multiplier, bits and what is added, of each channel */
    int32_t biases[3];   /* in the scale of the windows' values */
    int8_t *output;
    int32_t count; /* codes from a window's output to the next */
    const uint32_t *weights;
    const uint32_t *weights_end;
    int32_t step; /* bytes from behind a window to that after the next */
    const int8_t *end;
    int32_t skipped; /* bytes of code */
    const int16_t *first;
    const int16_t *second;
} asc_widened_channels_t;

ASC_ASSERT_OFFSET(asc_widened_channels_t, biases, 36);
ASC_ASSERT_OFFSET(asc_widened_channels_t, output, 48);
ASC_ASSERT_OFFSET(asc_widened_channels_t, count, 52);
ASC_ASSERT_OFFSET(asc_widened_channels_t, weights, 56);
ASC_ASSERT_OFFSET(asc_widened_channels_t, weights_end, 60);
ASC_ASSERT_OFFSET(asc_widened_channels_t, step, 64);
ASC_ASSERT_OFFSET(asc_widened_channels_t, end, 68);
ASC_ASSERT_OFFSET(asc_widened_channels_t, skipped, 72);
ASC_ASSERT_OFFSET(asc_widened_channels_t, first, 76);
ASC_ASSERT_OFFSET(asc_widened_channels_t, second, 80);

/* clang-format off */

/* As MULTIPLY_FOUR, with weights that are widened: sums of the first window in r10 and r11, of the
 * second in r14 and r7. */
#define MULTIPLY_FOUR_OF_TWO        \
    "ldm r2!, {r4, r5, r6, r8}\n\t" \
    "ldrd r9, r12, [r0], #8\n\t"    \
    "smlad r10, r9, r4, r10\n\t"    \
    "smlad r11, r9, r5, r11\n\t"    \
    "smlad r10, r12, r6, r10\n\t"   \
    "smlad r11, r12, r8, r11\n\t"   \
    "ldrd r9, r12, [r1], #8\n\t"    \
    "smlad r14, r9, r4, r14\n\t"    \
    "smlad r7, r9, r5, r7\n\t"      \
    "smlad r14, r12, r6, r14\n\t"   \
    "smlad r7, r12, r8, r7\n\t"

/* Two values of two windows and three channels: to r10 to r12, and to r14, r7 and r9. */
#define MULTIPLY_TWO_OF_THREE       \
    "ldr r3, [r0], #4\n\t"          \
    "ldr r8, [r1], #4\n\t"          \
    "ldm r2!, {r4, r5, r6}\n\t"     \
    "smlad r10, r3, r4, r10\n\t"    \
    "smlad r11, r3, r5, r11\n\t"    \
    "smlad r12, r3, r6, r12\n\t"    \
    "smlad r14, r8, r4, r14\n\t"    \
    "smlad r7, r8, r5, r7\n\t"      \
    "smlad r9, r8, r6, r9\n\t"

#define MULTIPLY_FOUR_OF_THREE MULTIPLY_TWO_OF_THREE MULTIPLY_TWO_OF_THREE

enum { FOUR_OF_TWO_BYTES = 44, FOUR_OF_THREE_BYTES = 68 };

/* Rounds sums of both windows as asc_finish_narrow does, and stores them at PLACE. */
#define ROUND_ONE_TWICE(SUM, OUTPUT)         \
    "smmlar r3, " SUM ", r4, r6\n\t"         \
    ASC_ROUND_AWAY("r3", SUM)                \
    "asr r3, r3, r5\n\t"                     \
    "ssat r3, #8, r3, asr #1\n\t"            \
    "strb r3, [" OUTPUT "]\n\t"

#define ROUND_BOTH_TWICE(FIRST, SECOND, PLACE)  \
    ROUND_ONE_TWICE(FIRST, "r8, " PLACE)        \
    ROUND_ONE_TWICE(SECOND, "r2, " PLACE)

/* The same as asc_finish_once does. */
#define ROUND_BOTH_ONCE(FIRST, SECOND, MULTIPLIER, PLACE)  \
    "smmulr " FIRST ", " FIRST ", " MULTIPLIER "\n\t"      \
    "smmulr " SECOND ", " SECOND ", " MULTIPLIER "\n\t"    \
    "ssat " FIRST ", #8, " FIRST ", asr #10\n\t"           \
    "ssat " SECOND ", #8, " SECOND ", asr #10\n\t"         \
    "strb " FIRST ", [r8, " PLACE "]\n\t"                  \
    "strb " SECOND ", [r2, " PLACE "]\n\t"

/* The stack holds the structure but for its last members. SUMS begins the sums besides those of the
 * first two channels, PRODUCTS adds to them, and CODES makes codes, from r8 and r2 on. */
#define MULTIPLY_WIDENED(NAME, SUMS, PRODUCTS, CODES)                                         \
    ASC_APART static void NAME(const asc_widened_channels_t *channels) {                          \
        register const asc_widened_channels_t *r0 __asm__("r0") = channels;                   \
        __asm__ volatile(                                                                     \
            "push {r0, r7, r9}\n\t"                                                           \
            "sub sp, #76\n\t"                                                                 \
            "mov r12, sp\n\t"                                                                 \
            "ldm r0!, {r1, r2, r3, r4, r5, r6, r7, r8, r9}\n\t"                               \
            "stm r12!, {r1, r2, r3, r4, r5, r6, r7, r8, r9}\n\t"                              \
            "ldm r0!, {r1, r2, r3, r4, r5, r6, r7, r8, r9}\n\t"                               \
            "stm r12, {r1, r2, r3, r4, r5, r6, r7, r8, r9}\n\t"                               \
            "ldm r0, {r0, r1, r2}\n\t"                                                        \
            "str r0, [r12, #36]\n\t"                                                          \
            "mov r0, r1\n\t"                                                                  \
            "mov r1, r2\n\t"                                                                  \
            "1:\n\t"                                                                          \
            "ldrd r2, r3, [sp, #56]\n\t"                                                      \
            "ldrd r10, r11, [sp, #36]\n\t"                                                    \
            SUMS                                                                              \
            "mov r14, r10\n\t"                                                                \
            "mov r7, r11\n\t"                                                                 \
            PRODUCTS                                                                          \
            "ldr r8, [sp, #48]\n\t"                                                           \
            "ldr r2, [sp, #52]\n\t"                                                           \
            "add r2, r8\n\t"                                                                  \
            CODES                                                                             \
            "ldr r4, [sp, #52]\n\t"                                                           \
            "ldr r5, [sp, #64]\n\t"                                                           \
            "ldr r6, [sp, #68]\n\t"                                                           \
            "add r2, r4\n\t"                                                                  \
            "str r2, [sp, #48]\n\t"                                                           \
            "add r0, r5\n\t"                                                                  \
            "add r1, r5\n\t"                                                                  \
            "cmp r2, r6\n\t"                                                                  \
            "bne 1b\n\t"                                                                      \
            "add sp, #76\n\t"                                                                 \
            "pop {r0, r7, r9}"                                                                \
            : "+r"(r0)                                                                        \
            :                                                                                 \
            : "r1", "r2", "r3", "r4", "r5", "r6", "r8", "r10", "r11", "r12", "r14",           \
              "cc", "memory");                                                                \
    }

/* Eight fours in a loop, which begins behind as many as the window has less than eights of them: the
 * stack has their bytes. */
#define MULTIPLY_TWO(NAME, CODES)                           \
    MULTIPLY_WIDENED(NAME, "",                              \
        "ldr r4, [sp, #72]\n\t"                             \
        EIGHT_TIMES("r4", MULTIPLY_FOUR_OF_TWO, "44")       \
        "cmp r2, r3\n\t"                                    \
        "bne 2b\n\t",                                       \
        CODES)

#define CODES_OF_TWO_TWICE                                  \
    "ldm sp, {r4, r5, r6}\n\t"                              \
    ROUND_BOTH_TWICE("r10", "r14", "#0")                    \
    "ldr r4, [sp, #12]\n\t"                                 \
    "ldr r5, [sp, #16]\n\t"                                 \
    "ldr r6, [sp, #20]\n\t"                                 \
    ROUND_BOTH_TWICE("r11", "r7", "#1")

#define CODES_OF_TWO_ONCE                                   \
    "ldrd r4, r5, [sp]\n\t"                                 \
    ROUND_BOTH_ONCE("r10", "r14", "r4", "#0")               \
    ROUND_BOTH_ONCE("r11", "r7", "r5", "#1")

MULTIPLY_TWO(multiply_two_twice, CODES_OF_TWO_TWICE)
MULTIPLY_TWO(multiply_two_once, CODES_OF_TWO_ONCE)

#define MULTIPLY_THREE(NAME, CODES)                         \
    MULTIPLY_WIDENED(NAME,                                  \
        "ldr r12, [sp, #44]\n\t",                           \
        "mov r9, r12\n\t"                                   \
        "ldr r4, [sp, #72]\n\t"                             \
        EIGHT_TIMES("r4", MULTIPLY_FOUR_OF_THREE, "68")     \
        "ldr r4, [sp, #60]\n\t"                             \
        "cmp r2, r4\n\t"                                    \
        "bne 2b\n\t",                                       \
        CODES)

#define CODES_OF_THREE_TWICE                                \
    CODES_OF_TWO_TWICE                                      \
    "ldr r4, [sp, #24]\n\t"                                 \
    "ldr r5, [sp, #28]\n\t"                                 \
    "ldr r6, [sp, #32]\n\t"                                 \
    ROUND_BOTH_TWICE("r12", "r9", "#2")

#define CODES_OF_THREE_ONCE                                 \
    "ldm sp, {r4, r5, r6}\n\t"                              \
    ROUND_BOTH_ONCE("r10", "r14", "r4", "#0")               \
    ROUND_BOTH_ONCE("r11", "r7", "r5", "#1")                \
    ROUND_BOTH_ONCE("r12", "r9", "r6", "#2")

MULTIPLY_THREE(multiply_three_twice, CODES_OF_THREE_TWICE)
MULTIPLY_THREE(multiply_three_once, CODES_OF_THREE_ONCE)
/* clang-format on */

/* The weights of a channel; those of the next four are 8 bytes behind. */
static inline const int8_t *weights_of(const asc_product_t *product, int32_t channel) {
    return product->weights + channel / 2 * 2 * product->depth + channel % 2 * 4;
}

/* clang-format off */
#define WIDEN_FOUR_OF_TWO               \
    "ldr r10, [%[first]], #4\n\t"       \
    "ldr r11, [%[first]], #4\n\t"       \
    "sxtb16 r4, r10\n\t"                \
    "sxtb16 r5, r11\n\t"                \
    "sxtb16 r10, r10, ror #8\n\t"       \
    "sxtb16 r11, r11, ror #8\n\t"       \
    "stm %[to]!, {r4, r5, r10, r11}\n\t"

#define WIDEN_FOUR_OF_THREE             \
    "ldr r10, [%[first]], #8\n\t"       \
    "ldr r11, [%[second]], #8\n\t"      \
    "ldr r12, [%[third]], #8\n\t"       \
    "sxtb16 r4, r10\n\t"                \
    "sxtb16 r5, r11\n\t"                \
    "sxtb16 r6, r12\n\t"                \
    "sxtb16 r10, r10, ror #8\n\t"       \
    "sxtb16 r11, r11, ror #8\n\t"       \
    "sxtb16 r12, r12, ror #8\n\t"       \
    "stm %[to]!, {r4, r5, r6, r10, r11, r12}\n\t"

/* Twice in a loop: an odd number of fours enters in the middle. */
#define WIDEN_ALL(WIDEN_FOUR)           \
    "lsls r4, %[fours], #31\n\t"        \
    "bne 2f\n\t"                        \
    "1:\n\t"                            \
    WIDEN_FOUR                          \
    "2:\n\t"                            \
    WIDEN_FOUR                          \
    "subs %[fours], #2\n\t"             \
    "bgt 1b"
/* clang-format on */

/* Widens weights of two channels, from an even one on. */
ASC_INLINE void widen_two(const asc_product_t *product, int32_t channel) {
    const int8_t *first = weights_of(product, channel);
    uint32_t *to = product->widened;
    int32_t fours = product->depth / 4;
    __asm__ volatile(WIDEN_ALL(WIDEN_FOUR_OF_TWO)
                     : [first] "+r"(first), [to] "+r"(to), [fours] "+r"(fours)
                     :
                     : "r4", "r5", "r10", "r11", "cc", "memory");
}

ASC_INLINE void widen_three(const asc_product_t *product, int32_t channel) {
    const int8_t *first = weights_of(product, channel);
    const int8_t *second = weights_of(product, channel + 1);
    const int8_t *third = weights_of(product, channel + 2);
    uint32_t *to = product->widened;
    int32_t fours = product->depth / 4;
    __asm__ volatile(WIDEN_ALL(WIDEN_FOUR_OF_THREE)
                     : [first] "+r"(first), [second] "+r"(second), [third] "+r"(third),
                       [to] "+r"(to), [fours] "+r"(fours)
                     :
                     : "r4", "r5", "r6", "r10", "r11", "r12", "cc", "memory");
}

/* As multiply_narrow for many windows: weights of two channels, or of three where there is room,
 * are widened once for all pairs of windows. */
ASC_INLINE void multiply_widened_as(const asc_product_t *product, const int16_t *wide, int32_t step,
                                    int32_t windows, int8_t *output, int once) {
    const int32_t count = product->count;
    const int32_t depth = product->depth;
    const int32_t offset = asc_narrow_offset(&product->range);
    const int32_t paired = windows / 2 * 2;
    const int32_t skipped = -(depth / 4) & 7; /* fours of the first eight */
    /* What threes leave over is in pairs. */
    const int32_t twos = product->widens < 3 ? count / 2 * 2
                         : count == 1        ? 0
                                             : (3 - count % 3) % 3 * 2;
    asc_widened_channels_t channels;
    channels.count = count;
    channels.weights = product->widened;
    channels.step = 4 * step - 2 * depth;
    channels.first = wide;
    channels.second = wide + step;
    int32_t made = 0;
    for (int32_t c = 0; c + 2 <= count; c += made) {
        made = c < twos ? 2 : 3;
        for (int32_t i = 0; i < made; i++) {
            if (once) {
                const asc_once_channel_t *const channel = channel_at(product, c + i, 1);
                channels.rounding[i] = channel->multiplier;
                channels.biases[i] = channel->bias;
                continue;
            }
            const asc_channel_t *const channel = channel_at(product, c + i, 0);
            int32_t *const rounding = channels.rounding + 3 * i;
            rounding[0] = channel->multiplier;
            rounding[1] = channel->bits;
            rounding[2] = asc_shift_left(offset, channel->bits);
            channels.biases[i] = channel->bias * 2;
        }
        channels.weights_end = channels.weights + made * depth / 2;
        channels.output = output + c;
        channels.end = channels.output + paired * count;
        if (made == 2) {
            channels.skipped = skipped * FOUR_OF_TWO_BYTES;
            widen_two(product, c);
            if (once) {
                multiply_two_once(&channels);
            } else {
                multiply_two_twice(&channels);
            }
        } else {
            channels.skipped = skipped * FOUR_OF_THREE_BYTES;
            widen_three(product, c);
            if (once) {
                multiply_three_once(&channels);
            } else {
                multiply_three_twice(&channels);
            }
        }
    }
    if (twos == count - 1) {
        blocks(product, twos, wide, step, paired, output, once);
    }
    if (paired < windows) {
        blocks(product, 0, wide + paired * step, step, 1, output + paired * count, once);
    }
}

ASC_APART static void multiply_widened_twice(const asc_product_t *product, const int16_t *wide,
                                             int32_t step, int32_t windows, int8_t *output) {
    multiply_widened_as(product, wide, step, windows, output, 0);
}

ASC_APART static void multiply_widened_once(const asc_product_t *product, const int16_t *wide,
                                            int32_t step, int32_t windows, int8_t *output) {
    multiply_widened_as(product, wide, step, windows, output, 1);
}

/* Windows `step` values apart, of a narrow layer. */
ASC_INLINE void multiply_narrow(const asc_product_t *product, const int16_t *wide, int32_t step,
                                int32_t windows, int8_t *output, int once) {
    if (product->widens == 0) {
        blocks(product, 0, wide, step, windows, output, once);
    } else if (once) {
        multiply_widened_once(product, wide, step, windows, output);
    } else {
        multiply_widened_twice(product, wide, step, windows, output);
    }
}

#endif
