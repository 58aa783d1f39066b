/* SPDX-License-Identifier: Apache-2.0
 *
 * Convolutions: windows of the input as columns, and their products with weights; see
 * asc_kernels.h. Cores with Helium have those of asc_conv_mve.c.
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
        asc_clamp(&product->range, output, windows * product->count);
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
            asc_clamp(&product.range, args->output, made * product.count);
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

#endif
