/* SPDX-License-Identifier: Apache-2.0
 *
 * Convolution of repeated pixels; see asc_kernels.h. Each pixel meets each column of the window
 * once; an output pixel adds up what it needs of that.
 */
#include <stddef.h>

#include "asc_arithmetic.h"
#include "asc_im2col.h"
#if ASC_KERNELS_MVE
#include "asc_arithmetic_mve.h"
#endif

/* Finds the sums of column k of the window, for each output column. */
static void find_taps(const asc_upsampled_conv_t *layer, const int32_t *sums, int32_t k,
                      const int32_t **taps) {
    const int32_t step = (layer->columns.output_channels + 1) / 2 * 2;
    const int32_t factor = layer->factor;
    const int32_t *padding = layer->padding + k * layer->output_channels;
    const int32_t left = k - layer->left;
    const int32_t right = layer->columns.input_width * factor;
    int32_t repeats = left > 0 ? left % factor : 0;
    const int32_t *place = sums + k * layer->output_channels;
    place += left > 0 ? left / factor * step : 0;
    taps += k;
    for (int32_t x = left; x < left + layer->output_width; x++, taps += layer->width) {
        if (x < 0 || x >= right) {
            *taps = padding;
            continue;
        }
        *taps = place;
        if (++repeats == factor) {
            repeats = 0;
            place += step;
        }
    }
}

#if ASC_KERNELS_MVE

/* As below, of four channels. */
static inline int32x4_t add_taps(int32x4_t sum, const int32_t *const *taps, int32_t width,
                                 int32_t c, mve_pred16_t inside) {
    if (width == 3) {
        sum = vaddq_s32(sum, vldrwq_z_s32(taps[0] + c, inside));
        sum = vaddq_s32(sum, vldrwq_z_s32(taps[1] + c, inside));
        return vaddq_s32(sum, vldrwq_z_s32(taps[2] + c, inside));
    }
    for (int32_t k = 0; k < width; k++) {
        sum = vaddq_s32(sum, vldrwq_z_s32(taps[k] + c, inside));
    }
    return sum;
}

/* Four channels of all output columns, from c on. */
static inline void finish_channels(const asc_upsampled_conv_t *layer, const int32_t *const *taps,
                                   int32_t width, int32_t c, int8_t *output) {
    const mve_pred16_t inside = vctp32q((uint32_t)(layer->output_channels - c));
    const asc_channel_t *channel = (const asc_channel_t *)layer->channels + c;
    const int32x4_t bias = asc_load_member_4(&channel->bias, 1, inside);
    const asc_scale_4_t scale = asc_load_scale_4(channel, 1, inside);
    const asc_output_t range = layer->range;
    output += c;
    for (int32_t x = layer->output_width; x > 0; x--, output += layer->output_channels) {
        int32x4_t sum = add_taps(bias, taps, width, c, inside);
        taps += width;
        sum = asc_to_output_4(&range, asc_multiply_by_quantized_multiplier_channels_4(sum, &scale));
        vstrbq_p_s32(output, sum, inside);
    }
}

enum { AT_ONCE = 4 };

#else

/* The sum of channel c, with the commonest width, three, written out. */
static inline int32_t add_taps(const int32_t *const *taps, int32_t width, int32_t c) {
    if (width == 3) {
        return taps[0][c] + taps[1][c] + taps[2][c];
    }
    int32_t sum = 0;
    for (int32_t k = 0; k < width; k++) {
        sum += taps[k][c];
    }
    return sum;
}

#if ASC_ROUNDS_ONCE

/* A channel of all output columns of a layer that is rounded once. */
static void finish_once(const asc_upsampled_conv_t *layer, const int32_t *const *taps, int32_t c,
                        int8_t *output) {
    const asc_once_channel_t channel = ((const asc_once_channel_t *)layer->channels)[c];
    const asc_output_t range = layer->range;
    for (int32_t x = layer->output_width; x > 0; x--, output += layer->output_channels) {
        const int32_t sum = channel.bias + ASC_ONCE_SCALE * add_taps(taps, layer->width, c);
        const int32_t code = asc_finish_once(sum, channel.multiplier);
        taps += layer->width;
        output[c] = (int8_t)asc_min(asc_max(code, range.minimum), range.maximum);
    }
}

#endif

/* A channel of all output columns. */
static inline void finish_channels(const asc_upsampled_conv_t *layer, const int32_t *const *taps,
                                   int32_t width, int32_t c, int8_t *output) {
#if ASC_ROUNDS_ONCE
    if (layer->range.narrow == ASC_ONCE) {
        finish_once(layer, taps, c, output);
        return;
    }
#endif
    const asc_channel_t channel = ((const asc_channel_t *)layer->channels)[c];
    const asc_output_t range = layer->range;
    const int32_t offset = asc_narrow_offset(&range);
    const int is_short = range.narrow && !range.clamps;
    output += c;
    for (int32_t x = layer->output_width; x > 0; x--, output += layer->output_channels) {
        const int32_t sum = channel.bias + add_taps(taps, width, c);
        taps += width;
        *output =
            is_short ? asc_finish_narrow(sum, &channel, offset) : asc_finish(sum, &channel, &range);
    }
}

enum { AT_ONCE = 1 };

#endif

void asc_upsampled_conv(const void *data, const asc_kernel_args_t *args) {
    const asc_upsampled_conv_t *layer = data;
    const asc_conv_t *columns = &layer->columns;
    const int32_t **taps = (const int32_t **)(void *)args->scratch;
    int32_t *sums = (int32_t *)(void *)(taps + layer->output_width * layer->width);
    int32_t *end = sums + columns->input_width * ((columns->output_channels + 1) / 2 * 2);
    asc_sum_columns(columns, args->rows, (int8_t *)end, sums);
    for (int32_t k = 0; k < layer->width; k++) {
        find_taps(layer, sums, k, taps);
    }
    for (int32_t c = 0; c < layer->output_channels; c += AT_ONCE) {
        if (layer->width == 3) {
            finish_channels(layer, taps, 3, c, args->output);
        } else {
            finish_channels(layer, taps, layer->width, c, args->output);
        }
    }
}
