/* SPDX-License-Identifier: Apache-2.0
 *
 * Other numbers of rows and columns; see asc_kernels.h. Cores with Helium repeat pixels in
 * asc_resize_mve.c.
 */
#include <string.h>

#include "asc_arithmetic.h"
#include "asc_kernels.h"

/* Positions and weights have 10 fractional bits. */
enum { ONE = 1 << 10 };

/* Position of output index i in the input; none is before the first value. */
static int32_t position(const asc_axis_t *axis, int32_t i) {
    return asc_max(i * axis->factor + axis->offset, 0);
}

void asc_resize_bilinear(const void *data, const asc_kernel_args_t *args) {
    const asc_bilinear_t *layer = data;
    const int32_t channels = layer->channels;
    const int32_t below = position(&layer->rows, args->run) % ONE;
    int8_t *output = args->output;
    for (int32_t x = 0; x < layer->output_width; x++) {
        const int32_t place = position(&layer->columns, x);
        const int32_t right = place % ONE;
        const int32_t first = place / ONE;
        const int32_t last = asc_min(first + 1, layer->input_width - 1);
        const int8_t *corners[4] = {
            args->rows[0] + first * channels, args->rows[0] + last * channels,
            args->rows[1] + first * channels, args->rows[1] + last * channels};
        const int32_t weights[4] = {(ONE - below) * (ONE - right), (ONE - below) * right,
                                    below * (ONE - right), below * right};
        for (int32_t c = 0; c < channels; c++) {
            int32_t sum = 0;
            for (int32_t i = 0; i < 4; i++) {
                sum += corners[i][c] * weights[i];
            }
            const int32_t half = sum > 0 ? ONE * ONE / 2 : -(ONE * ONE / 2);
            *output++ = (int8_t)((sum + half) / (ONE * ONE));
        }
    }
}

#if !ASC_KERNELS_MVE

static int32_t nearest(const asc_axis_t *axis, int32_t index, int32_t size) {
    return asc_min((index * axis->factor + axis->offset) / axis->divisor, size - 1);
}

void asc_resize_nearest(const void *data, const asc_kernel_args_t *args) {
    const asc_resize_t *layer = data;
    int8_t *output = args->output;
    for (int32_t x = 0; x < layer->output_width; x++) {
        const int32_t pixel = nearest(&layer->columns, x, layer->input_width);
        memcpy(output, args->rows[0] + pixel * layer->channels, (size_t)layer->channels);
        output += layer->channels;
    }
}

#endif
