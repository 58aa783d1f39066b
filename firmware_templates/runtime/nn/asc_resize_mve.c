/* SPDX-License-Identifier: Apache-2.0
 *
 * Repeated pixels for cores with Helium (Armv8.1-M's vector extension), in place of
 * those of asc_resize.c; see asc_kernels.h.
 */
#include "asc_kernels.h"

#if ASC_KERNELS_MVE

#include "asc_arithmetic_mve.h"

enum { LANES = 16 };

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
