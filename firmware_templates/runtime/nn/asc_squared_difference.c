/* SPDX-License-Identifier: Apache-2.0
 *
 * Squares of differences; see asc_binary.h.
 *
 * Reference: TensorFlow Lite Micro, micro/kernels/squared_difference.cc.
 */
#include "asc_arithmetic.h"
#include "asc_binary.h"

/* 255 * 2^7 squared is below 2^31. */
static int32_t scaled_operand(const asc_operand_t *operand, int32_t code) {
    const int32_t value = (code - operand->zero_point) * 128;
    return asc_multiply_by_quantized_multiplier(value, operand->multiplier, operand->shift);
}

void asc_squared_difference(const void *data, const asc_kernel_args_t *args) {
    const asc_binary_t *layer = data;
    int8_t *output = args->output;
    for (int32_t i = 0; i < layer->count[0]; i++) {
        const int8_t *first = args->rows[0] + i * layer->first_step[0];
        const int8_t *second = args->rows[1] + i * layer->second_step[0];
        for (int32_t j = 0; j < layer->count[1]; j++) {
            const int32_t difference =
                scaled_operand(&layer->first, *first) - scaled_operand(&layer->second, *second);
            *output++ = asc_to_output(
                &layer->range, asc_multiply_by_quantized_multiplier(
                                   difference * difference, layer->multiplier, layer->shift));
            first += layer->first_step[1];
            second += layer->second_step[1];
        }
    }
}
