/* SPDX-License-Identifier: Apache-2.0
 *
 * Convolutions and dense layers of 16-bit activations with 8-bit weights; see asc_kernels_s16.h.
 * Values that lie side by side under a window are multiplied as one run, for two output channels at
 * a time.
 */
#include <stddef.h>

#include "asc_arithmetic.h"
#include "asc_dsp.h"
#include "asc_kernels_s16.h"

/* So many products of 16 and 8 bits stay within 32 bits; a multiple of 4. */
enum { MOST_PRODUCTS = 508 };

static int32_t clamped(int32_t value, const asc_output_s16_t *range) {
    return asc_min(asc_max(value, range->minimum), range->maximum);
}

static int16_t finish(int64_t sum, const asc_channel_s16_t *channel,
                      const asc_output_s16_t *range) {
    sum += channel->bias;
    if (range->sum_bits == 32) {
        const int32_t value =
            asc_multiply_by_quantized_multiplier((int32_t)sum, channel->multiplier, channel->shift);
        return (int16_t)clamped(value, range);
    }
    return (int16_t)clamped(asc_multiply_wide(sum, channel->multiplier, channel->shift), range);
}

/* Two output channels of a pixel, or one if `step`, the weights from one to the other, is 0. */
static void finish_pair(const int64_t sums[2], int32_t step, const asc_channel_s16_t *channel,
                        const asc_output_s16_t *range, int16_t *output) {
    output[0] = finish(sums[0], &channel[0], range);
    if (step != 0) {
        output[1] = finish(sums[1], &channel[1], range);
    }
}

#if defined(__ARM_FEATURE_DSP) && defined(__GNUC__)

static inline int32_t add_products(uint32_t pair, uint32_t other, int32_t sum) {
    __asm__("smlad %0, %1, %2, %0" : "+r"(sum) : "r"(pair), "r"(other));
    return sum;
}

/* Adds the products of four values, 0 and 2, and 1 and 3, with weights. */
static inline int32_t add_four(uint32_t even, uint32_t odd, const int8_t *weights, int32_t sum) {
    const uint32_t word = asc_load_word(weights);
    uint32_t pair;
    __asm__("sxtb16 %0, %1" : "=r"(pair) : "r"(word));
    sum = add_products(even, pair, sum);
    __asm__("sxtb16 %0, %1, ror #8" : "=r"(pair) : "r"(word));
    return add_products(odd, pair, sum);
}

/* Adds the products of a multiple of four values with the weights of two channels. */
static inline void add_fours(const int16_t *values, int32_t count, const int8_t *weights,
                             int32_t step, int32_t sums[2]) {
    int32_t first = sums[0];
    int32_t second = sums[1];
    const int8_t *others = weights + step;
    for (const int16_t *end = values + count; values < end; values += 4) {
        uint32_t low, high, even, odd;
        memcpy(&low, values, sizeof low);
        memcpy(&high, values + 2, sizeof high);
        __asm__("pkhbt %0, %1, %2, lsl #16" : "=r"(even) : "r"(low), "r"(high));
        __asm__("pkhtb %0, %1, %2, asr #16" : "=r"(odd) : "r"(high), "r"(low));
        first = add_four(even, odd, weights, first);
        second = add_four(even, odd, others, second);
        weights += 4;
        others += 4;
    }
    sums[0] = first;
    sums[1] = second;
}

#endif

/* Adds the products of `count` values, at most MOST_PRODUCTS, with the weights of two channels. */
static inline void add_block(const int16_t *values, int32_t count, const int8_t *weights,
                             int32_t step, int64_t sums[2]) {
    int32_t own[2] = {0, 0};
    int32_t i = 0;
#if defined(__ARM_FEATURE_DSP) && defined(__GNUC__)
    i = count / 4 * 4;
    add_fours(values, i, weights, step, own);
#endif
    for (; i < count; i++) {
        own[0] += (int32_t)values[i] * weights[i];
        own[1] += (int32_t)values[i] * weights[i + step];
    }
    sums[0] += own[0];
    sums[1] += own[1];
}

static void add_run(const int16_t *values, int32_t count, const int8_t *weights, int32_t step,
                    int64_t sums[2]) {
    for (; count > MOST_PRODUCTS; count -= MOST_PRODUCTS) {
        add_block(values, MOST_PRODUCTS, weights, step, sums);
        values += MOST_PRODUCTS;
        weights += MOST_PRODUCTS;
    }
    add_block(values, count, weights, step, sums);
}

static const int16_t *row_of(const asc_kernel_args_t *args, int32_t row) {
    return (const int16_t *)(const void *)args->rows[row];
}

/* Weights from a channel to the one that is made with it, 0 if there is none. */
static int32_t step_to_next(int32_t channel, int32_t channels, int32_t filter) {
    return channel + 1 < channels ? filter : 0;
}

/* Adds the products of the window at column `first` of a row: what lies inside of it. */
static void add_row(const asc_conv_s16_t *layer, const int16_t *row, int32_t first,
                    const int8_t *weights, int32_t step, int64_t sums[2]) {
    const asc_window_t *window = &layer->window;
    const int32_t depth = layer->input_channels;
    if (window->dilation == 1) {
        const int32_t begin = asc_max(first, 0);
        const int32_t end = asc_min(first + window->width, layer->input_width);
        if (begin < end) {
            add_run(row + begin * depth, (end - begin) * depth, weights + (begin - first) * depth,
                    step, sums);
        }
        return;
    }
    for (int32_t k = 0; k < window->width; k++, first += window->dilation, weights += depth) {
        if (first >= 0 && first < layer->input_width) {
            add_run(row + first * depth, depth, weights, step, sums);
        }
    }
}

void asc_conv_s16(const void *data, const asc_kernel_args_t *args) {
    const asc_conv_s16_t *layer = data;
    const asc_window_t *window = &layer->window;
    int16_t *output = (int16_t *)(void *)args->output;
    const int32_t row_weights = window->width * layer->input_channels;
    const int32_t filter = window->height * row_weights;
    for (int32_t x = 0; x < layer->output_width; x++, output += layer->output_channels) {
        const int32_t first = x * window->stride - window->left;
        for (int32_t c = 0; c < layer->output_channels; c += 2) {
            const int32_t step = step_to_next(c, layer->output_channels, filter);
            const int8_t *weights = layer->weights + c * filter;
            int64_t sums[2] = {0, 0};
            for (int32_t y = 0; y < window->height; y++, weights += row_weights) {
                if (args->rows[y] != NULL) {
                    add_row(layer, row_of(args, y), first, weights, step, sums);
                }
            }
            finish_pair(sums, step, &layer->channels[c], &layer->range, output + c);
        }
    }
}

/* Adds the products of an input row with a row of the kernel: of pixels that meet column x. */
static void add_transposed_row(const asc_transpose_conv_s16_t *layer, const int16_t *row, int32_t x,
                               const int8_t *weights, int32_t step, int64_t sums[2]) {
    const int32_t depth = layer->input_channels;
    const int32_t stride = layer->stride_x;
    int32_t pixel = (x + layer->left) / stride;
    for (int32_t k = (x + layer->left) % stride; k < layer->width; k += stride, pixel--) {
        if (pixel >= 0 && pixel < layer->input_width) {
            add_run(row + pixel * depth, depth, weights + k * depth, step, sums);
        }
    }
}

void asc_transpose_conv_s16(const void *data, const asc_kernel_args_t *args) {
    const asc_transpose_conv_s16_t *layer = data;
    int16_t *output = (int16_t *)(void *)args->output;
    const int32_t row_weights = layer->width * layer->input_channels;
    const int32_t filter = layer->height * row_weights;
    const int32_t phase = (args->run + layer->top) % layer->stride_y;
    for (int32_t x = 0; x < layer->output_width; x++, output += layer->output_channels) {
        for (int32_t c = 0; c < layer->output_channels; c += 2) {
            const int32_t step = step_to_next(c, layer->output_channels, filter);
            const int8_t *weights = layer->weights + c * filter;
            int64_t sums[2] = {0, 0};
            int32_t row = 0;
            for (int32_t k = phase; k < layer->height; k += layer->stride_y, row++) {
                if (args->rows[row] != NULL) {
                    add_transposed_row(layer, row_of(args, row), x, weights + k * row_weights, step,
                                       sums);
                }
            }
            finish_pair(sums, step, &layer->channels[c], &layer->range, output + c);
        }
    }
}

void asc_dense_s16(const void *data, const asc_kernel_args_t *args) {
    const asc_dense_s16_t *layer = data;
    const int16_t *input = row_of(args, 0);
    int16_t *output = (int16_t *)(void *)args->output;
    for (int32_t row = 0; row < layer->rows; row++, input += layer->inputs) {
        for (int32_t c = 0; c < layer->outputs; c += 2) {
            const int32_t step = step_to_next(c, layer->outputs, layer->inputs);
            int64_t sums[2] = {0, 0};
            add_run(input, layer->inputs, layer->weights + c * layer->inputs, step, sums);
            finish_pair(sums, step, &layer->channels[c], &layer->range, output + c);
        }
        output += layer->outputs;
    }
}

/* The columns of a window that lie inside of a row. */
typedef struct {
    int32_t begin;
    int32_t end;
} asc_columns_t;

static asc_columns_t columns_inside(const asc_depthwise_conv_s16_t *layer, int32_t first) {
    const int32_t dilation = layer->window.dilation;
    const int32_t before = asc_max(0, -first) + dilation - 1;
    const int32_t within = asc_max(0, layer->input_width - first) + dilation - 1;
    const asc_columns_t columns = {before / dilation,
                                   asc_min(layer->window.width, within / dilation)};
    return columns;
}

/* The products of one output channel's weights, `weights` being the first of them, with a channel
 * of the pixels under a window at column `first`. */
static int64_t depthwise_sum(const asc_depthwise_conv_s16_t *layer, const asc_kernel_args_t *args,
                             int32_t first, asc_columns_t columns, int32_t channel,
                             const int8_t *weights) {
    const asc_window_t *window = &layer->window;
    const int32_t step = layer->output_channels;
    const int32_t pixels = window->dilation * layer->input_channels;
    const int32_t start =
        (first + columns.begin * window->dilation) * layer->input_channels + channel;
    int64_t sum = 0;
    for (int32_t y = 0; y < window->height; y++, weights += window->width * step) {
        const int8_t *weight = weights + columns.begin * step;
        const int16_t *value = row_of(args, y);
        if (value != NULL) {
            value += start;
            for (int32_t k = columns.begin; k < columns.end; k++) {
                sum += (int32_t)*value * *weight;
                value += pixels;
                weight += step;
            }
        }
    }
    return sum;
}

void asc_depthwise_conv_s16(const void *data, const asc_kernel_args_t *args) {
    const asc_depthwise_conv_s16_t *layer = data;
    const int32_t per_input = layer->output_channels / layer->input_channels;
    int16_t *output = (int16_t *)(void *)args->output;
    for (int32_t x = 0; x < layer->output_width; x++) {
        const int32_t first = x * layer->window.stride - layer->window.left;
        const asc_columns_t columns = columns_inside(layer, first);
        int32_t c = 0;
        for (int32_t channel = 0; channel < layer->input_channels; channel++) {
            for (const int32_t end = c + per_input; c < end; c++) {
                const int64_t sum =
                    depthwise_sum(layer, args, first, columns, channel, layer->weights + c);
                *output++ = finish(sum, &layer->channels[c], &layer->range);
            }
        }
    }
}
