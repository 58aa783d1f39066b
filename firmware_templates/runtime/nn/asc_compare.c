/* SPDX-License-Identifier: Apache-2.0
 *
 * Comparisons; see asc_choice.h.
 *
 * Reference: TensorFlow Lite, kernels/internal/reference/comparisons.h.
 */
#include "asc_arithmetic.h"
#include "asc_choice.h"
#include "asc_integer.h"

static int64_t value_of(const asc_operand_t *operand, const int8_t *address, int32_t bytes) {
    if (bytes > 1) {
        return asc_load_integer(address, bytes);
    }
    return asc_multiply_by_quantized_multiplier((*address - operand->zero_point) * 256,
                                                operand->multiplier, operand->shift);
}

void asc_compare(const void *data, const asc_kernel_args_t *args) {
    const asc_compare_t *layer = data;
    int8_t *output = args->output;
    for (int32_t i = 0; i < layer->count[0]; i++) {
        const int8_t *first = args->rows[0] + i * layer->first_step[0];
        const int8_t *second = args->rows[1] + i * layer->second_step[0];
        for (int32_t j = 0; j < layer->count[1]; j++) {
            const int64_t a = value_of(&layer->first, first, layer->bytes);
            const int64_t b = value_of(&layer->second, second, layer->bytes);
            const int32_t relation = a < b ? ASC_LESS : a == b ? ASC_EQUAL : ASC_GREATER;
            *output++ = (layer->relations & relation) != 0;
            first += layer->first_step[1];
            second += layer->second_step[1];
        }
    }
}
