/* SPDX-License-Identifier: Apache-2.0
 *
 * Sums along an axis or of many operands; see asc_sums.h.
 *
 * Reference: TensorFlow Lite, kernels/internal/reference/cumsum.h and add_n.h. They begin a sum
 * with minus the zero point and not with 0. Sums have 19 more bits than codes; beyond 32 bits they
 * wrap, as they do there on all computers.
 */
#include "asc_sums.h"

#include "asc_arithmetic.h"

static int8_t code_of(const asc_scaled_sum_t *layer, int32_t sum) {
    const int32_t scaled = asc_multiply_by_quantized_multiplier(asc_shift_left(sum, 19),
                                                                layer->multiplier, layer->shift);
    return asc_to_output(&layer->range, scaled);
}

void asc_cumsum(const void *data, const asc_kernel_args_t *args) {
    const asc_cumsum_t *layer = data;
    const int32_t zero_point = layer->sum.zero_point;
    for (int32_t i = 0; i < layer->outer; i++) {
        for (int32_t j = 0; j < layer->inner; j++) {
            int32_t sum = -zero_point;
            for (int32_t k = 0; k < layer->count; k++) {
                const int32_t turned = layer->reverse ? layer->count - 1 - k : k;
                const int32_t place = (i * layer->count + turned) * layer->inner + j;
                const int32_t before = sum;
                sum += args->rows[0][place] - zero_point;
                args->output[place] = code_of(&layer->sum, layer->exclusive ? before : sum);
            }
        }
    }
}

void asc_add_n(const void *data, const asc_kernel_args_t *args) {
    const asc_add_n_t *layer = data;
    const int32_t zero_point = layer->sum.zero_point;
    for (int32_t i = 0; i < layer->size; i++) {
        int32_t sum = -zero_point;
        for (int32_t k = 0; k < layer->operands; k++) {
            sum += args->rows[k][i] - zero_point;
        }
        args->output[i] = code_of(&layer->sum, sum);
    }
}
