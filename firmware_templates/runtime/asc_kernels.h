/* SPDX-License-Identifier: Apache-2.0
 *
 * Int8 network kernels: the arithmetic of the TFLite quantisation specification, with the same
 * rounding as TFLite Micro's reference kernels, bit for bit.
 *
 * A kernel makes one row of its output, (width, channels), from the rows of its input that it is
 * given. The generator has checked every shape and range and folded what it can into the
 * constants, so that kernels check nothing. No kernel writes where it reads. Kernels read up to
 * three bytes behind a row, whose values do not matter.
 */
#ifndef ASC_KERNELS_H
#define ASC_KERNELS_H

#include <stdint.h>

/* Changes whenever a structure or its meaning does; generated files ask for theirs. */
#define ASC_KERNELS_VERSION 3

#ifdef __cplusplus
extern "C" {
#endif

/* Rows of the input, NULL for padding; where to write; working memory; how often it ran before. */
typedef struct {
    const int8_t *const *rows;
    int8_t *output;
    int8_t *scratch;
    int32_t run;
} asc_call_t;

typedef void (*asc_kernel_t)(const void *layer, const asc_call_t *call);

/* A window that slides along a row; `left` is the padding before it. */
typedef struct {
    int32_t height;
    int32_t width;
    int32_t stride;
    int32_t dilation;
    int32_t left;
} asc_window_t;

/* Real multiplier = multiplier / 2^31 * 2^shift, then the output's zero point, then the range of
 * the fused activation. */
typedef struct {
    int32_t zero_point;
    int32_t minimum;
    int32_t maximum;
    int16_t clamps; /* the range is not that of int8 */
    int16_t narrow; /* sums are below 2^30, shifts go 1 to 17 bits to the right */
} asc_output_t;

/* An output channel; the bias holds -input_zero_point * (sum of the channel's weights) as well,
 * bits is -1 - shift. */
typedef struct {
    int32_t bias;
    int32_t multiplier;
    int32_t bits;
} asc_channel_t;

/* A window is `depth` values, a multiple of 4: its columns one after the other, each of
 * `column_size` values, an even number: the pixels of the window's rows. Weights lie in the same
 * order, with zeros where there is no value, for two output channels at a time: four values of one,
 * in the order 0, 2, 1, 3, then four of the other. */
typedef struct {
    int32_t input_width;
    int32_t input_channels;
    int32_t output_width;
    int32_t output_channels;
    asc_window_t window;
    int32_t columns; /* under all windows of a row */
    int32_t column_size;
    int32_t depth;
    int32_t input_zero_point;
    asc_output_t range;
    const int8_t *weights;
    const asc_channel_t *channels;
} asc_conv_t;

/* Weights are (pair of taps, output channel, tap), taps in the order of window rows and columns,
 * a zero behind an odd one; every input channel makes output_channels / input_channels of the
 * output's. */
typedef struct {
    int32_t input_width;
    int32_t input_channels;
    int32_t output_width;
    int32_t output_channels;
    asc_window_t window;
    int32_t input_zero_point;
    asc_output_t range;
    const int16_t *weights;
    const asc_channel_t *channels;
} asc_depthwise_conv_t;

/* Weights as in asc_conv_t, of windows with one column; `rows` independent inputs. */
typedef struct {
    int32_t rows;
    int32_t inputs;
    int32_t outputs;
    int32_t depth;
    asc_output_t range;
    const int8_t *weights;
    const asc_channel_t *channels;
} asc_dense_t;

/* bias_bits is bias * 256 + bits. */
typedef struct {
    int32_t bias_bits;
    int32_t multiplier;
} asc_packed_channel_t;

/* As asc_dense_t; weights are those of one output after those of another. */
typedef struct {
    int32_t rows;
    int32_t inputs;
    int32_t outputs;
    asc_output_t range;
    const int8_t *weights;
    const asc_packed_channel_t *channels;
} asc_compact_dense_t;

/* Input and output have the same quantisation. */
typedef struct {
    int32_t input_width;
    int32_t input_channels;
    int32_t output_width;
    int32_t output_channels;
    asc_window_t window;
    int32_t minimum;
    int32_t maximum;
} asc_pool_t;

/* Adds the pixels of a row to 32-bit sums, which the first run clears. */
typedef struct {
    int32_t width;
    int32_t channels;
} asc_sum_t;

/* From sums to a mean: multiplier and shift include the division, offset is -input_zero_point
 * times the number of pixels. */
typedef struct {
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

/* Over each of `rows` groups; multiplier and shift bring a difference of codes to 5 integer and 26
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
    int32_t input_width;
    int32_t output_width;
    int32_t channels;
    asc_axis_t columns;
} asc_resize_t;

typedef struct {
    int32_t input_width;
    int32_t input_channels;
    int32_t output_width;
    int32_t output_channels;
    int32_t left;
    int32_t front;
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

/* Each takes the structure of its name; `layer` is void so that all have one type. */
void asc_conv(const void *layer, const asc_call_t *call);
void asc_depthwise_conv(const void *layer, const asc_call_t *call);
void asc_dense(const void *layer, const asc_call_t *call);
void asc_compact_dense(const void *layer, const asc_call_t *call);
void asc_max_pool(const void *layer, const asc_call_t *call);
void asc_average_pool(const void *layer, const asc_call_t *call);
void asc_sum(const void *layer, const asc_call_t *call);
void asc_mean(const void *layer, const asc_call_t *call);
void asc_add(const void *layer, const asc_call_t *call);
void asc_rescale(const void *layer, const asc_call_t *call);
void asc_softmax(const void *layer, const asc_call_t *call);
void asc_resize_nearest(const void *layer, const asc_call_t *call);
void asc_pad(const void *layer, const asc_call_t *call);
void asc_copy(const void *layer, const asc_call_t *call);
void asc_slice(const void *layer, const asc_call_t *call);

#ifdef __cplusplus
}
#endif

#endif
