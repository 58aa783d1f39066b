/* SPDX-License-Identifier: Apache-2.0
 *
 * Products of two matrices; see asc_matmul.h.
 *
 * Reference: TensorFlow Lite, kernels/internal/reference/batch_matmul.h.
 */
#include "asc_matmul.h"

#include "asc_arithmetic.h"

/* Returns the sum of the products of a row and a column. */
static int32_t inner_product(const asc_matmul_t *layer, const int8_t *first, const int8_t *second) {
    const int32_t first_step = layer->first_steps[1];
    const int32_t second_step = layer->second_steps[0];
    int32_t sum = 0;
    for (int32_t k = 0; k < layer->depth; k++) {
        sum += (*first - layer->first_zero_point) * (*second - layer->second_zero_point);
        first += first_step;
        second += second_step;
    }
    return sum;
}

static int8_t *multiply(const asc_matmul_t *layer, const int8_t *first, const int8_t *second,
                        int8_t *output) {
    for (int32_t r = 0; r < layer->rows; r++) {
        for (int32_t c = 0; c < layer->columns; c++) {
            const int32_t sum = inner_product(layer, first + r * layer->first_steps[0],
                                              second + c * layer->second_steps[1]);
            *output++ = asc_to_output(&layer->range, asc_multiply_by_quantized_multiplier(
                                                         sum, layer->multiplier, layer->shift));
        }
    }
    return output;
}

void asc_matmul(const void *data, const asc_kernel_args_t *args) {
    const asc_matmul_t *layer = data;
    int8_t *output = args->output;
    for (int32_t i = 0; i < layer->batches[0]; i++) {
        const int8_t *first = args->rows[0] + i * layer->first_batch[0];
        const int8_t *second = args->rows[1] + i * layer->second_batch[0];
        for (int32_t j = 0; j < layer->batches[1]; j++) {
            output = multiply(layer, first, second, output);
            first += layer->first_batch[1];
            second += layer->second_batch[1];
        }
    }
}
