/* SPDX-License-Identifier: Apache-2.0
 *
 * Kernels without weights; see asc_kernels.h. Cores with Helium have some of those of
 * asc_kernels_mve.c.
 */
#include "asc_kernels.h"

#include <string.h>

#include "asc_arithmetic.h"

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

static int8_t finish_mean(const asc_mean_t *layer, int32_t sum) {
    const int32_t mean =
        asc_multiply_by_quantized_multiplier(layer->offset + sum, layer->multiplier, layer->shift);
    return asc_to_output(&layer->range, mean);
}

void asc_mean(const void *data, const asc_kernel_args_t *args) {
    const asc_mean_t *layer = data;
    const int32_t *sums = (const int32_t *)(const void *)args->rows[0];
    for (int32_t c = 0; c < layer->channels; c++) {
        args->output[c] = finish_mean(layer, sums[c]);
    }
}

void asc_reduce(const void *data, const asc_kernel_args_t *args) {
    const asc_reduce_t *layer = data;
    const int8_t *input = args->rows[0];
    int8_t *output = args->output;
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

void asc_reduce_max(const void *data, const asc_kernel_args_t *args) {
    const asc_reduce_max_t *layer = data;
    const int continues = layer->accumulates && args->run != 0;
    const int8_t *input = args->rows[0];
    int8_t *output = args->output;
    for (int32_t i = 0; i < layer->outer; i++, input += layer->count * layer->inner) {
        for (int32_t j = 0; j < layer->inner; j++, output++) {
            int32_t best = continues ? *output : INT8_MIN;
            for (int32_t k = 0; k < layer->count; k++) {
                best = asc_max(best, input[k * layer->inner + j]);
            }
            *output = (int8_t)best;
        }
    }
}

/* exp(x / 2^26) * 2^31 for x <= 0.
 *
 * x splits into a part in [-1/4, 0), whose exponential is a Taylor series of degree 4 about -1/8,
 * and multiples of 1/4, one factor exp(-2^k) for each set bit. */
static int32_t asc_exp(int32_t x) {
    static const int32_t factors[] = {1672461947, 1302514674, 790015084, 290630308,
                                      39332535,   720401,     242};
    const int32_t exp_of_minus_eighth = 1895147668;
    const int32_t third = 715827883;
    if (x == 0) {
        return INT32_MAX;
    }
    const int32_t quarter = INT32_C(1) << 24;
    const int32_t rest = (x & (quarter - 1)) - quarter;
    const int32_t t = asc_shift_left(rest, 5) + (INT32_C(1) << 28);
    const int32_t t2 = asc_saturating_rounding_doubling_high_mul(t, t);
    const int32_t t3 = asc_saturating_rounding_doubling_high_mul(t2, t);
    const int32_t t4 = asc_saturating_rounding_doubling_high_mul(t2, t2);
    const int32_t tail =
        asc_saturating_rounding_doubling_high_mul(asc_rounding_divide_by_pot(t4, 2) + t3, third) +
        t2;
    const int32_t series = t + asc_rounding_divide_by_pot(tail, 1);
    int32_t result = exp_of_minus_eighth +
                     asc_saturating_rounding_doubling_high_mul(exp_of_minus_eighth, series);
    uint32_t quarters = (uint32_t)(rest - x) >> 24;
    for (uint32_t i = 0; i < sizeof factors / sizeof factors[0]; i++, quarters >>= 1) {
        if (quarters & 1u) {
            result = asc_saturating_rounding_doubling_high_mul(result, factors[i]);
        }
    }
    return result;
}

/* 2^31 / (1 + x / 2^31) for 0 <= x: three steps of Newton's method on half the denominator, which
 * is in [1/2, 1]; estimates have 2 integer bits and start at 48/17 - 32/17 * half. */
static int32_t asc_reciprocal_of_one_plus(int32_t x) {
    const int32_t half = (int32_t)(((int64_t)x + INT32_MAX + 1) / 2);
    int32_t estimate = 1515870810 + asc_saturating_rounding_doubling_high_mul(half, -1010580540);
    for (int i = 0; i < 3; i++) {
        const int32_t error =
            (INT32_C(1) << 29) - asc_saturating_rounding_doubling_high_mul(half, estimate);
        estimate += asc_shift_left(asc_saturating_rounding_doubling_high_mul(estimate, error), 2);
    }
    return estimate > INT32_MAX / 2 ? INT32_MAX : asc_shift_left(estimate, 1);
}

static int32_t asc_leading_zeros(uint32_t value) {
    int32_t count = 0;
    while (count < 32 && !(value & (UINT32_C(1) << 31))) {
        value <<= 1;
        count++;
    }
    return count;
}

static int32_t asc_softmax_exp(const asc_softmax_t *layer, int32_t difference) {
    if (difference < layer->minimum) {
        return 0;
    }
    return asc_exp(asc_saturating_rounding_doubling_high_mul(
        asc_shift_left(difference, layer->shift), layer->multiplier));
}

static void asc_softmax_row(const asc_softmax_t *layer, const int8_t *input, int8_t *output) {
    int32_t best = INT8_MIN;
    for (int32_t c = 0; c < layer->classes; c++) {
        best = asc_max(best, input[c]);
    }
    /* The sum has 12 integer bits. */
    int32_t sum = 0;
    for (int32_t c = 0; c < layer->classes; c++) {
        sum += asc_rounding_divide_by_pot(asc_softmax_exp(layer, input[c] - best), 12);
    }
    const int32_t headroom = asc_leading_zeros((uint32_t)sum);
    const uint32_t fraction = ((uint32_t)sum << headroom) - (UINT32_C(1) << 31);
    const int32_t reciprocal = asc_reciprocal_of_one_plus((int32_t)fraction);
    const int32_t bits = 12 - headroom + 31 - 8;
    for (int32_t c = 0; c < layer->classes; c++) {
        const int32_t exponential = asc_softmax_exp(layer, input[c] - best);
        const int32_t scaled = asc_saturating_rounding_doubling_high_mul(reciprocal, exponential);
        const int32_t code = asc_rounding_divide_by_pot(scaled, bits) + INT8_MIN;
        output[c] = (int8_t)asc_min(asc_max(code, INT8_MIN), INT8_MAX);
    }
}

void asc_softmax(const void *data, const asc_kernel_args_t *args) {
    const asc_softmax_t *layer = data;
    for (int32_t row = 0; row < layer->rows; row++) {
        const int32_t start = row * layer->classes;
        asc_softmax_row(layer, args->rows[0] + start, args->output + start);
    }
}

void asc_pad(const void *data, const asc_kernel_args_t *args) {
    const asc_pad_t *layer = data;
    const int8_t *input = args->rows[0];
    const int32_t step = layer->output_channels;
    memset(args->output, layer->value, (size_t)(layer->output_width * step));
    if (input == NULL) {
        return;
    }
    int8_t *output = args->output + layer->left * step + layer->front;
    for (int32_t x = 0; x < layer->input_width; x++) {
        memcpy(output, input, (size_t)layer->input_channels);
        input += layer->input_channels;
        output += step;
    }
}

void asc_copy(const void *data, const asc_kernel_args_t *args) {
    const asc_copy_t *layer = data;
    const int8_t *input = args->rows[0];
    int8_t *output = args->output + layer->output_offset;
    for (int32_t row = 0; row < layer->rows; row++) {
        memcpy(output, input, (size_t)layer->size);
        input += layer->size;
        output += layer->output_stride;
    }
}

void asc_slice(const void *data, const asc_kernel_args_t *args) {
    const asc_slice_t *layer = data;
    const int32_t *count = layer->count;
    const int32_t *step = layer->step;
    int8_t *output = args->output;
    for (int32_t i = 0; i < count[0]; i++) {
        for (int32_t j = 0; j < count[1]; j++) {
            for (int32_t k = 0; k < count[2]; k++) {
                int32_t index = layer->begin + i * step[0] + j * step[1] + k * step[2];
                for (int32_t l = 0; l < count[3]; l++, index += step[3]) {
                    *output++ = args->rows[0][index];
                }
            }
        }
    }
}

/* What follows is in asc_kernels_mve.c for cores with Helium. */
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

static inline uint32_t load_word(const int8_t *bytes) {
    uint32_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

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
                best = max_of_four(best, load_word(value));
            }
        }
    }
    return best;
}

/* The commonest window: two pixels of two rows. */
static void max_of_2x2(const int8_t *above, const int8_t *below, int32_t channels, int8_t *output) {
    for (int32_t i = 0; i < channels; i += 4) {
        const int32_t c = asc_min(i, channels - 4);
        const uint32_t left = max_of_four(load_word(above + c), load_word(below + c));
        const uint32_t right =
            max_of_four(load_word(above + channels + c), load_word(below + channels + c));
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

void asc_sum(const void *data, const asc_kernel_args_t *args) {
    const asc_sum_t *layer = data;
    int32_t *sums = (int32_t *)(void *)args->output;
    const int8_t *value = args->rows[0];
    if (args->run == 0) {
        memset(sums, 0, (size_t)layer->channels * sizeof sums[0]);
    }
    for (int32_t x = 0; x < layer->width; x++) {
        for (int32_t c = 0; c < layer->channels; c++) {
            sums[c] += *value++;
        }
    }
}

void asc_add(const void *data, const asc_kernel_args_t *args) {
    const asc_add_t *layer = data;
    const int8_t *first = args->rows[0];
    const int8_t *second = args->rows[1];
    for (int32_t i = 0; i < layer->size; i++) {
        int32_t sum = asc_widen(&layer->first, first[i]) + asc_widen(&layer->second, second[i]);
        sum = asc_multiply_by_quantized_multiplier(sum, layer->multiplier, layer->shift);
        args->output[i] = asc_to_output(&layer->range, sum);
    }
}

void asc_requantize(const void *data, const asc_kernel_args_t *args) {
    const asc_requantize_t *layer = data;
    const asc_operand_t *from = &layer->input;
    for (int32_t i = 0; i < layer->size; i++) {
        const int32_t value = args->rows[0][i] - from->zero_point;
        const int32_t scaled =
            asc_multiply_by_quantized_multiplier(value, from->multiplier, from->shift);
        args->output[i] = asc_to_output(&layer->range, scaled);
    }
}

static int32_t nearest(const asc_axis_t *axis, int32_t index, int32_t size) {
    return asc_min((index * axis->factor + axis->offset) / axis->divisor, size - 1);
}

void asc_resize_nearest(const void *data, const asc_kernel_args_t *args) {
    const asc_resize_t *layer = data;
    int8_t *output = args->output;
    for (int32_t x = 0; x < layer->output_width; x++) {
        const int32_t pixel = nearest(&layer->columns, x, layer->input_width);
        memcpy(output, args->rows[0] + pixel * layer->channels, (size_t)layer->channels);
        output += layer->channels;
    }
}

#endif
