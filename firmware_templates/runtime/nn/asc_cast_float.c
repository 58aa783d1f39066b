/* SPDX-License-Identifier: Apache-2.0
 *
 * Integers that become floating-point numbers, and the other way round; see asc_cast.h.
 *
 * Reference: TensorFlow Lite Micro, micro/kernels/cast.cc.
 */
#include "asc_cast.h"
#include "asc_integer.h"

/* Towards 0; the nearest integer of so many bytes where there is none, and 0 of what is no number.
 */
static int64_t to_integer(float value, int32_t bytes) {
    const int64_t largest = INT64_MAX >> (64 - 8 * bytes);
    /* A power of two, also where the largest integer is no float. */
    const float limit = (float)(UINT64_C(1) << (8 * bytes - 1));
    if (value >= limit) {
        return largest;
    }
    if (value >= -limit) {
        return (int64_t)value;
    }
    return value < 0.0F ? -largest - 1 : 0;
}

static int is_zero(float value) {
    return value >= 0.0F && value <= 0.0F;
}

void asc_cast_from_float(const void *data, const asc_kernel_args_t *args) {
    const asc_cast_t *layer = data;
    const int8_t *input = args->rows[0];
    int8_t *output = args->output;
    for (int32_t i = 0; i < layer->size; i++, input += sizeof(float), output += layer->target) {
        float value;
        memcpy(&value, input, sizeof value);
        asc_store_integer(output,
                          layer->is_truth ? !is_zero(value) : to_integer(value, layer->target),
                          layer->target);
    }
}

void asc_cast_to_float(const void *data, const asc_kernel_args_t *args) {
    const asc_cast_t *layer = data;
    const int8_t *input = args->rows[0];
    int8_t *output = args->output;
    for (int32_t i = 0; i < layer->size; i++, input += layer->source, output += sizeof(float)) {
        const float value = (float)asc_load_integer(input, layer->source);
        memcpy(output, &value, sizeof value);
    }
}
