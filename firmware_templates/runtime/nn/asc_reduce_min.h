/* SPDX-License-Identifier: Apache-2.0
 *
 * Smallest values.
 */
#ifndef ASC_REDUCE_MIN_H
#define ASC_REDUCE_MIN_H

#include "asc_kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

/* As asc_reduce_max, with its structure, but for the smallest values. */
void asc_reduce_min(const void *layer, const asc_kernel_args_t *args);

#ifdef __cplusplus
}
#endif

#endif
