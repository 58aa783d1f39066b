/* SPDX-License-Identifier: Apache-2.0
 *
 * Softmax over many classes or with 16 bits, and its logarithm.
 */
#ifndef ASC_SOFTMAX_H
#define ASC_SOFTMAX_H

#include <stdint.h>

#include "asc_kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

/* As asc_softmax, for up to 4095 classes and for outputs of `bits` bits, 8 or 16. */
typedef struct {
    asc_softmax_t softmax;
    int32_t bits;
} asc_softmax_wide_t;

/* As asc_softmax_t; `reverse_multiplier` and `reverse_shift` bring numbers with 26 fractional bits
 * to differences of codes again. */
typedef struct {
    int32_t rows;
    int32_t classes;
    int32_t multiplier;
    int32_t shift;
    int32_t minimum;
    int32_t reverse_multiplier;
    int32_t reverse_shift;
} asc_log_softmax_t;

void asc_softmax_wide(const void *layer, const asc_kernel_args_t *args);
void asc_log_softmax(const void *layer, const asc_kernel_args_t *args);

#ifdef __cplusplus
}
#endif

#endif
