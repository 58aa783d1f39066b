/* SPDX-License-Identifier: Apache-2.0
 *
 * Reciprocal square roots of 16-bit codes; see asc_kernels_s16.h.
 *
 * Reference: TensorFlow Lite Micro, micro/kernels/elementwise.cc.
 */
#include "asc_arithmetic.h"
#include "asc_kernels_s16.h"
#include "asc_reciprocal_root.h"

/* Fractional bits of a root. */
enum { ROOT_BITS = 20 };

static int32_t code_of(const asc_rsqrt_s16_t *layer, int32_t value) {
    const asc_factor_t factor = asc_reciprocal_root(value);
    const int32_t root =
        asc_multiply_by_quantized_multiplier(1, factor.multiplier, factor.shift + ROOT_BITS);
    const int32_t code =
        asc_multiply_by_quantized_multiplier(root, layer->multiplier, layer->shift - ROOT_BITS);
    return asc_min(code, INT16_MAX);
}

void asc_rsqrt_s16(const void *data, const asc_kernel_args_t *args) {
    const asc_rsqrt_s16_t *layer = data;
    const int16_t *input = (const int16_t *)(const void *)args->rows[0];
    int16_t *output = (int16_t *)(void *)args->output;
    for (int32_t i = 0; i < layer->size; i++) {
        output[i] = (int16_t)(input[i] > 0 ? code_of(layer, input[i]) : INT16_MAX);
    }
}
