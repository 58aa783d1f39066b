/* SPDX-License-Identifier: Apache-2.0
 *
 * Padding; see asc_kernels.h.
 */
#include <stddef.h>
#include <string.h>

#include "asc_kernels.h"

void asc_pad(const void *data, const asc_kernel_args_t *args) {
    const asc_pad_t *layer = data;
    const int8_t *input = args->rows[0];
    const int32_t step = layer->output_channels;
    memset(args->output, layer->value, (size_t)(layer->output_width * step));
    if (input == NULL) {
        return;
    }
    int8_t *output = args->output + layer->left * step + layer->front;
    for (int32_t x = 0; x < layer->input_width; x++) {
        memcpy(output, input, (size_t)layer->input_channels);
        input += layer->input_channels;
        output += step;
    }
}
