/* SPDX-License-Identifier: Apache-2.0
 *
 * Values at places that follow from each axis of the output alone: mirrored borders, chosen
 * indices, blocks, repetitions, and axes in another order.
 */
#ifndef ASC_TAKE_H
#define ASC_TAKE_H

#include <stdint.h>

#include "asc_kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Most axes of a tensor */
#define ASC_TAKE_AXES 8

/* output[i0, i1, ...] is the `size` bytes at input + offsets0[i0] + offsets1[i1] + ..., or bytes
 * `value` if one of these offsets is negative. `counts` has the elements of each axis, at least 1;
 * `offsets` has the offsets of all axes one after the other. */
typedef struct {
    int32_t axes; /* 1 to ASC_TAKE_AXES */
    int32_t size;
    int32_t value;
    const int32_t *counts;
    const int32_t *offsets;
} asc_take_t;

void asc_take(const void *layer, const asc_kernel_args_t *args);

#ifdef __cplusplus
}
#endif

#endif
