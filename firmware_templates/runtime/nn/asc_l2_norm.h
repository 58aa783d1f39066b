/* SPDX-License-Identifier: Apache-2.0
 *
 * Vectors of length 1.
 */
#ifndef ASC_L2_NORM_H
#define ASC_L2_NORM_H

#include <stdint.h>

#include "asc_kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Each of `rows` groups of `size` values divided by the root of the sum of their squares. */
typedef struct {
    int32_t rows;
    int32_t size;
    int32_t zero_point; /* of the input */
} asc_l2_norm_t;

void asc_l2_norm(const void *layer, const asc_kernel_args_t *args);

#ifdef __cplusplus
}
#endif

#endif
