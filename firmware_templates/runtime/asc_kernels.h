/* SPDX-License-Identifier: Apache-2.0
 *
 * Int8 network kernels: the arithmetic of the TFLite quantisation specification, with the same
 * rounding as TFLite Micro's reference kernels, bit for bit.
 *
 * Tensors are (height, width, channels), row by row, one image at a time. The generator has
 * checked every shape and range and folded what it can into the constants, so that kernels check
 * nothing. No kernel writes where it reads: input and output must not overlap.
 */
#ifndef ASC_KERNELS_H
#define ASC_KERNELS_H

#include <stdint.h>

/* Changes whenever a structure or its meaning does; generated files ask for theirs. */
#define ASC_KERNELS_VERSION 1

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    int32_t height;
    int32_t width;
    int32_t channels;
} asc_shape_t;

/* A window that slides over the input; `top` and `left` are the padding before it. */
typedef struct {
    int32_t height;
    int32_t width;
    int32_t stride_y;
    int32_t stride_x;
    int32_t top;
    int32_t left;
} asc_window_t;

/* Real multiplier = multiplier / 2^31 * 2^shift, then the output's zero point, then the range of
 * the fused activation. */
typedef struct {
    int32_t zero_point;
    int32_t minimum;
    int32_t maximum;
} asc_output_t;

/* Weights are (output channel, window row, window column, input channel); the bias holds
 * -input_zero_point * (sum of the channel's weights) as well. */
typedef struct {
    asc_shape_t input;
    asc_shape_t output;
    asc_window_t window;
    int32_t input_zero_point;
    asc_output_t range;
    const int8_t *weights;
    const int32_t *bias;
    const int32_t *multipliers;
    const int8_t *shifts;
} asc_conv_t;

/* Weights are (window row, window column, output channel); every input channel makes
 * output.channels / input.channels output channels; the bias is plain. */
typedef struct {
    asc_shape_t input;
    asc_shape_t output;
    asc_window_t window;
    int32_t input_zero_point;
    asc_output_t range;
    const int8_t *weights;
    const int32_t *bias;
    const int32_t *multipliers;
    const int8_t *shifts;
} asc_depthwise_conv_t;

/* Weights are (output, input); the bias as in asc_conv_t; `rows` independent inputs. */
typedef struct {
    int32_t rows;
    int32_t inputs;
    int32_t outputs;
    asc_output_t range;
    const int8_t *weights;
    const int32_t *bias;
    const int32_t *multipliers;
    const int8_t *shifts;
} asc_dense_t;

/* Input and output have the same quantisation. */
typedef struct {
    asc_shape_t input;
    asc_shape_t output;
    asc_window_t window;
    asc_output_t range;
} asc_pool_t;

/* Mean over height and width: multiplier and shift include the division by their product, offset
 * is -input_zero_point times it. */
typedef struct {
    int32_t pixels;
    int32_t channels;
    int32_t offset;
    int32_t multiplier;
    int32_t shift;
    asc_output_t range;
} asc_mean_t;

typedef struct {
    int32_t zero_point;
    int32_t multiplier;
    int32_t shift;
} asc_operand_t;

typedef struct {
    int32_t size;
    asc_operand_t first;
    asc_operand_t second;
    int32_t multiplier;
    int32_t shift;
    asc_output_t range;
} asc_add_t;

/* Another quantisation for every element; also RELU and RELU6. */
typedef struct {
    int32_t size;
    asc_operand_t input;
    asc_output_t range;
} asc_rescale_t;

/* Over each of `rows` rows; multiplier and shift bring a difference of codes to 5 integer and 26
 * fractional bits; differences below `minimum` give probability 0. */
typedef struct {
    int32_t rows;
    int32_t classes;
    int32_t multiplier;
    int32_t shift;
    int32_t minimum;
} asc_softmax_t;

/* Input index of output index i: min((i * factor + offset) / divisor, size - 1). */
typedef struct {
    int32_t factor;
    int32_t offset;
    int32_t divisor;
} asc_axis_t;

typedef struct {
    asc_shape_t input;
    asc_shape_t output;
    asc_axis_t rows;
    asc_axis_t columns;
} asc_resize_t;

typedef struct {
    asc_shape_t input;
    asc_shape_t output;
    asc_shape_t before;
    int32_t value;
} asc_pad_t;

/* `rows` runs of `size` bytes, one behind the other in the input, `output_stride` apart in the
 * output. */
typedef struct {
    int32_t rows;
    int32_t size;
    int32_t output_offset;
    int32_t output_stride;
} asc_copy_t;

/* output[i, j, k, l] = input[begin + i * step[0] + j * step[1] + k * step[2] + l * step[3]] */
typedef struct {
    int32_t count[4];
    int32_t begin;
    int32_t step[4];
} asc_slice_t;

void asc_conv(const asc_conv_t *layer, const int8_t *input, int8_t *output);
void asc_depthwise_conv(const asc_depthwise_conv_t *layer, const int8_t *input, int8_t *output);
void asc_dense(const asc_dense_t *layer, const int8_t *input, int8_t *output);
void asc_max_pool(const asc_pool_t *layer, const int8_t *input, int8_t *output);
void asc_average_pool(const asc_pool_t *layer, const int8_t *input, int8_t *output);
void asc_mean(const asc_mean_t *layer, const int8_t *input, int8_t *output);
void asc_add(const asc_add_t *layer, const int8_t *first, const int8_t *second, int8_t *output);
void asc_rescale(const asc_rescale_t *layer, const int8_t *input, int8_t *output);
void asc_softmax(const asc_softmax_t *layer, const int8_t *input, int8_t *output);
void asc_resize_nearest(const asc_resize_t *layer, const int8_t *input, int8_t *output);
void asc_pad(const asc_pad_t *layer, const int8_t *input, int8_t *output);
void asc_copy(const asc_copy_t *layer, const int8_t *input, int8_t *output);
void asc_slice(const asc_slice_t *layer, const int8_t *input, int8_t *output);

#ifdef __cplusplus
}
#endif

#endif
