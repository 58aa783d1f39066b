/* SPDX-License-Identifier: Apache-2.0
 *
 * Kernels with weights for cores with Helium (Armv8.1-M's vector extension) in place of asc_conv.c;
 * see asc_kernels.h. VMLADAVA adds 16 products of int8 to a sum: a window stays a run of bytes, and
 * four of them meet two channels, whose weights VLD2 takes apart.
 */
#include "asc_kernels.h"

#if ASC_KERNELS_MVE

#include <stddef.h>
#include <string.h>

#include "asc_arithmetic_mve.h"
#include "asc_im2col.h"

/* Copies for layers of either range, without a choice in their loops; without optimisation they
 * would take kilobytes of stack. */
#if defined(__OPTIMIZE__)
#define INLINED static inline __attribute__((always_inline))
#else
#define INLINED static inline
#endif

enum { LANES = 16, WINDOWS = 4 };

/* `count` windows, the last one again for those that are missing, and where their outputs go: two
 * channels of the first window, two of the second ... */
typedef struct {
    const int8_t *windows[WINDOWS];
    uint16x8_t places;
    int32_t count;
} asc_window_block_t;

/* Sums of two channels: those of the first for each window, then those of the second. */
typedef int32_t asc_sums_t[2 * WINDOWS];

/* What becomes of sums: codes, by the long way or the short one of narrow ranges, or nothing. */
typedef enum { WIDE, NARROW, SUMS } asc_kind_t;

INLINED int32x4_t multiply(int32x4_t sums, const asc_channel_t *channel, asc_kind_t finish) {
    const int32x4_t values = vaddq_n_s32(sums, channel->bias);
    const int32_t shift = -1 - channel->bits;
    return finish == NARROW
               ? asc_multiply_by_quantized_multiplier_down_4(values, channel->multiplier, shift)
               : asc_multiply_by_quantized_multiplier_4(values, channel->multiplier, shift);
}

/* Two channels, from `output` on; of codes, the second is left out if there is none. */
INLINED void finish_pair(const int32_t *sums, const asc_channel_t *channel, int32_t rest,
                         int32_t zero_point, asc_kind_t finish, uint16x8_t places, int8_t *output) {
    if (finish == SUMS) {
        int32_t *const to = (int32_t *)(void *)output;
        const uint32x4_t windows = vmovlbq_u16(places);
        vstrwq_scatter_shifted_offset_s32(to, windows, vldrwq_s32(sums));
        vstrwq_scatter_shifted_offset_s32(to + 1, windows, vldrwq_s32(sums + WINDOWS));
        return;
    }
    const int32x4_t first = multiply(vldrwq_s32(sums), channel, finish);
    if (rest > 1) {
        const int32x4_t second = multiply(vldrwq_s32(sums + WINDOWS), channel + 1, finish);
        vstrbq_scatter_offset_s16(output, places, asc_narrow_8(first, second, zero_point));
    } else {
        const int16x8_t values = asc_narrow_8(first, first, zero_point);
        vstrbq_scatter_offset_s32(output, vmovlbq_u16(places), vreinterpretq_s32_s16(values));
    }
}

INLINED int8x16x2_t load_pair(const int8_t *weights) {
    const int32x4x2_t words = vld2q_s32((const int32_t *)(const void *)weights);
    int8x16x2_t pair;
    pair.val[0] = vreinterpretq_s8_s32(words.val[0]);
    pair.val[1] = vreinterpretq_s8_s32(words.val[1]);
    return pair;
}

/* Windows of at most 16 values stay in registers. What VLD2 reads behind the weights of a pair
 * meets zeros. */
INLINED void multiply_shallow(const asc_product_t *product, const asc_window_block_t *block,
                              int8_t *output, asc_kind_t finish) {
    const mve_pred16_t depth = vctp8q((uint32_t)product->depth);
    const int8x16_t w0 = vldrbq_z_s8(block->windows[0], depth);
    const int8x16_t w1 = vldrbq_z_s8(block->windows[1], depth);
    const int8x16_t w2 = vldrbq_z_s8(block->windows[2], depth);
    const int8x16_t w3 = vldrbq_z_s8(block->windows[3], depth);
    const int8_t *weights = product->weights;
    const int32_t step = 2 * product->depth;
    const int32_t zero_point = product->range.zero_point;
    const asc_channel_t *channel = product->channels;
    const uint16x8_t places = block->places;
    for (int32_t rest = product->count; rest > 0; rest -= 2) {
        const int8x16x2_t pair = load_pair(weights);
        ASC_STEP_APART(weights, step);
        const asc_sums_t sums = {
            vmladavq_s8(w0, pair.val[0]), vmladavq_s8(w1, pair.val[0]),
            vmladavq_s8(w2, pair.val[0]), vmladavq_s8(w3, pair.val[0]),
            vmladavq_s8(w0, pair.val[1]), vmladavq_s8(w1, pair.val[1]),
            vmladavq_s8(w2, pair.val[1]), vmladavq_s8(w3, pair.val[1]),
        };
        finish_pair(sums, channel, rest, zero_point, finish, places, output);
        channel += 2;
        output += finish == SUMS ? 2 * (int32_t)sizeof(int32_t) : 2;
    }
}

/* Two windows against two channels: `head` values, then `vectors` of 16. */
INLINED void sum_deep(const int8_t *weights, const int8_t *first, const int8_t *second,
                      int32_t head, uint32_t vectors, int32_t *sums) {
    const mve_pred16_t inside = vctp8q((uint32_t)head);
    int8x16x2_t pair = load_pair(weights);
    int8x16_t a = vldrbq_z_s8(first, inside);
    int8x16_t b = vldrbq_z_s8(second, inside);
    int32_t s0 = vmladavq_s8(a, pair.val[0]);
    int32_t s1 = vmladavq_s8(b, pair.val[0]);
    int32_t s2 = vmladavq_s8(a, pair.val[1]);
    int32_t s3 = vmladavq_s8(b, pair.val[1]);
    ASC_STEP_APART(weights, 2 * head);
    first += head;
    second += head;
    do {
        pair = load_pair(weights);
        a = vldrbq_s8(first);
        b = vldrbq_s8(second);
        weights += 2 * LANES;
        first += LANES;
        second += LANES;
        s0 = vmladavaq_s8(s0, a, pair.val[0]);
        s1 = vmladavaq_s8(s1, b, pair.val[0]);
        s2 = vmladavaq_s8(s2, a, pair.val[1]);
        s3 = vmladavaq_s8(s3, b, pair.val[1]);
    } while (--vectors != 0);
    sums[0] = s0;
    sums[1] = s1;
    sums[WINDOWS] = s2;
    sums[WINDOWS + 1] = s3;
}

INLINED void multiply_deep(const asc_product_t *product, const asc_window_block_t *block,
                           int8_t *output, asc_kind_t finish) {
    const int32_t depth = product->depth;
    const int32_t head = (depth - 1) % LANES + 1;
    const uint32_t vectors = (uint32_t)(depth - head) / LANES;
    const int8_t *weights = product->weights;
    const int32_t zero_point = product->range.zero_point;
    const asc_channel_t *channel = product->channels;
    const uint16x8_t places = block->places;
    for (int32_t rest = product->count; rest > 0; rest -= 2, weights += 2 * depth) {
        asc_sums_t sums;
        sum_deep(weights, block->windows[0], block->windows[1], head, vectors, sums);
        if (block->count > 2) {
            sum_deep(weights, block->windows[2], block->windows[3], head, vectors, sums + 2);
        } else {
            sums[2] = sums[3] = sums[1];
            sums[WINDOWS + 2] = sums[WINDOWS + 3] = sums[WINDOWS + 1];
        }
        finish_pair(sums, channel, rest, zero_point, finish, places, output);
        channel += 2;
        output += finish == SUMS ? 2 * (int32_t)sizeof(int32_t) : 2;
    }
}

static void multiply_block(const asc_product_t *product, const asc_window_block_t *block,
                           int8_t *output) {
    if (product->depth > LANES) {
        if (product->range.narrow & ASC_NARROW) {
            multiply_deep(product, block, output, NARROW);
        } else {
            multiply_deep(product, block, output, WIDE);
        }
    } else if (product->range.narrow & ASC_NARROW) {
        multiply_shallow(product, block, output, NARROW);
    } else {
        multiply_shallow(product, block, output, WIDE);
    }
}

/* Offsets 0, 1, count, count + 1, 2 count ... of `windows` windows; the last one's again for the
 * rest. */
static uint16x8_t find_places(int32_t count, int32_t windows) {
    const uint16x8_t lanes = vidupq_n_u16(0, 1);
    const uint16x8_t last = vdupq_n_u16((uint16_t)(windows - 1));
    const uint16x8_t window = vminq_u16(vshrq_n_u16(lanes, 1), last);
    return vaddq_u16(vmulq_n_u16(window, (uint16_t)count), vandq_u16(lanes, vdupq_n_u16(1)));
}

/* `count` windows, at most four, `step` values apart. */
static asc_window_block_t find_block(const int8_t *window, int32_t step, int32_t count) {
    asc_window_block_t block;
    block.count = count;
    block.windows[0] = window;
    block.windows[1] = window += count > 1 ? step : 0;
    block.windows[2] = window += count > 2 ? step : 0;
    block.windows[3] = window + (count > 3 ? step : 0);
    return block;
}

/* One value of each output channel for windows `step` values apart. */
static void multiply_all(const asc_product_t *product, const int8_t *window, int32_t step,
                         int32_t count, int8_t *output) {
    const uint16x8_t places = find_places(product->count, WINDOWS);
    int8_t *place = output;
    for (int32_t rest = count; rest > 0; rest -= WINDOWS, place += WINDOWS * product->count) {
        const int32_t windows = asc_min(rest, WINDOWS);
        asc_window_block_t block = find_block(window, step, windows);
        block.places = windows == WINDOWS ? places : find_places(product->count, windows);
        multiply_block(product, &block, place);
        window += WINDOWS * step;
    }
    if (product->range.clamps) {
        asc_clamp(&product->range, output, count * product->count);
    }
}

static void copy(const int8_t *from, int8_t *to, int32_t count) {
    for (; count >= LANES; count -= LANES, from += LANES, to += LANES) {
        vstrbq_s8(to, vldrbq_s8(from));
    }
    if (count > 0) {
        const mve_pred16_t rest = vctp8q((uint32_t)count);
        vstrbq_p_s8(to, vldrbq_z_s8(from, rest), rest);
    }
}

static void fill(int8_t *to, int32_t value, int32_t count) {
    const int8x16_t values = vdupq_n_s8((int8_t)value);
    for (; count >= LANES; count -= LANES, to += LANES) {
        vstrbq_s8(to, values);
    }
    if (count > 0) {
        vstrbq_p_s8(to, values, vctp8q((uint32_t)count));
    }
}

/* Offsets of 16 values of pixels that are `step` values apart. */
static uint8x16_t find_lanes(int32_t channels, int32_t step) {
    uint8_t lanes[LANES];
    for (int32_t i = 0, c = 0, pixel = 0; i < LANES; i++) {
        lanes[i] = (uint8_t)(pixel + c);
        if (++c == channels) {
            c = 0;
            pixel += step;
        }
    }
    return vldrbq_u8(lanes);
}

/* Puts pixels into their places, `step` values apart, 16 values at a time: what a vector holds of a
 * further pixel is written again with the next one. */
static void spread(const int8_t *from, int32_t channels, int32_t pixels, uint8x16_t lanes,
                   int8_t *to, int32_t step) {
    const int32_t at_once = LANES / channels;
    int32_t count = pixels * channels;
    for (; count >= LANES; count -= at_once * channels) {
        vstrbq_scatter_offset_s8(to, lanes, vldrbq_s8(from));
        from += at_once * channels;
        to += at_once * step;
    }
    if (count > 0) {
        const mve_pred16_t rest = vctp8q((uint32_t)count);
        vstrbq_scatter_offset_p_s8(to, lanes, vldrbq_z_s8(from, rest), rest);
    }
}

/* Brings the rows under the windows of a row of output side by side, as columns of window.height
 * pixels: a window is a run of values. Padding has the code of zero, which the bias has already
 * subtracted. */
static void arrange(const asc_conv_t *layer, const int8_t *const *rows, int8_t *to) {
    const int32_t channels = layer->input_channels;
    const int32_t size = layer->column_size;
    const int32_t left = layer->window.left;
    const int32_t inside = asc_min(layer->columns - left, layer->input_width);
    /* Offsets of lanes are bytes. */
    const int is_few = channels <= LANES / 2 && (LANES - 1) / channels * size + channels <= 256;
    const uint8x16_t lanes = is_few ? find_lanes(channels, size) : vdupq_n_u8(0);
    int8_t *const end = to + layer->columns * size;
    int8_t *place = to + left * size;
    fill(to, layer->input_zero_point, left * size);
    fill(place + inside * size, layer->input_zero_point, (int32_t)(end - place) - inside * size);
    for (int32_t y = 0; y < layer->window.height; y++, place += channels) {
        if (rows[y] == NULL) {
            for (int32_t x = 0; x < inside; x++) {
                fill(place + x * size, layer->input_zero_point, channels);
            }
        } else if (is_few) {
            spread(rows[y], channels, inside, lanes, place, size);
        } else {
            for (int32_t x = 0; x < inside; x++) {
                copy(rows[y] + x * channels, place + x * size, channels);
            }
        }
    }
}

static asc_product_t conv_product(const asc_conv_t *layer) {
    const asc_product_t product = {layer->weights,
                                   layer->channels,
                                   layer->depth,
                                   layer->output_channels,
                                   layer->range,
                                   0,
                                   NULL};
    return product;
}

/* Windows with gaps between their columns are closed up one by one. */
static void conv_dilated(const asc_conv_t *layer, const int8_t *columns, int8_t *window,
                         int8_t *output) {
    const asc_product_t product = conv_product(layer);
    const int32_t size = layer->column_size;
    const int32_t gap = layer->window.dilation * size;
    for (int32_t x = 0; x < layer->output_width; x++, output += product.count) {
        const int8_t *column = columns + x * layer->window.stride * size;
        for (int32_t k = 0; k < layer->window.width; k++, column += gap) {
            copy(column, window + k * size, size);
        }
        multiply_all(&product, window, 0, 1, output);
    }
}

void asc_conv(const void *data, const asc_kernel_args_t *args) {
    const asc_conv_t *layer = data;
    const asc_product_t product = conv_product(layer);
    const asc_window_t *window = &layer->window;
    if (window->height == 1 && window->width == 1 && args->rows[0] != NULL && window->left == 0 &&
        layer->columns <= layer->input_width) {
        multiply_all(&product, args->rows[0], window->stride * layer->input_channels,
                     layer->output_width, args->output);
        return;
    }
    arrange(layer, args->rows, args->scratch);
    if (window->dilation != 1) {
        conv_dilated(layer, args->scratch, args->scratch + layer->columns * layer->column_size,
                     args->output);
        return;
    }
    multiply_all(&product, args->scratch, window->stride * layer->column_size, layer->output_width,
                 args->output);
}

void asc_conv_twice(const void *data, const asc_kernel_args_t *args) {
    asc_conv(data, args);
}

/* Sums of `count` windows `step` values apart; see asc_im2col.h. */
static void sum_windows(const asc_product_t *product, const int8_t *window, int32_t step,
                        int32_t count, int32_t *sums) {
    const int32_t even = (product->count + 1) / 2 * 2;
    for (int32_t rest = count; rest > 0; rest -= WINDOWS, sums += WINDOWS * even) {
        const int32_t windows = asc_min(rest, WINDOWS);
        asc_window_block_t block = find_block(window, step, windows);
        block.places = find_places(even, windows);
        if (product->depth > LANES) {
            multiply_deep(product, &block, (int8_t *)sums, SUMS);
        } else {
            multiply_shallow(product, &block, (int8_t *)sums, SUMS);
        }
        window += WINDOWS * step;
    }
}

void asc_sum_columns(const asc_conv_t *layer, const int8_t *const *rows, int8_t *scratch,
                     int32_t *sums) {
    const asc_product_t product = conv_product(layer);
    arrange(layer, rows, scratch);
    sum_windows(&product, scratch, layer->column_size, layer->columns, sums);
}

void asc_conv_sums(const void *data, const asc_kernel_args_t *args) {
    const asc_conv_sums_t *layer = data;
    const asc_product_t product = {
        .weights = layer->weights, .depth = layer->depth, .count = layer->filters};
    sum_windows(&product, args->rows[0], layer->input_channels, layer->input_width,
                (int32_t *)(void *)args->output);
}

void asc_dense(const void *data, const asc_kernel_args_t *args) {
    const asc_dense_t *layer = data;
    const asc_product_t product = {
        layer->weights, layer->channels, layer->depth, layer->outputs, layer->range, 0, NULL};
    multiply_all(&product, args->rows[0], layer->inputs, layer->rows, args->output);
}

#endif
