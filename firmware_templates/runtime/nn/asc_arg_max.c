/* SPDX-License-Identifier: Apache-2.0
 * ARG_MAX and ARG_MIN: where the largest or the smallest value is.
 *
 * Reference: TensorFlow Lite, kernels/internal/reference/arg_min_max.h. Of equal values the first
 * counts.
 */
#include <string.h>

#include "asc_kernels.h"

/* Returns the place of the first of the largest of `count` values that lie `stride` apart. */
static int32_t place_of_largest(const int8_t *values, int32_t count, int32_t stride, int32_t sign) {
    int32_t place = 0;
    int32_t largest = sign * values[0];
    for (int32_t k = 1; k < count; k++) {
        const int32_t value = sign * values[k * stride];
        if (value > largest) {
            largest = value;
            place = k;
        }
    }
    return place;
}

void asc_arg_max(const void *data, const asc_kernel_args_t *args) {
    const asc_arg_max_t *layer = data;
    const int8_t *input = args->rows[0];
    int8_t *output = args->output;
    for (int32_t i = 0; i < layer->outer; i++, input += layer->count * layer->inner) {
        for (int32_t j = 0; j < layer->inner; j++, output += layer->index_bytes) {
            const int32_t place =
                place_of_largest(input + j, layer->count, layer->inner, layer->sign);
            if (layer->index_bytes == 8) {
                const int64_t wide = place;
                memcpy(output, &wide, sizeof wide);
            } else {
                memcpy(output, &place, sizeof place);
            }
        }
    }
}
