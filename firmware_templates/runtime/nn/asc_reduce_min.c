/* SPDX-License-Identifier: Apache-2.0
 *
 * Smallest values; see asc_reduce_min.h.
 */
#include "asc_reduce_min.h"

#include "asc_arithmetic.h"

void asc_reduce_min(const void *data, const asc_kernel_args_t *args) {
    const asc_reduce_max_t *layer = data;
    const int continues = layer->accumulates && args->run != 0;
    const int8_t *input = args->rows[0];
    int8_t *output = args->output;
    for (int32_t i = 0; i < layer->outer; i++, input += layer->count * layer->inner) {
        for (int32_t j = 0; j < layer->inner; j++, output++) {
            int32_t best = continues ? *output : INT8_MAX;
            for (int32_t k = 0; k < layer->count; k++) {
                best = asc_min(best, input[k * layer->inner + j]);
            }
            *output = (int8_t)best;
        }
    }
}
