/* SPDX-License-Identifier: Apache-2.0
 *
 * Sums of an upsampled convolution from products of each row; see asc_kernels.h. Without its
 * channels, of pixel s of the input and column k of the window, t[k][s] is the sum over the rows of
 * the window. Pixels 2 s and 2 s + 1 of the output are t[0][s - 1] + t[1][s] + t[2][s] and t[0][s]
 * + t[1][s] + t[2][s + 1].
 */
#include <stddef.h>

#include "asc_arithmetic.h"
#if ASC_KERNELS_MVE
#include "asc_arithmetic_mve.h"
#endif

/* A copy for the commonest number of rows has its loops over them written out. */
#if defined(__OPTIMIZE__)
#define INLINE static inline __attribute__((always_inline))
#else
#define INLINE static inline
#endif

enum { MOST_ROWS = 3 };

/* A row of sums, or of padding, which is one pixel. */
typedef struct {
    const int32_t *sums;
    int32_t step;
} asc_sums_row_t;

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

static inline asc_finish_t prepare(const asc_upsampled_sum_t *layer, int32_t c) {
    const asc_channel_t *channel = &layer->channels[c];
    asc_finish_t finish;
    finish.inside = vctp32q((uint32_t)(layer->output_channels - c));
    finish.bias = asc_load_member_4(&channel->bias, 1, finish.inside);
    finish.scale = asc_load_scale_4(channel, 1, finish.inside);
    finish.range = layer->range;
    return finish;
}

static inline asc_value_t load(const int32_t *from, const asc_finish_t *finish) {
    return vldrwq_z_s32(from, finish->inside);
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
} asc_finish_t;

static inline asc_finish_t prepare(const asc_upsampled_sum_t *layer, int32_t c) {
    asc_finish_t finish;
    finish.channel = layer->channels[c];
    finish.bias = finish.channel.bias;
    finish.range = layer->range;
    finish.offset = asc_narrow_offset(&layer->range);
    finish.is_short = layer->range.narrow && !layer->range.clamps;
    return finish;
}

static inline asc_value_t load(const int32_t *from, const asc_finish_t *finish) {
    (void)finish;
    return *from;
}

static inline asc_value_t add(asc_value_t a, asc_value_t b) {
    return a + b;
}

static inline void store(asc_value_t sum, const asc_finish_t *finish, int8_t *output) {
    *output = finish->is_short ? asc_finish_narrow(sum, &finish->channel, finish->offset)
                               : asc_finish(sum, &finish->channel, &finish->range);
}

#endif

/* The sum of some sums at the same place of all rows. */
INLINE asc_value_t add_rows(const asc_sums_row_t *rows, int32_t count, int32_t place,
                            const asc_finish_t *finish) {
    asc_value_t sum = load(rows[0].sums + place, finish);
    if (count > 1) {
        sum = add(sum, load(rows[1].sums + place, finish));
    }
    if (count > 2) {
        sum = add(sum, load(rows[2].sums + place, finish));
    }
    return sum;
}

/* Channels from c on, as many as are made at once. */
INLINE void make_channels(const asc_upsampled_sum_t *layer, const asc_sums_row_t *from,
                          int32_t count, int32_t c, int8_t *output) {
    const int32_t channels = layer->output_channels;
    const int32_t padding_step = (3 * channels + 1) / 2 * 2;
    const asc_finish_t finish = prepare(layer, c);
    asc_sums_row_t rows[MOST_ROWS], padding[MOST_ROWS];
    for (int32_t y = 0; y < MOST_ROWS; y++) {
        const asc_sums_row_t none = {layer->padding + (y < count ? y * padding_step : 0) + c, 0};
        const asc_sums_row_t row = {from[y].sums + c, from[y].step};
        padding[y] = none;
        rows[y] = row;
    }
    asc_value_t before = add_rows(padding, count, 0, &finish);
    asc_value_t first = add_rows(rows, count, 0, &finish);
    asc_value_t middle = add(finish.bias, add_rows(rows, count, channels, &finish));
    asc_value_t last = add_rows(rows, count, 2 * channels, &finish);
    output += c;
    for (int32_t x = layer->input_width; x > 1; x--, output += channels) {
        store(add(add(before, middle), last), &finish, output);
        const asc_value_t begun = add(first, middle);
        before = first;
        for (int32_t y = 0; y < count; y++) {
            rows[y].sums += rows[y].step;
        }
        first = add_rows(rows, count, 0, &finish);
        middle = add(finish.bias, add_rows(rows, count, channels, &finish));
        last = add_rows(rows, count, 2 * channels, &finish);
        output += channels;
        store(add(begun, last), &finish, output);
    }
    store(add(add(before, middle), last), &finish, output);
    last = add_rows(padding, count, 2 * channels, &finish);
    store(add(add(first, middle), last), &finish, output + channels);
}

void asc_upsampled_sum(const void *data, const asc_kernel_args_t *args) {
    const asc_upsampled_sum_t *layer = data;
    const int32_t pixel = (3 * layer->output_channels + 1) / 2 * 2;
    asc_sums_row_t rows[MOST_ROWS];
    for (int32_t y = 0; y < MOST_ROWS; y++) {
        const int8_t *row = y < layer->rows ? args->rows[y] : NULL;
        const int32_t *sums = (const int32_t *)(const void *)row;
        rows[y].sums = sums != NULL ? sums : layer->padding + (y < layer->rows ? y * pixel : 0);
        rows[y].step = sums != NULL ? pixel : 0;
    }
    for (int32_t c = 0; c < layer->output_channels; c += AT_ONCE) {
        if (layer->rows == 2) {
            make_channels(layer, rows, 2, c, args->output);
        } else {
            make_channels(layer, rows, layer->rows, c, args->output);
        }
    }
}
