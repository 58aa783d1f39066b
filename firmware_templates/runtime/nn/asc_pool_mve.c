/* SPDX-License-Identifier: Apache-2.0
 *
 * The largest of a window for cores with Helium (Armv8.1-M's vector extension), in place of
 * asc_pool.c's; see asc_kernels.h.
 */
#include "asc_kernels.h"

#if ASC_KERNELS_MVE

#include <stddef.h>

#include "asc_arithmetic_mve.h"

enum { LANES = 16 };

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

#endif
