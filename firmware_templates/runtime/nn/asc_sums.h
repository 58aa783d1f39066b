/* SPDX-License-Identifier: Apache-2.0
 *
 * Sums along an axis or of many operands.
 */
#ifndef ASC_SUMS_H
#define ASC_SUMS_H

#include <stdint.h>

#include "asc_kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What becomes of sums of codes, which have 19 more bits: real factor = multiplier / 2^31 *
 * 2^shift.
 */
typedef struct {
    int32_t zero_point; /* of the operands */
    int32_t multiplier;
    int32_t shift;
    asc_output_t range;
} asc_scaled_sum_t;

/* Sums from the first value of (outer, count, inner) to each, or from the last one with `reverse`
 * 1; with `exclusive` 1 without the value itself. */
typedef struct {
    int32_t outer;
    int32_t count;
    int32_t inner;
    int32_t exclusive;
    int32_t reverse;
    asc_scaled_sum_t sum;
} asc_cumsum_t;

/* Sums of `operands` rows of `size` values. */
typedef struct {
    int32_t size;
    int32_t operands;
    asc_scaled_sum_t sum;
} asc_add_n_t;

void asc_cumsum(const void *layer, const asc_kernel_args_t *args);
void asc_add_n(const void *layer, const asc_kernel_args_t *args);

#ifdef __cplusplus
}
#endif

#endif
