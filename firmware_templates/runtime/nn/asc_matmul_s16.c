/* SPDX-License-Identifier: Apache-2.0
 *
 * Products of two matrices of 16-bit codes, whose sums have 64 bits; see asc_matmul.h.
 *
 * Reference: TensorFlow Lite, kernels/internal/reference/batch_matmul.h.
 */
#include "asc_arithmetic.h"
#include "asc_matmul.h"

/* Returns the sum of the products of a row and a column. */
static int64_t inner_product(const asc_matmul_t *layer, const int16_t *first,
                             const int16_t *second) {
    const int32_t first_step = layer->first_steps[1];
    const int32_t second_step = layer->second_steps[0];
    int64_t sum = 0;
    for (int32_t k = 0; k < layer->depth; k++) {
        sum += (int32_t)first[k * first_step] * second[k * second_step];
    }
    return sum;
}

static int16_t *multiply(const asc_matmul_t *layer, const int16_t *first, const int16_t *second,
                         int16_t *output) {
    for (int32_t r = 0; r < layer->rows; r++) {
        for (int32_t c = 0; c < layer->columns; c++) {
            const int64_t sum = inner_product(layer, first + r * layer->first_steps[0],
                                              second + c * layer->second_steps[1]);
            const int32_t code = asc_multiply_wide(sum, layer->multiplier, layer->shift);
            *output++ = (int16_t)asc_min(asc_max(code, INT16_MIN), INT16_MAX);
        }
    }
    return output;
}

void asc_matmul_s16(const void *data, const asc_kernel_args_t *args) {
    const asc_matmul_t *layer = data;
    int16_t *output = (int16_t *)(void *)args->output;
    for (int32_t i = 0; i < layer->batches[0]; i++) {
        const int16_t *first =
            (const int16_t *)(const void *)args->rows[0] + i * layer->first_batch[0];
        const int16_t *second =
            (const int16_t *)(const void *)args->rows[1] + i * layer->second_batch[0];
        for (int32_t j = 0; j < layer->batches[1]; j++) {
            output = multiply(layer, first, second, output);
            first += layer->first_batch[1];
            second += layer->second_batch[1];
        }
    }
}
