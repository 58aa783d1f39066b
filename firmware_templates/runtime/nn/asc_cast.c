/* SPDX-License-Identifier: Apache-2.0
 *
 * Integers of another size; see asc_cast.h.
 *
 * Reference: TensorFlow Lite Micro, micro/kernels/cast.cc.
 */
#include "asc_cast.h"

#include "asc_integer.h"

void asc_cast(const void *data, const asc_kernel_args_t *args) {
    const asc_cast_t *layer = data;
    const int8_t *input = args->rows[0];
    int8_t *output = args->output;
    for (int32_t i = 0; i < layer->size; i++, input += layer->source, output += layer->target) {
        const int64_t value = asc_load_integer(input, layer->source);
        asc_store_integer(output, layer->is_truth ? value != 0 : value, layer->target);
    }
}
