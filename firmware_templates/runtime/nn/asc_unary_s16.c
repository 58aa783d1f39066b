/* SPDX-License-Identifier: Apache-2.0
 *
 * Functions of one 16-bit value, and of a group of them; see asc_kernels_s16.h.
 */
#include "asc_arithmetic.h"
#include "asc_kernels_s16.h"

static int32_t load_code(const int8_t *from, int32_t place, int32_t bytes) {
    switch (bytes) {
    case 1:
        return from[place];
    case 2:
        return ((const int16_t *)(const void *)from)[place];
    default:
        return ((const int32_t *)(const void *)from)[place];
    }
}

static void store_code(int8_t *to, int32_t place, int32_t bytes, int32_t value) {
    switch (bytes) {
    case 1:
        to[place] = (int8_t)value;
        break;
    case 2:
        ((int16_t *)(void *)to)[place] = (int16_t)value;
        break;
    default:
        ((int32_t *)(void *)to)[place] = value;
    }
}

void asc_convert_codes(const void *data, const asc_kernel_args_t *args) {
    const asc_convert_codes_t *layer = data;
    const asc_operand_t *from = &layer->input;
    for (int32_t i = 0; i < layer->size; i++) {
        const int32_t code = load_code(args->rows[0], i, layer->input_bytes) - from->zero_point;
        const int32_t value =
            asc_multiply_by_quantized_multiplier(code, from->multiplier, from->shift) +
            layer->range.zero_point;
        store_code(args->output, i, layer->output_bytes,
                   asc_min(asc_max(value, layer->range.minimum), layer->range.maximum));
    }
}

void asc_leaky_relu_s16(const void *data, const asc_kernel_args_t *args) {
    const asc_leaky_relu_s16_t *layer = data;
    const int16_t *input = (const int16_t *)(const void *)args->rows[0];
    int16_t *output = (int16_t *)(void *)args->output;
    for (int32_t i = 0; i < layer->size; i++) {
        const asc_operand_t *factor = input[i] < 0 ? &layer->below : &layer->identity;
        int32_t value =
            asc_multiply_by_quantized_multiplier(input[i], factor->multiplier, factor->shift);
        value *= input[i] < 0 ? layer->sign : 1;
        output[i] = (int16_t)asc_min(asc_max(value, INT16_MIN), INT16_MAX);
    }
}

static int32_t magnitude(int32_t value) {
    return value < 0 ? -value : value;
}

void asc_abs_s16(const void *data, const asc_kernel_args_t *args) {
    const asc_abs_s16_t *layer = data;
    const int16_t *input = (const int16_t *)(const void *)args->rows[0];
    int16_t *output = (int16_t *)(void *)args->output;
    for (int32_t i = 0; i < layer->size; i++) {
        const int32_t value = asc_multiply_by_quantized_multiplier(magnitude(input[i]),
                                                                   layer->multiplier, layer->shift);
        output[i] = (int16_t)asc_min(value, INT16_MAX);
    }
}

static int32_t position(const asc_sigmoid_s16_t *layer, int32_t code) {
    const int32_t half = layer->shift > 0 ? INT32_C(1) << (layer->shift - 1) : 0;
    return (code * layer->multiplier + half) >> layer->shift;
}

/* The logistic function of a position with `bits` fractional bits, times 2^(16 + bits). */
static int32_t half_logistic(const asc_sigmoid_s16_t *layer, int32_t place, int32_t bits,
                             int32_t largest) {
    const int32_t index = place >> bits;
    if (index >= 255) {
        return asc_shift_left(largest, bits);
    }
    const int32_t first = layer->table[index];
    const int32_t slope = layer->table[index + 1] - first;
    return asc_shift_left(first, bits) + (place & (asc_shift_left(1, bits) - 1)) * slope;
}

void asc_logistic_s16(const void *data, const asc_kernel_args_t *args) {
    const asc_sigmoid_s16_t *layer = data;
    const int16_t *input = (const int16_t *)(const void *)args->rows[0];
    int16_t *output = (int16_t *)(void *)args->output;
    for (int32_t i = 0; i < layer->size; i++) {
        const int32_t place = position(layer, input[i]);
        const int32_t upper = half_logistic(layer, magnitude(place), 9, 0x7FFF << 1);
        const int32_t value = place >= 0 ? upper + 512 : (1 << 25) - upper + 511;
        output[i] = (int16_t)(value >> 10);
    }
}

void asc_tanh_s16(const void *data, const asc_kernel_args_t *args) {
    const asc_sigmoid_s16_t *layer = data;
    const int16_t *input = (const int16_t *)(const void *)args->rows[0];
    int16_t *output = (int16_t *)(void *)args->output;
    for (int32_t i = 0; i < layer->size; i++) {
        const int32_t place = position(layer, input[i]);
        const int32_t upper = half_logistic(layer, magnitude(place), 8, 0xFFFF) - (1 << 23);
        const int32_t value = place >= 0 ? upper + 128 : -upper + 127;
        output[i] = (int16_t)(value >> 8);
    }
}

/* A value of a table of 513, between which a line is drawn. */
static int32_t interpolated(const int16_t *table, int32_t code) {
    const int16_t *base = table + 256 + (code >> 7);
    return base[0] + (((base[1] - base[0]) * (code & 0x7F) + 64) >> 7);
}

static int32_t to_16_bits(int32_t value) {
    return asc_min(asc_max(value, INT16_MIN), INT16_MAX);
}

static void softmax_group(const asc_softmax_s16_t *layer, const int16_t *input, int16_t *output) {
    int32_t best = INT16_MIN;
    for (int32_t c = 0; c < layer->classes; c++) {
        best = asc_max(best, input[c]);
    }
    int32_t sum = 0;
    for (int32_t c = 0; c < layer->classes; c++) {
        const int32_t scaled =
            asc_multiply_by_quantized_multiplier(input[c] - best, layer->multiplier, layer->shift);
        output[c] = (int16_t)interpolated(layer->exponentials, to_16_bits(scaled + INT16_MAX));
        sum += output[c];
    }
    /* The sum is 1 to 2 with so many bits before it. */
    int32_t zeros = 0;
    while (zeros < 31 && (sum & (INT32_C(1) << (30 - zeros))) == 0) {
        zeros++;
    }
    const int32_t shifted = (int32_t)((((int64_t)sum << zeros) + (1 << 13)) >> 14);
    const int32_t reciprocal =
        interpolated(layer->reciprocals, to_16_bits(shifted - (1 << 15) - (1 << 16)));
    const int32_t bits = 30 - zeros;
    for (int32_t c = 0; c < layer->classes; c++) {
        const int32_t share = (output[c] * reciprocal + (INT32_C(1) << (bits - 1))) >> bits;
        output[c] = (int16_t)asc_min(asc_max(share, 0), INT16_MAX);
    }
}

void asc_softmax_s16(const void *data, const asc_kernel_args_t *args) {
    const asc_softmax_s16_t *layer = data;
    const int16_t *input = (const int16_t *)(const void *)args->rows[0];
    int16_t *output = (int16_t *)(void *)args->output;
    for (int32_t row = 0; row < layer->rows; row++) {
        softmax_group(layer, input + row * layer->classes, output + row * layer->classes);
    }
}
