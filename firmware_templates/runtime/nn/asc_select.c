/* SPDX-License-Identifier: Apache-2.0
 *
 * Choices between two operands; see asc_choice.h.
 */
#include <stddef.h>
#include <string.h>

#include "asc_choice.h"

void asc_select(const void *data, const asc_kernel_args_t *args) {
    const asc_select_t *layer = data;
    const size_t size = (size_t)layer->bytes;
    int8_t *output = args->output;
    for (int32_t i = 0; i < layer->count[0]; i++) {
        const int8_t *condition = args->rows[0] + i * layer->condition_step[0];
        const int8_t *first = args->rows[1] + i * layer->first_step[0];
        const int8_t *second = args->rows[2] + i * layer->second_step[0];
        for (int32_t j = 0; j < layer->count[1]; j++, output += size) {
            memcpy(output, *condition != 0 ? first : second, size);
            condition += layer->condition_step[1];
            first += layer->first_step[1];
            second += layer->second_step[1];
        }
    }
}
