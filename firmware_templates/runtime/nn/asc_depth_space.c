/* SPDX-License-Identifier: Apache-2.0
 *
 * Blocks of pixels to channels and back; see asc_kernels.h.
 */
#include <string.h>

#include "asc_kernels.h"

void asc_depth_to_space(const void *data, const asc_kernel_args_t *args) {
    const asc_blocks_t *layer = data;
    const int8_t *input = args->rows[0] + args->run % layer->block * layer->size;
    int8_t *output = args->output;
    for (int32_t x = 0; x < layer->pixels; x++, output += layer->size) {
        memcpy(output, input, (size_t)layer->size);
        input += layer->block * layer->size;
    }
}

void asc_space_to_depth(const void *data, const asc_kernel_args_t *args) {
    const asc_blocks_t *layer = data;
    int8_t *output = args->output;
    for (int32_t x = 0; x < layer->pixels; x++) {
        for (int32_t y = 0; y < layer->block; y++, output += layer->size) {
            memcpy(output, args->rows[y] + x * layer->size, (size_t)layer->size);
        }
    }
}
