/* SPDX-License-Identifier: Apache-2.0
 *
 * Pooling over windows of pixels; see asc_kernels.h. Cores with Helium take the largest in
 * asc_pool_mve.c.
 */
#include <stddef.h>
#include <string.h>

#include "asc_arithmetic.h"
#include "asc_dsp.h"
#include "asc_kernels.h"

/* The columns of a pooling window that lie inside the input. */
typedef struct {
    int32_t begin;
    int32_t end;
} asc_range_t;

static asc_range_t columns_inside(const asc_pool_t *layer, int32_t x) {
    const int32_t begin = x * layer->window.stride - layer->window.left;
    asc_range_t range;
    range.begin = asc_max(begin, 0);
    range.end = asc_min(begin + layer->window.width, layer->input_width);
    return range;
}

/* Rounded to nearest, halves away from zero. */
static int32_t window_average(const asc_pool_t *layer, const int8_t *const *rows,
                              asc_range_t columns, int32_t channel) {
    int32_t sum = 0;
    int32_t count = 0;
    for (int32_t y = 0; y < layer->window.height; y++) {
        if (rows[y] != NULL) {
            for (int32_t x = columns.begin; x < columns.end; x++) {
                sum += rows[y][x * layer->input_channels + channel];
            }
            count += columns.end - columns.begin;
        }
    }
    return (sum > 0 ? sum + count / 2 : sum - count / 2) / count;
}

typedef int32_t (*reduce_t)(const asc_pool_t *, const int8_t *const *, asc_range_t, int32_t);

static void pool(const asc_pool_t *layer, const asc_kernel_args_t *args, reduce_t reduce) {
    int8_t *output = args->output;
    for (int32_t x = 0; x < layer->output_width; x++) {
        const asc_range_t columns = columns_inside(layer, x);
        for (int32_t c = 0; c < layer->output_channels; c++) {
            const int32_t value = reduce(layer, args->rows, columns, c);
            *output++ = (int8_t)asc_min(asc_max(value, layer->minimum), layer->maximum);
        }
    }
}

void asc_average_pool(const void *layer, const asc_kernel_args_t *args) {
    pool(layer, args, window_average);
}

#if !ASC_KERNELS_MVE

static int32_t window_max(const asc_pool_t *layer, const int8_t *const *rows, asc_range_t columns,
                          int32_t channel) {
    int32_t best = INT8_MIN;
    for (int32_t y = 0; y < layer->window.height; y++) {
        if (rows[y] != NULL) {
            for (int32_t x = columns.begin; x < columns.end; x++) {
                best = asc_max(best, rows[y][x * layer->input_channels + channel]);
            }
        }
    }
    return best;
}

#if defined(__ARM_FEATURE_DSP) && defined(__GNUC__)

/* The larger of each of four values. */
static inline uint32_t max_of_four(uint32_t a, uint32_t b) {
    uint32_t result;
    __asm__("ssub8 %0, %1, %2\n\tsel %0, %1, %2" : "=&r"(result) : "r"(a), "r"(b) : "cc");
    return result;
}

/* The largest of `rows` x `columns` pixels, four channels; a row may be padding. */
static uint32_t window_max_of_four(const int8_t *const *rows, int32_t height, int32_t first,
                                   int32_t columns, int32_t step) {
    uint32_t best = 0x80808080u;
    for (int32_t y = 0; y < height; y++) {
        if (rows[y] != NULL) {
            const int8_t *value = rows[y] + first;
            for (int32_t x = 0; x < columns; x++, value += step) {
                best = max_of_four(best, asc_load_word(value));
            }
        }
    }
    return best;
}

/* The commonest window: two pixels of two rows. */
static void max_of_2x2(const int8_t *above, const int8_t *below, int32_t channels, int8_t *output) {
    for (int32_t i = 0; i < channels; i += 4) {
        const int32_t c = asc_min(i, channels - 4);
        const uint32_t left = max_of_four(asc_load_word(above + c), asc_load_word(below + c));
        const uint32_t right =
            max_of_four(asc_load_word(above + channels + c), asc_load_word(below + channels + c));
        const uint32_t best = max_of_four(left, right);
        memcpy(output + c, &best, sizeof best);
    }
}

void asc_max_pool(const void *data, const asc_kernel_args_t *args) {
    const asc_pool_t *layer = data;
    const int32_t channels = layer->input_channels;
    int8_t *output = args->output;
    if (channels < 4 || layer->minimum != INT8_MIN || layer->maximum != INT8_MAX) {
        pool(layer, args, window_max);
        return;
    }
    const int is_2x2 = layer->window.height == 2 && layer->window.width == 2 &&
                       args->rows[0] != NULL && args->rows[1] != NULL;
    for (int32_t x = 0; x < layer->output_width; x++, output += channels) {
        const asc_range_t columns = columns_inside(layer, x);
        if (is_2x2 && columns.end - columns.begin == 2) {
            const int32_t first = columns.begin * channels;
            max_of_2x2(args->rows[0] + first, args->rows[1] + first, channels, output);
            continue;
        }
        for (int32_t c = 0; c < channels; c += 4) {
            /* The last four channels may overlap those before. */
            const int32_t channel = asc_min(c, channels - 4);
            const uint32_t best = window_max_of_four(args->rows, layer->window.height,
                                                     columns.begin * channels + channel,
                                                     columns.end - columns.begin, channels);
            memcpy(output + channel, &best, sizeof best);
        }
    }
}

#else

void asc_max_pool(const void *layer, const asc_kernel_args_t *args) {
    pool(layer, args, window_max);
}

#endif

#endif
