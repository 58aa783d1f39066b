/* SPDX-License-Identifier: Apache-2.0
 *
 * Operations on two operands, either of which may be repeated; see asc_kernels.h.
 */
#include "asc_arithmetic.h"
#include "asc_kernels.h"

typedef int32_t (*combine_t)(const asc_binary_t *layer, int32_t first, int32_t second);

static inline void combine(const void *data, const asc_kernel_args_t *args, combine_t operation) {
    /* A copy, since for all that the compiler knows an output might lie in the layer. */
    const asc_binary_t layer = *(const asc_binary_t *)data;
    int8_t *output = args->output;
    for (int32_t i = 0; i < layer.count[0]; i++) {
        const int8_t *first = args->rows[0] + i * layer.first_step[0];
        const int8_t *second = args->rows[1] + i * layer.second_step[0];
        for (int32_t j = 0; j < layer.count[1]; j++) {
            *output++ = (int8_t)operation(&layer, *first, *second);
            first += layer.first_step[1];
            second += layer.second_step[1];
        }
    }
}

static int32_t add(const asc_binary_t *layer, int32_t first, int32_t second) {
    const int32_t sum = asc_widen(&layer->first, first) + asc_widen(&layer->second, second);
    return asc_to_output(
        &layer->range, asc_multiply_by_quantized_multiplier(sum, layer->multiplier, layer->shift));
}

void asc_add_broadcast(const void *layer, const asc_kernel_args_t *args) {
    combine(layer, args, add);
}

static int32_t subtract(const asc_binary_t *layer, int32_t first, int32_t second) {
    const int32_t difference = asc_widen(&layer->first, first) - asc_widen(&layer->second, second);
    const int32_t scaled =
        asc_multiply_by_quantized_multiplier(difference, layer->multiplier, layer->shift);
    return asc_to_output(&layer->range, scaled);
}

void asc_sub(const void *layer, const asc_kernel_args_t *args) {
    combine(layer, args, subtract);
}

static int32_t multiply(const asc_binary_t *layer, int32_t first, int32_t second) {
    const int32_t product = (first - layer->first.zero_point) * (second - layer->second.zero_point);
    return asc_to_output(&layer->range, asc_multiply_by_quantized_multiplier(
                                            product, layer->multiplier, layer->shift));
}

void asc_mul(const void *layer, const asc_kernel_args_t *args) {
    combine(layer, args, multiply);
}

static int32_t slope(const asc_binary_t *layer, int32_t first, int32_t second) {
    const asc_operand_t *identity = &layer->first;
    const int32_t value = first - identity->zero_point;
    if (value < 0) {
        return multiply(layer, first, second);
    }
    return asc_to_output(&layer->range, asc_multiply_by_quantized_multiplier(
                                            value, identity->multiplier, identity->shift));
}

void asc_prelu(const void *layer, const asc_kernel_args_t *args) {
    combine(layer, args, slope);
}

static int32_t maximum(const asc_binary_t *layer, int32_t first, int32_t second) {
    (void)layer;
    return asc_max(first, second);
}

void asc_maximum(const void *layer, const asc_kernel_args_t *args) {
    combine(layer, args, maximum);
}

static int32_t minimum(const asc_binary_t *layer, int32_t first, int32_t second) {
    (void)layer;
    return asc_min(first, second);
}

void asc_minimum(const void *layer, const asc_kernel_args_t *args) {
    combine(layer, args, minimum);
}
