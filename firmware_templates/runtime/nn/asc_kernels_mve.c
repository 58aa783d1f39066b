/* SPDX-License-Identifier: Apache-2.0
 *
 * Kernels without weights for cores with Helium (Armv8.1-M's vector extension) in place of those of
 * asc_kernels.c; see asc_kernels.h.
 */
#include "asc_kernels.h"

#if ASC_KERNELS_MVE

#include <stddef.h>

#include "asc_arithmetic_mve.h"

enum { LANES = 16, WIDE_LANES = 4 };

/* The largest of the pixels in columns `begin` to `end`, up to 16 channels from c on; a row may be
 * padding. */
static int8x16_t largest(const asc_pool_t *layer, const int8_t *const *rows, int32_t begin,
                         int32_t end, int32_t c, mve_pred16_t inside) {
    const int32_t channels = layer->input_channels;
    int8x16_t best = vdupq_n_s8(INT8_MIN);
    for (int32_t y = 0; y < layer->window.height; y++) {
        if (rows[y] != NULL) {
            const int8_t *pixel = rows[y] + begin * channels + c;
            for (int32_t x = begin; x < end; x++, pixel += channels) {
                best = vmaxq_s8(best, vldrbq_z_s8(pixel, inside));
            }
        }
    }
    return best;
}

/* The commonest window: two pixels of two rows, both inside. */
static inline int8x16_t largest_of_2x2(const int8_t *above, const int8_t *below, int32_t channels,
                                       mve_pred16_t inside) {
    const int8x16_t left = vmaxq_s8(vldrbq_z_s8(above, inside), vldrbq_z_s8(below, inside));
    const int8x16_t right =
        vmaxq_s8(vldrbq_z_s8(above + channels, inside), vldrbq_z_s8(below + channels, inside));
    return vmaxq_s8(left, right);
}

/* Up to 16 channels of all windows, from c on. */
static void pool_channels(const asc_pool_t *layer, const asc_kernel_args_t *args, int32_t c) {
    const int32_t channels = layer->input_channels;
    const mve_pred16_t inside = vctp8q((uint32_t)(channels - c));
    const int8x16_t minimum = vdupq_n_s8((int8_t)layer->minimum);
    const int8x16_t maximum = vdupq_n_s8((int8_t)layer->maximum);
    const int8_t *const *rows = args->rows;
    const int is_2x2 =
        layer->window.height == 2 && layer->window.width == 2 && rows[0] != NULL && rows[1] != NULL;
    int8_t *output = args->output + c;
    int32_t column = -layer->window.left;
    for (int32_t x = 0; x < layer->output_width; x++, output += channels) {
        const int32_t begin = asc_max(column, 0);
        const int32_t end = asc_min(column + layer->window.width, layer->input_width);
        const int32_t place = column * channels + c;
        const int8x16_t best =
            is_2x2 && end - begin == 2
                ? largest_of_2x2(rows[0] + place, rows[1] + place, channels, inside)
                : largest(layer, rows, begin, end, c, inside);
        vstrbq_p_s8(output, vminq_s8(vmaxq_s8(best, minimum), maximum), inside);
        column += layer->window.stride;
    }
}

void asc_max_pool(const void *data, const asc_kernel_args_t *args) {
    const asc_pool_t *layer = data;
    for (int32_t c = 0; c < layer->input_channels; c += LANES) {
        pool_channels(layer, args, c);
    }
}

void asc_sum(const void *data, const asc_kernel_args_t *args) {
    const asc_sum_t *layer = data;
    const int32_t channels = layer->channels;
    int32_t *sums = (int32_t *)(void *)args->output;
    for (int32_t c = 0; c < channels; c += WIDE_LANES) {
        const mve_pred16_t inside = vctp32q((uint32_t)(channels - c));
        const int8_t *value = args->rows[0] + c;
        int32x4_t sum = args->run == 0 ? vdupq_n_s32(0) : vldrwq_z_s32(sums + c, inside);
        for (int32_t x = 0; x < layer->width; x++, value += channels) {
            sum = vaddq_s32(sum, vldrbq_z_s32(value, inside));
        }
        vstrwq_p_s32(sums + c, sum, inside);
    }
}

/* As asc_widen. */
static inline int32x4_t load_operand(const asc_operand_t *operand, const int8_t *codes,
                                     mve_pred16_t inside) {
    const int32x4_t values = vsubq_n_s32(vldrbq_z_s32(codes, inside), operand->zero_point);
    return asc_multiply_by_quantized_multiplier_4(vshlq_n_s32(values, 20), operand->multiplier,
                                                  operand->shift);
}

void asc_add(const void *data, const asc_kernel_args_t *args) {
    const asc_add_t *layer = data;
    for (int32_t i = 0; i < layer->size; i += WIDE_LANES) {
        const mve_pred16_t inside = vctp32q((uint32_t)(layer->size - i));
        int32x4_t sum = vaddq_s32(load_operand(&layer->first, args->rows[0] + i, inside),
                                  load_operand(&layer->second, args->rows[1] + i, inside));
        sum = asc_multiply_by_quantized_multiplier_4(sum, layer->multiplier, layer->shift);
        vstrbq_p_s32(args->output + i, asc_to_output_4(&layer->range, sum), inside);
    }
}

void asc_requantize(const void *data, const asc_kernel_args_t *args) {
    const asc_requantize_t *layer = data;
    const asc_operand_t *from = &layer->input;
    for (int32_t i = 0; i < layer->size; i += WIDE_LANES) {
        const mve_pred16_t inside = vctp32q((uint32_t)(layer->size - i));
        int32x4_t values = vsubq_n_s32(vldrbq_z_s32(args->rows[0] + i, inside), from->zero_point);
        values = asc_multiply_by_quantized_multiplier_4(values, from->multiplier, from->shift);
        vstrbq_p_s32(args->output + i, asc_to_output_4(&layer->range, values), inside);
    }
}

/* Up to 16 channels of all pixels, from c on. */
static void resize_channels(const asc_resize_t *layer, const asc_kernel_args_t *args, int32_t c) {
    const asc_axis_t columns = layer->columns;
    const int32_t channels = layer->channels;
    const int32_t last = layer->input_width - 1;
    const int8_t *input = args->rows[0] + c;
    int8_t *output = args->output + c;
    const mve_pred16_t inside = vctp8q((uint32_t)(channels - c));
    int32_t place = columns.offset;
    for (int32_t x = layer->output_width; x > 0; x--, place += columns.factor) {
        const int32_t column = asc_min(place / columns.divisor, last);
        vstrbq_p_s8(output, vldrbq_z_s8(input + column * channels, inside), inside);
        output += channels;
    }
}

void asc_resize_nearest(const void *data, const asc_kernel_args_t *args) {
    const asc_resize_t *layer = data;
    for (int32_t c = 0; c < layer->channels; c += LANES) {
        resize_channels(layer, args, c);
    }
}

#endif
