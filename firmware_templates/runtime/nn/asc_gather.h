/* SPDX-License-Identifier: Apache-2.0
 *
 * Values at places that a network computes.
 */
#ifndef ASC_GATHER_H
#define ASC_GATHER_H

#include <stdint.h>

#include "asc_kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

/* From (batches, outer, axis, size bytes) to (batches, outer, count, size bytes), by `count` places
 * of each batch, integers of `place_bytes` bytes, 4 or 8. A place outside of the axis counts as the
 * nearest one: nothing outside of the input is ever read. */
typedef struct {
    int32_t batches;
    int32_t outer;
    int32_t axis;
    int32_t size;
    int32_t count;
    int32_t place_bytes;
} asc_gather_t;

/* `count` runs of `size` bytes, each at the sum of `depth` places, times a step in bytes each. What
 * lies outside of the input's `total` bytes counts as its first or its last run. */
typedef struct {
    int32_t count;
    int32_t depth;
    int32_t size;
    int32_t total;
    int32_t place_bytes;
    const int32_t *steps;
} asc_gather_nd_t;

void asc_gather(const void *layer, const asc_kernel_args_t *args);
void asc_gather_nd(const void *layer, const asc_kernel_args_t *args);

#ifdef __cplusplus
}
#endif

#endif
