/* SPDX-License-Identifier: Apache-2.0
 *
 * More operations on two operands, either of which may be repeated.
 */
#ifndef ASC_BINARY_H
#define ASC_BINARY_H

#include <stdint.h>

#include "asc_kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

/* With the structure of other operations on two operands: asc_div scales the quotient,
 * asc_squared_difference the square of a difference of operands with 7 more bits. */
void asc_div(const void *layer, const asc_kernel_args_t *args);
void asc_squared_difference(const void *layer, const asc_kernel_args_t *args);

#ifdef __cplusplus
}
#endif

#endif
