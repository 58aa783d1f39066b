/* SPDX-License-Identifier: Apache-2.0
 *
 * QUANTIZE and DEQUANTIZE at the ends of a network.
 *
 * Reference: TensorFlow Lite, kernels/internal/reference/quantize.h, dequantize.h and requantize.h.
 * The quotient of a number and its scale is one division in single precision. A product of a scale
 * and a code is exact before it is rounded to single precision, so that double precision would
 * change nothing. A quotient that 32 bits do not hold saturates, as conversions of Arm do.
 */
#include "asc_convert.h"

#include "asc_arithmetic.h"

/* Beyond the codes of all types with any zero point */
#define BEYOND 262144.0f

/* To nearest, halves away from zero. */
static int32_t rounded(float value) {
    if (value != value) {
        return 0;
    }
    if (value > BEYOND) {
        value = BEYOND;
    }
    if (value < -BEYOND) {
        value = -BEYOND;
    }
    const int32_t whole = (int32_t)value;
    const float rest = value - (float)whole;
    return whole + (rest >= 0.5f ? 1 : 0) - (rest <= -0.5f ? 1 : 0);
}

void asc_quantize(const void *data, const asc_kernel_args_t *args) {
    const asc_quantize_t *layer = data;
    const float *input = (const float *)(const void *)args->rows[0];
    int16_t *wide = (int16_t *)(void *)args->output;
    for (int32_t i = 0; i < layer->size; i++) {
        const int32_t value = rounded(input[i] / layer->scale) + layer->zero_point;
        const int32_t code = asc_min(asc_max(value, layer->minimum), layer->maximum);
        if (layer->code_bytes == 2) {
            wide[i] = (int16_t)code;
        } else {
            args->output[i] = (int8_t)(uint8_t)code;
        }
    }
}

void asc_dequantize(const void *data, const asc_kernel_args_t *args) {
    const asc_dequantize_t *layer = data;
    const int8_t *narrow = args->rows[0];
    const int16_t *wide = (const int16_t *)(const void *)narrow;
    float *output = (float *)(void *)args->output;
    for (int32_t i = 0; i < layer->size; i++) {
        int32_t code;
        if (layer->code_bytes == 2) {
            code = wide[i];
        } else {
            code = layer->is_signed ? narrow[i] : (uint8_t)narrow[i];
        }
        output[i] = layer->scale * (float)(code - layer->zero_point);
    }
}

void asc_change_sign(const void *data, const asc_kernel_args_t *args) {
    const asc_change_sign_t *layer = data;
    const asc_operand_t *from = &layer->input;
    for (int32_t i = 0; i < layer->size; i++) {
        const int8_t byte = args->rows[0][i];
        const int32_t code = layer->is_signed ? byte : (uint8_t)byte;
        const int32_t value = asc_multiply_by_quantized_multiplier(code - from->zero_point,
                                                                   from->multiplier, from->shift) +
                              layer->zero_point;
        args->output[i] = (int8_t)(uint8_t)asc_min(asc_max(value, layer->minimum), layer->maximum);
    }
}
