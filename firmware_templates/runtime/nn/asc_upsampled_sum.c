/* SPDX-License-Identifier: Apache-2.0
 *
 * Upsampled convolutions whose rows are multiplied once; see asc_kernels.h. Cores with Helium have
 * the products of asc_conv_mve.c.
 *
 * Without its channels, of pixel s of the input and column k of the window, t[k][s] is the sum over
 * the rows of the window. Pixels 2 s and 2 s + 1 of the output are t[0][s - 1] + t[1][s] + t[2][s]
 * and t[0][s] + t[1][s] + t[2][s + 1].
 *
 * A row of sums has, for each pair of filters, two sums of each pixel; on cores with Helium, for
 * each pixel, the sums of all filters.
 */
#include <stddef.h>

#include "asc_arithmetic.h"
#include "asc_dsp.h"
#if ASC_KERNELS_MVE
#include "asc_arithmetic_mve.h"
#elif ASC_KERNELS_DSP
#include "asc_upsampled_dsp.h"
#elif ASC_KERNELS_THUMB1
#include "asc_conv_thumb1.h"
#endif

/* Whether assembly makes narrow layers from two rows, the commonest number. */
#define HAS_TWO_ROWS (ASC_KERNELS_DSP && !ASC_KERNELS_MVE)

/* Where it does not, a copy for two rows has its loops over them written out. */
#if HAS_TWO_ROWS
#define INLINED static inline
#elif defined(__OPTIMIZE__)
#define INLINED static inline __attribute__((always_inline))
#else
#define INLINED static inline
#endif

enum { MOST_ROWS = 3 };

/* A row of sums, and a pixel of what stands beside it. */
typedef struct {
    const int32_t *sums;
    const int32_t *padding;
} asc_sums_row_t;

/* The rows under the window that are there. */
typedef struct {
    asc_sums_row_t rows[MOST_ROWS];
    int32_t count;
    const int32_t *missing[MOST_ROWS]; /* pixels of padding in place of the others */
} asc_sums_rows_t;

#if ASC_KERNELS_MVE

enum { AT_ONCE = 4 };

typedef int32x4_t asc_value_t;

/* What rounding needs of four channels. */
typedef struct {
    asc_value_t bias;
    asc_scale_4_t scale;
    asc_output_t range;
    mve_pred16_t inside;
} asc_finish_t;

static inline int32_t place_of(const asc_upsampled_sum_t *layer, int32_t filter) {
    (void)layer;
    return filter;
}

/* From a sum of a pixel to that of the next. */
static inline int32_t step_of(const asc_upsampled_sum_t *layer) {
    return (3 * layer->output_channels + 1) / 2 * 2;
}

static inline asc_finish_t prepare(const asc_upsampled_sum_t *layer, int32_t c, int once) {
    const asc_channel_t *channel = (const asc_channel_t *)layer->channels + c;
    asc_finish_t finish;
    (void)once;
    finish.inside = vctp32q((uint32_t)(layer->output_channels - c));
    finish.bias = asc_load_member_4(&channel->bias, 1, finish.inside);
    finish.scale = asc_load_scale_4(channel, 1, finish.inside);
    finish.range = layer->range;
    return finish;
}

static inline asc_value_t load(const int32_t *from, const asc_finish_t *finish) {
    return vldrwq_z_s32(from, finish->inside);
}

static inline asc_value_t zero(void) {
    return vdupq_n_s32(0);
}

static inline asc_value_t add(asc_value_t a, asc_value_t b) {
    return vaddq_s32(a, b);
}

static inline void store(asc_value_t sum, const asc_finish_t *finish, int8_t *output) {
    sum = asc_multiply_by_quantized_multiplier_channels_4(sum, &finish->scale);
    vstrbq_p_s32(output, asc_to_output_4(&finish->range, sum), finish->inside);
}

#else

enum { AT_ONCE = 1 };

typedef int32_t asc_value_t;

/* What rounding needs of a channel. */
typedef struct {
    asc_value_t bias;
    asc_channel_t channel;
    asc_output_t range;
    int32_t offset;
    int is_short;
#if ASC_ROUNDS_ONCE
    asc_once_channel_t once_channel;
    int once;
#endif
} asc_finish_t;

/* Where the sums of a filter begin in a row. */
static inline int32_t place_of(const asc_upsampled_sum_t *layer, int32_t filter) {
    return filter / 2 * 2 * layer->input_width + filter % 2;
}

static inline int32_t step_of(const asc_upsampled_sum_t *layer) {
    (void)layer;
    return 2;
}

static inline asc_finish_t prepare(const asc_upsampled_sum_t *layer, int32_t c, int once) {
    asc_finish_t finish = {0};
#if ASC_ROUNDS_ONCE
    finish.once = once;
    if (once) {
        finish.once_channel = ((const asc_once_channel_t *)layer->channels)[c];
        finish.bias = 0;
        return finish;
    }
#endif
    (void)once;
    finish.channel = ((const asc_channel_t *)layer->channels)[c];
    finish.bias = finish.channel.bias;
    finish.range = layer->range;
    finish.offset = asc_narrow_offset(&layer->range);
    finish.is_short = !HAS_TWO_ROWS && layer->range.narrow && !layer->range.clamps;
    return finish;
}

static inline asc_value_t load(const int32_t *from, const asc_finish_t *finish) {
    (void)finish;
    return *from;
}

static inline asc_value_t zero(void) {
    return 0;
}

static inline asc_value_t add(asc_value_t a, asc_value_t b) {
    return a + b;
}

static inline void store(asc_value_t sum, const asc_finish_t *finish, int8_t *output) {
#if ASC_ROUNDS_ONCE
    if (finish->once) {
        const int32_t scaled = finish->once_channel.bias + ASC_ONCE_SCALE * sum;
        *output = asc_finish_once(scaled, finish->once_channel.multiplier);
        return;
    }
#endif
    *output = finish->is_short ? asc_finish_narrow(sum, &finish->channel, finish->offset)
                               : asc_finish(sum, &finish->channel, &finish->range);
}

#endif

/* The sum of some sums at the same place of several rows. */
INLINED asc_value_t add_rows(const int32_t *const *rows, int32_t count, int32_t place,
                             const asc_finish_t *finish) {
    asc_value_t sum = count > 0 ? load(rows[0] + place, finish) : zero();
    if (count > 1) {
        sum = add(sum, load(rows[1] + place, finish));
    }
    if (count > 2) {
        sum = add(sum, load(rows[2] + place, finish));
    }
    return sum;
}

/* What a row of padding adds to all pixels: sums of each column of the window. */
static inline asc_value_t add_columns(const int32_t *pixel, int32_t channels,
                                      const asc_finish_t *finish) {
    const asc_value_t sum = add(load(pixel, finish), load(pixel + channels, finish));
    return add(sum, load(pixel + 2 * channels, finish));
}

/* Channels from c on, as many as are made at once.
 *
 * once: whether sums are rounded once; a constant, here and below. */
INLINED void make_channels(const asc_upsampled_sum_t *layer, const asc_sums_rows_t *from,
                           int32_t count, int32_t c, int once, int8_t *output) {
    const int32_t channels = layer->output_channels;
    const int32_t step = step_of(layer);
    const int32_t left = place_of(layer, c);
    const int32_t center = place_of(layer, channels + c);
    const int32_t right = place_of(layer, 2 * channels + c);
    asc_finish_t finish = prepare(layer, c, once);
    const int32_t *rows[MOST_ROWS] = {NULL}, *padding[MOST_ROWS] = {NULL};
    for (int32_t y = 0; y < count; y++) {
        rows[y] = from->rows[y].sums;
        padding[y] = from->rows[y].padding + c;
    }
    for (int32_t y = 0; y < layer->rows - count; y++) {
        finish.bias = add(finish.bias, add_columns(from->missing[y] + c, channels, &finish));
    }
    asc_value_t before = add_rows(padding, count, 0, &finish);
    asc_value_t first = add_rows(rows, count, left, &finish);
    asc_value_t middle = add(finish.bias, add_rows(rows, count, center, &finish));
    asc_value_t last = add_rows(rows, count, right, &finish);
    output += c;
    for (int32_t x = layer->input_width; x > 1; x--, output += channels) {
        store(add(add(before, middle), last), &finish, output);
        const asc_value_t begun = add(first, middle);
        before = first;
        for (int32_t y = 0; y < count; y++) {
            rows[y] += step;
        }
        first = add_rows(rows, count, left, &finish);
        middle = add(finish.bias, add_rows(rows, count, center, &finish));
        last = add_rows(rows, count, right, &finish);
        output += channels;
        store(add(begun, last), &finish, output);
    }
    store(add(add(before, middle), last), &finish, output);
    last = add_rows(padding, count, 2 * channels, &finish);
    store(add(add(first, middle), last), &finish, output + channels);
}

static asc_sums_rows_t find_rows(const asc_upsampled_sum_t *layer, const int8_t *const *rows) {
    const int32_t pixel = (3 * layer->output_channels + 1) / 2 * 2;
    const int32_t *padding = layer->padding;
    asc_sums_rows_t found;
    int32_t missing = 0;
    found.count = 0;
    for (int32_t y = 0; y < layer->rows; y++, padding += pixel) {
        if (rows[y] != NULL) {
            const asc_sums_row_t row = {(const int32_t *)(const void *)rows[y], padding};
            found.rows[found.count++] = row;
        } else {
            found.missing[missing++] = padding;
        }
    }
    return found;
}

#if HAS_TWO_ROWS

/* All channels of a narrow layer from two rows. */
static inline void make_narrow(const asc_upsampled_sum_t *layer, int once,
                               const asc_sums_row_t *rows, int8_t *output) {
    const int32_t width = layer->input_width;
    const int32_t channels = layer->output_channels;
    const int32_t to_middle = place_of(layer, channels);
    const int32_t next_middle = place_of(layer, channels + 1) - 1;
    const asc_channel_t *const twice_channels = layer->channels;
    const asc_once_channel_t *const once_channels = layer->channels;
    const asc_two_rows_t all = {
        256 * (width - 1),
        asc_narrow_offset(&layer->range),
        layer->channels,
        once ? (const void *)(once_channels + channels) : (const void *)(twice_channels + channels),
        rows[0].padding,
        4 * (int32_t)(rows[1].padding - rows[0].padding),
        8 * channels,
        4 - 8 * width,
        -4,
        4 * (to_middle + next_middle),
        2 * width * channels - 1,
        rows[0].sums,
        rows[1].sums,
        4 * to_middle,
        4 * place_of(layer, 2 * channels),
        output,
        channels,
    };
    if (once) {
        make_from_two_rows_once(&all);
    } else {
        make_from_two_rows_twice(&all);
    }
}

#endif

INLINED void make_row(const asc_upsampled_sum_t *layer, const asc_kernel_args_t *args, int once) {
    const asc_sums_rows_t rows = find_rows(layer, args->rows);
    int32_t c = 0;
#if HAS_TWO_ROWS
    if (rows.count == 2 && layer->rows == 2 && (once || layer->range.narrow)) {
        make_narrow(layer, once, rows.rows, args->output);
        c = layer->output_channels;
    }
#endif
    for (; c < layer->output_channels; c += AT_ONCE) {
        if (!HAS_TWO_ROWS && rows.count == 2) {
            make_channels(layer, &rows, 2, c, once, args->output);
        } else {
            make_channels(layer, &rows, rows.count, c, once, args->output);
        }
    }
#if ASC_ROUNDS_ONCE
    if (layer->range.clamps) {
        asc_clamp(&layer->range, args->output, 2 * layer->input_width * layer->output_channels);
    }
#endif
}

void asc_upsampled_sum(const void *data, const asc_kernel_args_t *args) {
    make_row(data, args, ASC_ROUNDS_ONCE);
}

#if ASC_ROUNDS_ONCE

void asc_upsampled_sum_twice(const void *data, const asc_kernel_args_t *args) {
    make_row(data, args, 0);
}

#else

void asc_upsampled_sum_twice(const void *data, const asc_kernel_args_t *args) {
    asc_upsampled_sum(data, args);
}

#endif

#if !ASC_KERNELS_MVE

/* The product of a pixel and a filter, of which each pair lies as ASC_WEIGHT_PAIR has it. */
static int32_t multiply_pixel(const int8_t *pixel, const int8_t *weights, int32_t depth) {
    int32_t sum = 0;
    for (const int8_t *const end = pixel + depth; pixel < end; pixel += 4, weights += 8) {
        sum += (int32_t)pixel[0] * weights[0] + (int32_t)pixel[2] * weights[2];
        sum += (int32_t)pixel[1] * weights[4] + (int32_t)pixel[3] * weights[6];
    }
    return sum;
}

#if ASC_KERNELS_THUMB1

/* The sums of whole words; of an odd number of filters the last one has another beside it. */
static void sum_words(const asc_conv_sums_t *layer, const int8_t *row, int32_t *sums) {
    const int8_t *weights = layer->weights;
    for (int32_t filter = 0; filter < layer->filters; filter += 2, weights += 2 * layer->depth) {
        const int8_t *pixel = row;
        for (int32_t x = 0; x < layer->input_width;
             x++, sums += 2, pixel += layer->input_channels) {
            const asc_two_sums_t two = multiply_two_filters(pixel, pixel + layer->depth, weights);
            sums[0] = two.first;
            if (filter + 1 < layer->filters) {
                sums[1] = two.second;
            }
        }
    }
}

#endif

void asc_conv_sums(const void *data, const asc_kernel_args_t *args) {
    const asc_conv_sums_t *layer = data;
    const int32_t width = layer->input_width;
    int32_t *sums = (int32_t *)(void *)args->output;
#if ASC_KERNELS_DSP
    if (width >= 4) {
        sum_pixels(layer, args->rows[0], (uint32_t *)(void *)args->scratch, sums);
        return;
    }
#endif
#if ASC_KERNELS_THUMB1
    const uintptr_t words = (uintptr_t)args->rows[0] | (uintptr_t)layer->weights;
    if (((words | (uint32_t)layer->input_channels) & 3u) == 0) {
        sum_words(layer, args->rows[0], sums);
        return;
    }
#endif
    for (int32_t filter = 0; filter < layer->filters; filter++) {
        const int8_t *const weights = layer->weights + filter / 2 * 2 * layer->depth + filter % 2;
        const int8_t *pixel = args->rows[0];
        int32_t *sum = sums + filter / 2 * 2 * width + filter % 2;
        for (int32_t x = 0; x < width; x++, sum += 2, pixel += layer->input_channels) {
            *sum = multiply_pixel(pixel, weights, layer->depth);
        }
    }
}

#endif
