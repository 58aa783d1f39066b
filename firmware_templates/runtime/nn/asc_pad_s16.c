/* SPDX-License-Identifier: Apache-2.0
 *
 * Padding of 16-bit values; see asc_kernels_s16.h.
 */
#include <stddef.h>
#include <string.h>

#include "asc_kernels_s16.h"

void asc_pad_s16(const void *data, const asc_kernel_args_t *args) {
    const asc_pad_t *layer = data;
    const int8_t *input = args->rows[0];
    const int32_t step = layer->output_channels;
    const size_t pixel = (size_t)layer->input_channels * sizeof(int16_t);
    int16_t *output = (int16_t *)(void *)args->output;
    for (int32_t i = 0; i < layer->output_width * step; i++) {
        output[i] = (int16_t)layer->value;
    }
    if (input == NULL) {
        return;
    }
    output += layer->left * step + layer->front;
    for (int32_t x = 0; x < layer->input_width; x++) {
        memcpy(output, input, pixel);
        input += pixel;
        output += step;
    }
}
