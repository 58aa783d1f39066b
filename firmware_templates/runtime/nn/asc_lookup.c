/* SPDX-License-Identifier: Apache-2.0
 *
 * Functions of one code as a table; see asc_kernels.h.
 */
#include "asc_kernels.h"

void asc_lookup(const void *data, const asc_kernel_args_t *args) {
    const asc_lookup_t *layer = data;
    const int8_t *input = args->rows[0];
    const int8_t *of_zero = layer->table + 128;
    for (int32_t i = 0; i < layer->size; i++) {
        args->output[i] = of_zero[input[i]];
    }
}
