/* SPDX-License-Identifier: Apache-2.0
 *
 * Sums of upsampled convolutions on cores with the DSP extension; a part of asc_upsampled_sum.c.
 */
#ifndef ASC_UPSAMPLED_DSP_H
#define ASC_UPSAMPLED_DSP_H

#include "asc_dsp.h"
#include "asc_kernels.h"

/* Four pixels against all pairs of filters. Pixels lie mixed: values 0 and 2 of each of them, then
 * values 1 and 3 of each, then 4 and 6. */
typedef struct {
    int32_t *sums;
    int32_t step;              /* bytes from the sums of a pair to those of the next */
    const int8_t *weights_end; /* of the first pair */
    int32_t weight_bytes;      /* of a pair */
    const uint32_t *pixels;
    const int8_t *end;
    const int8_t *weights;
} asc_four_pixels_t;

ASC_ASSERT_OFFSET(asc_four_pixels_t, sums, 0);
ASC_ASSERT_OFFSET(asc_four_pixels_t, step, 4);
ASC_ASSERT_OFFSET(asc_four_pixels_t, weights_end, 8);
ASC_ASSERT_OFFSET(asc_four_pixels_t, weight_bytes, 12);
ASC_ASSERT_OFFSET(asc_four_pixels_t, pixels, 16);
ASC_ASSERT_OFFSET(asc_four_pixels_t, end, 20);
ASC_ASSERT_OFFSET(asc_four_pixels_t, weights, 24);

/* clang-format off */
/* Two values of four pixels, from r0 on, against those of two filters, from r1 on. */
#define FIRST_TWO_VALUES             \
    "ldr r3, [r1], #4\n\t"           \
    "ldm r0!, {r4, r5}\n\t"          \
    "sxtb16 r2, r3\n\t"              \
    "sxtb16 r3, r3, ror #8\n\t"      \
    "smuad r6, r4, r2\n\t"           \
    "smuad r7, r4, r3\n\t"           \
    "smuad r8, r5, r2\n\t"           \
    "smuad r9, r5, r3\n\t"           \
    "ldm r0!, {r4, r5}\n\t"          \
    "smuad r10, r4, r2\n\t"          \
    "smuad r11, r4, r3\n\t"          \
    "smuad r12, r5, r2\n\t"          \
    "smuad r14, r5, r3\n\t"

#define TWO_VALUES                   \
    "ldr r3, [r1], #4\n\t"           \
    "ldm r0!, {r4, r5}\n\t"          \
    "sxtb16 r2, r3\n\t"              \
    "sxtb16 r3, r3, ror #8\n\t"      \
    "smlad r6, r4, r2, r6\n\t"       \
    "smlad r7, r4, r3, r7\n\t"       \
    "smlad r8, r5, r2, r8\n\t"       \
    "smlad r9, r5, r3, r9\n\t"       \
    "ldm r0!, {r4, r5}\n\t"          \
    "smlad r10, r4, r2, r10\n\t"     \
    "smlad r11, r4, r3, r11\n\t"     \
    "smlad r12, r5, r2, r12\n\t"     \
    "smlad r14, r5, r3, r14\n\t"

/* Behind the first four values, a loop has eight: an odd number of fours enters in the middle. The
 * stack holds the structure but for its last member. */
static void sum_four_pixels(const asc_four_pixels_t *block) {
    register const asc_four_pixels_t *r0 __asm__("r0") = block;
    __asm__ volatile(
        "push {r0, r7, r9}\n\t"
        "ldr r1, [r0, #24]\n\t"
        "ldm r0, {r2, r3, r4, r5, r6, r7}\n\t"
        "push {r2, r3, r4, r5, r6, r7}\n\t"
        "mov r0, r6\n\t"
        "1:\n\t"
        "ldr r2, [sp, #12]\n\t"
        "lsls r2, r2, #28\n\t"
        FIRST_TWO_VALUES
        TWO_VALUES
        "bpl 3f\n\t"
        "b 4f\n\t"
        "2:\n\t"
        TWO_VALUES
        TWO_VALUES
        "3:\n\t"
        TWO_VALUES
        TWO_VALUES
        "4:\n\t"
        "ldr r2, [sp, #8]\n\t"
        "cmp r1, r2\n\t"
        "bne 2b\n\t"
        "ldm sp, {r2, r3, r4, r5}\n\t"
        "stm r2, {r6, r7, r8, r9, r10, r11, r12, r14}\n\t"
        "add r2, r3\n\t"
        "add r4, r5\n\t"
        "str r2, [sp]\n\t"
        "str r4, [sp, #8]\n\t"
        "ldrd r0, r5, [sp, #16]\n\t"
        "cmp r1, r5\n\t"
        "bne 1b\n\t"
        "add sp, #24\n\t"
        "pop {r0, r7, r9}"
        : "+r"(r0)
        :
        : "r1", "r2", "r3", "r4", "r5", "r6", "r8", "r10", "r11", "r12", "r14", "cc", "memory");
}
/* clang-format on */

/* Four pixels in their mixed order. */
static void mix_pixels(const int8_t *pixel, int32_t channels, int32_t depth, uint32_t *mixed) {
    for (; depth > 0; depth -= 4, pixel += 4, mixed += 8) {
        for (int32_t i = 0; i < 4; i++) {
            const uint32_t values = asc_load_word(pixel + i * channels);
            mixed[i] = asc_widen_even(values);
            mixed[4 + i] = asc_widen_odd(values);
        }
    }
}

/* Pixels of a row, at least four, against all filters; sums lie as asc_upsampled_sum.c has them. */
static void sum_pixels(const asc_conv_sums_t *layer, const int8_t *row, uint32_t *mixed,
                       int32_t *sums) {
    const int32_t width = layer->input_width;
    const int32_t pair = 2 * layer->depth;
    const int8_t *const weights = layer->weights;
    const int8_t *const end = weights + (layer->filters + 1) / 2 * pair;
    for (int32_t first = 0; first < width; first += 4) {
        /* The last four pixels may overlap those before. */
        const int32_t x = first + 4 <= width ? first : width - 4;
        const asc_four_pixels_t block = {sums + 2 * x, 8 * width, weights + pair, pair,
                                         mixed,        end,       weights};
        mix_pixels(row + x * layer->input_channels, layer->input_channels, layer->depth, mixed);
        sum_four_pixels(&block);
    }
}

/* All channels of a row of the output from two rows of sums. */
typedef struct {
    int32_t pixels; /* of a row of sums, but one, times 256 */
    int32_t offset; /* a half and the zero point, in halves; unless rounded once */
    const void *channel;
    const void *end;
    const int32_t *padding; /* of the first row */
    int32_t to_second;      /* bytes from there to that of the second row */
    int32_t to_last;        /* and to that of the window's last column */
    int32_t step;           /* bytes from behind the sums of a channel to those of the next */
    int32_t next_step;
    int32_t middles; /* to_middle of a channel and of the next */
    int32_t back;    /* codes from the first output of the next channel to behind this one's */
    const int32_t *first;
    const int32_t *second;
    int32_t to_middle; /* bytes from sums of the window's first column to those of others */
    int32_t to_right;
    int8_t *output;
    int32_t channels; /* codes from a pixel of the output to the next */
} asc_two_rows_t;

ASC_ASSERT_OFFSET(asc_two_rows_t, pixels, 0);
ASC_ASSERT_OFFSET(asc_two_rows_t, offset, 4);
ASC_ASSERT_OFFSET(asc_two_rows_t, channel, 8);
ASC_ASSERT_OFFSET(asc_two_rows_t, end, 12);
ASC_ASSERT_OFFSET(asc_two_rows_t, padding, 16);
ASC_ASSERT_OFFSET(asc_two_rows_t, to_second, 20);
ASC_ASSERT_OFFSET(asc_two_rows_t, to_last, 24);
ASC_ASSERT_OFFSET(asc_two_rows_t, step, 28);
ASC_ASSERT_OFFSET(asc_two_rows_t, next_step, 32);
ASC_ASSERT_OFFSET(asc_two_rows_t, middles, 36);
ASC_ASSERT_OFFSET(asc_two_rows_t, back, 40);
ASC_ASSERT_OFFSET(asc_two_rows_t, first, 44);
ASC_ASSERT_OFFSET(asc_two_rows_t, second, 48);
ASC_ASSERT_OFFSET(asc_two_rows_t, to_middle, 52);
ASC_ASSERT_OFFSET(asc_two_rows_t, to_right, 56);
ASC_ASSERT_OFFSET(asc_two_rows_t, output, 60);
ASC_ASSERT_OFFSET(asc_two_rows_t, channels, 64);
ASC_ASSERT_OFFSET(asc_channel_t, bias, 0);
ASC_ASSERT_OFFSET(asc_channel_t, multiplier, 4);
ASC_ASSERT_OFFSET(asc_channel_t, bits, 8);
typedef char asc_channel_t_has_12_bytes[sizeof(asc_channel_t) == 12 ? 1 : -1];
ASC_ASSERT_OFFSET(asc_once_channel_t, bias, 0);
ASC_ASSERT_OFFSET(asc_once_channel_t, multiplier, 4);
typedef char asc_once_channel_t_has_8_bytes[sizeof(asc_once_channel_t) == 8 ? 1 : -1];

/* clang-format off */
/* Reads a channel at r0: its scaled bias, its multiplier, and pixels, above the lowest eight bits of
 * r9; what rounding adds where sums are rounded twice. */
#define READ_CHANNEL_TWICE                           \
    "ldm r0!, {r7, r8, r9}\n\t"                      \
    "str r0, [sp, #8]\n\t"                           \
    "lsl r7, r7, #1\n\t"                             \
    "lsl r10, r12, r9\n\t"                           \
    "add r9, r11\n\t"

#define READ_CHANNEL_ONCE                            \
    "ldm r0!, {r7, r8}\n\t"                          \
    "str r0, [sp, #8]\n\t"                           \
    "mov r9, r11\n\t"

#define SCALE_TWICE "lsl #1\n\t"
#define SCALE_ONCE "lsl #8\n\t"

/* Rounds a sum as asc_finish_narrow does, but that the sum is doubled already; shifts by registers
 * take their lowest eight bits. */
#define PUT_CODE_TWICE(SUM, CODE)                    \
    "smmlar " CODE ", " SUM ", r8, r10\n\t"          \
    ASC_ROUND_AWAY(CODE, SUM)                        \
    "asr " CODE ", " CODE ", r9\n\t"                 \
    "ssat " CODE ", #8, " CODE ", asr #1\n\t"        \
    "strb " CODE ", [r5]\n\t"                        \
    "add r5, r6\n\t"

/* The same as asc_finish_once does. */
#define PUT_CODE_ONCE(SUM, CODE)                     \
    "smmulr " CODE ", " SUM ", r8\n\t"               \
    "ssat " CODE ", #8, " CODE ", asr #10\n\t"       \
    "strb " CODE ", [r5]\n\t"                        \
    "add r5, r6\n\t"

/* The last column's sum of a pixel. */
#define ADD_LAST                                     \
    "ldr r11, [r1, r4]\n\t"                          \
    "ldr r0, [r2, r4]\n\t"                           \
    "add r11, r0\n\t"

/* Registers from r1 on are the structure's last members, the stack holds the others. The scaled sum
 * of a pixel is in r14, but for what the next pixel adds; r12 has the first column's sum, r7 the
 * scaled bias. */
#define MAKE_FROM_TWO_ROWS(NAME, FORM)                                                               \
    static void NAME(const asc_two_rows_t *rows) {                                                   \
        register const asc_two_rows_t *r0 __asm__("r0") = rows;                                      \
        __asm__ volatile(                                                                            \
            "push {r0, r7, r9}\n\t"                                                                  \
            "ldm r0!, {r1, r2, r3, r4, r5, r6, r7, r8, r10, r11, r12}\n\t"                           \
            "push {r1, r2, r3, r4, r5, r6, r7, r8, r10, r11, r12}\n\t"                               \
            "ldm r0, {r1, r2, r3, r4, r5, r6}\n\t"                                                   \
            "1:\n\t"                                                                                 \
            "ldr r0, [sp, #8]\n\t"                                                                   \
            "ldrd r11, r12, [sp]\n\t"                                                                \
            READ_CHANNEL_##FORM                                                                      \
            "ldrd r0, r14, [sp, #16]\n\t"                                                            \
            "ldr r12, [r0], #4\n\t"                                                                  \
            "add r14, r0\n\t"                                                                        \
            "ldr r14, [r14, #-4]\n\t"                                                                \
            "str r0, [sp, #16]\n\t"                                                                  \
            "add r12, r14\n\t"                                                                       \
            ADD_LAST                                                                                 \
            "b 3f\n\t"                                                                               \
            "2:\n\t"                                                                                 \
            ADD_LAST                                                                                 \
            "add r14, r14, r11, " SCALE_##FORM                                                       \
            PUT_CODE_##FORM("r14", "r0")                                                             \
            "3:\n\t"                                                                                 \
            "ldr r14, [r1, r3]\n\t"                                                                  \
            "ldr r0, [r2, r3]\n\t"                                                                   \
            "add r14, r0\n\t"                                                                        \
            "add r14, r7, r14, " SCALE_##FORM                                                        \
            "add r0, r14, r12, " SCALE_##FORM                                                        \
            "add r0, r0, r11, " SCALE_##FORM                                                         \
            PUT_CODE_##FORM("r0", "r12")                                                             \
            "ldr r12, [r1], #8\n\t"                                                                  \
            "ldr r0, [r2], #8\n\t"                                                                   \
            "add r12, r0\n\t"                                                                        \
            "add r14, r14, r12, " SCALE_##FORM                                                       \
            "subs r9, #256\n\t"                                                                      \
            "bcs 2b\n\t"                                                                             \
            "ldrd r11, r12, [sp, #20]\n\t"                                                           \
            "ldr r0, [sp, #16]\n\t"                                                                  \
            "add r0, r12\n\t"                                                                        \
            "ldr r7, [r0, #-4]\n\t"                                                                  \
            "add r0, r11\n\t"                                                                        \
            "ldr r0, [r0, #-4]\n\t"                                                                  \
            "add r7, r0\n\t"                                                                         \
            "add r14, r14, r7, " SCALE_##FORM                                                        \
            PUT_CODE_##FORM("r14", "r0")                                                             \
            "ldrd r7, r8, [sp, #28]\n\t"                                                             \
            "ldrd r9, r10, [sp, #36]\n\t"                                                            \
            "ldrd r11, r12, [sp, #8]\n\t"                                                            \
            "strd r8, r7, [sp, #28]\n\t"                                                             \
            "add r1, r7\n\t"                                                                         \
            "add r2, r7\n\t"                                                                         \
            "sub r3, r9, r3\n\t"                                                                     \
            "sub r5, r10\n\t"                                                                        \
            "cmp r11, r12\n\t"                                                                       \
            "bne 1b\n\t"                                                                             \
            "add sp, #44\n\t"                                                                        \
            "pop {r0, r7, r9}"                                                                       \
            : "+r"(r0)                                                                               \
            :                                                                                        \
            : "r1", "r2", "r3", "r4", "r5", "r6", "r8", "r10", "r11", "r12", "r14", "cc", "memory"); \
    }

MAKE_FROM_TWO_ROWS(make_from_two_rows_twice, TWICE)
MAKE_FROM_TWO_ROWS(make_from_two_rows_once, ONCE)
/* clang-format on */

#endif
