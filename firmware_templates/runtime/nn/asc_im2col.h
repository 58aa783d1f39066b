/* SPDX-License-Identifier: Apache-2.0
 *
 * What asc_upsampled_conv.c needs of asc_conv.c, or of asc_conv_mve.c in its place.
 */
#ifndef ASC_IM2COL_H
#define ASC_IM2COL_H

#include "asc_kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Sums of a layer with windows of one column, without biases: for each column one for each output
 * channel, and another if their number is odd. */
void asc_sum_columns(const asc_conv_t *layer, const int8_t *const *rows, int8_t *scratch,
                     int32_t *sums);

#ifdef __cplusplus
}
#endif

#endif
