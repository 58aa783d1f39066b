/* SPDX-License-Identifier: Apache-2.0
 *
 * Kernels of 16-bit activations with 8-bit weights (16x8), bit for bit as TFLite Micro's reference
 * kernels. Zero points are 0, so that padding adds nothing to a sum: windows are read where they
 * lie, without a copy. Kernels that are not here move bytes of any type, or take structures of
 * asc_kernels.h, whose codes then have 16 bits.
 *
 * Rows and their pixels are aligned to 2 bytes.
 */
#ifndef ASC_KERNELS_S16_H
#define ASC_KERNELS_S16_H

#include <stdint.h>

#include "asc_kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

/* An output channel. Sums of 64 bits: value = (sum * multiplier + half) / 2^shift, with a
 * multiplier of 15 bits. Sums of 32 bits: multiplier / 2^31 * 2^shift, as everywhere. */
typedef struct {
    int64_t bias;
    int32_t multiplier;
    int32_t shift;
} asc_channel_s16_t;

/* The range of the fused activation; the bits of a sum, 64 or 32, which go with those of biases in
 * the file. */
typedef struct {
    int32_t minimum;
    int32_t maximum;
    int32_t sum_bits;
} asc_output_s16_t;

/* Weights are (output channel, window row, window column, input channel). */
typedef struct {
    int32_t input_width;
    int32_t input_channels;
    int32_t output_width;
    int32_t output_channels;
    asc_window_t window;
    asc_output_s16_t range;
    const int8_t *weights;
    const asc_channel_s16_t *channels;
} asc_conv_s16_t;

/* Weights as in asc_conv_s16_t, of a kernel of height x width. `top` and `left` are the rows and
 * columns of the full result before the output. Given rows are those under kernel rows phase, phase
 * + stride_y, ..., where phase is (row + top) % stride_y. */
typedef struct {
    int32_t input_width;
    int32_t input_channels;
    int32_t output_width;
    int32_t output_channels;
    int32_t height;
    int32_t width;
    int32_t stride_y;
    int32_t stride_x;
    int32_t top;
    int32_t left;
    asc_output_s16_t range;
    const int8_t *weights;
    const asc_channel_s16_t *channels;
} asc_transpose_conv_s16_t;

/* Weights are (window row, window column, output channel); every input channel makes
 * output_channels / input_channels of the output's. */
typedef struct {
    int32_t input_width;
    int32_t input_channels;
    int32_t output_width;
    int32_t output_channels;
    asc_window_t window;
    asc_output_s16_t range;
    const int8_t *weights;
    const asc_channel_s16_t *channels;
} asc_depthwise_conv_s16_t;

/* Weights are (output, input); `rows` independent inputs. */
typedef struct {
    int32_t rows;
    int32_t inputs;
    int32_t outputs;
    asc_output_s16_t range;
    const int8_t *weights;
    const asc_channel_s16_t *channels;
} asc_dense_s16_t;

/* Another scale, or another type: codes of input_bytes become codes of output_bytes, 1, 2 or 4. */
typedef struct {
    int32_t size;
    asc_operand_t input;
    asc_output_t range;
    int32_t input_bytes;
    int32_t output_bytes;
} asc_convert_codes_t;

/* Values below 0 by `below`, which is negated if `sign` is -1 and not 1; others by `identity`. */
typedef struct {
    int32_t size;
    asc_operand_t identity;
    asc_operand_t below;
    int32_t sign;
} asc_leaky_relu_s16_t;

/* Absolute values times multiplier / 2^31 * 2^shift. */
typedef struct {
    int32_t size;
    int32_t multiplier;
    int32_t shift;
} asc_abs_s16_t;

/* 1 / sqrt(code) times multiplier / 2^31 * 2^shift; the largest code for 0 and what is below. */
typedef struct {
    int32_t size;
    int32_t multiplier;
    int32_t shift;
} asc_rsqrt_s16_t;

/* Logistic function or hyperbolic tangent: value * multiplier / 2^shift is a position in
 * `table`, 256 values of the logistic function for 0 to 10.7, which is symmetric. */
typedef struct {
    int32_t size;
    int32_t multiplier;
    int32_t shift;
    const uint16_t *table;
} asc_sigmoid_s16_t;

/* Over each of `rows` groups; multiplier and shift bring a difference of codes to 65535ths of 10.
 * Both tables have 513 values, between which a line is drawn: exponentials of -10 to 0, and
 * 1 / (1 + x) for x from 0 to 1. */
typedef struct {
    int32_t rows;
    int32_t classes;
    int32_t multiplier;
    int32_t shift;
    const int16_t *exponentials;
    const int16_t *reciprocals;
} asc_softmax_s16_t;

/* Kernels, called as those of asc_kernels.h; layers are the structures with their names, or:
 * asc_pool_t for pools, asc_sum_t, asc_mean_t and asc_reduce_t for means and sums, asc_binary_t for
 * operators of two operands, and asc_pad_t. The second operand of asc_prelu_s16 is
 * int8. */
void asc_conv_s16(const void *layer, const asc_kernel_args_t *args);
void asc_transpose_conv_s16(const void *layer, const asc_kernel_args_t *args);
void asc_depthwise_conv_s16(const void *layer, const asc_kernel_args_t *args);
void asc_dense_s16(const void *layer, const asc_kernel_args_t *args);
void asc_max_pool_s16(const void *layer, const asc_kernel_args_t *args);
void asc_average_pool_s16(const void *layer, const asc_kernel_args_t *args);
void asc_sum_s16(const void *layer, const asc_kernel_args_t *args);
void asc_mean_s16(const void *layer, const asc_kernel_args_t *args);
void asc_reduce_s16(const void *layer, const asc_kernel_args_t *args);
void asc_add_s16(const void *layer, const asc_kernel_args_t *args);
void asc_sub_s16(const void *layer, const asc_kernel_args_t *args);
void asc_mul_s16(const void *layer, const asc_kernel_args_t *args);
void asc_prelu_s16(const void *layer, const asc_kernel_args_t *args);
void asc_maximum_s16(const void *layer, const asc_kernel_args_t *args);
void asc_minimum_s16(const void *layer, const asc_kernel_args_t *args);
void asc_squared_difference_s16(const void *layer, const asc_kernel_args_t *args);
void asc_convert_codes(const void *layer, const asc_kernel_args_t *args);
void asc_leaky_relu_s16(const void *layer, const asc_kernel_args_t *args);
void asc_abs_s16(const void *layer, const asc_kernel_args_t *args);
void asc_rsqrt_s16(const void *layer, const asc_kernel_args_t *args);
void asc_logistic_s16(const void *layer, const asc_kernel_args_t *args);
void asc_tanh_s16(const void *layer, const asc_kernel_args_t *args);
void asc_softmax_s16(const void *layer, const asc_kernel_args_t *args);
void asc_pad_s16(const void *layer, const asc_kernel_args_t *args);

#ifdef __cplusplus
}
#endif

#endif
