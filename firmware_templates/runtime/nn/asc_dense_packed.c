/* SPDX-License-Identifier: Apache-2.0
 *
 * Dense layers whose constants are as short as they can be; see asc_kernels.h.
 */
#include "asc_arithmetic.h"
#include "asc_kernels.h"

static int32_t product(const int8_t *input, const int8_t *weights, int32_t count) {
    int32_t sum = 0;
    for (int32_t i = 0; i < count; i++) {
        sum += (int32_t)input[i] * weights[i];
    }
    return sum;
}

void asc_dense_packed(const void *data, const asc_kernel_args_t *args) {
    const asc_dense_packed_t *layer = data;
    const int8_t *input = args->rows[0];
    int8_t *output = args->output;
    for (int32_t row = 0; row < layer->rows; row++, input += layer->inputs) {
        const int8_t *weights = layer->weights;
        for (int32_t c = 0; c < layer->outputs; c++, weights += layer->inputs) {
            const asc_packed_channel_t *packed = &layer->channels[c];
            const asc_channel_t channel = {packed->bias_bits >> 8, packed->multiplier,
                                           packed->bias_bits & 0xFF};
            const int32_t sum = channel.bias + product(input, weights, layer->inputs);
            *output++ = asc_finish(sum, &channel, &layer->range);
        }
    }
}
