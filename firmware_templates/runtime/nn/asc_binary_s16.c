/* SPDX-License-Identifier: Apache-2.0
 *
 * Operations on two operands of 16 bits, either of which may be repeated; see asc_kernels_s16.h.
 */
#include "asc_arithmetic.h"
#include "asc_kernels_s16.h"

typedef int32_t (*combine_t)(const asc_binary_t *layer, int32_t first, int32_t second);

/* The second operand has 16 bits, or 8 if `is_short`. */
static inline void combine(const void *data, const asc_kernel_args_t *args, int is_short,
                           combine_t operation) {
    const asc_binary_t layer = *(const asc_binary_t *)data;
    int16_t *output = (int16_t *)(void *)args->output;
    for (int32_t i = 0; i < layer.count[0]; i++) {
        const int16_t *first =
            (const int16_t *)(const void *)args->rows[0] + i * layer.first_step[0];
        int32_t place = i * layer.second_step[0];
        for (int32_t j = 0; j < layer.count[1]; j++) {
            const int32_t second = is_short ? args->rows[1][place]
                                            : ((const int16_t *)(const void *)args->rows[1])[place];
            *output++ = (int16_t)operation(&layer, *first, second);
            first += layer.first_step[1];
            place += layer.second_step[1];
        }
    }
}

static int32_t to_output(const asc_binary_t *layer, int32_t value) {
    return asc_min(asc_max(value, layer->range.minimum), layer->range.maximum);
}

static int32_t scaled(const asc_binary_t *layer, int32_t value) {
    return to_output(layer,
                     asc_multiply_by_quantized_multiplier(value, layer->multiplier, layer->shift));
}

/* The specification adds with 15 more bits than the codes have. */
static int32_t widened(const asc_operand_t *operand, int32_t code) {
    return asc_multiply_by_quantized_multiplier(asc_shift_left(code, 15), operand->multiplier,
                                                operand->shift);
}

static int32_t add(const asc_binary_t *layer, int32_t first, int32_t second) {
    return scaled(layer, widened(&layer->first, first) + widened(&layer->second, second));
}

void asc_add_s16(const void *layer, const asc_kernel_args_t *args) {
    combine(layer, args, 0, add);
}

static int32_t subtract(const asc_binary_t *layer, int32_t first, int32_t second) {
    return scaled(layer, widened(&layer->first, first) - widened(&layer->second, second));
}

void asc_sub_s16(const void *layer, const asc_kernel_args_t *args) {
    combine(layer, args, 0, subtract);
}

static int32_t multiply(const asc_binary_t *layer, int32_t first, int32_t second) {
    return scaled(layer, first * second);
}

void asc_mul_s16(const void *layer, const asc_kernel_args_t *args) {
    combine(layer, args, 0, multiply);
}

/* Operands of half the larger scale, whose difference has 16 bits. */
static int32_t square_difference(const asc_binary_t *layer, int32_t first, int32_t second) {
    const int32_t difference =
        asc_multiply_by_quantized_multiplier(first, layer->first.multiplier, layer->first.shift) -
        asc_multiply_by_quantized_multiplier(second, layer->second.multiplier, layer->second.shift);
    return scaled(layer, difference * difference);
}

void asc_squared_difference_s16(const void *layer, const asc_kernel_args_t *args) {
    combine(layer, args, 0, square_difference);
}

static int32_t slope(const asc_binary_t *layer, int32_t first, int32_t second) {
    if (first < 0) {
        return scaled(layer, first * (second - layer->second.zero_point));
    }
    return to_output(layer, asc_multiply_by_quantized_multiplier(first, layer->first.multiplier,
                                                                 layer->first.shift));
}

void asc_prelu_s16(const void *layer, const asc_kernel_args_t *args) {
    combine(layer, args, 1, slope);
}

static int32_t maximum(const asc_binary_t *layer, int32_t first, int32_t second) {
    (void)layer;
    return asc_max(first, second);
}

void asc_maximum_s16(const void *layer, const asc_kernel_args_t *args) {
    combine(layer, args, 0, maximum);
}

static int32_t minimum(const asc_binary_t *layer, int32_t first, int32_t second) {
    (void)layer;
    return asc_min(first, second);
}

void asc_minimum_s16(const void *layer, const asc_kernel_args_t *args) {
    combine(layer, args, 0, minimum);
}
