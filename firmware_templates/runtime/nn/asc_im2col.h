/* SPDX-License-Identifier: Apache-2.0
 *
 * Windows as columns side by side (im2col), whose products with weights asc_conv.c computes, or
 * asc_conv_mve.c in its place, for all kernels with weights but depthwise ones.
 */
#ifndef ASC_IM2COL_H
#define ASC_IM2COL_H

#include "asc_kernels.h"

/* The part of a layer that dense layers and convolutions share: windows of `depth` values, `step`
 * values apart, against the weights of all output channels. */
typedef struct {
    const int8_t *weights;
    const void *channels; /* as in asc_conv_t */
    int32_t depth;
    int32_t count;
    asc_output_t range;
    int32_t widens;    /* channels whose weights are widened at once, 0, 2 or 3 */
    uint32_t *widened; /* room for them, 16 bits each */
} asc_product_t;

#ifdef __cplusplus
extern "C" {
#endif

/* Computes the sums of a layer with windows of one column, without biases.
 *
 * layer: the layer; of its outputs, range and channels are not read.
 * rows: addresses of the window's rows, NULL for padding.
 * scratch: memory that the layer's columns need, as asc_conv has it.
 * sums: room for the sums: for each column one for each output channel, and another if their
 *     number is odd. */
void asc_sum_columns(const asc_conv_t *layer, const int8_t *const *rows, int8_t *scratch,
                     int32_t *sums);

#ifdef __cplusplus
}
#endif

#endif
