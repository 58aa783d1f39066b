/* SPDX-License-Identifier: Apache-2.0
 *
 * Integers of another size.
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

#ifdef __cplusplus
}
#endif

#endif
