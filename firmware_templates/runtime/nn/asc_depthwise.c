/* SPDX-License-Identifier: Apache-2.0
 *
 * Depthwise convolutions; see asc_kernels.h. Cores with Helium have those of asc_depthwise_mve.c.
 */
#include "asc_kernels.h"

#if !ASC_KERNELS_MVE

#include <stddef.h>
#include <string.h>

#include "asc_arithmetic.h"
#include "asc_dsp.h"

#if ASC_KERNELS_DSP
#include "asc_depthwise_3x3_dsp.h"
#include "asc_depthwise_dsp.h"
#endif

/* Finds the pixel under each tap of the window at output column x. */
static void find_taps(const asc_depthwise_conv_t *layer, const int8_t *const *rows, int32_t x,
                      const int8_t *padding, const int8_t **taps) {
    const int32_t height = layer->window.height;
    const int32_t width = layer->window.width;
    const int32_t input_width = layer->input_width;
    const int32_t channels = layer->input_channels;
    const int32_t dilation = layer->window.dilation;
    const int32_t first = x * layer->window.stride - layer->window.left;
    for (int32_t y = 0; y < height; y++) {
        const int8_t *row = rows[y];
        int32_t column = first;
        for (int32_t k = 0; k < width; k++, column += dilation) {
            const int inside = row != NULL && (uint32_t)column < (uint32_t)input_width;
            *taps++ = inside ? row + column * channels : padding;
        }
    }
}

/* The columns of the output at which all taps are inside: from `first` on, before `end`. */
typedef struct {
    int32_t first;
    int32_t end;
} asc_inside_t;

static asc_inside_t find_inside(const asc_depthwise_conv_t *layer, const int8_t *const *rows) {
    const asc_window_t *window = &layer->window;
    const int32_t last =
        layer->input_width - 1 + window->left - (window->width - 1) * window->dilation;
    const asc_inside_t none = {0, 0};
    for (int32_t y = 0; y < window->height; y++) {
        if (rows[y] == NULL) {
            return none;
        }
    }
    const asc_inside_t inside = {
        window->left > 0 ? (window->left + window->stride - 1) / window->stride : 0,
        last < 0 ? 0 : last / window->stride + 1};
    return inside;
}

/* Finds the taps of `pixels` pixels of the output from x on; taps inside move with the window. */
static void find_taps_of(const asc_depthwise_conv_t *layer, const int8_t *const *rows,
                         const asc_inside_t *inside, int32_t x, int32_t pixels,
                         const int8_t *padding, const int8_t **taps) {
    const int32_t count = layer->window.height * layer->window.width;
    const int32_t step = layer->window.stride * layer->input_channels;
    for (int32_t i = 0; i < pixels; i++, taps += count) {
        if (i > 0 && x + i > inside->first && x + i < inside->end) {
            for (int32_t tap = 0; tap < count; tap++) {
                taps[tap] = taps[tap - count] + step;
            }
        } else {
            find_taps(layer, rows, x + i, padding, taps);
        }
    }
}

/* Output channels of a pixel, from `channel` on. */
ASC_INLINE void depthwise_pixel_as(const asc_depthwise_conv_t *layer, const int8_t *const *taps,
                                   int32_t count, int32_t channel, int once, int8_t *output) {
    const int32_t outputs = layer->output_channels;
    const int32_t per_input = outputs / layer->input_channels;
    (void)once;
#if ASC_KERNELS_THUMB1
    /* These cores have no division: outputs of an input channel are counted. */
    int32_t input = channel / per_input;
    int32_t ready = channel % per_input;
    for (int32_t c = channel; c < outputs; c++, ready++) {
        if (ready == per_input) {
            ready = 0;
            input++;
        }
#else
    for (int32_t c = channel; c < outputs; c++) {
        const int32_t input = c / per_input;
#endif
        const int8_t *weights = layer->weights + c;
        const asc_channel_t *const channels = layer->channels;
        int32_t sum = ASC_ROUNDS_ONCE && once ? 0 : channels[c].bias;
        int32_t tap = 0;
        for (; tap + 2 <= count; tap += 2, weights += 2 * outputs) {
            sum += (int32_t)taps[tap][input] * weights[0];
            sum += (int32_t)taps[tap + 1][input] * weights[outputs];
        }
        if (tap < count) {
            sum += (int32_t)taps[tap][input] * weights[0];
        }
#if ASC_ROUNDS_ONCE
        if (once) {
            const asc_once_channel_t *only = (const asc_once_channel_t *)layer->channels + c;
            output[c] = asc_finish_once(only->bias + ASC_ONCE_SCALE * sum, only->multiplier);
            continue;
        }
#endif
        output[c] = asc_finish(sum, &channels[c], &layer->range);
    }
}

static void depthwise_pixel(const asc_depthwise_conv_t *layer, const int8_t *const *taps,
                            int32_t count, int32_t channel, int8_t *output) {
    depthwise_pixel_as(layer, taps, count, channel, 0, output);
}

#if ASC_ROUNDS_ONCE

static void depthwise_pixel_once(const asc_depthwise_conv_t *layer, const int8_t *const *taps,
                                 int32_t count, int32_t channel, int8_t *output) {
    depthwise_pixel_as(layer, taps, count, channel, 1, output);
}

#endif

/* Channels from `ready` on, by the addresses of what lies under each tap. */
ASC_INLINE void depthwise_by_taps(const asc_depthwise_conv_t *layer, const asc_kernel_args_t *args,
                                  int32_t ready, int once) {
    const int32_t count = layer->window.height * layer->window.width;
    const int32_t outputs = layer->output_channels;
    const asc_inside_t inside = find_inside(layer, args->rows);
    const int8_t **taps = (const int8_t **)(void *)args->scratch;
    int8_t *padding = (int8_t *)(taps + layer->pixels * count);
    int8_t *output = args->output;
    (void)once;
#if ASC_KERNELS_DSP
    const int has_fours = ready == 0 && outputs == layer->input_channels;
    const int is_narrow = once || layer->range.narrow;
    uint32_t *words = (uint32_t *)(void *)padding;
    padding = (int8_t *)(words + BIAS_WORDS + 2 * count + ROUNDING_WORDS);
#endif
    memset(padding, layer->input_zero_point, (size_t)layer->input_channels);
    for (int32_t x = 0; x < layer->output_width; x += layer->pixels) {
        const int32_t pixels = asc_min(layer->pixels, layer->output_width - x);
        find_taps_of(layer, args->rows, &inside, x, pixels, padding, taps);
        int32_t made = ready;
#if ASC_KERNELS_DSP
        if (has_fours && is_narrow) {
            made = depthwise_narrow(layer, once, taps, count, pixels, words, output);
        }
#endif
        for (int32_t i = 0; i < pixels; i++, output += outputs) {
            const int8_t *const *own = taps + i * count;
#if ASC_KERNELS_DSP
            if (has_fours && !is_narrow) {
                made = depthwise_wide(layer, own, count, output);
            }
#endif
#if ASC_ROUNDS_ONCE
            if (made < outputs && once) {
                depthwise_pixel_once(layer, own, count, made, output);
                continue;
            }
#endif
            if (made < outputs) {
                depthwise_pixel(layer, own, count, made, output);
            }
        }
    }
}

#if ASC_KERNELS_DSP

/* Adds the products of a row of the window, which begins at a column of the input, and a channel.
 */
static inline int32_t add_row(const asc_depthwise_conv_t *layer, const int8_t *row, int32_t first,
                              int32_t c, const int8_t *weights, int32_t sum) {
    const int32_t inputs = layer->input_channels;
    const int32_t dilation = layer->window.dilation;
    const int32_t end = first + layer->window.width * dilation;
    if (row != NULL && first >= 0 && end - dilation < layer->input_width) {
        const int8_t *code = row + first * inputs + c;
        const int8_t *const behind = row + end * inputs + c;
        for (; code < behind; code += dilation * inputs, weights += inputs) {
            sum += (int32_t)*code * *weights;
        }
        return sum;
    }
    const uint32_t inside = row != NULL ? (uint32_t)layer->input_width : 0;
    for (int32_t column = first; column < end; column += dilation, weights += inputs) {
        const int is_inside = (uint32_t)column < inside;
        sum += (is_inside ? row[column * inputs + c] : layer->input_zero_point) * *weights;
    }
    return sum;
}

/* A channel of a row, whose rounding takes the long way. */
static void depthwise_channel(const asc_depthwise_conv_t *layer, const int8_t *const *rows,
                              int32_t c, int8_t *output) {
    const asc_channel_t *const channel = (const asc_channel_t *)layer->channels + c;
    const int32_t height = layer->window.height;
    const int32_t stride = layer->window.stride;
    const int32_t row_weights = layer->window.width * layer->output_channels;
    int32_t first = -layer->window.left;
    output += c;
    for (int32_t x = layer->output_width; x > 0; x--, first += stride) {
        const int8_t *weights = layer->weights + c;
        int32_t sum = channel->bias;
        for (int32_t y = 0; y < height; y++, weights += row_weights) {
            sum = add_row(layer, rows[y], first, c, weights, sum);
        }
        *output = asc_finish(sum, channel, &layer->range);
        output += layer->output_channels;
    }
}

/* Channels of a row of a mostly narrow layer whose rounding takes the long way. */
static void depthwise_others(const asc_depthwise_conv_t *layer, const int8_t *const *rows,
                             int8_t *output) {
    const asc_others_t others = asc_find_others(layer->channels, layer->output_channels);
    for (int32_t i = 0; i < others.count; i++) {
        depthwise_channel(layer, rows, others.numbers[i], output);
    }
}

#endif

ASC_INLINE void depthwise(const asc_depthwise_conv_t *layer, const asc_kernel_args_t *args,
                          int once) {
    int32_t made = 0;
#if ASC_KERNELS_DSP
    if (layer->output_channels == layer->input_channels && (once || layer->range.narrow)) {
        made = depthwise_3x3(layer, once, args->rows, args->scratch, args->output);
    }
    if (made < layer->output_channels) {
        depthwise_by_taps(layer, args, made, once);
    }
    if (!once && layer->range.narrow == ASC_MOSTLY_NARROW) {
        depthwise_others(layer, args->rows, args->output);
    }
#else
    depthwise_by_taps(layer, args, made, once);
#endif
    if (layer->range.clamps) {
        asc_clamp(&layer->range, args->output, layer->output_width * layer->output_channels);
    }
}

void asc_depthwise_conv(const void *data, const asc_kernel_args_t *args) {
    depthwise(data, args, 1);
}

#if ASC_ROUNDS_ONCE

void asc_depthwise_conv_twice(const void *data, const asc_kernel_args_t *args) {
    depthwise(data, args, 0);
}

#else

void asc_depthwise_conv_twice(const void *data, const asc_kernel_args_t *args) {
    asc_depthwise_conv(data, args);
}

#endif

#endif
