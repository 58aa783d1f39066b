/* SPDX-License-Identifier: Apache-2.0
 *
 * Integers that are no codes; see asc_choice.h.
 *
 * Reference: TensorFlow Lite, kernels/internal/reference/add.h and its like.
 */
#include "asc_choice.h"
#include "asc_integer.h"

/* Returns a result whose lower 32 bits, or all 64, are those of arithmetic that wraps. */
static int64_t combined(int32_t operation, int64_t a, int64_t b) {
    const uint64_t difference = (uint64_t)a - (uint64_t)b;
    switch (operation) {
    case ASC_ADD:
        return (int64_t)((uint64_t)a + (uint64_t)b);
    case ASC_SUB:
        return (int64_t)difference;
    case ASC_MUL:
        return (int64_t)((uint64_t)a * (uint64_t)b);
    case ASC_DIV:
        return b == 0 ? 0 : b == -1 ? (int64_t)(0 - (uint64_t)a) : a / b;
    case ASC_MAXIMUM:
        return a > b ? a : b;
    case ASC_MINIMUM:
        return a < b ? a : b;
    default:
        return (int64_t)(difference * difference);
    }
}

void asc_integers(const void *data, const asc_kernel_args_t *args) {
    const asc_integers_t *layer = data;
    int8_t *output = args->output;
    for (int32_t i = 0; i < layer->count[0]; i++) {
        const int8_t *first = args->rows[0] + i * layer->first_step[0];
        const int8_t *second = args->rows[1] + i * layer->second_step[0];
        for (int32_t j = 0; j < layer->count[1]; j++, output += layer->bytes) {
            const int64_t a = asc_load_integer(first, layer->bytes);
            const int64_t b = asc_load_integer(second, layer->bytes);
            asc_store_integer(output, combined(layer->operation, a, b), layer->bytes);
            first += layer->first_step[1];
            second += layer->second_step[1];
        }
    }
}
