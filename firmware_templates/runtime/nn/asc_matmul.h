/* SPDX-License-Identifier: Apache-2.0
 *
 * Products of two matrices that are computed.
 */
#ifndef ASC_MATMUL_H
#define ASC_MATMUL_H

#include <stdint.h>

#include "asc_kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

/* output[i, r, c] = sum over k of first[i, r, k] * second[i, k, c]: `steps` are the values from one
 * row, one k and one column to the next, `batches` the loops over i with each operand's steps. */
typedef struct {
    int32_t batches[2];
    int32_t first_batch[2];
    int32_t second_batch[2];
    int32_t rows;
    int32_t depth;
    int32_t columns;
    int32_t first_steps[2];  /* row, k */
    int32_t second_steps[2]; /* k, column */
    int32_t first_zero_point;
    int32_t second_zero_point;
    int32_t multiplier;
    int32_t shift;
    asc_output_t range;
} asc_matmul_t;

void asc_matmul(const void *layer, const asc_kernel_args_t *args);

/* Codes have 16 bits and zero points 0; a sum becomes a code by asc_multiply_wide. */
void asc_matmul_s16(const void *layer, const asc_kernel_args_t *args);

#ifdef __cplusplus
}
#endif

#endif
