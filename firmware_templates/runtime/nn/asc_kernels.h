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
#define ASC_KERNELS_VERSION 9

/* Helium, Armv8.1-M's vector extension */
#if defined(__ARM_FEATURE_MVE) && (__ARM_FEATURE_MVE & 1)
#define ASC_KERNELS_MVE 1
#else
#define ASC_KERNELS_MVE 0
#endif

/* Four weights in the order in which a core reads them: SXTB16 makes pairs 0, 1 and 2, 3 of 0, 2,
 * 1, 3. Of two channels, it makes a pair of each from a word. Vectors may be loaded from as many
 * bytes behind the last weight. */
#if ASC_KERNELS_MVE
#define ASC_WEIGHTS(A, B, C, D) A, B, C, D
#define ASC_WEIGHT_PAIR(A, B, C, D, E, F, G, H) A, B, C, D, E, F, G, H
#define ASC_WEIGHTS_SLACK 28
#else
#define ASC_WEIGHTS(A, B, C, D) A, C, B, D
#define ASC_WEIGHT_PAIR(A, B, C, D, E, F, G, H) A, E, C, G, B, F, D, H
#define ASC_WEIGHTS_SLACK 0
#endif

/* Four weights of each of two outputs of a dense layer, as they lie or combined: numbers of 16 bits
 * are 256 times a weight of the first output and one of the second, for values 0, 2, 1, 3. */
#if defined(__ARM_FEATURE_DSP) && !ASC_KERNELS_MVE
#define ASC_DENSE_COMBINED 1
#define ASC_COMBINE(FIRST, SECOND) SECOND, (FIRST) - ((SECOND) < 0)
#define ASC_DENSE_WEIGHTS(A, B, C, D, E, F, G, H) \
    ASC_COMBINE(A, E), ASC_COMBINE(C, G), ASC_COMBINE(B, F), ASC_COMBINE(D, H)
#else
#define ASC_DENSE_COMBINED 0
#define ASC_DENSE_WEIGHTS(A, B, C, D, E, F, G, H) A, B, C, D, E, F, G, H
#endif

/* Channels of layers that are rounded once: bias and multiplier for cores with the DSP extension,
 * which need neither a shift nor the sign of a sum then; other cores round these layers twice. */
#if defined(__ARM_FEATURE_DSP) && !ASC_KERNELS_MVE
#define ASC_ROUNDS_ONCE 1
#define ASC_ONCE_CHANNEL_T asc_once_channel_t
#define ASC_ONCE_CHANNEL(BIAS, MULTIPLIER, BITS, ONCE_BIAS, ONCE_MULTIPLIER) \
    {ONCE_BIAS, ONCE_MULTIPLIER}
#else
#define ASC_ROUNDS_ONCE 0
#define ASC_ONCE_CHANNEL_T asc_channel_t
#define ASC_ONCE_CHANNEL(BIAS, MULTIPLIER, BITS, ONCE_BIAS, ONCE_MULTIPLIER) \
    {BIAS, MULTIPLIER, BITS}
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Rows of the input, NULL for padding; where to write; scratch; how often it ran before. */
typedef struct {
    const int8_t *const *rows;
    int8_t *output;
    int8_t *scratch;
    int32_t run;
} asc_kernel_args_t;

typedef void (*asc_kernel_t)(const void *layer, const asc_kernel_args_t *args);

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
    int16_t narrow; /* how rounding may be done: 0, or one of those below */
} asc_output_t;

/* Layers whose sums are below 2^30 and whose shifts go 1 to 23 bits to the right are narrow, mostly
 * narrow if all channels with such shifts have such sums. Channels of narrow layers that are
 * rounded once are ASC_ONCE_CHANNEL_T. */
enum { ASC_NARROW = 1, ASC_MOSTLY_NARROW = 2, ASC_ONCE = 3 };

/* Channels of a mostly narrow layer that are not narrow, at most. */
enum { ASC_MOST_OTHERS = 4 };

/* An output channel; the bias holds -input_zero_point * (sum of the channel's weights) as well,
 * bits is -1 - shift. */
typedef struct {
    int32_t bias;
    int32_t multiplier;
    int32_t bits;
} asc_channel_t;

/* An output channel that is rounded once: the code of a sum is (256 sum + bias) * multiplier /
 * 2^42, where the product is rounded at bit 32 and then towards the smaller number. The bias holds
 * the zero points of input and output and what brings all codes to those of asc_channel_t. */
typedef struct {
    int32_t bias;
    int32_t multiplier;
} asc_once_channel_t;

/* A window is `depth` values, a multiple of 4: its columns one after the other, each of
 * `column_size` values, an even number: the pixels of the window's rows. Weights lie in the same
 * order, with zeros where there is no value, for two output channels at a time: four values of one,
 * in the order 0, 2, 1, 3, then four of the other. Scratch memory begins
 * with room for the weights of as many channels as 16-bit values as the layer `widens` at once, 0,
 * 2 or 3; cores with the DSP extension widen them once for all windows of a run. */
typedef struct {
    int32_t input_width;
    int32_t input_channels;
    int32_t output_width;
    int32_t output_channels;
    asc_window_t window;
    int32_t columns; /* under all windows of a row */
    int32_t column_size;
    int32_t depth;
    int32_t widens;
    int32_t input_zero_point;
    asc_output_t range;
    const int8_t *weights;
    const void *channels; /* ASC_ONCE_CHANNEL_T if `narrow` is ASC_ONCE, else asc_channel_t */
} asc_conv_t;

/* A convolution of stride 1 whose input has each pixel `factor` times in a row, while the rows here
 * have it once. `columns` has a filter for each column of the window and output channel, in this
 * order, of the window's height and one column wide, with neither channels nor range; `padding` is
 * what each of them adds where there is no pixel. */
typedef struct {
    asc_conv_t columns;
    int32_t output_width;
    int32_t output_channels;
    int32_t width; /* of the window */
    int32_t left;
    int32_t factor;
    asc_output_t range;
    const void *channels; /* as in asc_conv_t */
    const int32_t *padding;
} asc_upsampled_conv_t;

/* Products of each pixel of a row and filters of one pixel, which nothing rounds. Filters are
 * `depth` values, a multiple of 4, with zeros where there is no value; two of them lie side by
 * side, as ASC_WEIGHT_PAIR has them. */
typedef struct {
    int32_t input_width;
    int32_t input_channels;
    int32_t filters;
    int32_t depth;
    const int8_t *weights;
} asc_conv_sums_t;

/* As asc_upsampled_conv_t where rows are repeated, too, and stages of their own have multiplied
 * each row by each row of the window (asc_conv_sums): adds up and rounds, of windows with three
 * columns and pixels that are repeated twice, with one pixel of padding. The input is a row of sums
 * for each of the window's `rows`, of filters for each column and output channel; `padding` is a
 * pixel of sums for each of these rows, where there is no pixel, and another if their number is
 * odd. */
typedef struct {
    int32_t rows;
    int32_t input_width;
    int32_t output_channels;
    asc_output_t range;
    const void *channels; /* as in asc_conv_t */
    const int32_t *padding;
} asc_upsampled_sum_t;

/* A transposed convolution by rows: row y is a convolution with stride 1 whose filters depend on
 * (y + top) % stride, called its phase, and which makes as many neighbouring pixels at once as the
 * stride along a row. Of every phase: rows of the window, column_size, depth and the number of its
 * first weight; channels lie phase by phase. */
typedef struct {
    asc_conv_t conv;
    int32_t top;
    int32_t stride;
    const int32_t *phases;
} asc_transpose_conv_t;

/* Weights are (tap, output channel), taps in the order of window rows and columns; every input
 * channel makes output_channels / input_channels of the output's. The taps of `pixels` pixels of
 * the output are found at once. */
typedef struct {
    int32_t input_width;
    int32_t input_channels;
    int32_t output_width;
    int32_t output_channels;
    asc_window_t window;
    int32_t pixels;
    int32_t input_zero_point;
    asc_output_t range;
    const int8_t *weights;
    const void *channels; /* as in asc_conv_t */
} asc_depthwise_conv_t;

/* Weights as in asc_conv_t, of windows with one column, but as ASC_DENSE_WEIGHTS has them if they
 * are `combined`, else in their own order; `rows` independent inputs. */
typedef struct {
    int32_t rows;
    int32_t inputs;
    int32_t outputs;
    int32_t depth;
    int32_t combined;
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
} asc_dense_packed_t;

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

/* Means or sums of `count` values each, within a row: (outer, count, inner). */
typedef struct {
    int32_t outer;
    int32_t count;
    int32_t inner;
    asc_mean_t mean;
} asc_reduce_t;

/* Largest of `count` values each; if it accumulates, of the output's as well after the first run.
 */
typedef struct {
    int32_t outer;
    int32_t count;
    int32_t inner;
    int32_t accumulates;
} asc_reduce_max_t;

/* Place of the first of the largest of `count` values each, or of the smallest if `sign` is -1 and
 * not 1: a number of `index_bytes` bytes, 4 or 8, at any address. */
typedef struct {
    int32_t outer;
    int32_t count;
    int32_t inner;
    int32_t sign;
    int32_t index_bytes;
} asc_arg_max_t;

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

/* Two nested loops over a row of the output; a step of 0 repeats a value of an operand. asc_mul
 * scales the product, asc_prelu negative values of the first operand times the second, others by
 * the first operand's own multiplier; asc_maximum and asc_minimum have no quantisation. */
typedef struct {
    int32_t count[2];
    int32_t first_step[2];
    int32_t second_step[2];
    asc_operand_t first;
    asc_operand_t second;
    int32_t multiplier;
    int32_t shift;
    asc_output_t range;
} asc_binary_t;

/* A function of one code: its values for codes -128 to 127. */
typedef struct {
    int32_t size;
    const int8_t *table;
} asc_lookup_t;

/* Another quantisation for every element; also RELU and RELU6. */
typedef struct {
    int32_t size;
    asc_operand_t input;
    asc_output_t range;
} asc_requantize_t;

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

/* Positions in 1024ths of a row or a pixel: i * factor + offset; rows are those around it. */
typedef struct {
    int32_t input_width;
    int32_t output_width;
    int32_t channels;
    asc_axis_t rows;
    asc_axis_t columns;
} asc_bilinear_t;

/* Channels and `front` are codes, or bytes of larger elements, which `value`, 0, then fills. */
typedef struct {
    int32_t input_width;
    int32_t input_channels;
    int32_t output_width;
    int32_t output_channels;
    int32_t left;
    int32_t front;
    int32_t value;
} asc_pad_t;

/* Blocks of block x block pixels that are one pixel of the deeper tensor, `pixels` in a row; `size`
 * bytes lie side by side in both. */
typedef struct {
    int32_t pixels;
    int32_t size;
    int32_t block;
} asc_blocks_t;

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

/* Kernels: each makes one row of its output, or adds to it.
 *
 * layer: the structure with the name of the kernel, constant, which has been checked by the
 *     generator; void so that all kernels have one type.
 * args: rows of the input, where the output goes, scratch memory of the size that the generator
 *     has planned, and the number of the run. The caller owns all of them; none overlaps another.
 */
void asc_conv(const void *layer, const asc_kernel_args_t *args);
void asc_conv_sums(const void *layer, const asc_kernel_args_t *args);
void asc_upsampled_conv(const void *layer, const asc_kernel_args_t *args);
void asc_upsampled_sum(const void *layer, const asc_kernel_args_t *args);
void asc_depthwise_conv(const void *layer, const asc_kernel_args_t *args);
void asc_dense(const void *layer, const asc_kernel_args_t *args);
void asc_dense_packed(const void *layer, const asc_kernel_args_t *args);
void asc_max_pool(const void *layer, const asc_kernel_args_t *args);
void asc_average_pool(const void *layer, const asc_kernel_args_t *args);
void asc_sum(const void *layer, const asc_kernel_args_t *args);
void asc_mean(const void *layer, const asc_kernel_args_t *args);
void asc_reduce(const void *layer, const asc_kernel_args_t *args);
void asc_reduce_max(const void *layer, const asc_kernel_args_t *args);
void asc_arg_max(const void *layer, const asc_kernel_args_t *args);
void asc_add(const void *layer, const asc_kernel_args_t *args);
void asc_add_broadcast(const void *layer, const asc_kernel_args_t *args);
void asc_sub(const void *layer, const asc_kernel_args_t *args);
void asc_mul(const void *layer, const asc_kernel_args_t *args);
void asc_prelu(const void *layer, const asc_kernel_args_t *args);
void asc_maximum(const void *layer, const asc_kernel_args_t *args);
void asc_minimum(const void *layer, const asc_kernel_args_t *args);
void asc_lookup(const void *layer, const asc_kernel_args_t *args);
void asc_requantize(const void *layer, const asc_kernel_args_t *args);
void asc_softmax(const void *layer, const asc_kernel_args_t *args);
void asc_resize_nearest(const void *layer, const asc_kernel_args_t *args);
void asc_resize_bilinear(const void *layer, const asc_kernel_args_t *args);
void asc_transpose_conv(const void *layer, const asc_kernel_args_t *args);
void asc_pad(const void *layer, const asc_kernel_args_t *args);
void asc_depth_to_space(const void *layer, const asc_kernel_args_t *args);
void asc_space_to_depth(const void *layer, const asc_kernel_args_t *args);
void asc_copy(const void *layer, const asc_kernel_args_t *args);
void asc_slice(const void *layer, const asc_kernel_args_t *args);

/* Kernels for the layers that are not rounded once, of which those without `twice` are. */
void asc_conv_twice(const void *layer, const asc_kernel_args_t *args);
void asc_depthwise_conv_twice(const void *layer, const asc_kernel_args_t *args);
void asc_upsampled_sum_twice(const void *layer, const asc_kernel_args_t *args);

#ifdef __cplusplus
}
#endif

#endif
