/* SPDX-License-Identifier: Apache-2.0
 *
 * A step of an LSTM: 8-bit inputs, weights and hidden state, 16-bit gates and cells.
 *
 * Reference: TensorFlow Lite Micro, kernels/lstm_eval.h and lstm_eval.cc, with logistic.h and
 * tanh.h of kernels/internal/reference/integer_ops. A unit's gates are computed one after the
 * other, so that none is kept: each reads the hidden state of the step before, and the new one lies
 * in the output until all units have theirs.
 */
#include <string.h>

#include "asc_arithmetic.h"
#include "asc_recurrent.h"

static int32_t to_int16(int32_t value) {
    return asc_min(asc_max(value, INT16_MIN), INT16_MAX);
}

static int32_t dot(const int8_t *weights, const int8_t *values, int32_t size, int32_t sum) {
    for (int32_t i = 0; i < size; i++) {
        sum += weights[i] * values[i];
    }
    return sum;
}

/* The argument of a gate's function, with 12 fractional bits. */
static int32_t gate(const asc_lstm_t *layer, const asc_lstm_gate_t *own, int32_t unit,
                    const int8_t *input, const int8_t *hidden) {
    const int32_t of_input =
        asc_multiply_by_quantized_multiplier(dot(own->input_weights + unit * layer->inputs, input,
                                                 layer->inputs, own->input_biases[unit]),
                                             own->input_multiplier, own->input_shift);
    const int32_t of_hidden =
        asc_multiply_by_quantized_multiplier(dot(own->hidden_weights + unit * layer->units, hidden,
                                                 layer->units, own->hidden_biases[unit]),
                                             own->hidden_multiplier, own->hidden_shift);
    return to_int16(to_int16(of_input) + to_int16(of_hidden));
}

/* 1 / (1 + exp(-place)) with 25 fractional bits, or the same without a line between the table's
 * values; places have 7 or 8 bits more than `bits` before the table's. */
static int32_t logistic(const uint16_t *table, int32_t magnitude, int32_t bits, int32_t largest) {
    const int32_t index = magnitude >> bits;
    if (index >= 255) {
        return largest;
    }
    const int32_t first = table[index];
    const int32_t rest = magnitude & ((1 << bits) - 1);
    return asc_shift_left(first, bits) + rest * (table[index + 1] - first);
}

static int32_t sigmoid_16(const uint16_t *table, int32_t code) {
    const int32_t place = code * 3;
    const int32_t upper = logistic(table, place < 0 ? -place : place, 9, 0x7FFF << 10);
    return (place >= 0 ? upper + (1 << 9) : (1 << 25) - upper + (1 << 9) - 1) >> 10;
}

static int32_t tanh_16(const uint16_t *table, int32_t place) {
    const int32_t upper = logistic(table, place < 0 ? -place : place, 8, 0xFFFF << 8);
    return (place >= 0 ? upper - (1 << 23) + (1 << 7) : -upper + (1 << 23) + (1 << 7) - 1) >> 8;
}

static int32_t new_cell(const asc_lstm_t *layer, int32_t unit, const int8_t *input,
                        const int8_t *hidden, int32_t cell) {
    const uint16_t *table = layer->table;
    const int32_t forget = sigmoid_16(table, gate(layer, &layer->forget, unit, input, hidden));
    const int32_t admit = sigmoid_16(table, gate(layer, &layer->input, unit, input, hidden));
    const int32_t value = tanh_16(table, 3 * gate(layer, &layer->cell, unit, input, hidden));
    const int32_t kept = asc_multiply_by_quantized_multiplier(
        forget * cell, layer->forget_multiplier, layer->forget_shift);
    const int32_t added = asc_multiply_by_quantized_multiplier(
        admit * value, layer->input_multiplier, layer->input_shift);
    const int32_t sum = to_int16(to_int16(kept) + to_int16(added));
    return layer->clip > 0 ? asc_max(asc_min(layer->clip, sum), -layer->clip) : sum;
}

static int8_t new_hidden(const asc_lstm_t *layer, int32_t unit, const int8_t *input,
                         const int8_t *hidden, int32_t cell) {
    const int32_t half = layer->tanh_shift > 0 ? 1 << (layer->tanh_shift - 1) : 0;
    const int32_t place = (cell * layer->tanh_multiplier + half) >> layer->tanh_shift;
    const int32_t let = sigmoid_16(layer->table, gate(layer, &layer->output, unit, input, hidden));
    const int32_t product = tanh_16(layer->table, place) * let;
    const int32_t value = layer->output_zero_point +
                          asc_multiply_by_quantized_multiplier(product, layer->output_multiplier,
                                                               layer->output_shift);
    return (int8_t)asc_min(asc_max(value, INT8_MIN), INT8_MAX);
}

void asc_lstm(const void *data, const asc_kernel_args_t *args) {
    const asc_lstm_t *layer = data;
    const int32_t first = args->run / layer->steps % layer->batch * layer->units;
    int16_t *cells = (int16_t *)(void *)args->scratch;
    int8_t *hidden = args->scratch + 2 * layer->batch * layer->units + first;
    cells += first;
    for (int32_t unit = 0; unit < layer->units; unit++) {
        const int32_t cell = new_cell(layer, unit, args->rows[0], hidden, cells[unit]);
        cells[unit] = (int16_t)cell;
        args->output[unit] = new_hidden(layer, unit, args->rows[0], hidden, cell);
    }
    memcpy(hidden, args->output, (size_t)layer->units);
}
