/* SPDX-License-Identifier: Apache-2.0
 *
 * Depthwise convolutions with a 3x3 filter for each channel on cores with the DSP extension; a part
 * of asc_depthwise.c.
 *
 * A channel of a whole row is made at a time, with its filter in registers. A column of the input
 * is a pair of codes, of the window's first two rows, and a code of the third. It is read once and
 * multiplied by all columns of the filter that meet it: it ends a sum, goes on with the next one
 * and, with stride 1, begins a third.
 */
#ifndef ASC_DEPTHWISE_3X3_DSP_H
#define ASC_DEPTHWISE_3X3_DSP_H

#include "asc_arithmetic.h"
#include "asc_dsp.h"

/* Weights of a channel, scaled as sums are: pairs of the columns' first two rows, a pair of the
 * third row, and its last weight above 16 bits of zeros. */
typedef struct {
    uint32_t pairs[4];
    uint32_t last;
} asc_filter_t;

/* Some channels of a row of the output. Addresses of rows are those of the first window's last
 * column, less the address of the first output times the stride. */
typedef struct {
    uintptr_t rows[3];
    int8_t *output;
    int8_t *end;    /* of outputs whose windows end inside of the row */
    int32_t offset; /* as asc_narrow_offset has it, unless rounded once */
    const void *channel;
    const asc_filter_t *filter;
    const asc_filter_t *filters_end;
    int32_t is_padded; /* one more window ends a column behind the row */
    int32_t left;      /* columns before the row, 0 or 1 */
    int32_t step;      /* from one output to the next, for stride 2 half of that */
    uint32_t zeros;    /* a pair of codes of padding */
} asc_channel_row_t;

ASC_ASSERT_OFFSET(asc_channel_row_t, output, 12);
ASC_ASSERT_OFFSET(asc_channel_row_t, end, 16);
ASC_ASSERT_OFFSET(asc_channel_row_t, offset, 20);
ASC_ASSERT_OFFSET(asc_channel_row_t, channel, 24);
ASC_ASSERT_OFFSET(asc_channel_row_t, filter, 28);
ASC_ASSERT_OFFSET(asc_channel_row_t, filters_end, 32);
ASC_ASSERT_OFFSET(asc_channel_row_t, is_padded, 36);
ASC_ASSERT_OFFSET(asc_channel_row_t, left, 40);
ASC_ASSERT_OFFSET(asc_channel_row_t, step, 44);
ASC_ASSERT_OFFSET(asc_channel_row_t, zeros, 48);

/* Registers: r0 to r2 the rows; r3 the output; r4 to r8 the filter, with the number of bits in the
 * lowest byte of r8, or the step in its lower half if sums are rounded once; r9 to r11 sums, and
 * r12 and r14 a column. The stack holds the multiplier, what rounding adds, the step, the end, the
 * scaled bias, codes of padding, and the structure's address; the end is in the second place if
 * sums are rounded once. */

/* Reads the column at PLACE. */
#define READ_COLUMN(PLACE, SPARE)            \
    "ldrsb r12, [r0, " PLACE "]\n\t"         \
    "ldrsb " SPARE ", [r1, " PLACE "]\n\t"   \
    "pkhbt r12, r12, " SPARE ", lsl #16\n\t" \
    "ldrsb r14, [r2, " PLACE "]\n\t"

/* The same where a sum begins. */
#define READ_COLUMN_AND_BIAS(PLACE, SUM)   \
    "ldrsb r12, [r0, " PLACE "]\n\t"       \
    "ldrsb " SUM ", [r1, " PLACE "]\n\t"   \
    "pkhbt r12, r12, " SUM ", lsl #16\n\t" \
    "ldr " SUM ", [sp, #16]\n\t"           \
    "ldrsb r14, [r2, " PLACE "]\n\t"

/* Adds the products of a column and one of the filter. */
#define MULTIPLY_FIRST(SUM)               \
    "smlad " SUM ", r12, r4, " SUM "\n\t" \
    "smlabb " SUM ", r14, r7, " SUM "\n\t"

#define MULTIPLY_SECOND(SUM)              \
    "smlad " SUM ", r12, r5, " SUM "\n\t" \
    "smlabt " SUM ", r14, r7, " SUM "\n\t"

#define MULTIPLY_THIRD(SUM)               \
    "smlad " SUM ", r12, r6, " SUM "\n\t" \
    "smlabt " SUM ", r14, r8, " SUM "\n\t"

/* clang-format off */
/* Rounds a sum as asc_finish_narrow does, stores the code and goes on; sets flags for whether it is
 * the last. */
#define MAKE_CODE_TWICE(SUM)              \
    ROUND_TWICE(SUM)                      \
    "ldrd r14, " SUM ", [sp, #8]\n\t"     \
    "strb r12, [r3]\n\t"                  \
    "add r3, r14\n\t"                     \
    "cmp r3, " SUM "\n\t"

#define ROUND_TWICE(SUM)                  \
    "ldrd r12, r14, [sp]\n\t"             \
    "smmlar r12, " SUM ", r12, r14\n\t"   \
    ASC_ROUND_AWAY("r12", SUM)            \
    "asr r12, r12, r8\n\t"                \
    "ssat r12, #8, r12, asr #1\n\t"

/* The same as asc_finish_once does. */
#define MAKE_CODE_ONCE(SUM)               \
    "ldrd r12, r14, [sp]\n\t"             \
    "smmulr " SUM ", " SUM ", r12\n\t"    \
    "ssat " SUM ", #8, " SUM ", asr #10\n\t" \
    "strb " SUM ", [r3]\n\t"              \
    "uxtah r3, r3, r8\n\t"                \
    "cmp r3, r14\n\t"

#define ROUND_ONCE(SUM)                   \
    "ldr r12, [sp]\n\t"                   \
    "smmulr r12, " SUM ", r12\n\t"        \
    "ssat r12, #8, r12, asr #10\n\t"

#define STEP_TWICE                        \
    "ldr r10, [sp, #8]\n\t"               \
    "add r3, r10\n\t"

#define STEP_ONCE                         \
    "uxtah r3, r3, r8\n\t"

/* Reads a channel at r10, whose filter is in registers, and leaves its bias in r9. */
#define READ_CHANNEL_TWICE               \
    "ldm r10!, {r3, r9, r11}\n\t"        \
    "strd r10, r12, [r14, #24]\n\t"      \
    "orr r8, r8, r11\n\t"                \
    "ldr r12, [r14, #20]\n\t"            \
    "lsl r12, r12, r11\n\t"              \
    "strd r9, r12, [sp]\n\t"             \
    "lsl r9, r3, #1\n\t"                 \
    "str r9, [sp, #16]\n\t"              \
    "ldrd r3, r11, [r14, #12]\n\t"       \
    "str r11, [sp, #12]\n\t"

#define READ_CHANNEL_ONCE                \
    "ldr r9, [r10], #4\n\t"              \
    "ldr r3, [r10], #4\n\t"              \
    "ldr r11, [sp, #8]\n\t"              \
    "strd r10, r12, [r14, #24]\n\t"      \
    "orr r8, r8, r11\n\t"                \
    "str r9, [sp, #16]\n\t"              \
    "str r3, [sp]\n\t"                   \
    "ldrd r3, r11, [r14, #12]\n\t"       \
    "str r11, [sp, #4]\n\t"

/* Takes a channel, begins a sum in r9 with the column before the first one that all windows read,
 * and leaves the place of that one in r3. */
#define BEGIN_CHANNEL(READ_CHANNEL)      \
    "ldr r14, [sp, #24]\n\t"             \
    "ldrd r10, r12, [r14, #24]\n\t"      \
    "ldm r12!, {r4, r5, r6, r7, r8}\n\t" \
    READ_CHANNEL                         \
    "add r10, r3, #1\n\t"                \
    "add r11, #1\n\t"                    \
    "strd r10, r11, [r14, #12]\n\t"      \
    "ldr r10, [r14, #40]\n\t"            \
    "ldr r12, [sp, #20]\n\t"             \
    "ldr r11, [sp, #8]\n\t"              \
    "mov r14, r12\n\t"                   \
    "sub r3, r3, r11, lsl #1\n\t"        \
    "cmp r10, #0\n\t"                    \
    "bne 8f\n\t"

/* Ends the sum in r9 by a column of padding, if there is one, and goes to the next channel. */
#define END_CHANNEL(SECOND, PLACE, NEXT, ROUND)  \
    "ldr r14, [sp, #24]\n\t"             \
    "ldr r12, [r14, #36]\n\t"            \
    "cmp r12, #0\n\t"                    \
    "beq 6f\n\t"                         \
    SECOND                               \
    "ldr r12, [sp, #20]\n\t"             \
    "mov r14, r12\n\t"                   \
    MULTIPLY_THIRD("r9")                 \
    ROUND("r9")                          \
    PLACE                                \
    "strb r12, [r3]\n\t"                 \
    "ldr r14, [sp, #24]\n\t"             \
    "6:\n\t"                             \
    NEXT                                 \
    "ldrd r10, r11, [r14, #28]\n\t"      \
    "cmp r10, r11\n\t"                   \
    "bne 1b\n\t"

#define MAKE_CHANNELS(NAME, FORM, FIRST_PLACE, ROW, SECOND, PLACE, NEXT)                      \
    static void NAME(asc_channel_row_t *row) {                                                \
        register asc_channel_row_t *r0 __asm__("r0") = row;                                   \
        __asm__ volatile(                                                                     \
            "push {r0, r7, r9}\n\t"                                                           \
            "sub sp, #24\n\t"                                                                 \
            "ldrd r3, r4, [r0, #44]\n\t"                                                      \
            "str r3, [sp, #8]\n\t"                                                            \
            "str r4, [sp, #20]\n\t"                                                           \
            "ldm r0, {r0, r1, r2}\n\t"                                                        \
            "1:\n\t"                                                                          \
            BEGIN_CHANNEL(READ_CHANNEL_##FORM)                                                \
            READ_COLUMN(FIRST_PLACE, "r10")                                                   \
            "8:\n\t"                                                                          \
            MULTIPLY_FIRST("r9")                                                              \
            "add r3, r11\n\t"                                                                 \
            ROW                                                                               \
            END_CHANNEL(SECOND, PLACE, NEXT, ROUND_##FORM)                                    \
            "stm r14, {r0, r1, r2}\n\t"                                                       \
            "add sp, #24\n\t"                                                                 \
            "pop {r0, r7, r9}"                                                                \
            : "+r"(r0)                                                                        \
            :                                                                                 \
            : "r1", "r2", "r3", "r4", "r5", "r6", "r8", "r10", "r11", "r12", "r14", "cc",     \
              "memory");                                                                      \
    }

#define NEXT_OF_THREE(ENDED, NEXT, BEGUN, FORM)    \
    READ_COLUMN_AND_BIAS("r3", BEGUN)              \
    MULTIPLY_THIRD(ENDED)                          \
    MULTIPLY_SECOND(NEXT)                          \
    MULTIPLY_FIRST(BEGUN)                          \
    MAKE_CODE_##FORM(ENDED)

/* r9 to r11 take turns; the sum of a window behind the row ends up in r9. */
#define MAKE_CHANNELS_OF_EACH(NAME, FORM)          \
    MAKE_CHANNELS(NAME, FORM,                      \
        "r3",                                      \
        READ_COLUMN_AND_BIAS("r3", "r10")          \
        MULTIPLY_SECOND("r9")                      \
        MULTIPLY_FIRST("r10")                      \
        "add r3, r11\n\t"                          \
        "2:\n\t"                                   \
        NEXT_OF_THREE("r9", "r10", "r11", FORM)    \
        "beq 3f\n\t"                               \
        NEXT_OF_THREE("r10", "r11", "r9", FORM)    \
        "beq 4f\n\t"                               \
        NEXT_OF_THREE("r11", "r9", "r10", FORM)    \
        "bne 2b\n\t"                               \
        "b 5f\n\t"                                 \
        "3:\n\t"                                   \
        "mov r9, r10\n\t"                          \
        "b 5f\n\t"                                 \
        "4:\n\t"                                   \
        "mov r9, r11\n\t"                          \
        "5:\n\t",                                  \
        "", "", "")

MAKE_CHANNELS_OF_EACH(make_channels_twice, TWICE)
MAKE_CHANNELS_OF_EACH(make_channels_once, ONCE)

/* With stride 2: places in the input are twice those in the output, so that the next channel, one
 * place behind, is one less than two places behind. */
#define MAKE_CHANNELS_OF_EVERY_OTHER(NAME, FORM)    \
    MAKE_CHANNELS(NAME, FORM,                       \
        "r3, lsl #1",                               \
        "2:\n\t"                                    \
        READ_COLUMN("r3, lsl #1", "r10")            \
        MULTIPLY_SECOND("r9")                       \
        STEP_##FORM                                 \
        READ_COLUMN_AND_BIAS("r3, lsl #1", "r10")   \
        MULTIPLY_THIRD("r9")                        \
        MULTIPLY_FIRST("r10")                       \
        MAKE_CODE_##FORM("r9")                      \
        "mov r9, r10\n\t"                           \
        "bne 2b\n\t",                               \
        READ_COLUMN("r3, lsl #1", "r10")            \
        MULTIPLY_SECOND("r9"),                      \
        "ldr r14, [sp, #8]\n\t"                     \
        "add r3, r14\n\t",                          \
        "sub r0, #1\n\t"                            \
        "sub r1, #1\n\t"                            \
        "sub r2, #1\n\t")

MAKE_CHANNELS_OF_EVERY_OTHER(make_channels_of_every_other_twice, TWICE)
MAKE_CHANNELS_OF_EVERY_OTHER(make_channels_of_every_other_once, ONCE)
/* clang-format on */

/* Puts a pair of weights of four filters into place: the bytes of two words, scaled.
 *
 * once: whether sums are rounded once; a constant, here and below. */
ASC_INLINE void put_pairs(uint32_t low, uint32_t high, int once, asc_filter_t *filters,
                          int32_t place) {
    const asc_pairs_t first = asc_scale_four(low, once), second = asc_scale_four(high, once);
    filters[0].pairs[place] = asc_pack_low(first.even, second.even);
    filters[1].pairs[place] = asc_pack_low(first.odd, second.odd);
    filters[2].pairs[place] = asc_pack_high(first.even, second.even);
    filters[3].pairs[place] = asc_pack_high(first.odd, second.odd);
}

/* Three words of weights of four channels, of a row of the window; zeros for padding. */
static inline void load_row(const int8_t *row, const int8_t *weights, int32_t step,
                            uint32_t *words) {
    words[0] = row != NULL ? asc_load_word(weights) : 0;
    words[1] = row != NULL ? asc_load_word(weights + step) : 0;
    words[2] = row != NULL ? asc_load_word(weights + 2 * step) : 0;
}

ASC_INLINE void put_filters(const asc_depthwise_conv_t *layer, const int8_t *const *rows, int32_t c,
                            int once, asc_filter_t *filters) {
    const int32_t step = layer->output_channels;
    const int8_t *const weights = layer->weights + c;
    uint32_t first[3], second[3], third[3];
    load_row(rows[0], weights, step, first);
    load_row(rows[1], weights + 3 * step, step, second);
    load_row(rows[2], weights + 6 * step, step, third);
    put_pairs(first[0], second[0], once, filters, 0);
    put_pairs(first[1], second[1], once, filters, 1);
    put_pairs(first[2], second[2], once, filters, 2);
    put_pairs(third[0], third[1], once, filters, 3);
    const asc_pairs_t last = asc_scale_four(third[2], once);
    filters[0].last = last.even << 16;
    filters[1].last = last.odd << 16;
    filters[2].last = last.even & 0xFFFF0000u;
    filters[3].last = last.odd & 0xFFFF0000u;
}

/* Returns what rows of padding add to the sum of a channel. */
static int32_t add_padding(const asc_depthwise_conv_t *layer, const int8_t *const *rows,
                           int32_t c) {
    const int8_t *weights = layer->weights + c;
    int32_t sum = 0;
    for (int32_t tap = 0; tap < 9; tap++, weights += layer->output_channels) {
        sum += rows[tap / 3] == NULL ? layer->input_zero_point * *weights : 0;
    }
    return sum;
}

/* Copies four channels with biases that hold what rows of padding add. */
ASC_INLINE const void *pad_channels(const asc_depthwise_conv_t *layer, const int8_t *const *rows,
                                    int32_t c, int once, void *padded) {
    for (int32_t i = 0; i < 4; i++) {
        const int32_t sum = add_padding(layer, rows, c + i);
        if (once) {
            asc_once_channel_t *const channel = (asc_once_channel_t *)padded + i;
            *channel = ((const asc_once_channel_t *)layer->channels)[c + i];
            channel->bias += ASC_ONCE_SCALE * sum;
        } else {
            asc_channel_t *const channel = (asc_channel_t *)padded + i;
            *channel = ((const asc_channel_t *)layer->channels)[c + i];
            channel->bias += sum;
        }
    }
    return padded;
}

/* Whether there are loops for a layer with a filter for each channel: windows of 3x3 with a column
 * of padding at most on each side, and stride 1 or 2. Returns the number of windows that end inside
 * of the row, 0 if not. */
static int32_t fits_3x3(const asc_depthwise_conv_t *layer) {
    const asc_window_t *window = &layer->window;
    const int32_t stride = window->stride;
    const int32_t last = layer->input_width - 3 + window->left;
    if (window->height != 3 || window->width != 3 || window->dilation != 1 || stride > 2 ||
        layer->output_channels % stride != 0 || (uint32_t)window->left > 1u || last < 0) {
        return 0;
    }
    const int32_t inside = asc_min(last / stride + 1, layer->output_width);
    const int32_t behind = layer->output_width - inside;
    return behind == 0 || (behind == 1 && inside * stride == last + 1) ? inside : 0;
}

/* Makes channels four at a time of a row of a narrow layer with a filter for each channel, and
 * returns how many: none if there are no loops for the layer.
 *
 * scratch: room for four filters and four channels. */
ASC_INLINE int32_t depthwise_3x3(const asc_depthwise_conv_t *layer, int once,
                                 const int8_t *const *rows, int8_t *scratch, int8_t *output) {
    const int32_t outputs = layer->output_channels;
    const int32_t stride = layer->window.stride;
    const int32_t inside = fits_3x3(layer);
    const uint32_t zero = (uint32_t)layer->input_zero_point & 0xFFFFu;
    asc_filter_t *filters = (asc_filter_t *)(void *)scratch;
    const int8_t *any = NULL;
    int is_padded = 0;
    asc_channel_row_t row;
    int32_t c = 0;
    for (int32_t y = 0; inside > 0 && y < 3; y++) {
        is_padded |= rows[y] == NULL;
        any = rows[y] != NULL ? rows[y] : any;
    }
    if (any == NULL) {
        return 0;
    }
    row.output = output;
    row.end = output + (inside - 1) * outputs + outputs / stride;
    row.offset = asc_narrow_offset(&layer->range);
    row.channel = layer->channels;
    row.filters_end = filters + 4;
    row.is_padded = layer->output_width - inside;
    row.left = layer->window.left;
    row.step = outputs / stride;
    row.zeros = zero << 16 | zero;
    for (int32_t y = 0; y < 3; y++) {
        const int8_t *last = (rows[y] != NULL ? rows[y] : any) + (2 - row.left) * outputs;
        row.rows[y] = (uintptr_t)last - (uintptr_t)stride * (uintptr_t)output;
    }
    for (; c + 4 <= outputs; c += 4) {
        put_filters(layer, rows, c, once, filters);
        row.filter = filters;
        if (is_padded) {
            row.channel = pad_channels(layer, rows, c, once, filters + 4);
        }
        if (stride == 2 && once) {
            make_channels_of_every_other_once(&row);
        } else if (stride == 2) {
            make_channels_of_every_other_twice(&row);
        } else if (once) {
            make_channels_once(&row);
        } else {
            make_channels_twice(&row);
        }
    }
    return c;
}

#endif
