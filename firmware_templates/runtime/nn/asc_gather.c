/* SPDX-License-Identifier: Apache-2.0
 *
 * Values at places that a network computes; see asc_gather.h.
 *
 * Reference: TensorFlow Lite Micro, micro/kernels/gather.cc and gather_nd.cc, which fail or stop
 * where a place is outside.
 */
#include "asc_gather.h"

#include <stddef.h>
#include <string.h>

#include "asc_integer.h"

static int64_t between(int64_t value, int64_t last) {
    return value < 0 ? 0 : value > last ? last : value;
}

void asc_gather(const void *data, const asc_kernel_args_t *args) {
    const asc_gather_t *layer = data;
    const int8_t *input = args->rows[0];
    const int8_t *places = args->rows[1];
    int8_t *output = args->output;
    for (int32_t batch = 0; batch < layer->batches; batch++) {
        for (int32_t i = 0; i < layer->outer; i++, input += layer->axis * layer->size) {
            for (int32_t j = 0; j < layer->count; j++, output += layer->size) {
                const int64_t stated =
                    asc_load_integer(places + j * layer->place_bytes, layer->place_bytes);
                const int32_t place = (int32_t)between(stated, layer->axis - 1);
                memcpy(output, input + place * layer->size, (size_t)layer->size);
            }
        }
        places += layer->count * layer->place_bytes;
    }
}

void asc_gather_nd(const void *data, const asc_kernel_args_t *args) {
    const asc_gather_nd_t *layer = data;
    const int8_t *places = args->rows[1];
    int8_t *output = args->output;
    for (int32_t i = 0; i < layer->count; i++, output += layer->size) {
        int64_t offset = 0;
        for (int32_t k = 0; k < layer->depth; k++, places += layer->place_bytes) {
            /* Places of 32 bits: no product leaves 64. */
            const int32_t place = (int32_t)asc_load_integer(places, layer->place_bytes);
            offset += (int64_t)place * layer->steps[k];
        }
        memcpy(output, args->rows[0] + between(offset, layer->total - layer->size),
               (size_t)layer->size);
    }
}
