/* SPDX-License-Identifier: Apache-2.0
 *
 * SVDF with a state of 8 and of 16 bits.
 *
 * Reference: TensorFlow Lite Micro, kernels/svdf_common.cc.
 */
#include <string.h>

#include "asc_arithmetic.h"
#include "asc_recurrent.h"

/* The result of a filter for the present input, without the state's zero point. */
static int32_t feature(const asc_svdf_t *layer, int32_t filter, const int8_t *input, int32_t least,
                       int32_t most) {
    const int8_t *weights = layer->features + filter * layer->inputs;
    int32_t sum = layer->feature_biases[filter];
    for (int32_t i = 0; i < layer->inputs; i++) {
        sum += weights[i] * input[i];
    }
    sum = asc_multiply_by_quantized_multiplier(sum, layer->state_multiplier, layer->state_shift);
    return asc_min(asc_max(sum, least), most);
}

/* The sum as two's complement hardware has it, also beyond 32 bits. */
static int32_t add(int32_t a, int32_t b) {
    return (int32_t)((uint32_t)a + (uint32_t)b);
}

static int8_t finish(const asc_svdf_t *layer, int32_t sum) {
    return asc_to_output(
        &layer->range, asc_multiply_by_quantized_multiplier(sum, layer->multiplier, layer->shift));
}

void asc_svdf_s8(const void *data, const asc_kernel_args_t *args) {
    const asc_svdf_s8_t *whole = data;
    const asc_svdf_t *layer = &whole->svdf;
    const int8_t *input = args->rows[0];
    int8_t *results = args->scratch;
    int8_t *output = args->output;
    const size_t kept = (size_t)(layer->memory - 1);
    for (int32_t b = 0; b < layer->batch; b++, input += layer->inputs) {
        for (int32_t unit = 0; unit < layer->outputs; unit++) {
            int32_t sum = layer->biases[unit];
            for (int32_t filter = unit * layer->rank; filter < (unit + 1) * layer->rank; filter++) {
                const int8_t *times = whole->times + filter * layer->memory;
                const int32_t last = feature(layer, filter, input, INT8_MIN, INT8_MAX);
                memmove(results, results + 1, kept);
                results[kept] = (int8_t)(layer->state_zero_point + last);
                for (int32_t k = 0; k < layer->memory; k++) {
                    sum = add(sum, times[k] * results[k]);
                }
                results += layer->memory;
            }
            *output++ = finish(layer, sum);
        }
    }
}

void asc_svdf_s16(const void *data, const asc_kernel_args_t *args) {
    const asc_svdf_s16_t *whole = data;
    const asc_svdf_t *layer = &whole->svdf;
    const int8_t *input = args->rows[0];
    int16_t *results = (int16_t *)(void *)args->scratch;
    int8_t *output = args->output;
    const size_t kept = (size_t)(layer->memory - 1);
    for (int32_t b = 0; b < layer->batch; b++, input += layer->inputs) {
        for (int32_t unit = 0; unit < layer->outputs; unit++) {
            int32_t sum = layer->biases[unit];
            for (int32_t filter = unit * layer->rank; filter < (unit + 1) * layer->rank; filter++) {
                const int16_t *times = whole->times + filter * layer->memory;
                const int32_t last = feature(layer, filter, input, INT16_MIN, INT16_MAX);
                memmove(results, results + 1, kept * sizeof *results);
                results[kept] = (int16_t)(layer->state_zero_point + last);
                for (int32_t k = 0; k < layer->memory; k++) {
                    sum = add(sum, times[k] * results[k]);
                }
                results += layer->memory;
            }
            *output++ = finish(layer, sum);
        }
    }
}
