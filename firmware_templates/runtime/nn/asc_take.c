/* SPDX-License-Identifier: Apache-2.0
 *
 * Values at places that follow from each axis alone; see asc_take.h.
 */
#include "asc_take.h"

#include <stddef.h>
#include <string.h>

/* Returns the sum of two offsets, a negative one if either is. */
static int32_t sum_of(int32_t first, int32_t second) {
    return first < 0 || second < 0 ? -1 : first + second;
}

void asc_take(const void *data, const asc_kernel_args_t *args) {
    const asc_take_t *layer = data;
    const int32_t last = layer->axes - 1;
    const size_t size = (size_t)layer->size;
    int32_t place[ASC_TAKE_AXES] = {0};
    int8_t *output = args->output;
    int32_t axis;
    do {
        const int32_t *offsets = layer->offsets;
        int32_t start = 0;
        for (axis = 0; axis < last; axis++) {
            start = sum_of(start, offsets[place[axis]]);
            offsets += layer->counts[axis];
        }
        for (int32_t i = 0; i < layer->counts[last]; i++, output += size) {
            const int32_t offset = sum_of(start, offsets[i]);
            if (offset < 0) {
                memset(output, (int)layer->value, size);
            } else {
                memcpy(output, args->rows[0] + offset, size);
            }
        }
        /* The next place, the last axis but one first */
        for (axis = last - 1; axis >= 0 && ++place[axis] == layer->counts[axis]; axis--) {
            place[axis] = 0;
        }
    } while (axis >= 0);
}
