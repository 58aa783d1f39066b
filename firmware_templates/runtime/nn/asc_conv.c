/* SPDX-License-Identifier: Apache-2.0
 *
 * Convolutions and dense layers, which share the product of windows and weights, and depthwise
 * convolutions, with which compilers for size share the arithmetic; see asc_kernels.h. Cores with
 * Helium have those of asc_conv_mve.c and asc_depthwise_mve.c.
 */
#include "asc_kernels.h"

#if !ASC_KERNELS_MVE

#include <stddef.h>
#include <string.h>

#include "asc_arithmetic.h"
#include "asc_dsp.h"
#include "asc_im2col.h"

#if ASC_KERNELS_DSP
#include "asc_conv_dsp.h"
#include "asc_dense_dsp.h"
#include "asc_depthwise_3x3_dsp.h"
#include "asc_depthwise_dsp.h"
#include "asc_im2col_dsp.h"
#include "asc_pixels_dsp.h"
#include "asc_widened_dsp.h"
#endif
#if ASC_KERNELS_THUMB1
#include "asc_conv_thumb1.h"
#endif

/* What codes in columns are multiplied by: cores with the DSP extension round doubled sums, or
 * those of a larger scale once. */
#if ASC_KERNELS_DSP
#define SCALE(ONCE) ((ONCE) ? ASC_ONCE_SCALE : 2)
#else
#define SCALE(ONCE) 1
#endif

/* Widens `count` bytes to 16 bits, and scales them.
 *
 * once: whether sums are rounded once; a constant, here and below. */
ASC_INLINE void widen(const int8_t *from, int32_t count, int once, int16_t *to) {
    const int32_t scale = SCALE(once);
    (void)once;
#if ASC_KERNELS_DSP
    for (; count >= 8; count -= 8, from += 8, to += 8) {
        const uint32_t first = asc_load_word(from), second = asc_load_word(from + 4);
        widen_word(first, once, to);
        widen_word(second, once, to + 4);
    }
    if (count >= 4) {
        widen_word(asc_load_word(from), once, to);
        count -= 4;
        from += 4;
        to += 4;
    }
#endif
    for (; count > 0; count--) {
        *to++ = (int16_t)(scale * *from++);
    }
}

static void fill(int16_t *to, int32_t value, int32_t count) {
    for (; count > 0; count--) {
        *to++ = (int16_t)value;
    }
}

/* Puts a row of pixels into its place in each column; `from` is NULL for padding. */
ASC_INLINE void arrange_row(const asc_conv_t *layer, const int8_t *from, int once, int16_t *wide) {
    const int32_t scale = SCALE(once);
    const int32_t channels = layer->input_channels;
    const int32_t step = layer->column_size;
    const int32_t left = layer->window.left;
    const int32_t inside = asc_min(layer->columns - left, layer->input_width);
    const int16_t zero = (int16_t)(scale * layer->input_zero_point);
    for (int32_t x = -left; x < layer->columns - left; x++, wide += step) {
        if (from == NULL || x < 0 || x >= inside) {
            for (int32_t c = 0; c < channels; c++) {
                wide[c] = zero;
            }
        } else if (channels < 8) {
            for (int32_t c = 0; c < channels; c++) {
                wide[c] = (int16_t)(scale * *from++);
            }
        } else {
            widen(from, channels, once, wide);
            from += channels;
        }
    }
}

/* Brings the rows under the windows of a row of output side by side, as columns of window.height
 * pixels: a window is a run of values in this scratch. Padding has the code of zero, which
 * the bias has already subtracted. What fills up a column, and what the last group of four reaches
 * behind the last one, meets weights of zero. */
ASC_INLINE void arrange_as(const asc_conv_t *layer, const int8_t *const *rows, int once,
                           int16_t *wide) {
    const int32_t height = layer->window.height;
    const int32_t channels = layer->input_channels;
    const int32_t size = layer->columns * layer->column_size;
    const int32_t rest = layer->column_size - height * channels;
    const int are_pixels = height == 1 && rest == 0 && layer->window.left == 0;
#if ASC_KERNELS_DSP
    if (channels == 1) {
        for (int32_t y = 0; y < height; y++) {
            arrange_codes(layer, rows[y], once, wide + y);
        }
    } else if (channels <= 4 && layer->window.dilation == 1) {
        arrange_few(layer, rows, once, wide);
    } else
#endif
        if (are_pixels && layer->columns <= layer->input_width && rows[0] != NULL) {
        widen(rows[0], size, once, wide);
    } else {
        for (int32_t y = 0; y < height; y++) {
            arrange_row(layer, rows[y], once, wide + y * channels);
        }
    }
}

static void arrange(const asc_conv_t *layer, const int8_t *const *rows, int16_t *wide) {
    arrange_as(layer, rows, 0, wide);
}

#if ASC_KERNELS_DSP

static void arrange_once(const asc_conv_t *layer, const int8_t *const *rows, int16_t *wide) {
    arrange_as(layer, rows, 1, wide);
}

#endif

#if !ASC_KERNELS_DSP

/* The weights of channel c: each four of them are beside four of another channel. */
static inline const int8_t *weights_of(const asc_product_t *product, int32_t c) {
    return product->weights + c / 2 * 2 * product->depth + c % 2 * 4;
}

/* Adds the products of channel c and a window to a sum. */
static inline int32_t add_window(const asc_product_t *product, const int16_t *wide, int32_t c,
                                 int32_t sum) {
    const int8_t *weights = weights_of(product, c);
    for (int32_t i = 0; i < product->depth; i += 4, weights += 8) {
        sum += (int32_t)wide[i] * weights[0] + (int32_t)wide[i + 1] * weights[2];
        sum += (int32_t)wide[i + 2] * weights[1] + (int32_t)wide[i + 3] * weights[3];
    }
    return sum;
}

/* What a sum of channel c begins with, and the sum as a code. */
static inline int32_t begin(const asc_product_t *product, int32_t c) {
#if ASC_ROUNDS_ONCE
    if (product->range.narrow == ASC_ONCE) {
        return 0;
    }
#endif
    return ((const asc_channel_t *)product->channels)[c].bias;
}

static inline int8_t finish(const asc_product_t *product, int32_t sum, int32_t c, int32_t offset) {
#if ASC_ROUNDS_ONCE
    if (product->range.narrow == ASC_ONCE) {
        const asc_once_channel_t *once = (const asc_once_channel_t *)product->channels + c;
        return asc_finish_once(once->bias + ASC_ONCE_SCALE * sum, once->multiplier);
    }
#endif
    const asc_channel_t *channel = (const asc_channel_t *)product->channels + c;
    return product->range.narrow ? asc_finish_narrow(sum, channel, offset)
                                 : asc_finish(sum, channel, &product->range);
}

#if ASC_KERNELS_THUMB1

/* Whether windows and weights begin at whole words, which these cores load only. */
static int are_words(const asc_product_t *product, const int16_t *wide, int32_t step) {
    const uintptr_t bytes = (uint32_t)step * sizeof *wide;
    return (((uintptr_t)wide | (uintptr_t)product->weights | bytes) & 3u) == 0;
}

/* The sums of channel c and the first windows of `windows`, two or the only one twice. */
static inline asc_two_sums_t sums_of_two(const asc_product_t *product, const int16_t *wide,
                                         int32_t step, int32_t windows, int32_t c) {
    const int8_t *weights = weights_of(product, c);
    const int16_t *second = windows > 1 ? wide + step : wide;
    return multiply_two_windows(wide, second, weights, weights + 2 * product->depth);
}

/* The same for windows at whole words. */
static void multiply_words(const asc_product_t *product, const int16_t *wide, int32_t step,
                           int32_t windows, int8_t *output) {
    const int32_t offset = asc_narrow_offset(&product->range);
    const int32_t count = product->count;
    for (; windows > 0; windows -= 2, wide += 2 * step, output += count) {
        for (int32_t c = 0; c < count; c++, output++) {
            const asc_two_sums_t sums = sums_of_two(product, wide, step, windows, c);
            output[0] = finish(product, begin(product, c) + sums.first, c, offset);
            if (windows > 1) {
                output[count] = finish(product, begin(product, c) + sums.second, c, offset);
            }
        }
    }
}

#endif

/* One value of each output channel for windows `step` values apart. */
static void multiply_windows(const asc_product_t *product, const int16_t *wide, int32_t step,
                             int32_t windows, int8_t *output) {
#if ASC_KERNELS_THUMB1
    if (are_words(product, wide, step)) {
        multiply_words(product, wide, step, windows, output);
        return;
    }
#endif
    const int32_t offset = asc_narrow_offset(&product->range);
    for (int32_t x = 0; x < windows; x++, wide += step) {
        for (int32_t c = 0; c < product->count; c++) {
            const int32_t sum = add_window(product, wide, c, begin(product, c));
            const int8_t code = finish(product, sum, c, offset);
            *output++ = code;
        }
    }
}

#endif

/* The range of a fused activation where it is not that of int8. */
static void clamp_codes(const asc_output_t *range, int8_t *values, int32_t count) {
    const int32_t minimum = range->minimum;
    const int32_t maximum = range->maximum;
    for (int32_t i = 0; i < count; i++) {
        values[i] = (int8_t)asc_min(asc_max(values[i], minimum), maximum);
    }
}

/* One value of each output channel for windows `step` values apart. */
ASC_INLINE void multiply_all(const asc_product_t *product, const int16_t *wide, int32_t step,
                             int32_t windows, int8_t *output, int once) {
#if ASC_KERNELS_DSP
    if (once) {
        multiply_narrow(product, wide, step, windows, output, 1);
    } else if (product->range.narrow) {
        multiply_narrow(product, wide, step, windows, output, 0);
        if (product->range.narrow == ASC_MOSTLY_NARROW) {
            multiply_others(product, wide, step, windows, output);
        }
    } else {
        multiply_wide(product, wide, step, windows, output);
    }
#else
    (void)once;
    multiply_windows(product, wide, step, windows, output);
#endif
    if (product->range.clamps) {
        clamp_codes(&product->range, output, windows * product->count);
    }
}

static inline void set_product(const asc_conv_t *layer, asc_product_t *product) {
    product->weights = layer->weights;
    product->channels = layer->channels;
    product->depth = layer->depth;
    product->count = layer->output_channels;
    product->range = layer->range;
    product->widens = 0;
    product->widened = NULL;
#if !ASC_KERNELS_DSP
    /* Here rounding is the same for all channels. */
    if (product->range.narrow == ASC_MOSTLY_NARROW) {
        product->range.narrow = 0;
    }
#endif
}

/* Windows with gaps between their columns are closed up one by one. */
ASC_INLINE void conv_dilated(const asc_conv_t *layer, int once, const int16_t *wide,
                             int16_t *window, int8_t *output) {
    asc_product_t product;
    const int32_t size = layer->column_size;
    const int32_t gap = layer->window.dilation * size;
    set_product(layer, &product);
    fill(window, 0, layer->depth);
    for (int32_t x = 0; x < layer->output_width; x++, output += product.count) {
        const int16_t *column = wide + x * layer->window.stride * size;
        for (int32_t k = 0; k < layer->window.width; k++, column += gap) {
            memcpy(window + k * size, column, (size_t)size * sizeof *window);
        }
        multiply_all(&product, window, 0, 1, output, once);
    }
}

#if ASC_KERNELS_DSP

/* Widens the windows from `first` on, which are pixels. */
ASC_INLINE void widen_pixels(const asc_conv_t *layer, const int8_t *row, int32_t first, int once,
                             int16_t *wide) {
    const int32_t depth = layer->depth;
    for (int32_t x = first; x < layer->output_width; x++, wide += depth) {
        widen(row + x * layer->window.stride * depth, depth, once, wide);
    }
}

#endif

ASC_INLINE void arrange_scaled(const asc_conv_t *layer, const int8_t *const *rows, int once,
                               int16_t *wide) {
#if ASC_KERNELS_DSP
    if (once) {
        arrange_once(layer, rows, wide);
        return;
    }
#endif
    (void)once;
    arrange(layer, rows, wide);
}

ASC_INLINE void conv(const asc_conv_t *layer, int once, const asc_kernel_args_t *args) {
    int16_t *wide = (int16_t *)(void *)args->scratch;
    if (layer->window.dilation != 1) {
        arrange_scaled(layer, args->rows, once, wide);
        conv_dilated(layer, once, wide, wide + layer->columns * layer->column_size + 4,
                     args->output);
        return;
    }
    asc_product_t product;
    int32_t step = layer->window.stride * layer->column_size;
    int32_t made = 0;
    set_product(layer, &product);
    if (layer->widens > 0) {
        product.widens = layer->widens;
        product.widened = (uint32_t *)(void *)args->scratch;
        wide += layer->widens * layer->depth;
    }
#if ASC_KERNELS_DSP
    if (are_fives(layer, args->rows[0])) {
        made = multiply_fives(layer, args->rows[0], args->scratch, args->output, once);
        if (product.range.clamps) {
            clamp_codes(&product.range, args->output, made * product.count);
        }
        widen_pixels(layer, args->rows[0], made, once, wide);
        step = layer->depth;
    } else
#endif
    {
        arrange_scaled(layer, args->rows, once, wide);
    }
    multiply_all(&product, wide, step, layer->output_width - made,
                 args->output + made * product.count, once);
}

void asc_conv(const void *data, const asc_kernel_args_t *args) {
    conv(data, 1, args);
}

#if ASC_KERNELS_DSP

void asc_conv_twice(const void *data, const asc_kernel_args_t *args) {
    conv(data, 0, args);
}

#else

void asc_conv_twice(const void *data, const asc_kernel_args_t *args) {
    asc_conv(data, args);
}

#endif

void asc_sum_columns(const asc_conv_t *layer, const int8_t *const *rows, int8_t *scratch,
                     int32_t *sums) {
    asc_product_t product;
    set_product(layer, &product);
    const int32_t even = (product.count + 1) / 2 * 2;
    int16_t *wide = (int16_t *)(void *)scratch;
    arrange(layer, rows, wide);
#if ASC_KERNELS_DSP
    sum_windows(&product, wide, layer->column_size, layer->columns, even, sums);
#else
    int32_t x = 0;
#if ASC_KERNELS_THUMB1
    const int32_t step = layer->column_size;
    if (are_words(&product, wide, step)) {
        for (; x < layer->columns; x += 2, wide += 2 * step, sums += 2 * even) {
            for (int32_t c = 0; c < product.count; c++) {
                const int32_t left = layer->columns - x;
                const asc_two_sums_t two = sums_of_two(&product, wide, step, left, c);
                sums[c] = two.first;
                if (left > 1) {
                    sums[even + c] = two.second;
                }
            }
        }
    }
#endif
    for (; x < layer->columns; x++, wide += layer->column_size, sums += even) {
        for (int32_t c = 0; c < product.count; c++) {
            sums[c] = add_window(&product, wide, c, 0);
        }
    }
#endif
}

#if !ASC_KERNELS_DSP

/* The sum of a channel and one input, which is read as it lies. */
static int32_t add_dense(const asc_dense_t *layer, const int8_t *input, int32_t c, int32_t sum) {
    const int8_t *weights = layer->weights + c / 2 * 2 * layer->depth + c % 2 * 4;
    int32_t i = 0;
    for (; i + 4 <= layer->inputs; i += 4, weights += 8) {
        sum += (int32_t)input[i] * weights[0] + (int32_t)input[i + 1] * weights[1];
        sum += (int32_t)input[i + 2] * weights[2] + (int32_t)input[i + 3] * weights[3];
    }
    for (; i < layer->inputs; i++) {
        sum += (int32_t)input[i] * *weights++;
    }
    return sum;
}

#if ASC_DENSE_COMBINED

/* The same of combined weights: the second channel's is a byte, the first's takes what the byte
 * below has borrowed. */
static int32_t add_combined(const asc_dense_t *layer, const int8_t *input, int32_t c, int32_t sum) {
    const int8_t *weights = layer->weights + c / 2 * 2 * layer->depth;
    for (int32_t i = 0; i < layer->inputs; i++) {
        const int8_t *const both = weights + i / 4 * 8 + i % 2 * 4 + i % 4 / 2 * 2;
        const int32_t weight = c % 2 != 0 ? both[0] : both[1] + (both[0] < 0);
        sum += input[i] * weight;
    }
    return sum;
}

#endif

/* All outputs for one input. */
static void multiply_dense(const asc_dense_t *layer, const int8_t *input, int8_t *output) {
    for (int32_t c = 0; c < layer->outputs; c++) {
        const asc_channel_t *const channel = &layer->channels[c];
#if ASC_DENSE_COMBINED
        if (layer->combined) {
            const int32_t combined = add_combined(layer, input, c, channel->bias);
            output[c] = asc_finish(combined, channel, &layer->range);
            continue;
        }
#endif
        const int32_t sum = add_dense(layer, input, c, channel->bias);
        output[c] = asc_finish(sum, channel, &layer->range);
    }
}

#endif

void asc_dense(const void *data, const asc_kernel_args_t *args) {
    const asc_dense_t *layer = data;
    for (int32_t row = 0; row < layer->rows; row++) {
        multiply_dense(layer, args->rows[0] + row * layer->inputs,
                       args->output + row * layer->outputs);
    }
    if (layer->range.clamps) {
        clamp_codes(&layer->range, args->output, layer->rows * layer->outputs);
    }
}

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
    const asc_others_t others = find_others(layer->channels, layer->output_channels);
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
        clamp_codes(&layer->range, args->output, layer->output_width * layer->output_channels);
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
