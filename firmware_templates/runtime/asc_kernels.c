/* SPDX-License-Identifier: Apache-2.0
 *
 * See asc_kernels.h. Right shifts of negative numbers are taken to be arithmetic, as they are with
 * every compiler for the supported cores.
 */
#include "asc_kernels.h"

#include <string.h>

typedef struct {
    int32_t begin;
    int32_t end;
} asc_range_t;

static int32_t asc_smaller(int32_t a, int32_t b) {
    return a < b ? a : b;
}

static int32_t asc_larger(int32_t a, int32_t b) {
    return a > b ? a : b;
}

/* Shifts left as two's complement hardware does, whatever the sign. */
static int32_t asc_shift_left(int32_t value, int32_t bits) {
    return (int32_t)((uint32_t)value << bits);
}

/* a * b / 2^31, rounded to nearest, halves upwards. */
static int32_t asc_multiply_high(int32_t a, int32_t b) {
    if (a == INT32_MIN && b == INT32_MIN) {
        return INT32_MAX;
    }
    return (int32_t)(((int64_t)a * b + (INT64_C(1) << 30)) >> 31);
}

/* value / 2^bits, rounded to nearest, halves away from zero. */
static int32_t asc_divide_by_power(int32_t value, int32_t bits) {
    const int32_t mask = (int32_t)((UINT32_C(1) << bits) - 1u);
    const int32_t half = (mask >> 1) + (value < 0 ? 1 : 0);
    return (value >> bits) + ((value & mask) > half ? 1 : 0);
}

/* value * multiplier / 2^31 * 2^shift with the specification's two roundings. */
static int32_t asc_requantise(int32_t value, int32_t multiplier, int32_t shift) {
    if (shift > 0) {
        return asc_multiply_high(asc_shift_left(value, shift), multiplier);
    }
    return asc_divide_by_power(asc_multiply_high(value, multiplier), -shift);
}

static int8_t asc_to_output(const asc_output_t *range, int32_t value) {
    value += range->zero_point;
    return (int8_t)asc_smaller(asc_larger(value, range->minimum), range->maximum);
}

/* The part of a window of `size` that lies inside the input; may start before or end after it. */
static asc_range_t asc_inside(int32_t origin, int32_t size, int32_t input_size) {
    asc_range_t range;
    range.begin = asc_larger(0, -origin);
    range.end = asc_smaller(size, input_size - origin);
    return range;
}

static int32_t asc_dot(const int8_t *a, const int8_t *b, int32_t count) {
    int32_t sum = 0;
    for (int32_t i = 0; i < count; i++) {
        sum += (int32_t)a[i] * b[i];
    }
    return sum;
}

static int32_t asc_sum(const int8_t *values, int32_t count) {
    int32_t sum = 0;
    for (int32_t i = 0; i < count; i++) {
        sum += values[i];
    }
    return sum;
}

/* A window that lies inside the input: `pixels` points to its first value. Every row of the window
 * is one run of values both in the input and in the weights. */
static void asc_conv_inner(const asc_conv_t *layer, const int8_t *pixels, int8_t *output) {
    const int32_t input_row = layer->input.width * layer->input.channels;
    const int32_t window_row = layer->window.width * layer->input.channels;
    const int8_t *weights = layer->weights;
    for (int32_t c = 0; c < layer->output.channels; c++) {
        int32_t sum = layer->bias[c];
        const int8_t *row = pixels;
        for (int32_t y = 0; y < layer->window.height; y++) {
            sum += asc_dot(row, weights, window_row);
            row += input_row;
            weights += window_row;
        }
        sum = asc_requantise(sum, layer->multipliers[c], layer->shifts[c]);
        output[c] = asc_to_output(&layer->range, sum);
    }
}

/* A window that reaches beyond the input, whose rows and columns `ys` and `xs` are inside. Values
 * outside stand for zero: their code is the zero point, which the bias has already subtracted. */
static void asc_conv_border(const asc_conv_t *layer, const int8_t *pixels, asc_range_t ys,
                            asc_range_t xs, int8_t *output) {
    const int32_t channels = layer->input.channels;
    const int32_t window_row = layer->window.width * channels;
    const int32_t begin = xs.begin * channels;
    const int32_t end = xs.end * channels;
    const int8_t *weights = layer->weights;
    for (int32_t c = 0; c < layer->output.channels; c++) {
        int32_t sum = layer->bias[c];
        int32_t outside = 0;
        const int8_t *row = pixels;
        for (int32_t y = 0; y < layer->window.height; y++) {
            if (y < ys.begin || y >= ys.end) {
                outside += asc_sum(weights, window_row);
            } else {
                outside += asc_sum(weights, begin) + asc_sum(weights + end, window_row - end);
                sum += asc_dot(row, weights + begin, end - begin);
                row += layer->input.width * channels;
            }
            weights += window_row;
        }
        sum += layer->input_zero_point * outside;
        sum = asc_requantise(sum, layer->multipliers[c], layer->shifts[c]);
        output[c] = asc_to_output(&layer->range, sum);
    }
}

void asc_conv(const asc_conv_t *layer, const int8_t *input, int8_t *output) {
    const asc_window_t *window = &layer->window;
    for (int32_t y = 0; y < layer->output.height; y++) {
        const int32_t input_y = y * window->stride_y - window->top;
        const asc_range_t ys = asc_inside(input_y, window->height, layer->input.height);
        for (int32_t x = 0; x < layer->output.width; x++) {
            const int32_t input_x = x * window->stride_x - window->left;
            const asc_range_t xs = asc_inside(input_x, window->width, layer->input.width);
            const int32_t pixel = (input_y + ys.begin) * layer->input.width + input_x + xs.begin;
            const int8_t *pixels = input + pixel * layer->input.channels;
            if (ys.end - ys.begin == window->height && xs.end - xs.begin == window->width) {
                asc_conv_inner(layer, pixels, output);
            } else {
                asc_conv_border(layer, pixels, ys, xs, output);
            }
            output += layer->output.channels;
        }
    }
}

/* One channel of one window, of which the rows `ys` and the columns `xs` are inside the input. */
static int32_t asc_depthwise_sum(const asc_depthwise_conv_t *layer, const int8_t *pixels,
                                 const int8_t *weights, asc_range_t ys, asc_range_t xs) {
    const int32_t zero_point = layer->input_zero_point;
    const int32_t input_step = layer->input.channels;
    const int32_t weight_step = layer->output.channels;
    int32_t sum = 0;
    weights += (ys.begin * layer->window.width + xs.begin) * weight_step;
    for (int32_t y = ys.begin; y < ys.end; y++) {
        const int8_t *value = pixels;
        const int8_t *weight = weights;
        for (int32_t x = xs.begin; x < xs.end; x++) {
            sum += (*value - zero_point) * *weight;
            value += input_step;
            weight += weight_step;
        }
        pixels += layer->input.width * input_step;
        weights += layer->window.width * weight_step;
    }
    return sum;
}

void asc_depthwise_conv(const asc_depthwise_conv_t *layer, const int8_t *input, int8_t *output) {
    const asc_window_t *window = &layer->window;
    const int32_t per_input = layer->output.channels / layer->input.channels;
    for (int32_t y = 0; y < layer->output.height; y++) {
        const int32_t input_y = y * window->stride_y - window->top;
        const asc_range_t ys = asc_inside(input_y, window->height, layer->input.height);
        for (int32_t x = 0; x < layer->output.width; x++) {
            const int32_t input_x = x * window->stride_x - window->left;
            const asc_range_t xs = asc_inside(input_x, window->width, layer->input.width);
            const int32_t pixel = (input_y + ys.begin) * layer->input.width + input_x + xs.begin;
            const int8_t *pixels = input + pixel * layer->input.channels;
            int32_t c = 0;
            for (int32_t channel = 0; channel < layer->input.channels; channel++) {
                for (int32_t i = 0; i < per_input; i++, c++) {
                    int32_t sum = layer->bias[c];
                    sum += asc_depthwise_sum(layer, pixels + channel, layer->weights + c, ys, xs);
                    sum = asc_requantise(sum, layer->multipliers[c], layer->shifts[c]);
                    *output++ = asc_to_output(&layer->range, sum);
                }
            }
        }
    }
}

void asc_dense(const asc_dense_t *layer, const int8_t *input, int8_t *output) {
    for (int32_t row = 0; row < layer->rows; row++) {
        const int8_t *weights = layer->weights;
        for (int32_t c = 0; c < layer->outputs; c++) {
            int32_t sum = layer->bias[c] + asc_dot(input, weights, layer->inputs);
            sum = asc_requantise(sum, layer->multipliers[c], layer->shifts[c]);
            *output++ = asc_to_output(&layer->range, sum);
            weights += layer->inputs;
        }
        input += layer->inputs;
    }
}

/* The part of a pooling window that lies inside the input, one channel. */
typedef struct {
    const int8_t *first;
    int32_t rows;
    int32_t columns;
    int32_t row_step;
    int32_t column_step;
} asc_patch_t;

static int32_t asc_patch_max(const asc_patch_t *patch) {
    const int8_t *row = patch->first;
    int32_t best = INT8_MIN;
    for (int32_t y = 0; y < patch->rows; y++) {
        const int8_t *value = row;
        for (int32_t x = 0; x < patch->columns; x++) {
            best = asc_larger(best, *value);
            value += patch->column_step;
        }
        row += patch->row_step;
    }
    return best;
}

/* Rounded to nearest, halves away from zero. */
static int32_t asc_patch_average(const asc_patch_t *patch) {
    const int8_t *row = patch->first;
    const int32_t count = patch->rows * patch->columns;
    int32_t sum = 0;
    for (int32_t y = 0; y < patch->rows; y++) {
        const int8_t *value = row;
        for (int32_t x = 0; x < patch->columns; x++) {
            sum += *value;
            value += patch->column_step;
        }
        row += patch->row_step;
    }
    return (sum > 0 ? sum + count / 2 : sum - count / 2) / count;
}

static void asc_pool(const asc_pool_t *layer, const int8_t *input, int8_t *output,
                     int32_t (*reduce)(const asc_patch_t *)) {
    const asc_window_t *window = &layer->window;
    const int32_t channels = layer->input.channels;
    for (int32_t y = 0; y < layer->output.height; y++) {
        const int32_t input_y = y * window->stride_y - window->top;
        const asc_range_t ys = asc_inside(input_y, window->height, layer->input.height);
        for (int32_t x = 0; x < layer->output.width; x++) {
            const int32_t input_x = x * window->stride_x - window->left;
            const asc_range_t xs = asc_inside(input_x, window->width, layer->input.width);
            const int32_t pixel = (input_y + ys.begin) * layer->input.width + input_x + xs.begin;
            asc_patch_t patch;
            patch.first = input + pixel * channels;
            patch.rows = ys.end - ys.begin;
            patch.columns = xs.end - xs.begin;
            patch.row_step = layer->input.width * channels;
            patch.column_step = channels;
            for (int32_t c = 0; c < channels; c++, patch.first++) {
                *output++ = asc_to_output(&layer->range, reduce(&patch));
            }
        }
    }
}

void asc_max_pool(const asc_pool_t *layer, const int8_t *input, int8_t *output) {
    asc_pool(layer, input, output, asc_patch_max);
}

void asc_average_pool(const asc_pool_t *layer, const int8_t *input, int8_t *output) {
    asc_pool(layer, input, output, asc_patch_average);
}

void asc_mean(const asc_mean_t *layer, const int8_t *input, int8_t *output) {
    for (int32_t c = 0; c < layer->channels; c++) {
        const int8_t *value = input + c;
        int32_t sum = layer->offset;
        for (int32_t i = 0; i < layer->pixels; i++) {
            sum += *value;
            value += layer->channels;
        }
        sum = asc_requantise(sum, layer->multiplier, layer->shift);
        output[c] = asc_to_output(&layer->range, sum);
    }
}

/* The specification adds with 20 more bits than the codes have. */
static int32_t asc_widen(const asc_operand_t *operand, int32_t code) {
    const int32_t value = asc_shift_left(code - operand->zero_point, 20);
    return asc_requantise(value, operand->multiplier, operand->shift);
}

void asc_add(const asc_add_t *layer, const int8_t *first, const int8_t *second, int8_t *output) {
    for (int32_t i = 0; i < layer->size; i++) {
        int32_t sum = asc_widen(&layer->first, first[i]) + asc_widen(&layer->second, second[i]);
        sum = asc_requantise(sum, layer->multiplier, layer->shift);
        output[i] = asc_to_output(&layer->range, sum);
    }
}

void asc_rescale(const asc_rescale_t *layer, const int8_t *input, int8_t *output) {
    const asc_operand_t *from = &layer->input;
    for (int32_t i = 0; i < layer->size; i++) {
        const int32_t value = input[i] - from->zero_point;
        const int32_t scaled = asc_requantise(value, from->multiplier, from->shift);
        output[i] = asc_to_output(&layer->range, scaled);
    }
}

/* exp(x / 2^26) * 2^31 for x <= 0.
 *
 * x splits into a part in [-1/4, 0), whose exponential is a Taylor series of degree 4 about -1/8,
 * and multiples of 1/4, one factor exp(-2^k) for each set bit. */
static int32_t asc_exp(int32_t x) {
    static const int32_t factors[] = {1672461947, 1302514674, 790015084, 290630308,
                                      39332535,   720401,     242};
    const int32_t exp_of_minus_eighth = 1895147668;
    const int32_t third = 715827883;
    if (x == 0) {
        return INT32_MAX;
    }
    const int32_t quarter = INT32_C(1) << 24;
    const int32_t rest = (x & (quarter - 1)) - quarter;
    const int32_t t = asc_shift_left(rest, 5) + (INT32_C(1) << 28);
    const int32_t t2 = asc_multiply_high(t, t);
    const int32_t t3 = asc_multiply_high(t2, t);
    const int32_t t4 = asc_multiply_high(t2, t2);
    const int32_t tail = asc_multiply_high(asc_divide_by_power(t4, 2) + t3, third) + t2;
    const int32_t series = t + asc_divide_by_power(tail, 1);
    int32_t result = exp_of_minus_eighth + asc_multiply_high(exp_of_minus_eighth, series);
    uint32_t quarters = (uint32_t)(rest - x) >> 24;
    for (uint32_t i = 0; i < sizeof factors / sizeof factors[0]; i++, quarters >>= 1) {
        if (quarters & 1u) {
            result = asc_multiply_high(result, factors[i]);
        }
    }
    return result;
}

/* 2^31 / (1 + x / 2^31) for 0 <= x: three steps of Newton's method on half the denominator, which
 * is in [1/2, 1]; estimates have 2 integer bits and start at 48/17 - 32/17 * half. */
static int32_t asc_reciprocal_of_one_plus(int32_t x) {
    const int32_t half = (int32_t)(((int64_t)x + INT32_MAX + 1) / 2);
    int32_t estimate = 1515870810 + asc_multiply_high(half, -1010580540);
    for (int i = 0; i < 3; i++) {
        const int32_t error = (INT32_C(1) << 29) - asc_multiply_high(half, estimate);
        estimate += asc_shift_left(asc_multiply_high(estimate, error), 2);
    }
    return estimate > INT32_MAX / 2 ? INT32_MAX : asc_shift_left(estimate, 1);
}

static int32_t asc_leading_zeros(uint32_t value) {
    int32_t count = 0;
    while (count < 32 && !(value & (UINT32_C(1) << 31))) {
        value <<= 1;
        count++;
    }
    return count;
}

static int32_t asc_softmax_exp(const asc_softmax_t *layer, int32_t difference) {
    if (difference < layer->minimum) {
        return 0;
    }
    return asc_exp(asc_multiply_high(asc_shift_left(difference, layer->shift), layer->multiplier));
}

static void asc_softmax_row(const asc_softmax_t *layer, const int8_t *input, int8_t *output) {
    int32_t best = INT8_MIN;
    for (int32_t c = 0; c < layer->classes; c++) {
        best = asc_larger(best, input[c]);
    }
    /* The sum has 12 integer bits. */
    int32_t sum = 0;
    for (int32_t c = 0; c < layer->classes; c++) {
        sum += asc_divide_by_power(asc_softmax_exp(layer, input[c] - best), 12);
    }
    const int32_t headroom = asc_leading_zeros((uint32_t)sum);
    const uint32_t fraction = ((uint32_t)sum << headroom) - (UINT32_C(1) << 31);
    const int32_t reciprocal = asc_reciprocal_of_one_plus((int32_t)fraction);
    const int32_t bits = 12 - headroom + 31 - 8;
    for (int32_t c = 0; c < layer->classes; c++) {
        const int32_t exponential = asc_softmax_exp(layer, input[c] - best);
        const int32_t scaled = asc_multiply_high(reciprocal, exponential);
        const int32_t code = asc_divide_by_power(scaled, bits) + INT8_MIN;
        output[c] = (int8_t)asc_smaller(asc_larger(code, INT8_MIN), INT8_MAX);
    }
}

void asc_softmax(const asc_softmax_t *layer, const int8_t *input, int8_t *output) {
    for (int32_t row = 0; row < layer->rows; row++) {
        asc_softmax_row(layer, input + row * layer->classes, output + row * layer->classes);
    }
}

static int32_t asc_nearest(const asc_axis_t *axis, int32_t index, int32_t size) {
    return asc_smaller((index * axis->factor + axis->offset) / axis->divisor, size - 1);
}

void asc_resize_nearest(const asc_resize_t *layer, const int8_t *input, int8_t *output) {
    const int32_t channels = layer->input.channels;
    for (int32_t y = 0; y < layer->output.height; y++) {
        const int32_t input_y = asc_nearest(&layer->rows, y, layer->input.height);
        for (int32_t x = 0; x < layer->output.width; x++) {
            const int32_t input_x = asc_nearest(&layer->columns, x, layer->input.width);
            const int32_t pixel = input_y * layer->input.width + input_x;
            memcpy(output, input + pixel * channels, (size_t)channels);
            output += channels;
        }
    }
}

void asc_pad(const asc_pad_t *layer, const int8_t *input, int8_t *output) {
    const asc_shape_t *from = &layer->input;
    const asc_shape_t *to = &layer->output;
    memset(output, layer->value, (size_t)(to->height * to->width * to->channels));
    for (int32_t y = 0; y < from->height; y++) {
        int32_t pixel = (y + layer->before.height) * to->width + layer->before.width;
        for (int32_t x = 0; x < from->width; x++, pixel++) {
            int8_t *target = output + pixel * to->channels + layer->before.channels;
            memcpy(target, input, (size_t)from->channels);
            input += from->channels;
        }
    }
}

void asc_copy(const asc_copy_t *layer, const int8_t *input, int8_t *output) {
    output += layer->output_offset;
    for (int32_t row = 0; row < layer->rows; row++) {
        memcpy(output, input, (size_t)layer->size);
        input += layer->size;
        output += layer->output_stride;
    }
}

void asc_slice(const asc_slice_t *layer, const int8_t *input, int8_t *output) {
    const int32_t *count = layer->count;
    const int32_t *step = layer->step;
    for (int32_t i = 0; i < count[0]; i++) {
        for (int32_t j = 0; j < count[1]; j++) {
            for (int32_t k = 0; k < count[2]; k++) {
                int32_t index = layer->begin + i * step[0] + j * step[1] + k * step[2];
                for (int32_t l = 0; l < count[3]; l++, index += step[3]) {
                    *output++ = input[index];
                }
            }
        }
    }
}
