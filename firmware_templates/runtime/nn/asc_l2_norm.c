/* SPDX-License-Identifier: Apache-2.0
 *
 * Vectors of length 1; see asc_l2_norm.h.
 *
 * Reference: TensorFlow Lite, kernels/internal/reference/integer_ops/l2normalization.h.
 */
#include "asc_l2_norm.h"

#include "asc_arithmetic.h"
#include "asc_reciprocal_root.h"

void asc_l2_norm(const void *data, const asc_kernel_args_t *args) {
    const asc_l2_norm_t *layer = data;
    const int8_t *input = args->rows[0];
    int8_t *output = args->output;
    for (int32_t row = 0; row < layer->rows; row++, input += layer->size, output += layer->size) {
        int32_t squares = 0;
        for (int32_t i = 0; i < layer->size; i++) {
            const int32_t value = input[i] - layer->zero_point;
            squares += value * value;
        }
        const asc_factor_t factor = asc_reciprocal_root(squares);
        for (int32_t i = 0; i < layer->size; i++) {
            /* The output has 7 fractional bits. */
            const int32_t code = asc_multiply_by_quantized_multiplier(
                input[i] - layer->zero_point, factor.multiplier, factor.shift + 7);
            output[i] = (int8_t)asc_min(asc_max(code, INT8_MIN), INT8_MAX);
        }
    }
}
