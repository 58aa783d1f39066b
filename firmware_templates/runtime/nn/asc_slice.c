/* SPDX-License-Identifier: Apache-2.0
 *
 * Parts of a row, in any order of the axes; see asc_kernels.h.
 */
#include "asc_kernels.h"

void asc_slice(const void *data, const asc_kernel_args_t *args) {
    const asc_slice_t *layer = data;
    const int32_t *count = layer->count;
    const int32_t *step = layer->step;
    int8_t *output = args->output;
    for (int32_t i = 0; i < count[0]; i++) {
        for (int32_t j = 0; j < count[1]; j++) {
            for (int32_t k = 0; k < count[2]; k++) {
                int32_t index = layer->begin + i * step[0] + j * step[1] + k * step[2];
                for (int32_t l = 0; l < count[3]; l++, index += step[3]) {
                    *output++ = args->rows[0][index];
                }
            }
        }
    }
}
