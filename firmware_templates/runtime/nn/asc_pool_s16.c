/* SPDX-License-Identifier: Apache-2.0
 *
 * Pooling, sums and means of 16-bit values; see asc_kernels_s16.h.
 */
#include <stddef.h>
#include <string.h>

#include "asc_arithmetic.h"
#include "asc_kernels_s16.h"

/* A window as far as it lies inside the input: `count` values that are looked at. */
typedef struct {
    int32_t sum;
    int32_t largest;
    int32_t count;
} asc_under_window_t;

static asc_under_window_t look(const asc_pool_t *layer, const asc_kernel_args_t *args, int32_t x,
                               int32_t channel) {
    const int32_t first = x * layer->window.stride - layer->window.left;
    const int32_t begin = asc_max(first, 0);
    const int32_t end = asc_min(first + layer->window.width, layer->input_width);
    asc_under_window_t found = {0, INT16_MIN, 0};
    for (int32_t y = 0; y < layer->window.height; y++) {
        const int16_t *row = (const int16_t *)(const void *)args->rows[y];
        if (row != NULL) {
            for (int32_t column = begin; column < end; column++) {
                const int32_t value = row[column * layer->input_channels + channel];
                found.sum += value;
                found.largest = asc_max(found.largest, value);
                found.count++;
            }
        }
    }
    return found;
}

/* Rounded to nearest, halves away from zero. */
static int32_t average(asc_under_window_t found) {
    const int32_t half = found.count / 2;
    return (found.sum > 0 ? found.sum + half : found.sum - half) / found.count;
}

static int32_t largest(asc_under_window_t found) {
    return found.largest;
}

static inline void pool(const asc_pool_t *layer, const asc_kernel_args_t *args,
                        int32_t (*result)(asc_under_window_t)) {
    int16_t *output = (int16_t *)(void *)args->output;
    for (int32_t x = 0; x < layer->output_width; x++) {
        for (int32_t c = 0; c < layer->output_channels; c++) {
            const int32_t value = result(look(layer, args, x, c));
            *output++ = (int16_t)asc_min(asc_max(value, layer->minimum), layer->maximum);
        }
    }
}

void asc_average_pool_s16(const void *layer, const asc_kernel_args_t *args) {
    pool(layer, args, average);
}

void asc_max_pool_s16(const void *layer, const asc_kernel_args_t *args) {
    pool(layer, args, largest);
}

void asc_sum_s16(const void *data, const asc_kernel_args_t *args) {
    const asc_sum_t *layer = data;
    int32_t *sums = (int32_t *)(void *)args->output;
    const int16_t *value = (const int16_t *)(const void *)args->rows[0];
    if (args->run == 0) {
        memset(sums, 0, (size_t)layer->channels * sizeof sums[0]);
    }
    for (int32_t x = 0; x < layer->width; x++) {
        for (int32_t c = 0; c < layer->channels; c++) {
            sums[c] += *value++;
        }
    }
}

static int16_t finish_mean(const asc_mean_t *layer, int32_t sum) {
    const int32_t mean = asc_multiply_by_quantized_multiplier(sum, layer->multiplier, layer->shift);
    return (int16_t)asc_min(asc_max(mean, layer->range.minimum), layer->range.maximum);
}

void asc_mean_s16(const void *data, const asc_kernel_args_t *args) {
    const asc_mean_t *layer = data;
    const int32_t *sums = (const int32_t *)(const void *)args->rows[0];
    int16_t *output = (int16_t *)(void *)args->output;
    for (int32_t c = 0; c < layer->channels; c++) {
        output[c] = finish_mean(layer, sums[c]);
    }
}

void asc_reduce_s16(const void *data, const asc_kernel_args_t *args) {
    const asc_reduce_t *layer = data;
    const int16_t *input = (const int16_t *)(const void *)args->rows[0];
    int16_t *output = (int16_t *)(void *)args->output;
    for (int32_t i = 0; i < layer->outer; i++, input += layer->count * layer->inner) {
        for (int32_t j = 0; j < layer->inner; j++) {
            int32_t sum = 0;
            for (int32_t k = 0; k < layer->count; k++) {
                sum += input[k * layer->inner + j];
            }
            *output++ = finish_mean(&layer->mean, sum);
        }
    }
}
