/* SPDX-License-Identifier: Apache-2.0
 *
 * Transposed convolution, as convolutions with the filters of a phase; see asc_kernels.h.
 */
#include "asc_kernels.h"

void asc_transpose_conv(const void *data, const asc_kernel_args_t *args) {
    const asc_transpose_conv_t *layer = data;
    const int32_t number = (args->run + layer->top) % layer->stride;
    const int32_t *phase = layer->phases + 4 * number;
    asc_conv_t conv = layer->conv;
    conv.window.height = phase[0];
    conv.column_size = phase[1];
    conv.depth = phase[2];
    conv.weights += phase[3];
    conv.channels = (const asc_channel_t *)conv.channels + number * conv.output_channels;
    asc_conv_twice(&conv, args);
}
