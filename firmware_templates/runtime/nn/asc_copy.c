/* SPDX-License-Identifier: Apache-2.0
 *
 * Copies of runs of bytes, of which a concatenation is made; see asc_kernels.h.
 */
#include <string.h>

#include "asc_kernels.h"

void asc_copy(const void *data, const asc_kernel_args_t *args) {
    const asc_copy_t *layer = data;
    const int8_t *input = args->rows[0];
    int8_t *output = args->output + layer->output_offset;
    for (int32_t row = 0; row < layer->rows; row++) {
        memcpy(output, input, (size_t)layer->size);
        input += layer->size;
        output += layer->output_stride;
    }
}
