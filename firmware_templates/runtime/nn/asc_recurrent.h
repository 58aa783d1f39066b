/* SPDX-License-Identifier: Apache-2.0
 *
 * Layers that keep a state from one inference to the next. It lies where other kernels have scratch
 * memory, and nobody else writes there: `args->scratch` is what the run before has left.
 */
#ifndef ASC_RECURRENT_H
#define ASC_RECURRENT_H

#include <stdint.h>

#include "asc_kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A dense layer for each moment (`features`, of every filter one after the other), whose last
 * `memory` results are weighted (`times`, of every filter one after the other) and added up; each
 * `rank` filters make one output. The state has the results, of every filter from the oldest on.
 * Biases of the features hold -input_zero_point * (sum of the filter's weights), those of the
 * outputs -state_zero_point * (sum of the weights of their filters). */
typedef struct {
    int32_t batch;
    int32_t inputs;
    int32_t outputs;
    int32_t rank;
    int32_t memory;
    int32_t state_zero_point;
    int32_t state_multiplier;
    int32_t state_shift;
    int32_t multiplier;
    int32_t shift;
    asc_output_t range;
    const int8_t *features;
    const int32_t *feature_biases;
    const int32_t *biases;
} asc_svdf_t;

/* With a state of 8 bits and of 16 bits */
typedef struct {
    asc_svdf_t svdf;
    const int8_t *times;
} asc_svdf_s8_t;

typedef struct {
    asc_svdf_t svdf;
    const int16_t *times;
} asc_svdf_s16_t;

void asc_svdf_s8(const void *layer, const asc_kernel_args_t *args);
void asc_svdf_s16(const void *layer, const asc_kernel_args_t *args);

/* A gate: a dense layer of the input and one of the hidden state, whose results with 12 fractional
 * bits are added. Biases hold -zero_point * (sum of the unit's weights). */
typedef struct {
    int32_t input_multiplier;
    int32_t input_shift;
    int32_t hidden_multiplier;
    int32_t hidden_shift;
    const int8_t *input_weights;
    const int32_t *input_biases;
    const int8_t *hidden_weights;
    const int32_t *hidden_biases;
} asc_lstm_gate_t;

/* Run y is one step of one of `batch` sequences, of sequence y / steps % batch. The state has the
 * cells of all sequences, 16 bits each, then their hidden states. Multiplier and shift bring a
 * product of two gates, or of a gate and a cell, to a cell or to an output; cells go to the
 * argument of the hyperbolic tangent by `tanh_multiplier` and `tanh_shift`; `clip` is 0 for none.
 * `table` has 256 values of the logistic function for 0 to 10.7, which is symmetric. */
typedef struct {
    int32_t batch;
    int32_t steps;
    int32_t inputs;
    int32_t units;
    asc_lstm_gate_t input;
    asc_lstm_gate_t forget;
    asc_lstm_gate_t cell;
    asc_lstm_gate_t output;
    int32_t forget_multiplier;
    int32_t forget_shift;
    int32_t input_multiplier;
    int32_t input_shift;
    int32_t output_multiplier;
    int32_t output_shift;
    int32_t output_zero_point;
    int32_t tanh_multiplier;
    int32_t tanh_shift;
    int32_t clip;
    const uint16_t *table;
} asc_lstm_t;

void asc_lstm(const void *layer, const asc_kernel_args_t *args);

#ifdef __cplusplus
}
#endif

#endif
