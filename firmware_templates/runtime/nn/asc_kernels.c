/* SPDX-License-Identifier: Apache-2.0
 *
 * Sums, means, largest values, softmax and other scales; see asc_kernels.h. They lie in one file
 * since compilers for size make one function of the arithmetic that they share. Cores with Helium
 * have some of them in asc_kernels_mve.c.
 */
#include <stddef.h>
#include <string.h>

#include "asc_arithmetic.h"
#include "asc_dsp.h"
#include "asc_exponential.h"
#include "asc_kernels.h"
#include "asc_reciprocal.h"

#if ASC_KERNELS_DSP && !ASC_KERNELS_MVE
#include "asc_add_dsp.h"
#endif

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

#if !ASC_KERNELS_MVE

#if ASC_KERNELS_DSP

/* Adds `pixels` pixels, at most ASC_MOST_PIXELS, to the sums of `count` channels, at most four. */
static void sum_channels(const int8_t *value, int32_t step, int32_t pixels, int32_t count,
                         int32_t *sums) {
    uint32_t even = 0;
    uint32_t odd = 0;
    asc_add_pixels(value, step, pixels, &even, &odd);
    sums[0] += (int16_t)even;
    if (count > 1) {
        sums[1] += (int16_t)odd;
    }
    if (count > 2) {
        sums[2] += (int32_t)even >> 16;
    }
    if (count > 3) {
        sums[3] += (int32_t)odd >> 16;
    }
}

static void sum_row(const asc_sum_t *layer, const int8_t *value, int32_t *sums) {
    const int32_t channels = layer->channels;
    for (int32_t x = 0; x < layer->width;
         x += ASC_MOST_PIXELS, value += ASC_MOST_PIXELS * channels) {
        const int32_t pixels = asc_min(layer->width - x, ASC_MOST_PIXELS);
        for (int32_t c = 0; c < channels; c += 4) {
            sum_channels(value + c, channels, pixels, channels - c, sums + c);
        }
    }
}

#else

static void sum_row(const asc_sum_t *layer, const int8_t *value, int32_t *sums) {
    for (int32_t x = 0; x < layer->width; x++) {
        for (int32_t c = 0; c < layer->channels; c++) {
            sums[c] += *value++;
        }
    }
}

#endif

void asc_sum(const void *data, const asc_kernel_args_t *args) {
    const asc_sum_t *layer = data;
    int32_t *sums = (int32_t *)(void *)args->output;
    if (args->run == 0) {
        memset(sums, 0, (size_t)layer->channels * sizeof sums[0]);
    }
    sum_row(layer, args->rows[0], sums);
}

/* A multiplier with a shift to the right, of values so small that doubling them keeps their sign.
 */
typedef struct {
    int32_t multiplier;
    int32_t bits;
    int32_t half;
    int32_t below_zero; /* the bits of -1 that negative values are rounded with: none of no shift */
} asc_small_scale_t;

static asc_small_scale_t small_scale(int32_t multiplier, int32_t shift) {
    const int32_t bits = -shift;
    const asc_small_scale_t none = {multiplier, 0, 0, 0};
    const asc_small_scale_t scale = {multiplier, bits, bits > 0 ? 1 << (bits - 1) : 0, -1};
    return bits > 0 ? scale : none;
}

/* As asc_multiply_by_quantized_multiplier of half of `twice`, for shifts of up to 30 bits. */
static inline int32_t multiply_small(int32_t twice, const asc_small_scale_t *scale) {
#if ASC_KERNELS_DSP
    int32_t high;
    __asm__("smmulr %0, %1, %2" : "=r"(high) : "r"(twice), "r"(scale->multiplier));
#else
    const int32_t high = (int32_t)(((int64_t)twice * scale->multiplier + (INT64_C(1) << 31)) >> 32);
#endif
    return (high + ((high >> 31) & scale->below_zero) + scale->half) >> scale->bits;
}

/* Any sum of two codes, which has 20 bits more than they. */
static void add_any(const asc_add_t *layer, const int8_t *first, const int8_t *second, int32_t size,
                    int8_t *output) {
    for (int32_t i = 0; i < size; i++) {
        int32_t sum = asc_widen(&layer->first, first[i]) + asc_widen(&layer->second, second[i]);
        sum = asc_multiply_by_quantized_multiplier(sum, layer->multiplier, layer->shift);
        output[i] = asc_to_output(&layer->range, sum);
    }
}

/* The same where nothing is shifted to the left: operands then have 29 bits at most. */
static void add_small(const asc_add_t *layer, const int8_t *first, const int8_t *second,
                      int32_t size, int8_t *output) {
    const asc_small_scale_t one = small_scale(layer->first.multiplier, layer->first.shift);
    const asc_small_scale_t other = small_scale(layer->second.multiplier, layer->second.shift);
    const asc_small_scale_t scale = small_scale(layer->multiplier, layer->shift);
    const int32_t one_zero = layer->first.zero_point, other_zero = layer->second.zero_point;
    const asc_output_t range = layer->range;
    for (const int8_t *const end = first + size; first < end; first++, second++) {
        const int32_t sum = multiply_small(asc_shift_left(*first - one_zero, 21), &one) +
                            multiply_small(asc_shift_left(*second - other_zero, 21), &other);
        *output++ = asc_to_output(&range, multiply_small(sum * 2, &scale));
    }
}

void asc_add(const void *data, const asc_kernel_args_t *args) {
    const asc_add_t *layer = data;
    const int32_t most = asc_max(layer->first.shift, asc_max(layer->second.shift, layer->shift));
    const int32_t least = asc_min(layer->first.shift, asc_min(layer->second.shift, layer->shift));
    const int8_t *first = args->rows[0], *second = args->rows[1];
    int8_t *output = args->output;
    int32_t size = layer->size;
#if ASC_KERNELS_DSP
    const int32_t made = add_in_fours(layer, first, second, output);
    first += made;
    second += made;
    output += made;
    size -= made;
#endif
    if (most <= 0 && least >= -30) {
        add_small(layer, first, second, size, output);
    } else {
        add_any(layer, first, second, size, output);
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

#endif
