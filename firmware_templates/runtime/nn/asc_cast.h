/* SPDX-License-Identifier: Apache-2.0
 *
 * Integers of another size, and floating-point numbers.
 */
#ifndef ASC_CAST_H
#define ASC_CAST_H

#include <stdint.h>

#include "asc_kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

/* `size` integers of `source` bytes become integers of `target` bytes: their lower bits, or with
 * `is_truth` 1 whether they are not 0. */
typedef struct {
    int32_t size;
    int32_t source;
    int32_t target;
    int32_t is_truth;
} asc_cast_t;

void asc_cast(const void *layer, const asc_kernel_args_t *args);

/* The same from or to floating-point numbers of 32 bits, which are cut towards 0, and
 * become the nearest integer there is. */
void asc_cast_from_float(const void *layer, const asc_kernel_args_t *args);
void asc_cast_to_float(const void *layer, const asc_kernel_args_t *args);

#ifdef __cplusplus
}
#endif

#endif
