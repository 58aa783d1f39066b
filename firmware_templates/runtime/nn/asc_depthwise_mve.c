/* SPDX-License-Identifier: Apache-2.0
 *
 * Depthwise convolution for cores with Helium in place of that in asc_depthwise.c: eight channels
 * of a window side by side.
 */
#include "asc_kernels.h"

#if ASC_KERNELS_MVE

#include <stddef.h>
#include <string.h>

#include "asc_arithmetic_mve.h"

enum { GROUP = 8 };

/* Finds the pixel under each tap of the window at output column x. */
static void find_taps(const asc_depthwise_conv_t *layer, const int8_t *const *rows, int32_t x,
                      const int8_t *padding, const int8_t **taps) {
    const asc_window_t *window = &layer->window;
    const uint32_t width = (uint32_t)layer->input_width;
    const int32_t first = x * window->stride - window->left;
    const int32_t step = window->dilation * layer->input_channels;
    for (int32_t y = 0; y < window->height; y++) {
        const int8_t *const row = rows[y];
        int32_t column = first;
        int32_t place = first * layer->input_channels;
        for (int32_t k = 0; k < window->width; k++, column += window->dilation, place += step) {
            *taps++ = row != NULL && (uint32_t)column < width ? row + place : padding;
        }
    }
}

/* Up to eight channels of a window: those at even places and those at odd ones. */
typedef struct {
    uint16x8_t inputs; /* the input channel of each */
    mve_pred16_t inside;
    mve_pred16_t even_inside;
    mve_pred16_t odd_inside;
} asc_group_t;

static asc_group_t find_group(const asc_depthwise_conv_t *layer, int32_t first) {
    const int32_t count = asc_min(layer->output_channels - first, GROUP);
    const int32_t per_input = layer->output_channels / layer->input_channels;
    uint16_t inputs[GROUP];
    asc_group_t group;
    for (int32_t i = 0; i < GROUP; i++) {
        inputs[i] = (uint16_t)((first + i) / per_input);
    }
    group.inputs = vldrhq_u16(inputs);
    group.inside = vctp16q((uint32_t)count);
    group.even_inside = vctp32q((uint32_t)(count + 1) / 2);
    group.odd_inside = vctp32q((uint32_t)count / 2);
    return group;
}

/* Eight channels of as many input channels, from channel c on. */
static void depthwise_eight(const asc_depthwise_conv_t *layer, const int8_t *const *taps,
                            int32_t count, int32_t c, int8_t *output) {
    const mve_pred16_t all = 0xFFFF;
    const asc_channel_t *channel = (const asc_channel_t *)layer->channels + c;
    const int8_t *weights = layer->weights + c;
    const int32_t step = layer->output_channels;
    int32x4_t even = asc_load_member_4(&channel[0].bias, 2, all);
    int32x4_t odd = asc_load_member_4(&channel[1].bias, 2, all);
    for (; count > 0; count--, taps++) {
        const int16x8_t factors = vldrbq_s16(weights);
        ASC_STEP_APART(weights, step);
        const int16x8_t codes = vldrbq_s16(taps[0] + c);
        even = vaddq_s32(even, vmullbq_int_s16(codes, factors));
        odd = vaddq_s32(odd, vmulltq_int_s16(codes, factors));
    }
    const asc_scale_4_t even_scale = asc_load_scale_4(&channel[0], 2, all);
    const asc_scale_4_t odd_scale = asc_load_scale_4(&channel[1], 2, all);
    even = asc_multiply_by_quantized_multiplier_channels_4(even, &even_scale);
    odd = asc_multiply_by_quantized_multiplier_channels_4(odd, &odd_scale);
    vstrbq_s16(output, asc_narrow_8(even, odd, layer->range.zero_point));
}

/* As depthwise_eight, for fewer channels and several of an input channel. */
static void depthwise_group(const asc_depthwise_conv_t *layer, const int8_t *const *taps,
                            int32_t count, int32_t c, int8_t *output) {
    const asc_group_t group = find_group(layer, c);
    const asc_channel_t *channel = (const asc_channel_t *)layer->channels + c;
    const int8_t *weights = layer->weights + c;
    int32x4_t even = asc_load_member_4(&channel[0].bias, 2, group.even_inside);
    int32x4_t odd = asc_load_member_4(&channel[1].bias, 2, group.odd_inside);
    for (; count > 0; count--, taps++) {
        const int16x8_t factors = vldrbq_z_s16(weights, group.inside);
        ASC_STEP_APART(weights, layer->output_channels);
        const int16x8_t codes = vldrbq_gather_offset_z_s16(taps[0], group.inputs, group.inside);
        even = vaddq_s32(even, vmullbq_int_s16(codes, factors));
        odd = vaddq_s32(odd, vmulltq_int_s16(codes, factors));
    }
    const asc_scale_4_t even_scale = asc_load_scale_4(&channel[0], 2, group.even_inside);
    const asc_scale_4_t odd_scale = asc_load_scale_4(&channel[1], 2, group.odd_inside);
    even = asc_multiply_by_quantized_multiplier_channels_4(even, &even_scale);
    odd = asc_multiply_by_quantized_multiplier_channels_4(odd, &odd_scale);
    vstrbq_p_s16(output, asc_narrow_8(even, odd, layer->range.zero_point), group.inside);
}

void asc_depthwise_conv(const void *data, const asc_kernel_args_t *args) {
    const asc_depthwise_conv_t *layer = data;
    const int32_t count = layer->window.height * layer->window.width;
    const int32_t channels = layer->output_channels;
    const int32_t eights = channels == layer->input_channels ? channels / GROUP * GROUP : 0;
    const int8_t **taps = (const int8_t **)(void *)args->scratch;
    int8_t *padding = (int8_t *)(taps + count);
    int8_t *output = args->output;
    memset(padding, layer->input_zero_point, (size_t)layer->input_channels);
    for (int32_t x = 0; x < layer->output_width; x++, output += channels) {
        find_taps(layer, args->rows, x, padding, taps);
        for (int32_t c = 0; c < eights; c += GROUP) {
            depthwise_eight(layer, taps, count, c, output + c);
        }
        for (int32_t c = eights; c < channels; c += GROUP) {
            depthwise_group(layer, taps, count, c, output + c);
        }
    }
    if (layer->range.clamps) {
        asc_clamp(&layer->range, args->output, layer->output_width * channels);
    }
}

void asc_depthwise_conv_twice(const void *data, const asc_kernel_args_t *args) {
    asc_depthwise_conv(data, args);
}

#endif
