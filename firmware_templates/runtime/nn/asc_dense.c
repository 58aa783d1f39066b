/* SPDX-License-Identifier: Apache-2.0
 *
 * Dense layers; see asc_kernels.h. Cores with Helium have those of asc_conv_mve.c.
 */
#include "asc_kernels.h"

#if !ASC_KERNELS_MVE

#include "asc_arithmetic.h"
#include "asc_dsp.h"

#if ASC_KERNELS_DSP
#include "asc_dense_dsp.h"
#endif

#if !ASC_KERNELS_DSP

/* The sum of a channel and one input, which is read as it lies. */
static int32_t add_dense(const asc_dense_t *layer, const int8_t *input, int32_t c, int32_t sum) {
    const int8_t *weights = layer->weights + c / 2 * 2 * layer->depth + c % 2 * 4;
    int32_t i = 0;
    for (; i + 4 <= layer->inputs; i += 4, weights += 8) {
        sum += (int32_t)input[i] * weights[0] + (int32_t)input[i + 1] * weights[1];
        sum += (int32_t)input[i + 2] * weights[2] + (int32_t)input[i + 3] * weights[3];
    }
    for (; i < layer->inputs; i++) {
        sum += (int32_t)input[i] * *weights++;
    }
    return sum;
}

#if ASC_DENSE_COMBINED

/* The same of combined weights: the second channel's is a byte, the first's takes what the byte
 * below has borrowed. */
static int32_t add_combined(const asc_dense_t *layer, const int8_t *input, int32_t c, int32_t sum) {
    const int8_t *weights = layer->weights + c / 2 * 2 * layer->depth;
    for (int32_t i = 0; i < layer->inputs; i++) {
        const int8_t *const both = weights + i / 4 * 8 + i % 2 * 4 + i % 4 / 2 * 2;
        const int32_t weight = c % 2 != 0 ? both[0] : both[1] + (both[0] < 0);
        sum += input[i] * weight;
    }
    return sum;
}

#endif

/* All outputs for one input. */
static void multiply_dense(const asc_dense_t *layer, const int8_t *input, int8_t *output) {
    for (int32_t c = 0; c < layer->outputs; c++) {
        const asc_channel_t *const channel = &layer->channels[c];
#if ASC_DENSE_COMBINED
        if (layer->combined) {
            const int32_t combined = add_combined(layer, input, c, channel->bias);
            output[c] = asc_finish(combined, channel, &layer->range);
            continue;
        }
#endif
        const int32_t sum = add_dense(layer, input, c, channel->bias);
        output[c] = asc_finish(sum, channel, &layer->range);
    }
}

#endif

void asc_dense(const void *data, const asc_kernel_args_t *args) {
    const asc_dense_t *layer = data;
    for (int32_t row = 0; row < layer->rows; row++) {
        multiply_dense(layer, args->rows[0] + row * layer->inputs,
                       args->output + row * layer->outputs);
    }
    if (layer->range.clamps) {
        asc_clamp(&layer->range, args->output, layer->rows * layer->outputs);
    }
}

#endif
