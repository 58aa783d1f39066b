/* SPDX-License-Identifier: Apache-2.0
 *
 * Convolutions and dense layers of 16-bit activations with 8-bit weights; see asc_kernels_s16.h.
 * Values that lie side by side under a window are multiplied as one run, for all output channels;
 * the sums wait in scratch memory for the next run.
 */
#include <stddef.h>
#include <string.h>

#include "asc_arithmetic.h"
#include "asc_kernels_s16.h"

/* So many products of 16 and 8 bits stay within 32 bits. */
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
    const int64_t half = INT64_C(1) << (channel->shift - 1);
    const int64_t value = (sum * channel->multiplier + half) >> channel->shift;
    return (int16_t)clamped((int32_t)value, range);
}

static void finish_all(const int64_t *sums, int32_t count, const asc_channel_s16_t *channels,
                       const asc_output_s16_t *range, int16_t *output) {
    for (int32_t c = 0; c < count; c++) {
        output[c] = finish(sums[c], &channels[c], range);
    }
}

/* Adds the products of `count` values with the weights of each output channel, `step` apart. */
static void add_run(const int16_t *values, int32_t count, const int8_t *weights, int32_t step,
                    int64_t *sums, int32_t channels) {
    for (int32_t c = 0; c < channels; c++, weights += step) {
        for (int32_t first = 0; first < count; first += MOST_PRODUCTS) {
            const int32_t end = asc_min(first + MOST_PRODUCTS, count);
            int32_t sum = 0;
            for (int32_t i = first; i < end; i++) {
                sum += (int32_t)values[i] * weights[i];
            }
            sums[c] += sum;
        }
    }
}

static const int16_t *row_of(const asc_kernel_args_t *args, int32_t row) {
    return (const int16_t *)(const void *)args->rows[row];
}

static void clear(int64_t *sums, int32_t count) {
    memset(sums, 0, (size_t)count * sizeof *sums);
}

/* Adds the products of the window at column `first` of a row: what lies inside of it. */
static void add_row(const asc_conv_s16_t *layer, const int16_t *row, int32_t first,
                    const int8_t *weights, int32_t filter, int64_t *sums) {
    const asc_window_t *window = &layer->window;
    const int32_t depth = layer->input_channels;
    if (window->dilation == 1) {
        const int32_t begin = asc_max(first, 0);
        const int32_t end = asc_min(first + window->width, layer->input_width);
        if (begin < end) {
            add_run(row + begin * depth, (end - begin) * depth, weights + (begin - first) * depth,
                    filter, sums, layer->output_channels);
        }
        return;
    }
    for (int32_t k = 0; k < window->width; k++, first += window->dilation, weights += depth) {
        if (first >= 0 && first < layer->input_width) {
            add_run(row + first * depth, depth, weights, filter, sums, layer->output_channels);
        }
    }
}

void asc_conv_s16(const void *data, const asc_kernel_args_t *args) {
    const asc_conv_s16_t *layer = data;
    const asc_window_t *window = &layer->window;
    int64_t *sums = (int64_t *)(void *)args->scratch;
    int16_t *output = (int16_t *)(void *)args->output;
    const int32_t row_weights = window->width * layer->input_channels;
    const int32_t filter = window->height * row_weights;
    for (int32_t x = 0; x < layer->output_width; x++, output += layer->output_channels) {
        clear(sums, layer->output_channels);
        for (int32_t y = 0; y < window->height; y++) {
            if (args->rows[y] != NULL) {
                add_row(layer, row_of(args, y), x * window->stride - window->left,
                        layer->weights + y * row_weights, filter, sums);
            }
        }
        finish_all(sums, layer->output_channels, layer->channels, &layer->range, output);
    }
}

/* Adds the products of an input row with a row of the kernel: of pixels that meet column x. */
static void add_transposed_row(const asc_transpose_conv_s16_t *layer, const int16_t *row, int32_t x,
                               const int8_t *weights, int32_t filter, int64_t *sums) {
    const int32_t depth = layer->input_channels;
    const int32_t stride = layer->stride_x;
    int32_t pixel = (x + layer->left) / stride;
    for (int32_t k = (x + layer->left) % stride; k < layer->width; k += stride, pixel--) {
        if (pixel >= 0 && pixel < layer->input_width) {
            add_run(row + pixel * depth, depth, weights + k * depth, filter, sums,
                    layer->output_channels);
        }
    }
}

void asc_transpose_conv_s16(const void *data, const asc_kernel_args_t *args) {
    const asc_transpose_conv_s16_t *layer = data;
    int64_t *sums = (int64_t *)(void *)args->scratch;
    int16_t *output = (int16_t *)(void *)args->output;
    const int32_t row_weights = layer->width * layer->input_channels;
    const int32_t filter = layer->height * row_weights;
    const int32_t phase = (args->run + layer->top) % layer->stride_y;
    for (int32_t x = 0; x < layer->output_width; x++, output += layer->output_channels) {
        int32_t row = 0;
        clear(sums, layer->output_channels);
        for (int32_t k = phase; k < layer->height; k += layer->stride_y, row++) {
            if (args->rows[row] != NULL) {
                add_transposed_row(layer, row_of(args, row), x, layer->weights + k * row_weights,
                                   filter, sums);
            }
        }
        finish_all(sums, layer->output_channels, layer->channels, &layer->range, output);
    }
}

void asc_dense_s16(const void *data, const asc_kernel_args_t *args) {
    const asc_dense_s16_t *layer = data;
    int64_t *sums = (int64_t *)(void *)args->scratch;
    const int16_t *input = row_of(args, 0);
    int16_t *output = (int16_t *)(void *)args->output;
    for (int32_t row = 0; row < layer->rows; row++) {
        clear(sums, layer->outputs);
        add_run(input, layer->inputs, layer->weights, layer->inputs, sums, layer->outputs);
        finish_all(sums, layer->outputs, layer->channels, &layer->range, output);
        input += layer->inputs;
        output += layer->outputs;
    }
}

/* The products of one output channel's weights, `weights` being the first of them, with a channel
 * of the pixels under a window at column `first`. */
static int64_t depthwise_sum(const asc_depthwise_conv_s16_t *layer, const asc_kernel_args_t *args,
                             int32_t first, int32_t channel, const int8_t *weights) {
    const asc_window_t *window = &layer->window;
    int64_t sum = 0;
    for (int32_t y = 0; y < window->height; y++) {
        const int16_t *row = row_of(args, y);
        int32_t column = first;
        for (int32_t k = 0; k < window->width; k++, column += window->dilation) {
            if (row != NULL && column >= 0 && column < layer->input_width) {
                sum += (int32_t)row[column * layer->input_channels + channel] * *weights;
            }
            weights += layer->output_channels;
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
        for (int32_t c = 0; c < layer->output_channels; c++) {
            const int64_t sum =
                depthwise_sum(layer, args, first, c / per_input, layer->weights + c);
            *output++ = finish(sum, &layer->channels[c], &layer->range);
        }
    }
}
